internal import SluiceIO
internal import SluiceSSE
internal import Synchronization

/// The part of the hub that one worker runs: who subscribes here, and how far each one is.
final class HubShard {
    /// A stream that the worker has to end.
    struct Ended {
        let connection: Token
        let subscriber: Token
    }

    /// A subscriber that was too slow.
    struct Slow {
        let connection: Token
        let topic: String
    }

    let hub: Hub
    let worker: Int
    let context: LoopContext
    private let mailbox: Mailbox<Hub.Message>
    /// The last sequence taken from the mailbox.
    private(set) var position: UInt64 = 0
    private var messages: [Hub.Message] = []
    private var audiences: [ObjectIdentifier: Audience] = [:]
    private var dirty: [Audience] = []
    private var resuming: [Token] = []
    let subscribers = Slab<Subscriber>()
    let run = Run()
    /// Streams that are over, for the worker to take.
    var ended: [Ended] = []
    /// Connections that took no more while they were written to.
    var blocked: [Token] = []
    /// Subscribers that are ended for being slow, for the log.
    var slow: [Slow] = []
    /// Connections that failed while they were written to, likewise.
    var broken: [Token] = []

    /// Subscribers written to before the loop looks at its sockets again: a broadcast is sliced.
    static let slice = 256
    /// Bytes that one lagging subscriber gets before others have their turn.
    static let turn = 4 * Run.limit

    init(hub: Hub, worker: Int, mailbox: Mailbox<Hub.Message>, context: LoopContext) {
        self.hub = hub
        self.worker = worker
        self.mailbox = mailbox
        self.context = context
    }

    var subscriberCount: Int { subscribers.count }

    // MARK: Subscribing

    /// Begins a subscription. Its stream starts when the topic's events are sure to come, which may be at once.
    func subscribe(_ connection: Place<Connection>, to topic: Topic, opening: Opening) throws(SluiceError) {
        let audience = try audience(of: topic)
        let interval = topic.options.heartbeat.milliseconds
        let heartbeat = interval == 0 ? 0 : interval - UInt64.random(in: 0...(interval / 5))
        let token = subscribers.nextToken
        subscribers.insert(
            unsafe Subscriber(
                connection: connection, framing: connection.value.framing,
                audience: Unmanaged.passUnretained(audience), token: token, heartbeat: heartbeat, opening: opening))
        guard let subscriber = subscribers.find(token) else { return }
        subscriber.value.slot = audience.members.count
        audience.members.append(subscriber)
        // A round that is under way gets longer by this one, or it would end before the last of the others.
        if audience.remaining > 0 { audience.remaining &+= 1 }
        connection.value.subscriber = token
        audience.topic.subscribers.add(1, ordering: .relaxed)
        if audience.isJoined { begin(subscriber) }
    }

    private func audience(of topic: Topic) throws(SluiceError) -> Audience {
        if let audience = audiences[ObjectIdentifier(topic)] { return audience }
        var topic = topic
        while !hub.join(topic, worker: worker) {
            // The instance was dropped between finding it and now.
            topic = try hub.topic(named: topic.name)
            if let audience = audiences[ObjectIdentifier(topic)] { return audience }
        }
        let audience = Audience(topic)
        audiences[ObjectIdentifier(topic)] = audience
        return audience
    }

    /// Ends a subscription; the connection goes on without it or was closed.
    func unsubscribe(_ token: Token) {
        guard let subscriber = subscribers.find(token) else { return }
        let audience = unsafe subscriber.value.audience.takeUnretainedValue()
        let slot = subscriber.value.slot
        if let last = audience.members.popLast(), last != subscriber {
            audience.members[slot] = last
            last.value.slot = slot
            // The broadcast may have passed this place already: let it go round once more.
            if audience.remaining > 0 { audience.remaining = audience.members.count }
        }
        subscriber.value.connection.value.subscriber = nil
        if subscriber.value.state != .ending { audience.topic.subscribers.subtract(1, ordering: .relaxed) }
        subscribers.remove(token)
        if audience.members.isEmpty {
            audiences[ObjectIdentifier(audience.topic)] = nil
            audience.remaining = 0
            hub.leave(audience.topic, worker: worker)
        }
    }

    // MARK: Mail

    /// Takes what the hub posted. Before every flush, so that what this tick published leaves in this tick.
    func takeMail() {
        messages.removeAll(keepingCapacity: true)
        mailbox.take(into: &messages)
        for message in messages {
            switch message {
            case .published(let topic, let through):
                position = max(position, through)
                guard let audience = audiences[ObjectIdentifier(topic)] else { continue }
                audience.target = through
                markDirty(audience)
            case .joined(let topic, let position):
                self.position = max(self.position, position)
                guard let audience = audiences[ObjectIdentifier(topic)] else { continue }
                audience.target = max(audience.target, position)
                // An answer to an interest that ended and began again since: the second one finds it joined.
                if audience.isJoined { markDirty(audience) }
                audience.isJoined = true
                for member in audience.members { begin(member) }
            }
        }
        messages.removeAll(keepingCapacity: true)
    }

