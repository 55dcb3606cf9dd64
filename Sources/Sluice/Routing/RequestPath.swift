/// A request's path, ready to be matched and passed on: escapes are well-formed, dot-segments are resolved (RFC 3986,
/// section 5.2.4; `%2e` is a dot in any case), `%2f` stays what it is, and so does `//` where it is not merged.
///
/// Refused are a path that climbs above the root, a broken escape and a NUL: no two programs agree on what they mean,
/// and such a difference between a gateway and the server behind it is how rules are passed by.
package struct RequestPath: Sendable {
    /// The path, beginning with `/`, with its escapes. A part of the head's own bytes unless something was resolved.
    package let bytes: ArraySlice<UInt8>
    let hasEscapes: Bool
    /// Nothing was resolved and nothing merged: these are the bytes that came.
    package let isAsWritten: Bool
    /// It has a `;` or a backslash.
    private let hasOtherMarks: Bool

    /// Why a path is not taken; the answer is 400.
    package enum Fault: Error, Sendable, Hashable {
        /// It does not begin with `/`.
        case relative
        /// A `%` without two hexadecimal digits.
        case brokenEscape
        /// A NUL, escaped or not.
        case nul
        /// `..` above the root.
        case aboveRoot
    }

    private static let slash = UInt8(ascii: "/")
    private static let dot = UInt8(ascii: ".")

    /// Takes the raw path of a request's target, without its query. That of a CONNECT is empty, and refused.
    /// - Parameter mergesSlashes: several slashes in a row count as one.
    package init(_ raw: ArraySlice<UInt8>, mergesSlashes: Bool = false) throws(Fault) {
        guard raw.first == Self.slash else { throw .relative }
        var hasEscapes = false
        var hasDots = false
        var hasRuns = false
        var hasOtherMarks = false
        var index = raw.startIndex
        var isSegmentStart = false
        while index < raw.endIndex {
            var byte = raw[index]
            var width = 1
            if byte == PercentEscape.sign {
                guard let escaped = PercentEscape.byte(at: index, in: raw) else { throw .brokenEscape }
                byte = escaped
                width = 3
                hasEscapes = true
            }
            if byte == 0 { throw .nul }
            let isSlash = width == 1 && byte == Self.slash
            if isSegmentStart && byte == Self.dot { hasDots = true }
            if isSegmentStart && isSlash { hasRuns = true }
            if byte == UInt8(ascii: ";") || byte == UInt8(ascii: "\\") { hasOtherMarks = true }
            isSegmentStart = isSlash
            index &+= width
        }
        self.hasEscapes = hasEscapes
        self.hasOtherMarks = hasOtherMarks
        let resolved = hasDots ? try Self.resolved(raw) : raw
        isAsWritten = !hasDots && !(mergesSlashes && hasRuns)
        bytes = mergesSlashes && !isAsWritten ? Self.merged(resolved) : resolved
    }

    /// Whether another reader could find dot-segments in it, although they are resolved here: one that takes an escaped
    /// slash or a backslash for a separator, or cuts `;parameters` off a segment before it looks at it. Behind a gateway
    /// such a reader would serve another path than the one whose rules were looked at.
    package var hidesDotSegments: Bool {
        guard hasEscapes || hasOtherMarks else { return false }
        // How many dots the part at hand has, if it has nothing else.
        var dots: Int? = 0
        var index = bytes.startIndex
        while index < bytes.endIndex {
            var byte = bytes[index]
            if byte == PercentEscape.sign, let escaped = PercentEscape.byte(at: index, in: bytes) {
                byte = escaped
                index &+= 2
            }
            index &+= 1
            switch byte {
            case Self.dot: dots = dots.map { $0 &+ 1 }
            case Self.slash, UInt8(ascii: "\\"), UInt8(ascii: ";"):
                if dots == 1 || dots == 2 { return true }
                dots = byte == UInt8(ascii: ";") ? nil : 0
            default: dots = nil
            }
        }
        return dots == 1 || dots == 2
    }

    /// The end of the segment that begins at `start`: the next slash or the end of the path.
    @inline(__always)
    func segmentEnd(from start: Int) -> Int {
        var index = start
        while index < bytes.endIndex, bytes[index] != Self.slash { index &+= 1 }
        return index
    }

    /// Whether a segment, its escapes decoded, is these bytes.
    func segment(_ range: Range<Int>, equals literal: ArraySlice<UInt8>) -> Bool {
        guard hasEscapes else { return bytes[range].elementsEqual(literal) }
        let segment = bytes[range]
        var index = range.lowerBound
        for expected in literal {
            guard index < range.upperBound else { return false }
            if segment[index] == PercentEscape.sign {
                guard PercentEscape.byte(at: index, in: segment) == expected else { return false }
                index &+= 3
            } else {
                guard segment[index] == expected else { return false }
                index &+= 1
            }
        }
        return index == range.upperBound
    }

    /// The decoded text of a segment; `nil` when it is empty or not UTF-8.
    func value(_ range: Range<Int>) -> String? {
        guard !range.isEmpty else { return nil }
        let segment = bytes[range]
        return hasEscapes
            ? String(validating: PercentEscape.decoded(segment), as: UTF8.self)
            : String(validating: segment, as: UTF8.self)
    }

    /// Whether a segment has a value: it makes the text only where plain ASCII does not answer already.
    func hasValue(_ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return false }
        for byte in bytes[range] where byte >= 0x80 || byte == PercentEscape.sign { return value(range) != nil }
        return true
    }

    private static func merged(_ path: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var output: [UInt8] = []
        output.reserveCapacity(path.count)
        for byte in path where byte != slash || output.last != slash { output.append(byte) }
        return output[...]
    }

    private static func resolved(_ raw: ArraySlice<UInt8>) throws(Fault) -> ArraySlice<UInt8> {
        var output: [UInt8] = []
        output.reserveCapacity(raw.count)
        var start = raw.startIndex &+ 1
        while true {
            let end = raw[start...].firstIndex(of: slash) ?? raw.endIndex
            let dots = dotCount(raw[start..<end])
            if dots == 2 {
                guard let parent = output.lastIndex(of: slash) else { throw .aboveRoot }
                output.removeSubrange(parent...)
            }
            if dots == nil {
                output.append(slash)
                output.append(contentsOf: raw[start..<end])
            } else if end == raw.endIndex {
                // What is left names a folder.
                output.append(slash)
            }
            guard end < raw.endIndex else { return output[...] }
            start = end &+ 1
        }
    }

    /// 1 or 2 when the segment is `.` or `..` in any spelling, else `nil`.
    private static func dotCount(_ segment: ArraySlice<UInt8>) -> Int? {
        guard (1...6).contains(segment.count) else { return nil }
        var count = 0
        var index = segment.startIndex
        while index < segment.endIndex {
            if segment[index] == dot {
                index &+= 1
            } else if segment[index] == PercentEscape.sign, PercentEscape.byte(at: index, in: segment) == dot {
                index &+= 3
            } else {
                return nil
            }
            count &+= 1
        }
        return count <= 2 ? count : nil
    }
}
