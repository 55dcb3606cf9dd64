/// The parts of a request target, as ranges in the head (RFC 9112, 3.2).
struct RequestTarget: Sendable {
    enum Form: UInt8, Sendable {
        /// Path and query; an absolute-form target is reduced to this.
        case origin
        case asterisk
        case authority
    }

    var form: Form
    /// Path and query.
    var target: Range<Int> = 0..<0
    /// May be empty after an absolute-form target: then it is `/`.
    var path: Range<Int> = 0..<0
    var query: Range<Int>?
    /// The authority that counts.
    var host: Range<Int>?
    /// The authority that the target itself names, and the port that its scheme stands for.
    var authority: Range<Int>?
    var defaultPort: UInt64?

    init(form: Form) { self.form = form }

    /// Looks at the target of a complete request line.
    init(_ bytes: UnsafeRawBufferPointer, _ line: RequestLine, method: HTTPMethod) throws(HTTPError) {
        self.init(form: .origin)
        let whole = line.targetStart..<line.targetEnd
        target = whole
        query = line.queryStart.map { $0..<line.targetEnd }
        let pathEnd = line.queryStart.map { $0 &- 1 } ?? line.targetEnd
        if method == .connect {
            form = .authority
            authority = whole
            guard let parts = unsafe Authority(bytes, whole), let port = parts.port, !port.isEmpty else {
                throw .bad("CONNECT needs host and port")
            }
        } else if unsafe bytes[whole.lowerBound] == ASCII.slash {
            path = whole.lowerBound..<pathEnd
        } else if unsafe bytes[whole.lowerBound] == ASCII.asterisk {
            guard method == .options, whole.count == 1 else { throw .bad("bad request target") }
            form = .asterisk
        } else {
            try unsafe reduce(bytes, line.targetStart..<pathEnd)
            target = path.lowerBound..<line.targetEnd
            // RFC 9112, 3.2.4: OPTIONS of an absolute target with neither path nor query is about the whole server.
            if method == .options, path.isEmpty, query == nil { form = .asterisk }
        }
    }

    /// Looks at the pseudo-headers of an HTTP/2 request (RFC 9113, 8.3.1 and 8.5).
    init(
        _ bytes: UnsafeRawBufferPointer, method: HTTPMethod, scheme: Range<Int>?, authority: Range<Int>?,
        path: Range<Int>?
    ) throws(HTTPError) {
        self.init(form: method == .connect ? .authority : .origin)
        self.authority = authority
        let parts = try authority.map { range throws(HTTPError) in
            guard let parts = unsafe Authority(bytes, range) else { throw .bad("bad :authority") }
            return parts
        }
        if method == .connect {
            guard scheme == nil, path == nil else { throw .bad("CONNECT with a target") }
            guard let authority, let port = parts?.port, !port.isEmpty else {
                throw .bad("CONNECT needs host and port")
            }
            target = authority
            return
        }
        guard let scheme, let path, !path.isEmpty else { throw .bad("no :scheme or no :path") }
        let name = unsafe UnsafeRawBufferPointer(rebasing: bytes[scheme])
        if unsafe ASCII.equalIgnoringCase(name, "https") {
            defaultPort = 443
        } else {
            guard unsafe ASCII.equalIgnoringCase(name, "http") else { throw .bad("unknown :scheme") }
            defaultPort = 80
        }
        try unsafe takePath(bytes, path, method)
    }

    /// Takes a target that is a path, perhaps with a query, or an asterisk.
    private mutating func takePath(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ method: HTTPMethod
    ) throws(HTTPError) {
        target = range
        if unsafe bytes[range.lowerBound] == ASCII.asterisk {
            guard method == .options, range.count == 1 else { throw .bad("bad request target") }
            form = .asterisk
            return
        }
        guard unsafe bytes[range.lowerBound] == ASCII.slash else { throw .bad("bad request target") }
        var end = range.lowerBound
        while end < range.upperBound, unsafe ByteSet.path.contains(bytes[end]) { end &+= 1 }
        path = range.lowerBound..<end
        guard end < range.upperBound else { return }
        if unsafe bytes[end] == ASCII.question {
            query = (end &+ 1)..<range.upperBound
            repeat { end &+= 1 } while unsafe end < range.upperBound && ByteSet.query.contains(bytes[end])
            if end == range.upperBound { return }
        }
        throw unsafe bytes[end] == UInt8(ascii: "#")
            ? .bad("fragment in the request target") : .bad("bad character in the request target")
    }

    /// Takes scheme and authority off an absolute target.
    private mutating func reduce(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(HTTPError) {
        var start = range.lowerBound
        if unsafe RequestTarget.hasPrefix("http://", bytes, range) {
            defaultPort = 80
            start &+= 7
        } else if unsafe RequestTarget.hasPrefix("https://", bytes, range) {
            defaultPort = 443
            start &+= 8
        } else {
            throw .bad("bad request target")
        }
        var end = start
        while end < range.upperBound, unsafe bytes[end] != ASCII.slash { end &+= 1 }
        guard unsafe Authority(bytes, start..<end) != nil else { throw .bad("bad host in the request target") }
        authority = start..<end
        path = end..<range.upperBound
    }

    private static func hasPrefix(
        _ prefix: StaticString, _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>
    ) -> Bool {
        let count = prefix.utf8CodeUnitCount
        guard range.count >= count else { return false }
        let start = range.lowerBound
        return unsafe ASCII.equalIgnoringCase(UnsafeRawBufferPointer(rebasing: bytes[start..<(start &+ count)]), prefix)
    }

    /// Chooses the authority that counts, once the Host field is known: both must be the same (RFC 9112, 3.2.2 would
    /// let the target win; two hops that choose differently are how a request is smuggled to another host).
    mutating func settleHost(_ bytes: UnsafeRawBufferPointer, field: Range<Int>?) throws(HTTPError) {
        if let field {
            guard unsafe Authority(bytes, field) != nil else { throw .bad("bad Host") }
        }
        host = authority ?? field
        guard let authority, let field else { return }
        guard unsafe isSame(bytes, authority, field) else { throw .bad("Host differs from the request target") }
    }

    private func isSame(_ bytes: UnsafeRawBufferPointer, _ left: Range<Int>, _ right: Range<Int>) -> Bool {
        guard let left = unsafe Authority(bytes, left), let right = unsafe Authority(bytes, right) else { return false }
        func port(_ part: Range<Int>?) -> UInt64? {
            guard let part, !part.isEmpty else { return defaultPort }
            return unsafe ASCII.decimal(UnsafeRawBufferPointer(rebasing: bytes[part]))
        }
        return unsafe port(left.port) == port(right.port)
            && ASCII.equalIgnoringCase(
                UnsafeRawBufferPointer(rebasing: bytes[left.name]), UnsafeRawBufferPointer(rebasing: bytes[right.name]))
    }
}
