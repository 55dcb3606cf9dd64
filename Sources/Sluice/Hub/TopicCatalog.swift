/// Which topics there are by configuration: literal names, and templates that make topics on demand. A whole name is
/// matched to literal topics first, then to templates.
struct TopicCatalog: Sendable {
    struct Template: Sendable {
        let number: Int
        let name: NameTemplate
        let options: TopicOptions
    }

    /// Bytes of a name that a template takes: clients make it up, and it becomes a topic, which keeps it.
    static let longestName = 1024

    let literals: [(name: String, options: TopicOptions)]
    let templates: [Template]

    init(_ topics: [String: TopicOptions]) throws(SluiceError) {
        var literals: [(name: String, options: TopicOptions)] = []
        var templates: [Template] = []
        for (name, options) in topics.sorted(by: { $0.key < $1.key }) {
            guard name.contains("{") else {
                literals.append((name, options))
                continue
            }
            do {
                templates.append(Template(number: templates.count, name: try NameTemplate(name), options: options))
            } catch {
                throw SluiceError(.configuration, "topic \(name): \(error)")
            }
        }
        self.literals = literals
        self.templates = templates
    }

    func template(matching name: String) -> Template? {
        guard name.utf8.count <= Self.longestName else { return nil }
        return templates.first { $0.name.match(name) != nil }
    }
}
