/// How one topic, or each instance of a topic template, behaves.
public struct TopicOptions: Sendable, Equatable {
    /// Names of the sources that feed the topic. None is fine for a topic that is published to.
    public var sources: [String] = []
    /// What a client that comes back may get.
    public var history = History()
    /// The time without anything sent after which a comment is sent. Zero: never.
    public var heartbeat: Duration = .seconds(15)
    /// The reconnection time sent once per stream. Zero: none is sent.
    public var retry: Duration = .seconds(2)
    /// The part of `retry` by which it is spread, 0 to 1: 0.5 turns 2 s into 1 to 3 s.
    public var retryJitter: Double = 0.5
    /// Whose event ids subscribers see.
    public var ids: EventIDs = .gateway
    /// What happens to a subscriber that falls too far behind.
    public var overflow: OverflowPolicy = .disconnect
    /// Bytes published after a stream began that its subscriber may lag behind.
    public var maxLag: Int = 1024 * 1024
    /// The type of the event that tells a subscriber of a gap. `nil`: none is sent.
    public var gapEvent: String? = "gap"
    /// What follows a gap.
    public var onGap: GapResponse = .replay
    /// What a client that brings no cursor gets first.
    public var replay: Replay = .none
    /// How a stream is ended by the gateway.
    public var end: StreamEnd = .clean
    /// The time after which a stream is ended, less up to a fifth of it, so that not all end at once. Zero: never.
    public var maxAge: Duration = .zero
    /// Where an event says which topic it came from.
    public var topicField: TopicField = .off
    /// Whether a stream begins with its position as `id:` and an empty line, which commits a cursor in a browser.
    public var openingID = false
    /// Whether streams of it are compressed (gzip) for clients that accept it. Off for events that hold secrets beside
    /// text that others choose (BREACH), and for tiny ones.
    public var compression = true
    /// Most live instances of a template.
    public var limit: Int = 10_000
    /// How long an instance of a template stays after its last subscriber and its last publish.
    public var linger: Duration = .seconds(60)

    /// The defaults.
    public init() {}
}

/// What bounds the events that a reconnecting client may get.
public struct History: Sendable, Equatable {
    /// Most events.
    public var events: Int
    /// Most bytes.
    public var bytes: Int
    /// Greatest age.
    public var age: Duration

    /// 1000 events, 8 MiB and an hour unless told otherwise.
    public init(events: Int = 1000, bytes: Int = 8 * 1024 * 1024, age: Duration = .seconds(3600)) {
        self.events = events
        self.bytes = bytes
        self.age = age
    }
}

/// Whose ids the events of a topic carry.
public struct EventIDs: Sendable, Hashable {
    package enum Kind { case gateway, upstream, off }
    package let kind: Kind

    /// Every event gets `id: <epoch>-<sequence>` from the gateway.
    public static let gateway = EventIDs(kind: .gateway)
    /// The feed's or publisher's own id is kept as it came, and none is added.
    public static let upstream = EventIDs(kind: .upstream)
    /// No ids are sent, and nothing can be resumed.
    public static let off = EventIDs(kind: .off)
}

/// What happens to a subscriber whose next event is gone or that lags further than `maxLag`.
public struct OverflowPolicy: Sendable, Hashable {
    package enum Kind { case disconnect, skip, latest }
    package let kind: Kind

    /// The response ends; the client comes back with its cursor.
    public static let disconnect = OverflowPolicy(kind: .disconnect)
    /// The stream goes on at the oldest event that is held and not further back than `maxLag`, after a gap event.
    public static let skip = OverflowPolicy(kind: .skip)
    /// The stream gets the newest event of each type (of each topic; of at most 256 types) and is at the head again.
    public static let latest = OverflowPolicy(kind: .latest)
}

/// What a subscriber gets after it was told of a gap.
public struct GapResponse: Sendable, Hashable {
    package enum Kind { case replay, live }
    package let kind: Kind

    /// The history that is there, then what comes.
    public static let replay = GapResponse(kind: .replay)
    /// Only what comes.
    public static let live = GapResponse(kind: .live)
}

/// What a client that brings no cursor gets before what comes.
public struct Replay: Sendable, Hashable {
    package enum Kind: Hashable { case none, all, newest(Int) }
    package let kind: Kind

    /// Nothing.
    public static let none = Replay(kind: .none)
    /// The whole history.
    public static let all = Replay(kind: .all)
    /// The newest events of the history, at most so many.
    public static func newest(_ events: Int) -> Replay { Replay(kind: .newest(events)) }
}

/// How a stream is ended by the gateway.
public struct StreamEnd: Sendable, Hashable {
    package enum Kind { case clean, abort }
    package let kind: Kind

    /// As HTTP ends a body that is whole.
    public static let clean = StreamEnd(kind: .clean)
    /// As a broken connection, for clients that take a clean end for final.
    public static let abort = StreamEnd(kind: .abort)
}

/// Where an event says which topic it came from, for streams of several topics.
public struct TopicField: Sendable, Hashable {
    package enum Kind { case off, event, data }
    package let kind: Kind

    /// Nowhere.
    public static let off = TopicField(kind: .off)
    /// In the type: `market`, and `market:trade` for an event of type `trade`.
    public static let event = TopicField(kind: .event)
    /// In the data, which becomes `{"topic":"market","data":"..."}`.
    public static let data = TopicField(kind: .data)
}
