/// An IPv4 or IPv6 address in 16 bytes. IPv4 is kept as v4-mapped IPv6 (RFC 4291, section 2.5.5.2), so that the client
/// a dual-stack listener calls `::ffff:192.0.2.1` is the one that `192.0.2.1` names.
package struct IPAddress: Hashable, Sendable {
    /// The 128 bits, most significant first.
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address from its 32 bits.
    package init(v4 bits: UInt32) {
        self.init(high: 0, low: 0xffff_0000_0000 | UInt64(bits))
    }

    /// Parses the text of an address: dotted decimal without leading zeros, or RFC 4291, section 2.2, without a zone.
    package init?(_ text: some StringProtocol) {
        self.init(ascii: text.utf8)
    }

    /// Parses the bytes of an address' text, as they stand in a header field.
    package init?(ascii: some Collection<UInt8>) {
        guard let parsed = AddressText(ascii)?.parse() else { return nil }
        self = parsed
    }

    package static let anyV4 = IPAddress(v4: 0)
    package static let anyV6 = IPAddress(high: 0, low: 0)
    package static let loopbackV4 = IPAddress(v4: 0x7f00_0001)
    package static let loopbackV6 = IPAddress(high: 0, low: 1)

    package var isV4: Bool { high == 0 && low >> 32 == 0xffff }
    package var isUnspecified: Bool { self == .anyV4 || self == .anyV6 }
    package var isLoopback: Bool { isV4 ? (low >> 24) & 0xff == 127 : self == .loopbackV6 }
}

extension IPAddress: CustomStringConvertible {
    /// Dotted decimal, or the canonical text of RFC 5952, without brackets.
    package var description: String {
        if isV4 { return v4Text }
        let zeros = longestZeros()
        var text = ""
        var index = 0
        while index < 8 {
            if index == zeros.lowerBound && !zeros.isEmpty {
                text += "::"
                index = zeros.upperBound
                continue
            }
            if !text.isEmpty && !text.hasSuffix(":") { text += ":" }
            text += String(group(index), radix: 16)
            index += 1
        }
        return text
    }

    /// Digit by digit: it is asked for with every request that is passed on.
    private var v4Text: String {
        unsafe String(unsafeUninitializedCapacity: 15) { text in
            var count = 0
            for shift: UInt64 in [24, 16, 8, 0] {
                let part = UInt8(truncatingIfNeeded: low >> shift)
                if part >= 100 { unsafe Self.add(0x30 + part / 100, to: text, &count) }
                if part >= 10 { unsafe Self.add(0x30 + part / 10 % 10, to: text, &count) }
                unsafe Self.add(0x30 + part % 10, to: text, &count)
                if shift > 0 { unsafe Self.add(0x2E, to: text, &count) }
            }
            return count
        }
    }

    private static func add(_ byte: UInt8, to text: UnsafeMutableBufferPointer<UInt8>, _ count: inout Int) {
        unsafe text[count] = byte
        count += 1
    }

    private func group(_ index: Int) -> UInt64 {
        let word = index < 4 ? high : low
        return (word >> UInt64(48 - 16 * (index & 3))) & 0xffff
    }

    /// The longest run of at least two zero groups; the first of equals.
    private func longestZeros() -> Range<Int> {
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, group(end) == 0 { end += 1 }
            if end - start >= 2 && end - start > best.count { best = start..<end }
            start = max(end, start + 1)
        }
        return best
    }
}

/// The text of an address, copied to a fixed place so that parsing needs neither a String nor an allocation.
private struct AddressText {
    private static let capacity = 45  // ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255
    // Not an InlineArray, here or below: the optimiser of Swift 6.3.1 loses what is stored in one here.
    private var bytes = SIMD64<UInt8>()
    private var count = 0

    init?(_ text: some Collection<UInt8>) {
        for byte in text {
            guard count < Self.capacity else { return nil }
            bytes[count] = byte
            count += 1
        }
    }

    func parse() -> IPAddress? {
        for index in 0..<count where bytes[index] == UInt8(ascii: ":") {
            return v6()
        }
        return v4(from: 0).map(IPAddress.init(v4:))
    }

    /// Four decimal numbers up to the end of the text.
    private func v4(from start: Int) -> UInt32? {
        var address: UInt32 = 0
        var parts = 0
        var index = start
        while true {
            var value: UInt32 = 0
            let first = index
            while index < count, let digit = decimal(bytes[index]) {
                // A leading zero means octal to some programs and nothing to others.
                if index > first && value == 0 || index - first == 3 { return nil }
                value = value * 10 + digit
                index += 1
            }
            guard index > first, value <= 255 else { return nil }
            address = address << 8 | value
            parts += 1
            if parts == 4 { return index == count ? address : nil }
            guard index < count, bytes[index] == UInt8(ascii: ".") else { return nil }
            index += 1
        }
    }

    private func v6() -> IPAddress? {
        var groups = SIMD8<UInt16>()
        var filled = 0
        var gap: Int?
        var index = 0
        if bytes[0] == UInt8(ascii: ":") {
            guard count >= 2, bytes[1] == UInt8(ascii: ":") else { return nil }
            gap = 0
            index = 2
        }
        while index < count {
            guard filled < 8 else { return nil }
            if isDotted(from: index) {
                guard filled <= 6, let tail = v4(from: index) else { return nil }
                groups[filled] = UInt16(truncatingIfNeeded: tail >> 16)
                groups[filled + 1] = UInt16(truncatingIfNeeded: tail)
                filled += 2
                break
            }
            let first = index
            var value: UInt16 = 0
            while index < count, index - first < 4, let digit = hexadecimal(bytes[index]) {
                value = value << 4 | digit
                index += 1
            }
            guard index > first else { return nil }
            groups[filled] = value
            filled += 1
            if index == count { break }
            guard bytes[index] == UInt8(ascii: ":"), index + 1 < count else { return nil }
            index += 1
            if bytes[index] == UInt8(ascii: ":") {
                guard gap == nil else { return nil }
                gap = filled
                index += 1
            }
        }
        return assemble(groups, filled: filled, gap: gap)
    }

    private func assemble(_ groups: SIMD8<UInt16>, filled: Int, gap: Int?) -> IPAddress? {
        guard gap == nil ? filled == 8 : filled < 8 else { return nil }
        let split = gap ?? 8
        let missing = 8 - filled
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            let group: UInt16 =
                index < split ? groups[index] : index < split + missing ? 0 : groups[index - missing]
            if index < 4 { words.0 = words.0 << 16 | UInt64(group) } else { words.1 = words.1 << 16 | UInt64(group) }
        }
        return IPAddress(high: words.0, low: words.1)
    }

    private func isDotted(from start: Int) -> Bool {
        for index in start..<count {
            if bytes[index] == UInt8(ascii: ".") { return true }
            if bytes[index] == UInt8(ascii: ":") { return false }
        }
        return false
    }

    private func decimal(_ byte: UInt8) -> UInt32? {
        byte >= 0x30 && byte <= 0x39 ? UInt32(byte &- 0x30) : nil
    }

    private func hexadecimal(_ byte: UInt8) -> UInt16? {
        switch byte {
        case 0x30...0x39: UInt16(byte &- 0x30)
        case 0x41...0x46: UInt16(byte &- 0x37)
        case 0x61...0x66: UInt16(byte &- 0x57)
        default: nil
        }
    }
}