    private func markDirty(_ audience: Audience) {
        audience.remaining = audience.members.count
        if !audience.isDirty {
            audience.isDirty = true
            dirty.append(audience)
        }
    }

    // MARK: Fan-out

    /// Writes what is new to those it is for, a slice of it at a time.
    /// - Returns: whether there is more to write.
    func flush() -> Bool {
        var budget = HubShard.slice
        while budget > 0, let audience = dirty.popLast() {
            broadcast(audience, &budget)
            if audience.remaining == 0 {
                audience.isDirty = false
            } else {
                // Behind the others: where events come faster than a round ends, it would keep them waiting for ever.
                dirty.insert(audience, at: 0)
            }
        }
        continueResuming(budget)
        run.clear()
        return !dirty.isEmpty || !resuming.isEmpty
    }

    /// One delivery, a million times a second: pointers, one comparison, one write.
    private func broadcast(_ audience: Audience, _ budget: inout Int) {
        let target = audience.target
        let now = context.now
        unsafe audience.members.withUnsafeBufferPointer { members in
            while audience.remaining > 0, budget > 0 {
                if audience.next >= members.count { audience.next = 0 }
                let subscriber = unsafe members[audience.next]
                audience.next &+= 1
                audience.remaining &-= 1
                guard subscriber.value.state == .live, subscriber.value.cursor < target else { continue }
                budget &-= 1
                deliver(subscriber, audience.topic, target, now)
            }
        }
    }

    private func deliver(
        _ subscriber: Place<Subscriber>, _ topic: Topic, _ target: UInt64, _ now: UInt64
    ) {
        let cursor = subscriber.value.cursor
        let framing = subscriber.value.framing
        if !run.matches(topic, from: cursor, target: target, framing: framing) {
            guard run.gather(topic, from: cursor, target: target, framing: framing) else {
                return overflow(subscriber)
            }
        }
        let bytes = unsafe run.bytes
        let written = unsafe subscriber.value.connection.value.transport.write(bytes, context)
        context.counters.deliveries &+= 1
        if written == bytes.count {
            subscriber.value.cursor = run.through
            subscriber.value.lastSent = now
            if run.through == target {
                // Under TLS all of it is sealed; the last record may not have left.
                _ = isStuck(subscriber)
                return
            }
        } else {
            cut(subscriber, after: written)
        }
        subscriber.value.state = .lagging
        if !isStuck(subscriber) { resumeLater(subscriber) }
    }

    /// Whether the connection takes nothing at the moment, or never again; the worker is told.
    private func isStuck(_ subscriber: Place<Subscriber>) -> Bool {
        if subscriber.value.connection.value.transport.failure != nil {
            broken.append(subscriber.value.connection.value.token)
            return true
        }
        guard subscriber.value.connection.value.transport.isBlocked else { return false }
        blocked.append(subscriber.value.connection.value.token)
        return true
    }

    private func cut(_ subscriber: Place<Subscriber>, after written: Int) {
        let stop = run.stop(after: written)
        subscriber.value.cursor = stop.cursor
        subscriber.value.unfinished = stop.cut?.event
        subscriber.value.unfinishedOffset = stop.cut?.offset ?? 0
    }

    // MARK: Lagging

    /// The connection takes bytes again: the subscriber reads on from the log until it is live, or blocked once more.
    func resume(_ token: Token) {
        guard let subscriber = subscribers.find(token) else { return }
        catchUp(subscriber)
    }

    func resumeLater(_ subscriber: Place<Subscriber>) {
        guard !subscriber.value.isResuming else { return }
        subscriber.value.isResuming = true
        resuming.append(subscriber.value.token)
    }

    /// Some have their turn in every tick, however much there is to broadcast.
    private func continueResuming(_ budget: Int) {
        guard !resuming.isEmpty else { return }
        let turn = resuming.prefix(max(8, budget / 8))
        resuming.removeFirst(turn.count)
        for token in turn {
            guard let subscriber = subscribers.find(token) else { continue }
            subscriber.value.isResuming = false
            catchUp(subscriber)
        }
    }

