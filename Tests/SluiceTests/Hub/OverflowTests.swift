import Testing

@testable import Sluice

/// What becomes of a client that reads too slowly.
@Suite struct OverflowTests {
    private func fixture(_ policy: OverflowPolicy) throws -> ShardFixture {
        var options = TopicOptions()
        options.heartbeat = .zero
        options.maxLag = 256 << 10
        options.history = History(events: 2)
        options.overflow = policy
        return try ShardFixture(["a": options, "b": options])
    }

    private let text = String(repeating: "x", count: 32_000)

    /// Publishes until the client's socket takes no more, and then so many events more.
    /// - Returns: the number of the last one.
    private func overwhelm(_ fixture: ShardFixture, _ more: Int, topic: (Int) -> String = { _ in "a" }) throws -> Int {
        var number = 0
        func publish() throws {
            number += 1
            try fixture.publish("\(number) \(text)", type: "t\(number % 3)", to: topic(number))
            while fixture.flush() {}
        }
        while fixture.shard.blocked.isEmpty { try publish() }
        for _ in 0..<more { try publish() }
        return number
    }

    private func numbers(_ events: [String]) -> [Int] {
        events.compactMap { event in
            event.firstIndex(of: " ").flatMap { start in
                Int(event[event.index(after: start)...].prefix { $0 != " " })
            }
        }
    }

    @Test func `disconnect ends the stream behind a whole event`() throws {
        let fixture = try fixture(.disconnect)
        let client = try fixture.subscribe(to: "a")
        fixture.flush()
        let last = try overwhelm(fixture, 20)
        fixture.shard.sweep()
        let received = numbers(fixture.received(client))
        #expect(received == Array(1...received.count))
        #expect(received.count < last)
        #expect(fixture.shard.ended.map(\.subscriber) == [client])
        #expect(fixture.context.counters.endedOverflow == 1)
    }

    @Test func `skip says what is missing and goes on with what is held`() throws {
        let fixture = try fixture(.skip)
        let client = try fixture.subscribe(to: "a")
        fixture.flush()
        let last = try overwhelm(fixture, 40)
        fixture.shard.sweep()
        #expect(fixture.shard.ended.isEmpty)
        let events = fixture.received(client)
        let gap = try #require(events.firstIndex { $0.hasPrefix("gap: ") })
        let before = numbers(Array(events[..<gap]))
        let after = numbers(Array(events[(gap + 1)...]))
        #expect(before == Array(1...before.count))
        let first = try #require(after.first)
        #expect(after == Array(first...last))
        #expect(first > before.count + 1)
        #expect(fixture.context.counters.skipped == 1)
        // It is live again.
        try fixture.publish("\(last + 1) x", to: "a")
        #expect(fixture.received(client).last == "\(last + 1) x")
    }

    @Test func `skip goes on with each topic where that is held`() throws {
        let fixture = try fixture(.skip)
        let client = try fixture.subscribe(to: "a", "b")
        fixture.flush()
        let last = try overwhelm(fixture, 60) { $0 % 20 == 0 ? "b" : "a" }
        let events = fixture.received(client)
        let gap = try #require(events.firstIndex { $0.hasPrefix("gap: ") })
        let after = numbers(Array(events[(gap + 1)...]))
        #expect(after == after.sorted())
        #expect(after.last == last)
        // Of the quiet topic more is held than of the busy one.
        #expect(after.filter { $0 % 20 == 0 }.count >= 3)
    }

    @Test func `latest gives the newest event of each type and is live again`() throws {
        let fixture = try fixture(.latest)
        let client = try fixture.subscribe(to: "a")
        fixture.flush()
        let last = try overwhelm(fixture, 40)
        let events = fixture.received(client)
        let received = numbers(events)
        let whole = received.count - 3
        #expect(received == Array(1...whole) + [last - 2, last - 1, last])
        #expect(!events.contains { $0.hasPrefix("gap: ") })
        #expect(fixture.context.counters.conflated == 1)
        try fixture.publish("\(last + 1) x", to: "a")
        #expect(fixture.received(client).last == "\(last + 1) x")
    }

    @Test func `a slow one costs the others nothing`() throws {
        let fixture = try fixture(.disconnect)
        _ = try fixture.subscribe(to: "a")
        let reader = try fixture.subscribe(to: "a")
        fixture.flush()
        for number in 1...100 {
            try fixture.publish("\(number) \(text)", to: "a")
            #expect(fixture.received(reader).count == number)
        }
    }
}
