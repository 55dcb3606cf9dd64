/// The newest events of one topic: the buffer of all its subscribers. Guarded by its topic's lock.
///
/// Two bounds lie in it. `history` is what a client that comes back may get; behind that the log keeps its newest
/// `maxLag` bytes, so that a subscriber that lags reads on.
struct TopicLog: ~Copyable {
    fileprivate struct Entry {
        let event: EncodedEvent
        /// Bytes published to the topic up to the event's end.
        let endOffset: UInt64
        /// The event for streams that are compressed, as far as one has asked.
        var forms: CompressedForms?
    }

    /// What the log keeps of an event, to be looked at and changed outside of its lock.
    struct Slot {
        let sequence: UInt64
        /// `nil`: the log has lost the event.
        var endOffset: UInt64?
        private(set) var forms: CompressedForms?
        private(set) var isChanged = false

        fileprivate init(_ sequence: UInt64, _ entry: Entry?) {
            self.sequence = sequence
            endOffset = entry?.endOffset
            forms = entry?.forms
        }

        mutating func set(_ forms: CompressedForms) {
            self.forms = forms
            isChanged = true
        }
    }

    private let history: History
    private let historyAge: UInt64
    private let maxLag: Int

    /// A ring: `count` events from `first` on; its capacity is a power of two.
    private var ring: [Entry?] = []
    private var first = 0
    private(set) var count = 0
    private(set) var bytes = 0
    private var eventCost = 0
    /// How many of the oldest events are no longer part of the history, and the bytes of the others.
    private var outside = 0
    private var historyBytes = 0

    /// The highest sequence that was evicted. A new log counts everything before its birth as evicted, so that a loss
    /// is never silent.
    private(set) var evictedThrough: UInt64
    /// The highest sequence that the history no longer holds: just before the oldest event that a client may get.
    private(set) var historyEndedThrough: UInt64
    /// The own id of the event at `historyEndedThrough`; empty where it has none. A client that brings it missed nothing.
    private var historyEndedID: [UInt8] = []
    /// The newest own id of an event that was evicted.
    private var evictedID: [UInt8] = []
    /// The newest event of each own id.
    private var index: [[UInt8]: UInt64] = [:]
    /// Bytes published so far, for measuring lag.
    private(set) var endOffset: UInt64 = 0
    private(set) var lastSequence: UInt64

    init(history: History, maxLag: Int, birth: UInt64) {
        self.history = history
        self.historyAge = history.age.milliseconds
        self.maxLag = maxLag
        evictedThrough = birth
        historyEndedThrough = birth
        lastSequence = birth
    }

    /// The memory that it takes: events with their objects, the ring, the index, the topic itself.
    var cost: Int { TopicLog.emptyCost + eventCost + ring.count * MemoryLayout<Entry?>.stride }
    static let emptyCost = 1024

    private subscript(_ position: Int) -> Entry? { ring[(first &+ position) & (ring.count &- 1)] }

    // MARK: Appending

    /// Appends an event whose sequence is higher than all before. What falls out is handed to `evicted`, to be freed
    /// after the locks are.
    mutating func append(_ event: EncodedEvent, evicted: inout [EncodedEvent]) {
        let size = event.count(.chunked)
        endOffset &+= UInt64(size)
        if count == ring.count { resize(to: max(8, count * 2)) }
        ring[(first &+ count) & (ring.count &- 1)] = Entry(event: event, endOffset: endOffset)
        count += 1
        bytes += size
        eventCost += event.cost
        historyBytes += size
        lastSequence = event.sequence
        if event.hasOwnID { index[event.ownID] = event.sequence }
        trim(milliseconds: event.milliseconds, evicted: &evicted)
    }

    /// Lets go of what is over the bounds.
    mutating func trim(milliseconds: UInt64, evicted: inout [EncodedEvent]) {
        while outside < count, let event = self[outside]?.event, isOutside(event, milliseconds) { leaveHistory(event) }
        while outside > 0, let event = self[0]?.event, bytes - event.count(.chunked) >= maxLag {
            evict(event, &evicted)
        }
        shrink()
    }

    /// The time of the oldest event that a client may get; `nil` without one.
    var historyBegan: UInt64? { outside < count ? self[outside]?.event.milliseconds : nil }

    private mutating func shrink() {
        if ring.count > 64, count * 8 <= ring.count { resize(to: ring.count / 4) }
    }

    /// Lets go of the oldest event, whatever the bounds say: all logs together are over theirs.
    /// - Returns: whether there was one.
    mutating func evictOldest(evicted: inout [EncodedEvent]) -> Bool {
        guard count > 0, let event = self[0]?.event else { return false }
        if outside == 0 { leaveHistory(event) }
        evict(event, &evicted)
        shrink()
        return true
    }

    private mutating func leaveHistory(_ event: EncodedEvent) {
        historyBytes -= event.count(.chunked)
        historyEndedThrough = event.sequence
        historyEndedID = event.ownID
        outside += 1
    }

    private mutating func evict(_ event: EncodedEvent, _ evicted: inout [EncodedEvent]) {
        evictedThrough = event.sequence
        if event.hasOwnID {
            evictedID = event.ownID
            if index[evictedID] == event.sequence { index[evictedID] = nil }
        }
        bytes -= event.count(.chunked)
        let forms = self[0]?.forms
        eventCost -= event.cost + (forms?.cost ?? 0)
        evicted.append(event)
        if let block = forms?.block { evicted.append(block) }
        if let piece = forms?.piece { evicted.append(piece.event) }
        ring[first] = nil
        first = (first &+ 1) & (ring.count &- 1)
        count -= 1
        outside -= 1
    }

