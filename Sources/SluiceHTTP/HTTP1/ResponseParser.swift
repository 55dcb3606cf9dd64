/// What a response parser has found.
package enum ResponseEvent: Sendable {
    /// All of the input was taken, and nothing is complete: give it more.
    case needMore
    /// A 1xx response before the final one: 100, 103 and the like, never 101.
    case informational(ResponseHead)
    /// The final response. 101 counts as one; what follows its end is no HTTP/1.
    case head(ResponseHead)
    /// Bytes of the body: indices of the input that was given. Never empty.
    case body(Range<Int>)
    /// The response is complete. The next one comes after `expect`.
    case end(trailers: FieldBlock?)
    /// The upstream broke the protocol, or went away in the middle (status 502). Close the connection.
    case failed(HTTPError)
}

/// An incremental parser of HTTP/1 responses (RFC 9112), as a value, as strict as `RequestParser`.
///
/// It takes a response only when `expect` announced one: bytes that nobody asked for would otherwise be handed to
/// whoever asks next.
package struct ResponseParser: Sendable {
    private enum State: Sendable {
        case idle
        case statusLine
        case fields
        case body
        /// After 101, or a CONNECT that went through: the rest is not for this parser.
        case switched
        /// The upstream said that it closes.
        case finished
        case failed(HTTPError)
    }

    private let limits: HTTP1Limits
    private var state = State.idle
    private var line = StatusLine()
    private var head = HeadReader()
    private var body = BodyReader(.none)
    private var method = HTTPMethod.get
    private var keepAlive = true
    private var status: UInt16 = 0
    private var informationals = 0
    private var hasBegun = false

    /// An upstream that only ever says 1xx would keep a request for ever.
    private static let mostInformationals = 32

    /// A parser at the beginning of a connection.
    package init(limits: HTTP1Limits = HTTP1Limits()) { self.limits = limits }

    /// Announces a response, and the method it answers: HEAD and CONNECT have no body (RFC 9112, 6.3). Called once per
    /// request, after the response before it has ended.
    package mutating func expect(method: HTTPMethod) {
        guard case .idle = state else { return }
        self.method = method
        informationals = 0
        hasBegun = false
        beginLine(at: 0)
    }

    /// Whether no response is expected, or no byte of the expected one has come.
    package var isIdle: Bool {
        switch state {
        case .idle: true
        case .statusLine: !hasBegun
        default: false
        }
    }

    /// Takes bytes off the input until there is something to say, and says how many were taken with it. Call it with
    /// the rest, also when the rest is empty, until it says `needMore`.
    package mutating func parse(_ input: UnsafeRawBufferPointer) -> (event: ResponseEvent, consumed: Int) {
        var index = 0
        head.bytes.begin(at: 0)
        do throws(HTTPError) {
            let event = try unsafe advance(input, &index)
            return (event, index)
        } catch {
            return (fail(error.ofUpstream), index)
        }
    }

    /// The upstream closed its side: the proper end of a body that runs until then, a failure in the middle of
    /// anything else, and nothing (`needMore`) between responses.
    package mutating func endOfInput() -> ResponseEvent {
        switch state {
        case .failed(let error): return .failed(error)
        case .idle, .switched, .finished: return .needMore
        case .statusLine:
            let reason: StaticString = hasBegun ? "response cut off in its header" : "closed before a response"
            return fail(HTTPError(status: 502, reason: reason))
        case .fields: return fail(HTTPError(status: 502, reason: "response cut off in its header"))
        case .body:
            guard body.endsWithConnection else {
                return fail(HTTPError(status: 502, reason: "response cut off in its body"))
            }
            state = .finished
            return .end(trailers: nil)
        }
    }

    private mutating func fail(_ error: HTTPError) -> ResponseEvent {
        state = .failed(error)
        head.reset()
        body = BodyReader(.none)
        return .failed(error)
    }

    private mutating func beginLine(at index: Int) {
        line = StatusLine()
        head.bytes.begin(at: index)
        state = .statusLine
    }

    private mutating func advance(
        _ input: UnsafeRawBufferPointer, _ index: inout Int
    ) throws(HTTPError) -> ResponseEvent {
        while true {
            switch state {
            case .failed(let error): throw error
            case .switched: return .needMore
            case .idle, .finished:
                guard index < input.count else { return .needMore }
                throw .bad("bytes that belong to no response")
            case .statusLine:
                if index < input.count { hasBegun = true }
                guard try unsafe readLine(input, &index) else { return .needMore }
            case .fields:
                guard try unsafe head.readFields(input, &index, limits: limits) else { return .needMore }
                return try unsafe finishHead(input, upTo: index)
            case .body:
                switch try unsafe body.read(input, &index, limits: limits) {
                case .more: return .needMore
                case .data(let range): return .body(range)
                case .end(let trailers):
                    finishBody()
                    return .end(trailers: trailers)
                }
            }
        }
    }

    private mutating func finishBody() {
        if status == 101 || (method == .connect && status < 300) {
            state = .switched
        } else {
            state = keepAlive ? .idle : .finished
        }
    }

    private mutating func readLine(_ input: UnsafeRawBufferPointer, _ index: inout Int) throws(HTTPError) -> Bool {
        let allowance = limits.requestLine &+ 2 &- (index &+ head.bytes.delta)
        let end = min(input.count, index &+ max(allowance, 0))
        guard try unsafe line.scan(input, &index, to: end) else {
            guard end == input.count else { throw .bad("status line too long") }
            unsafe head.bytes.store(input, upTo: index)
            return false
        }
        head.beginFields(at: index)
        state = .fields
        return true
    }

    private mutating func finishHead(
        _ input: UnsafeRawBufferPointer, upTo index: Int
    ) throws(HTTPError) -> ResponseEvent {
        let framing = head.framing
        let version = line.version.version ?? .http11
        status = line.status
        let body = try framing.response(status, version, method)
        keepAlive = framing.keepAlive(version) && body != .untilClose && !framing.announcesForbiddenBody(status)
        let fields = unsafe head.take(input, upTo: index)
        let found = ResponseHead(status: status, fields: fields, body: body, version: version, keepAlive: keepAlive)
        if status < 200, status != 101 {
            informationals &+= 1
            guard informationals <= ResponseParser.mostInformationals else {
                throw .bad("too many informational responses")
            }
            guard !framing.announcesForbiddenBody(status) else { throw .bad("informational response with a body") }
            beginLine(at: index)
            return .informational(found)
        }
        self.body = BodyReader(body)
        state = .body
        return .head(found)
    }
}
