/// All of a gateway's settings: what a YAML file says, as values. Built in code it does exactly the same.
public struct Configuration: Sendable {
    /// Event loops, each with its own thread. `nil`: one per core.
    public var workers: Int?
    /// What is logged, and how.
    public var log = LogOptions()
    /// Where the gateway listens.
    public var listeners: [ListenerOptions] = []
    /// What feeds topics, by name.
    public var sources: [String: SourceOptions] = [:]
    /// Topics by name; a name with `{parameters}` is a template.
    public var topics: [String: TopicOptions] = [:]
    /// Pools of servers that requests are proxied to, by name.
    public var upstreams: [String: UpstreamOptions] = [:]
    /// Routes; the first match wins.
    public var routes: [Route] = []
    /// What bounds peers.
    public var limits = Limits()
    /// Networks (`10.0.0.0/8`, `::1/128`, a bare address) whose X-Forwarded-For and
    /// PROXY protocol are believed.
    public var trustedProxies: [String] = []
    /// Whether routes see several slashes in a row as one, so that `//admin` does not pass by a rule for `/admin`.
    public var mergesSlashes = true
    /// Whether answers tell the name of their request, `X-Request-ID`: the client's own or a new one. Routes may say otherwise.
    public var requestID = false
    /// Time for streams to end after a stop was asked for.
    public var shutdownGrace: Duration = .seconds(10)

    /// The defaults: nothing listens, nothing is routed.
    public init() {}
}

/// What is logged, and how.
public struct LogOptions: Sendable, Equatable {
    /// `trace`, `debug`, `info`, `notice`, `warning`, `error` or `critical`.
    public var level = "info"
    /// How a line looks.
    public var format: LogFormat = .text
    /// The access log, which is apart from the gateway's own.
    public var access = AccessLogOptions()

    /// Text at level `info`.
    public init() {}
}

/// How a log line looks.
public struct LogFormat: Sendable, Hashable {
    package enum Kind { case text, json }
    package let kind: Kind

    /// One line of text.
    public static let text = LogFormat(kind: .text)
    /// One JSON object a line.
    public static let json = LogFormat(kind: .json)
}

/// One address that the gateway listens on.
public struct ListenerOptions: Sendable, Equatable {
    /// `:8080`, `host:port`, `[v6]:port` or `unix:/path`. Port 0 lets the system choose.
    public var address: String
    /// TLS; `nil` speaks plain HTTP.
    public var tls: TLSOptions?
    /// Whether HTTP/2 is spoken without TLS to clients that begin with it (prior knowledge, RFC 9113, section 3.3).
    public var h2c = false
    /// Whether each connection begins with a header of the PROXY protocol, version 1 or 2, which names its client. Only
    /// peers in `Configuration.trustedProxies`, and those of a unix socket, may connect then.
    public var proxyProtocol = false

    /// A listener.
    public init(_ address: String, tls: TLSOptions? = nil) {
        self.address = address
        self.tls = tls
    }
}

/// How a listener speaks TLS.
public struct TLSOptions: Sendable, Equatable {
    /// Certificates with their keys; the first is the default, the others are chosen by SNI.
    public var certificates: [CertificateFiles]
    /// A folder in which a certificate of a local authority is made on first use, instead of `certificates`.
    public var developmentDirectory: String?
    /// The oldest protocol version.
    public var minimumVersion: TLSVersion
    /// Protocols offered by ALPN, in order of preference.
    public var alpn: [String]

    /// Certificates from PEM files.
    public static func files(_ certificates: [CertificateFiles]) -> TLSOptions {
        TLSOptions(certificates: certificates)
    }
    /// One certificate from PEM files.
    public static func files(certificate: String, key: String) -> TLSOptions {
        .files([CertificateFiles(certificate: certificate, key: key)])
    }
    /// A certificate for localhost of a local authority, made in `directory` on first use.
    public static func development(directory: String = "certs") -> TLSOptions {
        TLSOptions(certificates: [], developmentDirectory: directory)
    }

    init(certificates: [CertificateFiles], developmentDirectory: String? = nil) {
        self.certificates = certificates
        self.developmentDirectory = developmentDirectory
        self.minimumVersion = .v12
        self.alpn = ["h2", "http/1.1"]
    }
}

/// A protocol version of TLS.
public struct TLSVersion: Sendable, Hashable {
    package enum Kind { case v12, v13 }
    package let kind: Kind

    /// TLS 1.2.
    public static let v12 = TLSVersion(kind: .v12)
    /// TLS 1.3.
    public static let v13 = TLSVersion(kind: .v13)
}

/// A rule: which requests, what is done with them, and on what conditions.
public struct Route: Sendable, Equatable {
    /// Which requests it takes.
    public var match: RouteMatch
    /// What it does with them.
    public var target: RouteTarget
    /// Which other origins may use it; `nil`: none.
    public var cors: CORSPolicy?
    /// What a request must show.
    public var authorization: Authorization?
    /// The path that a server behind the route is asked for.
    public var rewrite: PathRewrite?
    /// Changes to the fields that a server behind the route gets.
    public var requestHeaders: HeaderEdits?
    /// Changes to the fields of every answer of the route.
    public var responseHeaders: HeaderEdits?
    /// What bounds its clients, beside the limits of all.
    public var limits: RouteLimits?
    /// Fields that tell browsers to be careful with the answers; `nil`: none.
    public var securityHeaders: SecurityHeaders?
    /// Whether answers have `X-Request-ID`; `nil`: as `Configuration.requestID` says.
    public var requestID: Bool?

    /// A rule.
    public init(
        _ match: RouteMatch, _ target: RouteTarget, cors: CORSPolicy? = nil, authorization: Authorization? = nil
    ) {
        self.match = match
        self.target = target
        self.cors = cors
        self.authorization = authorization
    }
}
