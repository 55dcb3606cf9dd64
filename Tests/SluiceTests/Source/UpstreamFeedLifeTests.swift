import Synchronization
import Testing

@testable import Sluice

/// What a feed's options make of its events, and of starts and stops.
@Suite(.timeLimit(.minutes(1))) struct UpstreamFeedLifeTests {
    private func fixture(_ change: (inout FeedOptions) -> Void) throws -> FeedFixture {
        var topic = TopicOptions()
        topic.ids = .upstream
        topic.maxLag = 1000
        return try FeedFixture([topic], change)
    }

    @Test func `events are filtered, renamed and prefixed; an id counts all the same`() throws {
        let fixture = try fixture {
            $0.events.exclude = ["noise"]
            $0.events.rename = ["trade": "deal"]
            $0.events.prefix = "a."
        }
        fixture.feed.start()
        let exchange = try fixture.accept()
        exchange.stream(
            "event: trade\ndata: 1\n\nevent: noise\nid: 9\ndata: 2\n\ndata: 3\n\nevent: noise\ndata: 4\n\n")
        try fixture.events(2)
        #expect(fixture.text(fixture.topics[0]) == "event: a.deal\ndata: 1\n\nevent: a.message\ndata: 3\nid: 9\n\n")
        #expect(fixture.counters.filtered == 2)
        #expect(fixture.feed.client.lastEventID == Array("9".utf8))
    }

    @Test func `changes of its state are events, and a failure that only repeats itself is none`() throws {
        let fixture = try fixture { $0.statusEvent = "feed-status" }
        func said() -> [Substring] {
            fixture.text(fixture.topics[0]).split(separator: "\n").filter { $0.hasPrefix("data: ") }
        }
        fixture.feed.start()
        for _ in 0..<3 {
            try fixture.accept().send("HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n")
            try fixture.run { fixture.feed.client.state == .waiting }
            fixture.pass(milliseconds: 30_000)
        }
        #expect(said() == [#"data: {"feed":"f","state":"down","reason":"status 503","retry_ms":1000}"#])
        let exchange = try fixture.accept()
        exchange.stream("data: x\n\n")
        try fixture.events(1)
        #expect(said().dropFirst() == [#"data: {"feed":"f","state":"up"}"#, "data: x"])
        exchange.finish()
        try fixture.run { fixture.feed.condition == .down }
        fixture.pass(milliseconds: 30_000)
        try fixture.accept().send("HTTP/1.1 403 Forbidden\r\n\r\n")
        try fixture.run { fixture.feed.condition == .refused }
        #expect(said().count == 5)
        #expect(said()[3].hasPrefix(#"data: {"feed":"f","state":"down","reason":"ended","retry_ms":"#))
        #expect(said()[4].hasPrefix(#"data: {"feed":"f","state":"refused","reason":"status 403","retry_ms":"#))
        #expect(fixture.text(fixture.topics[0]).contains("event: feed-status\n"))
    }

    @Test func `a state that finds no room waits in its place before the events that follow`() throws {
        let fixture = try fixture { $0.statusEvent = "s" }
        let topic = fixture.topics[0]
        fixture.fallBehind(topic)
        fixture.feed.start()
        let exchange = try fixture.accept()
        exchange.stream("data: first\n\n")
        try fixture.run { fixture.counters.paused == 1 }
        fixture.settle()
        #expect(fixture.hub.position == 1 && fixture.counters.events == 0)
        fixture.catchUp(topic)
        fixture.feed.relieved()
        try fixture.events(1)
        #expect(
            fixture.text(topic).hasSuffix("event: s\ndata: {\"feed\":\"f\",\"state\":\"up\"}\n\ndata: first\n\n"))
    }

    @Test func `a feed that is stopped and started again asks no sooner than it would have`() throws {
        let fixture = try fixture { _ in }
        fixture.feed.start()
        try fixture.accept().send("HTTP/1.1 403 Forbidden\r\n\r\n")
        try fixture.run { fixture.feed.condition == .refused }
        for _ in 0..<5 {
            fixture.feed.stop()
            fixture.pass(milliseconds: 10_000)
            fixture.feed.start()
            fixture.settle()
            #expect(fixture.feed.client.state == .waiting)
        }
        fixture.pass(milliseconds: 250_000)
        try fixture.accept().stream()
        try fixture.run { fixture.feed.condition == .up }
    }

    @Test func `after 204 no start brings it back`() throws {
        let fixture = try fixture { _ in }
        fixture.feed.start()
        try fixture.accept().send("HTTP/1.1 204 No Content\r\n\r\n")
        try fixture.run { fixture.feed.condition == .stopped }
        fixture.feed.stop()
        fixture.feed.start()
        fixture.pass(milliseconds: 1_000_000)
        #expect(fixture.feed.client.state == .idle)
    }

    @Test func `a feed without topics reads on and keeps its place`() throws {
        let fixture = try fixture { _ in }
        let topic = fixture.topics[0]
        topic.isDropped.store(true, ordering: .relaxed)
        fixture.feed.topics.look(at: topic)
        fixture.feed.start()
        try fixture.accept().stream("id: 3\ndata: x\n\n")
        try fixture.run { fixture.feed.client.lastEventID == Array("3".utf8) }
        #expect(fixture.counters.events == 0 && fixture.hub.position == 0)
    }

    @Test func `while earlier events wait a new connection is not read`() throws {
        let fixture = try fixture { _ in }
        let topic = fixture.topics[0]
        fixture.fallBehind(topic)
        fixture.feed.start()
        try fixture.accept().stream("id: 1\ndata: one\n\n")
        try fixture.events(1)
        for number in 2...5 {
            fixture.feed.stop()
            fixture.feed.start()
            let exchange = try fixture.accept()
            #expect(exchange.text.contains("\r\nLast-Event-ID: 1\r\n"))
            exchange.stream("id: \(number)\ndata: \(number)\n\n")
            try fixture.run { fixture.feed.client.isPaused }
            fixture.settle()
            #expect(fixture.counters.events == 1)
        }
        fixture.catchUp(topic)
        fixture.feed.relieved()
        try fixture.events(2)
        #expect(fixture.text(topic).hasSuffix("data: one\nid: 1\n\ndata: 5\nid: 5\n\n"))
    }
}
