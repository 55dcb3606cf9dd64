internal import Logging
internal import SluiceHTTP
internal import SluiceIO
internal import SluiceTLS

/// One event loop with all that runs on it: listeners, connections, its part of the hub, feeds and timers. Everything
/// here happens on the worker's own thread; others reach it by its mailboxes.
final class Worker: EventLoopHandler {
    let index: Int
    let plan: Plan
    let hub: Hub
    let loop: EventLoop
    let context: LoopContext
    let shard: HubShard
    let jobs: Mailbox<Job>
    let link: WorkerLink
    /// To all workers, by their numbers.
    let links: [WorkerLink]
    let resolver: Resolver
    let logger: Logger
    let connections = Slab<Connection>()
    let streams = Slab<Stream>()
    var listeners: [ListenerSlot]
    /// Connections that are over, closed at the end of the tick.
    var doomed: [Token] = []
    /// Connections whose TLS handshake has something to read.
    var greeting: [Token] = []
    /// Connections that hold back the answers to publishers until the tick's events were written.
    var holding: [Token] = []
    /// What a request publishes.
    var batch = EncodedBatch()
    /// Streams that are over, removed at the end of the tick.
    var overStreams: [Token] = []
    var feeds = FeedTable()
    let assignment: FeedAssignment
    var connects = ConnectQueue()
    var connectTimer: TimerWheel.ID?
    /// By the names of the sources.
    var trusts: [String: StreamTrust] = [:]
    /// Feeds that wait for the addresses of a host.
    var lookups: [HostLookup: [FeedTable.Waiting]] = [:]
    var tickers: [Ticker] = []
    /// The places of the tickers by the names of the sources.
    var tickerNumbers: [String: Int] = [:]
    var commands: [CommandSlot] = []
    /// Connections to the servers of pools.
    let upstreams = Slab<UpstreamConnection>()
    /// The same, endpoint by endpoint.
    var siblings: [UpstreamPlace: Siblings] = [:]
    /// On the first worker: what asks servers how they are, and where.
    var keeper: UpstreamKeeper?
    /// The next end of an ejection, by the numbers of the pools.
    var ejectionTimers: [Int: TimerWheel.ID] = [:]
    /// By the numbers of the pools.
    var upstreamTrusts: [Int: StreamTrust] = [:]
    let ticks = Slab<TickTimer>()
    /// Streams that send a file and wait for their turn.
    var fileQueue: [Token] = []
    /// What first pieces of files cost in this tick, in bytes.
    var fileBytesBegun = 0
    lazy var fileBuffer = FileBuffer()
    /// When it was last said that files cannot be read.
    var filesSaidAt: UInt64 = 0
    var isDraining = false
    var drainDeadline: UInt64 = 0
    var drainGrace: UInt64 = 0
    /// Draining began, and streams still wait to be ended.
    var mustEndStreams = false
    /// What the log says of who may not name clients, or does it wrongly.
    var proxyHeaderLines = LineBudget()
    private var spare = SpareDescriptor()
    private var exhaustedSaidAt: UInt64 = 0
    private var taken: [Job] = []
    private var dateSecond: Int64 = -1
    private var dateText: [UInt8] = []
    private var datedReceiptFields = FieldBlock()

    /// A listener of this worker.
    final class ListenerSlot: Sendable {
        let listener: Listener
        let tls: TLSFiles?

        init(_ listener: consuming Listener, tls: TLSFiles?) {
            self.listener = listener
            self.tls = tls
        }
    }

    /// Connections accepted from one listener before others have their turn.
    static let acceptBatch = 64
    /// TLS handshakes that go on in one tick: about two milliseconds.
    static let handshakesPerTick = 16
    static let pauseMilliseconds: UInt64 = 50
    static let lingerMilliseconds: UInt64 = 2000

