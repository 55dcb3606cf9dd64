import Sluice

/// How a value stands in a file: one description that reads it, writes it and explains it.
struct Format<Value> {
    /// What is expected, for a message: `a time such as 15s`.
    let expected: String
    /// Reads a value. The second argument is what keys that are not given keep. `nil`: reported as a problem.
    let decode: (Item, Value?, Decoding) -> Value?
    /// Writes a value.
    let encode: (Value, Encoding) -> Tree
    /// The keys inside, for the reference.
    var table: Table?

    /// A format of another type that is read and written through this one.
    func map<Other>(
        _ read: @escaping (Value, Decoding) -> Other, _ write: @escaping (Other) -> Value
    ) -> Format<Other> {
        Format<Other>(
            expected: expected,
            decode: { item, start, decoding in
                decode(item, start.map(write), decoding).map { read($0, decoding) }
            },
            encode: { value, encoding in encode(write(value), encoding) },
            table: table)
    }
}

/// What the writing of one configuration shares.
final class Encoding {
    private(set) var path = ConfigurationProblem.Path()
    let references: [ConfigurationProblem.Path: Tree]

    /// Secrets at these places are written as references; all others as `[secret]`.
    init(references: [ConfigurationProblem.Path: Tree] = [:]) { self.references = references }

    func within<R>(_ component: ConfigurationProblem.Path.Component, _ body: () -> R) -> R {
        path.components.append(component)
        defer { path.components.removeLast() }
        return body()
    }
}

extension Format {
    /// A scalar that is read from its text.
    static func scalar(
        _ expected: String, meant: @escaping (String) -> String? = { _ in nil },
        read: @escaping (String, Decoding) -> Value?, write: @escaping (Value) -> String
    ) -> Format {
        Format(
            expected: expected,
            decode: { item, _, decoding in
                guard let text = decoding.text(item, expected: expected) else { return nil }
                if let value = read(text, decoding) { return value }
                decoding.fail(item, reading: text, expected: expected, suggestion: meant(text))
                return nil
            },
            encode: { value, _ in .scalar(Interpolation.escape(write(value))) })
    }

    /// One of a few words.
    static func choice(_ words: KeyValuePairs<String, Value>) -> Format where Value: Equatable {
        let names = words.map(\.key)
        return scalar(
            names.joined(separator: " or "), meant: { Suggestion.nearest(to: $0, in: names) },
            read: { text, _ in words.first { $0.key == text }?.value },
            write: { value in words.first { $0.value == value }?.key ?? "" })
    }

    /// `nil` as a word of its own, which the other format expects too.
    static func optional<Wrapped>(_ word: String, _ format: Format<Wrapped>) -> Format where Value == Wrapped? {
        Format(
            expected: format.expected,
            decode: { item, start, decoding in
                if case .scalar(word, _) = item.content { return .some(nil) }
                return format.decode(item, start ?? nil, decoding).map { .some($0) }
            },
            encode: { value, encoding in value.map { format.encode($0, encoding) } ?? .scalar(word) },
            table: format.table)
    }
}

extension Format where Value == String {
    static var text: Format { scalar("text", read: { text, _ in text }, write: { $0 }) }

    static func text(_ expected: String) -> Format { scalar(expected, read: { text, _ in text }, write: { $0 }) }

    /// A file, from the folder of the configuration file.
    static var file: Format { scalar("the name of a file", read: { $1.resolve($0) }, write: { $0 }) }

    static var folder: Format { scalar("the name of a folder", read: { $1.resolve($0) }, write: { $0 }) }
}

extension Format where Value == Int {
    static var integer: Format { integer("a whole number") }

    static func integer(_ expected: String) -> Format {
        scalar(expected, read: { text, _ in Int(text) }, write: { "\($0)" })
    }

    static var size: Format { size("a size such as 256KiB or 8MiB") }

    static func size(_ expected: String) -> Format {
        scalar(
            expected, meant: { Scalars.meant($0, units: Scalars.sizeSlips) },
            read: { text, _ in Scalars.bytes(text) }, write: { Scalars.text(bytes: $0) })
    }
}

extension Format where Value == Double {
    static var part: Format {
        scalar(
            "a number from 0 to 1",
            read: { text, _ in Double(text).flatMap { (0...1).contains($0) ? $0 : nil } },
            write: { $0 == $0.rounded() ? "\(Int($0))" : "\($0)" })
    }
}

extension Format where Value == Duration {
    static var duration: Format {
        scalar(
            "a time such as 15s, 500ms, 2m or 1h", meant: { Scalars.meant($0, units: Scalars.timeSlips) },
            read: { text, _ in Scalars.duration(text) }, write: { Scalars.text($0) })
    }
}

extension Format where Value == Bool {
    static var boolean: Format {
        scalar(
            "on or off",
            read: { text, _ in
                switch text.lowercased() {
                case "on", "true", "yes": true
                case "off", "false", "no": false
                default: nil
                }
            },
            write: { $0 ? "on" : "off" })
    }
}

extension Format where Value == Secret {
    /// Text, best from `${NAME}`, or `{file: path}`.
    static var secret: Format {
        let expected = "a secret: text, \"${NAME}\" or {file: path}"
        return Format(
            expected: expected,
            decode: { item, _, decoding in
                switch item.content {
                case .map:
                    let secret = secretFile(item, decoding)
                    if secret == nil { decoding.markBroken(decoding.path) }
                    return secret
                case .list:
                    decoding.fail(item, expected: expected)
                    return nil
                case .scalar(let raw, _):
                    guard raw != Secret("").description else {
                        decoding.fail(item.place, "expected the secret itself; \(raw) is only what is shown for it")
                        return nil
                    }
                    if showsNothing(raw) { decoding.remember(secret: .scalar(raw)) }
                    return decoding.text(item, expected: expected).map { Secret($0) }
                }
            },
            encode: { value, encoding in encoding.references[encoding.path] ?? .scalar(value.description) })
    }

    /// Whether a text shows where a secret comes from and nothing of the secret.
    private static func showsNothing(_ raw: String) -> Bool {
        guard let parts = try? Interpolation.parse(raw) else { return false }
        var hasVariable = false
        for part in parts {
            switch part {
            case .variable(_, let fallback):
                hasVariable = true
                if fallback?.isEmpty == false { return false }
            case .literal(let text):
                if !["bearer ", "basic ", "token "].contains(text.lowercased()) { return false }
            }
        }
        return hasVariable
    }

    private static func secretFile(_ item: Item, _ decoding: Decoding) -> Secret? {
        let keys = [Key<String>("file", \.self, .file, required: true, "The file; its last newline is dropped.")]
        let broken = decoding.problems.count
        guard let name = Format<String>.object("a secret", start: "", keys: keys).decode(item, nil, decoding),
            decoding.problems.count == broken
        else { return nil }
        decoding.remember(secret: .map([("file", .scalar(Interpolation.escape(name)))]))
        let place = item.entries?.first?.value.place ?? item.place
        return decoding.within(.key("file"), at: place) {
            do throws(NamedFile.Problem) {
                var bytes = try NamedFile.read(name, limit: 64 << 10)
                if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
                if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
                guard let text = String(validating: bytes, as: UTF8.self) else {
                    decoding.fail(place, "the file \(name) is not UTF-8")
                    return nil
                }
                return Secret(text)
            } catch {
                decoding.fail(place, error.description)
                return nil
            }
        }
    }
}
