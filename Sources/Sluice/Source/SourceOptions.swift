/// What feeds a topic.
public struct SourceOptions: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case ticker(TickerOptions)
        case feed(FeedOptions)
    }
    package let kind: Kind

    /// Events made by a clock.
    public static func ticker(_ options: TickerOptions) -> SourceOptions { SourceOptions(kind: .ticker(options)) }
    /// An upstream SSE stream.
    public static func feed(_ options: FeedOptions) -> SourceOptions { SourceOptions(kind: .feed(options)) }
    /// An upstream SSE stream with the default options.
    public static func feed(url: String) -> SourceOptions { .feed(FeedOptions(url: url)) }
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

/// A source that reads an upstream SSE stream and reconnects for ever.
public struct FeedOptions: Sendable, Equatable {
    /// An `http` or `https` URL. `{name}` is filled from the topic's parameters.
    public var url: String
    /// Fields sent with every request. Values may be secrets and are never logged.
    public var headers: [String: Secret] = [:]
    /// When it connects again.
    public var retry = FeedRetry()
    /// The time without a byte after which a connection counts as dead.
    public var idleTimeout: Duration = .seconds(45)
    /// A PEM file with the authorities that upstream certificates are verified with. `nil`: the system's.
    public var certificateAuthority: String?

    /// A feed of this URL with the default options.
    public init(url: String) { self.url = url }
}

/// The delays of a feed's reconnects: doubling from `initial` to `maximum`, shortened at random by up to `jitter`.
public struct FeedRetry: Sendable, Equatable {
    /// The first delay.
    public var initial: Duration = .seconds(1)
    /// The longest delay.
    public var maximum: Duration = .seconds(30)
    /// The part of a delay that chance may take off, 0 to 1.
    public var jitter: Double = 0.5
    /// The time of good state after which delays start over.
    public var resetAfter: Duration = .seconds(60)
    /// The delay after 401, 403, 404 and 410.
    public var refused: Duration = .seconds(300)

    /// The defaults.
    public init() {}
}
