import SluiceIO
import Testing

@testable import Sluice

@Suite struct TopicLogTests {
    private func event(_ text: String, id: String? = nil, type: String = "", sequence: UInt64 = 0, at time: UInt64 = 0)
        -> EncodedEvent
    {
        let event = EncodedEvent(
            EventDraft(data: Array(text.utf8), type: Array(type.utf8), id: Array((id ?? "").utf8)),
            EventForm(.ids(.upstream), topic: "t"), epoch: [])
        event.assign(sequence: sequence, milliseconds: time)
        return event
    }

    /// A log that kept `count` events of the given size, with sequences from 1.
    private func fill(_ log: inout TopicLog, _ count: Int, at time: UInt64 = 0) -> [EncodedEvent] {
        var evicted: [EncodedEvent] = []
        let first = log.lastSequence + 1
        for sequence in first..<first + UInt64(count) {
            log.append(event("event \(sequence)", sequence: sequence, at: time), evicted: &evicted)
        }
        return evicted
    }

    private func read(_ log: borrowing TopicLog, after cursor: UInt64, through: UInt64 = .max) -> [UInt64] {
        var events: [EncodedEvent] = []
        _ = log.read(after: cursor, through: through, maxBytes: .max, into: &events)
        return events.map(\.sequence)
    }

    @Test func `what was appended is read after any cursor`() {
        var log = TopicLog(history: History(), maxLag: 1 << 20, birth: 0)
        _ = fill(&log, 100)
        for cursor in 0...100 {
            #expect(read(log, after: UInt64(cursor)) == Array((cursor + 1)..<101).map(UInt64.init))
        }
        #expect(read(log, after: 10, through: 12) == [11, 12])
        #expect(read(log, after: 1000).isEmpty)
    }

    @Test func `one event is read even when it is larger than the bound`() {
        var log = TopicLog(history: History(), maxLag: 1 << 20, birth: 0)
        _ = fill(&log, 3)
        var events: [EncodedEvent] = []
        let isWhole = log.read(after: 0, through: 3, maxBytes: 1, into: &events)
        #expect(events.map(\.sequence) == [1])
        #expect(!isWhole)
    }

    @Test(arguments: [0, 1 << 20])
    func `an own id is known as long as nothing behind it is gone`(maxLag: Int) {
        var log = TopicLog(history: History(age: .milliseconds(10)), maxLag: maxLag, birth: 0)
        var evicted: [EncodedEvent] = []
        log.append(event("a", id: "one", sequence: 1, at: 0), evicted: &evicted)
        log.append(event("b", id: "two", sequence: 2, at: 0), evicted: &evicted)
        log.trim(milliseconds: 100, evicted: &evicted)
        #expect(log.historyEndedThrough == 2)
        #expect(log.sequence(ofOwnID: Array("two".utf8)) == 2)
        #expect(log.sequence(ofOwnID: Array("one".utf8)) == nil)
        #expect(log.sequence(ofOwnID: []) == nil)
        // What stands before the next event sent, though that event has gone.
        #expect(log.ownID(at: 2) == Array("two".utf8))
        log.append(event("c", sequence: 3, at: 100), evicted: &evicted)
        #expect(log.sequence(ofOwnID: Array("two".utf8)) == 2)
        log.trim(milliseconds: 200, evicted: &evicted)
        #expect(log.historyEndedThrough == 3)
        #expect(log.sequence(ofOwnID: Array("two".utf8)) == nil)
        #expect(log.ownID(at: 3) == Array("two".utf8))
    }

    @Test func `history is bounded by events, and the newest maxLag bytes stay for those that lag`() {
        var log = TopicLog(history: History(events: 5), maxLag: 1 << 20, birth: 0)
        let evicted = fill(&log, 50)
        #expect(evicted.isEmpty)
        #expect(log.historyEndedThrough == 45)
        #expect(log.evictedThrough == 0)
        #expect(read(log, after: 0).count == 50)
    }

    @Test func `what is outside the history and beyond maxLag is evicted`() {
        var log = TopicLog(history: History(events: 5), maxLag: 0, birth: 0)
        let evicted = fill(&log, 50)
        #expect(evicted.map(\.sequence) == Array(1...45).map(UInt64.init))
        #expect(log.evictedThrough == 45)
        #expect(read(log, after: 45) == [46, 47, 48, 49, 50])
    }

    @Test func `history is bounded by bytes and by age`() {
        let size = event("event 1").count(.chunked)
        var bytes = TopicLog(history: History(bytes: 3 * size), maxLag: 0, birth: 0)
        _ = fill(&bytes, 9)
        #expect(bytes.historyEndedThrough == 6)

        var aged = TopicLog(history: History(age: .seconds(10)), maxLag: 0, birth: 0)
        _ = fill(&aged, 3, at: 1000)
        _ = fill(&aged, 2, at: 9000)
        var evicted: [EncodedEvent] = []
        aged.trim(milliseconds: 11_001, evicted: &evicted)
        #expect(evicted.map(\.sequence) == [1, 2, 3])
        #expect(read(aged, after: 0) == [4, 5])
    }

    @Test func `everything before the birth of a log counts as evicted`() {
        let log = TopicLog(history: History(), maxLag: 0, birth: 41)
        #expect(log.evictedThrough == 41)
        #expect(log.historyEndedThrough == 41)
    }

