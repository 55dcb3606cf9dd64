internal import Logging
internal import SluiceHTTP
internal import SluiceIO
internal import SluiceSSE

/// An upstream SSE stream whose events are published: a `StreamClient` and the topics that it feeds.
///
/// It runs on one worker. Its subscribers notice nothing of an outage but the missing events: they belong to the topic.
final class UpstreamFeed {
    /// What a feed needs of its worker.
    protocol Owner: AnyObject {
        /// Looks a name up and hands the answer to `feed.client.resolved`, on the worker's thread.
        func resolve(_ feed: UpstreamFeed, host: String, port: UInt16, attempt: UInt64)
    }

    /// How a feed is, as the log and `status_event` tell.
    enum Condition: String {
        /// Not connected yet, or no longer; it comes again by itself.
        case down
        case up
        /// 401, 403, 404, 410: it comes again after long.
        case refused
        /// 204: it does not come again.
        case stopped
    }

    let name: String
    let index: UInt32
    private let options: FeedOptions
    private let url: FeedURL
    private let trust: StreamTrust
    private let hub: Hub
    private let worker: Int
    private let context: LoopContext
    private let logger: Logger
    private unowned let owner: any Owner
    private let prefix: [UInt8]
    private let names: EventNames?
    private let statusType: [UInt8]?
    /// Instances of templates are added and taken out while it runs.
    var topics = FedTopics()
    /// Whether it is to be connected.
    var demand: FeedDemand
    private(set) var condition = Condition.down
    /// What subscribers were told last.
    private var toldCondition: Condition?
    /// The upstream is not asked before, however often the feed is started.
    private var retryAt: UInt64 = 0
    /// What was said about the present connection: a stream of bad events is not a stream of log lines.
    private var remarks: Set<Remark> = []
    private enum Remark: String {
        case oversized = "feed: an event over the limit was dropped"
        case tooLarge = "feed: an event was dropped that its topic cannot keep"
        case notUTF8 = "feed: text that is not UTF-8 was repaired"
        case repeatsIDs = "feed: it repeats ids within one connection, so that duplicates cannot be told"
    }
    /// What the hub has not taken yet, in order. It outlives the connection: the upstream will not send it again.
    private var held: [Publication] = []
    private var carried = CarriedID()
    /// What the last warning of this outage was about.
    private var saidFault: FeedFault?

    private(set) lazy var client = StreamClient(
        options.request(url), options.client(context.limits), trust: trust, index: index, context: context, owner: self)

    /// - Parameter index: the index in the tokens of its sockets and its timer.
    init(
        name: String, options: FeedOptions, url: FeedURL, trust: StreamTrust, hub: Hub, worker: Int,
        context: LoopContext, owner: any Owner, index: UInt32, logger: Logger
    ) {
        self.name = name
        self.options = options
        self.url = url
        self.trust = trust
        demand = options.demand
        names = EventNames(options.events)
        statusType = options.statusEvent.map { Array($0.utf8) }
        self.hub = hub
        self.worker = worker
        self.context = context
        self.owner = owner
        self.index = index
        prefix = Array(options.idPrefix.utf8)
        var logger = logger
        logger[metadataKey: "feed"] = "\(name)"
        self.logger = logger
    }

    /// Connects, again and again until it is stopped. Starting over shortens no wait: subscribers that come and go would
    /// be so many requests in an outage.
    func start() {
        guard condition != .stopped else { return }
        client.start(afterMilliseconds: retryAt > context.now ? retryAt - context.now : 0)
    }

    /// Ends the connection; `start` goes on at the same position.
    func stop() {
        client.stop()
        if condition == .up { condition = .down }
    }

    // MARK: What comes of it

    /// Every event of the feed goes out here, in batches of what one piece of input held. What the hub does not take is
    /// kept, and nothing more is read until it does.
    private func publish(_ batch: [ParsedEvent]) {
        // Without a topic there is nobody who could miss them.
        guard !topics.isEmpty else { return }
        let publications = batch.compactMap { event in
            draft(event).map { Publication(draft: $0, topics: topics.list) }
        }
        context.counters.feeds.events &+= UInt64(publications.count)
        handOver(publications)
    }

    private func handOver(_ batch: [Publication]) {
        guard !batch.isEmpty else { return }
        held += batch
        publishHeld()
        // Between two connections nothing is read anyway.
        guard !held.isEmpty, client.state == .streaming else { return }
        context.counters.feeds.paused &+= 1
        client.pause()
    }

    /// There is room in the hub again.
    func relieved() {
        guard !held.isEmpty else { return }
        publishHeld()
        if held.isEmpty { client.resume() }
    }

    private func publishHeld() {
        var batch: [Publication] = []
        swap(&batch, &held)
        held = offer(batch)
    }

    /// - Returns: what the hub does not take now.
    private func offer(_ batch: [Publication]) -> [Publication] {
        switch hub.publish(batch, from: worker, isSource: true) {
        case .accepted: return []
        case .full: return batch
        case .tooLarge(let topic), .gone(let topic):
            guard batch.count == 1, var only = batch.first else {
                // Together they are too much; one by one they may not be.
                for index in batch.indices {
                    let rest = offer([batch[index]])
                    if !rest.isEmpty { return rest + batch[(index + 1)...] }
                }
                return []
            }
            context.counters.oversizedEvents &+= 1
            remark(.tooLarge, ["topic": "\(topic)"])
            only.topics.removeAll { $0.name == topic }
            return only.topics.isEmpty ? [] : offer([only])
        }
    }

