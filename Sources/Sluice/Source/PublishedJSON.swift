/// Reads published events from JSON: one object, or an array of objects, with the keys `data` (a string is taken as it
/// is, any other value as its JSON text), `event`, `id`, `retry` and `topic`.
struct PublishedJSON {
    static let longestRetry = UInt64(UInt32.max)
    static let retryExpected = "expected whole milliseconds, at most \(longestRetry)"
    private static let keys = ["data", "event", "id", "retry", "topic"]
    /// The same as they stand in a body, so that most events are read without any string.
    private static let names = keys.map { Array($0.utf8) }

    private var reader: JSONReader

    init(_ body: [UInt8]) throws(PublishRefusal) {
        do {
            reader = try JSONReader(body)
        } catch {
            throw Self.refusal(error)
        }
    }

    mutating func events(atMost limit: Int) throws(PublishRefusal) -> ([PublishRequest.Event], isList: Bool) {
        var events: [PublishRequest.Event] = []
        let kind = try read { reader throws(JSONError) in try reader.kind() }
        switch kind {
        case .object: events.append(try event(nil))
        case .array:
            try read { reader throws(JSONError) in try reader.enter() }
            while try read({ reader throws(JSONError) in try reader.nextElement() }) {
                guard events.count < limit else { throw .tooMany(atMost: limit) }
                guard try read({ reader throws(JSONError) in try reader.kind() }) == .object else {
                    throw .at(events.count, nil, 400, "expected an object with data")
                }
                events.append(try event(events.count))
            }
        default: throw PublishRefusal(400, "expected an object with data, or an array of such objects")
        }
        try read { reader throws(JSONError) in try reader.end() }
        return (events, kind == .array)
    }

    private mutating func event(_ index: Int?) throws(PublishRefusal) -> PublishRequest.Event {
        var draft = EventDraft(data: [])
        var topic: String?
        /// A bit for each key.
        var seen = 0
        try read { reader throws(JSONError) in try reader.enter() }
        while let bytes = try read({ reader throws(JSONError) in try reader.nextName() }) {
            guard let key = Self.names.firstIndex(of: bytes) else {
                let name = String(decoding: bytes, as: UTF8.self)
                let meant = Suggestion.nearest(to: name, in: Self.keys).map { "; did you mean \"\($0)\"?" } ?? ""
                throw .at(index, nil, 400, "the key \(PublishRefusal.shown(name)) is not known\(meant)")
            }
            let name = Self.keys[key]
            guard seen & 1 << key == 0 else { throw .at(index, name, 400, "this key stands in the object twice") }
            seen |= 1 << key
            switch name {
            case "data": draft.data = try data()
            case "event": draft.type = try string(index, name) ?? []
            case "id": draft.id = try string(index, name) ?? []
            case "retry": draft.retryMilliseconds = try retry(index)
            default: topic = try string(index, name).map { String(decoding: $0, as: UTF8.self) }
            }
        }
        guard seen & 1 == 1 else { throw .at(index, "data", 400, "this key is missing") }
        return PublishRequest.Event(draft: draft, topic: topic)
    }

    private mutating func data() throws(PublishRefusal) -> [UInt8] {
        try read { reader throws(JSONError) in
            if try reader.kind() == .string { return try reader.string() }
            return reader.text(try reader.skip())
        }
    }

    /// A string; `nil` for a null, which programs write for what they do not give.
    private mutating func string(_ index: Int?, _ key: String) throws(PublishRefusal) -> [UInt8]? {
        switch try read({ reader throws(JSONError) in try reader.kind() }) {
        case .string: return try read { reader throws(JSONError) in try reader.string() }
        case .null:
            _ = try read { reader throws(JSONError) in try reader.skip() }
            return nil
        default: throw .at(index, key, 400, "expected a string")
        }
    }

    private mutating func retry(_ index: Int?) throws(PublishRefusal) -> UInt64? {
        switch try read({ reader throws(JSONError) in try reader.kind() }) {
        case .number:
            let number = try read { reader throws(JSONError) in try reader.wholeNumber() }
            guard let number, number <= Self.longestRetry else { throw .at(index, "retry", 400, Self.retryExpected) }
            return number
        case .null:
            _ = try read { reader throws(JSONError) in try reader.skip() }
            return nil
        default: throw .at(index, "retry", 400, Self.retryExpected)
        }
    }

    private mutating func read<Value>(
        _ body: (inout JSONReader) throws(JSONError) -> Value
    ) throws(PublishRefusal) -> Value {
        do {
            return try body(&reader)
        } catch {
            throw Self.refusal(error)
        }
    }

    private static func refusal(_ error: JSONError) -> PublishRefusal {
        PublishRefusal(400, "the body is not JSON: \(error)")
    }
}
