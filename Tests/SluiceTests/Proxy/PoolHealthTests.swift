import Testing

@testable import Sluice

/// Which endpoints count as healthy.
struct PoolHealthTests {
    private func pool(_ count: Int) throws -> PoolFixture {
        try PoolFixture(count) { ($0.passive.failures, $0.passive.duration) = (3, .seconds(10)) }
    }

    private func checked(_ count: Int, _ change: (inout UpstreamOptions) -> Void = { _ in }) throws -> PoolFixture {
        try PoolFixture(count) {
            $0.healthCheck = HealthCheck(path: "/")
            change(&$0)
        }
    }

    // MARK: By requests

    @Test func `failures one after the other eject, those with a success between them do not`() throws {
        var pool = try pool(1)
        for outcome in [.failure, .failure, .success, .failure, .neutral, .failure] as [ExchangeOutcome] {
            try pool.exchange(outcome)
        }
        #expect(pool.state.endpoints[0].isUp)
        try pool.exchange(.failure)
        #expect(!pool.state.endpoints[0].isUp)
        #expect(pool.ask(mayWait: true) == .down)
    }

    @Test func `an ejected one gets nothing for its time, then one request at a time decides`() throws {
        var pool = try pool(1)
        for _ in 0..<3 { try pool.exchange(.failure) }
        pool.now += 9999
        #expect(pool.ask() == .down)
        pool.now += 1
        var trial = try pool.lease()
        #expect(pool.ask() == .down)
        // Nothing was learnt: the next one decides.
        pool.giveBack(trial, .neutral)
        trial = try pool.lease()
        pool.giveBack(trial, .failure)
        pool.now += 9999
        #expect(pool.ask() == .down)
        pool.now += 1
        try pool.exchange(.success)
        #expect(pool.state.endpoints[0].isUp)
        _ = (try pool.lease(), try pool.lease())
    }

    @Test func `one that recovered has all its failures before it again`() throws {
        var pool = try pool(1)
        for _ in 0..<3 { try pool.exchange(.failure) }
        pool.now += 10_000
        try pool.exchange(.success)
        for _ in 0..<2 { try pool.exchange(.failure) }
        #expect(pool.state.endpoints[0].isUp)
    }

    @Test func `requests from before the ejection decide nothing`() throws {
        var pool = try pool(1)
        let old = try (0..<5).map { _ in try pool.lease() }
        for lease in old[..<3] { pool.giveBack(lease, .failure) }
        pool.giveBack(old[3], .success)
        #expect(pool.ask() == .down)
        pool.now += 10_000
        let trial = try pool.lease()
        pool.giveBack(old[4], .failure)
        #expect(pool.ask() == .down)
        pool.giveBack(trial, .success)
        #expect(pool.state.endpoints[0].isUp)
    }

    @Test func `others take over from an ejected one`() throws {
        var pool = try pool(2)
        for _ in 0..<3 { try pool.exchange(.failure, avoiding: [2]) }
        #expect(try (0..<3).map { _ in try pool.exchange() } == [2, 2, 2])
    }

    @Test func `without a number of failures nothing ejects`() throws {
        var pool = try PoolFixture(1) { $0.passive.failures = 0 }
        for _ in 0..<100 { try pool.exchange(.failure) }
        #expect(pool.state.endpoints[0].isUp)
    }

    @Test func `a failure that ejects the last one wakes nobody`() throws {
        var pool = try PoolFixture(1) { ($0.connections, $0.passive.failures) = (1, 1) }
        let lease = try pool.lease()
        #expect(pool.ask(ticket: 1, mayWait: true) == .waiting)
        #expect(pool.giveBack(lease, .failure) == nil)
        pool.now += 10_000
        let trial = try pool.lease()
        #expect(pool.giveBack(trial)?.ticket == 1)
    }

    // MARK: By checks

    @Test func `it takes fall failures one after the other, and rise successes`() throws {
        var pool = try checked(1)
        pool.probe(1, false, times: 2)
        pool.probe(1, true)
        pool.probe(1, false, times: 2)
        #expect(pool.state.endpoints[0].isUp)
        pool.probe(1, false)
        #expect(!pool.state.endpoints[0].isUp && pool.ask(mayWait: true) == .down)
        pool.probe(1, true)
        pool.probe(1, false)
        pool.probe(1, true)
        #expect(pool.ask() == .down)
        pool.probe(1, true)
        #expect(try pool.exchange() == 1)
    }

    @Test func `an endpoint that recovers serves those who wait, up to its limit`() throws {
        var pool = try checked(2) { $0.connections = 2 }
        pool.probe(2, false, times: 3)
        _ = (try pool.lease(), try pool.lease())
        for ticket in 1...3 as ClosedRange<UInt64> { #expect(pool.ask(ticket: ticket, mayWait: true) == .waiting) }
        let grants = pool.probe(2, true, times: 2)
        #expect(grants.map(\.ticket) == [1, 2] && grants.allSatisfy { $0.lease.endpoint == 2 })
    }

    @Test func `a recovery wipes out what requests said before`() throws {
        var pool = try checked(1)
        for _ in 0..<3 { try pool.exchange(.failure) }
        pool.probe(1, true, times: 9)
        #expect(pool.ask() == .down)
        pool.probe(1, false, times: 3)
        pool.probe(1, true, times: 2)
        #expect(pool.state.endpoints[0].isUp)
        _ = try pool.lease()
    }

    @Test func `a trial that is under way when checks bring it back decides nothing more`() throws {
        var pool = try checked(1)
        for _ in 0..<3 { try pool.exchange(.failure) }
        pool.now += 10_000
        let trial = try pool.lease()
        pool.probe(1, false, times: 3)
        pool.probe(1, true, times: 2)
        pool.giveBack(trial, .failure)
        #expect(pool.state.endpoints[0].isUp)
    }

    @Test func `without checks nobody is asked`() throws {
        var pool = try PoolFixture(1)
        pool.probe(1, false, times: 100)
        #expect(pool.state.endpoints[0].isUp)
    }
}
