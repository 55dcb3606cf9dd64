/// Which topics a client may choose: a name, or the beginning of names and a last `*`: `market`, `feed.*`, `*`.
///
/// A name is segments separated by dots. A last segment `*` stands for the rest: one or more characters, dots among
/// them. So `feed.*` takes `feed.a` and `feed.a.b`, but neither `feed` nor `feeds.a`. A `*` anywhere else is an error,
/// since it would look as if it meant something.
package struct TopicPattern: Sendable, Hashable {
    /// The pattern as it was written.
    package let text: String
    /// What names begin with, its last dot included; all of the name without a `*`.
    private let prefix: [UInt8]
    /// Whether something follows the prefix.
    private let hasRest: Bool

    /// Reads a pattern.
    package init(_ text: String) throws(PatternError) {
        guard !text.isEmpty else { throw PatternError(text, "a name is not empty") }
        guard !NameTemplate.hasControl(text) else { throw PatternError(text, "a name has no control characters") }
        guard !text.utf8.contains(where: { $0 == UInt8(ascii: "{") || $0 == UInt8(ascii: "}") }) else {
            throw PatternError(text, "a pattern has no {parameters}; \"*\" as the last segment stands for the rest")
        }
        let star = UInt8(ascii: "*")
        let hasRest = text == "*" || text.hasSuffix(".*")
        let prefix = Array(hasRest ? text.utf8.dropLast() : text.utf8[...])
        guard !prefix.contains(star) else {
            throw PatternError(text, "\"*\" stands alone as the last segment, such as feed.*")
        }
        self.text = text
        self.prefix = prefix
        self.hasRest = hasRest
    }

    /// Whether it takes this name.
    package func matches(_ name: String) -> Bool {
        let name = name.utf8
        guard hasRest else { return name.elementsEqual(prefix) }
        return name.count > prefix.count && name.starts(with: prefix)
    }

    /// Whether it takes some name that fits the template (or is it, when the template is a name).
    package func canMatch(_ template: NameTemplate) -> Bool {
        let dot = UInt8(ascii: ".")
        let parts = prefix.split(separator: dot, omittingEmptySubsequences: false)
        // Behind the last dot of the prefix comes the rest, which is no segment to compare.
        let own = hasRest ? parts.dropLast() : parts[...]
        guard hasRest ? own.count < template.segments.count : own.count == template.segments.count else { return false }
        let isFitting = zip(own, template.segments).allSatisfy { NameTemplate.value($0, in: $1) != nil }
        // The rest is not empty: a last segment that is, "feed.", has nothing for it.
        guard isFitting, hasRest, own.count == template.segments.count - 1, let last = template.segments.last else {
            return isFitting
        }
        return last.hasParameter || !last.prefix.isEmpty
    }
}

extension [TopicPattern] {
    /// Whether one of them takes this name.
    package func allow(_ name: String) -> Bool { contains { $0.matches(name) } }
}
