/// Which other origins' pages may use a route (WHATWG Fetch, section 3.2).
public struct CORSPolicy: Sendable, Equatable {
    /// Exact origins such as `https://app.example.com`, all names below one, such as `https://*.example.com`, or `*` for
    /// any.
    public var origins: [String]
    /// Whether cookies and HTTP authentication are allowed. Not together with the origin `*`.
    public var credentials: Bool
    /// Request fields allowed beside Last-Event-ID, Authorization, Cache-Control and Content-Type.
    public var headers: [String]
    /// Response fields that a page may read beside Last-Event-ID and those that every page may.
    public var exposedHeaders: [String]
    /// How long a browser may keep a preflight's answer.
    public var maxAge: Duration

    /// A policy for these origins.
    public init(
        origins: [String], credentials: Bool = false, headers: [String] = [], exposedHeaders: [String] = [],
        maxAge: Duration = .seconds(600)
    ) {
        self.origins = origins
        self.credentials = credentials
        self.headers = headers
        self.exposedHeaders = exposedHeaders
        self.maxAge = maxAge
    }
}
