extension PlannedProxy {
    convenience init(_ options: ProxyOptions, _ pools: [UpstreamPool]) throws(SluiceError) {
        guard let index = pools.firstIndex(where: { $0.name == options.upstream }) else {
            throw SluiceError(.configuration, "proxy: there is no upstream \"\(options.upstream)\"")
        }
        var lastWords: [UInt8] = []
        if let last = options.onUpstreamLoss {
            lastWords = Array("event: \(last.event)\n".utf8)
            // Each line of the data is a line of its own (WHATWG HTML, section 9.2.6).
            for line in last.data.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
                lastWords += Array("data: \(line)\n".utf8)
            }
            lastWords += Array("\n".utf8)
        }
        self.init(
            index: index, pool: pools[index], heartbeat: options.heartbeat?.milliseconds ?? 0, lastWords: lastWords,
            upgrades: options.upgrade.map { $0.lowercased() })
    }
}

extension Plan {
    /// All upstreams, in the order of their names.
    static func pools(_ upstreams: [String: UpstreamOptions]) throws(SluiceError) -> [UpstreamPool] {
        var pools: [UpstreamPool] = []
        for (name, options) in upstreams.sorted(by: { $0.key < $1.key }) {
            do {
                pools.append(try UpstreamPool(name: name, options: options))
            } catch {
                throw SluiceError(.configuration, "upstream \(name): \(error)")
            }
        }
        return pools
    }
}
