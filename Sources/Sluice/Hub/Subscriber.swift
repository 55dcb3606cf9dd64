internal import SluiceHTTP

/// One subscription of one stream: a cursor into the logs of its topics and nothing that grows.
///
/// What the broadcast looks at comes first, to lie in one cache line.
@safe struct Subscriber {
    /// Its stream, at its place in the worker's slab for as long as the subscription lives.
    let stream: Place<Stream>
    /// Everything up to here was written.
    var cursor: UInt64 = 0
    /// When something was last written, in milliseconds.
    var lastSent: UInt64 = 0
    let framing: Framing
    var state: State = .waiting
    /// Reads only the newest event of each type until it is live again.
    var isConflating = false
    var isResuming = false
    /// What it gets is a gzip member.
    let isCompressed: Bool
    /// Its place among the members of its audience.
    var slot = 0
    /// Events that it got whole.
    var events: UInt64 = 0
    /// How far its gzip member is.
    var gzip = GzipProgress()
    /// An event of which a part was written, and how many bytes of it were.
    var unfinished: EncodedEvent?
    var unfinishedOffset = 0

    let audience: Unmanaged<Audience>
    let token: Token
    /// The time between two heartbeats of this stream; they differ, so that not all fire at once. 0: none.
    let heartbeat: UInt64
    /// When the stream is ended for its age. 0: never.
    let endsAt: UInt64
    /// The hub's position when the stream began: lag counts from there.
    var joinSequence: UInt64 = 0
    /// For each topic, what the stream does without up to there; `nil`: nothing.
    var floors: [UInt64]?
    /// Gone once the stream has begun.
    var opening: Opening?

    enum State: UInt8 {
        /// For the answer of all its topics that all later events will come.
        case waiting
        /// Reading on from the log.
        case lagging
        /// At the head of the log.
        case live
        /// No more events: the stream ends when what was begun is finished.
        case ending
    }
}

/// What a stream begins with.
final class Opening {
    var head: ResponseHead
    /// The cursor that the client brought.
    let lastEventID: [UInt8]?
    /// The head says that the body is gzip.
    let isCompressed: Bool
    /// The cursor is a credential to the access log.
    let hidesCursor: Bool

    init(head: ResponseHead, lastEventID: [UInt8]?, isCompressed: Bool = false, hidesCursor: Bool = false) {
        self.head = head
        self.lastEventID = lastEventID
        self.isCompressed = isCompressed
        self.hidesCursor = hidesCursor
    }
}

/// How a stream of some topics behaves: where they differ, the first one says; of heartbeats and ages the shortest counts.
struct StreamOptions {
    let heartbeat: UInt64
    let maxAge: UInt64
    let first: TopicOptions

    init(_ topics: [Topic]) {
        first = topics.first?.options ?? TopicOptions()
        heartbeat = topics.map(\.options.heartbeat.milliseconds).filter { $0 > 0 }.min() ?? 0
        maxAge = topics.map(\.options.maxAge.milliseconds).filter { $0 > 0 }.min() ?? 0
    }
}
