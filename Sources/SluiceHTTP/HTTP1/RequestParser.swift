/// What a request parser has found.
package enum RequestEvent: Sendable {
    /// All of the input was taken, and nothing is complete: give it more.
    case needMore
    case head(RequestHead)
    /// Bytes of the body: indices of the input that was given. Never empty.
    case body(Range<Int>)
    /// The request is complete. The next one may follow.
    case end(trailers: FieldBlock?)
    /// Answer with this status and close. The parser says nothing else from now on.
    case failed(HTTPError)
}

/// An incremental parser of HTTP/1 requests (RFC 9112), as a value. Input goes in however it was cut; the events are
/// the same. What the RFCs let a recipient repair is refused, because the next hop might repair it in another way.
package struct RequestParser: Sendable {
    private enum State: Sendable {
        /// Between requests. One empty line is passed over (RFC 9112, 2.2).
        case idle
        case emptyLine
        case afterEmptyLine
        case requestLine
        case fields
        case body
        /// The client, or its version, said that this was its last request: what follows is none.
        case finished
        case failed(HTTPError)
    }

    private let limits: HTTP1Limits
    private var state = State.idle
    private var line = RequestLine()
    private var head = HeadReader()
    private var body = BodyReader(.none)
    private var method = HTTPMethod.get
    private var version = HTTPVersion.http11
    private var target = RequestTarget(form: .origin)
    private var keepAlive = true

    /// A parser at the beginning of a connection.
    package init(limits: HTTP1Limits = HTTP1Limits()) { self.limits = limits }

    /// Whether it stands between requests and has no byte of the next one.
    package var isIdle: Bool {
        switch state {
        case .idle, .afterEmptyLine, .finished: true
        default: false
        }
    }

    /// Takes bytes off the input until there is something to say, and says how many were taken with it. Call it with
    /// the rest, also when the rest is empty, until it says `needMore`.
    package mutating func parse(_ input: UnsafeRawBufferPointer) -> (event: RequestEvent, consumed: Int) {
        var index = 0
        head.bytes.begin(at: 0)
        do throws(HTTPError) {
            let event = try unsafe advance(input, &index)
            return (event, index)
        } catch {
            state = .failed(error)
            head.reset()
            body = BodyReader(.none)
            return (.failed(error), index)
        }
    }

    private mutating func advance(
        _ input: UnsafeRawBufferPointer, _ index: inout Int
    ) throws(HTTPError) -> RequestEvent {
        while true {
            switch state {
            case .failed(let error): throw error
            case .finished:
                index = input.count
                return .needMore
            case .idle, .emptyLine, .afterEmptyLine:
                guard index < input.count else { return .needMore }
                try unsafe begin(with: input[index], &index)
            case .requestLine:
                guard try unsafe readLine(input, &index) else { return .needMore }
            case .fields:
                guard try unsafe head.readFields(input, &index, limits: limits) else { return .needMore }
                return .head(try unsafe finishHead(input, upTo: index))
            case .body:
                switch try unsafe body.read(input, &index, limits: limits) {
                case .more: return .needMore
                case .data(let range): return .body(range)
                case .end(let trailers):
                    state = keepAlive ? .idle : .finished
                    return .end(trailers: trailers)
                }
            }
        }
    }

    private mutating func begin(with byte: UInt8, _ index: inout Int) throws(HTTPError) {
        switch state {
        case .emptyLine:
            guard byte == ASCII.lineFeed else { throw .bad("bare CR before the request") }
            state = .afterEmptyLine
            index &+= 1
        case .idle where byte == ASCII.carriageReturn:
            state = .emptyLine
            index &+= 1
        default:
            line = RequestLine()
            head.bytes.begin(at: index)
            state = .requestLine
        }
    }

    /// True when the request line is complete and may stand.
    private mutating func readLine(_ input: UnsafeRawBufferPointer, _ index: inout Int) throws(HTTPError) -> Bool {
        let delta = head.bytes.delta
        let allowance = limits.requestLine &+ 2 &- (index &+ delta)
        let end = min(input.count, index &+ max(allowance, 0))
        guard try unsafe line.scan(input, &index, to: end, delta: delta) else {
            guard end == input.count else { throw HTTPError(status: 414, reason: "request line too long") }
            unsafe head.bytes.store(input, upTo: index)
            return false
        }
        let line = line
        (method, target) = try unsafe head.bytes.withBytes(input, upTo: index) { bytes throws(HTTPError) in
            let name = unsafe UnsafeRawBufferPointer(rebasing: bytes[0..<line.methodEnd])
            let method = unsafe HTTPMethod(bytes: name)
            return (method, try unsafe RequestTarget(bytes, line, method: method))
        }
        guard let version = line.version.version else {
            if line.version.major == 0 { throw .bad("HTTP/0.x is not spoken") }
            throw HTTPError(status: 505, reason: "HTTP version not supported")
        }
        self.version = version
        head.beginFields(at: index)
        state = .fields
        return true
    }

    private mutating func finishHead(
        _ input: UnsafeRawBufferPointer, upTo index: Int
    ) throws(HTTPError) -> RequestHead {
        let framing = head.framing
        let body = try framing.request(version, method)
        var target = target
        try unsafe head.bytes.withBytes(input, upTo: index) { bytes throws(HTTPError) in
            try unsafe target.settleHost(bytes, field: framing.host)
        }
        // Behind a CONNECT comes a tunnel or nothing, but never a request.
        keepAlive = framing.keepAlive(version) && method != .connect
        self.body = BodyReader(body)
        state = .body
        let fields = unsafe head.take(input, upTo: index)
        return RequestHead(
            method: method, version: version, fields: fields, body: body, keepAlive: keepAlive,
            expectsContinue: framing.expectsContinue && body != .none && version != .http10, bytes: fields.bytes,
            parts: target)
    }
}
