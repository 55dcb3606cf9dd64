/// What a route does with the requests that it takes.
public struct RouteTarget: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case subscribe(topics: [String])
        case choose(query: String, allow: [String])
        case publish(topic: String)
        case publishAllowed(patterns: [String])
        case respond(FixedResponse)
        case proxy(ProxyOptions)
        case redirect(Redirect)
        case files(FileOptions)
    }
    package let kind: Kind

    /// Serves topics as an event stream. `{name}` in a topic's name is filled from the path.
    public static func subscribe(_ topics: String...) -> RouteTarget { .subscribe(topics: topics) }
    /// Serves topics as an event stream. `{name}` in a topic's name is filled from the path.
    public static func subscribe(topics: [String]) -> RouteTarget { RouteTarget(kind: .subscribe(topics: topics)) }
    /// Serves the topics that a request's query names, `?topic=a&topic=b`, as one event stream.
    /// - Parameters:
    ///   - query: the name in the query.
    ///   - allow: what may be chosen: names, and patterns such as `feed.*` in which a last `*` stands for the rest.
    public static func subscribe(query: String, allow: [String]) -> RouteTarget {
        RouteTarget(kind: .choose(query: query, allow: allow))
    }
    /// Publishes the body of a POST to a topic. `{name}` in its name is filled from the path.
    public static func publish(topic: String) -> RouteTarget { RouteTarget(kind: .publish(topic: topic)) }
    /// Publishes the body of a POST to the topics that it names: `topic` of each event in JSON, else `?topic=` of the
    /// query. Allowed are those that a pattern takes: a name, or `feed.*`, whose `*` stands for the rest of a name.
    public static func publish(allow patterns: [String]) -> RouteTarget {
        RouteTarget(kind: .publishAllowed(patterns: patterns))
    }
    /// Passes requests on to the servers of an upstream of the configuration.
    public static func proxy(_ upstream: String) -> RouteTarget { .proxy(ProxyOptions(upstream: upstream)) }
    /// Passes requests on to the servers of an upstream of the configuration.
    public static func proxy(_ options: ProxyOptions) -> RouteTarget { RouteTarget(kind: .proxy(options)) }
    /// Answers with something fixed.
    public static func respond(_ response: FixedResponse) -> RouteTarget { RouteTarget(kind: .respond(response)) }
}

/// A response that is the same for every request.
public struct FixedResponse: Sendable, Equatable {
    /// The status, 200 to 599.
    public var status: Int
    /// Fields as names and values, in order. Content-Type defaults to `text/plain; charset=utf-8`, for a file to what
    /// its name says.
    public var headers: [(name: String, value: String)] {
        get { fields.map { ($0.name, $0.value) } }
        set { fields = newValue.map { Field(name: $0.name, value: $0.value) } }
    }
    /// The body; ignored when there is a file.
    public var body: String
    /// A file that is read when the gateway starts.
    public var file: String?

    package struct Field: Sendable, Equatable {
        package var name: String
        package var value: String
    }
    package var fields: [Field]

    /// A response.
    public init(
        status: Int = 200, headers: [(name: String, value: String)] = [], body: String = "", file: String? = nil
    ) {
        self.status = status
        self.fields = headers.map { Field(name: $0.name, value: $0.value) }
        self.body = body
        self.file = file
    }
}
