import SluiceIO
import SluiceSSE
import Synchronization
import Testing

@testable import Sluice

@Suite struct `Topic subscription` {
    private func makeHub(_ change: (inout TopicOptions) -> Void = { _ in }) throws -> (Hub, TestClock) {
        var options = TopicOptions()
        change(&options)
        let clock = TestClock()
        let catalog = try TopicCatalog(["news": options, "room.{name}": options])
        let hub = Hub(
            catalog: catalog, topicLimit: 100, logBytes: 1 << 30, mailboxes: [try Mailbox()], clock: clock)
        return (hub, clock)
    }

    private func data(_ element: TopicSubscription.Element?) -> String? {
        switch element {
        case .event(let event): event.data
        case .gap(let id): "gap after \(id ?? "nothing")"
        case nil: nil
        }
    }

    @Test func `events come in order with the ids that clients see, also those published before the first read`()
        async throws
    {
        let (hub, _) = try makeHub()
        try hub.publish(ServerSentEvent("before"), to: "news")
        let subscription = try hub.subscribe(to: "news")
        let receipt = try hub.publish(
            [ServerSentEvent("a\nb", event: "x", retry: .milliseconds(5)), ServerSentEvent("")], to: "news")
        #expect(receipt.subscribers == 1)
        var iterator = subscription.makeAsyncIterator()
        #expect(
            await iterator.next()
                == .event(ServerSentEvent("a\nb", event: "x", id: receipt.ids[0], retry: .milliseconds(5))))
        #expect(await iterator.next() == .event(ServerSentEvent("", id: receipt.ids[1])))
    }

    @Test func `a task that waits is woken by the next event, and by the end`() async throws {
        let (hub, _) = try makeHub()
        let subscription = try hub.subscribe(to: "news")
        let reader = Task {
            var seen: [String] = []
            for await element in subscription { seen.append(data(element) ?? "") }
            return seen
        }
        for number in 0..<1000 {
            try hub.publish(ServerSentEvent("\(number)"), to: "news")
            if number % 7 == 0 { await Task.yield() }
        }
        hub.end()
        #expect(await reader.value == (0..<1000).map { "\($0)" })
    }

    @Test func `many readers and many publishers miss nothing and double nothing`() async throws {
        let (hub, _) = try makeHub { $0.history = History(events: 10_000) }
        let readers = try (0..<8).map { _ in
            let subscription = try hub.subscribe(to: "news")
            return Task {
                var seen: [String] = []
                for await element in subscription {
                    seen.append(data(element) ?? "")
                    if seen.count == 2000 { break }
                }
                return seen
            }
        }
        await withTaskGroup { group in
            for publisher in 0..<4 {
                group.addTask {
                    for number in 0..<500 {
                        _ = try? hub.publish(ServerSentEvent("\(publisher) \(number)"), to: "news")
                        if number % 50 == 0 { await Task.yield() }
                    }
                }
            }
        }
        var orders: Set<[String]> = []
        for reader in readers { orders.insert(await reader.value) }
        #expect(orders.count == 1)
        #expect(Set(orders.first ?? []).count == 2000)
    }

    @Test func `a cancelled task, a cancelled subscription and a second reader get nil`() async throws {
        let (hub, _) = try makeHub()
        let topic = try hub.topic(named: "news")
        let first = try hub.subscribe(to: "news")
        let second = try hub.subscribe(to: "news")
        #expect(topic.subscribers.load(ordering: .relaxed) == 2)
        let waiting = Task {
            var iterator = first.makeAsyncIterator()
            return await iterator.next()
        }
        waiting.cancel()
        #expect(await waiting.value == nil)
        second.cancel()
        second.cancel()
        try hub.publish(ServerSentEvent("x"), to: "news")
        var iterator = second.makeAsyncIterator()
        #expect(await iterator.next() == nil)
        #expect(topic.subscribers.load(ordering: .relaxed) == 0)
    }

    @Test func `a subscription that is let go of is no subscriber any more`() throws {
        let (hub, _) = try makeHub()
        let topic = try hub.topic(named: "news")
        do {
            let subscription = try hub.subscribe(to: "news")
            #expect(subscription.topic === topic)
            #expect(topic.subscribers.load(ordering: .relaxed) == 1)
        }
        #expect(topic.subscribers.load(ordering: .relaxed) == 0)
        #expect(topic.watchers.load(ordering: .relaxed) == 0)
    }

    @Test func `who reads too slowly is told of a gap and goes on with what is there`() async throws {
        let (hub, _) = try makeHub { ($0.history, $0.maxLag) = (History(events: 2), 0) }
        let subscription = try hub.subscribe(to: "news")
        var iterator = subscription.makeAsyncIterator()
        let first = try hub.publish(ServerSentEvent("0"), to: "news").ids[0]
        #expect(data(await iterator.next()) == "0")
        for number in 1...9 { try hub.publish(ServerSentEvent("\(number)"), to: "news") }
        #expect(await iterator.next() == .gap(after: first))
        #expect(data(await iterator.next()) == "8")
        #expect(data(await iterator.next()) == "9")
        for number in 10...12 { try hub.publish(ServerSentEvent("\(number)"), to: "news") }
        #expect(data(await iterator.next())?.hasPrefix("gap after ") == true)
        #expect(data(await iterator.next()) == "11")
    }

    @Test func `it begins where it is told to`() async throws {
        let (hub, _) = try makeHub { $0.history = History(events: 3) }
        var ids: [String] = []
        for number in 0..<6 { ids += try hub.publish(ServerSentEvent("\(number)"), to: "news").ids }
        func begin(_ start: TopicSubscription.Start, _ count: Int) async throws -> [String?] {
            var iterator = try hub.subscribe(to: "news", from: start).makeAsyncIterator()
            var seen: [String?] = []
            for _ in 0..<count { seen.append(data(await iterator.next())) }
            return seen
        }
        #expect(try await begin(.oldest, 3) == ["3", "4", "5"])
        #expect(try await begin(.after(ids[3]), 2) == ["4", "5"])
        #expect(try await begin(.after(ids[2]), 3) == ["3", "4", "5"])
        #expect(try await begin(.after(ids[1]), 2) == ["gap after \(ids[1])", "3"])
        #expect(try await begin(.after("nonsense"), 2) == ["gap after nonsense", "3"])
        let subscription = try hub.subscribe(to: "news", from: .after(ids[5]))
        try hub.publish(ServerSentEvent("6"), to: "news")
        var iterator = subscription.makeAsyncIterator()
        #expect(data(await iterator.next()) == "6")
    }

    @Test func `own ids are what is seen and what is resumed from`() async throws {
        let (hub, _) = try makeHub { $0.ids = .upstream }
        try hub.publish(
            [ServerSentEvent("1", id: "a"), ServerSentEvent("2"), ServerSentEvent("3", id: "c")], to: "news")
        var iterator = try hub.subscribe(to: "news", from: .after("a")).makeAsyncIterator()
        #expect(await iterator.next() == .event(ServerSentEvent("2")))
        #expect(await iterator.next() == .event(ServerSentEvent("3", id: "c")))
    }

    @Test func `an instance stays while somebody is subscribed to it`() async throws {
        let (hub, clock) = try makeHub { $0.linger = .seconds(1) }
        let before = hub.topicCount
        let subscription = try hub.subscribe(to: "room.a")
        clock.advance(milliseconds: 10_000)
        hub.sweep()
        #expect(hub.topicCount == before + 1)
        try hub.publish(ServerSentEvent("x"), to: "room.a")
        var iterator = subscription.makeAsyncIterator()
        #expect(data(await iterator.next()) == "x")
        subscription.cancel()
        hub.sweep()
        #expect(hub.topicCount == before + 1)
        clock.advance(milliseconds: 10_000)
        hub.sweep()
        #expect(hub.topicCount == before)
        #expect(throws: SluiceError.self) { try hub.subscribe(to: "none") }
    }

    @Test func `subscriptions end when the gateway has stopped`() async throws {
        var reader: Task<[String], Never>?
        try await withGateway(.make()) { gateway in
            let subscription = try gateway.gateway.hub.subscribe(to: "news")
            reader = Task {
                var seen: [String] = []
                for await element in subscription { seen.append(data(element) ?? "") }
                return seen
            }
            _ = try await gateway.publish("by POST", to: "/publish/news")
        }
        #expect(await reader?.value == ["by POST"])
    }
}
