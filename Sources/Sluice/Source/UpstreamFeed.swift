internal import Logging
internal import SluiceHTTP
internal import SluiceIO
internal import SluiceSSE
internal import SluiceTLS

/// An upstream SSE stream: one client connection that is made again for ever, and whose events are published.
///
/// It runs on one worker. Its subscribers notice nothing of an outage but the missing events: they belong to the topic.
final class UpstreamFeed {
    /// What a feed needs of its worker.
    protocol Owner: AnyObject {
        /// Looks a name up and hands the answer to `resolved` on the worker's thread.
        func resolve(_ feed: UpstreamFeed, host: String, port: UInt16, attempt: UInt64)
        func schedule(_ feed: UpstreamFeed, atMilliseconds: UInt64)
    }

    enum State {
        case waiting
        case resolving
        case connecting
        case handshaking
        case awaitingHead
        case streaming
        case stopped
    }

    let name: String
    let selectorToken: UInt64
    let url: FeedURL
    private let options: FeedOptions
    private let topics: [Topic]
    private let hub: Hub
    private let worker: Int
    private let context: LoopContext
    private let logger: Logger
    private let tls: TLSClientContext?
    private unowned let owner: any Owner

    private(set) var state: State = .waiting
    private var schedule: FeedSchedule
    private var transport: Transport?
    private var addresses: [SocketAddress] = []
    private var parser: ResponseParser
    private var events: EventParser
    /// Counts attempts, so that a late answer to an earlier one is dropped.
    private(set) var attempt: UInt64 = 0
    /// When the current step must have made progress.
    private var deadline: UInt64 = 0
    private var wasDown = false

    private static let connectMilliseconds: UInt64 = 10_000

    init(
        name: String, options: FeedOptions, url: FeedURL, topics: [Topic], tls: TLSClientContext?, hub: Hub,
        worker: Int, context: LoopContext, owner: any Owner, selectorToken: UInt64, logger: Logger
    ) {
        self.name = name
        self.options = options
        self.url = url
        self.topics = topics
        self.tls = tls
        self.hub = hub
        self.worker = worker
        self.context = context
        self.owner = owner
        self.selectorToken = selectorToken
        var logger = logger
        logger[metadataKey: "feed"] = "\(name)"
        self.logger = logger
        schedule = FeedSchedule(options.retry)
        parser = ResponseParser(limits: HTTP1Limits())
        events = EventParser(limits: .init(line: context.limits.feedLine, event: context.limits.feedEvent))
    }

    // MARK: Connecting

    /// Begins an attempt; the first one when the gateway starts, each later one when its timer fires.
    func connect() {
        guard state == .waiting else { return }
        attempt &+= 1
        state = .resolving
        owner.resolve(self, host: url.host, port: url.port, attempt: attempt)
    }

    /// The answer of the resolver.
    func resolved(_ result: Result<[SocketAddress], ResolveError>, attempt: UInt64) {
        guard state == .resolving, attempt == self.attempt else { return }
        switch result {
        case .success(let found):
            addresses = found
            connectNext(because: "the name has no address")
        case .failure(let error): fail("\(error)")
        }
    }

    private func connectNext(because reason: String) {
        drop()
        guard !addresses.isEmpty else { return fail(reason) }
        let address = addresses.removeFirst()
        do {
            let socket = try Socket.connecting(to: address)
            var transport = Transport(socket, selectorToken: selectorToken)
            try transport.register([.read, .write], context)
            self.transport = consume transport
            state = .connecting
            setDeadline(UpstreamFeed.connectMilliseconds)
        } catch {
            connectNext(because: "\(address): \(error)")
        }
    }

    /// The selector has something to say about the socket.
    func ready(_ events: Selector.Events) {
        if state == .connecting {
            if let error = transport?.connectError { return connectNext(because: "\(error)") }
            guard events.contains(.write) else { return }
            connected()
            return
        }
        if events.contains(.write), transport?.becameWritable(context) == false {
            if let failure = transport?.failure { return fail("\(failure)") }
        }
        if events.contains(.read) || events.contains(.hangup) || events.contains(.readHangup) || events.contains(.error)
        {
            read()
        }
    }

    private func connected() {
        guard let tls else { return sendRequest() }
        do {
            transport?.secure(by: try TLSSession(connecting: tls, serverName: url.host, pipe: context.pipe))
            state = .handshaking
            handle(transport?.startHandshake(context) ?? .nothing)
        } catch {
            fail("\(error)")
        }
    }

    private func sendRequest() {
        state = .awaitingHead
        parser = ResponseParser(limits: HTTP1Limits())
        parser.expect(method: .get)
        events.reset()
        var text = "GET \(url.target) HTTP/1.1\r\nHost: \(url.authority)\r\nAccept: text/event-stream\r\n"
        text += "Cache-Control: no-cache\r\n"
        for (name, value) in options.headers.sorted(by: { $0.key < $1.key }) { text += "\(name): \(value.value)\r\n" }
        var bytes = Array(text.utf8)
        if !events.lastEventID.isEmpty, events.lastEventID.count <= EncodedEvent.longestID {
            bytes.append(contentsOf: Array("Last-Event-ID: ".utf8))
            bytes.append(contentsOf: events.lastEventID)
            bytes.append(contentsOf: [0x0D, 0x0A])
        }
        bytes.append(contentsOf: [0x0D, 0x0A])
        transport?.writeAll(bytes, context)
        setDeadline(options.idleTimeout.milliseconds)
        _ = transport?.becameWritable(context)
    }

