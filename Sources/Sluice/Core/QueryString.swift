/// The query of a request target as `application/x-www-form-urlencoded` reads it (WHATWG URL, section 5.1).
enum QueryString {
    /// A value as it stands in the query.
    struct Value {
        let raw: ArraySlice<UInt8>

        /// The value with its percent escapes and plus signs decoded; `nil` where an escape is malformed.
        var decoded: [UInt8]? {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(raw.count)
            var index = raw.startIndex
            while index < raw.endIndex {
                switch raw[index] {
                case 0x2B: bytes.append(0x20)
                case PercentEscape.sign:
                    guard let byte = PercentEscape.byte(at: index, in: raw) else { return nil }
                    bytes.append(byte)
                    index += 2
                default: bytes.append(raw[index])
                }
                index += 1
            }
            return bytes
        }
    }

    /// The first value under one of the names.
    static func value(of names: [String], in query: ArraySlice<UInt8>?) -> Value? {
        values(of: names, in: query, atMost: 1).first
    }

    /// The values under one of the names, in order.
    static func values(of names: [String], in query: ArraySlice<UInt8>?, atMost limit: Int) -> [Value] {
        var values: [Value] = []
        for pair in query?.split(separator: 0x26) ?? [] where values.count < limit {
            let name = pair.prefix { $0 != 0x3D }
            if names.contains(where: { $0.utf8.elementsEqual(name) }) {
                values.append(Value(raw: pair[name.endIndex...].dropFirst()))
            }
        }
        return values
    }

    /// Whether there is a value under this name, compared decoded, that passes.
    static func contains(_ name: [UInt8], in query: ArraySlice<UInt8>?, where passes: (Value) -> Bool) -> Bool {
        guard let query else { return false }
        var start = query.startIndex
        while start < query.endIndex {
            let pair = query[start...].prefix { $0 != 0x26 }
            let ownName = pair.prefix { $0 != 0x3D }
            if !pair.isEmpty, Value(raw: ownName).decodes(to: name, andMore: false),
                passes(Value(raw: pair[ownName.endIndex...].dropFirst()))
            {
                return true
            }
            start = pair.endIndex &+ 1
        }
        return false
    }
}

extension QueryString.Value {
    /// Whether the value, decoded, is this text, or begins with it; never where an escape before that is malformed.
    func decodes(to text: [UInt8], andMore: Bool) -> Bool {
        var index = raw.startIndex
        for expected in text {
            guard index < raw.endIndex else { return false }
            var byte = raw[index]
            if byte == 0x2B { byte = 0x20 }
            if byte == PercentEscape.sign {
                guard let escaped = PercentEscape.byte(at: index, in: raw) else { return false }
                byte = escaped
                index &+= 2
            }
            guard byte == expected else { return false }
            index &+= 1
        }
        return andMore || index == raw.endIndex
    }
}