    private func isOutside(_ event: EncodedEvent, _ now: UInt64) -> Bool {
        count - outside > history.events || historyBytes > history.bytes || event.milliseconds &+ historyAge < now
    }

    private mutating func resize(to capacity: Int) {
        var other = [Entry?](repeating: nil, count: capacity)
        for position in 0..<count { other[position] = self[position] }
        ring = other
        first = 0
    }

    // MARK: Reading

    /// The position in the ring of the first event after a cursor.
    private func position(after cursor: UInt64) -> Int {
        if cursor >= lastSequence { return count }
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if let entry = self[middle], entry.event.sequence <= cursor { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Appends the events after a cursor, up to `through` and about `maxBytes` (one at least), to `events`.
    /// - Returns: whether these were all up to `through`.
    func read(after cursor: UInt64, through: UInt64, maxBytes: Int, into events: inout [EncodedEvent]) -> Bool {
        var position = position(after: cursor)
        var taken = 0
        while position < count, let event = self[position]?.event, event.sequence <= through {
            let size = event.count(.chunked)
            if taken > 0 && taken + size > maxBytes { return false }
            events.append(event)
            taken += size
            position += 1
        }
        return true
    }

    /// The newest event of each type after a cursor and up to `through`, of at most so many types, in order.
    func readNewest(after cursor: UInt64, through: UInt64, types: Int, into events: inout [EncodedEvent]) {
        let start = events.count
        var position = position(after: through)
        var seen: Set<Int> = []
        while position > 0, seen.count < types, let event = self[position - 1]?.event, event.sequence > cursor {
            if seen.insert(event.typeKey).inserted { events.append(event) }
            position -= 1
        }
        events[start...].reverse()
    }

    /// Bytes published after a cursor.
    func lag(after cursor: UInt64) -> UInt64 {
        let position = position(after: cursor)
        guard position < count, let entry = self[position] else { return 0 }
        return endOffset &- entry.endOffset &+ UInt64(entry.event.count(.chunked))
    }

    /// The sequence of the first event that is held after a cursor.
    func firstSequence(after cursor: UInt64) -> UInt64? {
        let position = position(after: cursor)
        return position < count ? self[position]?.event.sequence : nil
    }

    /// Where a subscriber goes on that fell too far behind: before the oldest event that is held and lies within
    /// `maxLag` bytes of the end.
    func skipPoint(after cursor: UInt64) -> UInt64 {
        var low = position(after: max(cursor, evictedThrough))
        var high = count
        while low < high {
            let middle = (low + high) / 2
            guard let entry = self[middle] else { break }
            let lag = endOffset &- entry.endOffset &+ UInt64(entry.event.count(.chunked))
            if lag > UInt64(max(0, maxLag)) { low = middle + 1 } else { high = middle }
        }
        guard low > 0, let before = self[low - 1]?.event.sequence else { return max(cursor, evictedThrough) }
        return max(cursor, evictedThrough, before)
    }

    /// The sequences of the newest events of the history, at most so many, in order.
    func newest(_ limit: Int) -> [UInt64] {
        let start = max(outside, count - max(0, limit))
        return (start..<max(start, count)).compactMap { self[$0]?.event.sequence }
    }

    // MARK: Own ids

    /// The sequence of the newest event with this own id; the id that a client brings under `ids: upstream`.
    func sequence(ofOwnID id: [UInt8]) -> UInt64? {
        guard !id.isEmpty else { return nil }
        if let sequence = index[id], sequence > historyEndedThrough { return sequence }
        return id == historyEndedID ? historyEndedThrough : nil
    }

    /// The own id of the newest event up to a cursor that has one, remembered also when that event is gone.
    func ownID(at cursor: UInt64) -> [UInt8]? {
        var position = position(after: cursor)
        while position > 0 {
            position -= 1
            if let event = self[position]?.event, event.hasOwnID { return event.ownID }
        }
        return evictedID.isEmpty ? nil : evictedID
    }

    // MARK: Compressed forms

    /// What is kept of these events, which follow each other.
    func slots(of events: ArraySlice<EncodedEvent>) -> [Slot] {
        var next = events.first.map { position(after: $0.sequence &- 1) } ?? 0
        return events.map { event in
            if next >= count || self[next]?.event.sequence != event.sequence {
                next = position(after: event.sequence &- 1)
            }
            guard next < count, let entry = self[next], entry.event.sequence == event.sequence else {
                return Slot(event.sequence, nil)
            }
            next += 1
            return Slot(event.sequence, entry)
        }
    }

    /// Keeps an event's forms, unless the event is gone.
    mutating func keep(_ slot: Slot) {
        let position = position(after: slot.sequence &- 1)
        guard position < count, var entry = self[position], entry.event.sequence == slot.sequence else { return }
        eventCost += (slot.forms?.cost ?? 0) - (entry.forms?.cost ?? 0)
        entry.forms = slot.forms
        ring[(first &+ position) & (ring.count &- 1)] = entry
    }
}
