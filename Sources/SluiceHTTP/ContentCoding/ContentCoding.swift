/// How the content of a message is coded (RFC 9110, 8.4), of what can be decoded here.
package enum ContentCoding: Sendable, Hashable {
    /// As it is.
    case identity
    /// RFC 1952; `x-gzip` is the same (RFC 9110, 8.4.1.3).
    case gzip
    /// The zlib format of RFC 1950, not bare deflate data (RFC 9110, 8.4.1.2).
    case deflate

    /// What `Content-Encoding` says; without the field, identity. Nil for a coding that is not known, and for more than
    /// one: nobody compresses a stream twice, but who wants to make a bomb does.
    package init?(of fields: FieldBlock) {
        var found = ContentCoding.identity
        for value in fields.all(.contentEncoding) {
            for element in value.split(separator: ASCII.comma) {
                guard let coding = ContentCoding(name: element) else { return nil }
                guard coding != .identity else { continue }
                guard found == .identity else { return nil }
                found = coding
            }
        }
        self = found
    }

    /// Nothing between two commas is an element that is not there (RFC 9110, 5.6.1).
    private init?(name: ArraySlice<UInt8>) {
        let start = name.firstIndex { !ASCII.isBlank($0) } ?? name.endIndex
        let end = name.lastIndex { !ASCII.isBlank($0) }.map { $0 &+ 1 } ?? start
        switch String(decoding: name[start..<end].map(ASCII.lowered), as: UTF8.self) {
        case "", "identity": self = .identity
        case "gzip", "x-gzip": self = .gzip
        case "deflate": self = .deflate
        default: return nil
        }
    }
}
