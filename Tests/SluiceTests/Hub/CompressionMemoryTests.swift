import SluiceIO
import Synchronization
import Testing

@testable import Sluice

/// What compression takes of the memory that the logs may have.
@Suite struct CompressionMemoryTests {
    private func fixture(
        logBytes: Int, clock: any MonotonicClock = SystemClock(), _ change: (inout TopicOptions) -> Void = { _ in }
    ) throws -> ShardFixture {
        var options = CompressedStreamTests.options
        options.heartbeat = .zero
        change(&options)
        return try ShardFixture(["a": options, "b": options, "c": options], logBytes: logBytes, clock: clock)
    }

    private func crowd(_ fixture: ShardFixture, of topic: String) throws -> [Token] {
        let streams = TopicCompression.streamsForWindow
        let tokens = try (0..<streams).map { _ in try fixture.subscribe(to: topic, isCompressed: true) }
        fixture.flush()
        return tokens
    }

    private func window(_ token: Token, _ fixture: ShardFixture) -> UInt32 {
        fixture.shard.subscribers.find(token)?.value.gzip.window ?? 0
    }

    private func publish(_ fixture: ShardFixture) throws {
        for topic in ["a", "b", "c"] { try fixture.publish(String(repeating: "again ", count: 50), to: topic) }
        while fixture.flush() {}
        fixture.hub.sweep()
    }

    @Test func `so many topics have a window as all logs have room for, and idle ones give theirs up`() throws {
        let clock = TestClock()
        let fixture = try fixture(logBytes: 8 * (2 * TopicWindow.cost + 1), clock: clock)
        let crowds = try ["a", "b", "c"].map { try crowd(fixture, of: $0) }
        let before = fixture.hub.logCost
        try publish(fixture)
        #expect(crowds.map { window($0[0], fixture) } == [1, 1, 0])
        #expect(fixture.hub.logCost > before + 2 * TopicWindow.cost)
        #expect(fixture.hub.logCost < before + 3 * TopicWindow.cost)
        clock.advance(milliseconds: TopicCompression.linger)
        fixture.hub.sweep()
        #expect(fixture.hub.logCost < before + TopicWindow.cost)
        try fixture.publish("x", to: "c")
        fixture.flush()
        #expect(window(crowds[2][0], fixture) == 1)
        for client in crowds.joined() { #expect(fixture.received(client).isEmpty == false) }
    }

    @Test func `where there is little room there are no windows, and streams go on`() throws {
        let fixture = try fixture(logBytes: 1 << 20)
        let clients = try crowd(fixture, of: "a")
        for number in 0..<5 { try fixture.publish("\(number)", to: "a") }
        for client in clients {
            #expect(fixture.received(client) == ["0", "1", "2", "3", "4"])
            #expect(window(client, fixture) == 0)
        }
    }

    @Test func `compressed events count while they are held`() throws {
        let fixture = try fixture(logBytes: 1 << 20) {
            $0.history = History(events: 10)
            $0.maxLag = 0
        }
        for _ in 0..<10 { try publish(fixture) }
        let plain = fixture.hub.logCost
        let client = try fixture.subscribe(to: "a", after: fixture.hub.position - 3 * 8, isCompressed: true)
        #expect(fixture.received(client).count == 8)
        fixture.hub.sweep()
        #expect(fixture.hub.logCost > plain + 8 * 200)
        fixture.unsubscribe(client)
        for _ in 0..<10 { try publish(fixture) }
        #expect(fixture.hub.logCost == plain)
    }

    @Test func `what is compressed does not take the logs over their bound`() throws {
        let bound = 400 << 10
        let fixture = try fixture(logBytes: bound)
        for number in 0..<600 { try fixture.publish("\(number) " + String(repeating: "again ", count: 50), to: "a") }
        let client = try fixture.subscribe(to: "a", after: 0, isCompressed: true)
        #expect(fixture.received(client).count == 600)
        #expect(fixture.hub.logCost <= bound)
        fixture.hub.sweep()
        #expect(fixture.hub.logCost <= bound)
        #expect(fixture.hub.logCost > bound * 9 / 10)
    }
}
