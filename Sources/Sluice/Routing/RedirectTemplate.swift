package import SluiceHTTP

/// Where a redirect sends a request, ready to be filled.
///
/// Nothing that a client says can choose the host: what it says cannot stand there but for its own host, a parameter is
/// escaped, and slashes at the beginning are one, since `//evil.example` is another host (RFC 3986, section 4.2).
package struct RedirectTemplate: Sendable, Hashable {
    private enum Part: Sendable, Hashable {
        case text(String)
        case host
        case path
        case query
        case parameter(String)
    }

    private let parts: [Part]
    /// It begins with a path.
    private let isRelative: Bool
    /// Names in braces that are the request's.
    package static let names = ["host", "path", "query", "uri"]
    /// The names of the path's parameters that it needs.
    package var parameterNames: [String] {
        parts.compactMap { part in
            if case .parameter(let name) = part { name } else { nil }
        }
    }

    /// Reads a template.
    package init(_ text: String) throws(PatternError) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !Self.unsendable.contains($0) }) else {
            throw PatternError(text, "spaces, quotes and characters beyond ASCII are written as %XX")
        }
        let lower = text.lowercased()
        let scheme = ["https://", "http://"].first(where: lower.hasPrefix)
        isRelative = scheme == nil
        guard scheme != nil || ["/", "{path}", "{uri}"].contains(where: text.hasPrefix) else {
            throw PatternError(text, "expected a URL such as https://example.com{uri}, or a path")
        }
        guard !text.hasPrefix("//") else {
            throw PatternError(text, "what begins with // is another host; write https://")
        }
        parts = try Self.parts(of: text)
        if let scheme { try Self.checkHost(parts, in: text, after: scheme) }
    }

    /// Browsers take `\` for `/`.
    private static let unsendable = Array("\"<>\\^`|".utf8)

    private static func parts(of text: String) throws(PatternError) -> [Part] {
        var parts: [Part] = []
        var rest = text[...]
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            let inner = rest[rest.index(after: brace)...]
            guard rest[brace] == "{", let end = inner.firstIndex(of: "}"), ParameterName.isValid(inner[..<end]) else {
                throw PatternError(text, "braces hold a name, such as {uri}; by themselves they are %7B and %7D")
            }
            if brace > rest.startIndex { parts.append(.text(String(rest[..<brace]))) }
            switch inner[..<end] {
            case "host": parts.append(.host)
            case "path": parts.append(.path)
            case "query": parts.append(.query)
            case "uri": parts += [.path, .query]
            case let name: parts.append(.parameter(String(name)))
            }
            rest = inner[inner.index(after: end)...]
        }
        return rest.isEmpty ? parts : parts + [.text(String(rest))]
    }

    private static func checkHost(_ parts: [Part], in text: String, after scheme: String) throws(PatternError) {
        var isEmpty = true
        for (index, part) in parts.enumerated() {
            switch part {
            case .text(let literal):
                let literal = index == 0 ? literal.dropFirst(scheme.count) : literal[...]
                let host = literal.prefix { !"/?#".contains($0) }
                isEmpty = isEmpty && host.isEmpty
                guard host.endIndex == literal.endIndex else { return try requireHost(isEmpty, in: text) }
            case .host: isEmpty = false
            case .path, .query: return try requireHost(isEmpty, in: text)
            case .parameter: throw PatternError(text, "a client could choose the host: parameters stand behind it")
            }
        }
        try requireHost(isEmpty, in: text)
    }

    private static func requireHost(_ isEmpty: Bool, in text: String) throws(PatternError) {
        if isEmpty { throw PatternError(text, "the URL names no host") }
    }

    /// The value of Location for a request; `nil` when it needs the host and the request names none.
    package func location(for head: RequestHead, _ parameters: PathParameters) -> String? {
        var location: [UInt8] = []
        for part in parts {
            switch part {
            case .text(let text): location += Array(text.utf8)
            case .host:
                guard let host = head.host else { return nil }
                location += Self.withoutPort(host)
            case .path: location += head.path
            case .query: if let query = head.query { location += [UInt8(ascii: "?")] + query }
            case .parameter(let name): location += Array(PercentEscape.encoded(parameters[name] ?? "").utf8)
            }
        }
        if isRelative {
            let slash = UInt8(ascii: "/")
            location = [slash] + location.drop { $0 == slash }
        }
        return String(decoding: location, as: UTF8.self)
    }

    private static func withoutPort(_ authority: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if authority.first == UInt8(ascii: "["), let end = authority.firstIndex(of: UInt8(ascii: "]")) {
            return authority[...end]
        }
        return authority.prefix { $0 != UInt8(ascii: ":") }
    }
}
