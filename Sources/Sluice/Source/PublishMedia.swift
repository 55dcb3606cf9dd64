internal import SluiceHTTP

/// What the body of a publish request is.
enum PublishMedia: Sendable {
    /// The data of one event. Also without a Content-Type, and under the form type that curl sends by itself.
    case text
    /// The data of one event, published as base64.
    case binary
    /// One event or a list of them.
    case json
    /// An event stream.
    case eventStream

    /// What may be sent, for the Accept field of a refusal (RFC 9110, section 15.5.16).
    static let accepted = "text/plain, application/json, text/event-stream, application/octet-stream"

    init(_ fields: FieldBlock) throws(PublishRefusal) {
        guard !fields.has(.contentEncoding) || ContentCoding(of: fields) == .identity else {
            throw PublishRefusal(415, "publish takes no Content-Encoding: send the body as it is")
        }
        guard let value = fields.first(.contentType) else {
            self = .text
            return
        }
        guard fields.count(of: .contentType) == 1 else {
            throw PublishRefusal(415, "the Content-Type is malformed")
        }
        // The usual one is not taken apart.
        if fields.has(.contentType, "text/plain") {
            self = .text
            return
        }
        guard let type = MediaType(value) else {
            throw PublishRefusal(415, "the Content-Type is malformed")
        }
        if type.matches("application/octet-stream") {
            self = .binary
            return
        }
        if type.matches("text/plain") || type.matches("application/x-www-form-urlencoded") {
            self = .text
        } else if type.matches("application/json") {
            self = .json
        } else if type.matches("text/event-stream") {
            self = .eventStream
        } else {
            throw PublishRefusal(415, "publish takes \(Self.accepted)")
        }
        guard let charset = type.parameter("charset") else { return }
        let name = String(decoding: charset, as: UTF8.self).lowercased()
        guard ["utf-8", "utf8", "us-ascii"].contains(name) else {
            throw PublishRefusal(415, "the charset of a body has to be utf-8")
        }
    }
}
