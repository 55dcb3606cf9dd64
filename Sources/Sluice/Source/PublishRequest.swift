internal import SluiceHTTP

/// The events that a publish request brings, checked one by one before anything is published.
struct PublishRequest: Sendable, Equatable {
    struct Event: Sendable, Equatable {
        var draft: EventDraft
        /// The topic that the event itself names.
        var topic: String?
    }

    private(set) var events: [Event]
    /// Whether the body is a list, so that an error names the index.
    let isList: Bool
    /// The topic that the query names, for events that name none.
    let topic: String?

    /// Reads the body as what its media type says. A body that is data alone has `event`, `id` and `retry` in the
    /// query; other bodies name them for each event.
    /// - Parameter limit: the most events that it may bring.
    init(
        _ media: PublishMedia, query: ArraySlice<UInt8>?, body: [UInt8], atMost limit: Int
    ) throws(PublishRefusal) {
        let query = PublishQuery(query)
        topic = try query.text("topic")
        switch media {
        case .text, .binary:
            if case .text = media, let offset = UTF8Check.firstInvalid(in: body) {
                throw PublishRefusal(400, "the body is not UTF-8, at byte \(offset)")
            }
            let data = if case .binary = media { Base64.encode(body) } else { body }
            let draft = EventDraft(
                data: data, type: try query.bytes("event") ?? [], id: try query.bytes("id") ?? [],
                retryMilliseconds: try query.retry())
            events = [Event(draft: draft)]
            isList = false
        case .json:
            try query.refuseFields()
            var reader = try PublishedJSON(body)
            (events, isList) = try reader.events(atMost: limit)
        case .eventStream:
            try query.refuseFields()
            events = try PublishedStream.events(body, atMost: limit)
            isList = true
        }
        for (index, event) in events.enumerated() {
            if let (field, reason) = event.draft.fault { throw .at(isList ? index : nil, field, 400, reason) }
        }
    }
}

/// What the query of a publish request says.
private struct PublishQuery {
    private let query: ArraySlice<UInt8>?

    init(_ query: ArraySlice<UInt8>?) { self.query = query }

    func text(_ name: String) throws(PublishRefusal) -> String? {
        try bytes(name).map { String(decoding: $0, as: UTF8.self) }
    }

    func bytes(_ name: String) throws(PublishRefusal) -> [UInt8]? {
        guard query != nil, let raw = QueryString.value(of: [name], in: query) else { return nil }
        guard let value = raw.decoded, UTF8Check.isValid(value) else {
            throw PublishRefusal(400, "the query's \(name) is not percent-encoded UTF-8")
        }
        return value
    }

    func retry() throws(PublishRefusal) -> UInt64? {
        guard let text = try text("retry") else { return nil }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(text),
            number <= PublishedJSON.longestRetry
        else { throw PublishRefusal(400, "the query's retry: \(PublishedJSON.retryExpected)") }
        return number
    }

    /// What the query says of one event would get lost where the body says it of each.
    func refuseFields() throws(PublishRefusal) {
        guard query != nil else { return }
        for name in ["event", "id", "retry"] where QueryString.value(of: [name], in: query) != nil {
            throw PublishRefusal(400, "\(name) stands in the query only where the body is the data of one event")
        }
    }
}
