/// The keys of an object, for the reference.
final class Table {
    static let topName = "the file"

    struct Row {
        let name: String
        let expected: String
        let isRequired: Bool
        /// As it would stand in a file; `nil` when there is none.
        let standard: String?
        let doc: String
        let table: Table?
    }

    let name: String
    let short: String?
    let rows: [Row]
    let rules: [KeyRule]

    init<Root>(name: String, short: String?, start: Root, keys: [Key<Root>], rules: [KeyRule]) {
        self.name = name
        self.short = short
        self.rules = rules
        rows = keys.map { key in
            let tree = key.isRequired ? nil : key.encode(start, Encoding())
            // The values of a nested table are shown there.
            let standard: String? =
                switch tree {
                case .scalar(let text)?: text.isEmpty ? nil : text
                case .list(let items)?: Self.inline(items)
                case .map?, nil: nil
                }
            return Row(
                name: key.name, expected: key.expected, isRequired: key.isRequired, standard: standard, doc: key.doc,
                table: key.table)
        }
    }

    private static func inline(_ items: [Tree]) -> String? {
        let words = items.map { item in
            if case .scalar(let text) = item { text } else { "..." }
        }
        return words.isEmpty ? nil : "[\(words.joined(separator: ", "))]"
    }
}
