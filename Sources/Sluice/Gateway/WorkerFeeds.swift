internal import Logging
internal import SluiceIO
internal import Synchronization

/// The life of the feeds that run on this worker.
extension Worker {
    /// How long a feed that found no seat waits before it looks again.
    private static let seatMilliseconds: UInt64 = 1000

    // MARK: Making and ending

    /// Makes the feeds that exist from the start.
    func startFeeds(_ topics: [Topic]) {
        for feed in assignment.whole where feed.worker == index {
            let slot = makeFeed(feed)
            for topic in topics where topic.options.sources.contains(feed.place.source) {
                slot.feed.topics.look(at: topic)
            }
            look(at: slot)
        }
    }

    /// A topic is new, was dropped, or has its first subscriber or lost its last one: its feeds that run here are made,
    /// connected, disconnected or dropped.
    func lookAtFeeds(of topic: Topic) {
        let feeds: [FeedAssignment.Feed]
        do throws(FeedURL.Problem) {
            feeds = try assignment.feeds(of: topic.name, sources: topic.options.sources)
        } catch {
            return logger.notice(
                "no feed for this topic", metadata: ["topic": "\(topic.name)", "reason": "\(error)"])
        }
        for feed in feeds where feed.worker == index {
            let isDropped = topic.isDropped.load(ordering: .relaxed)
            guard let slot = self.feeds[feed.place] ?? (isDropped ? nil : makeFeed(feed, topic)) else { continue }
            slot.feed.topics.look(at: topic)
            if slot.isInstance, slot.feed.topics.isEmpty { remove(slot) } else { look(at: slot) }
        }
    }

    private func makeFeed(_ feed: FeedAssignment.Feed, _ topic: Topic? = nil) -> FeedTable.Slot {
        var logger = logger
        if let topic { logger[metadataKey: "topic"] = "\(topic.name)" }
        let slot = FeedTable.Slot(
            UpstreamFeed(
                name: feed.place.source, options: feed.options, url: feed.url, trust: trust(of: feed), hub: hub,
                worker: index, context: context, owner: self, index: feeds.nextIndex(), logger: logger),
            feed)
        feeds.insert(slot)
        return slot
    }

    /// The authorities of a system are some hundred: they are read once for all instances.
    private func trust(of feed: FeedAssignment.Feed) -> StreamTrust {
        if let trust = trusts[feed.place.source] { return trust }
        let trust = StreamTrust(
            authorities: feed.options.certificateAuthority, client: feed.options.clientCertificate)
        trusts[feed.place.source] = trust
        return trust
    }

    private func remove(_ slot: FeedTable.Slot) {
        end(slot)
        feeds.remove(slot)
    }

    private func end(_ slot: FeedTable.Slot) {
        disconnect(slot)
        if let timer = slot.timer { loop.timers.cancel(timer) }
        slot.timer = nil
    }

    /// The gateway stops: no feed connects any more.
    func stopFeeds() {
        for slot in feeds.all { end(slot) }
    }

    /// The hub takes events again.
    func relieveFeeds() {
        for slot in feeds.all { slot.feed.relieved() }
    }

    // MARK: Connecting

    private func look(at slot: FeedTable.Slot) {
        let action = slot.feed.demand.look(isUsed: slot.feed.topics.isUsed, at: context.now)
        switch action {
        case .connect:
            slot.isQueued = true
            connects.add(slot.feed.index)
            connectNext()
        case .disconnect: disconnect(slot)
        case nil:
            if let time = slot.seatAt, time <= context.now { connect(slot, isNews: false) }
        }
        arm(slot)
    }

    private func connectNext() {
        while let index = connects.take(at: context.now, isWanted: { feeds[$0]?.isQueued == true }) {
            guard let slot = feeds[index] else { continue }
            slot.isQueued = false
            connect(slot, isNews: true)
            arm(slot)
        }
        if let connectTimer { loop.timers.cancel(connectTimer) }
        connectTimer = connects.nextTime.map {
            loop.timers.schedule(atMilliseconds: $0, token: Token(index: 0, generation: 0).packed(.feed))
        }
    }

    private func connect(_ slot: FeedTable.Slot, isNews: Bool) {
        guard plan.feedSeats.take() else {
            slot.seatAt = context.now &+ Self.seatMilliseconds
            guard isNews else { return }
            return logger.warning(
                "feed waits: there are as many upstream connections as there may be (limits.feeds)",
                metadata: ["feed": "\(slot.feed.name)"])
        }
        slot.hasSeat = true
        slot.seatAt = nil
        slot.feed.start()
    }

    private func disconnect(_ slot: FeedTable.Slot) {
        slot.feed.stop()
        slot.isQueued = false
        slot.seatAt = nil
        guard slot.hasSeat else { return }
        slot.hasSeat = false
        plan.feedSeats.give()
    }

    // MARK: The loop

    /// Its client's timer has generation 0. No feed has index 0.
    private static let demandGeneration: UInt32 = 1

    private func arm(_ slot: FeedTable.Slot) {
        let time = [slot.feed.demand.deadline, slot.seatAt].compactMap { $0 }.min()
        if let timer = slot.timer { loop.timers.cancel(timer) }
        slot.timer = time.map {
            loop.timers.schedule(
                atMilliseconds: $0,
                token: Token(index: slot.feed.index, generation: Self.demandGeneration).packed(.feed))
        }
    }

    func feedReady(_ token: Token, _ events: Selector.Events) {
        feeds[token.index]?.feed.client.ready(token, events)
    }

    func feedTimer(_ token: Token) {
        guard !isDraining else { return }
        guard token.index != 0 else {
            connectTimer = nil
            return connectNext()
        }
        guard let slot = feeds[token.index] else { return }
        guard token.generation == Self.demandGeneration else { return slot.feed.client.timerFired() }
        slot.timer = nil
        look(at: slot)
    }
}

extension Worker: UpstreamFeed.Owner {
    /// Feeds that want the same name at the same time share one look-up: a thousand instances of a template would
    /// overrun the resolver's queue.
    func resolve(_ feed: UpstreamFeed, host: String, port: UInt16, attempt: UInt64) {
        let lookup = HostLookup(host: host.lowercased(), port: port)
        let waiting = FeedTable.Waiting(feed: feed.index, attempt: attempt)
        guard lookups[lookup] == nil else {
            lookups[lookup]?.append(waiting)
            return
        }
        lookups[lookup] = [waiting]
        let jobs = jobs
        resolver.resolve(host: host, port: port) { result in jobs.post(.resolved(lookup, result)) }
    }

    func resolved(_ lookup: HostLookup, _ result: Result<[SocketAddress], ResolveError>) {
        // The answer is that of one moment: who asks from now on asks anew.
        for waiting in lookups.removeValue(forKey: lookup) ?? [] {
            feeds[waiting.feed]?.feed.client.resolved(result, attempt: waiting.attempt)
        }
    }
}
