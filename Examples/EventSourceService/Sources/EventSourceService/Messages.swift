/// What the service can do beyond the standard.
struct Capabilities: Encodable {
    let name = "Sluice EventSource"
    let capabilities = [
        "bom", "comments", "headers", "last-event-id", "post", "read-timeout", "report", "restart",
        "server-directed-shutdown-request",
    ]
}

/// What a client is to do. Anything but the two URLs may be absent or null.
struct Order: Decodable {
    let streamUrl: String
    let callbackUrl: String
    let tag: String?
    let initialDelayMs: Int?
    let readTimeoutMs: Int?
    let lastEventId: String?
    let headers: [String: String]?
    let method: String?
    let body: String?
}

/// What a running client is asked to do.
struct Command: Decodable {
    let command: String
}

/// What a client met.
struct Report: Encodable {
    struct Event: Encodable {
        let type: String
        let data: String
        let id: String
    }

    let kind: String
    var event: Event?
    var comment: String?
    var error: String?
}
