internal import SluiceIO

/// The pools' keeper. The pools are shared by all workers, so one of them does it for all.
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
}
