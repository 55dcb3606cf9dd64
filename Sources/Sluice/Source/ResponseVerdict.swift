internal import SluiceHTTP

/// What the head of a response means for an event stream.
enum ResponseVerdict: Equatable, Sendable {
    /// A stream begins.
    case stream(ContentCoding)
    /// It is elsewhere; whether that can be followed is for `Redirects`.
    case redirect(status: UInt16, location: [UInt8]?)
    /// There is no stream.
    case fault(StreamFault)

    /// - Parameter unixSeconds: the time of day, for a date in Retry-After.
    init(_ head: ResponseHead, unixSeconds: Int64) {
        switch head.status {
        case 200: self = Self.stream(head.fields)
        case 204:
            self = .fault(
                StreamFault(
                    .stopped, "the upstream answered 204: no stream, do not ask again", outcome: .stopped,
                    status: 204))
        case 301, 302, 303, 307, 308:
            self = .redirect(status: head.status, location: head.fields.first(.location).map { Array($0) })
        case 401, 403, 404, 410:
            self = .fault(
                StreamFault(
                    .refused, "the upstream refused with \(head.status)", outcome: .refused, status: head.status))
        default:
            let wait = head.fields.string(.retryAfter).flatMap {
                RetryAfter.milliseconds($0, unixSeconds: unixSeconds)
            }
            self = .fault(
                StreamFault(
                    .status, "the upstream answered \(head.status)",
                    outcome: wait.map { .later(milliseconds: $0) } ?? .failed, status: head.status))
        }
    }

    private static func stream(_ fields: FieldBlock) -> ResponseVerdict {
        guard let type = fields.first(.contentType), AcceptHeader.isEventStream(type) else {
            let shown = fields.first(.contentType).map { Printable.text($0) } ?? "missing"
            return .fault(
                StreamFault(.mediaType, "the upstream's media type is not text/event-stream but \(shown)"))
        }
        guard let coding = ContentCoding(of: fields) else {
            let shown = fields.all(.contentEncoding).map { Printable.text($0) }.joined(separator: ", ")
            return .fault(StreamFault(.coding, "the upstream's content coding is not known: \(shown)"))
        }
        return .stream(coding)
    }
}

/// A peer's bytes in a log line or a message.
enum Printable {
    static func text(_ bytes: some Collection<UInt8>) -> String {
        let shown = bytes.prefix(100).map { $0 >= 0x20 && $0 < 0x7F ? $0 : 0x3F }
        return "\"\(String(decoding: shown, as: UTF8.self))\"" + (bytes.count > 100 ? "..." : "")
    }
}
