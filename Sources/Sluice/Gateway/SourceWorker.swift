internal import HTTPTypes
internal import SluiceHTTP
internal import SluiceIO

/// The loop of all `EventSource`s. Everything here happens on its own thread.
final class SourceWorker: EventLoopHandler {
    private let loop: EventLoop
    private let context: LoopContext
    private let commands: Mailbox<SourceThread.Command>
    private let resolver: Resolver
    private var taken: [SourceThread.Command] = []
    /// By the index of their tokens. An index is not used again, so nothing late can reach a stranger.
    private var seats: [UInt32: SourceSeat] = [:]
    private var trusts: [SourceOrder.Trust: Trust] = [:]

    private struct Trust {
        weak var value: StreamTrust?
    }

    init(_ loop: EventLoop, _ commands: Mailbox<SourceThread.Command>, _ resolver: Resolver) {
        self.loop = loop
        self.commands = commands
        self.resolver = resolver
        context = LoopContext(loop: loop, limits: Limits())
    }

    /// Runs until nobody holds a source any more.
    func run() {
        loop.run(self)
        for seat in seats.values { seat.client.stop() }
        seats = [:]
    }

    // MARK: EventLoopHandler

    func ready(token: UInt64, events: Selector.Events) {
        let (_, token) = Token.unpack(token)
        seats[token.index]?.client.ready(token, events)
    }

    func timerFired(token: UInt64) { seats[Token.unpack(token).token.index]?.client.timerFired() }

    func mail() {
        commands.take(into: &taken)
        for command in taken { perform(command) }
        taken.removeAll(keepingCapacity: taken.count < 1024)
    }

    func flush() -> Bool { false }

    private func perform(_ command: SourceThread.Command) {
        switch command {
        case .start(let inbox, let order):
            let index = inbox.index
            let seat = SourceSeat(inbox, order, trust: trust(order.trust), context: context) {
                [commands, resolver] host, port, attempt in
                resolver.resolve(host: host, port: port) { result in
                    commands.post(.resolved(index, attempt: attempt, result))
                }
            }
            seats[index] = seat
            seat.client.start()
        case .resume(let index): seats[index]?.resume()
        case .restart(let index): seats[index]?.restart()
        case .close(let index): seats.removeValue(forKey: index)?.client.stop()
        case .resolved(let index, let attempt, let result): seats[index]?.client.resolved(result, attempt: attempt)
        }
    }

    /// The authorities of a system are some hundred, read once for all sources of a kind. When the last of these is
    /// gone, so are they, and the files are read again.
    private func trust(_ key: SourceOrder.Trust) -> StreamTrust {
        if let known = trusts[key]?.value { return known }
        trusts = trusts.filter { $0.value.value != nil }
        let made = StreamTrust(key)
        trusts[key] = Trust(value: made)
        return made
    }
}

/// One source on its loop: the client, and when it has to wait for the program.
final class SourceSeat: StreamClient.Owner {
    /// What waits until the program has taken something.
    private enum Halt {
        case reading
        case attempt(afterMilliseconds: UInt64)
    }

    private let inbox: SourceInbox
    private let order: SourceOrder
    private let trust: StreamTrust
    private let context: LoopContext
    private let lookUp: (_ host: String, _ port: UInt16, _ attempt: UInt64) -> Void
    private var halt: Halt?

    private(set) lazy var client: StreamClient = {
        let client = StreamClient(
            order.request, order.options, trust: trust, index: inbox.index, context: context, owner: self)
        client.lastEventID = order.lastEventID
        return client
    }()

    init(
        _ inbox: SourceInbox, _ order: SourceOrder, trust: StreamTrust, context: LoopContext,
        lookUp: @escaping (_ host: String, _ port: UInt16, _ attempt: UInt64) -> Void
    ) {
        self.inbox = inbox
        self.order = order
        self.trust = trust
        self.context = context
        self.lookUp = lookUp
    }

    /// The program has taken something.
    func resume() {
        guard let halt else { return }
        self.halt = nil
        switch halt {
        case .reading: client.resume()
        case .attempt(let delay): client.start(afterMilliseconds: delay)
        }
    }

    func restart() {
        inbox.restarted()
        guard halt != nil else { return client.restart() }
        client.stop()
        halt = .attempt(afterMilliseconds: 0)
    }

    // MARK: StreamClient.Owner

    func resolve(_ client: StreamClient, host: String, port: UInt16, attempt: UInt64) { lookUp(host, port, attempt) }

    func streamClient(_ client: StreamClient, _ report: StreamClient.Report) {
        switch report {
        case .opened(let head): read(inbox.put([.opened(HTTPFields(head))], .open))
        case .received(let items): read(inbox.put(items.map { EventSource.Item($0) }))
        case .ended(let fault, let retry):
            let error = EventSourceError(
                kind: .init(fault: fault.cause), message: fault.description,
                retryAfter: retry.map { .milliseconds(Int64(clamping: $0)) })
            let isFull = inbox.put([.error(error)], retry == nil ? .closed : .connecting)
            guard isFull, let retry else { return }
            // A server that nobody listens to is not asked, or its answers would have to be kept somewhere.
            client.stop()
            halt = .attempt(afterMilliseconds: retry)
        }
    }

    private func read(_ isFull: Bool) {
        guard isFull else { return }
        halt = .reading
        client.pause()
    }
}

extension EventSource.Item {
    init(_ item: StreamClient.Item) {
        switch item {
        case .event(let event): self = .event(ReceivedEvent(event))
        case .comment(let text): self = .comment(String(decoding: text, as: UTF8.self))
        case .retry(let milliseconds): self = .retry(.milliseconds(Int64(clamping: milliseconds)))
        case .oversized: self = .notice(.oversized)
        case .duplicate: self = .notice(.duplicate)
        case .repeatsIDs: self = .notice(.repeatedIDs)
        }
    }
}

extension HTTPFields {
    init(_ head: ResponseHead) {
        self.init()
        head.fields.forEach { _, name, value in
            guard let name = HTTPField.Name(String(decoding: name, as: UTF8.self)) else { return }
            append(HTTPField(name: name, value: String(decoding: value, as: UTF8.self)))
        }
    }
}
