import Logging
import SluiceHTTP
import SluiceIO
import Synchronization
import Testing

@testable import Sluice

/// A feed, its topics and its upstream.
final class FeedFixture: LoopFixture, UpstreamFeed.Owner {
    let hub: Hub
    let topics: [Topic]
    private let options: FeedOptions
    private var target: FeedURL
    private(set) lazy var feed: UpstreamFeed = {
        let feed = UpstreamFeed(
            name: "f", options: options, url: target, trust: StreamTrust(), hub: hub, worker: 0, context: context,
            owner: self, index: 0, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        for topic in topics { feed.topics.look(at: topic) }
        return feed
    }()

    init(_ topicOptions: [TopicOptions], _ change: (inout FeedOptions) -> Void = { _ in }) throws {
        var named: [String: TopicOptions] = [:]
        for (index, options) in topicOptions.enumerated() { named["t\(index)"] = options }
        let hub = Hub(
            catalog: try TopicCatalog(named), topicLimit: 10, logBytes: 1 << 30,
            mailboxes: [try Mailbox<Hub.Message>()], clock: SystemClock())
        self.hub = hub
        topics = try named.keys.sorted().map { try hub.topic(named: $0) }
        var options = FeedOptions(url: "http://unused")
        options.retry.jitter = 0
        change(&options)
        self.options = options
        target = try FeedURL("http://unused")
        try super.init()
        target = try FeedURL(url)
    }

    override func feedReady(_ token: Token, _ events: Selector.Events) { feed.client.ready(token, events) }
    override func feedTimerFired() { feed.client.timerFired() }

    func resolve(_ feed: UpstreamFeed, host: String, port: UInt16, attempt: UInt64) {
        feed.client.resolved(.success([.ip(.loopbackV4, port: port)]), attempt: attempt)
    }

    var counters: FeedCounters { context.counters.feeds }

    /// Ticks until the feed has handed so many events on.
    func events(_ count: UInt64) throws { try run { counters.events >= count } }

    /// A worker with subscribers is as far behind as a topic allows.
    func fallBehind(_ topic: Topic) {
        _ = hub.join(topic, worker: 0)
        let filler = EventDraft(data: [UInt8](repeating: 0x78, count: topic.options.maxLag))
        _ = hub.publish([Publication(draft: filler, topics: [topic])])
    }

    func catchUp(_ topic: Topic) {
        topic.progress[0].done.store(topic.published.load(ordering: .relaxed), ordering: .sequentiallyConsistent)
    }

    /// The log of a topic as its subscribers get it.
    func text(_ topic: Topic) -> String {
        topic.log.withLock { log in
            var events: [EncodedEvent] = []
            _ = log.read(after: 0, through: .max, maxBytes: .max, into: &events)
            return String(
                decoding: events.flatMap { event in unsafe event.withBytes(.untilClose) { unsafe Array($0) } },
                as: UTF8.self)
        }
    }
}

@Suite struct UpstreamFeedTests {
    private func topic(_ change: (inout TopicOptions) -> Void = { _ in }) -> TopicOptions {
        var options = TopicOptions()
        change(&options)
        return options
    }

