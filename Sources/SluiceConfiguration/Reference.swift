/// The reference of all keys (docs/configuration.md), made from the table that reads them.
package enum Reference {
    /// Markdown.
    package static var markdown: String {
        guard let table = Format<FileDraft>.file.table else { return "" }
        var sections: [String] = []
        var waiting = [table]
        var seen: Set<String> = []
        while !waiting.isEmpty {
            let table = waiting.removeFirst()
            guard seen.insert(table.name).inserted else { continue }
            sections.append(section(table))
            waiting = table.rows.compactMap(\.table) + waiting
        }
        return introduction + sections.joined(separator: "\n")
    }

    private static let introduction = """
        # Configuration

        <!-- Made by `sluice reference`. Change the texts in Sources/SluiceConfiguration/Schema. -->

        A configuration is a YAML file. `sluice check` says what is wrong with it, with line and column, and
        `sluice check --print` shows what it comes to, with every default.

        - Values are text, read as their key says: `1.2`, `id: 1`, `no` and `off` need no quotes.
        - Times are `15s`, `500ms`, `2m`, `1h`, and `0`. Sizes are `256KiB`, `8MiB`, `1GiB`, or plain bytes.
        - `${NAME}` in a value is an environment variable, `${NAME:-default}` gives it a default where it is unset or
          empty, `$${` is a literal `${`. A variable that is not set is an error.
        - A secret is text, best from a variable, or `{file: path}`; a last newline of the file is dropped.
        - Relative paths start at the folder of the configuration file.
        - A key that is not listed here is an error. Aliases of YAML are not followed.


        """

    private static func section(_ table: Table) -> String {
        var lines = [table.name == Table.topName ? "## Top level" : "## `\(table.name)`", ""]
        if let short = table.short {
            lines += ["Short form: the value of `\(short)` alone.", ""]
        }
        for rule in table.rules { lines += [sentence(rule), ""] }
        lines += ["| Key | Value | Default | |", "| --- | --- | --- | --- |"]
        for row in table.rows {
            let standard = row.isRequired ? "required" : row.standard.map { "`\($0)`" } ?? ""
            lines.append("| `\(row.name)` | \(cell(row.expected)) | \(standard) | \(cell(row.doc)) |")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|")
    }

    private static func sentence(_ rule: KeyRule) -> String {
        switch rule {
        case .exactlyOne(let names): "Exactly one of \(list(names))."
        case .atMostOne(let names): "At most one of \(list(names))."
        case .needs(let names, let other): "\(list(names)): only beside `\(other)`."
        case .needsOne(let names, let others):
            "\(list(names)): only beside \(others.map { "`\($0)`" }.joined(separator: " or "))."
        }
    }

    private static func list(_ names: [String]) -> String { names.map { "`\($0)`" }.joined(separator: ", ") }
}
