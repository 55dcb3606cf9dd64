import Sluice

/// A key of an object: its name, where its value goes, how that is written, and what it is for.
struct Key<Root> {
    let name: String
    let expected: String
    let doc: String
    let isRequired: Bool
    let table: Table?
    let decode: (Item, inout Root, Decoding) -> Void
    /// `nil`: not written, because it has no value.
    let encode: (Root, Encoding) -> Tree?

    /// A key that always has a value.
    init<Value>(
        _ name: String, _ path: WritableKeyPath<Root, Value>, _ format: Format<Value>, required: Bool = false,
        _ doc: String
    ) {
        self.init(name, format, required: required, doc) { item, root, decoding in
            if let value = format.decode(item, root[keyPath: path], decoding) { root[keyPath: path] = value }
        } encode: { root, encoding in
            format.encode(root[keyPath: path], encoding)
        }
    }

    /// A key that is left out when there is no value.
    init<Value>(
        _ name: String, optional path: WritableKeyPath<Root, Value?>, _ format: Format<Value>, _ doc: String
    ) {
        self.init(name, format, required: false, doc) { item, root, decoding in
            if let value = format.decode(item, root[keyPath: path], decoding) { root[keyPath: path] = value }
        } encode: { root, encoding in
            root[keyPath: path].map { format.encode($0, encoding) }
        }
    }

    init<Value>(
        _ name: String, _ format: Format<Value>, required: Bool, _ doc: String,
        decode: @escaping (Item, inout Root, Decoding) -> Void, encode: @escaping (Root, Encoding) -> Tree?
    ) {
        self.name = name
        self.expected = format.expected
        self.doc = doc
        self.isRequired = required
        self.table = format.table
        self.decode = decode
        self.encode = encode
    }
}

extension Key {
    /// The same key, written only where it says something.
    func written(when condition: @escaping (Root) -> Bool) -> Key {
        Key(self, encode: { [encode] root, encoding in condition(root) ? encode(root, encoding) : nil })
    }

    private init(_ key: Key, encode: @escaping (Root, Encoding) -> Tree?) {
        name = key.name
        expected = key.expected
        doc = key.doc
        isRequired = key.isRequired
        table = key.table
        decode = key.decode
        self.encode = encode
    }
}

/// Which keys go together.
enum KeyRule {
    /// One of them has to be given, and only one.
    case exactlyOne([String])
    /// At most one of them.
    case atMostOne([String])
    /// The first has a meaning only beside the second.
    case needs([String], String)
    /// The first have a meaning only beside one of the second.
    case needsOne([String], [String])
}

extension Format {
    /// Keys and values. What is neither may stand for one key (`short`), or be a word that stands for a whole value.
    static func object(
        _ name: String, start: Value, keys: [Key<Value>], short: String? = nil, word: (String, Value)? = nil,
        rules: [KeyRule] = [], isSecret: Bool = false
    ) -> Format {
        let expected =
            ([word?.0, short.flatMap { short in keys.first { $0.name == short }?.expected }].compactMap { $0 }
            + ["keys and values"]).joined(separator: " or ")
        let reading = ObjectReading(keys: keys, rules: rules)
        return Format(
            expected: expected,
            decode: { item, given, decoding in
                var value = given ?? start
                if case .map(let entries) = item.content {
                    reading.read(entries, at: item.place, into: &value, decoding)
                } else if item.isEmpty {
                    reading.read([], at: item.place, into: &value, decoding)
                } else if let word, case .scalar(word.0, _) = item.content {
                    return word.1
                } else if let short {
                    let entry = Item.Entry(name: short, place: item.place, value: item)
                    reading.read([entry], at: item.place, into: &value, decoding)
                } else {
                    if isSecret {
                        decoding.fail(item.place, "expected \(expected)")
                    } else {
                        decoding.fail(item, expected: expected)
                    }
                    return nil
                }
                return value
            },
            encode: { value, encoding in
                .map(
                    keys.compactMap { key in
                        encoding.within(.key(key.name)) { key.encode(value, encoding) }.map { (key.name, $0) }
                    })
            },
            table: Table(name: name, short: short, start: start, keys: keys, rules: rules))
    }

    /// A list. What cannot be read is replaced, so that the places of the others stay right.
    static func list<Element>(
        of format: Format<Element>, _ name: String, broken: Element, allowsOne: Bool = false
    ) -> Format where Value == [Element] {
        let expected = "a list of \(name)"
        return Format(
            expected: allowsOne ? "\(format.expected) or \(expected)" : expected,
            decode: { item, _, decoding in
                func element(_ index: Int, _ item: Item) -> Element {
                    decoding.within(.index(index), at: item.place) { format.decode(item, nil, decoding) } ?? broken
                }
                if case .list(let items) = item.content { return items.enumerated().map { element($0, $1) } }
                if item.isEmpty { return [] }
                if allowsOne, item.isScalar { return [element(0, item)] }
                decoding.fail(item, expected: expected)
                return nil
            },
            encode: { values, encoding in
                .list(
                    values.enumerated().map { index, value in
                        encoding.within(.index(index)) { format.encode(value, encoding) }
                    })
            },
            table: format.table)
    }

