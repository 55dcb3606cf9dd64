import Synchronization
import Testing

@testable import Sluice

@Suite struct BroadcastTests {
    private var options: TopicOptions {
        var options = TopicOptions()
        options.heartbeat = .zero
        return options
    }

    @Test func `one who joins in the middle of a sliced round takes nobody's turn`() throws {
        let fixture = try ShardFixture(["a": options])
        let tokens = try (0..<2 * HubShard.slice + 88).map { _ in try fixture.subscribe(to: "a") }
        fixture.flush()
        // The second event comes when a slice of the first is out, so that its round begins in the middle of the array.
        try fixture.publish(to: "a")
        #expect(fixture.flush())
        try fixture.publish(to: "a")
        #expect(fixture.flush())
        let newcomer = try fixture.subscribe(to: "a")
        while fixture.flush() {}
        #expect(tokens.filter { fixture.cursor($0) != 2 } == [])
        #expect(fixture.cursor(newcomer) == 2)
    }

    @Test(arguments: 0..<4 as Range<UInt64>)
    func `who comes and goes while rounds run in slices takes nobody's turn`(seed: UInt64) throws {
        var chance = SplitMix(state: seed)
        let fixture = try ShardFixture(["a": options])
        var tokens = try (0..<2 * HubShard.slice).map { _ in try fixture.subscribe(to: "a") }
        for number in 1...30 as ClosedRange<UInt64> {
            try fixture.publish(to: "a")
            fixture.flush()
            for _ in 0..<Int.random(in: 0..<8, using: &chance) {
                fixture.unsubscribe(tokens.remove(at: Int.random(in: 0..<tokens.count, using: &chance)))
            }
            for _ in 0..<Int.random(in: 0..<8, using: &chance) { tokens.append(try fixture.subscribe(to: "a")) }
            while fixture.flush() {}
            #expect(tokens.filter { fixture.cursor($0) != number } == [])
        }
    }

    @Test func `a topic whose rounds never end does not keep others from theirs`() throws {
        let fixture = try ShardFixture(["busy": options, "quiet": options])
        for _ in 0..<2 * HubShard.slice { _ = try fixture.subscribe(to: "busy") }
        let quiet = try fixture.subscribe(to: "quiet")
        fixture.flush()
        try fixture.publish(to: "quiet")
        for _ in 0..<10 {
            try fixture.publish(to: "busy")
            #expect(fixture.flush())
        }
        #expect(fixture.cursor(quiet) == 1)
    }

    @Test func `a topic with as many subscribers as a slice does not keep others from theirs`() throws {
        let fixture = try ShardFixture(["busy": options, "quiet": options])
        for _ in 0..<HubShard.slice { _ = try fixture.subscribe(to: "busy") }
        let quiet = try fixture.subscribe(to: "quiet")
        fixture.flush()
        try fixture.publish(to: "quiet")
        for _ in 0..<10 {
            try fixture.publish(to: "busy")
            fixture.flush()
        }
        #expect(fixture.cursor(quiet) == 1)
    }

    @Test func `a topic whose rounds never end does not keep a client that came back from its history`() throws {
        let fixture = try ShardFixture(["busy": options, "quiet": options])
        for _ in 0..<2 * HubShard.slice { _ = try fixture.subscribe(to: "busy") }
        fixture.flush()
        for _ in 0..<3 { try fixture.publish(to: "quiet") }
        let late = try fixture.subscribe(to: "quiet", after: 1)
        for _ in 0..<10 {
            try fixture.publish(to: "busy")
            #expect(fixture.flush())
        }
        #expect(fixture.cursor(late) >= 3)
    }

    @Test func `what many read again is compressed a slice at a time`() throws {
        let names = (0..<8).map { "t\($0)" }
        let fixture = try ShardFixture(Dictionary(uniqueKeysWithValues: names.map { ($0, options) }))
        let data = String(repeating: "abcdefgh", count: 512)
        for name in names { for _ in 0..<64 { try fixture.publish(data, to: name) } }
        let clients = try names.map { try fixture.subscribe(to: $0, after: 0, isCompressed: true) }
        let topics = try names.map(fixture.hub.topic(named:))
        func compressed() -> Int { topics.reduce(0) { $0 + $1.compression.withLock { $0.bytes } } }
        while true {
            let before = compressed()
            let hasMore = fixture.flush()
            #expect(compressed() - before <= 64 * Slice.whole + Run.limit)
            if !hasMore { break }
        }
        #expect(clients.map(fixture.cursor).min() ?? 0 > 0)
        #expect(compressed() >= 8 * 64 * data.utf8.count)
    }
}
