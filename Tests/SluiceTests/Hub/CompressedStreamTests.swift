import SluiceIO
import Synchronization
import Testing

@testable import Sluice

/// A compressed stream is what a plain one is, to the byte, whatever happens to it; its trailer says so.
@Suite struct CompressedStreamTests {
    /// No chance in what a stream begins with.
    static var options: TopicOptions {
        var options = TopicOptions()
        options.retry = .zero
        return options
    }

    private func fixture(
        workers: Int = 1, logBytes: Int = 1 << 30, clock: any MonotonicClock = SystemClock(),
        _ change: (inout TopicOptions) -> Void = { _ in }
    ) throws -> ShardFixture {
        var options = Self.options
        change(&options)
        let fixture = try ShardFixture(
            ["a": options, "b": options], logBytes: logBytes, workers: workers, clock: clock)
        fixture.keepsBodies = true
        return fixture
    }

    private func json(_ number: Int) -> String {
        "{\"number\":\(number),\"name\":\"an event\",\"note\":\"\(String(repeating: "again and again ", count: 8))\"}"
    }

    /// Enough clients for a window, all compressed.
    private func crowd(_ fixture: ShardFixture, of topic: String = "a") throws -> [Token] {
        try (0..<TopicCompression.streamsForWindow).map { _ in try fixture.subscribe(to: topic, isCompressed: true) }
    }

    private func window(_ token: Token, _ fixture: ShardFixture) -> UInt32 {
        fixture.shard.subscribers.find(token)?.value.gzip.window ?? 0
    }

    private func compressions(_ fixture: ShardFixture, _ topic: String = "a") throws -> Int {
        try fixture.hub.topic(named: topic).compression.withLock { $0.count }
    }

    @Test func `a stream gets each event when it comes, and a trailer at its end`() throws {
        let fixture = try fixture()
        let plain = try fixture.subscribe(to: "a")
        let packed = try fixture.subscribe(to: "a", isCompressed: true)
        fixture.flush()
        for number in 0..<5 {
            try fixture.publish(json(number), to: "a")
            #expect(fixture.received(packed).last == json(number))
        }
        let text = fixture.end(packed)
        #expect(text == fixture.end(plain))
        #expect(text?.count ?? 0 > 500)
    }

    @Test func `a stream that nothing was sent on ends whole`() throws {
        let fixture = try fixture()
        let packed = try fixture.subscribe(to: "a", isCompressed: true)
        fixture.flush()
        #expect(fixture.end(packed) == Array(":\n".utf8))
    }

    @Test func `an aborted stream has no trailer`() throws {
        let fixture = try fixture { $0.end = .abort }
        let packed = try fixture.subscribe(to: "a", isCompressed: true)
        fixture.flush()
        try fixture.publish("x", to: "a")
        #expect(fixture.received(packed) == ["x"])
        #expect(fixture.end(packed) == nil)
    }

