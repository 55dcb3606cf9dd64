/// The head of a request: what was asked for, and how its body is framed.
///
/// The target and its parts are ranges of the bytes that came in; nothing is decoded here.
package struct RequestHead: Sendable {
    package var method: HTTPMethod
    package var version: HTTPVersion
    package var fields: FieldBlock
    package var body: BodyFraming
    /// Whether the connection may carry another request after this one (RFC 9112, 9.3).
    package var keepAlive: Bool
    /// Whether the client waits for `100 Continue` before it sends the body (RFC 9110, 10.1.1).
    package var expectsContinue: Bool

    // An array of its own, although it usually is the one that `fields` has too: so that whatever is done to the
    // fields, these ranges stay in bounds.
    private var bytes: [UInt8]
    private var parts: RequestTarget

    init(
        method: HTTPMethod, version: HTTPVersion, fields: FieldBlock, body: BodyFraming, keepAlive: Bool,
        expectsContinue: Bool, bytes: [UInt8], parts: RequestTarget
    ) {
        self.method = method
        self.version = version
        self.fields = fields
        self.body = body
        self.keepAlive = keepAlive
        self.expectsContinue = expectsContinue
        self.bytes = bytes
        self.parts = parts
    }

    /// Path and query as they came, `*` for the whole server, or the authority of a CONNECT. An absolute target is
    /// already reduced to its path and query.
    package var target: ArraySlice<UInt8> {
        if case .asterisk = parts.form { return RequestHead.asterisk[...] }
        if parts.path.isEmpty, parts.form != .authority {
            // "http://host" and "http://host?query": the path is "/" (RFC 9112, 3.2.1), which stands nowhere.
            guard let query = parts.query else { return RequestHead.root[...] }
            return (RequestHead.root + [ASCII.question] + bytes[query])[...]
        }
        return bytes[parts.target]
    }

    /// The path as it came: not decoded, dot-segments still in it. `*` for the whole server, empty for a CONNECT.
    package var path: ArraySlice<UInt8> {
        switch parts.form {
        case .asterisk: RequestHead.asterisk[...]
        case .authority: []
        case .origin: parts.path.isEmpty ? RequestHead.root[...] : bytes[parts.path]
        }
    }

    /// What stands behind the first `?`, without it; nil when there is none.
    package var query: ArraySlice<UInt8>? { parts.query.map { bytes[$0] } }

    /// The authority that was asked for, port included, without userinfo: an absolute target's, else the Host field's.
    package var host: ArraySlice<UInt8>? { parts.host.map { bytes[$0] } }

    private static let asterisk: [UInt8] = [ASCII.asterisk]
    private static let root: [UInt8] = [ASCII.slash]

    /// Puts another origin-form target (path, and query if any) in the place of this one. False, and nothing changed,
    /// when it does not begin with `/` or has a byte that a target may not have.
    @discardableResult
    package mutating func setTarget(_ target: some Collection<UInt8>) -> Bool {
        let target = Array(target)
        let queryStart = target.firstIndex(of: ASCII.question)
        let pathEnd = queryStart ?? target.count
        guard target.first == ASCII.slash, target[..<pathEnd].allSatisfy(ByteSet.path.contains),
            target[pathEnd...].allSatisfy(ByteSet.query.contains)
        else { return false }
        let base = bytes.count
        bytes += target
        parts.form = .origin
        parts.target = base..<bytes.count
        parts.path = base..<(base + pathEnd)
        parts.query = queryStart.map { (base + $0 + 1)..<bytes.count }
        return true
    }

    /// Puts another authority in the place of this one; the Host field is not touched. False, and nothing changed,
    /// when it is not a valid one.
    @discardableResult
    package mutating func setHost(_ host: some Collection<UInt8>) -> Bool {
        let host = Array(host)
        guard unsafe host.withUnsafeBytes({ unsafe Authority($0, 0..<$0.count) }) != nil else { return false }
        let base = bytes.count
        bytes += host
        parts.host = base..<bytes.count
        return true
    }

    /// A head made in code: for tests, and for requests that Sluice sends itself. A target or host that is not valid
    /// is left at `/` or out. When there is a host and `fields` has none, the field is added.
    package static func make(
        method: HTTPMethod = .get, target: String = "/", host: String? = "localhost", fields: FieldBlock = FieldBlock(),
        body: BodyFraming = .none, version: HTTPVersion = .http11, keepAlive: Bool = true, expectsContinue: Bool = false
    ) -> RequestHead {
        var head = RequestHead(
            method: method, version: version, fields: fields, body: body, keepAlive: keepAlive,
            expectsContinue: expectsContinue, bytes: [], parts: RequestTarget(form: .origin))
        if target == "*" { head.parts.form = .asterisk } else { head.setTarget(target.utf8) }
        if let host, head.setHost(host.utf8), !fields.has(.host) { head.fields.append(.host, host) }
        return head
    }
}
