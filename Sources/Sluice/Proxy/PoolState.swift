internal import SluiceIO

/// The state of an upstream: which endpoints there are, what they have to do, who waits for them. A value, without a
/// clock and without threads: time is given in milliseconds.
struct PoolState: Sendable {
    private struct Waiter {
        let worker: Int
        let ticket: UInt64
        let hash: UInt64?
        let avoiding: [UInt32]
    }

    let options: UpstreamOptions
    let servers: [UpstreamServer]
    /// In the order of the servers.
    private(set) var endpoints: [Endpoint] = []
    /// Requests of each server, those of addresses that it no longer has included.
    private var requests: [Int]
    /// Whose names were not looked up yet.
    private var unknown: Set<Int> = []
    private var waiting: [Waiter] = []
    private var open: Set<UInt64> = []
    private var leases: UInt64 = 0
    private var lastEndpoint: UInt32 = 0
    /// Where the next round begins.
    var turn = 0
    var chance: SplitMix64

    /// Addresses of one name beyond these are not used.
    static let mostAddresses = 256

    /// - Parameter seed: what chance begins with.
    init(_ options: UpstreamOptions, servers: [UpstreamServer], seed: UInt64) {
        self.options = options
        self.servers = servers
        requests = Array(repeating: 0, count: servers.count)
        chance = SplitMix64(seed: seed)
        for (index, server) in servers.enumerated() {
            unknown.insert(index)
            if let address = server.address { resolved(server: index, addresses: [address], now: 0) }
        }
    }

    // MARK: Leases

    mutating func lease(
        hash: UInt64?, avoiding: [UInt32], worker: Int, ticket: UInt64, mayWait: Bool, now: UInt64
    ) -> LeaseOutcome {
        // Who comes now stands behind those who wait, also where one of them is about to be told of a place.
        if waiting.isEmpty, let lease = take(hash, avoiding, now) { return .granted(lease) }
        if let reason = hopelessness { return reason }
        guard mayWait, waiting.count < options.queue.size else { return endpoints.isEmpty ? .unresolved : .full }
        waiting.append(Waiter(worker: worker, ticket: ticket, hash: hash, avoiding: avoiding))
        return .waiting
    }

    mutating func giveBack(_ lease: Lease, _ outcome: ExchangeOutcome, now: UInt64) -> [Grant] {
        guard open.remove(lease.number) != nil else { return [] }
        if requests.indices.contains(lease.server) { requests[lease.server] -= 1 }
        // One whose address is gone has nothing to learn.
        if let index = endpoints.firstIndex(where: { $0.id == lease.endpoint }) {
            endpoints[index].ended(lease.number, outcome, options.passive, now: now, last: leases)
        }
        return serveAll(now)
    }

    mutating func cancelWait(worker: Int, ticket: UInt64) {
        waiting.removeAll { $0.worker == worker && $0.ticket == ticket }
    }

    /// Serves those who wait, the longest first, as far as there are places. When there is nothing to wait for they are
    /// told so.
    mutating func serveAll(_ now: UInt64) -> [Grant] {
        var grants: [Grant] = []
        for waiter in waiting {
            let lease = take(waiter.hash, waiter.avoiding, now).map { LeaseOutcome.granted($0) }
            guard let outcome = lease ?? hopelessness else { break }
            grants.append(Grant(worker: waiter.worker, ticket: waiter.ticket, outcome: outcome))
        }
        waiting.removeFirst(grants.count)
        return grants
    }

    /// Why it makes no sense to wait; `nil`: it does.
    private var hopelessness: LeaseOutcome? {
        guard unknown.isEmpty, endpoints.allSatisfy(\.isDown) else { return nil }
        return endpoints.isEmpty ? .unresolved : .down
    }

    private mutating func take(_ hash: UInt64?, _ avoiding: [UInt32], _ now: UInt64) -> Lease? {
        guard let index = choose(hash, avoiding, now) else { return nil }
        leases &+= 1
        open.insert(leases)
        let endpoint = endpoints[index]
        requests[endpoint.server] += 1
        endpoints[index].began(leases, now: now)
        return Lease(endpoint: endpoint.id, server: endpoint.server, address: endpoint.address, number: leases)
    }

    /// Whether an endpoint's server may have one more request.
    func hasRoom(_ endpoint: Endpoint) -> Bool { requests[endpoint.server] < options.connections ?? .max }

    /// When the next of those who are ejected may be tried.
    func nextEjectionEnd(after now: UInt64) -> UInt64? {
        endpoints.lazy.compactMap(\.ejectedUntil).filter { $0 > now }.min()
    }

    // MARK: Endpoints

    /// What a look-up of a server's name found takes the place of what the last one found. Nothing found leaves that as
    /// it is, but nobody waits for the first look-up any more.
    @discardableResult
    mutating func resolved(server: Int, addresses: [SocketAddress], now: UInt64) -> [Grant] {
        guard servers.indices.contains(server) else { return [] }
        unknown.remove(server)
        guard !addresses.isEmpty else { return serveAll(now) }
        var found: [Endpoint] = []
        for address in addresses.prefix(Self.mostAddresses) where !found.contains(where: { $0.address == address }) {
            if let known = endpoints.first(where: { $0.server == server && $0.address == address }) {
                found.append(known)
            } else {
                lastEndpoint &+= 1
                found.append(Endpoint(id: lastEndpoint, server: server, url: servers[server].url, address: address))
            }
        }
        let place = endpoints.firstIndex { $0.server >= server } ?? endpoints.count
        endpoints.removeAll { $0.server == server }
        endpoints.insert(contentsOf: found, at: place)
        return serveAll(now)
    }

    /// What an active check found.
    mutating func probed(endpoint: UInt32, isUp: Bool, now: UInt64) -> [Grant] {
        guard let rule = options.healthCheck, let index = endpoints.firstIndex(where: { $0.id == endpoint }) else {
            return []
        }
        endpoints[index].probed(isUp: isUp, rule)
        return serveAll(now)
    }
}