    @Test func `each event is compressed once for all, on whichever worker they are`() throws {
        let fixture = try fixture(workers: 2)
        var clients = try crowd(fixture)
        for _ in 0..<20 {
            for worker in 0..<2 {
                clients.append(try fixture.subscribe(to: ["a"], worker: worker, isCompressed: true))
            }
        }
        for worker in 0..<2 { fixture.flush(worker: worker) }
        for number in 0..<30 {
            try fixture.publish(json(number), to: "a")
            guard number % 3 == 0 else { continue }
            for worker in [number % 2, 1 - number % 2] { while fixture.flush(worker: worker) {} }
        }
        for client in clients { #expect(fixture.received(client) == (0..<30).map(json)) }
        #expect(try compressions(fixture) == 30)
        for client in clients { #expect(fixture.end(client) != nil) }
    }

    @Test func `few streams share independent blocks, in any order and at any time`() throws {
        let fixture = try fixture()
        for number in 0..<20 { try fixture.publish(json(number), to: "a") }
        for cursor: UInt64 in [15, 3, 0, 19] {
            let client = try fixture.subscribe(to: "a", after: cursor, isCompressed: true)
            #expect(fixture.received(client) == (Int(cursor)..<20).map(json))
            #expect(window(client, fixture) == 0)
            #expect(fixture.end(client) != nil)
        }
        #expect(try compressions(fixture) == 20)
    }

    @Test func `in the window an event takes a small part of its bytes`() throws {
        let fixture = try fixture()
        let plain = try fixture.subscribe(to: "a")
        let clients = try crowd(fixture)
        fixture.flush()
        for number in 0..<200 {
            try fixture.publish(json(number), to: "a")
            while fixture.flush() {}
        }
        let text = fixture.body(plain).text
        for client in clients {
            #expect(window(client, fixture) == 1)
            let body = fixture.body(client)
            #expect(body.text == text)
            #expect(body.bytes * 5 < text.count)
        }
        #expect(try compressions(fixture) == 200)
    }

    @Test func `whoever comes or gets something of its own is outside of the window until it begins anew`() throws {
        let fixture = try fixture()
        let clients = try crowd(fixture)
        fixture.flush()
        try fixture.publish(json(0), to: "a")
        fixture.flush()
        let late = try fixture.subscribe(to: "a", isCompressed: true)
        let resumed = try fixture.subscribe(to: "a", after: 0, isCompressed: true)
        fixture.heartbeat(clients[1])
        try fixture.publish(json(1), to: "a")
        fixture.flush()
        #expect([late, clients[1]].map { window($0, fixture) } == [0, 0])
        // It read the window's beginning from the log.
        #expect([resumed, clients[0]].map { window($0, fixture) } == [1, 1])
        var number = 2
        while window(late, fixture) == 0, number < 10_000 {
            try fixture.publish(json(number), to: "a")
            fixture.flush()
            number += 1
        }
        for client in clients + [late, resumed] { #expect(window(client, fixture) == 2) }
        let counts = (clients + [late, resumed]).map { fixture.received($0).count }
        #expect(counts == clients.map { _ in number } + [number - 1, number])
        for client in clients + [late, resumed] { #expect(fixture.end(client) != nil) }
    }

    @Test func `a window begins anew when streams had heartbeats, behind a large event and behind a pause`() throws {
        let clock = TestClock()
        let fixture = try fixture(clock: clock)
        let clients = try crowd(fixture)
        fixture.flush()
        func publish(_ data: String) throws -> UInt32 {
            try fixture.publish(data, to: "a")
            while fixture.flush() {}
            return window(clients[0], fixture)
        }
        #expect(try publish("1") == 1)
        clock.advance(milliseconds: 11_000)
        #expect(try publish("2") == 1)
        clock.advance(milliseconds: 12_000)
        #expect(try publish("3") == 2)
        #expect(try publish(String(repeating: "x", count: 40_000)) == 0)
        #expect(try publish("4") == 3)
        // Nobody follows the topic for a while.
        for client in clients { #expect(fixture.end(client) != nil) }
        try fixture.publish("5", to: "a")
        let others = try crowd(fixture)
        fixture.flush()
        try fixture.publish("6", to: "a")
        while fixture.flush() {}
        #expect(others.map { window($0, fixture) } == others.map { _ in 4 })
        for other in others { #expect(fixture.received(other) == ["6"]) }
    }

    @Test(arguments: [0, 3])
    func `a stream that was moved on without a byte is outside of the window`(moved: Int) throws {
        let fixture = try fixture()
        let clients = try crowd(fixture)
        fixture.flush()
        for number in 0..<5 {
            try fixture.publish(json(number), to: "a")
            if number == 2 { fixture.shard.subscribers.find(clients[moved])?.value.cursor = 3 }
            while fixture.flush() {}
        }
        for (number, client) in clients.enumerated() {
            #expect(window(client, fixture) == (number == moved ? 0 : 1))
            #expect(fixture.received(client) == (0..<5).filter { number != moved || $0 != 2 }.map(json))
            #expect(fixture.end(client) != nil)
        }
    }

    @Test func `heartbeats, resumes and gaps are like those of a plain stream`() throws {
        for isCompressed in [false, true] {
            let fixture = try fixture {
                $0.history = History(events: 5)
                $0.maxLag = 0
            }
            let others = isCompressed ? try crowd(fixture) : []
            fixture.flush()
            for number in 0..<9 {
                try fixture.publish(json(number), to: "a")
                fixture.flush()
            }
            let cursor = fixture.hub.id(of: 4)
            let text = try ["gap", "resume"].map { kind in
                let client = try fixture.subscribe(to: "a", after: kind == "gap" ? 2 : 5, isCompressed: isCompressed)
                fixture.flush()
                fixture.heartbeat(client)
                try fixture.publish("more", to: "a")
                _ = fixture.received(client)
                fixture.heartbeat(client)
                return String(decoding: try #require(fixture.end(client)), as: UTF8.self)
            }
            #expect(text[0].hasPrefix(":\nevent: gap\ndata: {"))
            #expect(text[0].contains("}\nid: \(String(decoding: cursor, as: UTF8.self))\n\n"))
            #expect(text[1].hasPrefix(":\ndata: {\"number\":5,"))
            for text in text {
                #expect(text.contains("\n\n:\ndata: more\nid: "))
                #expect(text.hasSuffix("\n\n:\n"))
            }
            for other in others { #expect(fixture.end(other) != nil) }
        }
    }

    @Test func `streams of several topics are like plain ones`() throws {
        let fixture = try fixture()
        let crowd = try crowd(fixture)
        let plain = try fixture.subscribe(to: "a", "b")
        let packed = try (0..<5).map { _ in try fixture.subscribe(to: "a", "b", isCompressed: true) }
        fixture.flush()
        for number in 0..<50 {
            switch number % 3 {
            case 0: try fixture.publish(json(number), to: "a")
            case 1: try fixture.publish(json(number), to: "b")
            default: try fixture.publish(json(number), to: "b", "a")
            }
            if number % 4 == 0 { fixture.flush() }
        }
        let late = try fixture.subscribe(to: "b", "a", after: 10, isCompressed: true)
        let text = fixture.body(plain).text
        for client in packed { #expect(fixture.body(client).text == text) }
        #expect(fixture.received(late) == (10..<50).map(json))
        for client in packed + crowd + [late] { #expect(fixture.end(client) != nil) }
        // Blocks of both topics and the window of one.
        #expect(try compressions(fixture, "b") <= 34)
        #expect(try compressions(fixture, "a") <= 2 * 34)
    }
}
