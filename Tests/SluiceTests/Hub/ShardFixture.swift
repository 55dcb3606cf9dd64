import SluiceHTTP
import SluiceIO
import SluiceSSE
import Testing

@testable import Sluice

/// A hub with its shards on the test's own thread, whose ticks the test makes, and clients that are sockets.
final class ShardFixture {
    let hub: Hub
    let shards: [HubShard]
    var shard: HubShard { shards[0] }
    private let connections = Slab<Connection>()
    private let streams = Slab<Stream>()
    private let listener: Listener
    let context: LoopContext
    private var clients: [Token: Client] = [:]

    /// The far end of a subscription: what it reads is parsed.
    private final class Client {
        let socket: Socket
        let shard: HubShard
        let connection: Token
        let subscriber: Token
        /// The first bytes: the head of the response.
        var opening: [UInt8] = []
        var isInBody = false
        var hasEnded = false
        /// Unpacks the body where it is compressed.
        let inflater: Inflater?
        /// The body as text, where the fixture keeps it, and its bytes as they came.
        var body: [UInt8] = []
        var bodyBytes = 0
        var parser = EventParser(limits: .init())
        var events: [String] = []
        /// Over HTTP/2: what makes and reads its frames.
        let http2: HTTP2Client?

        init(
            _ socket: consuming Socket, _ shard: HubShard, _ connection: Token, _ subscriber: Token,
            _ inflater: Inflater?, _ http2: HTTP2Client?
        ) {
            self.http2 = http2
            self.socket = socket
            self.shard = shard
            self.connection = connection
            self.subscriber = subscriber
            self.inflater = inflater
        }

        /// What of these bytes is the stream's text.
        func text(of bytes: [UInt8]) -> [UInt8] {
            var bytes = bytes
            if let http2 {
                #expect(http2.receive(bytes))
                opening = http2.seen.head
                hasEnded = http2.seen.hasEnded
                bytes = http2.takeBody()
            } else if !isInBody {
                opening += bytes
                guard let end = opening.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound else { return [] }
                bytes = Array(opening[end...])
                opening.removeSubrange(end...)
                isInBody = true
            }
            bodyBytes += bytes.count
            guard let inflater else { return bytes }
            var text: [UInt8] = []
            let used = unsafe bytes.withUnsafeBytes { bytes in
                unsafe try? inflater.decode(bytes) { piece in
                    unsafe text.append(contentsOf: piece)
                    return true
                }
            }
            if used != bytes.count { Issue.record("this is no gzip: \(text.count) bytes were") }
            return text
        }
    }

    /// Whether clients keep what they read.
    var keepsBodies = false
    /// What a client of HTTP/2 lets be under way on its stream; `nil`: clients speak HTTP/1.
    private let window: UInt32?
    /// Whether clients of HTTP/2 give windows back as they read.
    var givesWindow = true

    init(
        _ topics: [String: TopicOptions], logBytes: Int = 1 << 30, workers: Int = 1, window: UInt32? = nil,
        clock: any MonotonicClock = SystemClock()
    ) throws {
        self.window = window
        DescriptorLimit.raise()
        let mailboxes = try (0..<workers).map { _ in try Mailbox<Hub.Message>() }
        let hub = Hub(
            catalog: try TopicCatalog(topics), topicLimit: 100, logBytes: logBytes, mailboxes: mailboxes,
            clock: clock)
        let context = LoopContext(loop: try EventLoop(), limits: Limits())
        shards = mailboxes.enumerated().map { worker, mailbox in
            HubShard(hub: hub, worker: worker, mailbox: mailbox, context: context)
        }
        self.hub = hub
        self.context = context
        listener = try Listener.open(.ip(.loopbackV4, port: 0), sharing: false)
    }

    /// A new client's subscription; its stream begins with the next mail, or at once.
    func subscribe(to topics: String..., after cursor: UInt64? = nil, isCompressed: Bool = false) throws -> Token {
        let connection = try subscribe(to: topics, after: cursor, worker: 0, isCompressed: isCompressed)
        guard let client = clients.removeValue(forKey: connection) else { throw Errno.invalid }
        clients[client.subscriber] = client
        return client.subscriber
    }

