internal import SluiceHTTP

/// The cursor that a client brings.
enum Cursor {
    /// From the Last-Event-ID field, else from the query under any of the names that client libraries use.
    static func lastEventID(of head: RequestHead) -> [UInt8]? {
        if let value = head.fields.first(.lastEventID), !value.isEmpty { return Array(value) }
        return QueryString.value(of: names, in: head.query)?.decoded
    }

    private static let names = ["last_event_id", "lastEventId", "lastEventID"]

    /// Whether it comes from a parameter that a log must not show. Where there are several, the strictest name counts.
    static func isHidden(of head: RequestHead, by mask: TokenMask) -> Bool {
        if let value = head.fields.first(.lastEventID), !value.isEmpty { return false }
        return names.contains { name in
            mask.hides(Array(name.utf8)) && QueryString.value(of: [name], in: head.query) != nil
        }
    }
}
