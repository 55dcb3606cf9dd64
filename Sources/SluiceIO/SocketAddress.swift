/// Where a socket is: an address and a port, or a path.
package enum SocketAddress: Hashable, Sendable {
    case ip(IPAddress, port: UInt16)
    /// A unix socket's path; empty for a client that has none.
    case unix(String)

    package var ip: IPAddress? {
        if case .ip(let address, _) = self { address } else { nil }
    }

    package var port: UInt16? {
        if case .ip(_, let port) = self { port } else { nil }
    }

    /// The longest path a unix socket can have: `sockaddr_un` less its zero byte.
    package static let longestPath = 107
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:80`, `[::1]:80` or `unix:/path`: what `listening(_:)` reads.
    package var description: String {
        switch self {
        case .ip(let address, let port): address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// Says what is wrong with the text of an address.
package struct AddressError: Error, Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package let reason: String

    package var description: String { "\"\(text)\" is not an address: \(reason)" }
}

extension SocketAddress {
    /// Reads where to listen: `:8080` (every address), `127.0.0.1:80`, `localhost:80`, `[::1]:80`, `unix:/path`.
    ///
    /// `:8080` is `[::]:8080`, which takes IPv4 too; `Listener` falls back to `0.0.0.0` on a machine without IPv6.
    /// `localhost` is 127.0.0.1. Other names are refused: where to listen should not hang on a name server.
    package static func listening(_ text: String) throws(AddressError) -> SocketAddress {
        func wrong(_ reason: String) -> AddressError { AddressError(text: text, reason: reason) }
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            if path.isEmpty { throw wrong("the path is missing after unix:") }
            if path.utf8.contains(0) { throw wrong("the path has a zero byte") }
            if path.utf8.count > longestPath { throw wrong("the path is longer than \(longestPath) bytes") }
            return .unix(path)
        }
        guard let colon = text.lastIndex(of: ":") else {
            throw wrong("expected host:port, [v6]:port, :port or unix:/path")
        }
        let host = text[..<colon]
        if host.hasPrefix("[") && !host.hasSuffix("]") { throw wrong("expected a port after ]") }
        guard let port = port(text[text.index(after: colon)...]) else {
            throw wrong("the port must be a number from 0 to 65535")
        }
        if host.isEmpty { return .ip(.anyV6, port: port) }
        if host == "localhost" { return .ip(.loopbackV4, port: port) }
        if host.hasPrefix("[") {
            let inner = host.dropFirst().dropLast()
            guard inner.contains(":"), let address = IPAddress(inner) else {
                throw wrong("[\(inner)] is not an IPv6 address")
            }
            return .ip(address, port: port)
        }
        if host.contains(":") { throw wrong("an IPv6 address stands in brackets: [\(host)]:\(port)") }
        guard let address = IPAddress(host) else {
            throw wrong("\(host) is not an IP address; names other than localhost are not looked up")
        }
        return .ip(address, port: port)
    }

    private static func port(_ digits: Substring) -> UInt16? {
        guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            return nil
        }
        return UInt16(digits)
    }
}
