import Logging

/// How one line of a log looks. What comes from peers may hold anything, so control characters never reach the log.
enum LogLine {
    /// `2026-01-31T12:00:00.000Z info listening address=127.0.0.1:8080 tls=false`
    static func text(time: String, level: Logger.Level, message: String, metadata: Logger.Metadata) -> String {
        var line = "\(time) \(level.rawValue) \(visible(message))"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { line += " \(visible(key))=\(word("\(value)"))" }
        return line + "\n"
    }

    /// One JSON object; metadata stand beside `time`, `level` and `message`.
    static func json(time: String, level: Logger.Level, message: String, metadata: Logger.Metadata) -> String {
        let own = [("time", time), ("level", level.rawValue), ("message", message)]
        var fields = own.map { "\(quoted($0)):\(quoted($1))" }
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            let name = own.contains { $0.0 == key } ? key + "_" : key
            fields.append("\(quoted(name)):\(json(value))")
        }
        return "{" + fields.joined(separator: ",") + "}\n"
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let values):
            "{" + values.sorted { $0.key < $1.key }.map { "\(quoted($0)):\(json($1))" }.joined(separator: ",") + "}"
        default: quoted("\(value)")
        }
    }

    /// As it is where it is one plain word, else in quotes.
    private static func word(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 32 && $0 != "\"" && $0 != "=" }
        return isPlain ? visible(text) : quoted(text)
    }

    private static func visible(_ text: String) -> String {
        text.unicodeScalars.allSatisfy { !isControl($0) } ? text : String(quoted(text).dropFirst().dropLast())
    }

    /// A string of JSON (RFC 8259, section 7).
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            case _ where isControl(scalar):
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) || scalar == "\u{2028}" || scalar == "\u{2029}"
    }
}