    private func catchUp(_ subscriber: Place<Subscriber>) {
        guard finishEvent(subscriber) else { return }
        if subscriber.value.state == .ending { return reportEnded(subscriber) }
        guard subscriber.value.state == .lagging else { return }
        let audience = unsafe subscriber.value.audience.takeUnretainedValue()
        var sent = 0
        while subscriber.value.cursor < audience.target {
            if sent >= HubShard.turn { return resumeLater(subscriber) }
            let cursor = subscriber.value.cursor
            let framing = subscriber.value.framing
            if !run.matches(audience.topic, from: cursor, target: audience.target, framing: framing) {
                guard run.gather(audience.topic, from: cursor, target: audience.target, framing: framing) else {
                    return overflow(subscriber)
                }
            }
            let bytes = unsafe run.bytes
            let written = unsafe subscriber.value.connection.value.transport.write(bytes, context)
            if written > 0 { subscriber.value.lastSent = context.now }
            guard written == bytes.count else {
                cut(subscriber, after: written)
                _ = isStuck(subscriber)
                return
            }
            subscriber.value.cursor = run.through
            sent += written
        }
        subscriber.value.state = .live
        _ = isStuck(subscriber)
    }

    /// Writes the rest of an event that was cut.
    /// - Returns: whether nothing is left of it.
    private func finishEvent(_ subscriber: Place<Subscriber>) -> Bool {
        guard let event = subscriber.value.unfinished else { return true }
        let offset = subscriber.value.unfinishedOffset
        let (written, whole) = unsafe event.withBytes(subscriber.value.framing) { bytes in
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[min(offset, bytes.count)...])
            let written = unsafe subscriber.value.connection.value.transport.write(rest, context)
            return (written, written == rest.count)
        }
        guard whole else {
            subscriber.value.unfinishedOffset = offset + written
            return false
        }
        subscriber.value.cursor = event.sequence
        subscriber.value.unfinished = nil
        subscriber.value.lastSent = context.now
        return true
    }

    /// Looks for subscribers that have fallen too far behind. Once a second: a socket that takes nothing never says so.
    func sweep() {
        subscribers.forEach { _, subscriber in
            guard subscriber.value.state == .lagging else { return }
            let cursor = subscriber.value.cursor
            let joinOffset = subscriber.value.joinOffset
            let topic = unsafe subscriber.value.audience.takeUnretainedValue().topic
            let isOver = topic.log.withLock { log in
                log.evictedThrough > cursor
                    || min(log.lag(after: cursor), log.endOffset &- joinOffset) > UInt64(max(0, topic.options.maxLag))
            }
            if isOver { overflow(subscriber) }
        }
    }

    /// The next event is gone, or `maxLag` is passed.
    private func overflow(_ subscriber: Place<Subscriber>) {
        context.counters.endedOverflow &+= 1
        unsafe slow.append(
            Slow(
                connection: subscriber.value.connection.value.token,
                topic: subscriber.value.audience.takeUnretainedValue().topic.name))
        end(subscriber)
    }

    /// Ends a stream, after the event that was begun.
    func end(_ subscriber: Place<Subscriber>) {
        guard subscriber.value.state != .ending else { return }
        subscriber.value.state = .ending
        // From here on it gets no more events, whenever its connection lets go of it.
        unsafe subscriber.value.audience.takeUnretainedValue().topic.subscribers.subtract(1, ordering: .relaxed)
        if subscriber.value.unfinished == nil { reportEnded(subscriber) }
    }

    /// Ends a stream because the gateway stops: with a jittered `retry:`, so that not all come back at once.
    func endGently(_ token: Token) {
        guard let subscriber = subscribers.find(token) else { return }
        let connection = subscriber.value.connection
        let topic = unsafe subscriber.value.audience.takeUnretainedValue().topic
        if subscriber.value.state == .live, !connection.value.transport.isBlocked {
            let retry = max(1000, topic.options.retry.milliseconds)
            var line: [UInt8] = []
            EventEncoder.appendRetry(milliseconds: retry.spread(by: max(0.5, topic.options.retryJitter)), to: &line)
            connection.value.writePrivate(line, context)
        }
        end(subscriber)
    }

    private func reportEnded(_ subscriber: Place<Subscriber>) {
        let connection = subscriber.value.connection.value.token
        ended.append(Ended(connection: connection, subscriber: subscriber.value.token))
    }

    // MARK: Heartbeats

    /// When to look at a new stream first: anywhere within its interval, so that streams that began together part.
    func firstHeartbeat(_ token: Token) -> UInt64? {
        guard let subscriber = subscribers.find(token), subscriber.value.heartbeat > 0 else { return nil }
        return context.now &+ subscriber.value.heartbeat
    }

    /// Sends a heartbeat if nothing was sent for so long.
    /// - Returns: when to look again; `nil`: never.
    func heartbeat(_ token: Token) -> UInt64? {
        guard let subscriber = subscribers.find(token), subscriber.value.heartbeat > 0 else { return nil }
        let now = context.now
        let due = subscriber.value.lastSent &+ subscriber.value.heartbeat
        if due > now { return due }
        if subscriber.value.state == .live, !subscriber.value.connection.value.transport.isBlocked {
            subscriber.value.connection.value.writePrivate([0x3A, 0x0A], context)
            subscriber.value.lastSent = now
        }
        return now &+ subscriber.value.heartbeat
    }
}
