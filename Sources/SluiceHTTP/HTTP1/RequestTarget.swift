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
