internal import SluiceHTTP

/// A request that is being served: what a stream does without once it runs.
final class Exchange {
    let head: RequestHead
    /// Its path as the routes see it; `nil` where it has none that can be matched.
    var path: RequestPath?
    /// Over TLS.
    let isSecure: Bool
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
    /// What stood behind the body.
    var trailers: FieldBlock?
    /// Bytes that its route lets the body have.
    var bodyLimit = Int.max
    var wasAnswered = false
    /// Its name in logs, answers and upstream requests. Made when it is first asked for.
    private(set) lazy var requestID = RequestID.find(in: head.fields.all(.xRequestID))
    /// What its upstream requests say of the trace that it belongs to. Made when it is first asked for.
    private(set) lazy var trace = TraceContext.continuing(head.fields.all(.traceparent))
    /// Who serves the exchange from elsewhere: a program's task, an upstream.
    var handler: (any HandlerExchange)?

    /// What becomes of the request's body.
    enum BodyUse {
        /// It is read and thrown away, up to a bound.
        case discard
        /// It is kept, up to so many bytes.
        case collect(limit: Int)
        /// It stays unread until somebody asks for it.
        case wait
        /// It is handed on as it comes.
        case relay
        /// The connection speaks another protocol: all that comes is handed on.
        case tunnel
    }

    /// The connection speaks another protocol.
    var isTunnel: Bool { if case .tunnel = bodyUse { true } else { false } }

    init(_ head: consuming RequestHead, isSecure: Bool) {
        self.head = head
        self.isSecure = isSecure
        if case .none = head.body { bodyEnded = true }
    }
}

/// What the exchange's stream tells who serves it.
protocol HandlerExchange: AnyObject {
    /// A client that ends its side is taken to have left.
    var endsWithClient: Bool { get }
    /// The answer has an end, so that a client that only ended its side still gets the rest of it.
    var comesToAnEnd: Bool { get }
    /// The client left, or the gateway gave up on it.
    func clientLeft()
    /// Bytes of a body that is handed on as it comes.
    func bodyPart(_ bytes: UnsafeRawBufferPointer)
    /// The body came whole; it holds what was to be collected.
    func bodyArrived(_ bytes: [UInt8])
    /// The body is larger than was asked for.
    func bodyTooLarge()
    /// The stream takes bytes again.
    func becameWritable()
    /// The stream's deadline is over.
    func deadlinePassed()
    /// The gateway is about to stop.
    func drain()
}

extension HandlerExchange {
    var comesToAnEnd: Bool { false }
}
