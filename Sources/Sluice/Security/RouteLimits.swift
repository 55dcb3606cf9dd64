/// What bounds the clients of a route.
public struct RouteLimits: Sendable, Equatable {
    /// Requests of one client over time; then 429. `nil`: any number.
    public var rate: RequestRate?
    /// Event streams of one client; then 429. `nil`: any number.
    public var streams: StreamLimit?
    /// Bytes of a request's body; then 413. `nil`: what the target takes.
    public var body: Int?

    /// No limits, until they are set.
    public init(rate: RequestRate? = nil, streams: StreamLimit? = nil, body: Int? = nil) {
        self.rate = rate
        self.streams = streams
        self.body = body
    }
}

/// How many requests a client may make: a bucket of tokens that is refilled evenly.
public struct RequestRate: Sendable, Equatable {
    /// Requests in a period, in the long run: 1 to 1,000,000.
    public var requests: Int
    /// The period.
    public var per: Duration
    /// Requests that may come at once after a time without any. `nil`: as many as in a period.
    public var burst: Int?
    /// Whom it counts.
    public var key: ClientKey

    /// A rate.
    public init(_ requests: Int, per: Duration = .seconds(1), burst: Int? = nil, key: ClientKey = .address) {
        self.requests = requests
        self.per = per
        self.burst = burst
        self.key = key
    }
}

/// How many event streams a client may have open on a route.
public struct StreamLimit: Sendable, Equatable {
    /// Streams at once.
    public var most: Int
    /// Whom it counts.
    public var key: ClientKey

    /// A limit.
    public init(_ most: Int, key: ClientKey = .address) {
        self.most = most
        self.key = key
    }
}

/// Whom a limit takes for one client.
public struct ClientKey: Sendable, Hashable {
    package enum Kind: Sendable, Hashable { case address, header(String), cookie(String), query(String) }
    package let kind: Kind

    /// The client's address; of IPv6 the first 64 bits. Behind a trusted proxy the client that it names.
    public static let address = ClientKey(kind: .address)
    /// The value of a header field. Requests without it, or with several, count by address.
    public static func header(_ name: String) -> ClientKey { ClientKey(kind: .header(name)) }
    /// The value of a cookie. Requests without it count by address.
    public static func cookie(_ name: String) -> ClientKey { ClientKey(kind: .cookie(name)) }
    /// The value of a parameter in the query. Requests without it count by address.
    public static func query(_ name: String) -> ClientKey { ClientKey(kind: .query(name)) }
}
