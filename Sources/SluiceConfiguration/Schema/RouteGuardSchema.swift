import Sluice

extension Format where Value == RouteLimits {
    static var routeLimits: Format {
        .object(
            "routes[].limits", start: RouteLimits(),
            keys: [
                Key("rate", optional: \.rate, .rate, "Requests of one client over time; then 429."),
                Key(
                    "streams", optional: \.streams, .streamLimit,
                    "Event streams that one client may have open on this route; then 429."),
                Key(
                    "body", optional: \.body, .size,
                    "Bytes of a request's body; then 413. Where it publishes, `limits.publish_body` holds too."),
            ])
    }
}

extension Format where Value == RequestRate {
    fileprivate static var rate: Format {
        .object(
            "routes[].limits.rate", start: RequestRate(0),
            keys: [
                Key("requests", \.requests, .integer, required: true, "Requests in a period, in the long run."),
                Key("per", \.per, .duration, "The period."),
                Key(
                    "burst", optional: \.burst, .integer,
                    "Requests that may come at once after a time without any. Without it as many as in a period."),
                Key("key", \.key, .clientKey, ClientKeyDraft.doc),
            ])
    }
}

extension Format where Value == StreamLimit {
    fileprivate static var streamLimit: Format {
        .object(
            "routes[].limits.streams", start: StreamLimit(0),
            keys: [
                Key("most", \.most, .integer, required: true, "Streams at once."),
                Key("key", \.key, .clientKey, ClientKeyDraft.doc),
            ], short: "most")
    }
}

/// Whom a limit counts, as it stands in a file.
private struct ClientKeyDraft {
    static let doc =
        "Whom it counts: `address` (of IPv6 the first 64 bits; behind a trusted proxy the client that it names), or what a "
        + "request shows, else its address."

    var header: String?
    var cookie: String?
    var query: String?

    init() {}

    init?(_ key: ClientKey) {
        switch key.kind {
        case .address: return nil
        case .header(let name): header = name
        case .cookie(let name): cookie = name
        case .query(let name): query = name
        }
    }

    var key: ClientKey {
        if let header { return .header(header) }
        if let cookie { return .cookie(cookie) }
        return .query(query ?? "")
    }
}

extension Format where Value == ClientKey {
    fileprivate static var clientKey: Format {
        let named = Format<ClientKeyDraft>.object(
            "routes[].limits.rate.key", start: ClientKeyDraft(),
            keys: [
                Key("header", optional: \.header, .text("the name of a field"), "The value of this field."),
                Key("cookie", optional: \.cookie, .text("the name of a cookie"), "The value of this cookie."),
                Key("query", optional: \.query, .text("a name in the query"), "The value of this parameter."),
            ], word: ("address", ClientKeyDraft()), rules: [.exactlyOne(["header", "cookie", "query"])])
        return Format<ClientKeyDraft?>.optional("address", named)
            .map({ draft, _ in draft?.key ?? .address }, { ClientKeyDraft($0) })
    }
}

extension Format where Value == SecurityHeaders? {
    static var securityHeaders: Format {
        let headers = Format<SecurityHeaders>.object(
            "routes[].security_headers", start: SecurityHeaders(),
            keys: [
                Key("nosniff", \.noSniff, .boolean, "`X-Content-Type-Options: nosniff`."),
                Key(
                    "frames", \.frames, .choice(["same_origin": .sameOrigin, "deny": .deny, "off": nil]),
                    "X-Frame-Options: which pages may show the answer in a frame."),
                Key(
                    "referrer", \.referrer, .optional("off", .text("off or a policy")),
                    "Referrer-Policy, as its values are written."),
                Key(
                    "hsts", \.strictTransport, .optional("off", .duration),
                    "Strict-Transport-Security, over TLS alone: how long the browser uses nothing but TLS."),
                Key("hsts_subdomains", \.includesSubdomains, .boolean, "Whether that holds for names below the host."),
            ], word: ("on", SecurityHeaders()))
        return .optional("off", headers)
    }
}
