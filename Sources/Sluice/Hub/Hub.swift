internal import SluiceIO
internal import SluiceSSE
internal import Synchronization

/// Puts all events into one order and hands them on: the one thing, beside the topics' logs, that workers share.
///
/// Locks are taken in the order hub, topic, mailbox. Events are encoded before the hub's lock; eventfds are written and
/// evicted events freed after it.
public final class Hub: Sendable {
    /// What a worker is told by the hub.
    enum Message: Sendable {
        /// A topic has events up to this sequence.
        case published(Topic, through: UInt64)
        /// From this sequence on everything in the topic reaches this worker's mailbox.
        case joined(Topic, position: UInt64)
    }

    struct State: ~Copyable {
        var sequence: UInt64 = 0
        var topics: [String: Topic] = [:]
        var instances: [Int: Int] = [:]
    }

    /// One incarnation of the hub: 8 hex digits that begin every id.
    let epoch: [UInt8]
    let clock: any MonotonicClock
    private let catalog: TopicCatalog
    private let topicLimit: Int
    private let state = Mutex(State())
    private let mailboxes: [Mailbox<Message>]

    init(catalog: TopicCatalog, topicLimit: Int, mailboxes: [Mailbox<Message>], clock: any MonotonicClock) {
        self.catalog = catalog
        self.topicLimit = topicLimit
        self.mailboxes = mailboxes
        self.clock = clock
        let digits = Array("0123456789abcdef".utf8)
        epoch = (0..<8).map { _ in digits[Int.random(in: 0..<16)] }
        let now = clock.nowMilliseconds()
        let literals = catalog.literals.map { name, options in
            Topic(name: name, options: options, isInstance: false, birth: 0, milliseconds: now)
        }
        state.withLock { state in
            for topic in literals { state.topics[topic.name] = topic }
        }
    }

    // MARK: Topics

    /// The topic of this name; an instance of a template is made when it is the first use.
    func topic(named name: String) throws(SluiceError) -> Topic {
        if let topic = state.withLock({ $0.topics[name] }) { return topic }
        guard let template = catalog.template(matching: name) else {
            throw SluiceError(.unknownTopic, "there is no topic \(name)")
        }
        let now = clock.nowMilliseconds()
        let made: Topic? = state.withLock { state in
            if let topic = state.topics[name] { return topic }
            let live = state.instances[template.number, default: 0]
            guard live < template.options.limit, state.topics.count < topicLimit else { return nil }
            let topic = Topic(
                name: name, options: template.options, isInstance: true, birth: state.sequence, milliseconds: now)
            state.topics[name] = topic
            state.instances[template.number] = live + 1
            return topic
        }
        guard let made else { throw SluiceError(.limit, "there are as many topics as there may be") }
        return made
    }

    var workerCount: Int { mailboxes.count }

    /// How many topics exist, instances of templates included.
    var topicCount: Int { state.withLock { $0.topics.count } }

    /// Drops idle instances of templates, and events that grew older than their topic's history. Once a second.
    func sweep() {
        let now = clock.nowMilliseconds()
        let topics = state.withLock { Array($0.topics.values) }
        var evicted: [EncodedEvent] = []
        for topic in topics {
            topic.log.withLock { $0.trim(milliseconds: now, evicted: &evicted) }
            guard isIdle(topic, now) else { continue }
            state.withLock { state in
                // Looked at again under the lock: somebody may have joined or published meanwhile.
                guard isIdle(topic, now), state.topics[topic.name] === topic else { return }
                state.topics[topic.name] = nil
                if let number = catalog.template(matching: topic.name)?.number {
                    state.instances[number, default: 1] -= 1
                }
            }
        }
    }

    private func isIdle(_ topic: Topic, _ now: UInt64) -> Bool {
        topic.isInstance && topic.interest.load(ordering: .relaxed) == 0
            && topic.lastUse.load(ordering: .relaxed) &+ topic.options.linger.milliseconds <= now
    }

    // MARK: Order

    /// The sequence of the newest event of all topics.
    var position: UInt64 { state.withLock { $0.sequence } }

    /// Appends a batch in order, all or nothing, and posts it to the workers that are interested.
    /// - Parameter worker: the worker whose thread this is: it looks into its mailbox anyway before it flushes.
    /// - Returns: the sequence of the batch's first event; `nil` when the topic was dropped meanwhile.
    func append(_ batch: [EncodedEvent], to topic: Topic, from worker: Int? = nil) -> UInt64? {
        let now = clock.nowMilliseconds()
        var evicted: [EncodedEvent] = []
        var wake: UInt64 = 0
        let first: UInt64? = state.withLock { state in
            if topic.isInstance, state.topics[topic.name] !== topic { return nil }
            let first = state.sequence &+ 1
            topic.log.withLock { log in
                for event in batch {
                    state.sequence &+= 1
                    log.append(event, sequence: state.sequence, milliseconds: now, evicted: &evicted)
                }
            }
            topic.lastUse.store(now, ordering: .relaxed)
            var interest = topic.interest.load(ordering: .relaxed)
            while interest != 0 {
                let index = interest.trailingZeroBitCount
                interest &= interest - 1
                if mailboxes[index].post(.published(topic, through: state.sequence), wake: false), index != worker {
                    wake |= 1 << UInt64(index)
                }
            }
            return first
        }
        while wake != 0 {
            mailboxes[wake.trailingZeroBitCount].wake()
            wake &= wake - 1
        }
        return first
    }

    /// Registers a worker's interest in a topic. Its subscriptions begin when the answer comes out of its mailbox: what
    /// was posted before the answer is history for them, what comes after it is live.
    /// - Returns: whether the topic still exists.
    func join(_ topic: Topic, worker: Int) -> Bool {
        state.withLock { state in
            guard state.topics[topic.name] === topic else { return false }
            let interest = topic.interest.load(ordering: .relaxed)
            topic.interest.store(interest | 1 << UInt64(worker), ordering: .relaxed)
            _ = mailboxes[worker].post(.joined(topic, position: state.sequence), wake: false)
            return true
        }
    }

    /// Ends a worker's interest.
    func leave(_ topic: Topic, worker: Int) {
        let now = clock.nowMilliseconds()
        state.withLock { _ in
            let interest = topic.interest.load(ordering: .relaxed)
            topic.interest.store(interest & ~(1 << UInt64(worker)), ordering: .relaxed)
            topic.lastUse.store(now, ordering: .relaxed)
        }
    }
}
