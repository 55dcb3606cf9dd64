internal import Logging
internal import SluiceIO

/// The tickers and feeds that run on this worker.
extension Worker {
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
            case .command(let options): startCommand(name, options, topics)
            }
        }
    }

    /// Hands on what the hub told about topics and about room in them.
    func tellSources() {
        if shard.isRelieved {
            shard.isRelieved = false
            sourcesRelieved()
        }
        // No source depends on its topics' subscribers yet.
        shard.used.removeAll(keepingCapacity: true)
    }

    /// Those that found their topics full try again.
    private func sourcesRelieved() {
        for feed in feeds { feed.relieved() }
        relieveCommands()
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
        do throws(FeedURL.Problem) {
            let feed = UpstreamFeed(
                name: name, options: options, url: try FeedURL(options.url), topics: topics,
                trust: StreamTrust(authorities: options.certificateAuthority, client: options.clientCertificate),
                hub: hub, worker: index,
                context: context, owner: self, index: UInt32(feeds.count), logger: logger)
            feeds.append(feed)
            feed.start()
        } catch {
            logger.error("feed cannot start", metadata: ["feed": "\(name)", "reason": "\(error)"])
        }
    }

    func feedReady(_ token: Token, _ events: Selector.Events) {
        guard Int(token.index) < feeds.count else { return }
        feeds[Int(token.index)].client.ready(token, events)
    }

    func feedTimer(_ token: Token) {
        guard Int(token.index) < feeds.count, !isDraining else { return }
        feeds[Int(token.index)].client.timerFired()
    }
}

extension Worker: UpstreamFeed.Owner {
    func resolve(_ feed: UpstreamFeed, host: String, port: UInt16, attempt: UInt64) {
        let jobs = jobs
        let number = Int(feed.index)
        resolver.resolve(host: host, port: port) { result in
            jobs.post(.resolved(feed: number, attempt: attempt, result))
        }
    }
}
