/// Gathers the fields of one header block as they are decoded, and makes a request's head or trailers of it.
///
/// nghttp2 has checked what RFC 9113 says of them; what it lets through is caught here, so that no head can become an
/// ambiguous HTTP/1.1 request on its way. What is too much is counted but not kept.
struct HeaderBlock: Sendable {
    private let limits: HTTP2Limits
    private var bytes: [UInt8] = []
    private var entries: [FieldBlock.Entry] = []
    private var method: Range<Int>?
    private var scheme: Range<Int>?
    private var authority: Range<Int>?
    private var path: Range<Int>?
    private var fields = 0
    /// Bytes of all names and values, and 32 more for each field.
    private(set) var size = 0
    private var failure: HTTPError?

    init(_ limits: HTTP2Limits) { self.limits = limits }

    /// Whether this is no mistake any more: a few bytes that refer to large fields over and over (an HPACK bomb).
    var isBomb: Bool { fields > max(4 &* limits.fields, 400) || size > max(4 &* limits.head, 1 << 18) }

    /// Takes a decoded field. One that is not valid, for bad characters in it, nghttp2 would pass over without a word.
    mutating func add(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, isValid: Bool) {
        size &+= name.count &+ value.count &+ 32
        let isPseudo = unsafe name.first == ASCII.colon
        if !isPseudo { fields &+= 1 }
        guard isValid else { return fail(.bad("bad character in a field")) }
        guard size <= limits.head else { return fail(HTTPError(status: 431, reason: "header too large")) }
        guard fields <= limits.fields else { return fail(HTTPError(status: 431, reason: "too many header fields")) }
        guard failure == nil else { return }
        if isPseudo { unsafe addPseudo(name, value) } else { unsafe addField(name, value) }
    }

    private mutating func fail(_ error: HTTPError) {
        if failure == nil { failure = error }
        bytes = []
        entries = []
    }

    private mutating func addPseudo(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        let range = bytes.count..<(bytes.count &+ value.count)
        if unsafe ASCII.equal(name, ":path") {
            path = range
        } else if unsafe ASCII.equal(name, ":method") {
            method = range
        } else if unsafe ASCII.equal(name, ":scheme") {
            scheme = range
        } else if unsafe ASCII.equal(name, ":authority") {
            authority = range
        } else {
            return fail(.bad("unknown pseudo-header"))
        }
        guard (path?.count ?? 0) &+ (method?.count ?? 0) <= limits.requestLine else {
            return fail(HTTPError(status: 414, reason: "request target too long"))
        }
        unsafe bytes.append(contentsOf: value)
    }

    private mutating func addField(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        // RFC 9113, 8.2.1. The same checks again: what they keep out would be a line of its own in HTTP/1.1.
        guard unsafe !name.isEmpty && name.allSatisfy({ ByteSet.token.contains($0) && $0 == ASCII.lowered($0) }),
            unsafe ASCII.valueEnd(in: value, from: 0, to: value.count) == value.count
        else { return fail(.bad("bad character in a field")) }
        // Room for what browsers send, in one allocation each.
        if entries.capacity == 0 { entries.reserveCapacity(24) }
        let start = bytes.count
        unsafe bytes.append(contentsOf: name)
        let nameEnd = bytes.count
        unsafe bytes.append(contentsOf: value)
        entries.append(
            FieldBlock.Entry(
                nameStart: UInt32(truncatingIfNeeded: start), nameEnd: UInt32(truncatingIfNeeded: nameEnd),
                valueStart: UInt32(truncatingIfNeeded: nameEnd), valueEnd: UInt32(truncatingIfNeeded: bytes.count),
                id: unsafe FieldID.lookup(name)))
    }

    /// The trailers that may pass; nil when there are none.
    func trailers() throws(HTTPError) -> FieldBlock? {
        if let failure { throw failure }
        return try TrailerRules.block(bytes, entries)
    }

    /// The head of a request, after the checks that need all of it.
    consuming func request(endsStream: Bool) throws(HTTPError) -> RequestHead {
        if let failure { throw failure }
        let (method, framing, target) = try checked()
        let body = try framing.request(endsStream: endsStream, method)
        joinCookies()
        if framing.host == nil, let host = target.host { addHost(host) }
        return RequestHead(
            method: method, version: .http2, fields: FieldBlock(bytes: bytes, entries: entries), body: body,
            keepAlive: true, expectsContinue: framing.expectsContinue && body != .none, bytes: bytes, parts: target)
    }

    private func checked() throws(HTTPError) -> (HTTPMethod, Framing, RequestTarget) {
        guard let method, method.count > 0 else { throw .bad("no :method") }
        guard method.count <= RequestLine.longestMethod else { throw .bad("method too long") }
        let span = bytes.span
        return try unsafe span.bytes.withUnsafeBytes { (bytes) throws(HTTPError) in
            let name = unsafe HTTPMethod(bytes: UnsafeRawBufferPointer(rebasing: bytes[method]))
            var target = try unsafe RequestTarget(
                bytes, method: name, scheme: scheme, authority: authority, path: path)
            var framing = Framing()
            for entry in entries where entry.id != .other {
                try unsafe HeaderBlock.check(entry.id, UnsafeRawBufferPointer(rebasing: bytes[entry.value]))
                try unsafe framing.note(entry.id, bytes, entry.value)
            }
            try unsafe target.settleHost(bytes, field: framing.host)
            guard target.host != nil else { throw .bad("neither :authority nor Host") }
            return (name, framing, target)
        }
    }

    /// RFC 9113, 8.2.2: what is about one connection of HTTP/1.1 has no place here.
    private static func check(_ id: FieldID, _ value: UnsafeRawBufferPointer) throws(HTTPError) {
        switch id {
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade:
            throw .bad("a field of an HTTP/1.1 connection")
        case .te:
            guard unsafe ASCII.equalIgnoringCase(value, "trailers") else { throw .bad("TE is not \"trailers\"") }
        default: break
        }
    }

    /// RFC 9113, 8.2.3: a client may cut its Cookie field in crumbs, which are one field for anybody else.
    private mutating func joinCookies() {
        let crumbs = entries.filter { $0.id == .cookie }
        guard crumbs.count > 1, var joined = crumbs.first else { return }
        let start = bytes.count
        for crumb in crumbs {
            if bytes.count > start { bytes += [ASCII.semicolon, ASCII.space] }
            bytes += bytes[crumb.value]
        }
        joined.valueStart = UInt32(truncatingIfNeeded: start)
        joined.valueEnd = UInt32(truncatingIfNeeded: bytes.count)
        let place = entries.firstIndex { $0.id == .cookie } ?? 0
        entries.removeAll { $0.id == .cookie }
        entries.insert(joined, at: place)
    }

    /// So that whoever looks for the Host field finds it, as in HTTP/1.1.
    private mutating func addHost(_ value: Range<Int>) {
        let start = bytes.count
        bytes += "host".utf8
        entries.append(
            FieldBlock.Entry(
                nameStart: UInt32(truncatingIfNeeded: start), nameEnd: UInt32(truncatingIfNeeded: bytes.count),
                valueStart: UInt32(truncatingIfNeeded: value.lowerBound),
                valueEnd: UInt32(truncatingIfNeeded: value.upperBound), id: .host))
    }
}
