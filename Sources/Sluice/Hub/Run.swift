internal import SluiceHTTP
internal import Synchronization

/// A stretch of the merged logs of some topics, gathered once and written to all subscribers that stand at its beginning.
@safe final class Run {
    private var from: UInt64 = 0
    /// The cursor of a subscriber that got all of it.
    private(set) var through: UInt64 = 0
    private var target: UInt64 = 0
    private var framing: Framing = .chunked
    private var audience: Audience?
    /// Nothing is gathered.
    private var isClear = true
    /// As they are sent.
    private var events: [EncodedEvent] = []
    /// For streams that are compressed, and that begin there in the topic's window.
    private var isCompressed = false
    private var window: UInt32 = 0
    private var windowOffset: UInt64 = 0
    /// What the events are in their topic's text, where they are compressed and of one topic alone.
    private var steps: [TopicCompression.Step] = []
    private var stretch: GzipStretch?
    /// Makes what belongs to one stream, and events for all of a topic. Nobody compresses without.
    var deflater: Deflater?
    private var parts: [Part] = []
    /// The sequence of each part's next event.
    private var heads: [UInt64] = []
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 * 1024, alignment: 16)
    /// Bytes that were gathered.
    private(set) var count = 0
    /// The bytes of its events as text.
    private(set) var textCount = 0
    private(set) var eventCount: UInt64 = 0

    /// Bytes of text that were compressed for it and not taken down yet.
    private var compressed = 0

    /// Bytes gathered at once, as long as no single event is larger.
    static let limit = 64 * 1024
    /// A stretch of one topic's log, while several are merged.
    private struct Part {
        var events: [EncodedEvent] = []
        var next = 0
        /// Nothing follows it.
        var isWhole = true
    }

    /// Event types of which a subscriber that reads only the newest gets one each.
    static let newestTypes = 256

    deinit { unsafe buffer.deallocate() }

    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    /// Forgets what was gathered, so that evicted events are freed.
    func clear() {
        guard !isClear else { return }
        isClear = true
        events.removeAll(keepingCapacity: true)
        steps.removeAll(keepingCapacity: true)
        audience = nil
        count = 0
    }

    /// Bytes of text that had to be compressed since this was asked last.
    func takeCompressed() -> Int {
        defer { compressed = 0 }
        return compressed
    }

    /// Gathers what follows a subscriber's cursor, up to `target`, unless that is here already.
    /// - Returns: `false` when the next event of a topic is gone.
    func gather(_ audience: Audience, for subscriber: Place<Subscriber>, target: UInt64) -> Bool {
        let cursor = subscriber.value.cursor
        let framing = subscriber.value.framing
        // One that does without some events, or reads only the newest, reads for itself.
        let isShared = !subscriber.value.isConflating && subscriber.value.floors == nil
        if isShared, self.audience === audience, from == cursor, self.framing == framing, isCoded(for: subscriber),
            // One that ended before its target is the same for any that lies further.
            self.target == target || (through < self.target && self.target < target)
        {
            return true
        }
        clear()
        isClear = false
        isCompressed = subscriber.value.isCompressed
        window = subscriber.value.gzip.window
        windowOffset = subscriber.value.gzip.mark.offset
        let isPresent =
            subscriber.value.isConflating
            ? readNewest(audience.topics, after: cursor, target)
            : read(audience, after: cursor, subscriber.value.floors, target, subscriber.value.gzip)
        guard isPresent else { return false }
        from = cursor
        self.target = target
        self.framing = framing
        if isShared { self.audience = audience }
        copy(framing)
        stretch = isCompressed && !events.isEmpty ? GzipStretch(events[...], steps[...]) : nil
        return true
    }

    /// Whether it is coded as a stream needs it. Outside of the window all need the same.
    private func isCoded(for subscriber: Place<Subscriber>) -> Bool {
        isCompressed == subscriber.value.isCompressed && window == subscriber.value.gzip.window
            && (window == 0 || windowOffset == subscriber.value.gzip.mark.offset)
    }

    private func read(
        _ audience: Audience, after cursor: UInt64, _ floors: [UInt64]?, _ target: UInt64, _ progress: GzipProgress
    ) -> Bool {
        guard audience.seats.count == 1, let seat = audience.seats.first, floors == nil else {
            return merge(audience.seats, after: cursor, floors, target)
        }
        guard let isWhole = Run.read(seat.topic, after: cursor, target, Run.limit, &events) else { return false }
        through = isWhole ? target : events.last?.sequence ?? target
        if isCompressed, let deflater {
            let (coded, bytes) = seat.topic.compression.withLock { compression in
                let before = compression.bytes
                let steps = compression.code(&events, of: seat.topic, for: progress, deflater)
                return (steps, compression.bytes - before)
            }
            steps = coded
            compressed += bytes
        }
        return true
    }

    /// Codes what was read of one topic for streams that do not follow it event by event.
    private func code(_ events: inout [EncodedEvent], from first: Int = 0, of topic: Topic) {
        guard isCompressed, let deflater else { return }
        compressed += topic.compression.withLock { compression in
            let before = compression.bytes
            compression.code(&events, from: first, of: topic, deflater)
            return compression.bytes - before
        }
    }

    /// - Returns: whether that was all up to `target`; `nil` when the next event is gone.
    private static func read(
        _ topic: Topic, after cursor: UInt64, _ target: UInt64, _ bytes: Int, _ events: inout [EncodedEvent]
    ) -> Bool? {
        topic.log.withLock { log in
            guard log.evictedThrough <= cursor else { return nil }
            return log.read(after: cursor, through: target, maxBytes: bytes, into: &events)
        }
    }

    /// Merges the topics' events by sequence; an event of several topics comes once. Of each topic a stretch is read,
    /// and the next one when that is used up, so that of many topics no more is read than is sent.
    private func merge(_ seats: [TopicSeat], after cursor: UInt64, _ floors: [UInt64]?, _ target: UInt64) -> Bool {
        while parts.count < seats.count { parts.append(Part()) }
        heads.removeAll(keepingCapacity: true)
        heads.append(contentsOf: repeatElement(.max, count: seats.count))
        defer { for number in seats.indices { parts[number].events.removeAll(keepingCapacity: true) } }
        let stretch = max(1024, Run.limit / seats.count)
        through = target
        for (number, seat) in seats.enumerated() {
            let start = max(cursor, floors?[number] ?? 0)
            // Most topics have nothing new for a stream that is live.
            guard seat.through > start else { continue }
            guard refill(number, seat.topic, after: start, target, stretch) else { return false }
        }
        var bytes = 0
        while true {
            var number = 0
            for other in heads.indices where heads[other] < heads[number] { number = other }
            let sequence = heads[number]
            guard sequence < .max else { return true }
            if sequence != events.last?.sequence {
                let event = parts[number].events[parts[number].next]
                bytes += event.count(.chunked)
                if bytes > Run.limit, let last = events.last {
                    through = last.sequence
                    return true
                }
                events.append(event)
            }
            guard advance(number, seats[number].topic, target, stretch) else {
                // Gone meanwhile; what was read is whole up to here.
                through = sequence
                return true
            }
        }
    }

    private func advance(_ number: Int, _ topic: Topic, _ target: UInt64, _ stretch: Int) -> Bool {
        parts[number].next += 1
        if parts[number].next < parts[number].events.count {
            heads[number] = parts[number].events[parts[number].next].sequence
            return true
        }
        let sequence = heads[number]
        heads[number] = .max
        return parts[number].isWhole || refill(number, topic, after: sequence, target, stretch)
    }

    /// Reads a topic's next stretch.
    /// - Returns: `false` when its next event is gone.
    private func refill(_ number: Int, _ topic: Topic, after cursor: UInt64, _ target: UInt64, _ stretch: Int) -> Bool {
        parts[number].events.removeAll(keepingCapacity: true)
        parts[number].next = 0
        guard let isWhole = Run.read(topic, after: cursor, target, stretch, &parts[number].events) else { return false }
        parts[number].isWhole = isWhole
        code(&parts[number].events, of: topic)
        if let first = parts[number].events.first { heads[number] = first.sequence }
        return true
    }

    private func readNewest(_ topics: [Topic], after cursor: UInt64, _ target: UInt64) -> Bool {
        for topic in topics {
            let first = events.count
            topic.log.withLock { log in
                log.readNewest(after: cursor, through: target, types: Run.newestTypes, into: &events)
            }
            code(&events, from: first, of: topic)
        }
        if topics.count > 1 {
            events.sort { $0.sequence < $1.sequence }
            var before: UInt64 = 0
            events.removeAll { event in
                defer { before = event.sequence }
                return event.sequence == before
            }
            events.removeFirst(max(0, events.count - Run.newestTypes))
        }
        var bytes = 0
        let fitting = events.prefix { event in
            bytes += event.count(.chunked)
            return bytes <= Run.limit
        }
        through = target
        let kept = max(1, fitting.count)
        if kept < events.count {
            events.removeLast(events.count - kept)
            through = events.last?.sequence ?? target
        }
        return true
    }

    private func copy(_ framing: Framing) {
        var total = 0
        textCount = 0
        eventCount = UInt64(events.count)
        for event in events {
            total += event.count(framing)
            textCount += isCompressed ? event.textCount : event.count(framing)
        }
        if unsafe total > buffer.count {
            unsafe buffer.deallocate()
            unsafe buffer = .allocate(byteCount: total, alignment: 16)
        }
        for event in events {
            unsafe event.withBytes(framing) { source in
                guard let base = source.baseAddress else { return }
                unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).copyMemory(
                    from: UnsafeRawBufferPointer(start: base, count: source.count))
            }
            count += event.count(framing)
        }
    }

    /// Takes down that a stream got all of it, or its first events. The last one of these may have been cut: what is left of
    /// it is what the stream gets next.
    func wasSent(to subscriber: Place<Subscriber>, events begun: Int? = nil) {
        guard var stretch else { return }
        if let begun, begun < events.count {
            guard begun > 0 else { return }
            stretch = GzipStretch(events.prefix(begun), steps.prefix(begun))
        }
        subscriber.value.gzip.add(stretch)
    }

    /// Where a write of so many bytes stopped.
    /// - Returns: the cursor behind the last whole event, the event that was cut with the bytes written of it, and how many
    ///   events were begun.
    func stop(after written: Int) -> (cursor: UInt64, cut: (event: EncodedEvent, offset: Int)?, begun: Int) {
        var cursor = from
        var rest = written
        for (number, event) in events.enumerated() {
            let size = event.count(framing)
            if rest < size { return (cursor, rest > 0 ? (event, rest) : nil, rest > 0 ? number + 1 : number) }
            rest -= size
            cursor = event.sequence
        }
        return (through, nil, events.count)
    }
}
