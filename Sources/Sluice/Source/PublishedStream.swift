internal import SluiceSSE

/// Reads published events from an event stream. Comments, and blocks without data, are no events (WHATWG HTML, section
/// 9.2.6). A `retry:` goes with the next event: it may stand in a block of its own.
enum PublishedStream {
    /// - Parameter limit: the most events that there may be.
    static func events(_ body: [UInt8], atMost limit: Int) throws(PublishRefusal) -> [PublishRequest.Event] {
        if let offset = UTF8Check.firstInvalid(in: body) {
            throw PublishRefusal(400, "the body is not UTF-8, at byte \(offset)")
        }
        if let offset = idWithNUL(in: body) {
            throw PublishRefusal(400, "an id may not hold NUL, which it does at byte \(offset)")
        }
        var reading = Reading(body)
        // In pieces, so that what is over the limit is not read.
        for start in stride(from: 0, to: body.count, by: 16 * 1024) {
            try reading.take(body[start..<min(start &+ 16 * 1024, body.count)])
            guard reading.events.count <= limit else { throw .tooMany(atMost: limit) }
        }
        let whole = reading.events.count
        // What this ends had no end.
        try reading.take(Array("\n\n".utf8)[...])
        guard reading.events.count == whole else {
            throw .at(whole, nil, 400, "no empty line ends this event, the last of the body")
        }
        guard reading.retry == nil else {
            throw .at(whole, "retry", 400, "behind this reconnection time comes no event that it could go with")
        }
        return reading.events
    }

    /// Where an `id:` line has a NUL: readers ignore such a line, and a publisher would not get to know.
    private static func idWithNUL(in body: [UInt8]) -> Int? {
        guard body.contains(0) else { return nil }
        for line in body.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) where line.starts(with: "id:".utf8) {
            if let offset = line.firstIndex(of: 0) { return offset }
        }
        return nil
    }

    private struct Reading {
        var parser: EventParser
        var events: [PublishRequest.Event] = []
        var retry: UInt64?

        /// No line and no event of a body is longer than the body, which is bounded already.
        init(_ body: [UInt8]) {
            parser = EventParser(limits: EventParser.Limits(line: body.count &+ 1, event: body.count &+ 1))
        }

        mutating func take(_ bytes: ArraySlice<UInt8>) throws(PublishRefusal) {
            var refusal: PublishRefusal?
            parser.parse(bytes) { item in
                switch item {
                case .event(let event):
                    let draft = EventDraft(
                        data: event.data, type: event.type, id: event.hasOwnID ? event.lastEventID : [],
                        retryMilliseconds: retry)
                    retry = nil
                    events.append(PublishRequest.Event(draft: draft))
                case .retry(let milliseconds): retry = milliseconds
                case .comment: break
                case .lineTooLong, .eventTooLong: refusal = .at(events.count, nil, 400, "this event is too long")
                }
            }
            if let refusal { throw refusal }
        }
    }
}
