/// What a request must show before a route serves it.
public struct Authorization: Sendable, Equatable {
    package enum Kind: Sendable, Equatable { case bearer(Secret) }
    package let kind: Kind

    /// `Authorization: Bearer <token>` with exactly this token (RFC 6750), compared in constant time.
    public static func bearer(_ token: Secret) -> Authorization { Authorization(kind: .bearer(token)) }
}
