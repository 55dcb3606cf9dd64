internal import Logging
internal import SluiceIO

/// What feeds topics on this worker.
extension Worker {
    /// Sources are dealt out to the workers in the order of their names.
    func startSources() {
        let configuration = plan.configuration
        for (number, (name, source)) in configuration.sources.sorted(by: { $0.key < $1.key }).enumerated()
        where number % hub.workerCount == index {
            switch source.kind {
            case .ticker(let options):
                tickerNumbers[name] = tickers.count
                tickers.append(Ticker(options, hub: hub, worker: index))
                armTicker(tickers.count - 1, from: context.now)
            case .command(let options):
                let names = configuration.topics.filter { $0.value.sources.contains(name) && !$0.key.contains("{") }
                startCommand(name, options, names.keys.sorted().compactMap { try? hub.topic(named: $0) })
            // See `startFeeds`.
            case .feed: break
            }
        }
        let literals = configuration.topics.filter { !$0.key.contains("{") && !$0.value.sources.isEmpty }
        let topics = literals.keys.sorted().compactMap { try? hub.topic(named: $0) }
        startFeeds(topics)
        for topic in topics { look(at: topic) }
    }

    /// Hands on what the hub told about topics and about room in them.
    func tellSources() {
        guard shard.hasNewsForSources else { return }
        if shard.isRelieved {
            shard.isRelieved = false
            sourcesRelieved()
        }
        for topic in shard.used { look(at: topic) }
        shard.used.removeAll(keepingCapacity: true)
    }

    /// Those that found their topics full try again.
    private func sourcesRelieved() {
        relieveCommands()
        relieveFeeds()
    }

    /// A topic is new, was dropped, or has its first subscriber or lost its last one.
    private func look(at topic: Topic) {
        for name in topic.options.sources {
            if let number = tickerNumbers[name] { tickers[number].topics.look(at: topic) }
        }
        if !isDraining { lookAtFeeds(of: topic) }
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
}
