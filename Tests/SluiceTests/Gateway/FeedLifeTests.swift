import SluiceSSE
import SluiceTestSupport
import Synchronization
import Testing

@testable import Sluice

/// When feeds are connected: one gateway is the upstream of another.
@Suite(.timeLimit(.minutes(3))) struct FeedLifeTests {
    /// A gateway whose template `feed.{symbol}` and topic `all` are fed by rooms of the upstream.
    private func configuration(
        upstream: RunningGateway, _ change: (inout FeedOptions, inout TopicOptions) -> Void
    ) -> Configuration {
        var configuration = Configuration()
        var feed = FeedOptions(url: "http://127.0.0.1:\(upstream.port)/rooms/{symbol}")
        feed.retry.initial = .milliseconds(50)
        var topic = TopicOptions()
        topic.retry = .zero
        topic.sources = ["quotes"]
        change(&feed, &topic)
        configuration.sources = ["quotes": .feed(feed)]
        configuration.topics = ["feed.{symbol}": topic]
        configuration.routes = [Route(RouteMatch(path: "/feeds/{symbol}"), .subscribe("feed.{symbol}"))]
        if !feed.url.contains("{") {
            configuration.topics["all"] = topic
            configuration.routes.append(Route(RouteMatch(path: "/all"), .subscribe("all")))
        }
        configuration.shutdownGrace = .seconds(5)
        return configuration
    }

    private func withChain(
        _ change: (inout FeedOptions, inout TopicOptions) -> Void = { _, _ in },
        _ body: (_ upstream: RunningGateway, _ gateway: RunningGateway) async throws -> Void
    ) async throws {
        var above = Configuration.make()
        above.limits.connectionsPerAddress = 100_000
        try await withGateway(above) { upstream in
            try await withGateway(configuration(upstream: upstream, change)) { gateway in
                try await body(upstream, gateway)
            }
        }
    }

    /// Asks again and again until what a gateway holds is as it must become.
    private func wait(_ gateway: RunningGateway, until isSo: (Occupancy) -> Bool) async {
        while !isSo(await gateway.gateway.occupancy().1) { await Task.yield() }
    }

    /// Publishes as soon as somebody gets it.
    private func publish(_ data: String, to name: String, _ gateway: RunningGateway) async throws {
        let hub = gateway.gateway.hub
        while try hub.topic(named: name).subscribers.load(ordering: .relaxed) == 0 { await Task.yield() }
        try hub.publish(ServerSentEvent(data), to: name)
    }

    @Test func `one upstream connection for an instance however many subscribe, gone after the last`() async throws {
        try await withChain { feed, _ in
            feed.linger = .zero
        } _: { upstream, gateway in
            #expect(await upstream.gateway.occupancy().1.subscribers == 0)
            var clients: [RawClient] = []
            for _ in 0..<20 { clients.append(try await gateway.subscriber("/feeds/a").client) }
            clients.append(try await gateway.subscriber("/feeds/b").client)
            await wait(upstream) { $0.subscribers == 2 }
            try await publish("for a", to: "room.a", upstream)
            try await publish("for b", to: "room.b", upstream)
            for client in clients.dropLast() { #expect(try await client.read(through: "\n\n").contains("for a")) }
            #expect(try await clients[20].read(through: "\n\n").contains("for b"))
            let counters = await gateway.gateway.occupancy().0
            #expect(counters.feeds.connected == 2)
            clients.removeFirst(20)
            await wait(upstream) { $0.subscribers == 1 }
            clients = []
            await wait(upstream) { $0.connections == 0 }
        }
    }

    @Test func `what the upstream keeps while nobody listens comes with the next subscriber`() async throws {
        try await withChain { feed, topic in
            feed.linger = .zero
            topic.ids = .upstream
        } _: { upstream, gateway in
            var (client, _) = try await gateway.subscriber("/feeds/a")
            await wait(upstream) { $0.subscribers == 1 }
            try await publish("1", to: "room.a", upstream)
            let first = try await client.read(through: "\n\n")
            let id = try #require(first.split(separator: "\n").first { $0.hasPrefix("id: ") }).dropFirst(4)
            client = try gateway.client()
            await wait(upstream) { $0.subscribers == 0 }
            for number in 2...4 { try upstream.gateway.hub.publish(ServerSentEvent("\(number)"), to: "room.a") }
            (client, _) = try await gateway.subscriber("/feeds/a", headers: "Last-Event-ID: \(id)\r\n")
            for number in 2...4 {
                #expect(try await client.read(through: "\n\n").contains("data: \(number)\n"))
            }
        }
    }

    @Test func `a subscriber that comes while a feed lingers finds it connected`() async throws {
        try await withChain { feed, _ in
            feed.linger = .seconds(3600)
        } _: { upstream, gateway in
            var (client, _) = try await gateway.subscriber("/feeds/a")
            await wait(upstream) { $0.subscribers == 1 }
            client = try gateway.client()
            await wait(gateway) { $0.subscribers == 0 }
            (client, _) = try await gateway.subscriber("/feeds/a")
            try await publish("still there", to: "room.a", upstream)
            #expect(try await client.read(through: "\n\n").contains("still there"))
            #expect(await gateway.gateway.occupancy().0.feeds.connected == 1)
        }
    }

    @Test func `one feed without parameters feeds all instances, and each event once`() async throws {
        try await withChain { feed, topic in
            feed.url = feed.url.replacing("{symbol}", with: "x")
            topic.linger = .zero
        } _: { upstream, gateway in
            var clients: [RawClient] = []
            for path in ["/feeds/a", "/feeds/b", "/all"] { clients.append(try await gateway.subscriber(path).client) }
            await wait(upstream) { $0.subscribers == 1 }
            try await publish("for all", to: "room.x", upstream)
            var ids: Set<Substring> = []
            for client in clients {
                let event = try await client.read(through: "\n\n")
                #expect(event.contains("for all"))
                ids.formUnion(event.split(separator: "\n").filter { $0.hasPrefix("id: ") })
            }
            #expect(ids.count == 1, "one event, one place in the order")
            #expect(await gateway.gateway.occupancy().1.feeds == 1)
        }
    }

    @Test func `a feed that always sends does not keep an instance that nobody uses`() async throws {
        try await withChain { feed, topic in
            feed.connect = .always
            topic.linger = .milliseconds(1)
        } _: { upstream, gateway in
            // Made again and again: on a busy machine one is dropped before its feed is connected.
            while await upstream.gateway.occupancy().1.subscribers == 0 {
                try gateway.gateway.hub.publish(ServerSentEvent("made"), to: "feed.a")
            }
            while gateway.gateway.hub.topicCount > 0 {
                try upstream.gateway.hub.publish(ServerSentEvent("more"), to: "room.a")
                await Task.yield()
            }
            await wait(gateway) { $0.feeds == 0 }
            await wait(upstream) { $0.connections == 0 }
        }
    }

    @Test func `ten thousand instances made and dropped leave nothing behind`() async throws {
        try await withChain { feed, topic in
            feed.connect = .always
            topic.linger = .zero
            topic.limit = 20_000
        } _: { upstream, gateway in
            let before = await gateway.gateway.occupancy().1
            for number in 0..<10_000 {
                try gateway.gateway.hub.publish(ServerSentEvent("x"), to: "feed.\(number % 7 == 0 ? 0 : number)")
            }
            while await gateway.gateway.occupancy().0.feeds.connected == 0 {
                try gateway.gateway.hub.publish(ServerSentEvent("x"), to: "feed.0")
            }
            await wait(gateway) { $0.feeds == 0 && $0.timers <= before.timers }
            await wait(upstream) { $0.connections == 0 }
            #expect(gateway.gateway.hub.topicCount == 0)
            // And it still works.
            let (client, _) = try await gateway.subscriber("/feeds/a")
            try await publish("alive", to: "room.a", upstream)
            #expect(try await client.read(through: "\n\n").contains("alive"))
        }
    }

    @Test func `feeds over the limit wait for those that leave`() async throws {
        try await withGateway(.make()) { upstream in
            var configuration = configuration(upstream: upstream) { feed, _ in feed.linger = .zero }
            configuration.limits.feeds = 1
            try await withGateway(configuration) { gateway in
                var (first, _) = try await gateway.subscriber("/feeds/a")
                await wait(upstream) { $0.subscribers == 1 }
                let (second, _) = try await gateway.subscriber("/feeds/b")
                await wait(gateway) { $0.feeds == 2 }
                #expect(await upstream.gateway.occupancy().1.subscribers == 1)
                first = try gateway.client()
                try await publish("now b", to: "room.b", upstream)
                #expect(try await second.read(through: "\n\n").contains("now b"))
                _ = first
            }
        }
    }

    @Test func `over the topic's limit a subscriber is refused, and gets in when another left`() async throws {
        try await withChain { feed, topic in
            feed.linger = .zero
            topic.linger = .zero
            topic.limit = 1
        } _: { upstream, gateway in
            var (client, _) = try await gateway.subscriber("/feeds/a")
            await wait(upstream) { $0.subscribers == 1 }
            let refused = try gateway.client()
            try await refused.send(
                "GET /feeds/b HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n")
            let answer = try await refused.readToEnd()
            #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.contains("retry: "))
            let plain = try gateway.client()
            try await plain.send("GET /feeds/b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(try await plain.readToEnd().hasPrefix("HTTP/1.1 503 "))
            #expect(await gateway.gateway.occupancy().1.feeds == 1)
            client = try gateway.client()
            while gateway.gateway.hub.topicCount > 0 { await Task.yield() }
            (client, _) = try await gateway.subscriber("/feeds/b")
            try await publish("b", to: "room.b", upstream)
            #expect(try await client.read(through: "\n\n").contains("data: b\n"))
        }
    }
}
