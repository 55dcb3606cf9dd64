/// An event to send (WHATWG HTML, section 9.2.6).
public struct ServerSentEvent: Sendable, Hashable {
    /// The text. CR, LF and CRLF each start a new `data:` line, so a reader gets all three as LF.
    public var data: String
    /// The type that a reader listens for; `nil`: none is sent, and a reader takes it for `message`.
    public var event: String?
    /// What a reader sends back as Last-Event-ID when it reconnects. An empty one clears what it had.
    public var id: String?
    /// The time that a reader waits before it reconnects, sent as whole milliseconds.
    public var retry: Duration?

    /// An event.
    public init(_ data: String, event: String? = nil, id: String? = nil, retry: Duration? = nil) {
        self.data = data
        self.event = event
        self.id = id
        self.retry = retry
    }
}

/// Why an event cannot be sent.
public struct EventError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind { case event, id, retry }
    package let kind: Kind

    /// The type holds CR, LF or NUL.
    public static let invalidEvent = EventError(kind: .event)
    /// The id holds CR, LF or NUL.
    public static let invalidID = EventError(kind: .id)
    /// The reconnection time is negative, or too long for 64 bits of milliseconds.
    public static let invalidRetry = EventError(kind: .retry)

    /// What is wrong, in words.
    public var description: String {
        switch kind {
        case .event: "an event's type must not hold CR, LF or NUL"
        case .id: "an event's id must not hold CR, LF or NUL"
        case .retry: "an event's reconnection time must be between 0 and 2^64 - 1 milliseconds"
        }
    }
}
