import Testing

@testable import Sluice

/// Which endpoints count as healthy.
struct PoolHealthTests {
    /// Endpoint 1 is the one that fails.
    private func pool(_ count: Int, _ change: (inout UpstreamOptions) -> Void = { _ in }) throws -> PoolFixture {
        try PoolFixture(count) {
            ($0.passive.failures, $0.passive.duration) = (3, .seconds(10))
            change(&$0)
        }
    }

    private func checked(_ count: Int, _ change: (inout UpstreamOptions) -> Void = { _ in }) throws -> PoolFixture {
        try PoolFixture(count) {
            $0.healthCheck = HealthCheck(path: "/")
            change(&$0)
        }
    }

    /// So many requests fail at endpoint 1.
    private func fail(_ pool: inout PoolFixture, times: Int = 3) throws {
        for _ in 0..<times {
            let lease = try pool.lease(avoiding: pool.state.endpoints.map(\.id).filter { $0 != 1 })
            #expect(lease.endpoint == 1)
            pool.giveBack(lease, .failure)
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
    }

    @Test func `an ejected one gets nothing for its time, then one request at a time decides`() throws {
        var pool = try pool(2)
        try fail(&pool)
        pool.now += 9999
        #expect(try (0..<4).map { _ in try pool.exchange() } == [2, 2, 2, 2])
        pool.now += 1
        var trial = try pool.lease(avoiding: [2])
        #expect(trial.endpoint == 1)
        #expect(try (0..<4).map { _ in try pool.exchange() } == [2, 2, 2, 2])
        // Nothing was learnt: the next one decides.
        pool.giveBack(trial, .neutral)
        trial = try pool.lease(avoiding: [2])
        #expect(trial.endpoint == 1)
        pool.giveBack(trial, .failure)
        pool.now += 9999
        #expect(try (0..<4).map { _ in try pool.exchange() } == [2, 2, 2, 2])
        pool.now += 1
        #expect(try pool.exchange(.success, avoiding: [2]) == 1)
        #expect(pool.state.endpoints[0].isUp)
        #expect(Set(try (0..<4).map { _ in try pool.lease().endpoint }) == [1, 2])
    }

    @Test func `one that recovered has all its failures before it again`() throws {
        var pool = try pool(1)
        try fail(&pool)
        pool.now += 10_000
        try pool.exchange(.success)
        try fail(&pool, times: 2)
        #expect(pool.state.endpoints[0].isUp)
    }

    @Test func `requests from before the ejection decide nothing`() throws {
        var pool = try pool(2)
        let old = try (0..<5).map { _ in try pool.lease(avoiding: [2]) }
        for lease in old[..<3] { pool.giveBack(lease, .failure) }
        pool.giveBack(old[3], .success)
        #expect(!pool.state.endpoints[0].isUp)
        pool.now += 10_000
        let trial = try pool.lease(avoiding: [2])
        pool.giveBack(old[4], .failure)
        // The trial is still under way, and has its say.
        #expect(try (0..<2).map { _ in try pool.exchange() } == [2, 2])
        pool.giveBack(trial, .success)
        #expect(pool.state.endpoints[0].isUp)
    }

    @Test func `others take over from an ejected one`() throws {
        var pool = try pool(2)
        try fail(&pool)
        #expect(try (0..<3).map { _ in try pool.exchange() } == [2, 2, 2])
    }

    @Test func `without a number of failures nothing ejects`() throws {
        var pool = try PoolFixture(1) { $0.passive.failures = 0 }
        try fail(&pool, times: 100)
        #expect(pool.state.endpoints[0].isUp)
    }

    // MARK: When nobody else is left

    @Test func `a lone server is asked however often it failed, and each success brings it back`() throws {
        var pool = try pool(1)
        try fail(&pool, times: 9)
        #expect(!pool.state.endpoints[0].isUp)
        let all = try (0..<4).map { _ in try pool.lease() }
        pool.giveBack(all[0], .failure)
        #expect(!pool.state.endpoints[0].isUp)
        pool.giveBack(all[1], .success)
        #expect(pool.state.endpoints[0].isUp)
        // One failure after a success is the first one.
        pool.giveBack(all[2], .failure)
        #expect(pool.state.endpoints[0].isUp)
    }

    @Test(arguments: [BalancePolicy.roundRobin, .leastConnections, .random, .hash])
    func `when all are ejected all are asked`(balance: BalancePolicy) throws {
        var pool = try pool(3) { $0.balance = balance }
        for _ in 0..<9 { try pool.exchange(.failure) }
        #expect(pool.state.endpoints.allSatisfy { !$0.isUp })
        var asked: Set<UInt32> = []
        for key in 0..<60 as Range<UInt64> {
            asked.insert(try pool.exchange(.failure, hash: StableHash.mix(key)))
        }
        #expect(asked == [1, 2, 3])
    }

    @Test func `one that only is full is somebody: an ejected one is not asked for it`() throws {
        var pool = try pool(2) { $0.connections = 1 }
        try fail(&pool)
        let lease = try pool.lease()
        #expect(pool.ask(ticket: 1, mayWait: true) == .waiting)
        #expect(pool.giveBack(lease).map { $0.lease?.endpoint } == [2])
    }

    @Test func `checks have the last word: one that they say is down is not asked, an ejected one is`() throws {
        var pool = try checked(2)
        try fail(&pool)
        pool.probe(2, false, times: 3)
        #expect(try pool.exchange(.failure) == 1)
        pool.probe(1, false, times: 3)
        #expect(pool.ask(mayWait: true) == .down)
    }

    // MARK: Those who wait

    @Test func `a failure that ejects the last one wakes who waits, for it is asked all the same`() throws {
        var pool = try pool(1) { ($0.connections, $0.passive.failures) = (1, 1) }
        let lease = try pool.lease()
        #expect(pool.ask(ticket: 1, mayWait: true) == .waiting)
        #expect(pool.giveBack(lease, .failure).map(\.ticket) == [1])
    }

    @Test func `the end of an ejection wakes who waits, one for the trial and the others after its success`() throws {
        var pool = try pool(2) { $0.connections = 2 }
        try fail(&pool)
        let ejectedAt = pool.now
        _ = (try pool.lease(), try pool.lease())
        for ticket in 1...4 as ClosedRange<UInt64> { #expect(pool.ask(ticket: ticket, mayWait: true) == .waiting) }
        #expect(pool.state.nextEjectionEnd(after: pool.now) == ejectedAt + 10_000)
        pool.now = ejectedAt + 9999
        #expect(pool.wake().isEmpty)
        pool.now += 1
        #expect(pool.state.nextEjectionEnd(after: pool.now) == nil)
        // Who comes now does not overtake.
        #expect(pool.ask(ticket: 5, mayWait: true) == .waiting)
        let trial = pool.wake()
        #expect(trial.map(\.ticket) == [1] && trial.map { $0.lease?.endpoint } == [1])
        #expect(pool.wake().isEmpty)
        let served = pool.giveBack(try #require(trial[0].lease), .success)
        #expect(served.map(\.ticket) == [2, 3] && served.allSatisfy { $0.lease?.endpoint == 1 })
    }

    @Test func `a trial that fails wakes nobody while another serves`() throws {
        var pool = try pool(2) { $0.connections = 1 }
        try fail(&pool)
        pool.now += 10_000
        let trial = try pool.lease(avoiding: [2])
        _ = try pool.lease()
        #expect(pool.ask(ticket: 1, mayWait: true) == .waiting)
        #expect(pool.giveBack(trial, .failure).isEmpty)
        pool.now += 10_000
        #expect(pool.wake().map(\.ticket) == [1])
    }

    @Test func `when checks say that the last one is down nobody goes on waiting`() throws {
        var pool = try checked(1) { $0.connections = 1 }
        _ = try pool.lease()
        for ticket in 1...2 as ClosedRange<UInt64> { #expect(pool.ask(ticket: ticket, mayWait: true) == .waiting) }
        #expect(pool.probe(1, false, times: 2).isEmpty)
        let told = pool.probe(1, false)
        #expect(told.map(\.ticket) == [1, 2] && told.allSatisfy { $0.outcome == .down })
        #expect(pool.ask(ticket: 3, mayWait: true) == .down)
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
        #expect(grants.map(\.ticket) == [1, 2] && grants.allSatisfy { $0.lease?.endpoint == 2 })
    }

    @Test func `a recovery wipes out what requests said before`() throws {
        var pool = try checked(2)
        try fail(&pool)
        pool.probe(1, true, times: 9)
        #expect(!pool.state.endpoints[0].isUp)
        pool.probe(1, false, times: 3)
        pool.probe(1, true, times: 2)
        #expect(pool.state.endpoints[0].isUp)
        #expect(try pool.exchange(avoiding: [2]) == 1)
    }

    @Test func `a trial that is under way when checks bring it back decides nothing more`() throws {
        var pool = try checked(2)
        try fail(&pool)
        pool.now += 10_000
        let trial = try pool.lease(avoiding: [2])
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
