internal import SluiceHTTP
internal import SluiceIO

/// What `balance: hash` knows a request by.
enum HashKey {
    /// `nil`: the request has no such thing, or it is empty.
    /// - Parameter client: the address that the request came from, through trusted proxies.
    static func of(_ head: RequestHead, _ source: HashSource, client: IPAddress?) -> UInt64? {
        switch source.kind {
        case .header(let name): hash(head.fields.first(named: name))
        case .cookie(let name): hash(CookieString.value(of: name, in: head.fields))
        case .query(let name):
            hash(QueryString.value(of: [name], in: head.query).map { $0.decoded ?? Array($0.raw) }?[...])
        case .address: client.map { StableHash.mix(StableHash.mix($0.high) ^ $0.low) }
        }
    }

    private static func hash(_ value: ArraySlice<UInt8>?) -> UInt64? {
        value.flatMap { $0.isEmpty ? nil : StableHash.of($0) }
    }
}
