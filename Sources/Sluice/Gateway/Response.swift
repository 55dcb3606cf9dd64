public import HTTPTypes

/// A program's answer to a request.
public struct Response: Sendable {
    enum Body: Sendable {
        case bytes([UInt8])
        case eventStream(bufferLimit: Int, @Sendable (EventStream) async throws -> Void)
    }

    /// The status.
    public var status: HTTPResponse.Status
    /// Header fields, beside those that the gateway adds by itself.
    public var headerFields: HTTPFields
    let body: Body

    init(status: HTTPResponse.Status, headerFields: HTTPFields, body: Body) {
        self.status = status
        self.headerFields = headerFields
        self.body = body
    }

    /// Any bytes with any media type.
    public static func bytes(
        _ bytes: [UInt8], contentType: String, status: HTTPResponse.Status = .ok
    ) -> Response {
        var fields = HTTPFields()
        fields[.contentType] = contentType
        return Response(status: status, headerFields: fields, body: .bytes(bytes))
    }

    /// Plain text.
    public static func text(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        .bytes(Array(text.utf8), contentType: "text/plain; charset=utf-8", status: status)
    }

    /// A status without a body.
    public static func status(_ status: HTTPResponse.Status) -> Response {
        Response(status: status, headerFields: HTTPFields(), body: .bytes([]))
    }

    /// An event stream that lasts as long as `serve` runs and the client stays.
    /// - Parameters:
    ///   - bufferLimit: bytes that may wait for a client that reads slowly.
    ///   - serve: sends the events. It runs in a task of its own, which is cancelled when the client leaves.
    public static func eventStream(
        bufferLimit: Int = 1024 * 1024, _ serve: @escaping @Sendable (EventStream) async throws -> Void
    ) -> Response {
        var fields = HTTPFields()
        fields[.contentType] = "text/event-stream"
        fields[.cacheControl] = "no-store, no-transform"
        if let name = HTTPField.Name("X-Accel-Buffering") { fields[name] = "no" }
        return Response(status: .ok, headerFields: fields, body: .eventStream(bufferLimit: bufferLimit, serve))
    }
}
