internal import Synchronization

/// Events that are published together, encoded, and what each topic gets of them.
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
    }

    private(set) var placements: [Placement] = []
    private(set) var shares: [Share] = []
    private var places: [ObjectIdentifier: Int] = [:]

    /// Topics of one form get the same bytes.
    mutating func add(_ publication: Publication, epoch: [UInt8]) {
        var encoded: EncodedEvent?
        var form: EventForm?
        for (number, topic) in publication.topics.enumerated() {
            let event: EncodedEvent
            if let encoded, form == topic.form {
                event = encoded
            } else {
                event = EncodedEvent.make(publication.draft, topic.form, epoch: epoch)
                form = topic.form
                encoded = event
            }
            let share = share(of: topic)
            shares[share].events += 1
            shares[share].bytes += event.count(.chunked)
            shares[share].cost += event.cost
            placements.append(Placement(event: event, share: share, isFirst: number == 0))
        }
    }

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
    func append(after sequence: UInt64, milliseconds: UInt64, evicted: inout [EncodedEvent]) -> UInt64 {
        var sequence = sequence
        // First, for all: an event that is in a log already may be read.
        for placement in placements {
            if placement.isFirst { sequence &+= 1 }
            placement.event.assign(sequence: sequence, milliseconds: milliseconds)
        }
        for placement in placements {
            shares[placement.share].topic.log.withLock { $0.append(placement.event, evicted: &evicted) }
        }
        return sequence
    }
}
