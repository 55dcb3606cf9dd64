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
        /// A topic has events up to this sequence and to this offset of its log.
        case published(Topic, through: UInt64, endOffset: UInt64)
        /// From this sequence on everything in the topic reaches this worker's mailbox.
        case joined(Topic, position: UInt64)
        /// A topic with sources has its first subscriber or lost its last one, was made or dropped.
        case used(Topic)
        /// A worker that was too far behind for more to be published has caught up.
        case relieved
    }

    struct State: ~Copyable {
        var sequence: UInt64 = 0
        var topics: [String: Topic] = [:]
        var instances: [Int: Int] = [:]
        var costs = CostRanking()
    }

    /// One incarnation of the hub: 8 hex digits that begin every id.
    let epoch: [UInt8]
    let clock: any MonotonicClock
    private let catalog: TopicCatalog
    private let topicLimit: Int
    private let logBytes: Int
    private let windows: TopicWindow.Seats
    let state = Mutex(State())
    let mailboxes: [Mailbox<Message>]
    /// Workers whose sources wait until others have caught up, a bit each.
    private let waiting = Atomic<UInt64>(0)
    private let ended = Atomic<Bool>(false)

    static let noRoomForTopics = "there are as many topics as there may be"
    /// Messages that may wait in one mailbox.
    static let mailboxLimit = 65_536

    init(
        catalog: TopicCatalog, topicLimit: Int, logBytes: Int, mailboxes: [Mailbox<Message>], clock: any MonotonicClock
    ) {
        self.catalog = catalog
        self.topicLimit = topicLimit
        self.logBytes = logBytes
        let windows = TopicWindow.Seats(limit: logBytes / 8 / TopicWindow.cost)
        self.windows = windows
        self.mailboxes = mailboxes
        self.clock = clock
        let digits = Array("0123456789abcdef".utf8)
        epoch = (0..<8).map { _ in digits[Int.random(in: 0..<16)] }
        let now = clock.nowMilliseconds()
        let literals = catalog.literals.map { name, options in
            Topic(
                name: name, options: options, isInstance: false, birth: 0, milliseconds: now, workers: mailboxes.count,
                windows: windows)
        }
        state.withLock { state in
            for topic in literals { state.topics[topic.name] = topic }
        }
    }

    var workerCount: Int { mailboxes.count }

    // MARK: Topics

    /// The topic of this name; an instance of a template is made when it is the first use.
    func topic(named name: String) throws(SluiceError) -> Topic {
        if let topic = state.withLock({ $0.topics[name] }) { return topic }
        guard let template = catalog.template(matching: name) else {
            throw SluiceError(.unknownTopic, "there is no topic \(name)")
        }
        let now = clock.nowMilliseconds()
        let (found, isNew): (Topic?, Bool) = state.withLock { state in
            if let topic = state.topics[name] { return (topic, false) }
            let live = state.instances[template.number, default: 0]
            guard live < template.options.limit, state.topics.count < topicLimit else { return (nil, false) }
            let topic = Topic(
                name: name, options: template.options, isInstance: true, birth: state.sequence, milliseconds: now,
                workers: mailboxes.count, windows: windows)
            state.topics[name] = topic
            state.instances[template.number] = live + 1
            return (topic, true)
        }
        guard let found else { throw SluiceError(.limit, Hub.noRoomForTopics) }
        if isNew { tellUse(of: found) }
        return found
    }

    /// The options of the topic of this name, made or not; `nil`: there can be none.
    func options(ofTopic name: String) -> TopicOptions? {
        state.withLock { $0.topics[name]?.options } ?? catalog.template(matching: name)?.options
    }

    /// How many topics exist, instances of templates included.
    var topicCount: Int { state.withLock { $0.topics.count } }

    /// The memory that all logs take, as it was counted last, with the compressors of topics.
    var logCost: Int { state.withLock { $0.costs.total } + windows.bytes }

    /// Drops idle instances of templates, and events that grew older than their topic's history. Once a second.
    func sweep() {
        let now = clock.nowMilliseconds()
        let topics = state.withLock { Array($0.topics.values) }
        var evicted: [EncodedEvent] = []
        for topic in topics {
            // Whoever compresses at the moment uses it.
            _ = topic.compression.withLockIfAvailable { $0.releaseIdleWindow(now) }
            if topic.agesAt.load(ordering: .relaxed) <= now { trim(topic, now, &evicted) }
            if isIdle(topic, now) { drop(topic, now) }
        }
        // What was compressed since is counted only now.
        state.withLock { keepWithinBytes(&$0, &evicted) }
    }

    /// Lets go of events that are too old, and takes down when the next one can be: what is published later is younger.
    private func trim(_ topic: Topic, _ now: UInt64, _ evicted: inout [EncodedEvent]) {
        state.withLock { state in
            let cost = topic.log.withLock { log in
                log.trim(milliseconds: now, evicted: &evicted)
                let agesAt = (log.historyBegan ?? now) &+ topic.options.history.age.milliseconds
                topic.agesAt.store(agesAt, ordering: .relaxed)
                return log.cost
            }
            if topic.rank.load(ordering: .relaxed) >= 0 { state.costs.settle(topic, cost: cost) }
        }
    }

    private func drop(_ topic: Topic, _ now: UInt64) {
        let isGone = state.withLock { state in
            // Looked at again under the lock: somebody may have joined or published meanwhile.
            guard isIdle(topic, now), state.topics[topic.name] === topic else { return false }
            state.topics[topic.name] = nil
            state.costs.remove(topic)
            topic.isDropped.store(true, ordering: .relaxed)
            if let number = catalog.template(matching: topic.name)?.number {
                state.instances[number, default: 1] -= 1
            }
            return true
        }
        if isGone { tellUse(of: topic) }
    }

    private func isIdle(_ topic: Topic, _ now: UInt64) -> Bool {
        topic.isInstance && topic.interest.load(ordering: .relaxed) == 0 && topic.watchers.load(ordering: .relaxed) == 0
            && topic.lastUse.load(ordering: .relaxed) &+ topic.options.linger.milliseconds <= now
    }

    /// Tells the workers that a topic's sources have to look whether they are wanted.
    func tellUse(of topic: Topic) {
        guard !topic.options.sources.isEmpty else { return }
        for mailbox in mailboxes { mailbox.post(.used(topic)) }
    }

    // MARK: Order

    /// The sequence of the newest event of all topics.
    var position: UInt64 { state.withLock { $0.sequence } }

    /// What became of a batch that was to be appended.
    enum Outcome {
        /// The sequence of its first event.
        case appended(UInt64)
        case full
        case tooLarge(topic: String)
        /// One of its topics was dropped meanwhile.
        case dropped(Topic)
    }

    /// Appends a batch in order, all or nothing, and posts it to the workers that are interested.
    /// - Parameter worker: the worker whose thread this is: it looks into its mailbox anyway before it flushes.
    func append(_ batch: inout EncodedBatch, from worker: Int? = nil, isSource: Bool = false) -> Outcome {
        if let topic = batch.tooLarge(logBytes: logBytes) { return .tooLarge(topic: topic) }
        let now = clock.nowMilliseconds()
        var evicted: [EncodedEvent] = []
        var wake: UInt64 = 0
        let outcome: Outcome = state.withLock { state in
            for share in batch.shares where share.topic.isDropped.load(ordering: .relaxed) {
                return .dropped(share.topic)
            }
            if batch.shares.contains(where: isBehind) {
                guard let worker else { return .full }
                waiting.bitwiseOr(1 << UInt64(worker), ordering: .sequentiallyConsistent)
                // Looked at again: a worker that caught up in between may have found nobody waiting.
                if batch.shares.contains(where: isBehind) { return .full }
            }
            let first = state.sequence &+ 1
            state.sequence = batch.append(after: state.sequence, milliseconds: now, evicted: &evicted)
            for share in batch.shares {
                if !isSource { share.topic.lastUse.store(now, ordering: .relaxed) }
                state.costs.settle(share.topic, cost: share.logCost)
            }
            wake = post(batch, through: state.sequence, from: worker)
            keepWithinBytes(&state, &evicted)
            return .appended(first)
        }
        while wake != 0 {
            mailboxes[wake.trailingZeroBitCount].wake()
            wake &= wake - 1
        }
        if case .appended = outcome {
            for share in batch.shares { share.topic.watch.wakeAll() }
        }
        return outcome
    }

    /// Whether a worker with subscribers is so far behind that more might push out what it has not sent.
    private func isBehind(_ share: EncodedBatch.Share) -> Bool {
        let topic = share.topic
        let published = topic.published.load(ordering: .relaxed)
        var interest = topic.interest.load(ordering: .relaxed)
        while interest != 0 {
            let index = interest.trailingZeroBitCount
            interest &= interest - 1
            let backlog = published &- topic.progress[index].done.load(ordering: .sequentiallyConsistent)
            if backlog > 0, backlog &+ UInt64(share.bytes) > topic.bound { return true }
            if mailboxes[index].count > Hub.mailboxLimit { return true }
        }
        return false
    }

    /// Tells each interested worker of all its topics at once: one that took a part of that would hold the rest, whose
    /// sequences are as high, for sent.
    private func post(_ batch: EncodedBatch, through sequence: UInt64, from worker: Int?) -> UInt64 {
        var wake: UInt64 = 0
        var interest: UInt64 = batch.shares.reduce(0) { $0 | $1.topic.interest.load(ordering: .relaxed) }
        while interest != 0 {
            let index = interest.trailingZeroBitCount
            interest &= interest - 1
            let owesWake = mailboxes[index].post(wake: false) { messages in
                for topic in batch.shares.lazy.map(\.topic)
                where topic.interest.load(ordering: .relaxed) >> UInt64(index) & 1 == 1 {
                    let endOffset = topic.published.load(ordering: .relaxed)
                    messages.append(.published(topic, through: sequence, endOffset: endOffset))
                }
            }
            if owesWake, index != worker { wake |= 1 << UInt64(index) }
        }
        return wake
    }

    /// All logs together hold no more than they may: the largest one loses its oldest event until they do.
    private func keepWithinBytes(_ state: inout State, _ evicted: inout [EncodedEvent]) {
        while state.costs.total > logBytes - windows.bytes, let topic = state.costs.largest {
            let (isSmaller, cost) = topic.log.withLock { log in (log.evictOldest(evicted: &evicted), log.cost) }
            state.costs.settle(topic, cost: cost)
            // Nothing is left in the largest one: what remains is the topics themselves.
            guard isSmaller else { return }
        }
    }

    /// A worker has written more to its subscribers: sources that waited for it may go on.
    func relieve() {
        guard waiting.load(ordering: .sequentiallyConsistent) != 0 else { return }
        var workers = waiting.exchange(0, ordering: .sequentiallyConsistent)
        while workers != 0 {
            mailboxes[workers.trailingZeroBitCount].post(.relieved)
            workers &= workers - 1
        }
    }

    // MARK: Subscriptions of this program

    /// Counts a subscription.
    /// - Returns: whether the topic still exists.
    func watch(_ topic: Topic) -> Bool {
        let isThere = state.withLock { state in
            guard state.topics[topic.name] === topic else { return false }
            topic.watchers.add(1, ordering: .relaxed)
            return true
        }
        if isThere { count(topic, 1) }
        return isThere
    }

    func unwatch(_ topic: Topic) {
        count(topic, -1)
        let now = clock.nowMilliseconds()
        state.withLock { _ in
            topic.watchers.subtract(1, ordering: .relaxed)
            topic.lastUse.store(now, ordering: .relaxed)
        }
    }

    /// Counts a topic's subscribers; its sources hear of the first and the last one.
    func count(_ topic: Topic, _ change: Int) {
        let (before, after) = topic.subscribers.add(change, ordering: .relaxed)
        if before == 0 || after == 0 { tellUse(of: topic) }
    }

    /// Nothing comes any more: the gateway has stopped. Subscriptions of this program end.
    func end() {
        ended.store(true, ordering: .sequentiallyConsistent)
        let topics = state.withLock { Array($0.topics.values) }
        for topic in topics { topic.watch.wakeAll() }
    }

    var hasEnded: Bool { ended.load(ordering: .sequentiallyConsistent) }

    // MARK: Interest

    /// Registers a worker's interest in a topic. Its subscriptions begin when the answer comes out of its mailbox: what
    /// was posted before the answer is history for them, what comes after it is live.
    /// - Returns: the answer's position; `nil` when the topic no longer exists.
    func join(_ topic: Topic, worker: Int) -> UInt64? {
        state.withLock { state in
            guard state.topics[topic.name] === topic else { return nil }
            let interest = topic.interest.load(ordering: .relaxed)
            topic.progress[worker].done.store(topic.published.load(ordering: .relaxed), ordering: .relaxed)
            topic.interest.store(interest | 1 << UInt64(worker), ordering: .relaxed)
            _ = mailboxes[worker].post(.joined(topic, position: state.sequence), wake: false)
            return state.sequence
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
        // Nobody has to be waited for here any more.
        relieve()
    }
}
