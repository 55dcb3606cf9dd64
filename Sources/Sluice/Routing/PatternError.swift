/// What is wrong with a pattern that an operator wrote.
package struct PatternError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The pattern as it was written.
    package let pattern: String
    /// What is wrong with it, and what would be right.
    package let reason: String

    init(_ pattern: String, _ reason: String) {
        self.pattern = pattern
        self.reason = reason
    }

    /// Pattern and reason in one line.
    package var description: String { "\"\(pattern)\": \(reason)" }
}

/// The names of parameters, in paths and in topics.
enum ParameterName {
    /// Whether a name is letters, digits and `_`, not beginning with a digit.
    static func isValid(_ name: some StringProtocol) -> Bool {
        guard let first = name.utf8.first, !isDigit(first) else { return false }
        return name.utf8.allSatisfy { isDigit($0) || isLetter($0) || $0 == UInt8(ascii: "_") }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
    private static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7A }
}
