internal import SluiceHTTP

/// The cursor that a client brings.
enum Cursor {
    /// From the Last-Event-ID field, else from the query under any of the names that client libraries use.
    static func lastEventID(of head: RequestHead) -> [UInt8]? {
        if let value = head.fields.first(.lastEventID), !value.isEmpty { return Array(value) }
        let names = ["last_event_id", "lastEventId", "lastEventID"]
        return QueryString.value(of: names, in: head.query)?.decoded
    }
}
