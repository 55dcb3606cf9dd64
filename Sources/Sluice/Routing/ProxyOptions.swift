/// How a route passes requests on.
public struct ProxyOptions: Sendable, Equatable {
    /// The name of an upstream of the configuration.
    public var upstream: String
    /// How long a stream of events may be silent before a comment is put in between two events; `nil`: never, so that
    /// bytes stay exactly what the upstream sent.
    public var heartbeat: Duration?
    /// The event that a stream of events ends with when its upstream is lost; `nil`: it is cut off visibly.
    public var onUpstreamLoss: LastEvent?
    /// Protocols that clients may change to (`Upgrade`).
    public var upgrade: [String]

    /// An event of a stream's end.
    public struct LastEvent: Sendable, Equatable {
        /// Its type.
        public var event: String
        /// Its data.
        public var data: String

        /// An event.
        public init(event: String, data: String) {
            self.event = event
            self.data = data
        }
    }

    /// Requests go to this upstream.
    public init(
        upstream: String, heartbeat: Duration? = .seconds(15), onUpstreamLoss: LastEvent? = nil,
        upgrade: [String] = ["websocket"]
    ) {
        self.upstream = upstream
        self.heartbeat = heartbeat
        self.onUpstreamLoss = onUpstreamLoss
        self.upgrade = upgrade
    }
}
