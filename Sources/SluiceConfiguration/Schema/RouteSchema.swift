import Sluice

/// A route as it stands in a file: each target under a key of its own.
struct RouteDraft {
    var match = RouteMatch(path: "")
    var subscribe: SubscribeDraft?
    var publish: PublishDraft?
    var respond: FixedResponse?
    var proxy: ProxyOptions?
    var redirect: Redirect?
    var files: FileOptions?
    var cors: CORSPolicy?
    var authorization: Authorization?
    var rewrite: PathRewrite?
    var requestHeaders: HeaderEdits?
    var responseHeaders: HeaderEdits?
    var limits: RouteLimits?
    var securityHeaders: SecurityHeaders?
    var requestID: Bool?

    init() {}

    init(_ route: Route) {
        match = route.match
        cors = route.cors
        authorization = route.authorization
        rewrite = route.rewrite
        requestHeaders = route.requestHeaders
        responseHeaders = route.responseHeaders
        limits = route.limits
        securityHeaders = route.securityHeaders
        requestID = route.requestID
        switch route.target.kind {
        case .subscribe(let topics): subscribe = SubscribeDraft(topics: topics)
        case .choose(let query, let allow): subscribe = SubscribeDraft(query: query, allow: allow)
        case .publish(let topic): publish = PublishDraft(topic: topic)
        case .publishAllowed(let patterns): publish = PublishDraft(allow: patterns)
        case .respond(let response): respond = response
        case .proxy(let options): proxy = options
        case .redirect(let redirect): self.redirect = redirect
        case .files(let files): self.files = files
        }
    }

    var route: Route {
        let target: RouteTarget =
            if let subscribe { subscribe.target } else if let publish { publish.target } else if let proxy {
                .proxy(proxy)
            } else if let redirect {
                .redirect(to: redirect.location, status: redirect.status)
            } else if let files {
                .files(files)
            } else {
                .respond(respond ?? FixedResponse())
            }
        var route = Route(match, target, cors: cors, authorization: authorization)
        route.rewrite = rewrite
        route.requestHeaders = requestHeaders
        route.responseHeaders = responseHeaders
        route.limits = limits
        route.securityHeaders = securityHeaders
        route.requestID = requestID
        return route
    }
}

extension Format where Value == Route {
    static var route: Format {
        let keys: [Key<RouteDraft>] = [
            Key("match", \.match, .match, required: true, "Which requests it takes."),
            Key("subscribe", optional: \.subscribe, .subscribe, "Serves topics as an event stream."),
            Key("publish", optional: \.publish, .publish, "Publishes the body of a POST."),
            Key("proxy", optional: \.proxy, .proxy, "Passes requests on to the servers of an upstream."),
            Key("respond", optional: \.respond, .respond, "Answers with something fixed."),
            Key("redirect", optional: \.redirect, .redirect, "Sends clients elsewhere."),
            Key("files", optional: \.files, .files, "Serves the files of a folder."),
            Key("cors", optional: \.cors, .cors, "Which other origins' pages may use the route; none without it."),
            Key("auth", optional: \.authorization, .authorization, "What a request must show."),
            Key(
                "rewrite", optional: \.rewrite, .rewrite,
                "The path that a server behind the route is asked for, or that is looked for below the root of `files`."
            ),
            Key(
                "request_headers", optional: \.requestHeaders, .edits("request"),
                "Changes to the fields that a server behind the route gets."),
            Key(
                "response_headers", optional: \.responseHeaders, .edits("response"),
                "Changes to the fields of every answer of the route, event streams and errors too."),
            Key("limits", optional: \.limits, .routeLimits, "What bounds the route's clients, before `auth` is asked."),
            Key(
                "security_headers", \.securityHeaders, .securityHeaders,
                "Fields that tell browsers to be careful; an answer that has one of them keeps its own."),
            Key("request_id", optional: \.requestID, .boolean, "Whether answers have `X-Request-ID`."),
        ]
        return Format<RouteDraft>.object(
            "routes[]", start: RouteDraft(), keys: keys,
            rules: [.exactlyOne(["subscribe", "publish", "proxy", "respond", "redirect", "files"])]
        ).map({ draft, _ in draft.route }, { RouteDraft($0) })
    }
}

extension Format where Value == RouteMatch {
    static var match: Format {
        .object(
            "routes[].match", start: RouteMatch(path: ""),
            keys: [
                Key(
                    "host", \.hosts, .list(of: .text, "hosts", broken: "", allowsOne: true),
                    "A host name without port, or several. `*.example.com` matches exactly one more label."
                ).written { !$0.hosts.isEmpty },
                Key(
                    "path", \.path, .text("a path"), required: true,
                    "A path pattern: literal segments, `{name}` for one segment, and a last `/**` for the rest."),
                Key(
                    "methods", \.methods, .list(of: .text, "methods", broken: ""),
                    "Methods. Without it those that the target serves by itself: GET and HEAD, POST for `publish`."),
                Key(
                    "accept", optional: \.accept, .text,
                    "A media type that the request's Accept must name; `*/*` and no Accept do not."),
                Key(
                    "headers", \.headers, .dictionary(of: .valueTest, "tests", broken: .present),
                    "Header fields by name, each with what it must be."
                ).written { !$0.headers.isEmpty },
                Key(
                    "query", \.query, .dictionary(of: .valueTest, "tests", broken: .present),
                    "Values in the query by name, each with what it must be; names and values are compared decoded."
                ).written { !$0.query.isEmpty },
                Key(
                    "client", \.clients, .list(of: .text, "networks", broken: "", allowsOne: true),
                    "Networks (`10.0.0.0/8`, a bare address), one of which the client is in; behind a trusted proxy the "
                        + "client that it names."
                ).written { !$0.clients.isEmpty },
            ], short: "path")
    }
}

