/// Sends clients elsewhere.
public struct Redirect: Sendable, Equatable {
    /// Where: a URL or a path. `{host}` (without port), `{path}`, `{query}` (with its `?`, where there is one) and
    /// `{uri}` (path and query) are the request's, as they came; other names are parameters of the route's path.
    public var location: String
    /// 301, 302, 303, 307 or 308.
    public var status: Int

    /// A redirect. 308 keeps method and body, and is remembered.
    public init(to location: String, status: Int = 308) {
        self.location = location
        self.status = status
    }

    package static let statuses = [301, 302, 303, 307, 308]
}

extension RouteTarget {
    /// Sends clients elsewhere; see ``Redirect``.
    public static func redirect(to location: String, status: Int = 308) -> RouteTarget {
        RouteTarget(kind: .redirect(Redirect(to: location, status: status)))
    }
}
