import Testing

@testable import Sluice

/// Streams of several topics.
@Suite struct SharedStreamTests {
    private var options: TopicOptions {
        var options = TopicOptions()
        options.heartbeat = .zero
        return options
    }

    private func fixture(_ change: (inout TopicOptions) -> Void = { _ in }) throws -> ShardFixture {
        var options = options
        change(&options)
        return try ShardFixture(["a": options, "b": options, "c": options])
    }

    @Test func `the order is that of the hub, whatever the topic`() throws {
        let fixture = try fixture()
        let both = try fixture.subscribe(to: "a", "b")
        let one = try fixture.subscribe(to: "b")
        fixture.flush()
        for (number, topic) in ["a", "b", "b", "c", "a", "b"].enumerated() {
            try fixture.publish("\(number)", to: topic)
            if number == 2 { fixture.flush() }
        }
        #expect(fixture.received(both) == ["0", "1", "2", "4", "5"])
        #expect(fixture.received(one) == ["1", "2", "5"])
    }

    @Test func `an event of several of its topics comes once`() throws {
        let fixture = try fixture()
        let both = try fixture.subscribe(to: "a", "b")
        let other = try fixture.subscribe(to: "c")
        fixture.flush()
        try fixture.publish("1", to: "a", "b", "c")
        try fixture.publish("2", to: "b")
        #expect(fixture.received(both) == ["1", "2"])
        #expect(fixture.received(other) == ["1"])
    }

    @Test func `the same topics in another order give the same events`() throws {
        let fixture = try fixture()
        let one = try fixture.subscribe(to: "a", "b")
        let other = try fixture.subscribe(to: "b", "a")
        fixture.flush()
        try fixture.publish("1", to: "b")
        try fixture.publish("2", to: "a")
        #expect(fixture.received(one) == ["1", "2"])
        #expect(fixture.received(other) == ["1", "2"])
    }

    @Test func `the first topic says how a stream behaves, whoever else listens to the same topics`() throws {
        var whole = options
        whole.replay = .all
        let fixture = try ShardFixture(["a": options, "b": whole])
        try fixture.publish("1", to: "a")
        let one = try fixture.subscribe(to: "a", "b")
        let other = try fixture.subscribe(to: "b", "a")
        #expect(fixture.received(one) == [])
        #expect(fixture.received(other) == ["1"])
    }

    @Test func `a gap does not lead back behind what another worker sent`() throws {
        var short = options
        short.history = History(events: 0)
        for (onGap, received) in [(GapResponse.live, ["4"]), (.replay, [])] {
            var first = options
            first.onGap = onGap
            let fixture = try ShardFixture(["a": first, "b": short])
            _ = try fixture.subscribe(to: "a", "b")
            try fixture.publish("1", to: "a")
            fixture.flush()
            // This worker does not know of these yet, and the client had all but the last from another one.
            for (data, topic) in [("2", "b"), ("3", "a"), ("4", "b")] { try fixture.publish(data, to: topic) }
            let client = try fixture.subscribe(to: "a", "b", after: 3)
            let events = fixture.received(client)
            #expect(events.first?.hasPrefix("gap: ") == true)
            #expect(Array(events.dropFirst()) == received)
            #expect(fixture.opening(client) == 3)
        }
    }

    @Test func `a stream begins when all its topics are joined, and misses nothing from then on`() throws {
        let fixture = try fixture()
        _ = try fixture.subscribe(to: "a")
        fixture.flush()
        let both = try fixture.subscribe(to: "a", "b")
        try fixture.publish("before the answer", to: "a")
        try fixture.publish("behind the answer", to: "b")
        #expect(fixture.received(both) == ["before the answer", "behind the answer"])
        try fixture.publish("later", to: "a")
        #expect(fixture.received(both).last == "later")
    }

    @Test func `one number is the cursor for all topics`() throws {
        let fixture = try fixture()
        for number in 1...6 { try fixture.publish("\(number)", to: number % 2 == 0 ? "b" : "a") }
        let late = try fixture.subscribe(to: "a", "b", after: 3)
        #expect(fixture.received(late) == ["4", "5", "6"])
        let all = try fixture.subscribe(to: "a", "b", after: 0)
        #expect(fixture.received(all) == ["1", "2", "3", "4", "5", "6"])
    }

    @Test func `of a topic that lost nothing nothing is sent twice when another lost something`() throws {
        var small = options
        small.history = History(events: 1)
        small.maxLag = 1
        let fixture = try ShardFixture(["a": options, "b": small])
        for number in 1...4 {
            try fixture.publish("a\(number)", to: "a")
            try fixture.publish("b\(number)", to: "b")
        }
        // Sequences: a1 1, b1 2, a2 3, b2 4, a3 5, b3 6, a4 7, b4 8. The cursor stands behind a2.
        let late = try fixture.subscribe(to: "a", "b", after: 3)
        let received = fixture.received(late)
        #expect(received.first?.hasPrefix("gap: ") == true)
        #expect(received.dropFirst() == ["a3", "a4", "b4"])
    }

    @Test func `events larger than one run come whole and in order`() throws {
        let fixture = try fixture { $0.maxLag = 8 << 20 }
        let text = String(repeating: "x", count: 20_000)
        for number in 0..<40 { try fixture.publish("\(number) \(text)", to: number % 3 == 0 ? "b" : "a") }
        let late = try fixture.subscribe(to: "a", "b", after: 0)
        #expect(fixture.received(late).map { $0.prefix { $0 != " " } } == (0..<40).map { "\($0)" })
    }

    @Test func `a client without a cursor gets what replay says`() throws {
        let fixture = try fixture { $0.replay = .newest(3) }
        for number in 1...6 { try fixture.publish("\(number)", to: number < 5 ? "a" : "b") }
        let one = try fixture.subscribe(to: "a")
        #expect(fixture.received(one) == ["2", "3", "4"])
        let both = try fixture.subscribe(to: "b", "a")
        #expect(fixture.received(both) == ["4", "5", "6"])
        let all = try ShardFixture([
            "a": {
                var all = options; all.replay = .all; return all
            }()
        ])
        for number in 1...6 { try all.publish("\(number)", to: "a") }
        let whole = try all.subscribe(to: "a")
        try all.publish("7", to: "a")
        #expect(all.received(whole) == (1...7).map { "\($0)" })
    }
}
