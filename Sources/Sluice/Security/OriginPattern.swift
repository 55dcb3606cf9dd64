internal import SluiceHTTP

/// An origin as a policy names it: exact, or `https://*.example.com` for all names below `example.com`, whose scheme and
/// port are exact.
enum OriginPattern {
    /// What stands before the domain.
    static let mark = "://*."

    /// Whether a pattern takes an origin. Scheme and host have no case; a browser writes them in lower case, an operator
    /// perhaps not.
    static func matches(_ pattern: String, _ origin: ArraySlice<UInt8>) -> Bool {
        guard let mark = pattern.firstRange(of: mark) else { return ASCII.equalIgnoringCase(origin, pattern) }
        let scheme = pattern[..<mark.lowerBound].utf8.count + 3
        // With the dot, so that `notexample.com` is none of it.
        let suffix = pattern[mark.upperBound...].utf8.count + 1
        let labels = origin.count - scheme - suffix
        guard labels > 0 else { return false }
        return ASCII.equalIgnoringCase(origin.prefix(scheme), "\(pattern[..<mark.lowerBound])://")
            && ASCII.equalIgnoringCase(origin.suffix(suffix), ".\(pattern[mark.upperBound...])")
            && areLabels(origin.dropFirst(scheme).prefix(labels))
    }

    /// One label or more, none of them empty.
    private static func areLabels(_ text: ArraySlice<UInt8>) -> Bool {
        text.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { label in
            !label.isEmpty
                && label.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
        }
    }
}
