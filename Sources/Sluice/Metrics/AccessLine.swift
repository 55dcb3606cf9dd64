internal import SluiceHTTP

/// One line of an access log, before it is written down.
struct AccessLine {
    enum Event: String {
        /// A request was answered, or broke off.
        case request
        /// A stream began.
        case open
        /// A stream is over.
        case close
    }

    let event: Event
    /// Who asked; `nil`: unknown, as over a unix socket.
    var client: String?
    /// `nil`: what came was no request.
    var request: LoggedRequest?
    var status: UInt16 = 0
    /// Bytes of the body that were sent, with the marks of its chunks, without TLS.
    var bytes = 0
    /// Milliseconds since the request's head was there; `nil` when a stream begins.
    var duration: UInt64?
    var requestID: [UInt8] = []
    var traceID: [UInt8] = []
    /// The route's place in the configuration, from 0.
    var route: Int?
    var topics: [String] = []
    var upstream: String?
    var server: String?
    /// Events that were sent.
    var events: UInt64?
    /// Where an event stream begins.
    var cursor: [UInt8]?
    /// The cursor that its client brought.
    var lastEventID: [UInt8]?
    var reason: EndReason?
    /// Milliseconds since 1970.
    var time: Int64 = 0
    /// Lines before this one that could not be written.
    var lost = 0
}

/// Why a stream, or an answer that is not whole, ended.
enum EndReason: String {
    /// Whoever serves it said everything.
    case ended
    /// The client went away, or reset the stream.
    case clientLeft = "client_left"
    /// The gateway stops and said so.
    case drained
    /// It was cut when the time to stop was over.
    case stopped
    /// The client fell too far behind.
    case slow
    /// The client took nothing for too long.
    case writeTimeout = "write_timeout"
    /// The client sent nothing for too long.
    case timeout
    case maxAge = "max_age"
    case upstreamLost = "upstream_lost"
    case upstreamTimeout = "upstream_timeout"
    /// A file became shorter while it was sent.
    case fileChanged = "file_changed"
    /// A file could not be read on.
    case fileUnreadable = "file_unreadable"
    /// Nothing passed through a tunnel for too long.
    case idle
    /// The client broke the rules of HTTP.
    case protocolError = "protocol_error"
    /// Over a limit.
    case refused
}

/// What a log tells of a request: no field but these, nothing that is a credential. It holds on to nothing of the head.
struct LoggedRequest: Sendable {
    let method: String
    let version: HTTPVersion
    /// With masked parameters.
    let target: [UInt8]
    let host: [UInt8]
    /// Likewise.
    let referer: [UInt8]
    let userAgent: [UInt8]

    /// Bytes of a field that are told.
    private static let most = 4096

    init(_ head: RequestHead, _ mask: TokenMask) {
        method = head.method.name
        version = head.version
        var target: [UInt8] = []
        mask.append(head.target, isAuthority: head.method == .connect, to: &target)
        self.target = target
        host = Array(head.host ?? [])
        referer = head.fields.first(.referer).map { mask.masked($0.prefix(Self.most)) } ?? []
        userAgent = Array(head.fields.first(.userAgent)?.prefix(Self.most) ?? [])
    }

    var path: ArraySlice<UInt8> { target.prefix { $0 != UInt8(ascii: "?") } }
    /// `nil`: the target has none.
    var query: ArraySlice<UInt8>? {
        target.firstIndex(of: UInt8(ascii: "?")).map { target[($0 + 1)...] }
    }

    var versionText: String {
        switch version {
        case .http10: "HTTP/1.0"
        case .http11: "HTTP/1.1"
        case .http2: "HTTP/2.0"
        }
    }
}
