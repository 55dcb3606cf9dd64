internal import SluiceSSE

/// An event as an `EventSource` gets it. Text that is not UTF-8 was repaired with U+FFFD.
public struct ReceivedEvent: Sendable, Hashable {
    /// The type; `message` where the server sent none.
    public var type: String
    /// The text, its lines separated by LF.
    public var data: String
    /// The last event id: this event's own, else that of an earlier one; empty when there is none.
    public var lastEventID: String

    /// An event.
    public init(_ data: String, type: String = "message", lastEventID: String = "") {
        self.data = data
        self.type = type
        self.lastEventID = lastEventID
    }

    init(_ event: ParsedEvent) {
        data = String(decoding: event.data, as: UTF8.self)
        type = event.type.isEmpty ? "message" : String(decoding: event.type, as: UTF8.self)
        lastEventID = String(decoding: event.lastEventID, as: UTF8.self)
    }
}

/// Something that an `EventSource` left out.
public struct EventSourceNotice: Sendable, Hashable {
    let name: String

    /// An event or a comment over the limits was dropped; reading goes on behind it.
    public static let oversized = EventSourceNotice(name: "oversized")
    /// An event was dropped that the server had sent before the reconnect.
    public static let duplicate = EventSourceNotice(name: "duplicate")
    /// The server repeats ids within one connection, so that duplicates cannot be told and are no longer dropped.
    public static let repeatedIDs = EventSourceNotice(name: "repeated ids")
}

/// Why a stream is over, or why there is none.
public struct EventSourceError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing failed. Kinds may be added, so switch over them with a default.
    public struct Kind: Sendable, Hashable {
        let fault: FeedFault

        /// The name has no address.
        public static let lookup = Kind(fault: .lookup)
        /// No address takes a connection, or it broke before it carried anything.
        public static let connect = Kind(fault: .connect)
        /// The TLS handshake or session failed.
        public static let tls = Kind(fault: .tls)
        /// The server's certificate is not accepted.
        public static let certificate = Kind(fault: .certificate)
        /// The answer is no HTTP.
        public static let http = Kind(fault: .http)
        /// A status that is tried again with backoff: 5xx, 400, 408, 425, 429 and others.
        public static let status = Kind(fault: .status)
        /// 401, 403, 404 or 410, tried again after `FeedRetry.refused`.
        public static let refused = Kind(fault: .refused)
        /// 204: the server asks not to be asked again.
        public static let stopped = Kind(fault: .stopped)
        /// The media type is not `text/event-stream`.
        public static let mediaType = Kind(fault: .mediaType)
        /// The content coding is not known, or the content is not what it claims to be.
        public static let coding = Kind(fault: .coding)
        /// A redirect that cannot be followed.
        public static let redirect = Kind(fault: .redirect)
        /// Nothing came for too long.
        public static let timeout = Kind(fault: .timeout)
        /// The stream was cut in the middle.
        public static let cut = Kind(fault: .cut)
        /// The stream ended properly.
        public static let ended = Kind(fault: .ended)
    }

    /// What kind of thing failed.
    public let kind: Kind
    /// What failed and why, for a person.
    public let message: String
    /// The time until the next attempt; `nil`: there will be none, and the sequences end.
    public let retryAfter: Duration?

    /// The message.
    public var description: String { message }
}
