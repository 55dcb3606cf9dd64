import Sluice

extension Format where Value == UpstreamOptions {
    static var upstream: Format {
        .object("upstreams.*", start: UpstreamOptions(servers: []), keys: keys, short: "servers")
    }

    private static var keys: [Key<UpstreamOptions>] {
        [
            Key(
                "servers", \.servers, .list(of: .text("the URL of a server"), "servers", broken: "", allowsOne: true),
                required: true,
                "`http://host:port`, `https://host:port` or `unix:/path`. Each address of a name counts as a server."),
            Key(
                "balance", \.balance,
                .choice([
                    "round_robin": .roundRobin, "least_connections": .leastConnections, "random": .random,
                    "hash": .hash,
                ]),
                "Which server gets a request. `round_robin`: one after the other. `least_connections`: that with the "
                    + "fewest requests. `random`: the better of two that chance picks. `hash`: the same for the same "
                    + "`hash`; when one goes, only what was its own moves."),
            Key(
                "hash", optional: \.hash, .hashSource,
                "What `balance: hash` looks at. Requests that have no such thing go round."),
            Key(
                "health_check", optional: \.healthCheck, .healthCheck,
                "Requests that ask servers how they are. None are made when it is not given."),
            Key("passive", \.passive, .passiveHealth, "When what happens to requests counts against a server."),
            Key(
                "connections", \.connections, .optional("none", .integer("none or a whole number")),
                "Most requests at once that one server gets, from all workers together."),
            Key(
                "queue", \.queue, .upstreamQueue,
                "Requests that wait while all servers have `connections` of them, or for the first look-up of a name."),
            Key("keep_alive", \.keepAlive, .upstreamKeepAlive, "Connections that are kept for the next request."),
            Key("timeouts", \.timeouts, .upstreamTimeouts, "How long each step of an exchange may take."),
            Key(
                "retries", \.retries, .integer,
                "How often a request is tried again that failed before any of its answer came."),
            Key("resolve", \.resolve, .duration, "The time after which the servers' names are looked up again."),
            Key("tls", \.tls, .upstreamTLS, "How `https` servers are spoken to. They are always verified."),
            Key(
                "forwarded", \.forwarded,
                .choice(["x_forwarded": .xForwarded, "forwarded": .forwarded, "both": .both, "off": .off]),
                "Which fields tell a server who asks: `X-Forwarded-For`, `-Proto` and `-Host`, `Forwarded` (RFC 7239), "
                    + "both or none."),
            Key(
                "host", \.host, .choice(["keep": .keep, "server": .server]),
                "Which Host a server is asked for: that of the client's request, or that of the server's URL."),
        ]
    }
}

/// What is hashed, as it stands in a file; the client's address when there is nothing else.
struct HashSourceDraft {
    var header: String?
    var cookie: String?
    var query: String?

    init() {}

    init(_ source: HashSource) {
        switch source.kind {
        case .header(let name): header = name
        case .cookie(let name): cookie = name
        case .query(let name): query = name
        case .address: break
        }
    }

    var source: HashSource {
        header.map { .header($0) } ?? cookie.map { .cookie($0) } ?? query.map { .query($0) } ?? .address
    }
}

extension Format where Value == HashSource {
    static var hashSource: Format {
        let keys: [Key<HashSourceDraft>] = [
            Key("header", optional: \.header, .text, "The first field of this name."),
            Key("cookie", optional: \.cookie, .text, "The cookie of this name."),
            Key("query", optional: \.query, .text, "The first parameter of this name in the query."),
        ]
        let format = Format<HashSourceDraft>.object(
            "upstreams.*.hash", start: HashSourceDraft(), keys: keys, word: ("address", HashSourceDraft()),
            rules: [.exactlyOne(["header", "cookie", "query"])]
        ).map({ draft, _ in draft.source }, { HashSourceDraft($0) })
        return Format(
            expected: format.expected, decode: format.decode,
            encode: { source, encoding in
                source == .address ? .scalar("address") : format.encode(source, encoding)
            }, table: format.table)
    }
}

