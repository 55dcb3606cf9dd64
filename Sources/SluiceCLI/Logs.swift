import Logging
import Sluice

/// Writes log lines to standard error, one write a line.
struct Logs: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]
    private let isJSON: Bool

    init(_ options: LogOptions) {
        logLevel = Logger.Level(rawValue: options.level) ?? .info
        isJSON = options.format == .json
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        let line = isJSON ? LogLine.json : LogLine.text
        Shell.writeError(line(Shell.now, event.level, "\(event.message)", all))
    }
}
