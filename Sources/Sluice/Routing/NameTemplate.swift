/// The name of a topic, or a template for such names: `feed.{symbol}`, `room-{id}.chat`.
///
/// A name is segments separated by dots. Each segment of a template holds at most one parameter, perhaps between
/// literal text, and the parameter stands for one or more characters that are neither dots nor control characters.
/// So a name fits a template in one way at most, and two templates can be compared exactly.
package struct NameTemplate: Sendable, Hashable {
    struct Segment: Sendable, Hashable {
        /// The text before the parameter; all of it when there is none.
        let prefix: String
        let hasParameter: Bool
        let suffix: String
    }

    /// The template as it was written.
    package let text: String
    /// The names of its parameters, in order.
    package let parameterNames: [String]
    let segments: [Segment]

    private static let dot = UInt8(ascii: ".")

    /// Reads a template. One without parameters is a name.
    package init(_ text: String) throws(PatternError) {
        guard !text.isEmpty else { throw PatternError(text, "a name is not empty") }
        guard !Self.hasControl(text) else { throw PatternError(text, "a name has no control characters") }
        var segments: [Segment] = []
        var names: [String] = []
        for part in text.utf8.split(separator: Self.dot, omittingEmptySubsequences: false) {
            let (segment, name) = try Self.segment(Array(part), in: text)
            segments.append(segment)
            guard let name else { continue }
            guard !names.contains(name) else { throw PatternError(text, "{\(name)} stands in it twice") }
            names.append(name)
        }
        self.text = text
        self.parameterNames = names
        self.segments = segments
    }

    /// Whether it has no parameters: it is a name.
    package var isLiteral: Bool { parameterNames.isEmpty }

    /// The name that these values make. `nil` when one is missing, empty, or holds a control character, or a dot: with
    /// it a client could reach a topic that the template does not stand for. Only a template that is one parameter and
    /// nothing else (`{topic}`) takes dots, since it stands for every name.
    package func fill(_ parameters: PathParameters) -> String? {
        if isLiteral { return text }
        let takesDots = segments.count == 1 && segments[0].prefix.isEmpty && segments[0].suffix.isEmpty
        var name = ""
        var used = 0
        for (index, segment) in segments.enumerated() {
            if index > 0 { name += "." }
            name += segment.prefix
            guard segment.hasParameter else { continue }
            guard let value = parameters[parameterNames[used]], !value.isEmpty, !Self.hasControl(value),
                takesDots || !value.utf8.contains(Self.dot)
            else { return nil }
            used += 1
            name += value
            name += segment.suffix
        }
        return name
    }

    /// The values that make this name; `nil` when it does not fit.
    package func match(_ name: String) -> PathParameters? {
        if isLiteral { return name == text ? PathParameters() : nil }
        guard !Self.hasControl(name) else { return nil }
        let bytes = Array(name.utf8)
        var values: [String] = []
        var start = 0
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            let end = bytes[start...].firstIndex(of: Self.dot) ?? bytes.count
            guard isLast == (end == bytes.count) else { return nil }
            guard let value = Self.value(bytes[start..<end], in: segment) else { return nil }
            if segment.hasParameter { values.append(String(decoding: value, as: UTF8.self)) }
            start = isLast ? end : end + 1
        }
        return PathParameters(names: parameterNames, values: values)
    }

    /// Whether some name fits both.
    package func canOverlap(_ other: NameTemplate) -> Bool {
        guard segments.count == other.segments.count else { return false }
        return zip(segments, other.segments).allSatisfy(Self.canOverlap)
    }

    private static func canOverlap(_ one: Segment, _ other: Segment) -> Bool {
        switch (one.hasParameter, other.hasParameter) {
        case (false, false): one.prefix.utf8.elementsEqual(other.prefix.utf8)
        case (true, false): value(Array(other.prefix.utf8)[...], in: one) != nil
        case (false, true): value(Array(one.prefix.utf8)[...], in: other) != nil
        // The longer prefix, something, and the longer suffix fit both.
        case (true, true):
            zip(one.prefix.utf8, other.prefix.utf8).allSatisfy(==)
                && zip(one.suffix.utf8.reversed(), other.suffix.utf8.reversed()).allSatisfy(==)
        }
    }

    /// What the parameter of a segment stands for in this text (empty without one); `nil` when it does not fit.
    static func value(_ text: ArraySlice<UInt8>, in segment: Segment) -> ArraySlice<UInt8>? {
        let prefix = segment.prefix.utf8
        let suffix = segment.suffix.utf8
        guard segment.hasParameter else { return text.elementsEqual(prefix) ? [] : nil }
        guard text.count > prefix.count + suffix.count, text.starts(with: prefix),
            text.suffix(suffix.count).elementsEqual(suffix)
        else { return nil }
        return text.dropFirst(prefix.count).dropLast(suffix.count)
    }

    private static func segment(_ part: [UInt8], in text: String) throws(PatternError) -> (Segment, name: String?) {
        let open = part.firstIndex(of: UInt8(ascii: "{"))
        let close = part.firstIndex(of: UInt8(ascii: "}"))
        func string(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
        if open == nil && close == nil {
            return (Segment(prefix: string(part[...]), hasParameter: false, suffix: ""), nil)
        }
        guard let open, let close, open < close else {
            throw PatternError(text, "a parameter is a name in braces, such as {symbol}")
        }
        let name = string(part[(open + 1)..<close])
        guard ParameterName.isValid(name) else {
            throw PatternError(text, "a parameter's name is letters, digits and \"_\", such as {symbol}")
        }
        let suffix = part[(close + 1)...]
        guard !suffix.contains(UInt8(ascii: "{")), !suffix.contains(UInt8(ascii: "}")) else {
            throw PatternError(text, "between two dots stands one parameter at most")
        }
        return (Segment(prefix: string(part[..<open]), hasParameter: true, suffix: string(suffix)), name)
    }

    /// C0, DEL and C1: they would end a field of a stream or upset a terminal.
    static func hasControl(_ text: String) -> Bool {
        // C1 begins with C2 in UTF-8.
        guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F || $0 == 0xC2 }) else { return false }
        return text.unicodeScalars.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }
    }
}
