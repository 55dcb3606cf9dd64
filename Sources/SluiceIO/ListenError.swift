/// Why an address cannot be listened on; names the address and the reason.
package struct ListenError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: Error, Hashable, Sendable {
        /// Somebody else listens there: a port, or a unix socket that answers.
        case portInUse
        /// A port below 1024, or a directory that may not be written.
        case permission
        /// No interface of this machine has the address.
        case addressNotAvailable
        /// The machine has no IPv6 (or no IPv4).
        case familyNotSupported
        /// The unix path is taken by a file that is no socket; it is left alone.
        case notASocket
        /// The directory of the unix path does not exist.
        case noDirectory
        case pathTooLong
        case system(Errno)

        init(_ error: Errno) {
            self =
                switch error {
                case .addressInUse: .portInUse
                case .accessDenied, .notPermitted: .permission
                case .addressNotAvailable: .addressNotAvailable
                case .familyNotSupported: .familyNotSupported
                case .notFound: .noDirectory
                case .nameTooLong: .pathTooLong
                default: .system(error)
                }
        }
    }

    package let address: SocketAddress
    package let reason: Reason

    package var description: String { "cannot listen on \(address): \(explanation)" }

    private var explanation: String {
        switch reason {
        case .portInUse: address.ip == nil ? "another process listens there" : "port in use"
        case .permission:
            address.port.map { $0 < 1024 } == true
                ? "permission denied (ports below 1024 need CAP_NET_BIND_SERVICE)" : "permission denied"
        case .addressNotAvailable: "no interface of this machine has this address"
        case .familyNotSupported: "this machine does not support this kind of address"
        case .notASocket: "the path is taken by a file that is not a socket"
        case .noDirectory: "the directory does not exist"
        case .pathTooLong: "the path is longer than \(SocketAddress.longestPath) bytes"
        case .system(let error): error.description
        }
    }
}
