/// A pool of servers that requests are proxied to.
public struct UpstreamOptions: Sendable, Equatable {
    /// `http://host:port`, `https://host:port` or `unix:/path`.
    public var servers: [String]
    /// Which server gets a request.
    public var balance: BalancePolicy = .roundRobin
    /// What `balance: .hash` looks at; needed with it, and with nothing else.
    public var hash: HashSource?
    /// Requests that ask servers how they are. `nil`: none are made.
    public var healthCheck: HealthCheck?
    /// When what happens to requests counts against a server.
    public var passive = PassiveHealth()
    /// Most requests at once that one server gets, from all workers together. `nil`: any number.
    public var connections: Int?
    /// Requests that wait while all servers have `connections` of them, or for the first look-up of a name.
    public var queue = UpstreamQueue()
    /// Connections that are kept for the next request.
    public var keepAlive = UpstreamKeepAlive()
    /// How long each step of an exchange may take.
    public var timeouts = UpstreamTimeouts()
    /// How often a request that has not been answered is tried again.
    public var retries: Int = 2
    /// The time after which the servers' names are looked up again.
    public var resolve: Duration = .seconds(30)
    /// How `https` servers are spoken to.
    public var tls = UpstreamTLS()
    /// Which fields tell a server who asks.
    public var forwarded: ForwardedFields = .xForwarded
    /// Which Host a server is asked for.
    public var host: UpstreamHost = .keep

    /// A pool of these servers with the default options.
    public init(servers: [String]) { self.servers = servers }
}

/// Which server gets a request. An address of a server's name counts as a server.
public struct BalancePolicy: Sendable, Hashable {
    package enum Kind { case roundRobin, leastConnections, random, hash }
    package let kind: Kind

    /// One after the other.
    public static let roundRobin = BalancePolicy(kind: .roundRobin)
    /// That with the fewest requests at the moment, from all workers together.
    public static let leastConnections = BalancePolicy(kind: .leastConnections)
    /// The better of two that chance picks.
    public static let random = BalancePolicy(kind: .random)
    /// The same for the same `hash`, as long as it is there.
    public static let hash = BalancePolicy(kind: .hash)
}

/// What of a request is hashed. Requests that have no such thing go round.
public struct HashSource: Sendable, Hashable {
    package enum Kind: Hashable {
        case header(String)
        case cookie(String)
        case query(String)
        case address
    }
    package let kind: Kind

    /// The first field of this name.
    public static func header(_ name: String) -> HashSource { HashSource(kind: .header(name)) }
    /// The cookie of this name.
    public static func cookie(_ name: String) -> HashSource { HashSource(kind: .cookie(name)) }
    /// The first parameter of this name in the query.
    public static func query(_ name: String) -> HashSource { HashSource(kind: .query(name)) }
    /// The client's address.
    public static let address = HashSource(kind: .address)
}

/// Requests that ask servers how they are.
public struct HealthCheck: Sendable, Equatable {
    /// What is asked for, query included.
    public var path: String
    /// The time between two of them.
    public var every: Duration = .seconds(5)
    /// The time in which one must be answered.
    public var timeout: Duration = .seconds(2)
    /// How many have to fail one after the other until a server gets no more requests.
    public var fall: Int = 3
    /// How many have to succeed one after the other until it gets requests again.
    public var rise: Int = 2
    /// The status that is a success. `nil`: 200 to 399.
    public var status: Int?

    /// A check of this path.
    public init(path: String) { self.path = path }
}

/// When what happens to requests counts against a server: after `failures` of them one after the other it gets none for
/// `duration`, then one at a time until one of them succeeds. When nobody else is left it is asked all the same.
public struct PassiveHealth: Sendable, Equatable {
    /// Connections that fail, answers that do not come or are broken. 0: they never count.
    public var failures: Int = 3
    /// How long it gets no requests (`for`).
    public var duration: Duration = .seconds(10)

    /// The defaults.
    public init() {}
}

/// Requests that wait for a server.
public struct UpstreamQueue: Sendable, Equatable {
    /// Most that wait at once, of all workers together. 0: none waits.
    public var size: Int = 128
    /// How long one waits.
    public var timeout: Duration = .seconds(5)

    /// The defaults.
    public init() {}
}

/// Connections to servers that are kept for the next request.
public struct UpstreamKeepAlive: Sendable, Equatable {
    /// Most of them that idle, per worker. 0: none is kept.
    public var connections: Int = 64
    /// How long one may idle.
    public var idle: Duration = .seconds(60)

    /// The defaults.
    public init() {}
}

/// How long each step of an exchange with a server may take.
public struct UpstreamTimeouts: Sendable, Equatable {
    /// Until a connection is there, its TLS handshake included.
    public var connect: Duration = .seconds(5)
    /// From the end of a request to the head of its answer.
    public var firstByte: Duration = .seconds(60)
    /// Between two pieces of an answer.
    public var idle: Duration = .seconds(60)
    /// Without a byte in either direction of an upgraded connection (WebSocket).
    public var tunnel: Duration = .seconds(3600)
    /// Between two pieces of an answer that is a stream.
    public var stream: Duration = .seconds(3600)

    /// The defaults.
    public init() {}
}

/// How `https` servers are spoken to. They are always verified.
public struct UpstreamTLS: Sendable, Equatable {
    /// A PEM file with the authorities that servers are verified with. `nil`: the system's.
    public var certificateAuthority: String?
    /// A certificate that is shown to servers (mutual TLS).
    public var clientCertificate: CertificateFiles?
    /// The name that is asked for (SNI) and that a server's certificate must have. `nil`: that of its URL.
    public var serverName: String?

    /// The defaults.
    public init() {}
}

/// Which fields tell a server who asks.
public struct ForwardedFields: Sendable, Hashable {
    package enum Kind { case xForwarded, forwarded, both, off }
    package let kind: Kind

    /// `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`.
    public static let xForwarded = ForwardedFields(kind: .xForwarded)
    /// `Forwarded` (RFC 7239).
    public static let forwarded = ForwardedFields(kind: .forwarded)
    /// All of them.
    public static let both = ForwardedFields(kind: .both)
    /// None.
    public static let off = ForwardedFields(kind: .off)
}

/// Which Host a server is asked for.
public struct UpstreamHost: Sendable, Hashable {
    package enum Kind { case keep, server }
    package let kind: Kind

    /// That of the client's request.
    public static let keep = UpstreamHost(kind: .keep)
    /// That of the server's URL.
    public static let server = UpstreamHost(kind: .server)
}
