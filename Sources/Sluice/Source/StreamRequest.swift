internal import SluiceHTTP

/// The request of an event stream, as it is made again for every connection.
struct StreamRequest: Sendable {
    /// A field of the request.
    struct Field: Sendable {
        let name: String
        let value: String
        /// Never sent to another origin, nor logged.
        let isSecret: Bool

        init(_ name: String, _ value: String, isSecret: Bool = false) {
            self.name = name
            self.value = value
            self.isSecret = isSecret || Field.alwaysSecret.contains(name.lowercased())
        }

        private static let alwaysSecret: Set<String> = ["authorization", "cookie", "proxy-authorization"]
    }

    var url: FeedURL
    var method = HTTPMethod.get
    /// In place of the client's own fields of the same name (Accept, Cache-Control).
    var fields: [Field] = []
    var body: [UInt8] = []

    init(url: FeedURL) { self.url = url }

    /// Bytes of an id that is sent: servers bound their fields.
    static let longestID = 4096

    /// Head and body, for one place in a chain of redirects.
    func bytes(for place: Redirects.Place, lastEventID: [UInt8]) -> [UInt8] {
        var block = FieldBlock()
        for field in fields where !(field.isSecret && place.isForeign) {
            // The client's own: a second one would contradict it.
            switch FieldID.lookup(field.name) {
            case .host, .connection, .contentLength, .transferEncoding, .lastEventID, .acceptEncoding: continue
            case .contentType where !place.keepsBody: continue
            default: block.append(name: field.name, value: field.value)
            }
        }
        if !block.has(.accept) { block.append(.accept, "text/event-stream") }
        if !block.has(.cacheControl) { block.append(.cacheControl, "no-cache") }
        block.append(.acceptEncoding, "gzip")
        if Self.isSendable(lastEventID) { block.append(.lastEventID, lastEventID) }

        // Made in code a method may be anything; a space or a line end in it would be a second request.
        let method = place.keepsBody && HTTPToken.isValid(method.name) ? method : .get
        let body = place.keepsBody ? body : []
        var bytes = Array("\(method.name) \(place.url.target) HTTP/1.1\r\nHost: \(place.url.authority)\r\n".utf8)
        block.forEach { _, name, value in
            bytes.append(contentsOf: name)
            bytes.append(contentsOf: [0x3A, 0x20])
            bytes.append(contentsOf: value)
            bytes.append(contentsOf: [0x0D, 0x0A])
        }
        if !body.isEmpty || [.post, .put, .patch].contains(method) {
            bytes.append(contentsOf: Array("Content-Length: \(body.count)\r\n".utf8))
        }
        bytes.append(contentsOf: [0x0D, 0x0A])
        bytes.append(contentsOf: body)
        return bytes
    }

    /// Whether a field can carry an id as it is. One with control characters would be refused, again and again.
    static func isSendable(_ id: [UInt8]) -> Bool {
        !id.isEmpty && id.count <= longestID && id.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}
