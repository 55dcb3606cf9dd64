internal import SluiceHTTP
internal import Synchronization

/// Makes what compressed streams get of one topic, once for all of them. Guarded by a lock of its own, under which the
/// log's may be taken; the hub's never is.
struct TopicCompression: ~Copyable {
    /// What a stream is given of an event, beside its bytes.
    struct Step {
        /// The event's place in the topic's text, where it is known.
        let span: CompressedForms.Span?
        /// The window in which the stream is behind it.
        let window: UInt32
    }

    /// Streams of a topic alone from which on a window pays.
    static let streamsForWindow = 4
    /// Bytes of text after which a window begins anew, for those that wait outside.
    static let windowLength = 128 * 1024
    /// An event as large as zlib's window gains nothing by what came before it, and leaves nothing of that.
    static let largestPiece = Deflater.windowSize
    /// How long a window that nobody uses is kept.
    static let linger: UInt64 = 60_000

    private let seats: TopicWindow.Seats
    /// Streams that got heartbeats left the window: shorter than the heartbeat by as much as streams may be.
    private let idleTime: UInt64

    /// Where the text ends, and the log's offset there.
    private var mark = TextMark()
    private var endOffset: UInt64 = 0
    private var window: TopicWindow?
    private(set) var windowNumber: UInt32 = 0
    private var windowText = 0
    private var isRestartDue = true
    private var lastMilliseconds: UInt64 = 0
    /// How often something was compressed.
    private(set) var count = 0
    /// How much of it, in bytes of text.
    private(set) var bytes = 0

    init(_ options: TopicOptions, _ seats: TopicWindow.Seats) {
        self.seats = seats
        let heartbeat = options.heartbeat.milliseconds
        idleTime = heartbeat == 0 ? .max : heartbeat - heartbeat / 5
    }

    // MARK: Coding

    /// Replaces events of the topic by their independent blocks, from an index on.
    mutating func code(_ events: inout [EncodedEvent], from first: Int, of topic: Topic, _ deflater: Deflater) {
        guard first < events.count else { return }
        var slots = topic.log.withLock { $0.slots(of: events[first...]) }
        for index in slots.indices {
            events[first + index] = block(events[first + index], &slots[index], deflater)
        }
        keep(slots, topic)
    }

    /// Replaces events that follow each other in the topic's log by what a stream gets that stands where `progress` says.
    mutating func code(
        _ events: inout [EncodedEvent], of topic: Topic, for progress: GzipProgress, _ deflater: Deflater
    ) -> [Step] {
        var slots = topic.log.withLock { $0.slots(of: events[...]) }
        let isWorthWindow = topic.compressedStreams.load(ordering: .relaxed) >= TopicCompression.streamsForWindow
        var steps: [Step] = []
        steps.reserveCapacity(events.count)
        var window = progress.window
        var offset = progress.mark.offset
        for index in events.indices {
            extend(&slots[index], events[index], isWorthWindow)
            let span = slots[index].forms?.span
            if let piece = slots[index].forms?.piece,
                piece.isRestart || (piece.window == window && span?.start.offset == offset)
            {
                events[index] = piece.event
                window = piece.window
            } else {
                events[index] = block(events[index], &slots[index], deflater)
                window = 0
            }
            offset = span?.end.offset ?? .max
            steps.append(Step(span: span, window: window))
        }
        keep(slots, topic)
        return steps
    }

    private mutating func block(
        _ event: EncodedEvent, _ slot: inout TopicLog.Slot, _ deflater: Deflater
    ) -> EncodedEvent {
        if let block = slot.forms?.block { return block }
        let block = compress(event, deflater, .full, checksum: slot.forms?.piece?.event.checksum)
        slot.set(CompressedForms(block: block, piece: slot.forms?.piece, span: slot.forms?.span))
        return block
    }

    private mutating func compress(
        _ event: EncodedEvent, _ deflater: Deflater, _ flush: Deflater.Flush, checksum: UInt32?
    ) -> EncodedEvent {
        count += 1
        bytes += event.count(.untilClose)
        return unsafe event.withBytes(.untilClose) { text in
            let bytes = unsafe deflater.compress(text, flush)
            return unsafe event.coded(bytes, checksum: checksum ?? CRC32.checksum(text))
        }
    }

    private func keep(_ slots: [TopicLog.Slot], _ topic: Topic) {
        guard slots.contains(where: \.isChanged) else { return }
        topic.log.withLock { log in
            for slot in slots where slot.isChanged { log.keep(slot) }
            // The next sweep counts what they take.
            topic.agesAt.store(0, ordering: .relaxed)
        }
    }

    // MARK: The text

    /// Goes on with the text, where an event is the next one of it, and with the window.
    private mutating func extend(_ slot: inout TopicLog.Slot, _ event: EncodedEvent, _ isWorthWindow: Bool) {
        guard let end = slot.endOffset, end > endOffset else { return }
        // Nobody followed the topic for a while: the text goes on without what was published then.
        if end &- UInt64(event.count(.chunked)) != endOffset { isRestartDue = true }
        endOffset = end
        let block = slot.forms?.block
        let piece = isWorthWindow ? piece(event, checksum: block?.checksum) : nil
        if piece == nil { isRestartDue = true }
        let checksum = piece?.event.checksum ?? block?.checksum ?? event.textChecksum
        let start = mark
        mark = start.advanced(by: event.count(.untilClose), checksum)
        slot.set(CompressedForms(block: block, piece: piece, span: CompressedForms.Span(start: start, end: mark)))
    }

    private mutating func piece(_ event: EncodedEvent, checksum: UInt32?) -> CompressedForms.Piece? {
        let size = event.count(.untilClose)
        guard size <= TopicCompression.largestPiece else { return nil }
        if window == nil {
            window = TopicWindow(seats)
            isRestartDue = true
        }
        guard let deflater = window?.deflater else { return nil }
        let isIdle = event.milliseconds &- lastMilliseconds >= idleTime
        let isRestart = isRestartDue || isIdle || windowText >= TopicCompression.windowLength
        if isRestart {
            deflater.reset()
            windowNumber = max(1, windowNumber &+ 1)
            windowText = 0
            isRestartDue = false
        }
        windowText += size
        lastMilliseconds = event.milliseconds
        let coded = compress(event, deflater, .sync, checksum: checksum)
        return CompressedForms.Piece(event: coded, window: windowNumber, isRestart: isRestart)
    }

    /// Lets go of a window that has not been used for a while.
    mutating func releaseIdleWindow(_ now: UInt64) {
        if window != nil, lastMilliseconds &+ TopicCompression.linger <= now { window = nil }
    }
}
