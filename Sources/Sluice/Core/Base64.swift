/// Base64 with padding (RFC 4648, section 4).
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count / 3 &+ 1) &* 4)
        var index = 0
        while bytes.count &- index >= 3 {
            append(bytes[index], bytes[index &+ 1], bytes[index &+ 2], digits: 4, to: &text)
            index &+= 3
        }
        switch bytes.count &- index {
        case 1: append(bytes[index], 0, 0, digits: 2, to: &text)
        case 2: append(bytes[index], bytes[index &+ 1], 0, digits: 3, to: &text)
        default: break
        }
        return text
    }

    private static func append(_ first: UInt8, _ second: UInt8, _ third: UInt8, digits: Int, to text: inout [UInt8]) {
        let bits = UInt32(first) << 16 | UInt32(second) << 8 | UInt32(third)
        for place in 0..<4 {
            text.append(place < digits ? alphabet[Int(bits >> UInt32(18 &- 6 &* place) & 63)] : padding)
        }
    }
}