    @Test func `lag is the bytes after a cursor`() {
        var log = TopicLog(history: History(), maxLag: 1 << 20, birth: 0)
        _ = fill(&log, 9)
        let size = UInt64(event("event 1").count(.chunked))
        #expect(log.lag(after: 0) == 9 * size)
        #expect(log.lag(after: 7) == 2 * size)
        #expect(log.lag(after: 9) == 0)
    }

    @Test func `of equal own ids the newest is found`() {
        var log = TopicLog(history: History(), maxLag: 1 << 20, birth: 0)
        var evicted: [EncodedEvent] = []
        for (sequence, id) in [(UInt64(1), "a"), (2, "b"), (3, "a"), (4, "c")] {
            log.append(event("x", id: id, sequence: sequence), evicted: &evicted)
        }
        #expect(log.sequence(ofOwnID: Array("a".utf8)) == 3)
        #expect(log.sequence(ofOwnID: Array("z".utf8)) == nil)
        #expect(log.ownID(at: 3) == Array("a".utf8))
    }
}

extension TopicLogTests {
    @Test func `the newest event of each type is read, in order`() {
        var log = TopicLog(history: History(), maxLag: 1 << 20, birth: 0)
        var evicted: [EncodedEvent] = []
        for (number, type) in ["a", "b", "a", "c", "b", "a"].enumerated() {
            log.append(event("x", type: type, sequence: UInt64(number + 1)), evicted: &evicted)
        }
        func newest(after cursor: UInt64, through: UInt64, types: Int = 256) -> [UInt64] {
            var events: [EncodedEvent] = []
            log.readNewest(after: cursor, through: through, types: types, into: &events)
            return events.map(\.sequence)
        }
        #expect(newest(after: 0, through: 6) == [4, 5, 6])
        #expect(newest(after: 5, through: 6) == [6])
        #expect(newest(after: 0, through: 3) == [2, 3])
        #expect(newest(after: 0, through: 6, types: 2) == [5, 6])
    }

    @Test func `who skips goes on with the oldest event within maxLag`() {
        let size = event("event 1").count(.chunked)
        var log = TopicLog(history: History(), maxLag: 3 * size, birth: 0)
        _ = fill(&log, 9)
        #expect(log.skipPoint(after: 0) == 6)
        #expect(log.skipPoint(after: 8) == 8)
        var short = TopicLog(history: History(events: 1), maxLag: 0, birth: 4)
        #expect(short.skipPoint(after: 0) == 4)
        _ = fill(&short, 2)
        #expect(short.skipPoint(after: 0) == 6)
        #expect(short.firstSequence(after: 4) == 6)
        #expect(short.firstSequence(after: 6) == nil)
    }

    @Test func `when all logs are too large the oldest event goes, in the history or not`() {
        var log = TopicLog(history: History(), maxLag: 1 << 20, birth: 0)
        _ = fill(&log, 3)
        let full = log.cost
        var evicted: [EncodedEvent] = []
        func evictOldest() -> Bool { log.evictOldest(evicted: &evicted) }
        #expect(evictOldest())
        #expect(log.cost < full)
        #expect(log.evictedThrough == 1)
        #expect(log.historyEndedThrough == 1)
        #expect(read(log, after: 1) == [2, 3])
        #expect(evictOldest())
        #expect(evictOldest())
        #expect(!evictOldest())
        #expect(evicted.map(\.sequence) == [1, 2, 3])
        _ = fill(&log, 1)
        #expect(read(log, after: 3) == [4])
    }

    @Test func `the newest of the history are found for a replay`() {
        var log = TopicLog(history: History(events: 4), maxLag: 1 << 20, birth: 0)
        _ = fill(&log, 9)
        #expect(log.newest(2) == [8, 9])
        #expect(log.newest(100) == [6, 7, 8, 9])
        #expect(log.newest(0).isEmpty)
    }

    @Test func `a log that loses its events by the bound of all logs gives back its ring too`() {
        var log = TopicLog(history: History(), maxLag: 1 << 20, birth: 0)
        _ = fill(&log, 900)
        var evicted: [EncodedEvent] = []
        while log.evictOldest(evicted: &evicted) {}
        #expect(log.cost <= TopicLog.emptyCost + 64 * 24)
    }

    @Test func `an index does not grow with ids that are gone`() {
        var log = TopicLog(history: History(events: 2), maxLag: 0, birth: 0)
        var evicted: [EncodedEvent] = []
        for number in 1...100 {
            log.append(event("x", id: "id \(number)", sequence: UInt64(number)), evicted: &evicted)
        }
        #expect(log.sequence(ofOwnID: Array("id 98".utf8)) == 98)
        #expect(log.sequence(ofOwnID: Array("id 97".utf8)) == nil)
        let small = log.cost
        for number in 101...1000 {
            log.append(event("x", id: "id \(number)", sequence: UInt64(number)), evicted: &evicted)
        }
        #expect(log.cost <= small + 10)
    }
}

extension TopicOptions {
    static func ids(_ ids: EventIDs) -> TopicOptions {
        var options = TopicOptions()
        options.ids = ids
        return options
    }
}
