import Testing

@testable import Sluice

/// Streams over HTTP/2, whose clients open and close their windows.
@Suite struct WindowTests {
    private func fixture(
        window: UInt32, overflow: OverflowPolicy = .disconnect, heartbeat: Duration = .zero
    ) throws -> ShardFixture {
        var options = TopicOptions()
        options.heartbeat = heartbeat
        options.retry = .zero
        options.ids = .off
        options.overflow = overflow
        options.maxLag = 64 << 10
        options.history = History(events: 1000)
        let fixture = try ShardFixture(["a": options], window: window)
        fixture.givesWindow = false
        return fixture
    }

    private let kilobyte = String(repeating: "x", count: 1000)
    /// `data: `, the text and the end of the event.
    private let eventBytes: Int32 = 1008
    /// The comment that begins each stream.
    private let openingBytes: Int32 = 2

    @Test func `a stream without a window lags, and reads on from the log when it opens`() throws {
        let fixture = try fixture(window: 0)
        let client = try fixture.subscribe(to: "a")
        #expect(fixture.received(client).isEmpty)
        #expect(fixture.isLagging(client))
        for number in 0..<5 { try fixture.publish("\(number)", to: "a") }
        #expect(fixture.received(client).isEmpty)
        #expect(fixture.stream(client)?.value.isBlocked == true)
        fixture.giveWindow(client, stream: 1000)
        #expect(fixture.received(client) == ["0", "1", "2", "3", "4"])
        #expect(!fixture.isLagging(client))
        try fixture.publish("live", to: "a")
        #expect(fixture.received(client).last == "live")
    }

    @Test func `an event that a window cuts goes on where it was cut`() throws {
        let fixture = try fixture(window: 3)
        fixture.keepsBodies = true
        let client = try fixture.subscribe(to: "a")
        try fixture.publish("first", to: "a")
        try fixture.publish("second", to: "a")
        let whole = Array(":\ndata: first\n\ndata: second\n\n".utf8)
        for count in 3..<whole.count {
            #expect(fixture.body(client).text == Array(whole[..<count]))
            #expect(fixture.isLagging(client))
            fixture.giveWindow(client, stream: 1)
        }
        #expect(fixture.body(client).text == whole)
    }

    @Test func `a window of just the events leaves the stream live`() throws {
        let fixture = try fixture(window: UInt32(openingBytes + 2 * eventBytes))
        let client = try fixture.subscribe(to: "a")
        for _ in 0..<2 { try fixture.publish(kilobyte, to: "a") }
        #expect(fixture.received(client).count == 2)
        #expect(!fixture.isLagging(client))
        try fixture.publish(kilobyte, to: "a")
        #expect(fixture.received(client).count == 2)
        #expect(fixture.isLagging(client))
        fixture.giveWindow(client, stream: eventBytes)
        #expect(fixture.received(client).count == 3)
        #expect(!fixture.isLagging(client))
    }

    @Test func `the connection's window holds a stream up as its own does`() throws {
        let fixture = try fixture(window: 1 << 20)
        let client = try fixture.subscribe(to: "a")
        let count = 65_535 / Int(eventBytes)
        for _ in 0..<count {
            try fixture.publish(kilobyte, to: "a")
            _ = fixture.received(client)
        }
        #expect(!fixture.isLagging(client))
        for _ in 0..<10 { try fixture.publish(kilobyte, to: "a") }
        #expect(fixture.received(client).count == count)
        #expect(fixture.isLagging(client))
        fixture.giveWindow(client, connection: 1 << 20)
        #expect(fixture.received(client).count == count + 10)
    }

    @Test(arguments: [OverflowPolicy.skip, .latest])
    func `who has no window meets its topic's overflow when it opens`(policy: OverflowPolicy) throws {
        let fixture = try fixture(window: 0, overflow: policy)
        let client = try fixture.subscribe(to: "a")
        for number in 0..<200 {
            try fixture.publish("\(number) " + kilobyte, to: "a")
            #expect(fixture.received(client).isEmpty)
        }
        fixture.giveWindow(client, connection: 1 << 20, stream: 1 << 20)
        let numbers = fixture.received(client).compactMap { Int($0.prefix { $0 != " " }) }
        #expect(numbers.last == 199)
        #expect(numbers == Array((numbers.first ?? 0)...199))
        #expect(numbers.count < 100)
    }

    @Test func `a heartbeat waits for the window, and there is one of it`() throws {
        let fixture = try fixture(window: UInt32(openingBytes), heartbeat: .milliseconds(1))
        fixture.keepsBodies = true
        let client = try fixture.subscribe(to: "a")
        _ = fixture.received(client)
        for _ in 0..<10 { fixture.heartbeat(client) }
        #expect(fixture.body(client).text == Array(":\n".utf8))
        fixture.giveWindow(client, stream: 100)
        #expect(fixture.body(client).text == Array(":\n:\n".utf8))
    }

    @Test func `who resets its stream is gone`() throws {
        let fixture = try fixture(window: 100)
        let client = try fixture.subscribe(to: "a")
        try fixture.publish("x", to: "a")
        #expect(fixture.received(client) == ["x"])
        #expect(fixture.shard.subscriberCount == 1)
        fixture.resetStream(client)
        _ = fixture.received(client)
        #expect(fixture.shard.subscriberCount == 0)
    }
}