extension Format where Value == HealthCheck {
    static var healthCheck: Format {
        .object(
            "upstreams.*.health_check", start: HealthCheck(path: ""),
            keys: [
                Key("path", \.path, .text("a path"), required: true, "What is asked for, such as `/healthz`."),
                Key("every", \.every, .duration, "The time between two of them."),
                Key("timeout", \.timeout, .duration, "The time in which one must be answered."),
                Key(
                    "fall", \.fall, .integer,
                    "How many have to fail one after the other until a server gets no more requests."),
                Key(
                    "rise", \.rise, .integer,
                    "How many have to succeed one after the other until it gets requests again."),
                Key("status", optional: \.status, .integer, "The status that is a success; else any from 200 to 399."),
            ], short: "path")
    }
}

extension Format where Value == PassiveHealth {
    static var passiveHealth: Format {
        .object(
            "upstreams.*.passive", start: PassiveHealth(),
            keys: [
                Key(
                    "failures", \.failures, .integer,
                    "After so many of them one after the other (no connection, no answer or a broken one) a server gets "
                        + "no requests while others serve. 0: they never count."),
                Key(
                    "for", \.duration, .duration,
                    "How long it gets none. Then it gets one at a time until one of them succeeds. When nobody else is left "
                        + "it is asked all the same."),
            ])
    }
}

extension Format where Value == UpstreamQueue {
    static var upstreamQueue: Format {
        .object(
            "upstreams.*.queue", start: UpstreamQueue(),
            keys: [
                Key("size", \.size, .integer, "Most that wait at once; then 503. 0: none waits."),
                Key("timeout", \.timeout, .duration, "How long one waits; then 503."),
            ])
    }
}

extension Format where Value == UpstreamKeepAlive {
    static var upstreamKeepAlive: Format {
        .object(
            "upstreams.*.keep_alive", start: UpstreamKeepAlive(),
            keys: [
                Key(
                    "connections", \.connections, .integer,
                    "Most that idle, for each server and worker. 0: none is kept."),
                Key("idle", \.idle, .duration, "How long one may idle."),
            ])
    }
}

extension Format where Value == UpstreamTimeouts {
    static var upstreamTimeouts: Format {
        .object(
            "upstreams.*.timeouts", start: UpstreamTimeouts(),
            keys: [
                Key("connect", \.connect, .duration, "Until a connection is there, its TLS handshake included."),
                Key("first_byte", \.firstByte, .duration, "From the end of a request to the head of its answer."),
                Key(
                    "idle", \.idle, .duration, "Between two pieces of an answer, or of a request's body on either side."
                ),
                Key(
                    "tunnel", \.tunnel, .duration,
                    "Without a byte in either direction of an upgraded connection (WebSocket)."),
                Key("stream", \.stream, .duration, "Between two pieces of an answer that is a stream."),
            ])
    }
}

/// TLS as it stands in a file.
struct UpstreamTLSDraft {
    var tls = UpstreamTLS()
    var certificate: String?
    var key: String?

    init() {}

    init(_ tls: UpstreamTLS) {
        self.tls = tls
        certificate = tls.clientCertificate?.certificate
        key = tls.clientCertificate?.key
    }

    var whole: UpstreamTLS {
        var whole = tls
        if let certificate, let key { whole.clientCertificate = CertificateFiles(certificate: certificate, key: key) }
        return whole
    }
}

extension Format where Value == UpstreamTLS {
    static var upstreamTLS: Format {
        let keys: [Key<UpstreamTLSDraft>] = [
            Key(
                "ca", optional: \.tls.certificateAuthority, .file,
                "A PEM file with the authorities that servers are verified with; else the system's."),
            Key(
                "certificate", optional: \.certificate, .file,
                "A PEM file with a certificate that is shown to servers (mutual TLS), then its intermediates."),
            Key("key", optional: \.key, .file, "A PEM file with its private key."),
            Key(
                "server_name", optional: \.tls.serverName, .text("a host name"),
                "The name that is asked for (SNI) and that a server's certificate must have; else that of its URL."),
        ]
        return Format<UpstreamTLSDraft>.object(
            "upstreams.*.tls", start: UpstreamTLSDraft(), keys: keys,
            rules: [.needs(["certificate"], "key"), .needs(["key"], "certificate")]
        ).map({ draft, _ in draft.whole }, { UpstreamTLSDraft($0) })
    }
}