    /// - Returns: a handle of the client, of its own among the clients of all workers.
    func subscribe(
        to topics: [String], after cursor: UInt64? = nil, worker: Int, isCompressed: Bool = false
    ) throws -> Token {
        let socket = try Socket.connecting(to: listener.boundAddress)
        socket.setReceiveBuffer(bytes: 64 * 1024)
        let token = connections.nextToken
        var transport = Transport(try accept(), selectorToken: token.packed(.connection))
        try transport.register(.read, context)
        transport.setOptions(writeTimeout: 30_000)
        let connection = connections.add(
            Connection(transport, token: token, listener: 0, peer: listener.boundAddress, limits: HTTP1Limits()))
        let http2 = try window.map { try HTTP2Client(window: $0, givesWindow: givesWindow) }
        if let http2 { try open(connection, http2) }
        let stream = streams.add(Stream(on: connection, token: streams.nextToken, number: http2 == nil ? 0 : 1))
        stream.value.framing = .untilClose
        connection.value.http2?.insert(stream)
        let opening = Opening(
            head: ResponseHead(status: 200, fields: FieldBlock()), lastEventID: cursor.map(hub.id),
            isCompressed: isCompressed && shards[worker].canCompress)
        try shards[worker].subscribe(stream, to: try topics.map(hub.topic(named:)), opening: opening)
        guard let subscriber = stream.value.subscriber else { throw Errno.invalid }
        clients[token] = Client(
            socket, shards[worker], token, subscriber, isCompressed ? try Inflater(.gzip) : nil, http2)
        return token
    }

    /// The engine of HTTP/2 on a new connection, with the client's request.
    private func open(_ connection: Place<Connection>, _ client: HTTP2Client) throws {
        let http2 = try HTTP2Connection(limits: HTTP2Limits(), now: context.now)
        connection.value.http2 = http2
        let said = client.output()
        let isFine = unsafe said.withUnsafeBytes { unsafe http2.session.receive($0, nowMilliseconds: context.now) }
        #expect(isFine)
        while http2.session.nextEvent() != nil {}
    }

    private func accept() throws -> Socket {
        while true {
            switch listener.accept() {
            case .accepted(let socket, _): return socket
            case .wouldBlock: continue
            case .exhausted(let errno): throw errno
            case .failed(let errno): throw errno
            }
        }
    }

    /// Publishes one event from the shard's own thread.
    @discardableResult
    func publish(_ data: String = "x", type: String = "", to topics: String...) throws -> Admission {
        let draft = EventDraft(data: Array(data.utf8), type: Array(type.utf8))
        return hub.publish([Publication(draft: draft, topics: try topics.map(hub.topic(named:)))], from: 0)
    }

    /// Sends a client a heartbeat, as if nothing had been sent for long.
    func heartbeat(_ token: Token) {
        guard let client = clients[token], let subscriber = client.shard.subscribers.find(client.subscriber) else {
            return
        }
        subscriber.value.lastSent = 0
        _ = client.shard.heartbeat(client.subscriber)
    }

    /// Ends a client's stream as the gateway does.
    /// - Returns: the text of its whole body; `nil` when that is not whole.
    func end(_ token: Token) -> [UInt8]? {
        guard let client = clients[token], let connection = connections.find(client.connection) else { return nil }
        if let subscriber = client.shard.subscribers.find(client.subscriber) { client.shard.end(subscriber, .ended) }
        _ = received(token)
        guard let ended = client.shard.ended.first(where: { $0.subscriber == client.subscriber }) else { return nil }
        client.shard.unsubscribe(client.subscriber)
        streams.find(ended.stream)?.value.writePrivate(ended.trailer, context)
        while connection.value.transport.isBlocked { read(token) }
        connection.value.transport.shutdown(context)
        while !client.hasEnded { read(token) }
        return client.inflater?.isAtEnd ?? true ? client.body : nil
    }

    /// What a client was sent, as text, and how many bytes that were.
    func body(_ token: Token) -> (text: [UInt8], bytes: Int) {
        _ = received(token)
        return clients[token].map { ($0.body, $0.bodyBytes) } ?? ([], 0)
    }

    /// Closes a client's connection.
    func unsubscribe(_ token: Token) {
        guard let client = clients[token] else { return }
        client.shard.unsubscribe(client.subscriber)
    }

    /// The end of a tick. Says whether more is to be written.
    @discardableResult
    func flush(worker: Int = 0) -> Bool {
        shards[worker].takeMail()
        defer { flushFrames() }
        return shards[worker].flush()
    }

    private func flushFrames() {
        while let token = context.framed.popLast() {
            guard let connection = connections.find(token) else { continue }
            connection.value.http2?.isListed = false
            connection.value.flushFrames(context)
        }
    }

