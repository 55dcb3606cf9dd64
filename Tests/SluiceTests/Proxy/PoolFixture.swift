import SluiceIO
import Testing

@testable import Sluice

/// A pool's state with a clock that stands still.
struct PoolFixture {
    var state: PoolState
    var now: UInt64 = 1000

    /// - Parameter servers: addresses, or names without any.
    init(_ servers: [String], seed: UInt64 = 1, _ change: (inout UpstreamOptions) -> Void = { _ in }) throws {
        var options = UpstreamOptions(servers: servers)
        change(&options)
        state = PoolState(options, servers: try servers.map { try UpstreamServer($0) }, seed: seed)
    }

    /// So many servers 10.0.0.1, 10.0.0.2 ...: endpoints 1, 2 ...
    init(_ count: Int, seed: UInt64 = 1, _ change: (inout UpstreamOptions) -> Void = { _ in }) throws {
        try self.init((1...count).map { "http://10.0.\($0 / 256).\($0 % 256)" }, seed: seed, change)
    }

    mutating func ask(
        hash: UInt64? = nil, avoiding: [UInt32] = [], worker: Int = 0, ticket: UInt64 = 0, mayWait: Bool = false
    ) -> LeaseOutcome {
        state.lease(hash: hash, avoiding: avoiding, worker: worker, ticket: ticket, mayWait: mayWait, now: now)
    }

    /// A lease that there has to be.
    mutating func lease(
        hash: UInt64? = nil, avoiding: [UInt32] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Lease {
        let outcome = ask(hash: hash, avoiding: avoiding)
        guard case .granted(let lease) = outcome else {
            Issue.record("\(outcome)", sourceLocation: sourceLocation)
            throw CancellationError()
        }
        return lease
    }

    @discardableResult
    mutating func giveBack(_ lease: Lease, _ outcome: ExchangeOutcome = .success) -> [Grant] {
        state.giveBack(lease, outcome, now: now)
    }

    /// A whole exchange; the endpoint that had it.
    @discardableResult
    mutating func exchange(
        _ outcome: ExchangeOutcome = .success, hash: UInt64? = nil, avoiding: [UInt32] = []
    ) throws -> UInt32 {
        let lease = try lease(hash: hash, avoiding: avoiding)
        giveBack(lease, outcome)
        return lease.endpoint
    }

    @discardableResult
    mutating func probe(_ endpoint: UInt32, _ isUp: Bool, times: Int = 1) -> [Grant] {
        (0..<times).flatMap { _ in state.probed(endpoint: endpoint, isUp: isUp, now: now) }
    }

    @discardableResult
    mutating func resolve(_ server: Int, _ addresses: [String]) -> [Grant] {
        state.resolved(server: server, addresses: addresses.map(address), now: now)
    }

    /// The time at which an ejection ends has come, or so.
    @discardableResult
    mutating func wake() -> [Grant] { state.serveAll(now) }

    var addresses: [SocketAddress] { state.endpoints.map(\.address) }
}

/// `10.0.0.1`, port 80.
func address(_ text: String) -> SocketAddress { .ip(IPAddress(text) ?? .anyV4, port: 80) }
