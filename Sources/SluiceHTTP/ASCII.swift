/// A set of bytes under 128, as two words of bits.
struct ByteSet {
    let low: UInt64
    let high: UInt64

    @inline(__always)
    init(_ low: UInt64, _ high: UInt64) {
        self.low = low
        self.high = high
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        guard byte < 128 else { return false }
        let word = byte < 64 ? low : high
        return (word &>> UInt64(byte & 63)) & 1 == 1
    }

    /// `tchar` (RFC 9110, 5.6.2): methods, field names, tokens.
    static var token: ByteSet { ByteSet(0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE) }
    /// What may stand in a target before its query: everything printable but `"`, `#`, `<`, `>`, `\` and `?`.
    /// Wider than RFC 3986, because browsers send `[`, `]`, `|`, `^` and braces as they are.
    static var path: ByteSet { ByteSet(0x2FFF_FFF2_0000_0000, 0x7FFF_FFFF_EFFF_FFFF) }
    /// What may stand in a query: everything printable but `"`, `#`, `<` and `>`.
    static var query: ByteSet { ByteSet(0xAFFF_FFF2_0000_0000, 0x7FFF_FFFF_FFFF_FFFF) }
    /// `unreserved` (RFC 3986, 2.3): what a host name consists of.
    static var hostName: ByteSet { ByteSet(0x03FF_6000_0000_0000, 0x47FF_FFFE_87FF_FFFE) }
    /// The inside of `[...]`.
    static var ipv6: ByteSet { ByteSet(0x07FF_4000_0000_0000, 0x0000_007E_0000_007E) }
}

/// Bytes by name, comparisons without case, and searches that look at eight bytes at a time.
package enum ASCII {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let comma: UInt8 = 0x2C
    static let slash: UInt8 = 0x2F
    static let colon: UInt8 = 0x3A
    static let semicolon: UInt8 = 0x3B
    static let equals: UInt8 = 0x3D
    static let question: UInt8 = 0x3F
    static let asterisk: UInt8 = 0x2A
    static let backslash: UInt8 = 0x5C

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    /// Whether a byte may stand in a field value: tab, printable, or over 127 (RFC 9110, 5.5).
    @inline(__always)
    static func isValue(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7F) || byte == tab }

    @inline(__always)
    package static func lowered(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The value of a hexadecimal digit.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        if isDigit(byte) { return byte &- 0x30 }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }

    /// The index of the first byte in `start..<end` that may not stand in a field value, or `end`. CR counts.
    static func valueEnd(in bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var index = start
        while index < end {
            if end &- index >= 8 {
                let word = unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                let delete = word ^ (ones &* 0x7F)
                // Marks bytes under 0x20, and 0x7F. The lowest mark is always true; those above it may not be.
                let marks = (((word &- ones &* 0x20) & ~word) | ((delete &- ones) & ~delete)) & highs
                if marks == 0 {
                    index &+= 8
                    continue
                }
                index &+= marks.trailingZeroBitCount / 8
            }
            guard unsafe isValue(bytes[index]) else { return index }
            index &+= 1
        }
        return end
    }

    /// Whether the bytes are these, case and all.
    static func equal(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        guard text.utf8CodeUnitCount == bytes.count else { return false }
        for index in 0..<bytes.count where unsafe bytes[index] != text.utf8Start[index] { return false }
        return true
    }

    /// Whether two runs of bytes are equal when letters count without case.
    static func equalIgnoringCase(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count where unsafe lowered(left[index]) != lowered(right[index]) { return false }
        return true
    }

    /// Whether the bytes are this text when letters count without case.
    static func equalIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        unsafe equalIgnoringCase(bytes, UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The same for a text of letters, digits and `-` alone, eight bytes at a time: of these only letters have bit 0x40.
    static func isName(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count == count else { return false }
        let name = unsafe UnsafeRawPointer(text.utf8Start)
        guard count >= 8 else { return unsafe equalIgnoringCase(bytes, text) }
        var index = 0
        while true {
            let expected = unsafe name.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let found = unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            guard (expected ^ found) & ~(expected >> 1 & 0x2020_2020_2020_2020) == 0 else { return false }
            guard index &+ 8 < count else { return true }
            // The last eight may overlap those before.
            index = min(index &+ 8, count &- 8)
        }
    }

    /// Whether the bytes are this text when letters count without case.
    static func equalIgnoringCase(_ bytes: some Collection<UInt8>, _ text: some Collection<UInt8>) -> Bool {
        bytes.count == text.count && zip(bytes, text).allSatisfy { lowered($0) == lowered($1) }
    }

    // Nothing generic is specialised for another module, hence these.

    /// Whether the bytes are this text when letters count without case.
    package static func equalIgnoringCase(_ bytes: ArraySlice<UInt8>, _ text: String) -> Bool {
        equalIgnoringCase(bytes, text.utf8)
    }

    /// Whether two runs of bytes are equal when letters count without case.
    package static func equalIgnoringCase(_ left: ArraySlice<UInt8>, _ right: [UInt8]) -> Bool {
        left.count == right.count && zip(left, right).allSatisfy { lowered($0) == lowered($1) }
    }

    /// The number that one or more digits spell; nil when there is anything else, nothing, or more than 64 bits hold.
    /// There is deliberately no sign, no white space and no separator.
    static func decimal(_ bytes: UnsafeRawBufferPointer) -> UInt64? {
        guard bytes.count > 0 else { return nil }
        var value: UInt64 = 0
        for index in 0..<bytes.count {
            let byte = unsafe bytes[index]
            guard isDigit(byte) else { return nil }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(byte &- 0x30))
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// The range within `range` that is left when spaces and tabs are taken off both ends.
    static func trimmed(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, unsafe isBlank(bytes[lower]) { lower &+= 1 }
        while upper > lower, unsafe isBlank(bytes[upper &- 1]) { upper &-= 1 }
        return lower..<upper
    }
}
