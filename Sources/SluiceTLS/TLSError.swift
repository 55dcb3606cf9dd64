/// What went wrong with a certificate, a key or a session: what was tried, which file, and the reason in OpenSSL's words.
///
/// One reference wide, so that the results of reads and writes stay in a register.
package struct TLSError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// A file that cannot be read, holds something else, or does not fit its partner.
        case file
        /// The peer's handshake or records break the protocol, or no agreement was found.
        case handshake
        /// The server's certificate was not accepted: chain, validity or host name (client side).
        case certificateRefused
        /// The server wants a client certificate that is not configured, or refuses the one that is (client side).
        case clientCertificate
        /// The server's first bytes are none of TLS (client side).
        case notTLS
        /// The first bytes were a plain HTTP request (server side).
        case plainHTTP
        /// The transport ended without close_notify (RFC 8446, 6.1): what came may be cut short.
        case truncated
        /// More post-handshake messages than a well-behaved peer has use for.
        case flood
        /// The session was used after its end or before its handshake.
        case misuse
        /// OpenSSL failed where neither peer nor file is to blame.
        case `internal`
    }

    private final class Storage: Sendable {
        let kind: Kind
        let what: String
        let file: String?
        let reason: String?

        init(kind: Kind, what: String, file: String?, reason: String?) {
            self.kind = kind
            self.what = what
            self.file = file
            self.reason = reason
        }
    }

    private let storage: Storage

    package init(_ kind: Kind, _ what: String, file: String? = nil, reason: String? = nil) {
        storage = Storage(kind: kind, what: what, file: file, reason: reason)
    }

    package var kind: Kind { storage.kind }
    /// What was tried or seen, in words.
    package var what: String { storage.what }
    /// The path as the caller gave it.
    package var file: String? { storage.file }
    /// OpenSSL's or the system's own words.
    package var reason: String? { storage.reason }

    /// The peer spoke plain HTTP to a TLS port, and can be answered in plain HTTP.
    package var isPlainHTTP: Bool { kind == .plainHTTP }

    package var description: String {
        var text = what
        if let file { text = "\(file): \(text)" }
        if let reason { text += ": \(reason)" }
        return text
    }
}
