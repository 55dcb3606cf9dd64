/// A source that reads an upstream SSE stream and reconnects for ever.
public struct FeedOptions: Sendable, Equatable {
    /// An `http` or `https` URL. `{name}` is filled from the topic's parameters.
    public var url: String
    /// Fields sent with every request. Values may be secrets: they are never logged, nor sent to another origin.
    public var headers: [String: Secret] = [:]
    /// What the request shows of who asks; sent to the URL's origin only.
    public var credentials: FeedCredentials?
    /// When it connects again.
    public var retry = FeedRetry()
    /// The time without a byte after which a connection counts as dead.
    public var idleTimeout: Duration = .seconds(45)
    /// A PEM file with the authorities that upstream certificates are verified with. `nil`: the system's.
    public var certificateAuthority: String?
    /// A certificate that is shown to the URL's origin (mutual TLS).
    public var clientCertificate: CertificateFiles?
    /// What is put before the upstream's ids when its events are published, so that those of several feeds differ
    /// under `ids: upstream`. Never sent upstream.
    public var idPrefix: String = ""
    /// How many of the upstream's ids are kept to find what it sends again after a reconnect. 0: nothing is looked for.
    public var dedupe: Int = 1024
    /// When it is connected.
    public var connect: FeedConnect = .automatic
    /// How long a feed that connects on demand stays connected after the last subscriber left.
    public var linger: Duration = .seconds(30)
    /// Which of its events are published, and with what types.
    public var events = FeedEvents()
    /// The type of the events that tell subscribers how the feed is. `nil`: none are published.
    public var statusEvent: String?

    /// A feed of this URL with the default options.
    public init(url: String) { self.url = url }
}

/// When a feed is connected.
public struct FeedConnect: Sendable, Hashable {
    package enum Kind { case automatic, always, onDemand }
    package let kind: Kind

    /// `onDemand` when the URL has `{parameters}`, else `always`.
    public static let automatic = FeedConnect(kind: .automatic)
    /// From the start, and for topics made from templates as long as they exist.
    public static let always = FeedConnect(kind: .always)
    /// From the first subscriber of any of its topics until `linger` after the last one. Its position in the upstream's
    /// stream is kept meanwhile.
    public static let onDemand = FeedConnect(kind: .onDemand)
}

/// Which events of a feed are published, and with what types: they are filtered, then renamed, then prefixed. An event
/// without a type counts as one of type `message` in all three.
public struct FeedEvents: Sendable, Equatable {
    /// The types that are published. Empty: all.
    public var include: [String] = []
    /// The types that are not.
    public var exclude: [String] = []
    /// Other names for types.
    public var rename: [String: String] = [:]
    /// What is put before every type.
    public var prefix: String = ""

    /// All events, as they are.
    public init() {}
}

/// The delays of a feed's reconnects: doubling from `initial` to `maximum`, shortened at random by up to `jitter`.
public struct FeedRetry: Sendable, Equatable {
    /// The first delay.
    public var initial: Duration = .seconds(1)
    /// The longest delay.
    public var maximum: Duration = .seconds(30)
    /// The part of a delay that chance may take off, 0 to 1.
    public var jitter: Double = 0.5
    /// The time of good state after which delays start over.
    public var resetAfter: Duration = .seconds(60)
    /// The delay after 401, 403, 404 and 410.
    public var refused: Duration = .seconds(300)

    /// The defaults.
    public init() {}
}

/// What a feed's request shows of who asks.
public struct FeedCredentials: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case bearer(Secret)
        case basic(user: String, password: Secret)
    }
    package let kind: Kind

    /// `Authorization: Bearer <token>` (RFC 6750).
    public static func bearer(_ token: Secret) -> FeedCredentials { FeedCredentials(kind: .bearer(token)) }
    /// `Authorization: Basic ...` (RFC 7617), in UTF-8.
    public static func basic(user: String, password: Secret) -> FeedCredentials {
        FeedCredentials(kind: .basic(user: user, password: password))
    }

    /// The value of the Authorization field.
    var field: String {
        switch kind {
        case .bearer(let token): "Bearer \(token.value)"
        case .basic(let user, let password):
            "Basic " + String(decoding: Base64.encode(Array("\(user):\(password.value)".utf8)), as: UTF8.self)
        }
    }
}
