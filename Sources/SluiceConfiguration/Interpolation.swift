/// `${NAME}` and `${NAME:-default}` in a text; `$${` is a literal `${`.
enum Interpolation {
    enum Failure: Error {
        case unset(String)
        case malformed(String)
    }

    enum Part: Equatable {
        case literal(String)
        case variable(name: String, fallback: String?)
    }

    /// Takes a text apart.
    static func parse(_ text: String) throws(Failure) -> [Part] {
        var parts: [Part] = []
        var literal = ""
        var rest = text[...]
        while let letter = rest.first {
            if rest.hasPrefix("$${") {
                literal += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                let body = rest.dropFirst(2)
                guard let end = body.firstIndex(of: "}") else {
                    throw .malformed("expected ${NAME} or ${NAME:-default}, but a } is missing; a literal ${ is $${")
                }
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = ""
                parts.append(try variable(body[..<end]))
                rest = body[body.index(after: end)...]
            } else {
                literal.append(letter)
                rest = rest.dropFirst()
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        return parts
    }

    private static func variable(_ body: Substring) throws(Failure) -> Part {
        let name = body.prefix { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
        let rest = body.dropFirst(name.count)
        guard let first = name.first, !first.isNumber, rest.isEmpty || rest.hasPrefix(":-") else {
            throw .malformed("expected ${NAME} or ${NAME:-default}, not \"${\(body)}\"; a literal ${ is $${")
        }
        return .variable(name: String(name), fallback: rest.isEmpty ? nil : String(rest.dropFirst(2)))
    }

    /// Fills a text. As in a shell, `:-` also stands in for a variable that is empty.
    static func fill(_ text: String, from environment: [String: String]) throws(Failure) -> String {
        var filled = ""
        for part in try parse(text) {
            switch part {
            case .literal(let text): filled += text
            case .variable(let name, nil):
                guard let value = environment[name] else { throw .unset(name) }
                filled += value
            case .variable(let name, let fallback?):
                let value = environment[name] ?? ""
                filled += value.isEmpty ? fallback : value
            }
        }
        return filled
    }

    /// A text that fills to this one.
    static func escape(_ text: String) -> String { text.replacing("${", with: "$${") }
}
