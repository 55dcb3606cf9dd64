import SluiceHTTP
import SluiceIO

@testable import Sluice

/// A hub with one shard on the test's own thread, whose ticks the test makes, and clients that are sockets.
final class ShardFixture {
    let hub: Hub
    let shard: HubShard
    private let connections = Slab<Connection>()
    private let listener: Listener
    private let context: LoopContext
    private var clients: [Int32] = []

    init(_ topics: [String: TopicOptions]) throws {
        DescriptorLimit.raise()
        let mailbox = try Mailbox<Hub.Message>()
        hub = Hub(
            catalog: try TopicCatalog(topics), topicLimit: 100, logBytes: 1 << 30, mailboxes: [mailbox],
            clock: SystemClock())
        context = LoopContext(loop: try EventLoop(), limits: Limits())
        shard = HubShard(hub: hub, worker: 0, mailbox: mailbox, context: context)
        listener = try Listener.open(.ip(.loopbackV4, port: 0), sharing: false)
    }

    deinit {
        for descriptor in clients { _ = Socket(FileDescriptor(owning: descriptor)) }
    }

    /// A new client's subscription; its stream begins with the next mail, or at once.
    func subscribe(to topics: String..., after cursor: UInt64? = nil) throws -> Token {
        clients.append(try Socket.connecting(to: listener.boundAddress).release())
        let token = connections.nextToken
        var transport = Transport(try accept(), selectorToken: token.packed(.connection))
        try transport.register(.read, context)
        connections.insert(
            Connection(transport, token: token, listener: 0, peer: listener.boundAddress, limits: HTTP1Limits()))
        guard let connection = connections.find(token) else { throw Errno.invalid }
        let opening = Opening(head: ResponseHead(status: 200, fields: FieldBlock()), lastEventID: cursor.map(hub.id))
        try shard.subscribe(connection, to: try topics.map(hub.topic(named:)), opening: opening)
        guard let subscriber = connection.value.subscriber else { throw Errno.invalid }
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

    /// Publishes one small event from the shard's own thread.
    func publish(to topic: String) throws {
        let topic = try hub.topic(named: topic)
        _ = hub.publish([Publication(draft: EventDraft(data: [0x78]), topics: [topic])], from: 0)
    }

    /// The end of a tick. Says whether more is to be written.
    @discardableResult
    func flush() -> Bool {
        shard.takeMail()
        return shard.flush()
    }

    /// The last event that a subscriber was sent.
    func cursor(_ token: Token) -> UInt64 { shard.subscribers.find(token)?.value.cursor ?? 0 }
}
