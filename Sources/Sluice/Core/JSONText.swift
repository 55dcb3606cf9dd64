/// Strings as JSON writes them (RFC 8259, section 7), for the few answers that the gateway makes itself.
enum JSONText {
    /// Appends bytes as a JSON string; what is not UTF-8 becomes U+FFFD.
    static func append(_ bytes: [UInt8], to target: inout [UInt8]) {
        target.append(0x22)
        for byte in String(decoding: bytes, as: UTF8.self).utf8 {
            switch byte {
            case 0x22, 0x5C: target.append(contentsOf: [0x5C, byte])
            case 0x00..<0x20, 0x7F:
                let digits = Array("0123456789abcdef".utf8)
                target.append(contentsOf: Array("\\u00".utf8))
                target.append(digits[Int(byte >> 4)])
                target.append(digits[Int(byte & 15)])
            default: target.append(byte)
            }
        }
        target.append(0x22)
    }

    static func append(_ text: String, to target: inout [UInt8]) { append(Array(text.utf8), to: &target) }
}
