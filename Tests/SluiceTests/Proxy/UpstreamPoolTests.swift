import SluiceIO
import Synchronization
import Testing

@testable import Sluice

/// What is left for several threads.
struct UpstreamPoolTests {
    @Test func `addresses that are known are there from the start`() throws {
        let pool = try UpstreamPool(
            name: "app", options: UpstreamOptions(servers: ["http://a", "http://10.0.0.1", "unix:/x"]))
        #expect(pool.endpoints().map(\.server) == [1, 2])
        #expect(pool.endpoints().map(\.address) == [address("10.0.0.1"), .unix("/x")])
        pool.resolved(server: 0, addresses: [address("10.0.0.2")], now: 0)
        #expect(pool.endpoints().map(\.server) == [0, 1, 2] && pool.endpoints().allSatisfy(\.isUp))
    }

    @Test func `a server's limit holds over all workers, and everybody is served`() async throws {
        var options = UpstreamOptions(servers: ["http://10.0.0.1", "http://10.0.0.2"])
        (options.connections, options.queue.size, options.balance) = (3, 1000, .leastConnections)
        let pool = try UpstreamPool(name: "app", options: options)
        let running = [Counted(), Counted()]
        let served = Counted()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for ticket in 0..<2000 as Range<UInt64> {
                        var next: Lease?
                        let outcome = pool.lease(
                            hash: nil, avoiding: [], worker: worker, ticket: ticket, mayWait: true, now: 0)
                        if case .granted(let lease) = outcome { next = lease }
                        // Who gives a lease back serves whom it goes to as well.
                        while let lease = next {
                            #expect(running[lease.server].add(1) <= 3)
                            running[lease.server].add(-1)
                            served.add(1)
                            let grants = pool.giveBack(lease, .success, now: 0)
                            // One place came free.
                            #expect(grants.count <= 1)
                            next = grants.first?.lease
                        }
                    }
                }
            }
        }
        #expect(served.add(0) == 8000)
    }
}

/// A number that threads share.
private final class Counted: Sendable {
    private let number = Atomic<Int>(0)

    @discardableResult
    func add(_ value: Int) -> Int { number.add(value, ordering: .relaxed).newValue }
}
