extension FeedURL {
    /// The URL that a text with `{parameters}` in its path or query becomes with these values.
    ///
    /// Values are a client's. All but unreserved characters (RFC 3986, section 2.3) are escaped, so a value stays one
    /// segment of the path or one part of the query; a segment that would be `.` or `..`, which clients and servers
    /// resolve even when it is escaped, is refused.
    init(_ text: String, filledWith values: PathParameters) throws(Problem) {
        let base = try FeedURL(text)
        var filled = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            filled += rest[..<open]
            guard let close = rest[open...].firstIndex(of: "}") else {
                throw Problem(description: "a parameter in \"\(text)\" has no end")
            }
            let name = String(rest[rest.index(after: open)..<close])
            guard let value = values[name], !value.isEmpty else {
                throw Problem(description: "{\(name)} in \"\(text)\" has no value")
            }
            filled += PercentEscape.encoded(value)
            rest = rest[rest.index(after: close)...]
        }
        self = try FeedURL(filled + rest)
        let segments = Self.segments(target)
        let expected = Self.segments(base.target)
        guard hasSameOrigin(as: base), segments.count == expected.count,
            zip(segments, expected).allSatisfy({ $0 == $1 || !Self.isDots($0) })
        else {
            throw Problem(description: "these values would lead \"\(text)\" elsewhere")
        }
    }

    private static func segments(_ target: String) -> [Substring] {
        target.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
    }

    private static func isDots(_ segment: Substring) -> Bool {
        let plain = PercentEscape.decoded(Array(segment.utf8)[...])
        return plain == [0x2E] || plain == [0x2E, 0x2E]
    }
}
