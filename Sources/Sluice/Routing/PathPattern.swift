/// A pattern for paths: literal segments, `{name}` for one whole segment that is not empty, and a last `/**` for any
/// number of further segments, none included (`/a/**` takes `/a`, `/a/` and `/a/b/c`, but not `/ab`).
///
/// Segments are compared decoded, so that `/%61dmin` cannot pass by a rule for `/admin`; an escaped slash never ends a
/// segment. A slash at the end counts: `/a` and `/a/` are two paths.
package struct PathPattern: Sendable, Hashable {
    /// Trivial on purpose: walking the parts of many routes then counts no references.
    enum Part: Sendable, Hashable {
        /// A range of `literals`.
        case literal(start: Int, end: Int)
        case parameter
    }

    /// The pattern as it was written.
    package let text: String
    /// The names of its parameters, in order.
    package let parameterNames: [String]
    let parts: [Part]
    /// The decoded bytes of all literal segments.
    let literals: [UInt8]
    let takesRest: Bool

    /// Reads a pattern.
    package init(_ text: String) throws(PatternError) {
        guard text.utf8.first == UInt8(ascii: "/") else { throw PatternError(text, "a path begins with \"/\"") }
        var segments = text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let takesRest = segments.last?.elementsEqual("**".utf8) ?? false
        if takesRest { segments.removeLast() }
        var parts: [Part] = []
        var names: [String] = []
        var literals: [UInt8] = []
        for segment in segments {
            if let name = try Self.parameter(String(segment) ?? "", in: text) {
                guard !names.contains(name) else { throw PatternError(text, "{\(name)} stands in it twice") }
                names.append(name)
                parts.append(.parameter)
            } else {
                let start = literals.count
                literals.append(contentsOf: try Self.literal(Array(segment), in: text))
                parts.append(.literal(start: start, end: literals.count))
            }
        }
        self.text = text
        self.parameterNames = names
        self.parts = parts
        self.literals = literals
        self.takesRest = takesRest
    }

    /// Whether a path fits.
    package func matches(_ path: RequestPath) -> Bool { walk(path) { _ in } }

    /// The parameters of a path that fits.
    package func match(_ path: RequestPath) -> PathParameters? {
        guard !parameterNames.isEmpty else { return matches(path) ? PathParameters() : nil }
        var values: [String] = []
        values.reserveCapacity(parameterNames.count)
        guard walk(path, { range in if let value = path.value(range) { values.append(value) } }) else { return nil }
        return PathParameters(names: parameterNames, values: values)
    }

    @inline(__always)
    private func walk(_ path: RequestPath, _ parameter: (Range<Int>) -> Void) -> Bool {
        var start = path.bytes.startIndex &+ 1
        var isAtEnd = false
        for part in parts {
            guard !isAtEnd else { return false }
            let end = path.segmentEnd(from: start)
            switch part {
            case .literal(let from, let to):
                guard path.segment(start..<end, equals: literals[from..<to]) else { return false }
            case .parameter:
                guard path.hasValue(start..<end) else { return false }
                parameter(start..<end)
            }
            isAtEnd = end == path.bytes.endIndex
            start = end &+ 1
        }
        return isAtEnd || takesRest
    }

    /// Where that begins in a path that fits which `/**` took; without `/**` the whole path.
    func restStart(in path: RequestPath) -> Int {
        guard takesRest else { return path.bytes.startIndex }
        var end = path.bytes.startIndex
        for _ in parts where end < path.bytes.endIndex { end = path.segmentEnd(from: end &+ 1) }
        return end
    }

    /// Whether it fits every path that `other` fits.
    package func covers(_ other: PathPattern) -> Bool {
        for (index, part) in parts.enumerated() {
            guard index < other.parts.count else { return false }
            switch (part, other.parts[index]) {
            case (.literal(let from, let to), .literal(let otherFrom, let otherTo)):
                guard literals[from..<to] == other.literals[otherFrom..<otherTo] else { return false }
            case (.literal, .parameter):
                return false
            case (.parameter, .literal(let from, let to)):
                guard from < to, String(validating: other.literals[from..<to], as: UTF8.self) != nil else {
                    return false
                }
            case (.parameter, .parameter):
                continue
            }
        }
        return takesRest || (other.parts.count == parts.count && !other.takesRest)
    }

    private static func parameter(_ segment: String, in text: String) throws(PatternError) -> String? {
        guard segment.utf8.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) else { return nil }
        guard segment.hasPrefix("{"), segment.hasSuffix("}") else {
            throw PatternError(text, "a parameter takes a whole segment, such as \"/{name}/\"")
        }
        let name = String(segment.dropFirst().dropLast())
        guard ParameterName.isValid(name) else {
            throw PatternError(text, "a parameter's name is letters, digits and \"_\", such as {symbol}")
        }
        return name
    }

    private static func literal(_ segment: [UInt8], in text: String) throws(PatternError) -> [UInt8] {
        for (index, byte) in segment.enumerated() {
            switch byte {
            case UInt8(ascii: "*"):
                throw PatternError(text, "\"**\" stands alone at the end (\"/**\"); for one segment write \"{name}\"")
            case UInt8(ascii: "?"), UInt8(ascii: "#"):
                throw PatternError(text, "a path has no query and no fragment; escaped they are %3F and %23")
            case 0x00...0x1F, 0x7F:
                throw PatternError(text, "a path has no control characters")
            case PercentEscape.sign where PercentEscape.byte(at: index, in: segment[...]) == nil:
                throw PatternError(text, "\"%\" needs two hexadecimal digits; by itself it is %25")
            default:
                continue
            }
        }
        let decoded = PercentEscape.decoded(segment[...])
        if decoded.contains(0) { throw PatternError(text, "no request's path holds a NUL") }
        if decoded.elementsEqual(".".utf8) || decoded.elementsEqual("..".utf8) {
            throw PatternError(text, "dot-segments are resolved before a path is matched, so this fits none")
        }
        return decoded
    }
}
