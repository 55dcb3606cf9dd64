import Sluice

/// What a file says: a configuration, and what its topics start from.
struct FileDraft {
    var configuration = Configuration()
    var topicDefaults = TopicOptions()
}

extension Format where Value == FileDraft {
    /// All of a file. What is here, and only that, is read, printed and described.
    static var file: Format {
        .object(
            Table.topName, start: FileDraft(),
            keys: [
                Key(
                    "workers", \.configuration.workers, .optional("auto", .integer("auto or a whole number")),
                    "Event loops, each with a thread of its own. `auto`: one per core."),
                Key("log", \.configuration.log, .log, "What is logged to standard error, and how."),
                Key(
                    "listeners", \.configuration.listeners,
                    .list(of: .listener, "listeners", broken: ListenerOptions("")), required: true,
                    "Where the gateway listens."),
                Key(
                    "sources", \.configuration.sources,
                    .dictionary(of: .source, "sources", broken: .feed(url: "")),
                    "What feeds topics, by name."),
                Key(
                    "topic_defaults", .topicDefaults, required: false,
                    "What topics start from: the keys of a topic, but for `sources`.",
                    decode: { item, root, decoding in
                        let format = Format<TopicOptions>.topicDefaults
                        root.topicDefaults = format.decode(item, root.topicDefaults, decoding) ?? root.topicDefaults
                    },
                    // Each topic is written with all that it is.
                    encode: { _, _ in nil }),
                .topics,
                Key(
                    "upstreams", \.configuration.upstreams,
                    .dictionary(of: .upstream, "upstreams", broken: UpstreamOptions(servers: [])),
                    "Pools of servers that requests are proxied to, by name."),
                Key(
                    "routes", \.configuration.routes, .list(of: .route, "routes", broken: RouteDraft().route),
                    "Which requests are answered how; the first match in file order wins."),
                Key("limits", \.configuration.limits, .limits, "What bounds peers."),
                Key(
                    "trusted_proxies", \.configuration.trustedProxies, .list(of: .text, "networks", broken: ""),
                    "Networks (`10.0.0.0/8`, `::1/128`, a bare address) whose X-Forwarded-For is believed, and which "
                        + "may connect to listeners with `proxy_protocol`."),
                Key(
                    "merge_slashes", \.configuration.mergesSlashes, .boolean,
                    "Whether routes see several slashes in a row as one, so that `//admin` does not pass by a rule for "
                        + "`/admin`. A path is passed on as it came."),
                Key(
                    "request_id", \.configuration.requestID, .boolean,
                    "Whether answers have `X-Request-ID`: the client's own where it is one of 1 to 128 visible characters, "
                        + "else 128 random bits. Routes may say otherwise."),
                Key(
                    "shutdown_grace", \.configuration.shutdownGrace, .duration,
                    "The time that streams have to end after a stop was asked for."),
            ])
    }
}

extension Key where Root == FileDraft {
    /// Topics start from the defaults of the file.
    fileprivate static var topics: Key {
        let format = Format<[String: TopicOptions]>.dictionary(of: .topic, "topics", broken: TopicOptions())
        return Key(
            "topics", format, required: false,
            "Topics by name. A name with `{parameters}` is a template: its topics are made on demand and dropped when "
                + "idle.",
            decode: { item, root, decoding in
                let names = (item.entries ?? []).map { ($0.name, root.topicDefaults) }
                let start = Dictionary(names) { first, _ in first }
                if let topics = format.decode(item, start, decoding) { root.configuration.topics = topics }
            },
            encode: { root, encoding in format.encode(root.configuration.topics, encoding) })
    }
}

extension Format where Value == LogOptions {
    static var log: Format {
        .object(
            "log", start: LogOptions(),
            keys: [
                Key(
                    "level", \.level, .text("a level"),
                    "`trace`, `debug`, `info`, `notice`, `warning`, `error` or `critical`."),
                Key(
                    "format", \.format, .choice(["text": .text, "json": .json]),
                    "One line of text, or one JSON object a line."),
                Key(
                    "access", \.access, .accessLog,
                    "The access log: a line for each request that was answered, and for each stream one when it begins and "
                        + "one when it is over."),
            ])
    }
}

extension Format where Value == Limits {
    static var limits: Format {
        .object(
            "limits", start: Limits(),
            keys: [
                Key(
                    "connections", \.connections, .optional("auto", .integer("auto or a whole number")),
                    "Connections of the whole process. `auto` derives it from the limit of open files, raised as far "
                        + "as it goes."),
                Key(
                    "connections_per_address", \.connectionsPerAddress, .integer,
                    "Connections from one client address; behind a trusted proxy from the client that it names."),
                Key("streams", \.streams, .integer, "Streams that one HTTP/2 connection may have open."),
                Key("request_line", \.requestLine, .size, "Bytes of a request's first line."),
                Key("request_head", \.requestHead, .size, "Bytes of a request's head, its first line included."),
                Key("request_fields", \.requestFields, .integer, "Fields of a request's head."),
                Key(
                    "request_head_timeout", \.requestHeadTimeout, .duration,
                    "The time from the first byte of a request to the end of its head; then 408."),
                Key("keep_alive", \.keepAlive, .duration, "The time that a connection may idle between two requests."),
                Key("publish_body", \.publishBody, .size, "Bytes of the body of a request that publishes; then 413."),
                Key(
                    "publish_events", \.publishEvents, .integer,
                    "Events that one request may publish; then 413. While they are read, other clients of that worker "
                        + "wait."),
                Key(
                    "write_timeout", \.writeTimeout, .duration,
                    "The time in which a client must take some of what is written to it; then it is cut off."),
                Key("topics", \.topics, .integer, "Topics that exist at once, those made from templates included."),
                Key(
                    "log_bytes", \.logBytes, .optional("auto", .size("auto or a size such as 512MiB")),
                    "Memory of all topics' logs together, with all that belongs to it. Over it the topic with the "
                        + "largest log loses its oldest event until all fit. `auto`: a quarter of what the process "
                        + "may use."),
                Key(
                    "feeds", \.feeds, .optional("auto", .integer("auto or a whole number")),
                    "Upstream connections of feeds. Those over it wait, while their subscribers get heartbeats. `auto`: "
                        + "a quarter of the limit of open files."),
                Key("feed_line", \.feedLine, .size, "Bytes of one line of an upstream feed."),
                Key("feed_event", \.feedEvent, .size, "Bytes of one event of an upstream feed."),
                Key(
                    "on_limit", \.onLimit, .choice(["retry": .retry, "status": .status]),
                    "What an `EventSource` gets that is refused for load. It dies for good on 429 and 503, so `retry` "
                        + "answers 200, a `retry:` of 10 to 60 s and the end; `status` gives the status."),
            ])
    }
}
