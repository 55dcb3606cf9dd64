/// The newest events of one topic: the buffer of all its subscribers. Guarded by its topic's lock.
///
/// Two bounds lie in it. `history` is what a client that comes back may get; behind that the log keeps its newest
/// `maxLag` bytes, so that a subscriber that lags reads on.
struct TopicLog: ~Copyable {
    private let history: History
    private let historyAge: UInt64
    private let maxLag: Int

    /// A ring: `count` events from `first` on; its capacity is a power of two.
    private var ring: [EncodedEvent?] = []
    private var first = 0
    private(set) var count = 0
    private(set) var bytes = 0
    /// How many of the oldest events are no longer part of the history, and the bytes of the others.
    private var outside = 0
    private var historyBytes = 0

    /// The highest sequence that was evicted. A new log counts everything before its birth as evicted, so that a loss
    /// is never silent.
    private(set) var evictedThrough: UInt64
    /// The highest sequence that the history no longer holds.
    private(set) var historyEndedThrough: UInt64
    /// The own id of the event at `historyEndedThrough`; empty where it has none. A client that brings it missed nothing.
    private var historyEndedID: [UInt8] = []
    /// The newest own id of an event that was evicted.
    private var evictedID: [UInt8] = []
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

    private subscript(_ position: Int) -> EncodedEvent? { ring[(first &+ position) & (ring.count &- 1)] }

    /// Appends an event whose sequence is higher than all before. What falls out is handed to `evicted`, to be freed
    /// after the locks are.
    mutating func append(_ event: EncodedEvent, sequence: UInt64, milliseconds: UInt64, evicted: inout [EncodedEvent]) {
        let size = event.count(.chunked)
        endOffset &+= UInt64(size)
        event.assign(sequence: sequence, endOffset: endOffset, milliseconds: milliseconds)
        if count == ring.count { grow() }
        ring[(first &+ count) & (ring.count &- 1)] = event
        count += 1
        bytes += size
        historyBytes += size
        lastSequence = sequence
        trim(milliseconds: milliseconds, evicted: &evicted)
    }

    /// Lets go of what is over the bounds.
    mutating func trim(milliseconds: UInt64, evicted: inout [EncodedEvent]) {
        while outside < count, let event = self[outside], isOutside(event, milliseconds) {
            historyBytes -= event.count(.chunked)
            historyEndedThrough = event.sequence
            historyEndedID = event.header.ownID
            outside += 1
        }
        while outside > 0, let event = self[0], bytes - event.count(.chunked) >= maxLag {
            evictedThrough = event.sequence
            if !event.header.ownID.isEmpty { evictedID = event.header.ownID }
            bytes -= event.count(.chunked)
            evicted.append(event)
            ring[first] = nil
            first = (first &+ 1) & (ring.count &- 1)
            count -= 1
            outside -= 1
        }
    }

    private func isOutside(_ event: EncodedEvent, _ now: UInt64) -> Bool {
        count - outside > history.events || historyBytes > history.bytes
            || event.header.milliseconds &+ historyAge < now
    }

    private mutating func grow() {
        var larger = [EncodedEvent?](repeating: nil, count: max(8, ring.count * 2))
        for position in 0..<count { larger[position] = self[position] }
        ring = larger
        first = 0
    }

    /// The position in the ring of the first event after a cursor.
    private func position(after cursor: UInt64) -> Int {
        if cursor >= lastSequence { return count }
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if let event = self[middle], event.sequence <= cursor { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Appends the events after a cursor, up to `through` and about `maxBytes` (one at least), to `events`.
    /// - Returns: whether these were all up to `through`.
    func read(after cursor: UInt64, through: UInt64, maxBytes: Int, into events: inout [EncodedEvent]) -> Bool {
        var position = position(after: cursor)
        var taken = 0
        while position < count, let event = self[position], event.sequence <= through {
            let size = event.count(.chunked)
            if taken > 0 && taken + size > maxBytes { return false }
            events.append(event)
            taken += size
            position += 1
        }
        return true
    }

    /// Bytes published after a cursor.
    func lag(after cursor: UInt64) -> UInt64 {
        let position = position(after: cursor)
        guard position < count, let event = self[position] else { return 0 }
        return endOffset &- event.header.endOffset &+ UInt64(event.count(.chunked))
    }

    /// The sequence of the newest event with this own id; the id that a client brings under `ids: upstream`.
    func sequence(ofOwnID id: [UInt8]) -> UInt64? {
        var position = count
        while position > outside {
            position -= 1
            if let event = self[position], event.header.ownID == id { return event.sequence }
        }
        return !id.isEmpty && id == historyEndedID ? historyEndedThrough : nil
    }

    /// The own id of the newest event up to a cursor that has one, remembered also when that event is gone.
    func ownID(at cursor: UInt64) -> [UInt8]? {
        var position = position(after: cursor)
        while position > 0 {
            position -= 1
            if let event = self[position], !event.header.ownID.isEmpty { return event.header.ownID }
        }
        return evictedID.isEmpty ? nil : evictedID
    }

    /// The sequence just before the oldest event that the history holds.
    var beforeOldest: UInt64 { historyEndedThrough }
}
