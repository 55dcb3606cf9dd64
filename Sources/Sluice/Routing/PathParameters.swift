/// What the parameters of a path or a topic's name stand for.
package struct PathParameters: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// The names, in the order of the pattern.
    package let names: [String]
    /// A value for each name: valid UTF-8, never empty, escapes decoded.
    package let values: [String]

    /// No parameters.
    package init() {
        names = []
        values = []
    }

    init(names: [String], values: [String]) {
        self.names = names
        self.values = values
    }

    /// Parameters from names and values; of equal names the first counts.
    package init(dictionaryLiteral pairs: (String, String)...) {
        names = pairs.map(\.0)
        values = pairs.map(\.1)
    }

    package var isEmpty: Bool { names.isEmpty }

    /// The value of a parameter.
    package subscript(name: String) -> String? {
        // There are one or two: looking at each beats hashing.
        guard let index = names.firstIndex(of: name), index < values.count else { return nil }
        return values[index]
    }
}
