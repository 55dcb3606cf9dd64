/// Which requests a route takes. What is `nil` or empty matches everything.
public struct RouteMatch: Sendable, Equatable {
    /// A host name without port, compared without case; `*.example.com` matches exactly one more label.
    public var host: String?
    /// A path pattern: literal segments, `{name}` for one segment, and a last `/**` for the rest.
    public var path: String
    /// Methods. Empty: those that the target serves by itself.
    public var methods: [String]
    /// A media type that the request's Accept must name with q > 0 (`*/*` and no Accept do not).
    public var accept: String?

    /// A match for a path.
    public init(host: String? = nil, path: String, methods: [String] = [], accept: String? = nil) {
        self.host = host
        self.path = path
        self.methods = methods
        self.accept = accept
    }
}
