/// Strings as JSON writes them (RFC 8259, section 7), for answers, logs and, as YAML 1.2 reads them too, configurations.
package enum JSONText {
    /// A string in quotes. Escaped are also what terminals obey and what readers of YAML take for line ends or refuse.
    package static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where isUnseen(scalar):
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    /// Control characters, line and paragraph separators, the byte order mark and the last two of the first plane.
    package static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }

    /// Appends bytes as a JSON string; what is not UTF-8 becomes U+FFFD.
    static func append(_ bytes: [UInt8], to target: inout [UInt8]) {
        let isPlain = unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }
        }
        if isPlain {
            target.append(0x22)
            target.append(contentsOf: bytes)
            return target.append(0x22)
        }
        append(String(decoding: bytes, as: UTF8.self), to: &target)
    }

    static func append(_ number: Int, to target: inout [UInt8]) {
        guard (0..<10).contains(number) else { return target.append(contentsOf: String(number).utf8) }
        target.append(0x30 + UInt8(number))
    }

    static func append(_ text: String, to target: inout [UInt8]) {
        // Ids and their like: the answer to a batch holds thousands.
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) else {
            return target.append(contentsOf: quoted(text).utf8)
        }
        target.append(0x22)
        target.append(contentsOf: text.utf8)
        target.append(0x22)
    }
}
