internal import SluiceHTTP

/// One subscription of one stream: a cursor into its topic's log and nothing that grows.
///
/// What the broadcast looks at comes first, to lie in one cache line.
@safe struct Subscriber {
    /// The stream's connection, at its place in the worker's slab for as long as the subscription lives.
    let connection: Place<Connection>
    /// Everything up to here was written.
    var cursor: UInt64 = 0
    /// When something was last written, in milliseconds.
    var lastSent: UInt64 = 0
    let framing: Framing
    var state: State = .waiting
    /// Its place among the members of its audience.
    var slot = 0
    /// An event of which a part was written, and how many bytes of it were.
    var unfinished: EncodedEvent?
    var unfinishedOffset = 0

    let audience: Unmanaged<Audience>
    let token: Token
    /// The time between two heartbeats of this stream; they differ, so that not all fire at once. 0: none.
    let heartbeat: UInt64
    /// The topic's `endOffset` when the stream began: lag counts from there.
    var joinOffset: UInt64 = 0
    /// Gone once the stream has begun.
    var opening: Opening?
    var isResuming = false

    enum State: UInt8 {
        /// For the topic's answer that all later events will come.
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

    init(head: ResponseHead, lastEventID: [UInt8]?) {
        self.head = head
        self.lastEventID = lastEventID
    }
}

/// The subscribers of one topic on one worker.
final class Audience {
    let topic: Topic
    /// Dense, so that a broadcast walks an array of pointers.
    var members: [Place<Subscriber>] = []
    /// The topic's events up to here have come out of the mailbox.
    var target: UInt64 = 0
    /// The hub answered: all later events come by mailbox.
    var isJoined = false
    /// The broadcast goes round: so many members are left of it, the next one is `next`.
    var remaining = 0
    var next = 0
    var isDirty = false

    init(_ topic: Topic) { self.topic = topic }
}
