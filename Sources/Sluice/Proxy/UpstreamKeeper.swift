internal import Logging
internal import SluiceIO

/// Keeps what pools know up to date: looks names up again and again, and asks endpoints how they are. One for the whole
/// process, on one loop's thread, which hands it the selector's and timer's tokens of kind `.probe`.
final class UpstreamKeeper {
    /// Who uses it.
    protocol Owner: AnyObject {
        /// Looks a name up and hands the answer to `resolved`, on the loop's thread.
        func resolve(_ keeper: UpstreamKeeper, host: String, port: UInt16, name: Int)
        /// Tells the workers whose requests waited what became of that.
        func settle(_ grants: [Grant], of pool: UpstreamPool)
    }

    /// A server's name.
    private struct Name {
        let pool: UpstreamPool
        let server: Int
        var dueAt: UInt64
        var isPending = false
        var isKnown = false
        var hasFailed = false
    }

    private let pools: [UpstreamPool]
    private let context: LoopContext
    private let logger: Logger
    private unowned let owner: any Owner
    private var names: [Name] = []
    private var probes: [UInt32: HealthProbe] = [:]
    /// Those that failed the last time, so that only news is logged.
    private var failing: Set<UInt32> = []
    private var trusts: [ObjectIdentifier: StreamTrust] = [:]
    /// Index 0 is the keeper's own.
    private var lastIndex: UInt32 = 0
    private var timer: TimerWheel.ID?

    /// How soon a name is looked up again while nothing is known of it.
    static let unknownMilliseconds: UInt64 = 1000

    init(_ pools: [UpstreamPool], context: LoopContext, logger: Logger, owner: any Owner) {
        self.pools = pools
        self.context = context
        self.logger = logger
        self.owner = owner
    }

    func start() {
        for pool in pools {
            for (server, place) in pool.servers.enumerated() where place.address == nil {
                names.append(Name(pool: pool, server: server, dueAt: context.now))
            }
            lookAtProbes(of: pool)
        }
        lookUpDue()
    }

    func stop() {
        if let timer { context.loop.timers.cancel(timer) }
        timer = nil
        names = []
        for probe in probes.values { probe.stop() }
        probes = [:]
    }

    // MARK: The loop

    func ready(_ token: Token, _ events: Selector.Events) { probes[token.index]?.ready(token, events) }

    func timerFired(_ token: Token) {
        guard token.index == 0 else { return probes[token.index]?.timerFired() ?? () }
        timer = nil
        lookUpDue()
    }

    // MARK: Names

    private func lookUpDue() {
        for index in names.indices where !names[index].isPending && names[index].dueAt <= context.now {
            names[index].isPending = true
            let server = names[index].pool.servers[names[index].server]
            owner.resolve(self, host: server.host, port: server.port, name: index)
        }
        arm()
    }

    /// The answer of the resolver.
    func resolved(_ result: Result<[SocketAddress], ResolveError>, name index: Int) {
        guard names.indices.contains(index), names[index].isPending else { return }
        names[index].isPending = false
        let (pool, server) = (names[index].pool, names[index].server)
        switch result {
        case .success(let addresses) where !addresses.isEmpty:
            (names[index].isKnown, names[index].hasFailed) = (true, false)
            owner.settle(pool.resolved(server: server, addresses: addresses, now: context.now), of: pool)
            lookAtProbes(of: pool)
        case .success: missed(index, "the name has no address")
        case .failure(let error): missed(index, "\(error)")
        }
        guard names.indices.contains(index) else { return }
        let period = pool.options.resolve.milliseconds
        let delay = names[index].isKnown ? period : min(period, Self.unknownMilliseconds)
        names[index].dueAt = context.now &+ max(1, delay)
        arm()
    }

    private func missed(_ index: Int, _ reason: String) {
        // Those who wait for a first look-up need not wait for another.
        let pool = names[index].pool
        owner.settle(pool.resolved(server: names[index].server, addresses: [], now: context.now), of: pool)
        guard !names[index].hasFailed else { return }
        names[index].hasFailed = true
        logger.warning(
            "an upstream's name is not found",
            metadata: [
                "upstream": "\(names[index].pool.name)", "reason": "\(reason)",
                "server": "\(names[index].pool.servers[names[index].server].url)",
            ])
    }

    private func arm() {
        if let timer { context.loop.timers.cancel(timer) }
        timer = names.lazy.filter { !$0.isPending }.map(\.dueAt).min().map {
            context.loop.timers.schedule(
                atMilliseconds: $0, token: Token(index: 0, generation: 0).packed(.probe))
        }
    }

    // MARK: Probes

    /// Each endpoint has its probe, and nothing else has one.
    private func lookAtProbes(of pool: UpstreamPool) {
        guard let check = pool.options.healthCheck else { return }
        var missing = Dictionary(pool.endpoints().map { ($0.id, $0) }) { first, _ in first }
        for probe in probes.values where probe.pool === pool {
            guard missing.removeValue(forKey: probe.endpoint) == nil else { continue }
            probe.stop()
            probes[probe.index] = nil
            failing.remove(probe.index)
        }
        for endpoint in missing.values where pool.servers.indices.contains(endpoint.server) {
            lastIndex &+= 1
            let probe = HealthProbe(
                index: lastIndex, pool: pool, endpoint: endpoint.id, server: pool.servers[endpoint.server],
                address: endpoint.address, check: check, trust: trust(of: pool), context: context, owner: self)
            probes[lastIndex] = probe
            probe.start()
        }
    }

    private func trust(of pool: UpstreamPool) -> StreamTrust {
        if let trust = trusts[ObjectIdentifier(pool)] { return trust }
        let tls = pool.options.tls
        let trust = StreamTrust(authorities: tls.certificateAuthority, client: tls.clientCertificate)
        trusts[ObjectIdentifier(pool)] = trust
        return trust
    }
}

extension UpstreamKeeper: HealthProbe.Owner {
    func healthProbe(_ probe: HealthProbe, isUp: Bool, reason: String) {
        let isNews = isUp ? failing.remove(probe.index) != nil : failing.insert(probe.index).inserted
        if isNews {
            logger.notice(
                isUp ? "health check succeeds again" : "health check failed",
                metadata: ["upstream": "\(probe.pool.name)", "server": "\(probe.address)", "reason": "\(reason)"])
        }
        owner.settle(probe.pool.probed(endpoint: probe.endpoint, isUp: isUp, now: context.now), of: probe.pool)
    }
    func healthProbe(_ probe: HealthProbe, wasNotMade reason: String) {
        logger.warning(
            "a health check could not be made",
            metadata: ["upstream": "\(probe.pool.name)", "server": "\(probe.address)", "reason": "\(reason)"])
    }
}
