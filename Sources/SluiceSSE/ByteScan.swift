/// Searches that look at eight bytes at a time. They exist because this target uses the standard library only, which
/// has no `memchr`, and because a byte-wise loop over a big payload costs more than everything else in encoding it.
package enum ByteScan {
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let colon: UInt8 = 0x3A
    static let space: UInt8 = 0x20

    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// Marks the zero bytes of a word. A mark above the lowest one may be false, the lowest is always true.
    @inline(__always)
    private static func zeroBytes(_ word: UInt64) -> UInt64 { (word &- ones) & ~word & highBits }

    /// The index of the first CR or LF at or after `start`, or `bytes.count`.
    package static func lineEnd(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let count = bytes.count
        var index = start
        while count &- index >= 8 {
            let word = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let found =
                zeroBytes(word ^ (ones &* UInt64(lineFeed))) | zeroBytes(word ^ (ones &* UInt64(carriageReturn)))
            if found != 0 { return index &+ found.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < count {
            let byte = unsafe bytes[index]
            if byte == lineFeed || byte == carriageReturn { return index }
            index &+= 1
        }
        return count
    }

    /// The index of the first byte over 127 at or after `start`, or `bytes.count`.
    static func firstNonASCII(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        let count = bytes.count
        var index = start
        while count &- index >= 8 {
            let word = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            let found = word & highBits
            if found != 0 { return index &+ found.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < count {
            if unsafe bytes[index] >= 0x80 { return index }
            index &+= 1
        }
        return count
    }

    /// Whether the bytes are well-formed UTF-8.
    static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool { unsafe endOfUTF8(bytes) == bytes.count }

    /// The index of the first byte that is no part of well-formed UTF-8 (Unicode, table 3-7: no overlong form, no
    /// surrogate, nothing over U+10FFFF), or `bytes.count`.
    static func endOfUTF8(_ bytes: UnsafeRawBufferPointer) -> Int {
        let count = bytes.count
        var index = unsafe firstNonASCII(in: bytes, from: 0)
        while index < count {
            guard let sequence = unsafe Sequence(lead: bytes[index]), count &- index > sequence.continuations else {
                return index
            }
            guard unsafe sequence.second.contains(bytes[index &+ 1]) else { return index }
            var offset = 2
            while offset <= sequence.continuations {
                guard unsafe bytes[index &+ offset] & 0xC0 == 0x80 else { return index }
                offset &+= 1
            }
            index &+= sequence.continuations &+ 1
            if index < count, unsafe bytes[index] < 0x80 { index = unsafe firstNonASCII(in: bytes, from: index) }
        }
        return count
    }

    /// What may follow a first byte over 127.
    private struct Sequence {
        let continuations: Int
        let second: ClosedRange<UInt8>

        init?(lead: UInt8) {
            switch lead {
            case 0xC2...0xDF: (continuations, second) = (1, 0x80...0xBF)
            case 0xE0: (continuations, second) = (2, 0xA0...0xBF)
            case 0xED: (continuations, second) = (2, 0x80...0x9F)
            case 0xE1...0xEF: (continuations, second) = (2, 0x80...0xBF)
            case 0xF0: (continuations, second) = (3, 0x90...0xBF)
            case 0xF1...0xF3: (continuations, second) = (3, 0x80...0xBF)
            case 0xF4: (continuations, second) = (3, 0x80...0x8F)
            default: return nil
            }
        }
    }
}
