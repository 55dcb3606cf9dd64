internal import SluiceIO

/// A source that publishes one event each so often, on its worker's timer wheel.
final class Ticker {
    private let options: TickerOptions
    /// Instances of templates are added and taken out while it runs.
    var topics = FedTopics()
    private let hub: Hub
    private let worker: Int
    private var count: UInt64 = 0

    init(_ options: TickerOptions, hub: Hub, worker: Int) {
        self.options = options
        self.hub = hub
        self.worker = worker
    }

    var intervalMilliseconds: UInt64 { max(1, options.every.milliseconds) }

    /// Publishes the next event.
    /// - Parameter unixMilliseconds: the time of day, for `{time}`.
    func tick(unixMilliseconds: Int64) {
        count &+= 1
        guard !topics.isEmpty else { return }
        let time = CivilTime(unixSeconds: unixMilliseconds / 1000).iso8601(milliseconds: Int(unixMilliseconds % 1000))
        let draft = EventDraft(
            data: Array(fill(options.data, time).utf8), type: options.event.map { Array($0.utf8) } ?? [],
            id: options.id.map { Array(fill($0, time).utf8) } ?? [])
        // A tick that finds its topics full is over: the next one tells what is true then.
        _ = hub.publish([Publication(draft: draft, topics: topics.list)], from: worker, isSource: true)
    }

    private func fill(_ template: String, _ time: String) -> String {
        var result = ""
        var rest = Substring(template)
        while let open = rest.firstIndex(of: "{") {
            result += rest[..<open]
            if rest[open...].hasPrefix("{n}") {
                result += String(count)
                rest = rest[open...].dropFirst(3)
            } else if rest[open...].hasPrefix("{time}") {
                result += time
                rest = rest[open...].dropFirst(6)
            } else {
                result += "{"
                rest = rest[open...].dropFirst()
            }
        }
        return result + rest
    }
}
