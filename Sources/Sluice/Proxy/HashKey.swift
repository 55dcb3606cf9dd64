internal import SluiceHTTP
internal import SluiceIO

/// What `balance: hash` knows a request by.
enum HashKey {
    /// `nil`: the request has no such thing, or it is empty.
    /// - Parameter client: the address that the request came from, through trusted proxies.
    static func of(_ head: RequestHead, _ source: HashSource, client: IPAddress?) -> UInt64? {
        switch source.kind {
        case .header(let name): hash(head.fields.first(named: name))
        case .cookie(let name): hash(cookie(name, of: head))
        case .query(let name):
            hash(QueryString.value(of: [name], in: head.query).map { $0.decoded ?? Array($0.raw) }?[...])
        case .address: client.map { StableHash.mix(StableHash.mix($0.high) ^ $0.low) }
        }
    }

    private static func hash(_ value: ArraySlice<UInt8>?) -> UInt64? {
        value.flatMap { $0.isEmpty ? nil : StableHash.of($0) }
    }

    /// The first cookie of a name (RFC 6265, section 4.2.1). HTTP/2 may send each in a field of its own.
    private static func cookie(_ name: String, of head: RequestHead) -> ArraySlice<UInt8>? {
        for field in head.fields.all(.cookie) {
            for pair in field.split(separator: UInt8(ascii: ";")) {
                let pair = pair.drop { $0 == 0x20 || $0 == 0x09 }
                let found = pair.prefix { $0 != UInt8(ascii: "=") }
                if found.endIndex < pair.endIndex, found.elementsEqual(name.utf8) {
                    return pair[found.endIndex...].dropFirst()
                }
            }
        }
        return nil
    }
}
