package import SluiceHTTP

/// Fields that tell browsers to be careful with a route's answers. An answer that has one of them keeps its own.
public struct SecurityHeaders: Sendable, Equatable {
    /// `X-Content-Type-Options: nosniff`: the type is what Content-Type says.
    public var noSniff = true
    /// X-Frame-Options: which pages may show the answer in a frame. `nil`: all.
    public var frames: FramePolicy? = .sameOrigin
    /// Referrer-Policy: what of the page's address its requests tell. `nil`: what the browser does by itself.
    public var referrer: String? = "strict-origin-when-cross-origin"
    /// Strict-Transport-Security, over TLS: how long the browser uses nothing but TLS for this host. `nil`: not said.
    public var strictTransport: Duration? = .seconds(365 * 24 * 3600)
    /// Whether that holds for all names below the host, too.
    public var includesSubdomains = false

    /// What the fields are unless they are set.
    public init() {}

    /// The values of Referrer-Policy.
    package static let referrerPolicies = [
        "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "same-origin",
        "strict-origin", "strict-origin-when-cross-origin", "unsafe-url",
    ]

    /// The fields of an answer.
    package func fields(overTLS isSecure: Bool) -> FieldBlock {
        var fields = FieldBlock()
        if noSniff { fields.append(.xContentTypeOptions, "nosniff") }
        if let frames { fields.append(name: "X-Frame-Options", value: frames == .deny ? "DENY" : "SAMEORIGIN") }
        if let referrer { fields.append(name: "Referrer-Policy", value: referrer) }
        // A browser ignores it without TLS (RFC 6797, section 8.1).
        if isSecure, let strictTransport {
            let more = includesSubdomains ? "; includeSubDomains" : ""
            fields.append(
                .strictTransportSecurity, "max-age=\(max(0, strictTransport.components.seconds))\(more)")
        }
        return fields
    }
}

/// Which pages may show an answer in a frame.
public struct FramePolicy: Sendable, Hashable {
    package enum Kind { case deny, sameOrigin }
    package let kind: Kind

    /// None.
    public static let deny = FramePolicy(kind: .deny)
    /// Pages of the same origin.
    public static let sameOrigin = FramePolicy(kind: .sameOrigin)
}
