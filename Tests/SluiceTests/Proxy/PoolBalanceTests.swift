import Testing

@testable import Sluice

/// Which endpoint gets a request.
struct PoolBalanceTests {
    @Test func `round robin takes one after the other, and shares alike when one is down`() throws {
        var pool = try PoolFixture(3)
        #expect(try (0..<6).map { _ in try pool.exchange() } == [1, 2, 3, 1, 2, 3])
        for _ in 0..<3 { try pool.exchange(.failure, avoiding: [1, 3]) }
        #expect(try (0..<4).map { _ in try pool.exchange() } == [3, 1, 3, 1])
    }

    @Test func `least connections takes the one with the fewest, of equals one after the other`() throws {
        var pool = try PoolFixture(3) { $0.balance = .leastConnections }
        let leases = try (0..<3).map { _ in try pool.lease() }
        #expect(leases.map(\.endpoint) == [1, 2, 3])
        #expect(try pool.lease().endpoint == 1)
        pool.giveBack(leases[2])
        #expect(try pool.lease().endpoint == 3)
        pool.giveBack(leases[0])
        // All have one again, and 3 was last.
        #expect(try (0..<3).map { _ in try pool.lease().endpoint } == [1, 2, 3])
    }

    @Test func `the better of two that chance picks`() throws {
        var pool = try PoolFixture(3) { $0.balance = .random }
        let busy = try (0..<8).map { _ in try pool.lease(avoiding: [2, 3]) }
        let found = try (0..<300).map { _ in try pool.exchange() }
        #expect(!found.contains(1))
        let shares = [2, 3].map { id in found.count { $0 == id } }
        #expect(shares.allSatisfy { $0 > 100 }, "\(shares)")
        for lease in busy { pool.giveBack(lease) }
        let idle = try (0..<600).map { _ in try pool.exchange() }
        let all = [1, 2, 3].map { id in idle.count { $0 == id } }
        #expect(all.allSatisfy { $0 > 140 }, "\(all)")
    }

    @Test func `chance that begins alike goes alike`() throws {
        func run(_ seed: UInt64) throws -> [UInt32] {
            var pool = try PoolFixture(9, seed: seed) { $0.balance = .random }
            return try (0..<50).map { _ in try pool.lease().endpoint }
        }
        #expect(try run(4) == run(4))
        #expect(try run(4) != run(5))
    }

    @Test(arguments: [BalancePolicy.roundRobin, .leastConnections, .random, .hash])
    func `what failed is avoided while there is another`(balance: BalancePolicy) throws {
        var pool = try PoolFixture(2) { $0.balance = balance }
        for key in 0..<20 as Range<UInt64> { #expect(try pool.exchange(hash: key, avoiding: [1]) == 2) }
        #expect(try (0..<20).map { try pool.exchange(hash: $0, avoiding: [1, 2]) }.contains(1))
        // Also one that others failed at is better than the one at which this request failed just now.
        for _ in 0..<3 { try pool.exchange(.failure, avoiding: [1]) }
        #expect(try pool.exchange(.neutral, hash: 1, avoiding: [1]) == 2)
        #expect(try (0..<4).map { try pool.exchange(hash: $0) } == [1, 1, 1, 1])
    }

    // MARK: Hash

    private func homes(_ pool: inout PoolFixture, keys: Range<UInt64>) throws -> [UInt32] {
        try keys.map { try pool.exchange(hash: StableHash.mix($0)) }
    }

    @Test func `a key always goes to the same endpoint, and keys are shared alike`() throws {
        var pool = try PoolFixture(10) { $0.balance = .hash }
        let first = try homes(&pool, keys: 0..<10_000)
        #expect(try homes(&pool, keys: 0..<10_000) == first)
        for id in 1...10 as ClosedRange<UInt32> {
            let share = first.count { $0 == id }
            #expect((880...1120).contains(share), "\(id): \(share)")
        }
    }

    @Test func `the same servers in another order get the same keys`() throws {
        var pool = try PoolFixture(["http://10.0.0.1", "http://10.0.0.2"], seed: 1) { $0.balance = .hash }
        var other = try PoolFixture(["http://10.0.0.2", "http://10.0.0.1"], seed: 2) { $0.balance = .hash }
        for key in 0..<100 as Range<UInt64> {
            #expect(try pool.lease(hash: key).address == other.lease(hash: key).address)
        }
    }

    @Test func `two names of one address share its keys`() throws {
        var pool = try PoolFixture(["http://a", "http://b"]) { $0.balance = .hash }
        pool.resolve(0, ["10.0.0.1"])
        pool.resolve(1, ["10.0.0.1"])
        #expect(Set(try homes(&pool, keys: 0..<100)) == [1, 2])
    }

    @Test func `one that goes moves its own keys only, to all others`() throws {
        var pool = try PoolFixture((1...10).map { "http://s\($0)" }) { $0.balance = .hash }
        for server in 0..<10 { pool.resolve(server, ["10.0.0.\(server)", "10.0.1.\(server)"]) }
        let before = try homes(&pool, keys: 0..<10_000)
        let gone = try #require(pool.state.endpoints.first { $0.address == address("10.0.1.3") }).id
        pool.resolve(3, ["10.0.0.3"])
        let after = try homes(&pool, keys: 0..<10_000)
        let moved = zip(before, after).filter { $0 != $1 }
        #expect(moved.allSatisfy { $0.0 == gone } && moved.count == before.count { $0 == gone })
        #expect(Set(moved.map(\.1)).count == 19)
    }

    @Test func `while one is down or full the next in order has its keys, then it has them again`() throws {
        var pool = try PoolFixture(5) { ($0.balance, $0.connections) = (.hash, 1) }
        let home = try pool.exchange(hash: 7)
        let lease = try pool.lease(hash: 7)
        #expect(lease.endpoint == home)
        let next = try pool.exchange(hash: 7)
        #expect(next != home)
        #expect(try pool.exchange(hash: 7) == next)
        pool.giveBack(lease, .failure)
        for _ in 0..<2 { try pool.exchange(.failure, hash: 7) }
        #expect(try pool.exchange(hash: 7) == next)
        pool.now += 10_000
        #expect(try pool.exchange(hash: 7) == home)
    }

    @Test func `a request without a key goes round`() throws {
        var pool = try PoolFixture(3) { $0.balance = .hash }
        #expect(try (0..<4).map { _ in try pool.exchange() } == [1, 2, 3, 1])
    }
}
