internal import Logging
internal import SluiceIO
internal import SluiceTLS

/// The tickers and feeds that run on this worker.
extension Worker {
    /// A feed and its timer.
    final class FeedSlot {
        let feed: UpstreamFeed
        var timer: TimerWheel.ID?

        init(_ feed: UpstreamFeed) { self.feed = feed }
    }

    /// Sources are dealt out to the workers in the order of their names.
    func startSources() {
        let configuration = plan.configuration
        for (number, (name, source)) in configuration.sources.sorted(by: { $0.key < $1.key }).enumerated()
        where number % hub.workerCount == index {
            let names = configuration.topics.filter { $0.value.sources.contains(name) && !$0.key.contains("{") }
            let topics = names.keys.sorted().compactMap { try? hub.topic(named: $0) }
            switch source.kind {
            case .ticker(let options):
                tickers.append(Ticker(options, topics: topics, hub: hub, worker: index))
                armTicker(tickers.count - 1, from: context.now)
            case .feed(let options): startFeed(name, options, topics)
            }
        }
    }

    private func armTicker(_ number: Int, from time: UInt64) {
        _ = loop.timers.schedule(
            atMilliseconds: time &+ tickers[number].intervalMilliseconds,
            token: Token(index: UInt32(number), generation: 1).packed(.source))
    }

    func tickerTimer(_ token: Token) {
        let number = Int(token.index)
        guard number < tickers.count, !isDraining else { return }
        armTicker(number, from: context.now)
        tickers[number].tick(unixMilliseconds: WallClock.nowMilliseconds())
    }

    private func startFeed(_ name: String, _ options: FeedOptions, _ topics: [Topic]) {
        do {
            let url = try FeedURL(options.url)
            let tls =
                url.isSecure
                ? try TLSClientContext(authorities: options.certificateAuthority, alpn: ["http/1.1"]) : nil
            let token = Token(index: UInt32(feeds.count), generation: 1).packed(.feed)
            let feed = UpstreamFeed(
                name: name, options: options, url: url, topics: topics, tls: tls, hub: hub, worker: index,
                context: context, owner: self, selectorToken: token, logger: logger)
            feeds.append(FeedSlot(feed))
            feed.connect()
        } catch {
            logger.error("feed cannot start", metadata: ["feed": "\(name)", "reason": "\(error)"])
        }
    }

    func feedReady(_ token: Token, _ events: Selector.Events) {
        guard Int(token.index) < feeds.count else { return }
        feeds[Int(token.index)].feed.ready(events)
    }

    func feedTimer(_ token: Token) {
        guard Int(token.index) < feeds.count, !isDraining else { return }
        let slot = feeds[Int(token.index)]
        slot.timer = nil
        slot.feed.timerFired()
    }
}

extension Worker: UpstreamFeed.Owner {
    func resolve(_ feed: UpstreamFeed, host: String, port: UInt16, attempt: UInt64) {
        guard let number = feeds.firstIndex(where: { $0.feed === feed }) else { return }
        let jobs = jobs
        resolver.resolve(host: host, port: port) { result in
            jobs.post(.resolved(feed: number, attempt: attempt, result))
        }
    }

    func schedule(_ feed: UpstreamFeed, atMilliseconds time: UInt64) {
        guard let number = feeds.firstIndex(where: { $0.feed === feed }) else { return }
        let slot = feeds[number]
        if let timer = slot.timer { loop.timers.cancel(timer) }
        slot.timer = loop.timers.schedule(
            atMilliseconds: time, token: Token(index: UInt32(number), generation: 1).packed(.feed))
    }
}
