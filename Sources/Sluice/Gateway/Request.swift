public import HTTPTypes
internal import SluiceHTTP
internal import SluiceIO

/// A request as a program sees it.
public struct Request: Sendable {
    /// The method.
    public let method: HTTPRequest.Method
    /// The header fields.
    public let headerFields: HTTPFields
    /// The path as it came, percent escapes included, without the query.
    public let path: String
    /// What follows `?`, undecoded; `nil` without one.
    public let query: String?
    /// The client's address; behind a trusted proxy the one that it names. A client on a unix socket has none: empty.
    public let remoteAddress: String
    /// The cursor that the client brings, from the Last-Event-ID field or the query; `nil` without one.
    public let lastEventID: String?

    let served: ServedRequest

    /// A media type that a request may ask for.
    public struct MediaType: Sendable, Hashable {
        let name: String

        /// A media type by name, such as `text/html`.
        public init(_ name: String) { self.name = name }

        /// `text/event-stream`
        public static let eventStream = MediaType("text/event-stream")
        /// `application/json`
        public static let json = MediaType("application/json")
        /// `text/html`
        public static let html = MediaType("text/html")
    }

    /// Whether the Accept field names this type with a quality above 0. `*/*` or no Accept do not: an `EventSource`
    /// always names `text/event-stream`, and that is how it is told from other clients.
    public func accepts(_ type: MediaType) -> Bool {
        guard let value = headerFields[.accept] else { return false }
        return AcceptHeader.names(ArraySlice(value.utf8), type.name)
    }

    /// Reads the body.
    /// - Parameter limit: the most bytes that it may have.
    /// - Throws: `SluiceError` of kind `bodyTooLarge`, or `closed` when the client left.
    public func body(upTo limit: Int) async throws -> [UInt8] { try await served.body(upTo: limit) }

    init(_ head: RequestHead, remoteAddress: String, served: ServedRequest) {
        self.served = served
        self.remoteAddress = remoteAddress
        method = HTTPRequest.Method(head.method.name) ?? .get
        path = String(decoding: head.path, as: UTF8.self)
        query = head.query.map { String(decoding: $0, as: UTF8.self) }
        lastEventID = Cursor.lastEventID(of: head).map { String(decoding: $0, as: UTF8.self) }
        var fields = HTTPFields()
        head.fields.forEach { _, name, value in
            guard let name = HTTPField.Name(String(decoding: name, as: UTF8.self)) else { return }
            fields.append(HTTPField(name: name, value: String(decoding: value, as: UTF8.self)))
        }
        headerFields = fields
    }
}
