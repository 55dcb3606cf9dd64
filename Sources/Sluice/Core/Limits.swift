/// Everything that bounds what peers may use. All have a default; at a limit the answer is a status with a plain
/// reason, never a crash and never the loss of something that was accepted.
public struct Limits: Sendable, Equatable {
    /// Connections of the whole process. `nil` derives it from `RLIMIT_NOFILE`, raised to its hard limit.
    public var connections: Int?
    /// Connections from one client address (behind a trusted proxy: from the client it names).
    public var connectionsPerAddress: Int = 1000
    /// Streams that one HTTP/2 connection may have open.
    public var streams: Int = 128
    /// Bytes of a request line.
    public var requestLine: Int = 8 * 1024
    /// Bytes of a request head, its line included.
    public var requestHead: Int = 64 * 1024
    /// Fields of a request head.
    public var requestFields: Int = 100
    /// Time from the first byte of a request to the end of its head; then 408.
    public var requestHeadTimeout: Duration = .seconds(10)
    /// Time that a connection may be idle between two requests.
    public var keepAlive: Duration = .seconds(75)
    /// Bytes of a publish request's body; then 413.
    public var publishBody: Int = 1024 * 1024
    /// Events of a publish request; then 413. They hold up their worker's other connections while they are read.
    public var publishEvents: Int = 10_000
    /// Time in which a peer must take some of what is written to it; then its connection is reset.
    public var writeTimeout: Duration = .seconds(30)
    /// Topics that exist at once, instances of templates included.
    public var topics: Int = 100_000
    /// Memory of all topics' logs together, with all that belongs to it. `nil`: a quarter of what the process may use.
    public var logBytes: Int?
    /// Upstream connections of feeds; those over it wait. `nil`: a quarter of `RLIMIT_NOFILE`.
    public var feeds: Int?
    /// Bytes of one line of an upstream feed.
    public var feedLine: Int = 1024 * 1024
    /// Bytes of one event of an upstream feed.
    public var feedEvent: Int = 4 * 1024 * 1024
    /// What a subscriber gets that is refused for load.
    public var onLimit: LimitResponse = .retry

    /// The defaults.
    public init() {}
}

/// What a request that names `text/event-stream` gets when it is refused for load. An `EventSource` dies for good on
/// 429 or 503, so the default answers 200, a jittered `retry:` of 10 to 60 s and the end of the stream.
public struct LimitResponse: Sendable, Hashable {
    package enum Kind { case retry, status }
    package let kind: Kind

    /// 200, a jittered `retry:` and the end: the client comes back later.
    public static let retry = LimitResponse(kind: .retry)
    /// The status itself (429 or 503).
    public static let status = LimitResponse(kind: .status)
}
