internal import SluiceIO

/// The validator of a file (RFC 9110, section 8.8.3). It is strong: other content is another time, size or file.
struct EntityTag: Sendable, Hashable {
    /// With its quotes.
    let text: String

    /// From the time of the last change, in nanoseconds, the size and the file's number.
    init(_ facts: FileFacts) {
        let hex = { (number: UInt64) in String(number, radix: 16) }
        let seconds = UInt64(bitPattern: facts.modifiedSeconds)
        let time = seconds &* 1_000_000_000 &+ UInt64(facts.modifiedNanoseconds)
        text = "\"\(hex(time))-\(hex(facts.size))-\(hex(facts.inode))\""
    }

    /// Whether a field of If-Match or If-None-Match names it: `*`, or a list of tags. What cannot be read names nothing.
    /// - Parameter isWeak: whether weak tags count too (RFC 9110, section 8.8.3.2).
    func isNamed(by values: [ArraySlice<UInt8>], isWeak: Bool) -> Bool {
        values.contains { value in
            if value.elementsEqual("*".utf8) { return true }
            var rest = value
            while let (tag, tagIsWeak) = Self.next(&rest) {
                if isWeak || !tagIsWeak, tag.elementsEqual(text.utf8) { return true }
            }
            return false
        }
    }

    /// Whether If-Range names it: one tag, and a strong one.
    func isExactly(_ value: ArraySlice<UInt8>) -> Bool { value.elementsEqual(text.utf8) }

    /// Takes the next tag of a list, with its quotes; `nil` at the end, and where something else stands.
    private static func next(_ rest: inout ArraySlice<UInt8>) -> (tag: ArraySlice<UInt8>, isWeak: Bool)? {
        rest = rest.drop { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        var isWeak = false
        if rest.starts(with: "W/".utf8) {
            isWeak = true
            rest = rest.dropFirst(2)
        }
        let quote = UInt8(ascii: "\"")
        // A comma may stand within the quotes.
        guard rest.first == quote, let end = rest.dropFirst().firstIndex(of: quote) else { return nil }
        let tag = rest[...end]
        rest = rest[(end + 1)...]
        return (tag, isWeak)
    }
}
