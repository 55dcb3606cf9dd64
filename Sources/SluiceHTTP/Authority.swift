/// The authority of a request: host name or address, and port (RFC 9110, 7.2; RFC 3986, 3.2.2).
///
/// Narrower than the RFC on purpose. Names are of letters, digits, `-`, `.`, `_` and `~`: percent-escapes and
/// sub-delims (the comma of two joined Host fields among them) name no host on the web, but do confuse the next hop.
struct Authority {
    /// Where the name or the bracketed address stands.
    let name: Range<Int>
    /// Where the port's digits stand; nil when there is no colon.
    let port: Range<Int>?

    /// The parts of an authority, or nil when it is not a valid one.
    init?(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) {
        guard range.lowerBound < range.upperBound, range.count <= 300 else { return nil }
        var end = range.lowerBound
        if unsafe bytes[end] == UInt8(ascii: "[") {
            guard let close = unsafe Authority.endOfAddress(bytes, range) else { return nil }
            end = close
        } else {
            while end < range.upperBound, unsafe ByteSet.hostName.contains(bytes[end]) { end &+= 1 }
            guard unsafe Authority.isName(bytes, range.lowerBound..<end) else { return nil }
        }
        name = range.lowerBound..<end
        if end == range.upperBound {
            port = nil
            return
        }
        guard unsafe bytes[end] == ASCII.colon else { return nil }
        let digits = (end &+ 1)..<range.upperBound
        if !digits.isEmpty {
            guard let number = unsafe ASCII.decimal(UnsafeRawBufferPointer(rebasing: bytes[digits])), number <= 65535
            else { return nil }
        }
        port = digits
    }

    /// Whether a name has no empty label, except that it may end with one dot.
    private static func isName(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        guard !range.isEmpty, range.count <= 255 else { return false }
        var previous = UInt8(ascii: ".")
        for index in range {
            let byte = unsafe bytes[index]
            if byte == UInt8(ascii: "."), previous == byte { return false }
            previous = byte
        }
        return true
    }

    /// The index after the `]` of an IPv6 literal: hexadecimal groups of at most four digits, at most eight groups,
    /// at most one `::`, perhaps a dotted tail. No zone: it means nothing to anybody but the sender.
    private static func endOfAddress(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        var index = range.lowerBound &+ 1
        let start = index
        while index < range.upperBound, unsafe ByteSet.ipv6.contains(bytes[index]) { index &+= 1 }
        guard index < range.upperBound, unsafe bytes[index] == UInt8(ascii: "]"), index &- start >= 2 else {
            return nil
        }
        return unsafe isAddress(bytes, start..<index) ? index &+ 1 : nil
    }

    private static func isAddress(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        var groups = 0
        var isShortened = false
        var index = range.lowerBound
        var needsGroup = true
        if unsafe bytes[index] == ASCII.colon {
            guard unsafe bytes[index &+ 1] == ASCII.colon else { return false }
        }
        while index < range.upperBound {
            if unsafe bytes[index] == ASCII.colon {
                let isDouble = unsafe index &+ 1 < range.upperBound && bytes[index &+ 1] == ASCII.colon
                if isDouble {
                    guard !isShortened else { return false }
                    isShortened = true
                    index &+= 2
                    needsGroup = false
                } else {
                    guard groups > 0, !needsGroup else { return false }
                    index &+= 1
                    needsGroup = true
                }
                if index < range.upperBound, unsafe bytes[index] == ASCII.colon { return false }
                continue
            }
            let start = index
            while index < range.upperBound, unsafe bytes[index] != ASCII.colon { index &+= 1 }
            if unsafe bytes[start..<index].contains(UInt8(ascii: ".")) {
                guard index == range.upperBound, unsafe isDotted(bytes, start..<index) else { return false }
                groups &+= 2
            } else {
                guard index &- start <= 4 else { return false }
                groups &+= 1
            }
            needsGroup = false
        }
        return !needsGroup && (isShortened ? groups <= 7 : groups == 8)
    }

    private static func isDotted(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        let parts = unsafe bytes[range].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return unsafe parts.count == 4
            && parts.allSatisfy { part in
                guard unsafe part.count <= 3, let value = unsafe ASCII.decimal(UnsafeRawBufferPointer(rebasing: part))
                else {
                    return false
                }
                return value <= 255
            }
    }
}
