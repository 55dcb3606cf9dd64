internal import Synchronization

/// Events that are published together, encoded, and what each topic gets of them.
///
/// A worker fills the same one for each request: what it once took room for, it takes no more.
struct EncodedBatch {
    /// One event in the log of one topic.
    struct Placement {
        let event: EncodedEvent
        /// The topic, in `shares`.
        let share: Int
        /// It begins a publication: those that follow without stand at the same place in the order.
        let isFirst: Bool
    }

    /// What one topic gets.
    struct Share {
        let topic: Topic
        var events = 0
        var bytes = 0
        var cost = 0
        /// The cost of the topic's log when it had all of them.
        var logCost = 0
    }

    private(set) var placements: [Placement] = []
    private(set) var shares: [Share] = []
    private var places: [ObjectIdentifier: Int] = [:]
    /// The text of the event that is being encoded.
    private var text: [UInt8] = []

    /// So much room is kept for the next batch.
    private static let room = 256

    /// Adds an event for one topic.
    mutating func add(_ draft: EventDraft, to topic: Topic, epoch: [UInt8]) {
        place(EncodedEvent.make(draft, topic.form, epoch: epoch, text: &text), topic, isFirst: true)
    }

    /// Adds an event with its topics. Those of one form get the same bytes.
    mutating func add(_ publication: Publication, epoch: [UInt8]) {
        var encoded: EncodedEvent?
        var form: EventForm?
        for (number, topic) in publication.topics.enumerated() {
            let event: EncodedEvent
            if let encoded, form == topic.form {
                event = encoded
            } else {
                event = EncodedEvent.make(publication.draft, topic.form, epoch: epoch, text: &text)
                form = topic.form
                encoded = event
            }
            place(event, topic, isFirst: number == 0)
        }
    }

    private mutating func place(_ event: EncodedEvent, _ topic: Topic, isFirst: Bool) {
        let share = share(of: topic)
        shares[share].events += 1
        shares[share].bytes += event.count(.chunked)
        shares[share].cost += event.cost
        placements.append(Placement(event: event, share: share, isFirst: isFirst))
    }

    mutating func removeAll() {
        placements.removeAll(keepingCapacity: placements.count <= Self.room)
        shares.removeAll(keepingCapacity: shares.count <= Self.room)
        if !places.isEmpty { places = [:] }
        if text.capacity > 64 * Self.room { text = [] }
    }

    /// Puts another in the place of a topic that was dropped, an instance of the same name; `nil`: nothing gets its
    /// events.
    mutating func replace(_ topic: Topic, by next: Topic?) {
        let old = self
        removeAll()
        var isFirst = false
        for placement in old.placements {
            isFirst = isFirst || placement.isFirst
            let found = old.shares[placement.share].topic
            guard let topic = found === topic ? next : found else { continue }
            place(placement.event, topic, isFirst: isFirst)
            isFirst = false
        }
    }

    /// Subscribers that are connected to its topics.
    var subscribers: Int { shares.reduce(0) { $0 + $1.topic.subscribers.load(ordering: .relaxed) } }

    private mutating func share(of topic: Topic) -> Int {
        if let last = shares.last, last.topic === topic { return shares.count - 1 }
        // Most batches are for one topic, or for few.
        if shares.count < 4 {
            if let place = shares.firstIndex(where: { $0.topic === topic }) { return place }
        } else {
            if places.isEmpty {
                for (place, share) in shares.enumerated() { places[ObjectIdentifier(share.topic)] = place }
            }
            if let place = places[ObjectIdentifier(topic)] { return place }
            places[ObjectIdentifier(topic)] = shares.count
        }
        shares.append(Share(topic: topic))
        return shares.count - 1
    }

    /// The topic that gets more than its log, or all logs together, can keep.
    func tooLarge(logBytes: Int) -> String? {
        var cost = 0
        for share in shares {
            cost += share.cost
            if cost > logBytes || !share.topic.keeps(events: share.events, bytes: share.bytes) {
                return share.topic.name
            }
        }
        return nil
    }

    /// Gives the events their places and appends them to their topics' logs. Under the hub's lock.
    /// - Returns: the sequence of the last one.
    mutating func append(after sequence: UInt64, milliseconds: UInt64, evicted: inout [EncodedEvent]) -> UInt64 {
        var sequence = sequence
        // First, for all: an event that is in a log already may be read.
        for placement in placements {
            if placement.isFirst { sequence &+= 1 }
            placement.event.assign(sequence: sequence, milliseconds: milliseconds)
        }
        var next = 0
        while next < placements.count {
            let share = placements[next].share
            let topic = shares[share].topic
            // Neighbours for one topic, which most of them are, share a lock.
            topic.log.withLock { log in
                while next < placements.count, placements[next].share == share {
                    log.append(placements[next].event, evicted: &evicted)
                    next += 1
                }
                topic.published.store(log.endOffset, ordering: .relaxed)
                shares[share].logCost = log.cost
            }
        }
        return sequence
    }
}
