internal import CLinux

/// What one `accept` found.
package enum AcceptResult: ~Copyable {
    case accepted(Socket, SocketAddress)
    case wouldBlock
    /// EMFILE, ENFILE, ENOBUFS or ENOMEM: what waits goes on waiting, so polling again at once would spin.
    /// See `SpareDescriptor`. The kernel takes the descriptor first, so it says this also where nobody waits.
    case exhausted(Errno)
    case failed(Errno)
}

/// A listening socket, non-blocking.
package struct Listener: ~Copyable, Sendable {
    private let descriptor: FileDescriptor
    private let file: SocketFile?

    /// Where it listens; the port is the real one where port 0 was asked for.
    package let boundAddress: SocketAddress

    /// The descriptor, to be given to a `Selector`.
    package var rawValue: Int32 { descriptor.rawValue }

    private init(_ descriptor: consuming FileDescriptor, file: SocketFile?, boundAddress: SocketAddress) {
        self.descriptor = descriptor
        self.file = file
        self.boundAddress = boundAddress
    }

    /// Opens a listener. An IPv6 address takes IPv4 as well where it is unspecified (`[::]`), and becomes `0.0.0.0`
    /// on a machine without IPv6. A unix path that a dead process left behind is replaced.
    ///
    /// - Parameter sharing: several listeners share the port (SO_REUSEPORT). The kernel lets any process of this user
    ///   join in, also by mistake: see `checkFree(_:)`. Without meaning for unix sockets: see `duplicate()`.
    package static func open(
        _ address: SocketAddress, backlog: Int32 = 4096, sharing: Bool
    ) throws(ListenError) -> Listener {
        do {
            return try make(address, backlog: backlog, sharing: sharing)
        } catch {
            if case .ip(.anyV6, let port) = address,
                error == .familyNotSupported || error == .addressNotAvailable,
                let listener = try? make(.ip(.anyV4, port: port), backlog: backlog, sharing: sharing)
            {
                return listener
            }
            throw ListenError(address: address, reason: error)
        }
    }

    /// Refuses an address where somebody already listens, even one who shares the port. To be called once before the
    /// first shared listener is opened: a second gateway started by mistake would silently take half of the clients.
    package static func checkFree(_ address: SocketAddress) throws(ListenError) {
        _ = try open(address, backlog: 1, sharing: false)
    }

    private static func make(
        _ address: SocketAddress, backlog: Int32, sharing: Bool
    ) throws(ListenError.Reason) -> Listener {
        do {
            let descriptor = try System.socket(for: address)
            switch address {
            case .ip(let ip, _):
                // A restart must not wait for the old connections' TIME_WAIT.
                try System.require(SLUICE_OPTION_REUSE_ADDRESS, of: descriptor.rawValue, to: 1)
                if sharing { try System.require(SLUICE_OPTION_REUSE_PORT, of: descriptor.rawValue, to: 1) }
                if !ip.isV4 {
                    let only: Int32 = ip == .anyV6 ? 0 : 1
                    try System.require(SLUICE_OPTION_V6_ONLY, of: descriptor.rawValue, to: only)
                }
            case .unix(let path):
                try SocketFile.removeStale(at: path)
            }
            try System.bind(descriptor.rawValue, to: address)
            let file: SocketFile? = if case .unix(let path) = address { SocketFile(path: path) } else { nil }
            try System.listen(descriptor.rawValue, backlog: backlog)
            let bound = System.name(descriptor.rawValue, peer: false) ?? address
            return Listener(descriptor, file: file, boundAddress: bound)
        } catch let error as Errno {
            throw ListenError.Reason(error)
        } catch let reason as ListenError.Reason {
            throw reason
        } catch {
            throw .system(.invalid)
        }
    }

    /// A second descriptor of the same socket, for another worker. Unix sockets have no SO_REUSEPORT: workers share
    /// one by this, each with `Selector.Interest.exclusive`. The file goes when the last of them closes.
    package func duplicate() throws(Errno) -> Listener {
        Listener(try System.duplicate(rawValue), file: file, boundAddress: boundAddress)
    }

    /// Takes one connection, non-blocking and close-on-exec. Connections that failed while they waited are passed over.
    package borrowing func accept() -> AcceptResult {
        var lastError = Errno.connectionAborted
        // Bounded: an error of the listener itself must not hold the loop.
        for _ in 0..<64 {
            do {
                let (descriptor, peer) = try System.accept(rawValue)
                return .accepted(Socket(FileDescriptor(owning: descriptor)), peer)
            } catch {
                if error == .wouldBlock { return .wouldBlock }
                if error.isExhaustion { return .exhausted(error) }
                if !error.isOfOneConnection { return .failed(error) }
                lastError = error
            }
        }
        return .failed(lastError)
    }
}
