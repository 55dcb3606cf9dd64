internal import SluiceHTTP

/// A publish request as it comes by HTTP: the body is the data of one event, `event` and `id` come from the query.
struct PublishRequest {
    let type: [UInt8]?
    let id: [UInt8]?

    /// Whether the body's media type is one that is taken as data: text/plain, curl's default form type, or none.
    static func accepts(_ fields: FieldBlock) -> Bool {
        guard let value = fields.first(.contentType) else { return true }
        let type = String(decoding: value.prefix { $0 != 0x3B && $0 != 0x20 }, as: UTF8.self).lowercased()
        return type == "text/plain" || type == "application/x-www-form-urlencoded"
    }

    init(_ head: RequestHead, body: [UInt8]) throws(SluiceError) {
        guard UTF8Check.isValid(body) else { throw SluiceError(.badEvent, "the body is not UTF-8") }
        type = try PublishRequest.field("event", head)
        id = try PublishRequest.field("id", head)
    }

    private static func field(_ name: String, _ head: RequestHead) throws(SluiceError) -> [UInt8]? {
        guard let raw = QueryString.value(of: [name], in: head.query) else { return nil }
        guard let value = raw.decoded, UTF8Check.isValid(value) else {
            throw SluiceError(.badEvent, "the query's \(name) is not percent-encoded UTF-8")
        }
        return value
    }
}

/// The cursor that a client brings.
enum Cursor {
    /// From the Last-Event-ID field, else from the query under any of the names that client libraries use.
    static func lastEventID(of head: RequestHead) -> [UInt8]? {
        if let value = head.fields.first(.lastEventID), !value.isEmpty { return Array(value) }
        let names = ["last_event_id", "lastEventId", "lastEventID"]
        return QueryString.value(of: names, in: head.query)?.decoded
    }
}