/// The topics of a stream as they stand in a file: listed, or chosen by the query.
struct SubscribeDraft {
    var topics: [String] = []
    var query: String?
    var allow: [String] = []

    var target: RouteTarget { query.map { .subscribe(query: $0, allow: allow) } ?? .subscribe(topics: topics) }
}

extension Format where Value == SubscribeDraft {
    static var subscribe: Format {
        .object(
            "routes[].subscribe", start: SubscribeDraft(),
            keys: [
                Key(
                    "topics", \.topics, .list(of: .text, "topics", broken: "", allowsOne: true),
                    "One topic or several. `{name}` in a name is filled from the path. Several need `ids: gateway`; "
                        + "where their options for a stream differ, the first one's count."
                ).written { $0.query == nil },
                Key(
                    "query", optional: \.query, .text("a name in the query"),
                    "The query chooses the topics, under this name: `?topic=a&topic=b` for `query: topic`. At most 100."
                ),
                Key(
                    "allow", \.allow, .list(of: .text, "topics", broken: "", allowsOne: true),
                    "What the query may choose. A last segment `*` stands for the rest of a name: `feed.*`."
                ).written { $0.query != nil },
            ], short: "topics", rules: [.exactlyOne(["topics", "query"]), .needs(["allow"], "query")])
    }
}

/// Which topics a route publishes to, as it stands in a file.
struct PublishDraft {
    var topic: String?
    var allow: [String]?

    var target: RouteTarget { allow.map { .publish(allow: $0) } ?? .publish(topic: topic ?? "") }
}

extension Format where Value == PublishDraft {
    static var publish: Format {
        .object(
            "routes[].publish", start: PublishDraft(),
            keys: [
                Key(
                    "topic", optional: \.topic, .text("the name of a topic"),
                    "The topic's name. `{name}` in it is filled from the path."),
                Key(
                    "allow", optional: \.allow, .list(of: .text, "patterns", broken: "", allowsOne: true),
                    "The request names the topic: `topic` of each JSON event, else `?topic=`. Allowed are names and "
                        + "patterns such as `feed.*`, whose last `*` stands for the rest of a name."),
            ], short: "topic", rules: [.exactlyOne(["topic", "allow"])])
    }
}

extension Format where Value == FixedResponse {
    static var respond: Format {
        .object(
            "routes[].respond", start: FixedResponse(),
            keys: [
                Key("status", \.status, .integer, "The status, 200 to 599."),
                Key(
                    "headers", \.headers, .fields,
                    "Fields of the response; a list gives one of them several times. Content-Type is "
                        + "`text/plain; charset=utf-8`, for a file what its name says."),
                Key("body", \.body, .text, "The body.").written { $0.file == nil },
                Key("file", optional: \.file, .file, "A file with the body, read when the gateway starts."),
            ], short: "body", rules: [.atMostOne(["body", "file"])])
    }
}

extension Format where Value == [(name: String, value: String)] {
    /// Names with one value or several, in the order of the file.
    static var fields: Format {
        let values = Format<[String]>.list(of: .text, "values", broken: "", allowsOne: true)
        return Format(
            expected: "fields by name",
            decode: { item, _, decoding in
                guard let entries = item.entries else {
                    decoding.fail(item, expected: "fields by name")
                    return nil
                }
                return entries.flatMap { entry in
                    let texts = decoding.within(.key(entry.name), at: entry.place) {
                        // A field may be empty, a list of none says nothing.
                        entry.value.isEmpty ? [""] : values.decode(entry.value, nil, decoding) ?? []
                    }
                    return texts.map { (name: entry.name, value: $0) }
                }
            },
            encode: { fields, encoding in
                var names: [String] = []
                for field in fields where !names.contains(field.name) { names.append(field.name) }
                return .map(
                    names.map { name in
                        let texts = fields.filter { $0.name == name }.map(\.value)
                        let tree = values.encode(texts, encoding)
                        if case .list(let items) = tree, items.count == 1 { return (name, items[0]) }
                        return (name, tree)
                    })
            })
    }
}

extension Format where Value == CORSPolicy {
    static var cors: Format {
        .object(
            "routes[].cors", start: CORSPolicy(origins: []),
            keys: [
                Key(
                    "origins", \.origins, .list(of: .text, "origins", broken: ""), required: true,
                    "Exact origins such as `https://app.example.com`, all names below one (`https://*.example.com`, with its "
                        + "scheme and port), or `\"*\"` for any."),
                Key(
                    "credentials", \.credentials, .boolean,
                    "Whether cookies and HTTP authentication are allowed. Not together with `\"*\"`."),
                Key(
                    "headers", \.headers, .list(of: .text, "fields", broken: ""),
                    "Request fields allowed beside Last-Event-ID, Authorization, Cache-Control and Content-Type."),
                Key(
                    "expose", \.exposedHeaders, .list(of: .text, "fields", broken: ""),
                    "Response fields that a page may read beside Last-Event-ID."),
                Key("max_age", \.maxAge, .duration, "How long a browser may keep the answer to a preflight."),
            ])
    }
}

extension Format where Value == Authorization {
    static var authorization: Format {
        let keys = [
            Key<Secret>(
                "bearer", \.self, .secret, required: true,
                "The token that `Authorization: Bearer` must carry.")
        ]
        return Format<Secret>.object("routes[].auth", start: Secret(""), keys: keys, isSecret: true)
            .map(
                { token, _ in .bearer(token) },
                { authorization in
                    switch authorization.kind {
                    case .bearer(let token): token
                    }
                })
    }
}
