internal import SluiceIO
public import SluiceSSE
internal import Synchronization

/// A program's subscription to a topic: an `AsyncSequence` of what a client of the topic would get.
///
/// It is a cursor into the topic's log and keeps no events of its own, so a program that reads slowly costs nothing and
/// holds nobody up. When what comes next has left the log meanwhile, the sequence says so with a gap and goes on with the
/// oldest event there is; the topic's `overflow` is for clients and does not apply.
///
/// It begins when it is made: what is published from then on is not missed, however late the first read is. It ends when
/// it is cancelled, when the task that reads it is, when it is let go of, or behind the last event when the gateway has
/// stopped. It is for one reader: while one waits, another gets `nil`.
public final class TopicSubscription: AsyncSequence, Sendable {
    /// What comes next in a topic.
    public enum Element: Sendable, Hashable {
        /// An event with the id that clients see.
        case event(ServerSentEvent)
        /// Events are missing here: after that of the id `after`, as far as it is known.
        case gap(after: String?)
    }

    /// Nothing fails; a subscription ends.
    public typealias Failure = Never

    /// Where a subscription begins.
    public struct Start: Sendable, Hashable {
        enum Kind: Hashable { case now, oldest, after(String) }
        let kind: Kind

        /// With what is published from now on.
        public static let now = Start(kind: .now)
        /// With the oldest event of the topic's history.
        public static let oldest = Start(kind: .oldest)
        /// With what follows the event of this id, as a client with this `Last-Event-ID` would. A gap comes first when
        /// the id is not known or what followed it is gone.
        public static func after(_ id: String) -> Start { Start(kind: .after(id)) }
    }

    private struct State {
        /// Everything up to here was handed out.
        var cursor: UInt64
        /// The id of what was handed out last, or asked for.
        var lastID: String?
        var isGapDue = false
        var isReading = false
        var isOver = false
    }

    private enum Step {
        case element(Element)
        case end
        case wait
    }

    let topic: Topic
    private let hub: Hub
    private let state: Mutex<State>

    /// A subscription to a topic in which it is counted already.
    init(_ topic: Topic, _ hub: Hub, _ start: Start) {
        self.topic = topic
        self.hub = hub
        state = Mutex(Self.state(topic, hub, start))
    }

    deinit { cancel() }

    /// Ends the subscription; whoever waits for the next event gets `nil`.
    public func cancel() {
        let isFirst = state.withLock { state in
            defer { state.isOver = true }
            return !state.isOver
        }
        guard isFirst else { return }
        topic.watch.wake(ObjectIdentifier(self))
        hub.unwatch(topic)
    }

    /// Reads on where it is.
    public func makeAsyncIterator() -> Iterator { Iterator(subscription: self) }

    /// Hands out one element after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let subscription: TopicSubscription

        /// The next event or gap; `nil` when the subscription is over.
        public mutating func next() async -> TopicSubscription.Element? { await subscription.next() }

        /// The next event or gap; `nil` when the subscription is over.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> TopicSubscription.Element? {
            await subscription.next()
        }
    }

    // MARK: Reading

    private func next() async -> Element? {
        let isAlone = state.withLock { state in
            defer { state.isReading = true }
            return !state.isReading
        }
        guard isAlone else { return nil }
        defer { state.withLock { $0.isReading = false } }
        return await withTaskCancellationHandler {
            while true {
                switch step() {
                case .element(let element): return element
                case .end: return nil
                case .wait: await wait()
                }
            }
        } onCancel: {
            cancel()
        }
    }

    private func wait() async {
        await withCheckedContinuation { continuation in
            topic.watch.add(ObjectIdentifier(self), continuation)
            if hasNews { topic.watch.wake(ObjectIdentifier(self)) }
        }
    }

    private var hasNews: Bool {
        state.withLock { state in
            state.isOver || hub.hasEnded || topic.log.withLock { $0.lastSequence > state.cursor }
        }
    }

    private func step() -> Step {
        // Before the log is looked at: what was published just before the end is in it then.
        let hasEnded = hub.hasEnded
        let event: EncodedEvent? = state.withLock { state in
            guard !state.isOver, !state.isGapDue else { return nil }
            let (evicted, event) = topic.log.withLock { log in
                var events: [EncodedEvent] = []
                _ = log.read(after: state.cursor, through: .max, maxBytes: 1, into: &events)
                return (log.evictedThrough, events.first)
            }
            guard evicted <= state.cursor else {
                state.cursor = evicted
                state.isGapDue = true
                return nil
            }
            if let event { state.cursor = event.sequence }
            return event
        }
        if let event { return .element(.event(remember(event))) }
        return state.withLock { state in
            if state.isOver { return .end }
            guard state.isGapDue else { return hasEnded ? .end : .wait }
            state.isGapDue = false
            return .element(.gap(after: state.lastID))
        }
    }

    private func remember(_ encoded: EncodedEvent) -> ServerSentEvent {
        let event = encoded.decoded
        if let id = event.id { state.withLock { $0.lastID = id } }
        return event
    }

    // MARK: Where it begins

    private static func state(_ topic: Topic, _ hub: Hub, _ start: Start) -> State {
        let now = hub.clock.nowMilliseconds()
        let position = hub.position
        var evicted: [EncodedEvent] = []
        let kind = topic.options.ids.kind
        return topic.log.withLock { log in
            log.trim(milliseconds: now, evicted: &evicted)
            let oldest = log.historyEndedThrough
            switch start.kind {
            case .now: return State(cursor: log.lastSequence)
            case .oldest: return State(cursor: oldest)
            case .after(let id):
                let bytes = Array(id.utf8)
                let known: UInt64? =
                    switch kind {
                    case .gateway: hub.sequence(ofID: bytes).flatMap { $0 <= position ? $0 : nil }
                    case .upstream: log.sequence(ofOwnID: bytes)
                    case .off: nil
                    }
                let isGap = known.map { $0 < oldest } ?? true
                return State(cursor: Swift.max(oldest, known ?? 0), lastID: id, isGapDue: isGap)
            }
        }
    }
}

extension Hub {
    /// Subscribes this program to a topic; an instance of a template is made when it is the first use, and stays while
    /// the subscription does. It counts as a subscriber of the topic: feeds that connect on demand do.
    /// - Throws: `SluiceError` of kind `unknownTopic` or `limit`.
    public func subscribe(
        to topic: String, from start: TopicSubscription.Start = .now
    ) throws(SluiceError) -> TopicSubscription {
        while true {
            let found = try self.topic(named: topic)
            // The instance may have been dropped between finding it and now.
            if watch(found) { return TopicSubscription(found, self, start) }
        }
    }
}

extension EncodedEvent {
    /// The event as a client reads it.
    var decoded: ServerSentEvent {
        var decoded = ServerSentEvent("")
        var parser = EventParser(limits: EventParser.Limits(line: .max, event: .max))
        unsafe withBytes(.untilClose) { bytes in
            unsafe parser.parse(bytes) { item in
                switch item {
                case .event(let event):
                    decoded.data = String(decoding: event.data, as: UTF8.self)
                    if !event.type.isEmpty { decoded.event = String(decoding: event.type, as: UTF8.self) }
                    if event.hasOwnID { decoded.id = String(decoding: event.lastEventID, as: UTF8.self) }
                case .retry(let milliseconds):
                    decoded.retry = .milliseconds(Int64(clamping: milliseconds))
                case .comment, .lineTooLong, .eventTooLong: break
                }
            }
        }
        return decoded
    }
}
