/// Which certificate a client's SNI chooses: an exact name before `*.` for one label; else the listener's first.
final class ServerNames: Sendable {
    enum Choice {
        /// The listener's first certificate, with which the session began. Held by nobody here: the first context
        /// holds this table, and would hold itself.
        case first
        case other(ContextHandle)
    }

    private let exact: [String: Choice]
    /// By what follows "*.".
    private let wildcards: [String: Choice]

    /// Of two certificates for one name the earlier counts.
    init(_ certificates: [(choice: Choice, names: [String])]) {
        var exact: [String: Choice] = [:]
        var wildcards: [String: Choice] = [:]
        for (choice, names) in certificates {
            for name in names {
                if name.hasPrefix("*.") {
                    wildcards.merge([(String(name.dropFirst(2)), choice)]) { earlier, _ in earlier }
                } else {
                    exact.merge([(name, choice)]) { earlier, _ in earlier }
                }
            }
        }
        self.exact = exact
        self.wildcards = wildcards
    }

    /// nil: no certificate is for this name.
    func find(_ asked: String) -> Choice? {
        var name = asked.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        if let choice = exact[name] { return choice }
        guard let dot = name.firstIndex(of: "."), dot != name.startIndex else { return nil }
        return wildcards[String(name[name.index(after: dot)...])]
    }
}
