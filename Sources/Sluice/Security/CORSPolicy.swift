/// Which other origins' pages may use a route (WHATWG Fetch, section 3.2).
public struct CORSPolicy: Sendable, Equatable {
    /// Exact origins such as `https://app.example.com`, or `*` for any.
    public var origins: [String]
    /// Whether cookies and HTTP authentication are allowed. Not together with the origin `*`.
    public var credentials: Bool
    /// Request fields allowed beside Last-Event-ID, Authorization, Cache-Control and Content-Type.
    public var headers: [String]
    /// How long a browser may keep a preflight's answer.
    public var maxAge: Duration

    /// A policy for these origins.
    public init(origins: [String], credentials: Bool = false, headers: [String] = [], maxAge: Duration = .seconds(600))
    {
        self.origins = origins
        self.credentials = credentials
        self.headers = headers
        self.maxAge = maxAge
    }
}
