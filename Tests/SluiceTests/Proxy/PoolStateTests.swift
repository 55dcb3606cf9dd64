import SluiceIO
import Testing

@testable import Sluice

/// Leases, limits and those who wait.
struct PoolStateTests {
    @Test func `a server's limit holds, and is free again when a lease is given back`() throws {
        var pool = try PoolFixture(2) { $0.connections = 2 }
        let leases = try (0..<4).map { _ in try pool.lease() }
        #expect(leases.map(\.endpoint) == [1, 2, 1, 2])
        #expect(pool.ask() == .full)
        pool.giveBack(leases[2])
        #expect(try pool.lease().endpoint == 1)
        #expect(pool.ask() == .full)
    }

    @Test func `the limit is the server's, not that of each of its addresses`() throws {
        var pool = try PoolFixture(["http://a"]) { $0.connections = 2 }
        pool.resolve(0, ["10.0.0.1", "10.0.0.2", "10.0.0.3"])
        #expect(try [pool.lease().endpoint, pool.lease().endpoint] == [1, 2])
        #expect(pool.ask() == .full)
    }

    @Test func `a lease that is given back twice counts once`() throws {
        var pool = try PoolFixture(1) { ($0.connections, $0.passive.failures) = (2, 2) }
        let (first, _) = (try pool.lease(), try pool.lease())
        pool.giveBack(first, .failure)
        #expect(pool.giveBack(first, .failure).isEmpty)
        _ = try pool.lease()
        #expect(pool.ask() == .full)
        #expect(pool.state.endpoints.map(\.requests) == [2])
    }

    @Test func `what no pool gave out changes nothing`() throws {
        var pool = try PoolFixture(1)
        let strange = Lease(endpoint: 77, server: 9, address: address("10.9.9.9"), number: 5)
        #expect(pool.giveBack(strange, .failure).isEmpty)
        #expect(pool.giveBack(Lease(endpoint: 1, server: 0, address: address("10.0.0.1"))).isEmpty)
        #expect(pool.probe(99, false, times: 9).isEmpty)
        #expect(pool.resolve(7, ["10.0.0.9"]).isEmpty && pool.resolve(-1, ["10.0.0.9"]).isEmpty)
        pool.state.cancelWait(worker: 3, ticket: 4)
        #expect(try pool.exchange() == 1)
    }