    // MARK: Reading

    private func read() { handle(transport?.read(context) ?? .nothing) }

    private func handle(_ outcome: Transport.ReadOutcome) {
        switch outcome {
        case .nothing: break
        case .bytes(let count):
            setDeadline(options.idleTimeout.milliseconds)
            unsafe parse(UnsafeRawBufferPointer(rebasing: context.input[..<count]))
            if let failure = transport?.failure { return fail("\(failure)") }
            // close_notify came with the last bytes; the upstream's FIN may not follow before ours.
            if transport?.inputEnded == true { return inputEnded() }
        case .end: return inputEnded()
        case .failed(let error): return fail("\(error)")
        }
        if state == .handshaking, transport?.isEstablished == true { sendRequest() }
    }

    private func inputEnded() {
        if case .end = parser.endOfInput(), state == .streaming { return ended() }
        fail(state == .streaming ? "the upstream cut the stream" : "the upstream closed the connection")
    }

    private func parse(_ input: UnsafeRawBufferPointer) {
        var offset = 0
        while offset < input.count, state == .awaitingHead || state == .streaming {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: input[offset...])
            let (event, consumed) = unsafe parser.parse(rest)
            switch event {
            case .needMore: return
            case .informational: break
            case .head(let head): accept(head)
            case .body(let range): unsafe take(UnsafeRawBufferPointer(rebasing: rest[range]))
            case .end: return ended()
            case .failed(let error): return fail("the upstream's answer is no HTTP: \(error.reason)")
            }
            offset += consumed
        }
    }

    private func accept(_ head: ResponseHead) {
        switch head.status {
        case 200:
            guard let type = head.fields.first(.contentType), AcceptHeader.isEventStream(type) else {
                return fail("the upstream's media type is not text/event-stream")
            }
            state = .streaming
            logger.info("feed connected", metadata: ["url": "\(url.authority)"])
            wasDown = false
        case 204:
            logger.notice("feed stopped: the upstream answered 204")
            drop()
            state = .stopped
        case 401, 403, 404, 410:
            again(after: .refused, "the upstream refused with \(head.status)")
        default:
            if let after = head.fields.string(.retryAfter), let seconds = UInt64(after),
                head.status == 429 || head.status == 503
            {
                again(after: .later(milliseconds: min(seconds, 3600) * 1000), "the upstream answered \(head.status)")
            } else {
                fail("the upstream answered \(head.status)")
            }
        }
    }

    private func take(_ body: UnsafeRawBufferPointer) {
        let now = context.now
        unsafe events.parse(body) { item in
            switch item {
            case .event(let event):
                schedule.receivedSomething(at: now)
                publish(event)
            case .comment: schedule.receivedSomething(at: now)
            case .retry(let milliseconds): schedule.setBase(milliseconds: milliseconds)
            case .lineTooLong, .eventTooLong:
                context.counters.oversizedEvents &+= 1
                logger.warning("feed: an event over the limit was dropped")
            }
        }
    }

    private func publish(_ event: ParsedEvent) {
        if event.wasRepaired { context.counters.repairedEvents &+= 1 }
        for topic in topics {
            let encoded = unsafe event.data.withUnsafeBytes {
                unsafe hub.encode(
                    data: $0, type: event.type.isEmpty ? nil : event.type,
                    id: event.hasOwnID && event.lastEventID.count <= EncodedEvent.longestID ? event.lastEventID : nil,
                    for: topic)
            }
            _ = hub.append([encoded], to: topic, from: worker)
        }
    }

    // MARK: Ending

    private func ended() { again(after: .endedCleanly, "the upstream ended the stream") }

    private func fail(_ reason: String) { again(after: .failed, reason) }

    private func again(after outcome: FeedSchedule.Outcome, _ reason: String) {
        guard state != .waiting, state != .stopped else { return }
        drop()
        let chance = Double.random(in: 0...1)
        guard let delay = schedule.delay(after: outcome, at: context.now, chance: chance) else {
            state = .stopped
            return
        }
        state = .waiting
        // One line at the level of a warning for each outage; the attempts that follow are told quietly.
        let level: Logger.Level = wasDown || outcome == .endedCleanly ? .debug : .warning
        logger.log(level: level, "feed down", metadata: ["reason": "\(reason)", "retry_ms": "\(delay)"])
        wasDown = true
        owner.schedule(self, atMilliseconds: context.now &+ delay)
    }

    private func drop() {
        guard let old = transport.take() else { return }
        old.deregister(context)
    }

    private func setDeadline(_ milliseconds: UInt64) {
        deadline = context.now &+ milliseconds
        owner.schedule(self, atMilliseconds: deadline)
    }

    /// The feed's timer: time for the next attempt, or a step that took too long.
    func timerFired() {
        switch state {
        case .waiting: connect()
        case .connecting where deadline <= context.now: connectNext(because: "connecting took too long")
        case .handshaking, .awaitingHead, .streaming:
            if deadline <= context.now {
                fail("nothing came for \(options.idleTimeout)")
            } else {
                owner.schedule(self, atMilliseconds: deadline)
            }
        case .resolving, .connecting, .stopped: break
        }
    }

    /// Ends the feed for good.
    func stop() {
        drop()
        state = .stopped
    }
}
