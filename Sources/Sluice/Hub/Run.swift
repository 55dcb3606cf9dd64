internal import Synchronization

/// A stretch of the merged logs of some topics, gathered once and written to all subscribers that stand at its beginning.
@safe final class Run {
    private var from: UInt64 = 0
    /// The cursor of a subscriber that got all of it.
    private(set) var through: UInt64 = 0
    private var target: UInt64 = 0
    private var framing: Framing = .chunked
    private var audience: Audience?
    private var events: [EncodedEvent] = []
    private var parts: [[EncodedEvent]] = []
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 * 1024, alignment: 16)
    private var count = 0

    /// Bytes gathered at once, as long as no single event is larger.
    static let limit = 64 * 1024
    /// Event types of which a subscriber that reads only the newest gets one each.
    static let newestTypes = 256

    deinit { unsafe buffer.deallocate() }

    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count]) }

    /// Forgets what was gathered, so that evicted events are freed.
    func clear() {
        events.removeAll(keepingCapacity: true)
        audience = nil
        count = 0
    }

    /// Gathers what follows a subscriber's cursor, up to `target`, unless that is here already.
    /// - Returns: `false` when the next event of a topic is gone.
    func gather(_ audience: Audience, for subscriber: Place<Subscriber>, target: UInt64) -> Bool {
        let cursor = subscriber.value.cursor
        let framing = subscriber.value.framing
        // One that does without some events, or reads only the newest, reads for itself.
        let isShared = !subscriber.value.isConflating && subscriber.value.floors == nil
        if isShared, self.audience === audience, from == cursor, self.target == target, self.framing == framing {
            return true
        }
        clear()
        let isPresent =
            subscriber.value.isConflating
            ? readNewest(audience.topics, after: cursor, target)
            : read(audience.topics, after: cursor, subscriber.value.floors, target)
        guard isPresent else { return false }
        from = cursor
        self.target = target
        self.framing = framing
        if isShared { self.audience = audience }
        copy(framing)
        return true
    }

    private func read(_ topics: [Topic], after cursor: UInt64, _ floors: [UInt64]?, _ target: UInt64) -> Bool {
        guard topics.count > 1 || floors != nil else {
            guard let isWhole = topics.first.flatMap({ part($0, after: cursor, target, &events) }) else { return false }
            through = isWhole ? target : events.last?.sequence ?? target
            return true
        }
        while parts.count < topics.count { parts.append([]) }
        defer { for number in topics.indices { parts[number].removeAll(keepingCapacity: true) } }
        // What one topic has beyond this is not known yet, so the others wait there.
        var known = target
        for (number, topic) in topics.enumerated() {
            let start = max(cursor, floors?[number] ?? 0)
            guard let isWhole = part(topic, after: start, target, &parts[number]) else { return false }
            if !isWhole, let last = parts[number].last { known = min(known, last.sequence) }
        }
        merge(topics.count, through: known)
        return true
    }

    /// - Returns: whether that was all up to `target`; `nil` when the next event is gone.
    private func part(
        _ topic: Topic, after cursor: UInt64, _ target: UInt64, _ events: inout [EncodedEvent]
    ) -> Bool? {
        topic.log.withLock { log in
            guard log.evictedThrough <= cursor else { return nil }
            return log.read(after: cursor, through: target, maxBytes: Run.limit, into: &events)
        }
    }

    /// Merges the topics' events by sequence; an event of several topics comes once.
    private func merge(_ count: Int, through known: UInt64) {
        var places = [Int](repeating: 0, count: count)
        var bytes = 0
        through = known
        while true {
            var next: Int?
            var sequence = UInt64.max
            for number in 0..<count where places[number] < parts[number].count {
                let candidate = parts[number][places[number]].sequence
                if candidate < sequence {
                    sequence = candidate
                    next = number
                }
            }
            guard let next, sequence <= known else { return }
            let event = parts[next][places[next]]
            places[next] += 1
            if events.last?.sequence == sequence { continue }
            bytes += event.count(.chunked)
            if bytes > Run.limit, let last = events.last {
                through = last.sequence
                return
            }
            events.append(event)
        }
    }

    private func readNewest(_ topics: [Topic], after cursor: UInt64, _ target: UInt64) -> Bool {
        for topic in topics {
            topic.log.withLock { log in
                log.readNewest(after: cursor, through: target, types: Run.newestTypes, into: &events)
            }
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
        for event in events { total += event.count(framing) }
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

    /// Where a write of so many bytes stopped.
    /// - Returns: the cursor behind the last whole event, and the event that was cut with the bytes written of it.
    func stop(after written: Int) -> (cursor: UInt64, cut: (event: EncodedEvent, offset: Int)?) {
        var cursor = from
        var rest = written
        for event in events {
            let size = event.count(framing)
            if rest < size { return (cursor, rest > 0 ? (event, rest) : nil) }
            rest -= size
            cursor = event.sequence
        }
        return (through, nil)
    }
}
