import Sluice

extension Format where Value == SourceOptions {
    /// The keys of a feed.
    static var feedKeys: [Key<SourceDraft>] {
        [
            Key(
                "url", \.feed.url, .text("the URL of a feed"),
                "An upstream SSE stream, `http` or `https`. `{name}` is filled from the topic's parameters."),
            Key(
                "headers", \.feed.headers, .dictionary(of: .secret, "fields", broken: Secret("")),
                "Fields sent with every request. Their values are secrets: never logged, never printed, never sent to "
                    + "another origin."),
            Key(
                "credentials", optional: \.feed.credentials, .feedCredentials,
                "Who asks. Sent to the URL's own origin only."),
            Key(
                "client_certificate", optional: \.feed.clientCertificate, .clientCertificate,
                "A certificate that is shown to the URL's own origin (mutual TLS)."),
            Key("retry", \.feed.retry, .feedRetry, "When it connects again, or a command is started again."),
            Key(
                "idle_timeout", \.feed.idleTimeout, .duration,
                "The time without a byte (comments count) after which a connection counts as dead."),
            Key(
                "ca", optional: \.feed.certificateAuthority, .file,
                "A PEM file with the authorities that the upstream's certificate is verified with; else the system's."),
            Key(
                "id_prefix", \.feed.idPrefix, .text,
                "What is put before the upstream's ids when its events are published, so that those of several feeds "
                    + "differ under `ids: upstream`. Never sent upstream."),
            Key(
                "dedupe", \.feed.dedupe, .integer,
                "How many of the upstream's ids are kept to find what it sends again after a reconnect. 0: off."),
            Key(
                "connect", \.feed.connect,
                .choice(["auto": .automatic, "always": .always, "on_demand": .onDemand]),
                "When it is connected. `always`: from the start, and for topics made from templates as long as they "
                    + "exist. `on_demand`: from the first subscriber of any of its topics until `linger` after the last "
                    + "one; its position in the upstream's stream is kept. `auto`: `on_demand` when the URL has "
                    + "`{parameters}`, else `always`."),
            Key(
                "linger", \.feed.linger, .duration,
                "How long a feed that connects on demand stays connected after the last subscriber left."),
            Key(
                "events", \.feed.events, .feedEvents,
                "Which of its events are published, and with what types: they are filtered, then renamed, then prefixed. "
                    + "An event without a type counts as one of type `message` in all three."),
            Key(
                "status_event", \.feed.statusEvent, .optional("off", .text("off or the type of an event")),
                "The type of the events that tell subscribers when the feed's state changes, with JSON data: `feed`, "
                    + "`state` (`up`, `down`, `refused`, `stopped`), `reason` and `retry_ms`. `off`: none are sent."),
        ]
    }
}

/// Credentials as they stand in a file.
struct FeedCredentialsDraft {
    struct Basic {
        var user = ""
        var password = Secret("")
    }
    var bearer: Secret?
    var basic: Basic?

    init() {}

    init(_ credentials: FeedCredentials) {
        switch credentials.kind {
        case .bearer(let token): bearer = token
        case .basic(let user, let password): basic = Basic(user: user, password: password)
        }
    }

    var credentials: FeedCredentials {
        if let basic { return .basic(user: basic.user, password: basic.password) }
        return .bearer(bearer ?? Secret(""))
    }
}

extension Format where Value == FeedCredentials {
    static var feedCredentials: Format {
        let keys: [Key<FeedCredentialsDraft>] = [
            Key("bearer", optional: \.bearer, .secret, "The token of `Authorization: Bearer`."),
            Key("basic", optional: \.basic, .basicCredentials, "A name and a password (HTTP Basic)."),
        ]
        return Format<FeedCredentialsDraft>.object(
            "sources.*.credentials", start: FeedCredentialsDraft(), keys: keys,
            rules: [.exactlyOne(["bearer", "basic"])], isSecret: true
        ).map({ draft, _ in draft.credentials }, { FeedCredentialsDraft($0) })
    }
}

extension Format where Value == FeedCredentialsDraft.Basic {
    static var basicCredentials: Format {
        .object(
            "sources.*.credentials.basic", start: FeedCredentialsDraft.Basic(),
            keys: [
                Key("user", \.user, .text, required: true, "The name."),
                Key("password", \.password, .secret, required: true, "The password."),
            ], isSecret: true)
    }
}

extension Format where Value == CertificateFiles {
    static var clientCertificate: Format {
        .object(
            "sources.*.client_certificate", start: CertificateFiles(certificate: "", key: ""),
            keys: [
                Key(
                    "certificate", \.certificate, .file, required: true,
                    "A PEM file with the certificate, then its intermediates."),
                Key("key", \.key, .file, required: true, "A PEM file with the private key."),
            ])
    }
}

extension Format where Value == FeedEvents {
    static var feedEvents: Format {
        .object(
            "sources.*.events", start: FeedEvents(),
            keys: [
                Key(
                    "include", \.include, .list(of: .text, "types", broken: "message"),
                    "The types that are published; the others are left out. None given: all."),
                Key(
                    "exclude", \.exclude, .list(of: .text, "types", broken: "message"),
                    "The types that are left out."),
                Key(
                    "rename", \.rename, .dictionary(of: .text, "types", broken: "message"),
                    "Other names for types: `{trade: market.trade}`."),
                Key(
                    "prefix", \.prefix, .text,
                    "What is put before every type. An event without one becomes `<prefix>message`."),
            ])
    }
}

extension Format where Value == FeedRetry {
    static var feedRetry: Format {
        .object(
            "sources.*.retry", start: FeedRetry(),
            keys: [
                Key("initial", \.initial, .duration, "The first delay. Delays double."),
                Key("maximum", \.maximum, .duration, "The longest delay."),
                Key("jitter", \.jitter, .part, "The part of a delay that chance may take off, 0 to 1."),
                Key("reset_after", \.resetAfter, .duration, "The time of good state after which delays start over."),
                Key("refused", \.refused, .duration, "The delay of a feed after 401, 403, 404 and 410."),
            ])
    }
}
