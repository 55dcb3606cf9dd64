extension FeedURL {
    /// Scheme, host and port: who a URL belongs to (RFC 6454).
    func hasSameOrigin(as other: FeedURL) -> Bool {
        isSecure == other.isSecure && port == other.port && host.lowercased() == other.host.lowercased()
    }

    /// The URL that a Location field of an answer names (RFC 9110, section 10.2.2; RFC 3986, section 5.2). A fragment
    /// is dropped; what is not ASCII is written as `%XX`, as browsers do.
    func resolving(_ location: [UInt8]) throws(Problem) -> FeedURL {
        let hex = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in location.prefix(while: { $0 != UInt8(ascii: "#") }) {
            if byte > 0x20, byte < 0x7F {
                text.append(byte)
            } else {
                text += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        let reference = String(decoding: text, as: UTF8.self)
        if reference.hasPrefix("//") { return try FeedURL("\(isSecure ? "https:" : "http:")\(reference)") }
        if Self.hasScheme(reference) { return try FeedURL(reference) }
        let base = "\(isSecure ? "https" : "http")://\(authority)"
        let path = target.prefix { $0 != "?" }
        if reference.isEmpty { return self }
        if reference.hasPrefix("?") { return try FeedURL(base + path + reference) }
        let whole = reference.hasPrefix("/") ? reference : path.prefix(through: Self.lastSlash(path)) + reference
        let query = whole.drop { $0 != "?" }
        return try FeedURL(base + Self.withoutDots(whole.prefix { $0 != "?" }) + query)
    }

    private static func hasScheme(_ text: String) -> Bool {
        guard let colon = text.firstIndex(of: ":"), text.first?.isLetter == true else { return false }
        return text[..<colon].allSatisfy { $0.isLetter || $0.isNumber || "+-.".contains($0) }
    }

    private static func lastSlash(_ path: Substring) -> Substring.Index { path.lastIndex(of: "/") ?? path.startIndex }

    /// RFC 3986, section 5.2.4.
    private static func withoutDots(_ path: Substring) -> String {
        var kept: [Substring] = []
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            switch segment {
            case ".": if isLast { kept.append("") }
            case "..":
                _ = kept.popLast()
                if isLast { kept.append("") }
            default: kept.append(segment)
            }
        }
        return "/" + kept.joined(separator: "/")
    }
}
