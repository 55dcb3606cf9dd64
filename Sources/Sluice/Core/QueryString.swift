/// The query of a request target as `application/x-www-form-urlencoded` reads it (WHATWG URL, section 5.1).
enum QueryString {
    /// A value as it stands in the query.
    struct Value {
        let raw: ArraySlice<UInt8>

        /// The value with its percent escapes and plus signs decoded; `nil` where an escape is malformed.
        var decoded: [UInt8]? {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(raw.count)
            var rest = raw
            while let byte = rest.popFirst() {
                switch byte {
                case 0x2B: bytes.append(0x20)
                case 0x25:
                    guard let high = rest.popFirst().flatMap(QueryString.hex),
                        let low = rest.popFirst().flatMap(QueryString.hex)
                    else { return nil }
                    bytes.append(high << 4 | low)
                default: bytes.append(byte)
                }
            }
            return bytes
        }
    }

    /// The first value under one of the names.
    static func value(of names: [String], in query: ArraySlice<UInt8>?) -> Value? {
        guard let query else { return nil }
        for pair in query.split(separator: 0x26) {
            let name = pair.prefix { $0 != 0x3D }
            if names.contains(where: { $0.utf8.elementsEqual(name) }) {
                return Value(raw: pair[name.endIndex...].dropFirst())
            }
        }
        return nil
    }

    private static func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}

/// Whether bytes are well-formed UTF-8.
enum UTF8Check {
    static func isValid(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }
}
