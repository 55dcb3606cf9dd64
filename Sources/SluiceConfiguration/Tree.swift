internal import Sluice

/// A YAML value to be written.
indirect enum Tree {
    case scalar(String)
    case list([Tree])
    case map([(name: String, value: Tree)])

    /// The value as lines of YAML.
    var yaml: String { (isBlock ? lines(indent: 0).joined(separator: "\n") : inline) + "\n" }

    private var isBlock: Bool {
        switch self {
        case .scalar: false
        case .list(let items): !items.isEmpty
        case .map(let entries): !entries.isEmpty
        }
    }

    private var inline: String {
        switch self {
        case .scalar(let text): Self.quoted(text)
        case .list: "[]"
        case .map: "{}"
        }
    }

    private func lines(indent: Int) -> [String] {
        let space = String(repeating: " ", count: indent)
        switch self {
        case .scalar: return [space + inline]
        case .list(let items):
            return items.flatMap { item in
                guard item.isBlock else { return [space + "- " + item.inline] }
                var lines = item.lines(indent: indent + 2)
                // The first line moves up behind the dash.
                lines[0] = space + "- " + lines[0].dropFirst(indent + 2)
                return lines
            }
        case .map(let entries):
            return entries.flatMap { entry in
                let key = space + Self.quoted(entry.name) + ":"
                return entry.value.isBlock
                    ? [key] + entry.value.lines(indent: indent + 2) : [key + " " + entry.value.inline]
            }
        }
    }

    /// Plain where every YAML reader takes it for the same text, else in double quotes.
    static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty && text.utf8.first != UInt8(ascii: "-") && text.utf8.last != UInt8(ascii: ":")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "/"):
                    true
                default: false
                }
            }
        if isPlain { return text }
        return JSONText.quoted(text)
    }
}
