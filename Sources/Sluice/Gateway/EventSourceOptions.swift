public import HTTPTypes
internal import SluiceHTTP
internal import SluiceSSE

/// How an `EventSource` asks and behaves.
public struct EventSourceOptions: Sendable {
    /// The method.
    public var method: HTTPRequest.Method = .get
    /// Fields sent with every request; not to another origin that a redirect leads to, since they may be credentials.
    /// `Accept` and `Cache-Control` take the place of the client's own; those that belong to the connection (`Host`,
    /// `Content-Length` and the like) and `Last-Event-ID` are not taken from here.
    public var headers: HTTPFields = [:]
    /// The body, sent again with every request.
    public var body: [UInt8] = []
    /// Sent as Last-Event-ID with the first request, as if an event had brought it; empty: none.
    public var lastEventID: String = ""
    /// When it connects again.
    public var retry = FeedRetry()
    /// The read timeout: the time without a byte, comments included, after which a connection counts as dead. `nil`:
    /// there is none, except a minute for the response's head.
    public var idleTimeout: Duration? = .seconds(45)
    /// A PEM file with the authorities that the server's certificate is verified with. `nil`: the system's.
    public var certificateAuthority: String?
    /// The certificate that is shown to a server that asks for one; never to another origin.
    public var clientCertificate: CertificateFiles?
    /// Bytes that may wait for the program before nothing more is read from the server. What one read gave (32 KiB, or
    /// the end of one large event) may come on top.
    public var bufferLimit: Int = 1024 * 1024
    /// Bytes of one line; what is over it is dropped, with its event.
    public var lineLimit: Int = 1024 * 1024
    /// Bytes of one event; what is over it is dropped.
    public var eventLimit: Int = 4 * 1024 * 1024
    /// How many ids are remembered to drop what a server sends again after a reconnect; 0: nothing is dropped.
    public var rememberedIDs: Int = 1024

    /// The defaults.
    public init() {}
}

/// What a source is made of, checked.
struct SourceOrder: Sendable {
    let request: StreamRequest
    let options: StreamClient.Options
    let lastEventID: [UInt8]
    let trust: Trust

    /// Sources that trust and show the same share what was read from these files.
    struct Trust: Hashable, Sendable {
        let authorities: String?
        let certificate: String?
        let key: String?
    }

    init(url: String, _ options: EventSourceOptions) throws(SluiceError) {
        var request: StreamRequest
        do throws(FeedURL.Problem) {
            request = StreamRequest(url: try FeedURL(url))
        } catch {
            throw SluiceError(.configuration, "url: \(error)")
        }
        request.method = HTTPMethod(options.method.rawValue)
        for field in options.headers {
            request.fields.append(.init(field.name.rawName, field.value, isSecret: true))
        }
        request.body = options.body
        lastEventID = Array(options.lastEventID.utf8)
        guard lastEventID.isEmpty || StreamRequest.isSendable(lastEventID) else {
            throw SluiceError(
                .configuration,
                "lastEventID: expected at most \(StreamRequest.longestID) bytes and no control characters")
        }
        self.request = request
        var client = StreamClient.Options()
        client.retry = options.retry
        client.idleMilliseconds = options.idleTimeout.map { max(1, $0.milliseconds) }
        client.limits = EventParser.Limits(line: options.lineLimit, event: options.eventLimit)
        client.dedupe = options.rememberedIDs
        self.options = client
        trust = Trust(
            authorities: options.certificateAuthority, certificate: options.clientCertificate?.certificate,
            key: options.clientCertificate?.key)
    }
}

extension StreamTrust {
    convenience init(_ trust: SourceOrder.Trust) {
        var client: CertificateFiles?
        if let certificate = trust.certificate, let key = trust.key {
            client = CertificateFiles(certificate: certificate, key: key)
        }
        self.init(authorities: trust.authorities, client: client)
    }
}
