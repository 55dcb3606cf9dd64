import SluiceIO
import Testing

@testable import Sluice

@Suite struct TopicLogTests {
    private func event(_ text: String, id: String? = nil) -> EncodedEvent {
        unsafe Array(text.utf8).withUnsafeBytes { data in
            unsafe Array((id ?? "").utf8).withUnsafeBytes { id in
                unsafe EncodedEvent.make(data: data, type: nil, id: id.isEmpty ? nil : id, epoch: nil)
            }
        }
    }

    /// A log that kept `count` events of the given size, with sequences from 1.
    private func fill(_ log: inout TopicLog, _ count: Int, at time: UInt64 = 0) -> [EncodedEvent] {
        var evicted: [EncodedEvent] = []
        let first = log.lastSequence + 1
        for sequence in first..<first + UInt64(count) {
            log.append(event("event \(sequence)"), sequence: sequence, milliseconds: time, evicted: &evicted)
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
        log.append(event("a", id: "one"), sequence: 1, milliseconds: 0, evicted: &evicted)
        log.append(event("b", id: "two"), sequence: 2, milliseconds: 0, evicted: &evicted)
        log.trim(milliseconds: 100, evicted: &evicted)
        #expect(log.beforeOldest == 2)
        #expect(log.sequence(ofOwnID: Array("two".utf8)) == 2)
        #expect(log.sequence(ofOwnID: Array("one".utf8)) == nil)
        #expect(log.sequence(ofOwnID: []) == nil)
        // What stands before the next event sent, though that event has gone.
        #expect(log.ownID(at: 2) == Array("two".utf8))
        log.append(event("c"), sequence: 3, milliseconds: 100, evicted: &evicted)
        #expect(log.sequence(ofOwnID: Array("two".utf8)) == 2)
        log.trim(milliseconds: 200, evicted: &evicted)
        #expect(log.beforeOldest == 3)
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
        #expect(log.beforeOldest == 41)
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
            log.append(event("x", id: id), sequence: sequence, milliseconds: 0, evicted: &evicted)
        }
        #expect(log.sequence(ofOwnID: Array("a".utf8)) == 3)
        #expect(log.sequence(ofOwnID: Array("z".utf8)) == nil)
        #expect(log.ownID(at: 3) == Array("a".utf8))
    }
}

@Suite struct EncodedEventTests {
    private func bytes(_ event: EncodedEvent, _ framing: Framing) -> String {
        unsafe event.withBytes(framing) { unsafe String(decoding: $0, as: UTF8.self) }
    }

    @Test func `an event with a gateway id is a chunk with the id last`() {
        let event = unsafe Array("hello".utf8).withUnsafeBytes { data in
            unsafe Array("greeting".utf8).withUnsafeBytes { type in
                unsafe EncodedEvent.make(data: data, type: type, id: nil, epoch: Array("1a2b3c4d".utf8))
            }
        }
        event.assign(sequence: 0xABC, endOffset: 0, milliseconds: 0)
        let block = "event: greeting\ndata: hello\nid: 1a2b3c4d-000000000abc\n\n"
        #expect(bytes(event, .untilClose) == block)
        #expect(bytes(event, .chunked) == "\(String(block.utf8.count, radix: 16))\r\n\(block)\r\n")
    }

    @Test func `line ends in data cannot break out of the data field`() {
        let event = unsafe Array("a\rid: evil\nb\r\n\r\nc".utf8).withUnsafeBytes {
            unsafe EncodedEvent.make(data: $0, type: nil, id: nil, epoch: nil)
        }
        #expect(bytes(event, .untilClose) == "data: a\ndata: id: evil\ndata: b\ndata: \ndata: c\n\n")
    }
}
