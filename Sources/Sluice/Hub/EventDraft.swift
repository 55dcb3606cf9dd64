internal import SluiceSSE

/// An event as a source or publisher hands it over. Data and type are UTF-8.
struct EventDraft: Sendable, Equatable {
    var data: [UInt8]
    /// Empty: none.
    var type: [UInt8] = []
    /// Its own id, seen by subscribers under `ids: upstream`; empty: none.
    var id: [UInt8] = []
    /// An empty id, which takes back the one that a reader has; for subscribers under `ids: upstream`.
    var clearsID = false
    var retryMilliseconds: UInt64?

    init(data: [UInt8], type: [UInt8] = [], id: [UInt8] = [], retryMilliseconds: UInt64? = nil) {
        self.data = data
        self.type = type
        self.id = id
        self.retryMilliseconds = retryMilliseconds
    }

    init(_ event: ServerSentEvent) throws(SluiceError) {
        var bytes: [UInt8] = []
        do {
            // Written once for its rules: what cannot be encoded is no draft.
            try EventEncoder.append(event, to: &bytes)
        } catch {
            throw SluiceError(.badEvent, "\(error)")
        }
        data = Array(event.data.utf8)
        type = event.event.map { Array($0.utf8) } ?? []
        id = event.id.map { Array($0.utf8) } ?? []
        retryMilliseconds = event.retry.map(\.milliseconds)
        if let problem { throw problem }
    }

    /// What a publisher did wrong; `nil`: nothing.
    var problem: SluiceError? {
        fault.map { SluiceError(.badEvent, "the \($0.field) of an event \($0.reason)") }
    }

    /// Which field is wrong, and why.
    var fault: (field: String, reason: String)? {
        if let reason = Self.fault(type) { return ("event", reason) }
        return Self.fault(id).map { ("id", $0) }
    }

    private static func fault(_ value: [UInt8]) -> String? {
        guard !value.isEmpty else { return nil }
        guard value.count <= EncodedEvent.longestID else { return "has at most \(EncodedEvent.longestID) bytes" }
        guard unsafe value.withUnsafeBytes({ unsafe EventEncoder.isValidField($0) }) else {
            return "may not hold CR, LF or NUL"
        }
        return nil
    }
}

/// One event and the topics that get it: one place in the order, however many topics.
struct Publication {
    var draft: EventDraft
    var topics: [Topic]
}

/// What became of a batch.
enum Admission {
    /// All of it was published, in order.
    case accepted
    /// A worker with subscribers is so far behind that more would push out what it has not sent. Nothing was published.
    case full
    /// It holds more bytes than the topic's log, or all logs, keep. Nothing was published.
    case tooLarge(topic: String)
    /// An instance was dropped meanwhile, and there is no room to make it again. Nothing was published.
    case gone(topic: String)
}