    /// The last event that a subscriber was sent.
    func cursor(_ token: Token) -> UInt64 {
        clients[token].flatMap { $0.shard.subscribers.find($0.subscriber)?.value.cursor } ?? 0
    }

    /// The position that a stream's head names.
    func opening(_ token: Token) -> UInt64? {
        let lines = String(decoding: clients[token]?.opening ?? [], as: UTF8.self).split(separator: "\r\n")
        let name = "last-event-id: "
        guard let line = lines.first(where: { $0.lowercased().hasPrefix(name) }) else { return nil }
        return hub.sequence(ofID: Array(line.dropFirst(name.count).utf8))
    }

    /// All that a client was sent, as `type: data`; what its socket held back goes on leaving meanwhile.
    func received(_ token: Token) -> [String] {
        guard let client = clients[token] else { return [] }
        var isQuiet = false
        while !isQuiet {
            client.shard.takeMail()
            while client.shard.flush() { client.shard.takeMail() }
            flushFrames()
            isQuiet = !read(token)
        }
        return client.events
    }

    /// A client reads what has come, and its stream goes on.
    /// - Returns: whether anything moved or may move.
    @discardableResult
    func read(_ token: Token) -> Bool {
        guard let client = clients[token] else { return false }
        var bytes: [UInt8] = []
        while let part = read(client) { bytes += part }
        let text = client.text(of: bytes)
        if keepsBodies { client.body += text }
        unsafe text.withUnsafeBytes { bytes in
            unsafe client.parser.parse(bytes) { item in
                guard case .event(let event) = item else { return }
                let type = String(decoding: event.type, as: UTF8.self)
                client.events.append((type.isEmpty ? "" : type + ": ") + String(decoding: event.data, as: UTF8.self))
            }
        }
        guard let connection = connections.find(client.connection) else { return false }
        if let http2 = client.http2 { return talk(client, http2, connection) || !bytes.isEmpty }
        guard connection.value.transport.isBlocked else { return !bytes.isEmpty }
        if connection.value.transport.becameWritable(context) { client.shard.resume(client.subscriber) }
        return true
    }

    /// What a client of HTTP/2 says to what it read, and what comes of that.
    /// - Returns: whether anything moved.
    private func talk(_ client: Client, _ far: HTTP2Client, _ connection: Place<Connection>) -> Bool {
        guard let near = connection.value.http2 else { return false }
        let said = far.output()
        _ = unsafe said.withUnsafeBytes { unsafe near.session.receive($0, nowMilliseconds: context.now) }
        var mayGoOn = !said.isEmpty
        if connection.value.transport.isBlocked {
            mayGoOn = true
            guard connection.value.transport.becameWritable(context) else { return true }
        }
        connection.value.flushFrames(context)
        var isWritable = near.hasWaiting && !connection.value.transport.isBlocked
        if isWritable { near.hasWaiting = false }
        while let event = near.session.nextEvent() {
            if case .writable = event { isWritable = true }
            if case .closed = event { client.shard.unsubscribe(client.subscriber) }
        }
        guard isWritable, let stream = near.streams.first else { return mayGoOn }
        if stream.value.becameWritable(context) { client.shard.resume(client.subscriber) }
        flushFrames()
        return true
    }

    /// Gives a client's stream, or its connection, window by hand.
    func giveWindow(_ token: Token, connection: Int32 = 0, stream: Int32 = 0) {
        if connection > 0 { clients[token]?.http2?.giveWindow(0, connection) }
        if stream > 0 { clients[token]?.http2?.giveWindow(1, stream) }
    }

    /// A client of HTTP/2 leaves its stream.
    func resetStream(_ token: Token) { clients[token]?.http2?.resetStream() }

    /// The stream that a client reads.
    func stream(_ token: Token) -> Place<Stream>? {
        clients[token].flatMap { $0.shard.subscribers.find($0.subscriber)?.value.stream }
    }

    func isLagging(_ token: Token) -> Bool {
        clients[token].flatMap { $0.shard.subscribers.find($0.subscriber)?.value.state } == .lagging
    }

    private func read(_ client: Client) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        switch unsafe buffer.withUnsafeMutableBytes({ unsafe client.socket.read(into: $0) }) {
        case .bytes(let count): return Array(buffer[..<count])
        case .end: client.hasEnded = true
        default: break
        }
        return nil
    }
}
