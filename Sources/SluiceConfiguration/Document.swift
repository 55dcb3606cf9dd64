import Sluice
import Yams

/// A value of a YAML document. Scalars are text: what they mean is the schema's business, not that of YAML's tags.
struct Item {
    enum Content {
        case scalar(String, isQuoted: Bool)
        case list([Item])
        case map([Entry])
    }
    struct Entry {
        let name: String
        let place: Place
        let value: Item
    }

    let content: Content
    let place: Place

    /// What it is, for "expected ..., not ...".
    var nature: String {
        switch content {
        case .scalar(let text, _): "\"\(text.count > 80 ? text.prefix(80) + "..." : text)\""
        case .list: "a list"
        case .map: "keys and values"
        }
    }

    /// `key:` with nothing behind it.
    var isEmpty: Bool {
        if case .scalar("", isQuoted: false) = content { true } else { false }
    }
}

/// Reads a YAML text. The only file that knows Yams.
struct Document {
    /// A configuration of this size is a mistake, or an attack on whoever reads it.
    static let mostBytes = 1 << 20
    /// Deeper than any key of the schema, and shallow enough for the stack.
    private static let mostLevels = 32

    private(set) var root: Item?
    private(set) var problems: [(Place?, ConfigurationProblem)] = []
    private var repeatedKeys: [Place: String] = [:]

    init(_ text: String) {
        guard text.utf8.count <= Self.mostBytes else {
            fail(nil, "the file is larger than 1 MiB")
            return
        }
        if let alias = Self.alias(in: text) {
            fail(alias.place, "the alias *\(alias.name) is not followed; write the value out")
            return
        }
        if let node = compose(text) { root = convert(node, at: .init(), level: 0) }
    }

    private mutating func fail(_ place: Place?, _ message: String, at path: ConfigurationProblem.Path = .init()) {
        problems.append((place, ConfigurationProblem(path, message)))
    }

    /// Yams stops at the first key that is given twice. Renaming that key (to one of a private-use letter, of the same
    /// length, so that no place moves) lets it go on, so that everything else is reported as well.
    private mutating func compose(_ text: String) -> Node? {
        var text = text
        for letter in UInt32(0xE000)..<0xE064 {
            do {
                return try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
            } catch YamlError.duplicatedKeysInMapping(let names, let context) {
                let place = Place(line: context.mark.line, column: context.mark.column)
                let name = names.first ?? ""
                guard let stand = Unicode.Scalar(letter),
                    let renamed = Self.rename(name, at: place, in: text, to: stand)
                else {
                    fail(place, "the key \"\(name)\" is given twice")
                    return nil
                }
                repeatedKeys[place] = name
                text = renamed
            } catch {
                report(error)
                return nil
            }
        }
        fail(nil, "too many keys are given twice")
        return nil
    }

    private static func rename(_ name: String, at place: Place, in text: String, to letter: Unicode.Scalar) -> String? {
        guard let first = name.unicodeScalars.first else { return nil }
        var scalars = Array(text.unicodeScalars)
        var line = 1
        var index = 0
        while index < scalars.count, line < place.line {
            // The line ends of YAML 1.1 (section 5.4), as libyaml counts them.
            let isReturnOfPair = scalars[index] == "\r" && index + 1 < scalars.count && scalars[index + 1] == "\n"
            if !isReturnOfPair, ["\r", "\n", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalars[index]) { line += 1 }
            index += 1
        }
        index += place.column - 1
        if index < scalars.count, ["\"", "'"].contains(scalars[index]) { index += 1 }
        guard index < scalars.count, scalars[index] == first else { return nil }
        scalars[index] = letter
        var renamed = String.UnicodeScalarView()
        renamed.append(contentsOf: scalars)
        return String(renamed)
    }

    private mutating func report(_ error: any Error) {
        switch error {
        case YamlError.scanner(let context, let problem, let mark, _),
            YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            let hint = problem.contains("found character that cannot start any token") ? " (a tab, @, ` or %)" : ""
            fail(
                Place(line: mark.line, column: mark.column),
                "this is not YAML: \(problem)\(hint)" + (context.map { ", \($0.text)" } ?? ""))
        case YamlError.reader(let problem, _, _, _):
            fail(nil, "this is not YAML: \(problem)")
        default:
            fail(nil, "this is not YAML: \(error)")
        }
    }

    private mutating func convert(_ node: Node, at path: ConfigurationProblem.Path, level: Int) -> Item? {
        let place = Place(node.mark)
        guard level < Self.mostLevels else {
            fail(place, "this is nested too deep", at: path)
            return nil
        }
        switch node {
        case .scalar(let scalar):
            let isQuoted = scalar.style != .plain && scalar.style != .any
            return Item(content: .scalar(scalar.string, isQuoted: isQuoted), place: place)
        case .sequence(let sequence):
            let items = sequence.enumerated().compactMap { convert($1, at: path[$0], level: level + 1) }
            return Item(content: .list(items), place: place)
        case .mapping(let mapping):
            return Item(content: .map(entries(of: mapping, at: path, level: level)), place: place)
        case .alias:
            fail(place, "an alias is not followed; write the value out", at: path)
            return nil
        }
    }

    private mutating func entries(
        of mapping: Node.Mapping, at path: ConfigurationProblem.Path, level: Int
    ) -> [Item.Entry] {
        var entries: [Item.Entry] = []
        var first: [String: Place] = [:]
        for (key, value) in mapping {
            let place = Place(key.mark)
            guard case .scalar(let scalar) = key else {
                fail(place, "expected a key, not a list or keys and values", at: path)
                continue
            }
            let name = repeatedKeys[place] ?? scalar.string
            if let earlier = first.updateValue(place, forKey: name) {
                fail(place, "is given twice; first in line \(earlier.line)", at: path[name])
                continue
            }
            guard let item = convert(value, at: path[name], level: level + 1) else { continue }
            entries.append(Item.Entry(name: name, place: place, value: item))
        }
        return entries
    }

    /// The first alias (`*name`) of an anchor (`&name`). Yams follows aliases by itself, and a few lines of them grow
    /// without bound, so they are found in the text: a pair of such words that is none of YAML's would have to
    /// stand in one file to be refused wrongly, and no alias that grows anything passes.
    private static func alias(in text: String) -> (name: String, place: Place)? {
        var anchors: Set<String> = []
        var aliases: [(name: String, place: Place)] = []
        var place = (line: 1, column: 1)
        var last: Unicode.Scalar = "\n"
        let scalars = text.unicodeScalars
        for index in scalars.indices {
            let letter = scalars[index]
            let canStart = " \t\r\n[{,:\u{85}\u{2028}\u{2029}\u{FEFF}".unicodeScalars.contains(last)
            if letter == "&" || letter == "*", canStart {
                let name = String(
                    scalars[scalars.index(after: index)...].prefix {
                        $0.properties.isAlphabetic || ("0"..."9").contains($0) || $0 == "_" || $0 == "-"
                    })
                if !name.isEmpty, letter == "&" { anchors.insert(name) }
                if !name.isEmpty, letter == "*" {
                    aliases.append((name, Place(line: place.line, column: place.column)))
                }
            }
            place = letter == "\n" ? (place.line + 1, 1) : (place.line, place.column + 1)
            last = letter
        }
        return aliases.first { anchors.contains($0.name) }
    }
}

extension Place {
    fileprivate init(_ mark: Mark?) { self.init(line: mark?.line ?? 1, column: mark?.column ?? 1) }
}
