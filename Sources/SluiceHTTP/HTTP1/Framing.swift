/// What the fields of one head say about framing and connection, gathered line by line (RFC 9112, 6 and 9). Whatever
/// two recipients could read in two ways is refused.
struct Framing: Sendable {
    private(set) var contentLength: UInt64?
    private(set) var isChunked = false
    private(set) var host: Range<Int>?
    private(set) var expectsContinue = false
    private var hasClose = false
    private var hasKeepAlive = false
    private var hasUnknownExpectation = false

    /// The fields that say something about it.
    static let ids: FieldSet = [.contentLength, .transferEncoding, .host, .connection, .expect]

    /// Takes note of a field. `range` is where its value stands in the head's `bytes`.
    mutating func note(_ id: FieldID, _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(HTTPError) {
        switch id {
        case .contentLength:
            guard contentLength == nil else { throw .bad("more than one Content-Length") }
            guard !isChunked else { throw .bad("both Content-Length and Transfer-Encoding") }
            guard let length = unsafe ASCII.decimal(UnsafeRawBufferPointer(rebasing: bytes[range])) else {
                throw .bad("bad Content-Length")
            }
            contentLength = length
        case .transferEncoding:
            guard !isChunked else { throw .bad("more than one Transfer-Encoding") }
            guard contentLength == nil else { throw .bad("both Content-Length and Transfer-Encoding") }
            // Exactly this word: no list, no parameter, no other coding. Sluice decodes no other, and passing on what
            // it cannot delimit is how requests are smuggled.
            guard unsafe ASCII.equalIgnoringCase(UnsafeRawBufferPointer(rebasing: bytes[range]), "chunked") else {
                throw .bad("Transfer-Encoding is not exactly \"chunked\"")
            }
            isChunked = true
        case .host:
            guard host == nil else { throw .bad("more than one Host") }
            host = range
        case .connection:
            var options = unsafe FieldList(UnsafeRawBufferPointer(rebasing: bytes[range]))
            while let option = unsafe options.next() {
                if unsafe ASCII.equalIgnoringCase(option, "close") { hasClose = true }
                if unsafe ASCII.equalIgnoringCase(option, "keep-alive") { hasKeepAlive = true }
            }
        case .expect:
            if unsafe ASCII.equalIgnoringCase(UnsafeRawBufferPointer(rebasing: bytes[range]), "100-continue") {
                expectsContinue = true
            } else {
                hasUnknownExpectation = true
            }
        default: break
        }
    }

    /// Whether the connection stays (RFC 9112, 9.3).
    func keepAlive(_ version: HTTPVersion) -> Bool {
        !hasClose && (version != .http10 || hasKeepAlive)
    }

    /// How a request's body is framed (RFC 9112, 6.3), after the last checks that need the whole head.
    func request(_ version: HTTPVersion, _ method: HTTPMethod) throws(HTTPError) -> BodyFraming {
        guard host != nil || version == .http10 else { throw .bad("no Host") }
        guard !isChunked || version != .http10 else { throw .bad("Transfer-Encoding in HTTP/1.0") }
        // RFC 9110, 9.3.6: content of a CONNECT has no meaning, and would be taken for the tunnel's first bytes.
        if method == .connect, isChunked || contentLength ?? 0 > 0 { throw .bad("CONNECT with a body") }
        // RFC 9110, 10.1.1: in HTTP/1.0 the field means nothing.
        if hasUnknownExpectation, version != .http10 {
            throw HTTPError(status: 417, reason: "unknown expectation")
        }
        if isChunked { return .chunked }
        return contentLength.map { $0 == 0 ? .none : .length($0) } ?? .none
    }

    /// How an HTTP/2 request's body is framed: its end is the stream's, so that no length need be known.
    func request(endsStream: Bool, _ method: HTTPMethod) throws(HTTPError) -> BodyFraming {
        if method == .connect, contentLength != nil { throw .bad("CONNECT with a body") }
        if hasUnknownExpectation { throw HTTPError(status: 417, reason: "unknown expectation") }
        if endsStream {
            // RFC 9113, 8.1.1: it is malformed.
            guard contentLength ?? 0 == 0 else { throw .bad("Content-Length without a body") }
            return .none
        }
        return contentLength.map { .length($0) } ?? .chunked
    }

    /// How a response's body is framed (RFC 9112, 6.3).
    func response(_ status: UInt16, _ version: HTTPVersion, _ method: HTTPMethod) throws(HTTPError) -> BodyFraming {
        guard !isChunked || version != .http10 else { throw .bad("Transfer-Encoding in HTTP/1.0") }
        if ResponseHead.isBodiless(status) || method == .head { return .none }
        if method == .connect, status < 300 { return .none }
        if isChunked { return .chunked }
        return contentLength.map { .length($0) } ?? .untilClose
    }

    /// Whether a response that never has a body announces one all the same: some upstreams then send it, so nothing
    /// after it on that connection can be believed.
    func announcesForbiddenBody(_ status: UInt16) -> Bool {
        (status < 200 || status == 204) && (isChunked || contentLength ?? 0 > 0)
    }
}