    @Test func `those who wait are served one after the other, first come first`() throws {
        var pool = try PoolFixture(1) { $0.connections = 1 }
        let lease = try pool.lease()
        for ticket in 1...3 as ClosedRange<UInt64> {
            #expect(pool.ask(worker: Int(ticket) % 2, ticket: ticket, mayWait: true) == .waiting)
        }
        let served = pool.giveBack(lease)
        let first = try #require(served.first)
        #expect(served.count == 1 && first.worker == 1 && first.ticket == 1 && first.lease?.endpoint == 1)
        #expect(pool.ask() == .full)
        pool.state.cancelWait(worker: 0, ticket: 2)
        let next = pool.giveBack(try #require(first.lease))
        let second = try #require(next.first)
        #expect(second.worker == 1 && second.ticket == 3)
        #expect(pool.giveBack(try #require(second.lease)).isEmpty)
        #expect(try pool.exchange() == 1)
    }

    @Test func `a ticket is the worker's own`() throws {
        var pool = try PoolFixture(1) { $0.connections = 1 }
        let lease = try pool.lease()
        _ = pool.ask(worker: 0, ticket: 7, mayWait: true)
        _ = pool.ask(worker: 1, ticket: 7, mayWait: true)
        pool.state.cancelWait(worker: 0, ticket: 7)
        #expect(pool.giveBack(lease).map(\.worker) == [1])
    }

    @Test func `the queue is bounded`() throws {
        var pool = try PoolFixture(1) { ($0.connections, $0.queue.size) = (1, 2) }
        _ = try pool.lease()
        #expect((1...3).map { pool.ask(ticket: $0, mayWait: true) } == [.waiting, .waiting, .full])
        pool.state.cancelWait(worker: 0, ticket: 1)
        #expect(pool.ask(ticket: 4, mayWait: true) == .waiting)
    }

    @Test func `one who waits keeps what it avoids and what it is known by`() throws {
        var pool = try PoolFixture(2) { $0.connections = 1 }
        let leases = [try pool.lease(), try pool.lease()]
        _ = pool.ask(avoiding: [1], ticket: 1, mayWait: true)
        #expect(pool.giveBack(leases[1]).map { $0.lease?.endpoint } == [2])
        var hashed = try PoolFixture(8) { ($0.connections, $0.balance) = (1, .hash) }
        let home = try hashed.exchange(hash: 5)
        let all = try (0..<8).map { _ in try hashed.lease() }
        _ = hashed.ask(hash: 5, ticket: 1, mayWait: true)
        hashed.resolve(0, [])
        let grants = hashed.giveBack(try #require(all.first { $0.endpoint == home }))
        #expect(grants.map { $0.lease?.endpoint } == [home])
    }

    @Test func `addresses that stay keep their endpoints, those that went get no more requests`() throws {
        var pool = try PoolFixture(["http://a", "http://10.1.0.1", "http://b"]) { $0.connections = 2 }
        pool.resolve(2, ["10.2.0.1"])
        pool.resolve(0, ["10.0.0.1", "10.0.0.2"])
        #expect(pool.state.endpoints.map(\.server) == [0, 0, 1, 2])
        let kept = try #require(pool.state.endpoints.first { $0.address == address("10.0.0.2") })
        let leases = try (0..<4).map { _ in try pool.lease() }.filter { $0.server == 0 }
        pool.resolve(0, ["10.0.0.3", "10.0.0.2", "10.0.0.3"])
        #expect(pool.addresses == ["10.0.0.3", "10.0.0.2", "10.1.0.1", "10.2.0.1"].map(address))
        #expect(pool.state.endpoints[1].id == kept.id && pool.state.endpoints[1].requests == 1)
        #expect(pool.state.endpoints[0].id > 4)

        // What is under way at an old address still counts to the server.
        #expect(leases.count == 2)
        #expect(Set(try [pool.lease().server, pool.lease().server]) == [1, 2])
        #expect(pool.ask() == .full)
        pool.giveBack(try #require(leases.first { $0.endpoint != kept.id }), .failure)
        #expect(try pool.lease().address == address("10.0.0.3"))
    }

    @Test func `an endpoint that comes back is a new one`() throws {
        var pool = try PoolFixture(["http://a"])
        pool.resolve(0, ["10.0.0.1"])
        pool.resolve(0, ["10.0.0.2"])
        pool.resolve(0, ["10.0.0.1"])
        #expect(pool.state.endpoints.map(\.id) == [3])
    }

    @Test func `a look-up that finds nothing changes nothing`() throws {
        var pool = try PoolFixture(["http://a"])
        pool.resolve(0, ["10.0.0.1"])
        pool.resolve(0, [])
        #expect(try pool.lease().endpoint == 1)
    }

    @Test func `new addresses serve those who wait, as far as they go`() throws {
        var pool = try PoolFixture(["http://10.0.0.1", "http://b"]) { $0.connections = 2 }
        _ = (try pool.lease(), try pool.lease())
        for ticket in 1...3 as ClosedRange<UInt64> { _ = pool.ask(ticket: ticket, mayWait: true) }
        #expect(pool.resolve(1, ["10.0.0.2"]).map(\.ticket) == [1, 2])
    }

    @Test func `a name with very many addresses is bounded`() throws {
        var pool = try PoolFixture(["http://a"])
        pool.resolve(0, (0..<1000).map { "10.0.\($0 / 256).\($0 % 256)" })
        #expect(pool.addresses.count == PoolState.mostAddresses)
    }

    @Test func `whatever happens in whatever order, no server has more than its limit`() throws {
        for seed in 1...30 as ClosedRange<UInt64> { try stormOnce(seed) }
    }

    /// Random calls; the requests of each server are counted beside the pool.
    private func stormOnce(_ seed: UInt64) throws {
        var chance = SplitMix64(seed: seed)
        let balance: BalancePolicy = [.roundRobin, .leastConnections, .random, .hash][Int(seed % 4)]
        var pool = try PoolFixture(["http://a", "http://b", "http://10.0.0.9"], seed: seed) {
            ($0.connections, $0.queue.size, $0.balance) = (3, 5, balance)
            $0.healthCheck = HealthCheck(path: "/")
        }
        var held: [Lease] = []
        var waiting: Set<UInt64> = []
        func take(_ grants: [Grant]) {
            for grant in grants {
                #expect(waiting.min() == grant.ticket, "first come, first served")
                waiting.remove(grant.ticket)
                if let lease = grant.lease { held.append(lease) }
            }
        }
        for step in 0..<2000 as Range<UInt64> {
            pool.now += .random(in: 0...200, using: &chance)
            switch Int.random(in: 0..<10, using: &chance) {
            case 0:
                let addresses = (0..<4).filter { _ in Bool.random(using: &chance) }.map { "10.0.0.\($0)" }
                take(pool.resolve(.random(in: -1...3, using: &chance), addresses))
            case 1: take(pool.probe(.random(in: 0...20, using: &chance), Bool.random(using: &chance)))
            case 2:
                guard let ticket = waiting.randomElement(using: &chance) else { continue }
                waiting.remove(ticket)
                pool.state.cancelWait(worker: 0, ticket: ticket)
            case 3...5:
                guard let lease = held.randomElement(using: &chance) else { continue }
                held.removeAll { $0 == lease }
                let outcome: ExchangeOutcome = [.success, .failure, .neutral][Int.random(in: 0..<3, using: &chance)]
                take(pool.giveBack(lease, outcome))
                #expect(pool.giveBack(lease, .failure).isEmpty)
            case 6: take(pool.wake())
            default:
                let hash = Bool.random(using: &chance) ? chance.next() % 9 : nil
                switch pool.ask(hash: hash, avoiding: [UInt32(step % 7)], ticket: step, mayWait: step % 3 > 0) {
                case .granted(let lease):
                    #expect(waiting.isEmpty, "nobody is overtaken")
                    held.append(lease)
                case .waiting: waiting.insert(step)
                case .full, .down, .unresolved: break
                }
            }
            for server in 0..<3 { #expect(held.count { $0.server == server } <= 3) }
            #expect(waiting.count <= 5)
            for endpoint in pool.state.endpoints {
                #expect(endpoint.requests == held.count { $0.endpoint == endpoint.id })
            }
        }
    }
}
