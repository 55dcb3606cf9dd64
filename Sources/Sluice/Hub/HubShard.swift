internal import SluiceIO
internal import SluiceSSE
internal import Synchronization

/// The part of the hub that one worker runs: who subscribes here, and how far each one is.
final class HubShard {
    /// A stream that the worker has to end.
    struct Ended {
        let stream: Token
        let subscriber: Token
        /// Not as a whole body: the client takes a clean end for final.
        let isAborted: Bool
        /// What the body ends with.
        let trailer: [UInt8]
    }

    /// A subscriber that was too slow, and what became of it.
    struct Slow {
        let stream: Token
        let topic: String
        let policy: OverflowPolicy.Kind
    }

    let hub: Hub
    let worker: Int
    let context: LoopContext
    private let mailbox: Mailbox<Hub.Message>
    /// The last sequence taken from the mailbox.
    private(set) var position: UInt64 = 0
    private var messages: [Hub.Message] = []
    private var audiences: [Audience.Key: Audience] = [:]
    /// Audiences with something to write, in the order of their turns: the next one is the last of `next`, and behind
    /// those come the ones of `dirty`.
    var next: [Audience] = []
    var dirty: [Audience] = []
    var resuming: [Token] = []
    let subscribers = Slab<Subscriber>()
    /// For each way of coding one: streams of all kinds lie side by side in an audience.
    let run = Run()
    let blockRun = Run()
    let windowRun = Run()
    /// Streams that are over, for the worker to take.
    var ended: [Ended] = []
    /// Streams that took no more while they were written to.
    var blocked: [Token] = []
    /// Subscribers that were too slow, for the log.
    var slow: [Slow] = []
    /// Streams whose connection failed while they were written to, likewise.
    var broken: [Token] = []
    /// Whether there are any of these.
    var hasLeftStreams: Bool { !(blocked.isEmpty && broken.isEmpty && slow.isEmpty && ended.isEmpty) }
    /// Topics whose sources have to look whether they are wanted.
    var used: [Topic] = []
    /// Sources that were told `full` may try again.
    var isRelieved = false
    var hasNewsForSources: Bool { isRelieved || !used.isEmpty }

    /// Subscribers written to, if it is little, before the loop looks at its sockets again: a broadcast is sliced.
    static let slice = 256
    /// Bytes that one lagging subscriber gets before others have their turn.
    static let turn = 4 * Run.limit

    init(hub: Hub, worker: Int, mailbox: Mailbox<Hub.Message>, context: LoopContext) {
        self.hub = hub
        self.worker = worker
        self.mailbox = mailbox
        self.context = context
    }

    deinit {
        // A seat and its topic hold each other.
        for audience in audiences.values { for seat in audience.seats { self[seat.topic] = nil } }
    }

    var subscriberCount: Int { subscribers.count }

    /// The topic's seat here. Kept by the topic, so that a message needs no look-up.
    private subscript(_ topic: Topic) -> TopicSeat? {
        get { unsafe topic.progress[worker].seat }
        set { unsafe topic.progress[worker].seat = newValue }
    }

    // MARK: Subscribing

    /// Begins a subscription. Its stream starts when the topics' events are sure to come, which may be at once.
    func subscribe(_ stream: Place<Stream>, to topics: [Topic], opening: Opening) throws(SluiceError) {
        let audience = try audience(of: topics)
        let token = subscribers.nextToken
        let heartbeat = audience.options.heartbeat
        let age = audience.options.maxAge
        subscribers.insert(
            unsafe Subscriber(
                stream: stream, framing: stream.value.framing, isCompressed: opening.isCompressed,
                audience: Unmanaged.passUnretained(audience), token: token, heartbeat: heartbeat.lessUpToAFifth,
                endsAt: age == 0 ? 0 : context.now &+ age.lessUpToAFifth, opening: opening))
        guard let subscriber = subscribers.find(token) else { return }
        audience.insert(subscriber)
        stream.value.subscriber = token
        count(subscriber, of: audience, 1)
        if audience.isJoined { begin(subscriber) }
    }

    private func audience(of topics: [Topic]) throws(SluiceError) -> Audience {
        let key = Audience.Key(topics)
        if let audience = audiences[key] { return audience }
        var topics = topics
        var taken: [TopicSeat] = []
        for index in topics.indices {
            while true {
                if let seat = self[topics[index]] {
                    taken.append(seat)
                    break
                }
                if let start = hub.join(topics[index], worker: worker) {
                    let seat = TopicSeat(topics[index], start: start, hub: hub, worker: worker)
                    self[topics[index]] = seat
                    taken.append(seat)
                    break
                }
                // The instance was dropped between finding it and now.
                do throws(SluiceError) {
                    topics[index] = try hub.topic(named: topics[index].name)
                } catch {
                    for seat in taken where seat.audiences.isEmpty { leave(seat) }
                    throw error
                }
            }
        }
        let found = Audience.Key(topics)
        if let audience = audiences[found] { return audience }
        let audience = Audience(found, topics, seats: taken, position: position)
        audience.missing = taken.reduce(0) { $1.isJoined ? $0 : $0 + 1 }
        for (number, seat) in taken.enumerated() { seat.insert(audience, seat: number) }
        audiences[found] = audience
        return audience
    }

