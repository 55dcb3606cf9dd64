/// The name of one request in logs, here and upstream (`X-Request-ID`).
package enum RequestID {
    /// The client's own, where it is one field of 1 to 128 visible characters; else 128 random bits.
    package static func find(in fields: [ArraySlice<UInt8>]) -> [UInt8] {
        if fields.count == 1, (1...128).contains(fields[0].count), fields[0].allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
            return Array(fields[0])
        }
        return HexText.bytes(.random(in: 0 ... .max)) + HexText.bytes(.random(in: 0 ... .max))
    }
}
