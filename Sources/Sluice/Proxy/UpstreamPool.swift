internal import SluiceIO
internal import Synchronization

/// The servers of one upstream, shared by all workers. Each call holds its lock for one look at the endpoints; it takes
/// no other lock. Times are milliseconds.
final class UpstreamPool: Sendable {
    let name: String
    let options: UpstreamOptions
    let times: UpstreamTimes
    let servers: [UpstreamServer]
    private let state: Mutex<PoolState>

    init(name: String, options: UpstreamOptions) throws(FeedURL.Problem) {
        var servers: [UpstreamServer] = []
        for url in options.servers { servers.append(try UpstreamServer(url)) }
        self.name = name
        self.options = options
        times = UpstreamTimes(options)
        self.servers = servers
        state = Mutex(PoolState(options, servers: servers, seed: .random(in: 0 ... .max)))
    }

    /// Asks for an endpoint to send a request to.
    /// - Parameters:
    ///   - hash: see `HashKey`; without one `balance: hash` goes round.
    ///   - avoiding: endpoints that failed this request already: they are given again only when no other is free.
    ///   - ticket: what a later `Grant` is known by; the worker's own.
    func lease(
        hash: UInt64?, avoiding: [UInt32], worker: Int, ticket: UInt64, mayWait: Bool, now: UInt64
    ) -> LeaseOutcome {
        state.withLock {
            $0.lease(hash: hash, avoiding: avoiding, worker: worker, ticket: ticket, mayWait: mayWait, now: now)
        }
    }

    /// The exchange is over. A second time nothing happens.
    /// - Returns: who no longer waits; their workers are to be told. So it is with all the others.
    func giveBack(_ lease: Lease, _ outcome: ExchangeOutcome, now: UInt64) -> [Grant] {
        state.withLock { $0.giveBack(lease, outcome, now: now) }
    }

    /// Nobody waits under this ticket any more. A grant may be on its way already: its lease has to be given back.
    func cancelWait(worker: Int, ticket: UInt64) {
        state.withLock { $0.cancelWait(worker: worker, ticket: ticket) }
    }

    /// Looks whether ejections are over.
    /// - Returns: who no longer waits, and when the next ejection is over, if there is one.
    func wake(now: UInt64) -> (grants: [Grant], next: UInt64?) {
        state.withLock { ($0.serveAll(now), $0.nextEjectionEnd(after: now)) }
    }

    /// What an active check of an endpoint found.
    func probed(endpoint: UInt32, isUp: Bool, now: UInt64) -> [Grant] {
        state.withLock { $0.probed(endpoint: endpoint, isUp: isUp, now: now) }
    }

    /// Puts these addresses in the place of those that a server had. Where one stays, its endpoint does. Without any (the
    /// look-up failed) the old ones stay.
    @discardableResult
    func resolved(server: Int, addresses: [SocketAddress], now: UInt64) -> [Grant] {
        state.withLock { $0.resolved(server: server, addresses: addresses, now: now) }
    }

    /// All endpoints that are given out, or would be if they were up.
    func endpoints() -> [(id: UInt32, server: Int, address: SocketAddress, isUp: Bool)] {
        state.withLock { $0.endpoints.map { ($0.id, $0.server, $0.address, $0.isUp) } }
    }
}

/// The times of an upstream's options in milliseconds, as every request needs them.
struct UpstreamTimes: Sendable {
    let connect, firstByte, idle, stream, tunnel, queue: UInt64
    /// How long an idle connection is kept.
    let kept: UInt64

    init(_ options: UpstreamOptions) {
        connect = options.timeouts.connect.milliseconds
        firstByte = options.timeouts.firstByte.milliseconds
        idle = options.timeouts.idle.milliseconds
        stream = options.timeouts.stream.milliseconds
        tunnel = options.timeouts.tunnel.milliseconds
        queue = options.queue.timeout.milliseconds
        kept = options.keepAlive.idle.milliseconds
    }
}