    @Test func `one event goes to all topics of a feed, at one place in the order`() throws {
        let fixture = try FeedFixture([topic(), topic()])
        fixture.feed.start()
        try fixture.accept().stream("data: one\n\ndata: two\n\n")
        try fixture.events(2)
        #expect(fixture.hub.position == 2)
        for topic in fixture.topics { #expect(topic.log.withLock { $0.lastSequence } == 2) }
    }

    @Test func `ids get the prefix on their way in, and upstream gets its own`() throws {
        let fixture = try FeedFixture([topic { $0.ids = .upstream }]) { $0.idPrefix = "a-" }
        fixture.feed.start()
        let exchange = try fixture.accept()
        exchange.stream("id: 7\ndata: one\n\ndata: two\n\n")
        try fixture.events(2)
        #expect(fixture.text(fixture.topics[0]) == "data: one\nid: a-7\n\ndata: two\n\n")
        exchange.finish()
        try fixture.run { fixture.feed.condition == .down }
        fixture.pass(milliseconds: 1000)
        #expect(try fixture.accept().text.contains("\r\nLast-Event-ID: 7\r\n"))
    }

    @Test func `what the hub does not take is kept and published when there is room`() throws {
        let fixture = try FeedFixture([topic { $0.maxLag = 1000 }])
        let topic = fixture.topics[0]
        fixture.fallBehind(topic)
        fixture.feed.start()
        let exchange = try fixture.accept()
        exchange.stream("data: one\n\n")
        try fixture.events(1)
        #expect(fixture.counters.paused == 1)
        #expect(fixture.hub.position == 1)
        exchange.send("data: two\n\n")
        fixture.settle()
        #expect(fixture.counters.events == 1, "nothing more is read")
        fixture.feed.relieved()
        #expect(fixture.hub.position == 1, "there is no room yet")
        fixture.catchUp(topic)
        fixture.feed.relieved()
        try fixture.events(2)
        #expect(fixture.hub.position == 3)
        #expect(fixture.text(topic).hasSuffix("data: one\nid: \(fixture.id(2))\n\ndata: two\nid: \(fixture.id(3))\n\n"))
    }

    @Test func `what is kept outlives the connection`() throws {
        let fixture = try FeedFixture([topic { $0.maxLag = 1000 }])
        fixture.fallBehind(fixture.topics[0])
        fixture.feed.start()
        try fixture.accept().stream("id: 1\ndata: one\n\n")
        try fixture.events(1)
        fixture.feed.stop()
        fixture.catchUp(fixture.topics[0])
        fixture.feed.relieved()
        #expect(fixture.hub.position == 2)
        fixture.feed.start()
        fixture.settle()
        #expect(try fixture.accept().text.contains("Last-Event-ID: 1\r\n"))
    }

    @Test func `an event that a topic cannot keep goes to the others`() throws {
        let small = topic {
            $0.history.bytes = 100
            $0.maxLag = 100
        }
        let fixture = try FeedFixture([small, topic()])
        fixture.feed.start()
        let large = String(repeating: "x", count: 500)
        try fixture.accept().stream("data: a\n\ndata: \(large)\n\ndata: b\n\n")
        try fixture.events(3)
        #expect(fixture.text(fixture.topics[0]).contains(large) == false)
        #expect(fixture.text(fixture.topics[0]).contains("data: b\n"))
        #expect(fixture.text(fixture.topics[1]).contains(large))
        #expect(fixture.context.counters.oversizedEvents == 1)
        #expect(fixture.feed.condition == .up)
    }

    @Test func `its condition follows what happens`() throws {
        let fixture = try FeedFixture([topic()])
        fixture.feed.start()
        #expect(fixture.feed.condition == .down)
        let exchange = try fixture.accept()
        exchange.stream()
        try fixture.run { fixture.feed.condition == .up }
        exchange.finish()
        try fixture.run { fixture.feed.condition == .down }
        fixture.pass(milliseconds: 1000)
        try fixture.accept().send("HTTP/1.1 403 Forbidden\r\n\r\n")
        try fixture.run { fixture.feed.condition == .refused }
        fixture.pass(milliseconds: 300_000)
        try fixture.accept().send("HTTP/1.1 204 No Content\r\n\r\n")
        try fixture.run { fixture.feed.condition == .stopped }
    }
}

extension FeedFixture {
    func id(_ sequence: UInt64) -> String { String(decoding: hub.id(of: sequence), as: UTF8.self) }
}

@Suite struct FeedRequestTests {
    @Test func `credentials become the Authorization field`() throws {
        func field(_ credentials: FeedCredentials) throws -> String? {
            var options = FeedOptions(url: "http://a")
            options.credentials = credentials
            let request = options.request(try FeedURL("http://a"))
            #expect(request.fields.allSatisfy { $0.isSecret })
            return request.fields.first { $0.name == "Authorization" }?.value
        }
        #expect(try field(.bearer(Secret("t"))) == "Bearer t")
        // RFC 7617, section 2.
        #expect(
            try field(.basic(user: "Aladdin", password: Secret("open sesame"))) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        #expect(try field(.basic(user: "test", password: Secret("123£"))) == "Basic dGVzdDoxMjPCow==")
    }
}
