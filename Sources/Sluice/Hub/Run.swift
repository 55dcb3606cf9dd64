internal import Synchronization

/// A stretch of a topic's log, gathered once and written to all subscribers that stand at its beginning.
@safe final class Run {
    private(set) var from: UInt64 = 0
    /// The cursor of a subscriber that got all of it.
    private(set) var through: UInt64 = 0
    private var target: UInt64 = 0
    private var framing: Framing = .chunked
    private var topic: Topic?
    private var events: [EncodedEvent] = []
    private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 * 1024, alignment: 16)
    private var count = 0

    /// Bytes gathered at once, as long as no single event is larger.
    static let limit = 64 * 1024

    deinit { unsafe buffer.deallocate() }

    var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(rebasing: buffer[..<count]) }
    var isEmpty: Bool { count == 0 }

    func matches(_ topic: Topic, from: UInt64, target: UInt64, framing: Framing) -> Bool {
        self.from == from && self.target == target && self.framing == framing && self.topic === topic
    }

    /// Forgets what was gathered, so that evicted events are freed.
    func clear() {
        events.removeAll(keepingCapacity: true)
        topic = nil
        count = 0
    }

    /// Gathers what follows `from`, up to `target`.
    /// - Returns: `false` when an event after `from` is gone.
    func gather(_ topic: Topic, from: UInt64, target: UInt64, framing: Framing) -> Bool {
        clear()
        let outcome = topic.log.withLock { log -> (present: Bool, whole: Bool) in
            guard log.evictedThrough <= from else { return (false, false) }
            return (true, log.read(after: from, through: target, maxBytes: Run.limit, into: &events))
        }
        guard outcome.present else { return false }
        self.from = from
        self.target = target
        self.framing = framing
        self.topic = topic
        through = outcome.whole ? target : events.last?.sequence ?? target
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
        return true
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