    init(_ start: WorkerStart, listeners: [ListenerSlot]) throws(Errno) {
        index = start.index
        plan = start.plan
        hub = start.hub
        jobs = start.jobs
        link = WorkerLink(jobs: start.jobs, clock: start.clock)
        links = start.links
        resolver = start.resolver
        logger = start.plan.logger
        assignment = FeedAssignment(
            sources: start.plan.configuration.sources, topics: start.plan.configuration.topics,
            workers: start.hub.workerCount)
        loop = try EventLoop(clock: start.clock)
        context = LoopContext(loop: loop, limits: start.plan.limits, access: start.plan.access)
        shard = HubShard(hub: start.hub, worker: start.index, mailbox: start.mailbox, context: context)
        self.listeners = listeners
        try loop.selector.add(
            start.jobs.descriptor, .read, token: Token(index: 0, generation: 1).packed(.jobs))
        try loop.selector.add(
            start.mailbox.descriptor, .read, token: Token(index: 0, generation: 1).packed(.mailbox))
    }

    /// Runs until it is drained or stopped.
    func run() {
        for number in listeners.indices { watch(number, isPaused: false) }
        startSources()
        startUpstreams()
        scheduleHousekeeping()
        loop.run(self)
        closeEverything()
    }

    // MARK: EventLoopHandler

    func ready(token: UInt64, events: Selector.Events) {
        let (kind, token) = Token.unpack(token)
        switch kind {
        case .connection: connectionReady(token, events)
        case .listener: accept(from: Int(token.index))
        case .feed: feedReady(token, events)
        case .upstream: upstreamReady(token, events)
        case .command: commandReady(token)
        // Mailboxes are emptied before every flush; their descriptors only end the sleep.
        case .mailbox, .jobs: break
        case .probe: keeper?.ready(token, events)
        case .stream, .source, .housekeeping, .ticks, .pool, nil: break
        }
    }

    func timerFired(token: UInt64) {
        let (kind, token) = Token.unpack(token)
        switch kind {
        case .connection: connectionTimer(token)
        case .stream: streamTimer(token)
        case .feed: feedTimer(token)
        case .upstream: upstreamTimer(token)
        case .command: commandTimer(token)
        case .source: tickerTimer(token)
        case .ticks: ticksTimer(token)
        case .housekeeping: housekeeping()
        case .listener: watch(Int(token.index), isPaused: false)
        case .probe: keeper?.timerFired(token)
        case .pool: ejectionTimer(token)
        case .mailbox, .jobs, nil: break
        }
    }

    func mail() {}

    func flush() -> Bool {
        takeJobs()
        continueHandshakes()
        // By the mail of the tick before: nobody wakes this worker for what it publishes itself, so that comes first.
        tellSources()
        shard.takeMail()
        let hasMore = shard.flush()
        releaseHolding()
        settleStreams()
        continueFiles()
        flushFrames()
        closeDoomed()
        if isDraining { continueDraining(hasMore: hasMore) }
        context.access?.flush()
        // Also what the frames' leaving brought: streams that go on reading, are blocked again, or over.
        return hasMore || shard.hasMore || shard.hasNewsForSources || !context.framed.isEmpty || !greeting.isEmpty
            || !holding.isEmpty || !fileQueue.isEmpty
    }

    private func takeJobs() {
        jobs.take(into: &taken)
        guard !taken.isEmpty else { return }
        for job in taken { perform(job) }
        taken.removeAll(keepingCapacity: true)
    }

    // MARK: Accepting

    private func accept(from number: Int) {
        guard number < listeners.count else { return }
        let slot = listeners[number]
        for _ in 0..<Worker.acceptBatch {
            switch slot.listener.accept() {
            case .accepted(let socket, let peer): admit(socket, peer, slot, number)
            case .wouldBlock: return
            case .exhausted(let errno): return exhausted(number, errno)
            case .failed(let errno):
                logger.warning("accept failed", metadata: ["reason": "\(errno)"])
                return
            }
        }
    }

    /// No descriptor is left. What waits is accepted with the spare one and closed, so that the loop neither spins on a
    /// readable listener nor leaves clients in a queue that nobody serves.
    private func exhausted(_ number: Int, _ errno: Errno) {
        let closed = spare.acceptAndClose(from: listeners[number].listener)
        context.counters.exhausted &+= 1
        context.counters.refused &+= UInt64(max(0, closed))
        if !spare.isQueueEmpty { pause(number) }
        guard context.now >= exhaustedSaidAt &+ 1000 else { return }
        exhaustedSaidAt = context.now
        logger.error("out of descriptors: connections are closed", metadata: ["reason": "\(errno)"])
    }

