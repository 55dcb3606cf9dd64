internal import SluiceIO

/// The parts of an `http` or `https` URL that a connection needs (RFC 3986, section 3).
struct FeedURL: Sendable, Equatable {
    let isSecure: Bool
    /// A name or an address, without the brackets of IPv6.
    let host: String
    let port: UInt16
    /// The Host field: brackets where there have to be, the port where it is not the scheme's.
    let authority: String
    /// Path and query.
    let target: String

    /// Why a text is no such URL.
    struct Problem: Error, Sendable, CustomStringConvertible {
        let description: String
    }

    init(_ text: String) throws(Problem) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Problem(description: "a URL holds no spaces, control characters or letters beyond ASCII")
        }
        var rest = Substring(text)
        if rest.lowercased().hasPrefix("https://") {
            isSecure = true
            rest = rest.dropFirst(8)
        } else if rest.lowercased().hasPrefix("http://") {
            isSecure = false
            rest = rest.dropFirst(7)
        } else {
            throw Problem(description: "a URL begins with http:// or https://")
        }
        rest = rest.prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest[authority.endIndex...]
        target = path.isEmpty ? "/" : path.hasPrefix("?") ? "/" + path : String(path)
        guard !authority.contains("@") else {
            throw Problem(description: "a URL holds no user or password; send an Authorization header")
        }
        var host = authority
        var portText: Substring?
        if host.hasPrefix("[") {
            guard let close = host.firstIndex(of: "]") else { throw Problem(description: "the bracket is not closed") }
            let after = host[host.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw Problem(description: "a port follows a colon") }
            portText = after.isEmpty ? nil : after.dropFirst()
            host = host[host.index(after: host.startIndex)..<close]
            guard IPAddress(host) != nil else { throw Problem(description: "\(host) is no IPv6 address") }
        } else if let colon = host.firstIndex(of: ":") {
            portText = host[host.index(after: colon)...]
            host = host[..<colon]
        }
        guard !host.isEmpty else { throw Problem(description: "the host is missing") }
        let standard: UInt16 = isSecure ? 443 : 80
        if let portText {
            guard portText.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = UInt16(portText), port > 0 else {
                throw Problem(description: "a port is a number from 1 to 65535")
            }
            self.port = port
        } else {
            port = standard
        }
        self.host = String(host)
        let shown = host.contains(":") ? "[\(host)]" : String(host)
        self.authority = port == standard ? shown : "\(shown):\(port)"
    }
}
