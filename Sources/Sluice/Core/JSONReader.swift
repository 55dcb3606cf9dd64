/// What is wrong with a JSON text, and where.
struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Bytes before the place.
    let offset: Int
    let reason: String

    var description: String { "\(reason), at byte \(offset)" }
}

/// Reads a JSON text (RFC 8259) from front to back, value by value as its caller asks for them, strictly: no comments,
/// no last commas, no byte order mark, no lone surrogates, and only UTF-8.
///
/// A peer wrote the text. Nesting is bounded and nothing recurses; numbers are never more than text, unless a whole one
/// is asked for. Equal names in an object are the caller's to judge, as is the kind of a value.
struct JSONReader {
    enum Kind: Sendable, Hashable { case object, array, string, number, boolean, null }

    /// An object or array that was entered and not yet left.
    private struct Level {
        let isObject: Bool
        var isFirst = true
    }

    /// How deep objects and arrays may lie in each other.
    static let deepest = 64

    private let bytes: [UInt8]
    /// Bytes that were read.
    private(set) var offset = 0
    private var levels: [Level] = []

    /// Begins to read a text, of which nothing is looked at yet but that it is UTF-8.
    init(_ bytes: [UInt8]) throws(JSONError) {
        if let offset = UTF8Check.firstInvalid(in: bytes) {
            throw JSONError(offset: offset, reason: "this is not UTF-8")
        }
        self.bytes = bytes
    }

    /// The text of a value that was skipped, as it came.
    func text(_ range: Range<Int>) -> [UInt8] { Array(bytes[range]) }

    // MARK: Values

    /// The kind of the value that comes next, which is not read.
    mutating func kind() throws(JSONError) -> Kind {
        skipBlanks()
        guard let next else { throw failure("expected a value") }
        switch next {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number
        default: throw failure("expected a value")
        }
    }

    /// Reads a string; its escapes are decoded.
    mutating func string() throws(JSONError) -> [UInt8] {
        skipBlanks()
        let (range, hasEscapes) = try scanString("expected a string")
        return hasEscapes ? decoded(range) : Array(bytes[range])
    }

    /// Reads any value.
    /// - Returns: where its text stands.
    mutating func skip() throws(JSONError) -> Range<Int> {
        skipBlanks()
        let start = offset
        let outside = levels.count
        try scalarOrEnter()
        while levels.count > outside, let level = levels.last {
            if level.isObject {
                guard try nextItem() else { continue }
                _ = try scanString("expected a name in quotes")
                try colon()
            } else {
                guard try nextItem() else { continue }
            }
            try scalarOrEnter()
        }
        return start..<offset
    }

    /// Reads a whole number that is not negative, written in digits alone.
    /// - Returns: `nil` when it is another number, or is over 64 bits.
    mutating func wholeNumber() throws(JSONError) -> UInt64? {
        var number: UInt64 = 0
        for byte in bytes[try skip()] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (product, isOver) = number.multipliedReportingOverflow(by: 10)
            let (sum, isSumOver) = product.addingReportingOverflow(UInt64(byte &- UInt8(ascii: "0")))
            guard !isOver, !isSumOver else { return nil }
            number = sum
        }
        return number
    }

    /// Enters the object or array that comes next.
    mutating func enter() throws(JSONError) {
        skipBlanks()
        guard next == UInt8(ascii: "{") || next == UInt8(ascii: "[") else { throw failure("expected { or [") }
        try scalarOrEnter()
    }

    /// The name of the entered object's next member, whose value is then to be read; `nil` when the object ended.
    mutating func nextName() throws(JSONError) -> [UInt8]? {
        guard try nextItem() else { return nil }
        let (range, hasEscapes) = try scanString("expected a name in quotes")
        try colon()
        return hasEscapes ? decoded(range) : Array(bytes[range])
    }

    /// Whether the entered array has a next element, which is then to be read.
    mutating func nextElement() throws(JSONError) -> Bool { try nextItem() }

    /// The text has to end here.
    mutating func end() throws(JSONError) {
        skipBlanks()
        guard offset == bytes.count else { throw failure("expected the end of the text") }
    }

    // MARK: Structure

    private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

    private func failure(_ reason: String) -> JSONError {
        JSONError(offset: offset, reason: offset < bytes.count ? reason : "the text ends too early: " + reason)
    }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset &+= 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        offset &+= 1
        return true
    }

    private mutating func colon() throws(JSONError) {
        skipBlanks()
        guard take(UInt8(ascii: ":")) else { throw failure("expected : behind a name") }
        skipBlanks()
    }

    /// Goes to the next member or element of the innermost level, or leaves that level at its end.
    private mutating func nextItem() throws(JSONError) -> Bool {
        guard let level = levels.last else { return false }
        skipBlanks()
        if take(level.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            levels.removeLast()
            return false
        }
        if !level.isFirst {
            guard take(UInt8(ascii: ",")) else { throw failure(level.isObject ? "expected , or }" : "expected , or ]") }
            skipBlanks()
        }
        levels[levels.count &- 1].isFirst = false
        return true
    }

    private mutating func scalarOrEnter() throws(JSONError) {
        switch try kind() {
        case .object, .array:
            guard levels.count < Self.deepest else { throw failure("values lie deeper than \(Self.deepest) levels") }
            levels.append(Level(isObject: next == UInt8(ascii: "{")))
            offset &+= 1
        case .string: _ = try scanString("expected a string")
        case .number: try scanNumber()
        case .boolean: try scanWord(next == UInt8(ascii: "t") ? "true" : "false")
        case .null: try scanWord("null")
        }
    }

    private mutating func scanWord(_ word: String) throws(JSONError) {
        guard bytes[offset...].starts(with: word.utf8) else { throw failure("expected a value") }
        offset &+= word.utf8.count
    }

    private mutating func scanNumber() throws(JSONError) {
        _ = take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try scanDigits() }
        if take(UInt8(ascii: ".")) { try scanDigits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try scanDigits()
        }
    }

    private mutating func scanDigits() throws(JSONError) {
        let start = offset
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset &+= 1 }
        guard offset > start else { throw failure("expected a digit") }
    }
}

