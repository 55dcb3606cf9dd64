/// A stream, on the heap: nghttp2 hands its address to the callbacks, so that nothing is looked up for a delivery.
/// It lives from its HEADERS until `.closed` was said.
@unsafe struct HTTP2Stream {
    typealias Pointer = UnsafeMutablePointer<HTTP2Stream>

    let id: Int32
    var tag: UInt64 = 0
    /// Bytes of the body that were said, and whose window was not given back.
    var unconsumed = 0
    /// `.head` or `.refused` was said.
    var isAnnounced = false
    var isRefused = false
    var isHEAD = false
    var requestHasEnded = false
    var hasResponded = false
    var hasBody = false
    /// END_STREAM is wanted behind what was written.
    var isEnding = false
    /// Fields behind the body, which end the stream in its place.
    var trailers: FieldBlock?
    /// A write came to less than was given, for a window.
    var isShort = false
    /// The caller wanted the reset, so that it is not the client's fault.
    var isResetByCaller = false
    var previous: Pointer?
    var next: Pointer?

    init(id: Int32) { unsafe self.id = id }
}

/// What the callbacks of nghttp2 record: nothing in them calls back into the session, except to find a stream and to tie
/// ours to it.
@unsafe struct HTTP2State {
    enum Note {
        case head(RequestHead)
        case refused(HTTPError)
        case body([UInt8])
        case bodyEnd(FieldBlock?)
        case closed(UInt32)
    }

    let limits: HTTP2Limits
    var budget = FloodBudget()
    var output = unsafe HTTP2Output()
    var block: HeaderBlock
    /// What was noted and not said yet: `events[nextEvent...]`.
    var events: [(stream: HTTP2Stream.Pointer, note: Note)] = unsafe []
    var nextEvent = 0
    /// Streams that may be written to again. Said after `events`.
    var writables: [HTTP2Stream.Pointer] = unsafe []
    private var areWritablesInOrder = true
    /// The stream whose write was cut short last: the next turn begins behind it.
    var lastCut: Int32 = 0
    /// The write in progress.
    var writer: Int32 = 0
    var source: UnsafeRawPointer?
    var left = 0
    /// They are the last of their response.
    var endsWithLast = false
    /// Bytes of bodies that nobody will use, whose window is to be given back.
    var discarded = 0
    /// Streams to be reset, once nghttp2 may be called again.
    var resets: [(stream: Int32, error: UInt32)] = []
    var awaitsPing = false
    var openStreams = 0
    /// All streams that live.
    var first: HTTP2Stream.Pointer?

    init(_ limits: HTTP2Limits) {
        unsafe self.limits = limits
        unsafe block = HeaderBlock(limits)
    }

    /// Whether something waits for nghttp2.
    var hasChores: Bool { unsafe discarded > 0 || !resets.isEmpty }

    mutating func open(_ id: Int32) -> HTTP2Stream.Pointer {
        let stream = HTTP2Stream.Pointer.allocate(capacity: 1)
        unsafe stream.initialize(to: HTTP2Stream(id: id))
        unsafe stream.pointee.next = first
        unsafe first?.pointee.previous = stream
        unsafe first = stream
        unsafe openStreams &+= 1
        unsafe block = HeaderBlock(limits)
        return unsafe stream
    }

    /// nghttp2 has closed the stream.
    mutating func close(_ stream: HTTP2Stream.Pointer, error: UInt32) {
        unsafe openStreams &-= 1
        unsafe discarded &+= stream.pointee.unconsumed
        unsafe stream.pointee.unconsumed = 0
        if unsafe stream.pointee.requestHasEnded && stream.pointee.isEnding && !stream.pointee.isRefused {
            unsafe budget.served()
        }
        unsafe writables.removeAll { unsafe $0 == stream }
        if unsafe stream.pointee.isAnnounced {
            unsafe events.append((stream, .closed(error)))
        } else {
            unsafe free(stream)
        }
    }

    mutating func free(_ stream: HTTP2Stream.Pointer) {
        let (previous, next) = unsafe (stream.pointee.previous, stream.pointee.next)
        if let previous = unsafe previous { unsafe previous.pointee.next = next } else { unsafe first = next }
        unsafe next?.pointee.previous = previous
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    /// A header block is complete.
    mutating func finishBlock(_ stream: HTTP2Stream.Pointer, isRequest: Bool, endsStream: Bool) {
        let block = unsafe self.block
        unsafe self.block = HeaderBlock(limits)
        unsafe budget.chargeDecoded(block.size)
        if endsStream { unsafe stream.pointee.requestHasEnded = true }
        do throws(HTTPError) {
            if isRequest {
                let head = try block.request(endsStream: endsStream)
                unsafe stream.pointee.isHEAD = head.method == .head
                unsafe events.append((stream, .head(head)))
                if endsStream { unsafe events.append((stream, .bodyEnd(nil))) }
            } else {
                let trailers = try block.trailers()
                if unsafe !stream.pointee.isRefused { unsafe events.append((stream, .bodyEnd(trailers))) }
            }
        } catch {
            unsafe budget.chargeRefusal()
            if isRequest {
                unsafe stream.pointee.isRefused = true
                unsafe events.append((stream, .refused(error)))
            } else {
                unsafe resets.append((stream.pointee.id, HTTP2ErrorCode.protocolError))
            }
        }
        unsafe stream.pointee.isAnnounced = true
    }

    /// Bytes of a body came.
    mutating func body(_ stream: HTTP2Stream.Pointer, _ bytes: UnsafeRawBufferPointer) {
        if unsafe stream.pointee.isRefused {
            unsafe discarded &+= bytes.count
            return
        }
        unsafe stream.pointee.unconsumed &+= bytes.count
        // Many small frames are one event: an array for each byte would be a way to use up memory.
        if let last = unsafe events.indices.last, unsafe last >= nextEvent, unsafe events[last].stream == stream,
            case .body(var body) = unsafe events[last].note
        {
            unsafe events[last].note = .bodyEnd(nil)
            unsafe body.append(contentsOf: bytes)
            unsafe events[last].note = .body(body)
        } else {
            unsafe events.append((stream, .body([UInt8](bytes))))
        }
    }

    /// A stream that waited for its window may be written to.
    mutating func noteWritable(_ stream: HTTP2Stream.Pointer) {
        unsafe stream.pointee.isShort = false
        unsafe writables.append(stream)
        unsafe areWritablesInOrder = false
    }

    /// The next stream that may be written to. They come in turn, beginning behind the one that was cut short last, so
    /// that one that takes all of the connection's window does not take it every time.
    mutating func takeWritable() -> HTTP2Stream.Pointer? {
        if unsafe !areWritablesInOrder {
            let last = unsafe lastCut
            unsafe writables.sort {
                unsafe UInt32(bitPattern: $0.pointee.id &- last &- 1) > UInt32(bitPattern: $1.pointee.id &- last &- 1)
            }
            unsafe areWritablesInOrder = true
        }
        return unsafe writables.popLast()
    }
}
