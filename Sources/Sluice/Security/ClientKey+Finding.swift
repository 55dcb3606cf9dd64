package import SluiceHTTP
package import SluiceIO

extension ClientKey {
    /// Whom a request counts for.
    /// - Parameter address: the client's, `nil` over a unix socket.
    package func find(in head: RequestHead, address: IPAddress?) -> LimitKey {
        guard let value = value(in: head), !value.isEmpty else { return LimitKey(address) }
        return LimitKey(named: value)
    }

    private func value(in head: RequestHead) -> ArraySlice<UInt8>? {
        switch kind {
        case .address: return nil
        case .header(let name):
            var values: [ArraySlice<UInt8>] = []
            head.fields.forEach { _, other, value in
                if ASCII.equalIgnoringCase(other, name) { values.append(value) }
            }
            return values.count == 1 ? values[0] : nil
        case .cookie(let name): return CookieString.value(of: name, in: head.fields)
        case .query(let name):
            guard let value = QueryString.value(of: [name], in: head.query) else { return nil }
            return value.decoded.map { $0[...] } ?? value.raw
        }
    }
}