    /// Values by name. What cannot be read is replaced, so that its name is still known.
    static func dictionary<Element>(
        of format: Format<Element>, _ name: String, broken: Element
    ) -> Format where Value == [String: Element] {
        Format(
            expected: "\(name) by name",
            decode: { item, start, decoding in
                guard let entries = item.entries else {
                    decoding.fail(item, expected: "\(name) by name")
                    return nil
                }
                var values: [String: Element] = [:]
                for entry in entries {
                    values[entry.name] =
                        decoding.within(.key(entry.name), at: entry.place) {
                            format.decode(entry.value, start?[entry.name], decoding)
                        } ?? broken
                }
                return values
            },
            encode: { values, encoding in
                .map(
                    values.sorted { $0.key < $1.key }.map { name, value in
                        (name, encoding.within(.key(name)) { format.encode(value, encoding) })
                    })
            },
            table: format.table)
    }
}

extension Item {
    var isScalar: Bool {
        if case .scalar = content { true } else { false }
    }

    /// Keys and values; none for `key:` with nothing behind it.
    var entries: [Entry]? {
        if case .map(let entries) = content { return entries }
        return isEmpty ? [] : nil
    }
}

/// Reads keys and values into an object.
private struct ObjectReading<Root> {
    let keys: [Key<Root>]
    let rules: [KeyRule]

    func read(_ entries: [Item.Entry], at place: Place, into value: inout Root, _ decoding: Decoding) {
        var meant: Set<String> = []
        for entry in entries where !keys.contains(where: { $0.name == entry.name }) {
            decoding.within(.key(entry.name), at: entry.place) {
                let names = keys.map(\.name)
                let suggestion = Suggestion.nearest(to: entry.name, in: names)
                if let suggestion { meant.insert(suggestion) }
                let known = suggestion == nil ? "; known are \(names.joined(separator: ", "))" : ""
                decoding.fail(entry.place, "this key is not known\(known)", suggestion: suggestion)
            }
        }
        // In the order of the table, not of the file: some keys are what others start from.
        for key in keys {
            guard let entry = entries.first(where: { $0.name == key.name }) else {
                if key.isRequired { require(key, at: place, isMisspelt: meant.contains(key.name), decoding) }
                continue
            }
            decoding.within(.key(key.name), at: entry.value.place) { key.decode(entry.value, &value, decoding) }
        }
        for rule in rules { check(rule, entries, at: place, decoding) }
    }

    private func require(_ key: Key<Root>, at place: Place, isMisspelt: Bool, _ decoding: Decoding) {
        decoding.within(.key(key.name), at: place) {
            // That it is not known was said already; twice would look like two mistakes.
            guard !isMisspelt else { return decoding.markBroken(decoding.path) }
            decoding.fail(place, "this key is missing: expected \(key.expected)")
        }
    }

    private func check(_ rule: KeyRule, _ entries: [Item.Entry], at place: Place, _ decoding: Decoding) {
        func given(_ names: [String]) -> [Item.Entry] { entries.filter { names.contains($0.name) } }
        switch rule {
        case .exactlyOne(let names):
            if given(names).isEmpty {
                decoding.fail(place, "one of \(names.joined(separator: ", ")) is missing", breaking: names)
            }
            refuseSecond(of: given(names), decoding)
        case .atMostOne(let names):
            refuseSecond(of: given(names), decoding)
        case .needs(let names, let other): refuse(given(names), unlessBeside: [other], entries, decoding)
        case .needsOne(let names, let others): refuse(given(names), unlessBeside: others, entries, decoding)
        }
    }

    private func refuse(
        _ found: [Item.Entry], unlessBeside others: [String], _ entries: [Item.Entry], _ decoding: Decoding
    ) {
        guard !entries.contains(where: { others.contains($0.name) }) else { return }
        for entry in found {
            decoding.within(.key(entry.name), at: entry.place) {
                decoding.fail(entry.place, "this key stands only beside \(others.joined(separator: " or "))")
            }
        }
    }

    private func refuseSecond(of entries: [Item.Entry], _ decoding: Decoding) {
        guard let first = entries.first else { return }
        for entry in entries.dropFirst() {
            decoding.within(.key(entry.name), at: entry.place) {
                decoding.fail(entry.place, "\(first.name) and \(entry.name) do not go together")
            }
        }
    }
}
