internal import CNghttp2

/// A client's connection of HTTP/2, seen from the server: input goes in, events come out, frames gather in `output`.
/// No I/O, no clock of its own; not Sendable, it belongs to its connection's thread.
///
/// nghttp2 does frames, HPACK and flow control. What it leaves to us is here: the checks of a head that make it a
/// request (HeaderBlock), the budget of a client that floods (FloodBudget), windows that open only for what was used.
@safe package final class HTTP2Session {
    /// What a client of HTTP/2 sends first.
    package static let preface: [UInt8] = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    /// Bytes of output at which `write` takes nothing more.
    package static let outputLimit = 64 * 1024
    /// Bytes of all bodies together that a client may send before they are used.
    static let connectionWindow: Int32 = 1 << 20

    let session: OpaquePointer
    let state: UnsafeMutablePointer<HTTP2State>
    private var scan = FrameScan()
    /// No frame is taken any more: the last GOAWAY is in the output, or nothing could be written.
    private(set) var isStopped = false
    /// The error for which we ended the connection.
    package private(set) var stopError: UInt32?

    /// A session whose SETTINGS wait in the output.
    package init(limits: HTTP2Limits = HTTP2Limits()) throws(HTTP2Error) {
        let state = UnsafeMutablePointer<HTTP2State>.allocate(capacity: 1)
        unsafe state.initialize(to: HTTP2State(limits))
        do throws(HTTP2Error) {
            unsafe session = try HTTP2Session.make(state)
        } catch {
            unsafe state.deinitialize(count: 1)
            unsafe state.deallocate()
            throw error
        }
        unsafe self.state = state
        sendSettings(limits)
        settle()
    }

    deinit {
        unsafe nghttp2_session_del(session)
        while let stream = unsafe state.pointee.first { unsafe state.pointee.free(stream) }
        unsafe state.pointee.output.free()
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    private static func make(_ state: UnsafeMutablePointer<HTTP2State>) throws(HTTP2Error) -> OpaquePointer {
        var callbacks: OpaquePointer?
        var options: OpaquePointer?
        var session: OpaquePointer?
        defer {
            unsafe nghttp2_session_callbacks_del(callbacks)
            unsafe nghttp2_option_del(options)
        }
        let made = unsafe nghttp2_session_callbacks_new(&callbacks) | nghttp2_option_new(&options)
        guard made == 0 else { throw HTTP2Error(code: made) }
        unsafe HTTP2Callbacks.install(callbacks)
        // A window is given back when its bytes were used, not when they came.
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        unsafe nghttp2_option_set_max_send_header_block_length(options, 1 << 18)
        // FloodBudget and FrameScan count resets and CONTINUATION frames, and say ENHANCE_YOUR_CALM. nghttp2 counts a
        // CONTINUATION again for each piece of input that its head comes in.
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, 1 << 32, 1 << 32)
        unsafe nghttp2_option_set_max_continuations(options, (FrameScan.mostContinuations + 1) * 9)
        let code = unsafe nghttp2_session_server_new2(&session, callbacks, state, options)
        guard code == 0, let session = unsafe session else { throw HTTP2Error(code: code) }
        return unsafe session
    }

    private func sendSettings(_ limits: HTTP2Limits) {
        func entry(_ id: nghttp2_settings_id, _ value: Int) -> nghttp2_settings_entry {
            nghttp2_settings_entry(settings_id: Int32(bitPattern: id.rawValue), value: UInt32(clamping: value))
        }
        let entries = [
            entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.head),
            entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
        ]
        let none = UInt8(truncatingIfNeeded: NGHTTP2_FLAG_NONE.rawValue)
        unsafe nghttp2_submit_settings(session, none, entries, entries.count)
        unsafe nghttp2_session_set_local_window_size(session, none, 0, HTTP2Session.connectionWindow)
    }

    // MARK: Input

    /// Takes input; what came of it is to be asked for with `nextEvent`. False: the connection is over. A GOAWAY with
    /// the reason is in the output where it could be written: flush, and close.
    ///
    /// Do not call it while the output is full: a client that does not read is not read either.
    package func receive(_ bytes: UnsafeRawBufferPointer, nowMilliseconds: UInt64) -> Bool {
        unsafe state.pointee.budget.advance(to: nowMilliseconds)
        var rest = unsafe bytes
        while rest.count > 0, !isOver {
            let count: Int
            switch unsafe scan.next(rest, &state.pointee.budget) {
            case .take(let taken): count = taken
            case .stop(let error): return stop(error)
            }
            let start = unsafe rest.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let code = unsafe nghttp2_session_mem_recv(session, start, count)
            if code < 0 { return stop(HTTP2Session.reason(Int32(truncatingIfNeeded: code))) }
            if scan.isBetweenFrames { settle() }
            // Also over what it makes us answer, when it reads none of that.
            if unsafe state.pointee.budget.isSpent || state.pointee.output.count > 2 * HTTP2Session.outputLimit {
                return stop(HTTP2ErrorCode.enhanceYourCalm)
            }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        // nghttp2 may have said the last word by itself.
        isStopped = isOver
        return !isStopped
    }

    /// Whether a preface, a header block or another frame than DATA was begun and waits for its rest. Who takes long over
    /// one of these is no slow reader.
    package var isHeadUnfinished: Bool { scan.isHeadUnfinished }

    private static func reason(_ code: Int32) -> UInt32 {
        switch code {
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC.rawValue: HTTP2ErrorCode.protocolError
        // The only callback that fails is the one that counts a header block's fields.
        case NGHTTP2_ERR_FLOODED.rawValue, NGHTTP2_ERR_TOO_MANY_CONTINUATIONS.rawValue,
            NGHTTP2_ERR_CALLBACK_FAILURE.rawValue:
            HTTP2ErrorCode.enhanceYourCalm
        default: HTTP2ErrorCode.internalError
        }
    }

    /// Says the last word.
    @discardableResult
    func stop(_ error: UInt32) -> Bool {
        guard !isStopped else { return false }
        unsafe nghttp2_session_terminate_session(session, error)
        pump()
        isStopped = true
        stopError = error
        return false
    }

    /// What came of the input, in order; nil when there is nothing more.
    package func nextEvent() -> HTTP2Event? {
        guard unsafe state.pointee.nextEvent < state.pointee.events.count else {
            if unsafe state.pointee.nextEvent > 0 {
                unsafe state.pointee.events = []
                unsafe state.pointee.nextEvent = 0
            }
            return unsafe state.pointee.takeWritable().map { stream in
                unsafe .writable(stream: stream.pointee.id, tag: stream.pointee.tag)
            }
        }
        let (stream, note) = unsafe state.pointee.events[state.pointee.nextEvent]
        unsafe state.pointee.nextEvent &+= 1
        let (id, tag) = unsafe (stream.pointee.id, stream.pointee.tag)
        switch note {
        case .head(let head): return .head(stream: id, head)
        case .refused(let error): return .refused(stream: id, error)
        case .body(let bytes): return .body(stream: id, tag: tag, bytes)
        case .bodyEnd(let trailers): return .bodyEnd(stream: id, tag: tag, trailers: trailers)
        case .closed(let error):
            unsafe state.pointee.free(stream)
            return .closed(stream: id, tag: tag, error: error)
        }
    }

    /// What events of this stream carry from now on. Also of a stream that is over, until its `.closed` was said.
    package func setTag(_ tag: UInt64, stream id: Int32) {
        if let stream = unsafe stream(id) {
            unsafe stream.pointee.tag = tag
            return
        }
        // Opened and closed by one piece of input.
        let waiting = unsafe state.pointee.events[state.pointee.nextEvent...]
        if let event = unsafe waiting.first(where: { unsafe $0.stream.pointee.id == id }) {
            unsafe event.stream.pointee.tag = tag
        }
    }

    // MARK: Output

    /// Frames that wait to be sent. Valid until the next call of anything else.
    package var output: UnsafeRawBufferPointer { unsafe state.pointee.output.bytes }
    package var hasOutput: Bool { unsafe state.pointee.output.count > 0 }
    /// Whether `write` takes nothing until output was consumed.
    package var isOutputFull: Bool { unsafe state.pointee.output.isFull }

    /// So much of the output was sent.
    package func consumeOutput(_ count: Int) {
        unsafe state.pointee.output.consume(count)
    }

    /// Nothing more is to be read or written, except for what is in the output.
    package var isOver: Bool {
        unsafe isStopped || (nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0)
    }

    /// Streams that are open.
    package var openStreams: Int { unsafe state.pointee.openStreams }
    /// A PING was sent and not answered yet.
    package var awaitsPing: Bool { unsafe state.pointee.awaitsPing }

    // MARK: Inside

    /// The stream, as long as nghttp2 knows it.
    func stream(_ id: Int32) -> HTTP2Stream.Pointer? {
        unsafe nghttp2_session_get_stream_user_data(session, id)?.assumingMemoryBound(to: HTTP2Stream.self)
    }

    /// Frames what can be sent, and does what the callbacks noted.
    func settle() {
        pump()
        while unsafe state.pointee.hasChores && !isStopped {
            let discarded = unsafe state.pointee.discarded
            let resets = unsafe state.pointee.resets
            unsafe state.pointee.discarded = 0
            unsafe state.pointee.resets = []
            if discarded > 0 { unsafe nghttp2_session_consume_connection(session, discarded) }
            for (stream, error) in resets { unsafe nghttp2_submit_rst_stream(session, 0, stream, error) }
            pump()
        }
    }

    /// Moves frames from nghttp2 to the output.
    func pump() {
        while !isStopped {
            var frame: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &frame)
            guard count > 0, let frame = unsafe frame else {
                // Only memory that is not there, or a callback of ours, makes it fail.
                if count < 0 { isStopped = true }
                return
            }
            unsafe state.pointee.output.append(frame, count)
        }
    }
}
