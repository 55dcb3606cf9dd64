/// An error that says what failed, where, and whose fault it is. Kinds may be added, so switch over them with a
/// default.
public struct SluiceError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing failed.
    public struct Kind: Sendable, Hashable {
        let name: String

        /// The configuration is wrong; the message holds every problem.
        public static let configuration = Kind(name: "configuration")
        /// An address cannot be listened on.
        public static let listen = Kind(name: "listen")
        /// A certificate or key cannot be used.
        public static let certificate = Kind(name: "certificate")
        /// A topic does not exist, and no template makes it.
        public static let unknownTopic = Kind(name: "unknown topic")
        /// An event cannot be published as it is.
        public static let badEvent = Kind(name: "bad event")
        /// A limit was reached.
        public static let limit = Kind(name: "limit")
        /// Subscribers are so far behind that nothing can be published at the moment.
        public static let full = Kind(name: "full")
        /// An event, or a batch, is larger than what its topic keeps.
        public static let tooLarge = Kind(name: "too large")
        /// The stream or its client is gone.
        public static let closed = Kind(name: "closed")
        /// The body is larger than the limit given.
        public static let bodyTooLarge = Kind(name: "body too large")
        /// The system refused something.
        public static let system = Kind(name: "system")
    }

    /// What kind of thing failed.
    public let kind: Kind
    /// What failed and why, for a person.
    public let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
