/// What feeds a topic.
public struct SourceOptions: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case ticker(TickerOptions)
        case feed(FeedOptions)
        case command(CommandOptions)
    }
    package let kind: Kind

    /// Events made by a clock.
    public static func ticker(_ options: TickerOptions) -> SourceOptions { SourceOptions(kind: .ticker(options)) }
    /// An upstream SSE stream.
    public static func feed(_ options: FeedOptions) -> SourceOptions { SourceOptions(kind: .feed(options)) }
    /// An upstream SSE stream with the default options.
    public static func feed(url: String) -> SourceOptions { .feed(FeedOptions(url: url)) }
    /// What a program writes.
    public static func command(_ options: CommandOptions) -> SourceOptions { SourceOptions(kind: .command(options)) }
    /// The lines that a program writes, with the default options.
    public static func command(_ command: [String]) -> SourceOptions { .command(CommandOptions(command)) }
}

/// A source that publishes one event each `every`.
public struct TickerOptions: Sendable, Equatable {
    /// The time between two events.
    public var every: Duration
    /// The event's type; `nil` sends none.
    public var event: String?
    /// The event's data. `{n}` becomes the count from 1, `{time}` the time as ISO 8601 in UTC.
    public var data: String
    /// The event's own id (seen by subscribers under `ids: upstream`); `{n}` and `{time}` as in `data`.
    public var id: String?

    /// A ticker.
    public init(every: Duration, event: String? = nil, data: String = "", id: String? = nil) {
        self.every = every
        self.event = event
        self.data = data
        self.id = id
    }
}
