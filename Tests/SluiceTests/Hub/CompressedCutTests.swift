import SluiceHTTP
import Testing

@testable import Sluice

/// Compressed streams whose sockets take what they take.
@Suite struct CompressedCutTests {
    private func fixture(_ policy: OverflowPolicy) throws -> ShardFixture {
        var options = CompressedStreamTests.options
        options.maxLag = 256 << 10
        options.history = History(events: 2)
        options.overflow = policy
        let fixture = try ShardFixture(["a": options, "b": options])
        fixture.keepsBodies = true
        return fixture
    }

    private static let noise: [UInt8] = {
        var chance = SplitMix(state: 1)
        return (0..<100_000).map { _ in UInt8.random(in: 0x21..<0x7F, using: &chance) }
    }()

    /// Text that no compressor makes small.
    private func noise(_ number: Int, _ count: Int) -> String {
        let start = number * 33_331 % (Self.noise.count - count)
        return String(decoding: Self.noise[start..<start + count], as: UTF8.self)
    }

    /// Publishes until a client's socket takes no more, and then so many events more.
    private func overwhelm(_ fixture: ShardFixture, _ more: Int, size: Int = 20_000) throws -> Int {
        var number = 0
        func publish() throws {
            number += 1
            try fixture.publish("\(number) \(noise(number, size))", type: "t\(number % 3)", to: "a")
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

    @Test(arguments: [1, 8])
    func `a run may be cut behind any byte`(streams: Int) throws {
        let fixture = try fixture(.disconnect)
        let tokens = try (0..<streams).map { _ in try fixture.subscribe(to: "a", isCompressed: true) }
        fixture.flush()
        let subscriber = try #require(fixture.shard.subscribers.find(tokens[0]))
        let audience = unsafe subscriber.value.audience.takeUnretainedValue()
        for number in 0..<6 { try fixture.publish("{\"number\":\(number),\"note\":\"again and again\"}", to: "a") }
        fixture.shard.takeMail()
        let start = subscriber.value.gzip
        let run = fixture.shard.blockRun
        let isThere = run.gather(audience, for: subscriber, target: 6)
        #expect(isThere)
        let bytes = unsafe Array(run.bytes)
        let opening = Array(":\n".utf8)
        for cut in 0...bytes.count {
            subscriber.value.gzip = start
            let stop = run.stop(after: cut)
            run.wasSent(to: subscriber, events: stop.begun)
            var sent = Array(bytes[..<cut])
            if let (event, offset) = stop.cut {
                sent += unsafe event.withBytes(.untilClose) { unsafe Array($0[offset...]) }
            }
            let gzip = subscriber.value.gzip
            let text = try inflated(
                Gzip.header + Gzip.stored(opening) + sent + Gzip.end(checksum: gzip.checksum, count: gzip.count))
            #expect(String(decoding: text, as: UTF8.self).split(separator: "data: ").count == 1 + stop.begun)
            #expect((gzip.window == 0) == (streams == 1 || stop.begun == 0))
        }
    }

    private func inflated(_ bytes: [UInt8]) throws -> [UInt8] {
        let inflater = try #require(try Inflater(.gzip))
        var text: [UInt8] = []
        _ = try unsafe bytes.withUnsafeBytes { bytes in
            try unsafe inflater.decode(bytes) { piece in
                unsafe text.append(contentsOf: piece)
                return true
            }
        }
        try inflater.finish()
        return text
    }

    @Test(arguments: [1, 8])
    func `a stream that lags reads on from the log and is live again`(streams: Int) throws {
        var options = CompressedStreamTests.options
        options.maxLag = 64 << 20
        let fixture = try ShardFixture(["a": options])
        fixture.keepsBodies = true
        let clients = try (0..<streams).map { _ in try fixture.subscribe(to: "a", isCompressed: true) }
        fixture.flush()
        // More than the system's buffers take at once, in runs of many events.
        let last = try overwhelm(fixture, 3000, size: 2000)
        try fixture.publish("\(last + 1) x", type: "t", to: "a")
        for client in clients {
            #expect(numbers(fixture.received(client)) == Array(1...last + 1))
            #expect(fixture.end(client) != nil)
        }
    }

    @Test(arguments: [1, 8])
    func `skip goes on behind a gap event`(streams: Int) throws {
        let fixture = try fixture(.skip)
        let clients = try (0..<streams).map { _ in try fixture.subscribe(to: "a", isCompressed: true) }
        fixture.flush()
        let last = try overwhelm(fixture, 40)
        for client in clients {
            let events = fixture.received(client)
            let gap = try #require(events.firstIndex { $0.hasPrefix("gap: ") })
            let after = numbers(Array(events[(gap + 1)...]))
            #expect(numbers(Array(events[..<gap])) == Array(1...gap))
            #expect(after == Array(try #require(after.first)...last))
            #expect(fixture.end(client) != nil)
        }
        #expect(fixture.context.counters.skipped == UInt64(streams))
    }

    @Test func `skip without a gap event leaves the window`() throws {
        var options = CompressedStreamTests.options
        options.maxLag = 256 << 10
        options.history = History(events: 2)
        options.overflow = .skip
        options.gapEvent = nil
        let fixture = try ShardFixture(["a": options])
        let clients = try (0..<8).map { _ in try fixture.subscribe(to: "a", isCompressed: true) }
        fixture.flush()
        let last = try overwhelm(fixture, 40)
        for client in clients {
            #expect(numbers(fixture.received(client)).last == last)
            #expect(fixture.end(client) != nil)
        }
    }

    @Test(arguments: [1, 8])
    func `latest gives the newest event of each type`(streams: Int) throws {
        let fixture = try fixture(.latest)
        let clients = try (0..<streams).map { _ in try fixture.subscribe(to: "a", isCompressed: true) }
        fixture.flush()
        let last = try overwhelm(fixture, 40)
        for client in clients {
            let received = numbers(fixture.received(client))
            #expect(received == Array(1...received.count - 3) + [last - 2, last - 1, last])
        }
        try fixture.publish("\(last + 1) x", type: "t", to: "a")
        for client in clients {
            #expect(numbers(fixture.received(client)).last == last + 1)
            #expect(fixture.end(client) != nil)
        }
    }

    @Test func `disconnect ends the stream whole, behind an event that was cut`() throws {
        let fixture = try fixture(.disconnect)
        let clients = try (0..<8).map { _ in try fixture.subscribe(to: "a", isCompressed: true) }
        fixture.flush()
        _ = try overwhelm(fixture, 20)
        fixture.shard.sweep()
        for client in clients {
            let received = numbers(fixture.received(client))
            #expect(received == Array(1...received.count))
            #expect(fixture.end(client) != nil)
        }
        #expect(fixture.context.counters.endedOverflow == 8)
    }
}