    /// Says something about what comes, once a connection.
    private func remark(_ remark: Remark, _ metadata: Logger.Metadata = [:]) {
        guard remarks.insert(remark).inserted else { return }
        logger.warning("\(remark.rawValue)", metadata: metadata)
    }

    /// `nil`: its type is left out. Its id goes on to the next one that is not.
    private func draft(_ event: ParsedEvent) -> EventDraft? {
        var draft = EventDraft(data: event.data, type: event.type)
        if let names {
            guard let type = names.type(for: event.type) else {
                context.counters.feeds.filtered &+= 1
                return nil
            }
            draft.type = type
        }
        guard let id = carried.take(event) else { return draft }
        if id.isEmpty {
            // With a prefix there are other feeds, and what their readers have is not this one's.
            draft.clearsID = prefix.isEmpty
        } else if prefix.count + id.count <= EncodedEvent.longestID {
            draft.id = prefix + id
        }
        return draft
    }

    /// Every change of the feed's state passes here, and every further reason for the state it is in.
    private func change(to condition: Condition, because fault: StreamFault?, retryMilliseconds: UInt64? = nil) {
        self.condition = condition
        retryAt = retryMilliseconds.map { context.now &+ $0 } ?? 0
        if let statusType, toldCondition != condition, !topics.isEmpty {
            toldCondition = condition
            let data = FeedStatus.data(
                feed: name, condition, because: fault, retryMilliseconds: retryMilliseconds)
            handOver([Publication(draft: EventDraft(data: data, type: statusType), topics: topics.list)])
        }
        log(condition, because: fault, retryMilliseconds)
    }

    private func log(_ condition: Condition, because fault: StreamFault?, _ retryMilliseconds: UInt64?) {
        guard let fault else {
            saidFault = nil
            remarks = []
            return logger.info("feed connected", metadata: ["url": "\(client.redirects.place.url.authority)"])
        }
        // One warning for each outage and each new reason of it; what only repeats it is told quietly. The end of a
        // stream is no outage: load balancers cut every 30 to 55 s.
        let isNews = fault.cause != .ended && fault.cause != saidFault
        if isNews { saidFault = fault.cause }
        var metadata: Logger.Metadata = ["reason": "\(fault)"]
        if let retryMilliseconds { metadata["retry_ms"] = "\(retryMilliseconds)" }
        let message: Logger.Message =
            switch condition {
            case .refused: "feed refused"
            case .stopped: "feed stopped"
            case .down, .up: "feed down"
            }
        logger.log(level: isNews ? .warning : .debug, message, metadata: metadata)
    }
}

extension UpstreamFeed: StreamClient.Owner {
    func resolve(_ client: StreamClient, host: String, port: UInt16, attempt: UInt64) {
        owner.resolve(self, host: host, port: port, attempt: attempt)
    }

    func streamClient(_ client: StreamClient, _ report: StreamClient.Report) {
        switch report {
        case .opened:
            change(to: .up, because: nil)
            // What an earlier connection brought has to go out first.
            if !held.isEmpty { client.pause() }
        case .received(let items): take(items)
        case .ended(let fault, let retry):
            let condition: Condition =
                switch fault.outcome {
                case .refused: .refused
                case .stopped: .stopped
                case .failed, .endedCleanly, .later: .down
                }
            change(to: condition, because: fault, retryMilliseconds: retry)
        }
    }

    private func take(_ items: [StreamClient.Item]) {
        var batch: [ParsedEvent] = []
        for item in items {
            switch item {
            case .event(let event):
                if event.wasRepaired { remark(.notUTF8) }
                batch.append(event)
            case .oversized: remark(.oversized)
            case .repeatsIDs: remark(.repeatsIDs)
            case .duplicate: carried.droppedDuplicate()
            case .comment, .retry: break
            }
        }
        if !batch.isEmpty { publish(batch) }
    }
}

extension FeedOptions {
    /// What is asked for.
    func request(_ url: FeedURL) -> StreamRequest {
        var request = StreamRequest(url: url)
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            request.fields.append(.init(name, value.value, isSecret: true))
        }
        if let credentials { request.fields.append(.init("Authorization", credentials.field)) }
        return request
    }

    /// When it is connected.
    var demand: FeedDemand {
        let isOnDemand =
            switch connect.kind {
            case .automatic: url.contains("{")
            case .always: false
            case .onDemand: true
            }
        return FeedDemand(isOnDemand: isOnDemand, lingerMilliseconds: linger.milliseconds)
    }

    /// How its client behaves.
    func client(_ limits: Limits) -> StreamClient.Options {
        var options = StreamClient.Options()
        options.retry = retry
        options.idleMilliseconds = idleTimeout.milliseconds
        options.dedupe = dedupe
        options.limits = EventParser.Limits(line: limits.feedLine, event: limits.feedEvent)
        return options
    }
}
