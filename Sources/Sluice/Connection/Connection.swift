internal import SluiceHTTP
internal import SluiceIO

/// One downstream connection: its transport, its HTTP engine, and where in its life it is. It reports to its worker and
/// calls no feature.
struct Connection: ~Copyable {
    /// Where a connection is in its life.
    enum Phase {
        /// Waiting for a request: the TLS handshake, or between two requests.
        case idle
        /// Some bytes of a head came.
        case head
        /// A request is being served; its body may still come.
        case exchange
        /// An event stream runs.
        case streaming
        /// Everything was said; what the peer still sends is thrown away until it closes.
        case lingering
    }

    var transport: Transport
    let token: Token
    let listener: Int
    /// The address that connected.
    let peer: SocketAddress
    /// What `Limits.connectionsPerAddress` counts.
    var countedAddress: IPAddress?

    var phase: Phase = .idle
    /// `nil` while a stream runs: it holds nothing that it does not need.
    var parser: RequestParser?
    /// Input that came while a request is being served: the next, pipelined requests.
    var held = ByteQueue()
    var exchange: Exchange?
    /// The subscriber whose stream this is.
    var subscriber: Token?
    /// The framing of the response that is being sent.
    var framing: Framing = .chunked
    var timer: TimerWheel.ID?
    /// When the timer fires; not later than the deadline. A deadline that moves away leaves the timer where it is.
    var timerAt: UInt64 = 0
    /// When the current phase must have made progress, in milliseconds; 0: never.
    var deadline: UInt64 = 0
    /// Close when the response has left.
    var closesAfterResponse = false
    /// The response was written, and the bytes that still wait end with it.
    var isFinishing = false
    /// Over a limit: its request is answered with a refusal.
    var isRefused = false
    /// Already on the worker's list of connections to be closed.
    var isDoomed = false

    init(_ transport: consuming Transport, token: Token, listener: Int, peer: SocketAddress, limits: HTTP1Limits) {
        self.transport = transport
        self.token = token
        self.listener = listener
        self.peer = peer
        parser = RequestParser(limits: limits)
    }

    /// Writes a response head, and with it the first bytes of its body.
    mutating func begin(_ head: ResponseHead, body: [UInt8], _ context: LoopContext) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512 + body.count)
        HTTP1Serializer.append(head, to: &bytes)
        bytes.append(contentsOf: body)
        transport.writeAll(bytes, context)
    }

    /// Writes bytes of a streamed body that belong to this stream alone.
    mutating func writePrivate(_ bytes: [UInt8], _ context: LoopContext) {
        guard !bytes.isEmpty else { return }
        transport.writeAll(framed(bytes), context)
    }

    /// Bytes of a streamed body as its framing wants them.
    func framed(_ bytes: [UInt8]) -> [UInt8] {
        guard framing == .chunked else { return bytes }
        var framed: [UInt8] = []
        framed.reserveCapacity(bytes.count + 12)
        unsafe bytes.withUnsafeBytes { unsafe HTTP1Serializer.appendChunk($0, to: &framed) }
        return framed
    }

    /// Ends a streamed body so that the peer sees that it is whole.
    mutating func endBody(_ context: LoopContext) {
        if framing == .chunked {
            var end: [UInt8] = []
            HTTP1Serializer.appendLastChunk(to: &end)
            transport.writeAll(end, context)
        }
        isFinishing = true
    }

    /// Ends a streamed body so that the peer sees that it is not whole: no last chunk, and where only the connection's
    /// end would say so, a reset.
    mutating func abortBody() {
        if framing == .untilClose { transport.resetOnClose() }
        isFinishing = true
    }
}

/// A request that is being served: what a stream does without once it runs.
final class Exchange {
    let head: RequestHead
    /// The route that took the request.
    var route: Int?
    var parameters = PathParameters()
    /// Fields that every answer of this exchange carries (CORS).
    var commonFields = FieldBlock()
    /// The body as far as it came, where somebody wants it.
    var body: [UInt8] = []
    var bodyUse: BodyUse = .discard
    var bodyEnded = false
    var bodyBytes = 0
    var wasAnswered = false
    /// The library's side of the exchange.
    var handler: (any HandlerExchange)?

    /// What becomes of the request's body.
    enum BodyUse {
        /// It is read and thrown away, up to a bound.
        case discard
        /// It is kept, up to so many bytes.
        case collect(limit: Int)
        /// It stays unread until somebody asks for it.
        case wait
    }

    init(_ head: RequestHead) {
        self.head = head
        if case .none = head.body { bodyEnded = true }
    }
}

/// What the exchange's connection tells the task that serves it. The library implements it.
protocol HandlerExchange: AnyObject {
    /// The client left, or the gateway gave up on it.
    func clientLeft()
    /// The body came whole.
    func bodyArrived(_ bytes: [UInt8])
    /// The body is larger than was asked for.
    func bodyTooLarge()
    /// The connection takes bytes again.
    func becameWritable()
    /// The gateway is about to stop.
    func drain()
}
