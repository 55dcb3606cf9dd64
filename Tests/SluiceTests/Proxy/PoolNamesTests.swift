import Testing

@testable import Sluice

/// Servers whose names have to be looked up first.
struct PoolNamesTests {
    private func wait(_ pool: inout PoolFixture, _ tickets: ClosedRange<UInt64>) {
        for ticket in tickets { #expect(pool.ask(ticket: ticket, mayWait: true) == .waiting) }
    }

    @Test func `requests that come before the first look-up wait for it`() throws {
        var pool = try PoolFixture(["http://a"])
        wait(&pool, 1...3)
        let served = pool.resolve(0, ["10.0.0.1", "10.0.0.2"])
        #expect(served.map(\.ticket) == [1, 2, 3])
        #expect(served.map { $0.lease?.address } == ["10.0.0.1", "10.0.0.2", "10.0.0.1"].map(address))
        #expect(try pool.lease().address == address("10.0.0.2"))
    }

    @Test func `when it finds nothing they are told at once, and so is who comes later`() throws {
        var pool = try PoolFixture(["http://a"])
        wait(&pool, 1...2)
        let told = pool.resolve(0, [])
        #expect(told.map(\.ticket) == [1, 2] && told.allSatisfy { $0.outcome == .unresolved })
        #expect(pool.ask(ticket: 3, mayWait: true) == .unresolved)
        #expect(pool.resolve(0, []).isEmpty)
    }

    @Test func `a name that is found later serves`() throws {
        var pool = try PoolFixture(["http://a"])
        pool.resolve(0, [])
        pool.resolve(0, ["10.0.0.1"])
        #expect(try pool.exchange() == 1)
    }

    @Test func `while another name is looked up there is something to wait for`() throws {
        var pool = try PoolFixture(["http://a", "http://b"])
        wait(&pool, 1...1)
        #expect(pool.resolve(0, []).isEmpty)
        #expect(pool.resolve(1, ["10.0.0.5"]).map { $0.lease?.server } == [1])
    }

    @Test func `nobody waits for a name while another server serves`() throws {
        var pool = try PoolFixture(["http://a", "http://10.0.0.1"])
        #expect(try pool.exchange() == 1)
    }

    @Test func `a name that nobody knows yet may take over from servers that are down`() throws {
        var pool = try PoolFixture(["http://10.0.0.1", "http://b"]) { $0.healthCheck = HealthCheck(path: "/") }
        pool.probe(1, false, times: 3)
        wait(&pool, 1...1)
        #expect(pool.resolve(1, []).map(\.outcome) == [.down])
        #expect(pool.ask(mayWait: true) == .down)
    }

    @Test func `those who wait for a name are bounded too`() throws {
        var pool = try PoolFixture(["http://a"]) { $0.queue.size = 2 }
        wait(&pool, 1...2)
        #expect(pool.ask(ticket: 3, mayWait: true) == .unresolved)
        pool.state.cancelWait(worker: 0, ticket: 1)
        #expect(pool.resolve(0, ["10.0.0.1"]).map(\.ticket) == [2])
    }

    @Test func `they are served as far as the limit goes, first come first`() throws {
        var pool = try PoolFixture(["http://a"]) { $0.connections = 2 }
        wait(&pool, 1...3)
        let served = pool.resolve(0, ["10.0.0.1"])
        #expect(served.map(\.ticket) == [1, 2])
        #expect(pool.ask(ticket: 4, mayWait: true) == .waiting)
        #expect(pool.giveBack(try #require(served[0].lease)).map(\.ticket) == [3])
    }
}