// Strings.
extension JSONReader {
    /// Reads a string and sees that it is well formed.
    /// - Returns: where the text between its quotes stands, and whether there are escapes in it.
    private mutating func scanString(_ expected: String) throws(JSONError) -> (Range<Int>, hasEscapes: Bool) {
        guard take(UInt8(ascii: "\"")) else { throw failure(expected) }
        let start = offset
        var hasEscapes = false
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                offset &+= 1
                return (start..<(offset &- 1), hasEscapes)
            case UInt8(ascii: "\\"):
                hasEscapes = true
                guard let escape = Escape(bytes, at: offset) else {
                    throw failure("this is no escape, or half of a surrogate pair")
                }
                offset &+= escape.length
            case 0..<0x20: throw failure("a control character in a string has to be escaped")
            default: offset &+= 1
            }
        }
        throw failure("expected \" at the end of a string")
    }

    private func decoded(_ range: Range<Int>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            guard bytes[index] == UInt8(ascii: "\\"), let escape = Escape(bytes, at: index) else {
                text.append(bytes[index])
                index &+= 1
                continue
            }
            text.append(contentsOf: String(escape.scalar).utf8)
            index &+= escape.length
        }
        return text
    }

    /// An escape: a backslash and a letter, or `\u` and four digits, or two of these that are a surrogate pair.
    private struct Escape {
        let scalar: Unicode.Scalar
        let length: Int

        init?(_ bytes: [UInt8], at index: Int) {
            guard bytes.count &- index >= 2 else { return nil }
            let plain: Unicode.Scalar
            switch bytes[index &+ 1] {
            case UInt8(ascii: "\""): plain = "\""
            case UInt8(ascii: "\\"): plain = "\\"
            case UInt8(ascii: "/"): plain = "/"
            case UInt8(ascii: "b"): plain = "\u{8}"
            case UInt8(ascii: "f"): plain = "\u{C}"
            case UInt8(ascii: "n"): plain = "\n"
            case UInt8(ascii: "r"): plain = "\r"
            case UInt8(ascii: "t"): plain = "\t"
            default:
                guard let unit = Self.unit(bytes, at: index) else { return nil }
                // Half of a pair is no scalar by itself, so that a lone one fails here.
                if let scalar = Unicode.Scalar(unit) {
                    (self.scalar, length) = (scalar, 6)
                    return
                }
                guard UTF16.isLeadSurrogate(UInt16(unit)), let low = Self.unit(bytes, at: index &+ 6),
                    UTF16.isTrailSurrogate(UInt16(low)),
                    let scalar = Unicode.Scalar(0x1_0000 &+ (unit &- 0xD800) << 10 &+ (low &- 0xDC00))
                else { return nil }
                (self.scalar, length) = (scalar, 12)
                return
            }
            (scalar, length) = (plain, 2)
        }

        /// The four digits behind `\u`.
        private static func unit(_ bytes: [UInt8], at index: Int) -> UInt32? {
            guard bytes.count &- index >= 6, bytes[index] == UInt8(ascii: "\\"), bytes[index &+ 1] == UInt8(ascii: "u")
            else { return nil }
            var unit: UInt32 = 0
            for byte in bytes[(index &+ 2)..<(index &+ 6)] {
                switch byte {
                case 0x30...0x39: unit = unit << 4 | UInt32(byte &- 0x30)
                case 0x41...0x46: unit = unit << 4 | UInt32(byte &- 0x37)
                case 0x61...0x66: unit = unit << 4 | UInt32(byte &- 0x57)
                default: return nil
                }
            }
            return unit
        }
    }
}
