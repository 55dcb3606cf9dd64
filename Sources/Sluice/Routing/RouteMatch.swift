/// Which requests a route takes. What is `nil` or empty matches everything.
public struct RouteMatch: Sendable, Equatable {
    /// Host names without port, compared without case; `*.example.com` matches exactly one more label.
    public var hosts: [String]
    /// A path pattern: literal segments, `{name}` for one segment, and a last `/**` for the rest.
    public var path: String
    /// Methods. Empty: those that the target serves by itself.
    public var methods: [String]
    /// A media type that the request's Accept must name with q > 0 (`*/*` and no Accept do not).
    public var accept: String?
    /// Header fields by name, each with what it must be.
    public var headers: [String: ValueTest]
    /// Values in the query by name, each with what it must be. Both are compared decoded.
    public var query: [String: ValueTest]
    /// Networks such as `10.0.0.0/8`, one of which the client must be in: behind a trusted proxy the client that it names.
    public var clients: [String]

    /// A match for a path.
    public init(
        host: String? = nil, path: String, methods: [String] = [], accept: String? = nil,
        headers: [String: ValueTest] = [:], query: [String: ValueTest] = [:], clients: [String] = []
    ) {
        hosts = host.map { [$0] } ?? []
        self.path = path
        self.methods = methods
        self.accept = accept
        self.headers = headers
        self.query = query
        self.clients = clients
    }
}
