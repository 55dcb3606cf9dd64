internal import SluiceIO

/// The pools' keeper, and the ends of ejections. The pools are shared by all workers, so one of them does it for all.
extension Worker: UpstreamKeeper.Owner {
    func startUpstreams() {
        guard index == 0, !plan.pools.isEmpty else { return }
        let keeper = UpstreamKeeper(plan.pools, context: context, logger: logger, owner: self)
        self.keeper = keeper
        keeper.start()
    }

    func resolve(_ keeper: UpstreamKeeper, host: String, port: UInt16, name: Int) {
        let jobs = jobs
        resolver.resolve(host: host, port: port) { result in jobs.post(.located(server: name, result)) }
    }

    /// Tells those who waited what became of that, on whatever worker they are.
    func settle(_ grants: [Grant], of pool: UpstreamPool) {
        for grant in grants where links.indices.contains(grant.worker) {
            links[grant.worker].post(.granted(grant, pool))
        }
    }

    /// A request failed, which may have ejected a server. That it may be tried again later is news for those who wait,
    /// and nothing but the time says so. The worker that saw the failure looks after it, with one timer for a pool.
    func watchEjections(_ index: Int) {
        guard ejectionTimers[index] == nil, plan.pools.indices.contains(index) else { return }
        let pool = plan.pools[index]
        let (grants, next) = pool.wake(now: context.now)
        settle(grants, of: pool)
        ejectionTimers[index] = next.map {
            loop.timers.schedule(
                atMilliseconds: $0, token: Token(index: UInt32(index), generation: 0).packed(.pool))
        }
    }

    func ejectionTimer(_ token: Token) {
        ejectionTimers[Int(token.index)] = nil
        watchEjections(Int(token.index))
    }
}
