package import Sluice

/// A place in a file: line and column, both from 1.
package struct Place: Sendable, Hashable, Comparable {
    package let line: Int
    package let column: Int

    package static func < (a: Place, b: Place) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// One thing that is wrong with a configuration file, and where.
package struct Diagnostic: Sendable, Hashable, CustomStringConvertible {
    /// The file's name as it was given.
    package let file: String
    /// `nil` when it is about the whole file.
    package let place: Place?
    /// What is wrong with which key.
    package let problem: ConfigurationProblem

    /// `conf/sluice.yaml:12:7: topics.market.history.bytes: expected a size such as 8MiB, not "8 parsecs"`
    package var description: String {
        file + (place.map { ":\($0.line):\($0.column)" } ?? "") + ": \(problem)"
    }
}

/// Everything that is wrong with a configuration file, sorted by place.
package struct ConfigurationErrors: Error, Sendable, CustomStringConvertible {
    package let diagnostics: [Diagnostic]

    init(_ diagnostics: [Diagnostic]) {
        var seen: Set<Diagnostic> = []
        let start = Place(line: 0, column: 0)
        self.diagnostics = diagnostics.filter { seen.insert($0).inserted }
            .enumerated().sorted { ($0.element.place ?? start, $0.offset) < ($1.element.place ?? start, $1.offset) }
            .map(\.element)
    }

    /// One line for each.
    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}
