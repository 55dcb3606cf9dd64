import Sluice

/// What the decoding of one file shares: where it is, what went wrong, and where everything stands.
final class Decoding {
    typealias Path = ConfigurationProblem.Path

    let folder: String
    let environment: [String: String]
    private(set) var path = Path()
    private(set) var problems: [(Place?, ConfigurationProblem)] = []
    /// Where each value stands; short forms have no places for the keys that they stand for.
    private(set) var places: [Path: Place] = [:]
    private var broken: Set<Path> = []
    /// How each secret was written, when that does not show it.
    private(set) var references: [Path: Tree] = [:]

    /// Relative paths in the file start at `folder`.
    init(folder: String, environment: [String: String]) {
        self.folder = folder
        self.environment = environment
    }

    func within<R>(_ component: Path.Component, at place: Place, _ body: () -> R) -> R {
        path.components.append(component)
        defer { path.components.removeLast() }
        if places[path] == nil { places[path] = place }
        return body()
    }

    /// Reports a problem. The value here counts as broken, or only the keys of it that are named: what is said about
    /// it later says nothing new.
    func fail(_ place: Place, _ message: String, suggestion: String? = nil, breaking keys: [String]? = nil) {
        problems.append((place, ConfigurationProblem(path, message, suggestion: suggestion)))
        broken.formUnion(keys.map { $0.map { path[$0] } } ?? [path])
    }

    func fail(_ item: Item, expected: String) { fail(item.place, "expected \(expected), not \(item.nature)") }

    /// Reports a scalar, as it reads with its variables filled in.
    func fail(_ item: Item, reading text: String, expected: String, suggestion: String?) {
        let read = Item(content: .scalar(text, isQuoted: true), place: item.place).nature
        let source = read == item.nature ? "" : ", from \(item.nature)"
        fail(item.place, "expected \(expected), not \(read)\(source)", suggestion: suggestion)
    }

    func isBroken(_ path: Path) -> Bool {
        path.components.indices.contains { broken.contains(Path(Array(path.components[...$0]))) }
            || broken.contains(Path())
    }

    /// Whether something inside a value is broken.
    func hasBroken(in path: Path) -> Bool { broken.contains { $0.hasPrefix(path) } }

    func markBroken(_ path: Path) { broken.insert(path) }

    /// The place of a value, or of the nearest that is written around it.
    func place(of path: Path) -> Place? {
        var path = path
        while true {
            if let place = places[path] { return place }
            if path.components.popLast() == nil { return nil }
        }
    }

    /// The text of a scalar with its variables filled in; `nil` after reporting why there is none.
    func text(_ item: Item, expected: String) -> String? {
        guard case .scalar(let raw, _) = item.content else {
            fail(item, expected: expected)
            return nil
        }
        do throws(Interpolation.Failure) {
            return try Interpolation.fill(raw, from: environment)
        } catch {
            switch error {
            case .unset(let name):
                fail(item.place, "the environment has no variable \(name); ${\(name):-default} would give it a default")
            case .malformed(let reason): fail(item.place, reason)
            }
            return nil
        }
    }

    /// A path from the file's folder.
    func resolve(_ name: String) -> String {
        guard !name.isEmpty, !name.hasPrefix("/") else { return name }
        return Files.normal(folder + "/" + name)
    }

    func remember(secret reference: Tree) { references[path] = reference }
}
