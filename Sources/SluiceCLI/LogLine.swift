import Logging
import Sluice

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
        var fields = own.map { "\(JSONText.quoted($0)):\(JSONText.quoted($1))" }
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            let name = own.contains { $0.0 == key } ? key + "_" : key
            fields.append("\(JSONText.quoted(name)):\(json(value))")
        }
        return "{" + fields.joined(separator: ",") + "}\n"
    }

    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let values):
            "{" + values.sorted { $0.key < $1.key }.map { "\(JSONText.quoted($0)):\(json($1))" }.joined(separator: ",")
                + "}"
        default: JSONText.quoted("\(value)")
        }
    }

    /// As it is where it is one plain word, else in quotes.
    private static func word(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 32 && $0 != "\"" && $0 != "=" }
        return isPlain ? visible(text) : JSONText.quoted(text)
    }

    private static func visible(_ text: String) -> String {
        text.unicodeScalars.allSatisfy { !JSONText.isUnseen($0) }
            ? text : String(JSONText.quoted(text).dropFirst().dropLast())
    }
}
