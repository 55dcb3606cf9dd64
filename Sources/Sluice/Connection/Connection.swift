internal import SluiceHTTP
internal import SluiceIO

/// One downstream connection: its transport, its HTTP engine, and where in its life it is. It reports to its worker and
/// calls no feature. What happens on it happens on streams: one after the other over HTTP/1.1, many at once over HTTP/2.
struct Connection: ~Copyable {
    /// Where a connection is in its life.
    enum Phase {
        /// Waiting for a request: the TLS handshake, or between two requests.
        case idle
        /// Some bytes of a head came.
        case head
        /// Streams are open.
        case open
        /// Everything was said; what the peer still sends is thrown away until it closes.
        case lingering
    }

    var transport: Transport
    let token: Token
    let listener: Int
    /// The address that connected, or the client that the PROXY protocol names.
    var peer: SocketAddress
    /// What reads the header of the PROXY protocol, which stands before everything else; `nil`: none is awaited.
    var proxyHeader: ProxyProtocolParser?
    /// What `Limits.connectionsPerAddress` counts; `nil` for a trusted proxy, whose streams are counted one by one.
    var countedAddress: IPAddress?

    var phase: Phase = .idle
    /// The engine of HTTP/1.1; `nil` while a stream runs: it holds nothing that it does not need.
    var parser: RequestParser?
    /// Input that came while a request is being served, the next, pipelined requests; before the protocol is known, the
    /// beginning of what may be HTTP/2.
    var held = ByteQueue()
    /// What is open on it over HTTP/1.1.
    var stream: Place<Stream>?
    /// The engine of HTTP/2 with its streams; `nil`: another protocol, or not known yet.
    var http2: HTTP2Connection?
    /// Which engine it is to be was decided.
    var isDecided = false

    var timer = Deadline()
    /// Over a limit: its requests are answered with a refusal.
    var isRefused = false
    /// On the worker's list of connections whose TLS handshake waits for its turn.
    var isGreeting = false
    /// Already on the worker's list of connections to be closed.
    var isDoomed = false

    init(_ transport: consuming Transport, token: Token, listener: Int, peer: SocketAddress, limits: HTTP1Limits) {
        self.transport = transport
        self.token = token
        self.listener = listener
        self.peer = peer
        parser = RequestParser(limits: limits)
    }

    /// Sends the frames that all its streams have gathered, in as few writes as they fill records.
    mutating func flushFrames(_ context: LoopContext) {
        guard let http2 else { return }
        while http2.session.hasOutput, !transport.isBlocked, transport.failure == nil {
            let taken = unsafe transport.write(http2.session.output, context)
            http2.session.consumeOutput(taken)
            if taken == 0 { return }
        }
    }
}

/// A timer and what it is for. A deadline that moves away leaves the timer where it is.
struct Deadline {
    var timer: TimerWheel.ID?
    /// When the timer fires; not later than what it is for.
    var firesAt: UInt64 = 0
    /// When there must have been progress, in milliseconds; 0: never.
    var at: UInt64 = 0
}
