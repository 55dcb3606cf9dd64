internal import Synchronization

/// The subscribers of one set of topics on one worker, and the round in which the broadcast writes to them.
///
/// A round visits each member once and gives it one run at most. What is published while it goes on is written to those
/// that it has not visited yet, and the next round sees to the rest; so a round ends, however fast events come.
final class Audience {
    /// Topics without doubles, and the one whose options count; the others' order says nothing.
    struct Key: Hashable {
        let first: ObjectIdentifier?
        let topics: Set<ObjectIdentifier>

        init(_ topics: [Topic]) {
            first = topics.first.map(ObjectIdentifier.init)
            self.topics = Set(topics.map(ObjectIdentifier.init))
        }
    }

    let key: Key
    let topics: [Topic]
    let options: StreamOptions
    /// Where its topics are kept, and its place among the audiences of each.
    let seats: [TopicSeat]
    var places: [Int]
    /// Dense, so that a broadcast walks an array of pointers.
    var members: [Place<Subscriber>] = []
    /// The topics' events up to here have come out of the mailbox.
    var target: UInt64 = 0
    /// Topics whose answer is missing that all later events come by mailbox.
    var missing = 0
    /// A round is under way: so many members are left of it, the next one is `next`.
    var remaining = 0
    var next = 0
    /// What it is for, at least.
    private var roundTarget: UInt64 = 0
    /// The least that a member got to in it: one run may not be all.
    private var roundReached: UInt64 = .max
    /// Everything up to here was written to all members that are live.
    private(set) var completed: UInt64 = 0
    var isDirty = false
    var isRemoved = false

    init(_ key: Key, _ topics: [Topic], seats: [TopicSeat], position: UInt64) {
        self.key = key
        self.topics = topics
        self.seats = seats
        options = StreamOptions(topics)
        places = Array(repeating: 0, count: seats.count)
        target = position
        completed = position
    }

    var isJoined: Bool { missing == 0 }

    func startRound() {
        remaining = members.count
        roundTarget = target
        roundReached = .max
    }

    /// A member that goes on being live was written to.
    func reached(_ sequence: UInt64) { roundReached = min(roundReached, sequence) }

    /// All members were visited.
    /// - Returns: whether another round has to follow.
    func endRound() -> Bool {
        let before = completed
        completed = max(before, min(roundTarget, roundReached))
        for seat in seats { seat.completed(from: before, to: completed) }
        guard target > completed else { return false }
        startRound()
        return true
    }

    func insert(_ subscriber: Place<Subscriber>) {
        subscriber.value.slot = members.count
        members.append(subscriber)
        // A round that is under way gets longer by this one, or it would end before the last of the others.
        if remaining > 0 { remaining += 1 }
    }

    /// Takes a member out; the last one moves to its place.
    /// - Returns: the moved one, which the round may not visit any more.
    func remove(_ subscriber: Place<Subscriber>) -> Place<Subscriber>? {
        let slot = subscriber.value.slot
        let count = members.count
        if remaining > 0, (count - 1 - next + count) % count < remaining { remaining -= 1 }
        guard let last = members.popLast() else { return nil }
        if next >= members.count { next = 0 }
        guard last != subscriber else { return nil }
        members[slot] = last
        last.value.slot = slot
        return last
    }
}

/// One topic on one worker: the audiences that listen to it, and how far the slowest of their rounds is.
final class TopicSeat {
    let topic: Topic
    private let progress: Topic.Progress
    private let hub: Hub
    private(set) var audiences: [Audience] = []
    /// The position of the hub's answer. What the mailbox says of the topic up to there was for an interest that ended
    /// before this one.
    let start: UInt64
    /// The hub answered: all later events come by mailbox.
    var isJoined = false
    /// What came out of the mailbox: the topic has nothing newer that is to be written.
    private(set) var through: UInt64
    private var endOffset: UInt64 = 0
    /// What the audiences are on the way to, and how many of them are not there.
    private var mark: (sequence: UInt64, offset: UInt64)?
    private var behind = 0

    init(_ topic: Topic, start: UInt64, hub: Hub, worker: Int) {
        self.topic = topic
        self.start = start
        self.hub = hub
        through = start
        progress = topic.progress[worker]
    }

    func insert(_ audience: Audience, seat: Int) {
        audience.places[seat] = audiences.count
        audiences.append(audience)
    }

    func remove(_ audience: Audience, seat: Int) {
        let place = audience.places[seat]
        if let last = audiences.popLast(), last !== audience {
            audiences[place] = last
            if let seat = last.seats.firstIndex(where: { $0 === self }) { last.places[seat] = place }
        }
        if let mark, audience.completed < mark.sequence { arrived() }
    }

    /// More of the topic came out of the mailbox. After its audiences know.
    func published(through sequence: UInt64, endOffset offset: UInt64) {
        through = max(through, sequence)
        endOffset = max(endOffset, offset)
        if mark == nil { setMark() }
    }

    func completed(from before: UInt64, to sequence: UInt64) {
        if let mark, before < mark.sequence, sequence >= mark.sequence { arrived() }
    }

    private func arrived() {
        behind -= 1
        if behind <= 0 { reached() }
    }

    private func setMark() {
        mark = (through, endOffset)
        behind = audiences.reduce(0) { $1.completed < through ? $0 + 1 : $0 }
        if behind == 0 { reached() }
    }

    /// Everything up to the mark was written to all that are live here: sources may publish more.
    private func reached() {
        guard let mark else { return }
        self.mark = nil
        progress.done.store(mark.offset, ordering: .sequentiallyConsistent)
        if (endOffset &- mark.offset) <= topic.bound / 2 { hub.relieve() }
        if through > mark.sequence { setMark() }
    }
}
