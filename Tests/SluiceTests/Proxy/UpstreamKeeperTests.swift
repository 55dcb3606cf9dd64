import SluiceIO
import Testing

@testable import Sluice

/// Names and probes.
struct UpstreamKeeperTests {
    private func addresses(_ fixture: KeeperFixture) -> [SocketAddress] { fixture.pool.endpoints().map(\.address) }

    @Test func `a name is looked up at once and then in its time`() throws {
        let fixture = try KeeperFixture("http://app.example:81") { $0.healthCheck = nil }
        fixture.keeper.start()
        #expect(fixture.lookups.map(\.host) == ["app.example"])
        fixture.pass(milliseconds: 60_000)
        #expect(fixture.lookups.count == 1)
        fixture.keeper.resolved(.success([address("10.0.0.1")]), name: fixture.lookups[0].name)
        #expect(addresses(fixture) == [address("10.0.0.1")])
        fixture.pass(milliseconds: 29_999)
        #expect(fixture.lookups.count == 1)
        fixture.pass(milliseconds: 1)
        #expect(fixture.lookups.count == 2)
        fixture.keeper.resolved(.success([address("10.0.0.2")]), name: fixture.lookups[1].name)
        #expect(addresses(fixture) == [address("10.0.0.2")])
    }

    @Test func `a name of which nothing is known is asked for soon again, a known one keeps what it has`() throws {
        let fixture = try KeeperFixture("http://app.example") { $0.healthCheck = nil }
        fixture.keeper.start()
        let name = fixture.lookups[0].name
        fixture.keeper.resolved(.failure(.timedOut), name: name)
        fixture.pass(milliseconds: 1000)
        #expect(fixture.lookups.count == 2)
        fixture.keeper.resolved(.success([]), name: name)
        fixture.pass(milliseconds: 1000)
        fixture.keeper.resolved(.success([address("10.0.0.1")]), name: name)
        fixture.pass(milliseconds: 30_000)
        #expect(fixture.lookups.count == 4)
        fixture.keeper.resolved(.failure(.timedOut), name: name)
        #expect(addresses(fixture) == [address("10.0.0.1")])
        fixture.pass(milliseconds: 1000)
        #expect(fixture.lookups.count == 4)
    }

    @Test func `who waits for a name is served when it is found, and told when it is not`() throws {
        for addresses in [[], [address("10.0.0.1")]] {
            let fixture = try KeeperFixture("http://app.example") { $0.healthCheck = nil }
            fixture.keeper.start()
            let outcome = fixture.pool.lease(
                hash: nil, avoiding: [], worker: 3, ticket: 7, mayWait: true, now: fixture.context.now)
            #expect(outcome == .waiting)
            fixture.keeper.resolved(addresses.isEmpty ? .failure(.notFound) : .success(addresses), name: 0)
            #expect(fixture.grants.map(\.ticket) == [7] && fixture.grants.map(\.worker) == [3])
            #expect(fixture.grants.map { $0.lease?.address } == [addresses.first])
        }
    }

    @Test func `answers that nobody asked for are dropped`() throws {
        let fixture = try KeeperFixture("http://app.example")
        fixture.keeper.start()
        for name in [-1, 1, 77] { fixture.keeper.resolved(.success([address("10.0.0.1")]), name: name) }
        #expect(addresses(fixture).isEmpty)
        fixture.keeper.stop()
        fixture.keeper.resolved(.success([address("10.0.0.1")]), name: 0)
        #expect(addresses(fixture).isEmpty && fixture.loop.timers.count == 0)
    }

    @Test func `each address has its probe, and one that went has none`() throws {
        let fixture = try KeeperFixture("http://app.example")
        let here = SocketAddress.ip(.loopbackV4, port: fixture.port)
        fixture.keeper.start()
        fixture.keeper.resolved(.success([here, .ip(.loopbackV4, port: 1)]), name: 0)
        let exchange = try fixture.nextCheck()
        #expect(exchange.text.contains("\r\nHost: app.example\r\n"))
        try fixture.down()
        #expect(fixture.pool.endpoints().filter(\.isUp).map(\.address) == [here])
        // The one that asked is kept in what it does.
        fixture.pass(milliseconds: 25_000)
        fixture.keeper.resolved(.success([.ip(.loopbackV4, port: 1)]), name: 0)
        try fixture.run { exchange.isClosed }
        let count = fixture.exchanges.count
        fixture.pass(milliseconds: 5000)
        #expect(fixture.exchanges.count == count)
    }

    @Test func `who waits is served when a server recovers`() throws {
        let fixture = try KeeperFixture { ($0.connections, $0.servers) = (1, $0.servers + ["http://127.0.0.2:1"]) }
        fixture.keeper.start()
        let pool = fixture.pool
        func ask(_ ticket: UInt64) -> LeaseOutcome {
            pool.lease(hash: nil, avoiding: [], worker: 3, ticket: ticket, mayWait: true, now: fixture.context.now)
        }
        // The second server is down; the first has its one request.
        _ = try fixture.nextCheck()
        try fixture.down()
        guard case .granted = ask(1) else { throw KeeperFixture.Missing() }
        #expect(ask(2) == .waiting)
        fixture.keeper.stop()
        #expect(fixture.grants.isEmpty)
        // Probes are stopped: what comes now comes from this.
        let second = try #require(pool.endpoints().first { !$0.isUp })
        let probe = HealthProbe(
            index: 99, pool: pool, endpoint: second.id, server: pool.servers[1], address: second.address,
            check: HealthCheck(path: "/"), trust: StreamTrust(), context: fixture.context, owner: fixture.keeper)
        fixture.keeper.healthProbe(probe, isUp: true, reason: "")
        #expect(fixture.grants.map(\.ticket) == [2] && fixture.grants.map(\.worker) == [3])
    }
}
