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
                if Self.isEqual(other, name) { values.append(value) }
            }
            return values.count == 1 ? values[0] : nil
        case .cookie(let name): return Self.cookie(name, in: head.fields.all(.cookie))
        case .query(let name):
            guard let value = QueryString.value(of: [name], in: head.query) else { return nil }
            return value.decoded.map { $0[...] } ?? value.raw
        }
    }

    /// The first cookie with this name (RFC 6265, section 4.2.1).
    private static func cookie(_ name: String, in fields: [ArraySlice<UInt8>]) -> ArraySlice<UInt8>? {
        for field in fields {
            for pair in field.split(separator: UInt8(ascii: ";")) {
                let pair = pair.drop { $0 == 0x20 || $0 == 0x09 }
                let found = pair.prefix { $0 != UInt8(ascii: "=") }
                if found.elementsEqual(name.utf8), found.endIndex < pair.endIndex {
                    return pair[(found.endIndex + 1)...]
                }
            }
        }
        return nil
    }

    private static func isEqual(_ field: ArraySlice<UInt8>, _ name: String) -> Bool {
        func lowercased(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
        return field.count == name.utf8.count
            && zip(field, name.utf8).allSatisfy { lowercased($0) == lowercased($1) }
    }
}