    /// Somebody else took even the spare descriptor: for a moment nothing can be done for those who wait.
    private func pause(_ number: Int) {
        watch(number, isPaused: true)
        _ = loop.timers.schedule(
            atMilliseconds: context.now &+ Worker.pauseMilliseconds,
            token: Token(index: UInt32(number), generation: 1).packed(.listener))
    }

    private func watch(_ number: Int, isPaused: Bool) {
        guard number < listeners.count else { return }
        let listener = listeners[number].listener.rawValue
        // A shared queue cannot be modified in its selector (EPOLLEXCLUSIVE), only added anew.
        loop.selector.remove(listener)
        guard !isPaused else { return }
        do {
            try loop.selector.add(
                listener, isShared(listeners[number]) ? [.read, .exclusive] : .read,
                token: Token(index: UInt32(number), generation: 1).packed(.listener))
        } catch {
            logger.critical("a listener cannot be watched", metadata: ["reason": "\(error)"])
        }
    }

    /// A unix socket is one queue for all workers: only one of them is woken for a connection.
    private func isShared(_ slot: ListenerSlot) -> Bool {
        if case .unix = slot.listener.boundAddress { true } else { false }
    }

    private func admit(_ socket: consuming Socket, _ peer: SocketAddress, _ slot: ListenerSlot, _ number: Int) {
        context.counters.accepted &+= 1
        let readsProxyHeader = plan.listeners[number].readsProxyHeader
        guard !readsProxyHeader || mayNameClients(peer) else { return }
        // Over the limit a client still gets an answer; far over it only a close.
        guard plan.ledger.opened() - 128 <= plan.connectionLimit, !isDraining else {
            plan.ledger.closed()
            context.counters.refused &+= 1
            return
        }
        let token = connections.nextToken
        var transport = Transport(socket, selectorToken: token.packed(.connection))
        if let tls = slot.tls {
            do {
                transport.secure(by: try TLSSession(accepting: tls.context, pipe: context.pipe))
            } catch {
                plan.ledger.closed()
                logger.error("no TLS session", metadata: ["reason": "\(error)"])
                return
            }
        }
        transport.setOptions(writeTimeout: plan.writeTimeout)
        let connection = connections.add(
            Connection(transport, token: token, listener: number, peer: peer, limits: plan.httpLimits))
        do {
            try connection.value.transport.register(.read, context)
        } catch {
            logger.error("a connection cannot be watched", metadata: ["reason": "\(error)"])
            return doom(connection)
        }
        if readsProxyHeader {
            connection.value.proxyHeader = ProxyProtocolParser()
        } else {
            countAddress(connection)
        }
        if plan.ledger.count > plan.connectionLimit { connection.value.isRefused = true }
        setDeadline(connection, plan.requestHeadTimeout)
        // With most clients the request is there already.
        readInTurn(connection)
    }

    // MARK: Time

    /// The Date field's value (RFC 9110, section 6.6.1), made once a second.
    var date: [UInt8] {
        updateDate()
        return dateText
    }

    /// The fields of an answer to a publisher, the date among them.
    var receiptFields: FieldBlock {
        updateDate()
        return datedReceiptFields
    }

    private func updateDate() {
        let second = WallClock.nowMilliseconds() / 1000
        guard second != dateSecond else { return }
        dateSecond = second
        dateText = Array(CivilTime(unixSeconds: second).httpDate.utf8)
        datedReceiptFields = FieldBlock()
        datedReceiptFields.append(.contentType, "application/json")
        datedReceiptFields.append(.date, dateText)
    }

    private func scheduleHousekeeping() {
        _ = loop.timers.schedule(
            atMilliseconds: loop.nowMilliseconds &+ 1000, token: Token(index: 0, generation: 1).packed(.housekeeping))
    }

    private func housekeeping() {
        shard.sweep()
        if index == 0 { hub.sweep() }
        scheduleHousekeeping()
    }
}

/// What a worker is made of.
struct WorkerStart: Sendable {
    let index: Int
    let plan: Plan
    let hub: Hub
    let mailbox: Mailbox<Hub.Message>
    let jobs: Mailbox<Job>
    let links: [WorkerLink]
    let resolver: Resolver
    let clock: any MonotonicClock
}