    /// Ends a subscription; the connection goes on without it or was closed.
    func unsubscribe(_ token: Token) {
        guard let subscriber = subscribers.find(token) else { return }
        let audience = unsafe subscriber.value.audience.takeUnretainedValue()
        // The round may have passed the place that the moved one has now.
        if let moved = audience.remove(subscriber) { deliver(moved, audience) }
        subscriber.value.stream.value.subscriber = nil
        subscriber.value.stream.value.record?.events = subscriber.value.events
        if subscriber.value.state != .ending { count(subscriber, of: audience, -1) }
        subscribers.remove(token)
        guard audience.members.isEmpty else { return }
        audience.isRemoved = true
        audiences[audience.key] = nil
        for (number, seat) in audience.seats.enumerated() {
            seat.remove(audience, seat: number)
            if seat.audiences.isEmpty { leave(seat) }
        }
    }

    private func leave(_ seat: TopicSeat) {
        self[seat.topic] = nil
        hub.leave(seat.topic, worker: worker)
    }

    // MARK: Mail

    /// Takes what the hub posted. Before every flush, so that what this tick published leaves in this tick.
    func takeMail() {
        mailbox.take(into: &messages)
        guard !messages.isEmpty else { return }
        // It may have been this what sources wait for, whatever the messages are about.
        if messages.count > Hub.mailboxLimit { hub.relieve() }
        for message in messages {
            switch message {
            case .published(let topic, let through, let endOffset):
                position = max(position, through)
                guard let seat = self[topic], through > seat.start else { continue }
                for audience in seat.audiences { reach(audience, through) }
                seat.published(through: through, endOffset: endOffset)
            case .joined(let topic, let position):
                self.position = max(self.position, position)
                // The answer to an interest that ended and began again since is followed by another.
                guard let seat = self[topic], !seat.isJoined, position >= seat.start else {
                    continue
                }
                seat.isJoined = true
                for audience in seat.audiences {
                    reach(audience, position)
                    audience.missing -= 1
                    if audience.isJoined { for member in audience.members { begin(member) } }
                }
            case .used(let topic): used.append(topic)
            case .relieved: isRelieved = true
            }
        }
        messages.removeAll(keepingCapacity: true)
    }

    private func reach(_ audience: Audience, _ sequence: UInt64) {
        audience.target = max(audience.target, sequence)
        guard !audience.isDirty else { return }
        audience.isDirty = true
        audience.startRound()
        dirty.append(audience)
    }

    // MARK: Ending

    /// Ends a stream, after the event that was begun.
    func end(_ subscriber: Place<Subscriber>, _ reason: EndReason) {
        guard subscriber.value.state != .ending else { return }
        subscriber.value.state = .ending
        subscriber.value.stream.value.record?.ends(reason)
        // From here on it gets no more events, whenever its connection lets go of it.
        unsafe count(subscriber, of: subscriber.value.audience.takeUnretainedValue(), -1)
        if subscriber.value.unfinished == nil { reportEnded(subscriber) }
    }

    /// Ends a stream because the gateway stops: with a jittered `retry:`, so that not all come back at once.
    func endGently(_ token: Token) {
        guard let subscriber = subscribers.find(token) else { return }
        let stream = subscriber.value.stream
        let options = unsafe subscriber.value.audience.takeUnretainedValue().options.first
        if subscriber.value.state == .live, !stream.value.isBlocked {
            let retry = max(1000, options.retry.milliseconds)
            var line: [UInt8] = []
            EventEncoder.appendRetry(milliseconds: retry.spread(by: max(0.5, options.retryJitter)), to: &line)
            stream.value.writePrivate(coded(line, for: subscriber), context)
        }
        end(subscriber, .drained)
    }

    func reportEnded(_ subscriber: Place<Subscriber>) {
        let options = unsafe subscriber.value.audience.takeUnretainedValue().options.first
        ended.append(
            Ended(
                stream: subscriber.value.stream.value.token, subscriber: subscriber.value.token,
                isAborted: options.end == .abort,
                trailer: options.end == .abort ? [] : codedEnd(of: subscriber)))
    }

    // MARK: Time

    /// When to look at a new stream first: anywhere within its interval, so that streams that began together part.
    func firstHeartbeat(_ token: Token) -> UInt64? {
        guard let subscriber = subscribers.find(token) else { return nil }
        let heartbeat = subscriber.value.heartbeat
        return sooner(heartbeat == 0 ? nil : context.now &+ heartbeat, subscriber.value.endsAt)
    }

    /// Sends a heartbeat if nothing was sent for so long; ends a stream that is old enough.
    /// - Returns: when to look again; `nil`: never.
    func heartbeat(_ token: Token) -> UInt64? {
        guard let subscriber = subscribers.find(token) else { return nil }
        let now = context.now
        let endsAt = subscriber.value.endsAt
        if endsAt > 0, endsAt <= now {
            if subscriber.value.state != .ending { context.counters.endedAge &+= 1 }
            end(subscriber, .maxAge)
            return nil
        }
        let heartbeat = subscriber.value.heartbeat
        guard heartbeat > 0 else { return sooner(nil, endsAt) }
        let due = subscriber.value.lastSent &+ heartbeat
        if due > now { return sooner(due, endsAt) }
        if subscriber.value.state == .live, !subscriber.value.stream.value.isBlocked {
            subscriber.value.stream.value.writePrivate(codedHeartbeat(for: subscriber), context)
            subscriber.value.lastSent = now
        }
        return sooner(now &+ heartbeat, endsAt)
    }

    private func sooner(_ time: UInt64?, _ endsAt: UInt64) -> UInt64? {
        guard endsAt > 0 else { return time }
        return min(time ?? endsAt, endsAt)
    }
}

extension UInt64 {
    /// This many milliseconds, less up to a fifth of them.
    fileprivate var lessUpToAFifth: UInt64 { self == 0 ? 0 : self - UInt64.random(in: 0...(self / 5)) }
}
