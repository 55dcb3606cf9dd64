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
        let expected = "expected an http or https URL, not \"\(text)\""
        var rest = Substring(text)
        if rest.lowercased().hasPrefix("https://") {
            isSecure = true
            rest = rest.dropFirst(8)
        } else if rest.lowercased().hasPrefix("http://") {
            isSecure = false
            rest = rest.dropFirst(7)
        } else {
            throw Problem(description: expected)
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw Problem(description: expected + ": spaces and characters beyond ASCII are written as %XX")
        }
        guard !rest.contains("#") else {
            throw Problem(description: "a URL that is asked for has no fragment (#)")
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let path = rest[authority.endIndex...]
        target = Self.escaped(path.isEmpty ? "/" : path.hasPrefix("?") ? "/" + path : String(path))
        guard !authority.contains("@") else {
            throw Problem(
                description: "a name and password do not stand in the URL; use credentials")
        }
        guard !authority.contains("{") else {
            throw Problem(description: "a {parameter} can stand in the path and the query, not in the host")
        }
        let noIPv6 = expected + ": its host is not an IPv6 address in brackets"
        let noPort = expected + ": its port is not 1 to 65535"
        var host = authority
        var portText: Substring?
        if host.hasPrefix("[") {
            guard let close = host.firstIndex(of: "]") else { throw Problem(description: noIPv6) }
            let after = host[host.index(after: close)...]
            guard after.isEmpty || after.hasPrefix(":") else { throw Problem(description: noPort) }
            portText = after.isEmpty ? nil : after.dropFirst()
            host = host[host.index(after: host.startIndex)..<close]
            guard IPAddress(host) != nil else { throw Problem(description: noIPv6) }
        } else if let colon = host.firstIndex(of: ":") {
            portText = host[host.index(after: colon)...]
            host = host[..<colon]
        }
        guard !host.isEmpty else { throw Problem(description: expected + ": it names no host") }
        let isName = host.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || "-._:".utf8.contains(byte)
        }
        guard isName else { throw Problem(description: expected + ": \"\(host)\" is no host name") }
        let standard: UInt16 = isSecure ? 443 : 80
        if let portText {
            guard portText.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = UInt16(portText), port > 0 else {
                throw Problem(description: noPort)
            }
            self.port = port
        } else {
            port = standard
        }
        self.host = String(host)
        let shown = host.contains(":") ? "[\(host)]" : String(host)
        self.authority = port == standard ? shown : "\(shown):\(port)"
    }

    /// What is printable but may not stand in a request's target is written as `%XX`, as browsers do.
    private static func escaped(_ target: String) -> String {
        let hex = Array("0123456789ABCDEF")
        return target.reduce(into: "") { result, character in
            if let byte = character.asciiValue, "\"<>\\^`|".utf8.contains(byte) {
                result += "%\(hex[Int(byte >> 4)])\(hex[Int(byte & 15)])"
            } else {
                result.append(character)
            }
        }
    }

    /// What is wrong with a URL; `nil` when nothing is.
    static func problem(of text: String) -> String? {
        do throws(Problem) {
            _ = try FeedURL(text)
            return nil
        } catch {
            return error.description
        }
    }
}
