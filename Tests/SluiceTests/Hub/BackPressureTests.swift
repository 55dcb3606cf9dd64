import Synchronization
import Testing

@testable import Sluice

/// What the hub refuses, and when it goes on.
@Suite struct BackPressureTests {
    private func options(maxLag: Int = 1 << 20, history: History = History()) -> TopicOptions {
        var options = TopicOptions()
        options.heartbeat = .zero
        options.maxLag = maxLag
        options.history = history
        return options
    }

    private func isAccepted(_ admission: Admission) -> Bool {
        if case .accepted = admission { true } else { false }
    }

    private func isFull(_ admission: Admission) -> Bool {
        if case .full = admission { true } else { false }
    }

    private let kilobyte = String(repeating: "x", count: 1000)

    @Test func `publishing waits where it would push out what a worker has not sent`() throws {
        let fixture = try ShardFixture(["a": options(maxLag: 4 << 10, history: History(events: 1))])
        let client = try fixture.subscribe(to: "a")
        fixture.flush()
        for _ in 0..<3 { #expect(isAccepted(try fixture.publish(kilobyte, to: "a"))) }
        #expect(isFull(try fixture.publish(kilobyte + kilobyte, to: "a")))
        #expect(fixture.received(client).count == 3)
        fixture.flush()
        #expect(fixture.shard.isRelieved)
        #expect(isAccepted(try fixture.publish(kilobyte + kilobyte, to: "a")))
        #expect(fixture.received(client).count == 4)
    }

    @Test func `a batch is whole or nothing`() throws {
        let fixture = try ShardFixture(["a": options(maxLag: 4 << 10), "b": options()])
        let client = try fixture.subscribe(to: "b")
        _ = try fixture.subscribe(to: "a")
        fixture.flush()
        try fixture.publish(kilobyte, to: "a")
        let topics = try ["a", "b"].map(fixture.hub.topic(named:))
        let large = Array(String(repeating: kilobyte, count: 4).utf8)
        let batch = [
            Publication(draft: EventDraft(data: [0x78]), topics: [topics[1]]),
            Publication(draft: EventDraft(data: large), topics: [topics[0]]),
        ]
        #expect(isFull(fixture.hub.publish(batch, from: 0)))
        #expect(fixture.hub.position == 1)
        #expect(fixture.received(client).isEmpty)
        #expect(isAccepted(fixture.hub.publish(batch, from: 0)))
        #expect(fixture.hub.position == 3)
        #expect(fixture.received(client) == ["x"])
    }

    @Test func `mail for an interest that ended says nothing of the next one`() throws {
        let fixture = try ShardFixture(["a": options(maxLag: 4 << 10)])
        let gone = try fixture.subscribe(to: "a")
        fixture.flush()
        try fixture.publish("old", to: "a")
        fixture.unsubscribe(gone)
        // Nobody is interested, so this is announced to nobody.
        for _ in 0..<10 { #expect(isAccepted(try fixture.publish(kilobyte, to: "a"))) }
        let client = try fixture.subscribe(to: "a")
        #expect(fixture.received(client) == [])
        #expect(isAccepted(try fixture.publish("new", to: "a")))
        #expect(fixture.received(client) == ["new"])
    }

    @Test func `the answer to an interest that ended begins no stream`() throws {
        let fixture = try ShardFixture(["a": options()])
        fixture.unsubscribe(try fixture.subscribe(to: "a"))
        try fixture.publish("before", to: "a")
        let client = try fixture.subscribe(to: "a")
        #expect(fixture.received(client) == [])
        #expect(fixture.opening(client) == 1)
    }

    @Test func `a mailbox that is over its bound relieves when it is emptied, whatever was in it`() throws {
        let fixture = try ShardFixture(["a": options(), "b": options(maxLag: 1 << 30)])
        _ = try fixture.subscribe(to: "a")
        let other = try fixture.subscribe(to: "b")
        fixture.flush()
        let topic = try fixture.hub.topic(named: "b")
        let batch = [Publication(draft: EventDraft(data: []), topics: [topic])]
        for _ in 0...Hub.mailboxLimit { _ = fixture.hub.publish(batch, from: 0) }
        fixture.unsubscribe(other)
        #expect(isFull(try fixture.publish(to: "a")))
        fixture.flush()
        fixture.flush()
        #expect(fixture.shard.isRelieved)
        #expect(isAccepted(try fixture.publish(to: "a")))
    }

    @Test func `who reads all that comes loses nothing, however many there are and however large the bursts`() throws {
        // More than one run for each of them is outstanding at any time, and the log keeps no more than may be.
        let fixture = try ShardFixture(["a": options(maxLag: 512 << 10, history: History(events: 1))])
        let clients = try (0..<100).map { _ in try fixture.subscribe(to: "a") }
        fixture.flush()
        let text = String(repeating: kilobyte, count: 16)
        var number = 0
        while number < 120 {
            while number < 120, isAccepted(try fixture.publish("\(number) \(text)", to: "a")) { number += 1 }
            fixture.flush()
            for client in clients { fixture.read(client) }
        }
        // What the kernel has taken may not have arrived yet.
        for client in clients {
            var rounds = 0
            while fixture.received(client).count < 120, rounds < 1000 {
                fixture.flush()
                fixture.read(client)
                rounds += 1
            }
            #expect(fixture.received(client).map { $0.prefix { $0 != " " } } == (0..<120).map { "\($0)" })
        }
        #expect(fixture.shard.ended.isEmpty)
    }

    @Test func `without subscribers nothing waits`() throws {
        let fixture = try ShardFixture(["a": options(maxLag: 1, history: History(events: 1))])
        for _ in 0..<100 { #expect(isAccepted(try fixture.publish(kilobyte, to: "a"))) }
    }

    @Test func `a client that reads nothing holds nobody up`() throws {
        let fixture = try ShardFixture(["a": options(maxLag: 128 << 10)])
        _ = try fixture.subscribe(to: "a")
        let reader = try fixture.subscribe(to: "a")
        fixture.flush()
        let text = String(repeating: kilobyte, count: 64)
        for number in 1...100 {
            #expect(isAccepted(try fixture.publish(text, to: "a")))
            #expect(fixture.received(reader).count == number)
        }
    }

    @Test func `what no log can keep is refused`() throws {
        let history = History(bytes: 2 << 10)
        let fixture = try ShardFixture(
            ["a": options(maxLag: 1 << 10, history: history), "b": options()], logBytes: 1 << 20)
        guard case .tooLarge("a") = try fixture.publish(kilobyte + kilobyte + kilobyte, to: "b", "a") else {
            Issue.record("more than the topic keeps")
            return
        }
        guard case .tooLarge = try fixture.publish(String(repeating: kilobyte, count: 1100), to: "b") else {
            Issue.record("more than all logs keep")
            return
        }
        #expect(fixture.hub.position == 0)
    }

    @Test func `a batch that would push out its own beginning is refused`() throws {
        let fixture = try ShardFixture(["a": options(maxLag: 1 << 10, history: History(events: 10))])
        let client = try fixture.subscribe(to: "a")
        fixture.flush()
        let topic = try fixture.hub.topic(named: "a")
        let event = Publication(draft: EventDraft(data: Array(kilobyte.utf8)), topics: [topic])
        guard case .tooLarge("a") = fixture.hub.publish(Array(repeating: event, count: 11), from: 0) else {
            Issue.record("more events than the log keeps")
            return
        }
        #expect(isAccepted(fixture.hub.publish(Array(repeating: event, count: 10), from: 0)))
        #expect(fixture.received(client).count == 10)
    }

    @Test func `over the bound of all logs the largest loses its oldest events`() throws {
        let bound = 256 << 10
        let fixture = try ShardFixture(["large": options(), "small": options()], logBytes: bound)
        for number in 0..<20 { try fixture.publish("\(number) " + kilobyte, to: "small") }
        for _ in 0..<2000 { try fixture.publish(kilobyte, to: "large") }
        #expect(fixture.hub.logCost <= bound)
        let client = try fixture.subscribe(to: "small", after: 0)
        #expect(fixture.received(client).count == 20)
        let late = try fixture.subscribe(to: "large", after: 20)
        #expect(fixture.received(late).first?.hasPrefix("gap: ") == true)
    }

    @Test func `a dropped instance takes its memory with it`() throws {
        var instance = options()
        instance.linger = .zero
        let fixture = try ShardFixture(["room.{n}": instance])
        for number in 0..<50 { try fixture.publish(kilobyte, to: "room.\(number)") }
        #expect(fixture.hub.logCost > 50_000)
        fixture.hub.sweep()
        #expect(fixture.hub.topicCount == 0)
        #expect(fixture.hub.logCost == 0)
    }

    @Test func `the ranking knows the largest after any changes`() {
        var ranking = CostRanking()
        let topics = (0..<50).map {
            Topic(name: "\($0)", options: TopicOptions(), isInstance: true, birth: 0, milliseconds: 0, workers: 1)
        }
        var costs: [Int: Int] = [:]
        var chance = SystemRandomNumberGenerator()
        for _ in 0..<5000 {
            let number = Int.random(in: 0..<50, using: &chance)
            if Int.random(in: 0..<5, using: &chance) == 0 {
                ranking.remove(topics[number])
                costs[number] = nil
            } else {
                let cost = Int.random(in: 1...1_000_000, using: &chance)
                ranking.settle(topics[number], cost: cost)
                costs[number] = cost
            }
            let total = ranking.total
            let largest = ranking.largest?.countedCost.load(ordering: .relaxed)
            #expect(total == costs.values.reduce(0, +))
            // In whole KiB.
            #expect(largest.map { $0 >> 10 } == costs.values.max().map { $0 >> 10 })
        }
    }
}
