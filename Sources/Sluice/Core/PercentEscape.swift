/// Percent-encoding (RFC 3986, section 2.1).
enum PercentEscape {
    static let sign = UInt8(ascii: "%")

    /// The byte that the escape at `index` stands for; `nil` when there are no two hexadecimal digits behind its sign.
    @inline(__always)
    static func byte(at index: Int, in bytes: ArraySlice<UInt8>) -> UInt8? {
        guard bytes.endIndex &- index > 2, let high = digit(bytes[index &+ 1]), let low = digit(bytes[index &+ 2])
        else { return nil }
        return high << 4 | low
    }

    /// The bytes without escapes. A sign that begins no escape stays as it is.
    static func decoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            if bytes[index] == sign, let byte = byte(at: index, in: bytes) {
                output.append(byte)
                index &+= 3
            } else {
                output.append(bytes[index])
                index &+= 1
            }
        }
        return output
    }

    /// A text in which only unreserved characters (RFC 3986, section 2.3) stand for themselves.
    static func encoded(_ text: String) -> String {
        let hex = Array("0123456789ABCDEF".utf8)
        var output: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                output.append(byte)
            default: output += [sign, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    @inline(__always)
    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x41...0x46: byte &- 0x37
        case 0x61...0x66: byte &- 0x57
        default: nil
        }
    }
}
