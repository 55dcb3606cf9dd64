import SluiceHTTP
import SluiceIO
import SluiceSSE

@testable import Sluice

/// A hub with one shard on the test's own thread, whose ticks the test makes, and clients that are sockets.
final class ShardFixture {
    let hub: Hub
    let shard: HubShard
    private let connections = Slab<Connection>()
    private let listener: Listener
    let context: LoopContext
    private var clients: [Token: Client] = [:]

    /// The far end of a subscription: what it reads is parsed.
    private final class Client {
        let socket: Socket
        var parser = EventParser(limits: .init())
        var events: [String] = []

        init(_ socket: consuming Socket) { self.socket = socket }
    }

    init(_ topics: [String: TopicOptions], logBytes: Int = 1 << 30) throws {
        DescriptorLimit.raise()
        let mailbox = try Mailbox<Hub.Message>()
        hub = Hub(
            catalog: try TopicCatalog(topics), topicLimit: 100, logBytes: logBytes, mailboxes: [mailbox],
            clock: SystemClock())
        context = LoopContext(loop: try EventLoop(), limits: Limits())
        shard = HubShard(hub: hub, worker: 0, mailbox: mailbox, context: context)
        listener = try Listener.open(.ip(.loopbackV4, port: 0), sharing: false)
    }

    /// A new client's subscription; its stream begins with the next mail, or at once.
    func subscribe(to topics: String..., after cursor: UInt64? = nil) throws -> Token {
        let socket = try Socket.connecting(to: listener.boundAddress)
        socket.setReceiveBuffer(bytes: 64 * 1024)
        let client = Client(socket)
        let token = connections.nextToken
        var transport = Transport(try accept(), selectorToken: token.packed(.connection))
        try transport.register(.read, context)
        transport.setOptions(writeTimeout: 30_000)
        connections.insert(
            Connection(transport, token: token, listener: 0, peer: listener.boundAddress, limits: HTTP1Limits()))
        guard let connection = connections.find(token) else { throw Errno.invalid }
        connection.value.framing = .untilClose
        let opening = Opening(head: ResponseHead(status: 200, fields: FieldBlock()), lastEventID: cursor.map(hub.id))
        try shard.subscribe(connection, to: try topics.map(hub.topic(named:)), opening: opening)
        guard let subscriber = connection.value.subscriber else { throw Errno.invalid }
        clients[subscriber] = client
        return subscriber
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

    /// The end of a tick. Says whether more is to be written.
    @discardableResult
    func flush() -> Bool {
        shard.takeMail()
        return shard.flush()
    }

    /// The last event that a subscriber was sent.
    func cursor(_ token: Token) -> UInt64 { shard.subscribers.find(token)?.value.cursor ?? 0 }

    /// All that a client was sent, as `type: data`; what its socket held back goes on leaving meanwhile.
    func received(_ token: Token) -> [String] {
        guard let client = clients[token] else { return [] }
        var isQuiet = false
        while !isQuiet {
            isQuiet = true
            while flush() {}
            var bytes: [UInt8] = []
            while let part = read(client.socket) { bytes += part }
            if !bytes.isEmpty { isQuiet = false }
            unsafe bytes.withUnsafeBytes { bytes in
                unsafe client.parser.parse(bytes) { item in
                    guard case .event(let event) = item else { return }
                    let type = String(decoding: event.type, as: UTF8.self)
                    client.events.append(
                        (type.isEmpty ? "" : type + ": ") + String(decoding: event.data, as: UTF8.self))
                }
            }
            guard let connection = shard.subscribers.find(token)?.value.connection else { continue }
            if connection.value.transport.isBlocked {
                isQuiet = false
                if connection.value.transport.becameWritable(context) { shard.resume(token) }
            }
        }
        return client.events
    }

    private func read(_ socket: borrowing Socket) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        guard case .bytes(let count) = unsafe buffer.withUnsafeMutableBytes({ unsafe socket.read(into: $0) }) else {
            return nil
        }
        return Array(buffer[..<count])
    }
}
