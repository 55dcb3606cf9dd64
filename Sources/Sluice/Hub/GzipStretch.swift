internal import SluiceHTTP

/// What some bytes of a stream are to its gzip member. Worked out once for all streams that get them.
enum GzipStretch {
    /// A stretch of the topic's text, and the window in which its end is.
    case text(from: TextMark, to: TextMark, window: UInt32)
    /// Anything else. Where the stream is in the topic's text behind it, if that is known, and in which window.
    case other(CRC32.Appending, count: UInt64, end: TextMark?, window: UInt32)

    /// What belongs to one stream alone.
    init(_ text: [UInt8]) {
        let count = UInt64(text.count)
        self = .other(CRC32.Appending(CRC32.checksum(text), count: count), count: count, end: nil, window: 0)
    }

    /// Compressed events.
    /// - Parameter steps: one for each event where they are of one topic and follow each other in it; else none.
    init(_ events: ArraySlice<EncodedEvent>, _ steps: ArraySlice<TopicCompression.Step>) {
        let end = steps.last?.span?.end
        let window = steps.last?.window ?? 0
        if let start = steps.first?.span?.start, let end, GzipStretch.isWhole(steps) {
            self = .text(from: start, to: end, window: window)
            return
        }
        var checksum: UInt32 = 0
        var count: UInt64 = 0
        for event in events {
            checksum = CRC32.combine(checksum, event.checksum, count: UInt64(event.textCount))
            count += UInt64(event.textCount)
        }
        self = .other(CRC32.Appending(checksum, count: count), count: count, end: end, window: window)
    }

    private static func isWhole(_ steps: ArraySlice<TopicCompression.Step>) -> Bool {
        var offset = steps.first?.span?.start.offset
        for step in steps {
            guard let span = step.span, span.start.offset == offset else { return false }
            offset = span.end.offset
        }
        return true
    }
}
