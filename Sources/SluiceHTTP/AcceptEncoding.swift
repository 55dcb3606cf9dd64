/// What a request's Accept-Encoding says (RFC 9110, 12.5.3). Codings are compared without case; elements that are not well
/// formed count as if they were not there.
package enum AcceptEncoding {
    /// Whether gzip may be sent and nothing is liked better: `gzip`, `x-gzip` or else `*` stands there, with q > 0 and not
    /// less than that of `identity` where that is named.
    ///
    /// No Accept-Encoding allows everything by the letter; it is sent by clients that know of no coding.
    package static func allowsGzip(_ values: [ArraySlice<UInt8>]) -> Bool {
        var gzip: Int?
        var any: Int?
        var identity: Int?
        for value in values {
            for element in value.split(separator: ASCII.comma) {
                guard let (coding, weight) = parse(element) else { continue }
                switch String(decoding: coding.map(ASCII.lowered), as: UTF8.self) {
                case "gzip", "x-gzip": gzip = max(gzip ?? 0, weight)
                case "*": any = max(any ?? 0, weight)
                case "identity": identity = max(identity ?? 0, weight)
                default: break
                }
            }
        }
        guard let weight = gzip ?? any else { return false }
        return weight > 0 && weight >= identity ?? 0
    }

    private static func parse(_ element: ArraySlice<UInt8>) -> (coding: ArraySlice<UInt8>, weight: Int)? {
        var reader = ParameterReader(element)
        reader.skipBlanks()
        guard let coding = reader.token() else { return nil }
        reader.skipBlanks()
        if reader.isAtEnd { return (coding, 1000) }
        guard reader.take(ASCII.semicolon) else { return nil }
        reader.skipBlanks()
        guard let name = reader.token(), ASCII.equalIgnoringCase(name, "q".utf8), reader.take(ASCII.equals),
            let value = reader.token(), let weight = AcceptHeader.weight(value)
        else { return nil }
        reader.skipBlanks()
        return reader.isAtEnd ? (coding, weight) : nil
    }
}
