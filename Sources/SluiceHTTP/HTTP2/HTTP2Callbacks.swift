internal import CNghttp2

/// The functions that nghttp2 calls while it reads and writes. They record; see HTTP2State.
enum HTTP2Callbacks {
    static func install(_ callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, onBeginHeaders)
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, onHeader)
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, onInvalidHeader)
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, onFrame)
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, onData)
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, onClose)
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, onSent)
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, onNotSent)
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks, sendData)
    }
}

private typealias Frame = UnsafePointer<nghttp2_frame>?
private typealias Bytes = UnsafePointer<UInt8>?

private let stop = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
private let endStream = UInt8(truncatingIfNeeded: NGHTTP2_FLAG_END_STREAM.rawValue)

@inline(__always)
private func state(_ data: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<HTTP2State>? {
    unsafe data?.assumingMemoryBound(to: HTTP2State.self)
}

@inline(__always)
private func stream(_ session: OpaquePointer?, _ id: Int32) -> HTTP2Stream.Pointer? {
    unsafe nghttp2_session_get_stream_user_data(session, id)?.assumingMemoryBound(to: HTTP2Stream.self)
}

private func onBeginHeaders(_ session: OpaquePointer?, _ frame: Frame, _ data: UnsafeMutableRawPointer?) -> Int32 {
    guard let state = unsafe state(data), let frame = unsafe frame else { return stop }
    if unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
        let id = unsafe frame.pointee.hd.stream_id
        let stream = unsafe state.pointee.open(id)
        return unsafe nghttp2_session_set_stream_user_data(session, id, stream)
    }
    unsafe state.pointee.block = HeaderBlock(state.pointee.limits)
    return 0
}

private func onHeader(
    _ session: OpaquePointer?, _ frame: Frame, _ name: Bytes, _ nameCount: Int, _ value: Bytes, _ valueCount: Int,
    _ flags: UInt8, _ data: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe noteField(name, nameCount, value, valueCount, isValid: true, data)
}

private func onInvalidHeader(
    _ session: OpaquePointer?, _ frame: Frame, _ name: Bytes, _ nameCount: Int, _ value: Bytes, _ valueCount: Int,
    _ flags: UInt8, _ data: UnsafeMutableRawPointer?
) -> Int32 {
    unsafe noteField(name, nameCount, value, valueCount, isValid: false, data)
}

private func noteField(
    _ name: Bytes, _ nameCount: Int, _ value: Bytes, _ valueCount: Int, isValid: Bool, _ data: UnsafeMutableRawPointer?
) -> Int32 {
    guard let state = unsafe state(data) else { return stop }
    unsafe state.pointee.block.add(
        name: UnsafeRawBufferPointer(start: name, count: nameCount),
        value: UnsafeRawBufferPointer(start: value, count: valueCount), isValid: isValid)
    return unsafe state.pointee.block.isBomb ? NGHTTP2_ERR_FLOODED.rawValue : 0
}

private func onFrame(_ session: OpaquePointer?, _ frame: Frame, _ data: UnsafeMutableRawPointer?) -> Int32 {
    guard let state = unsafe state(data), let frame = unsafe frame else { return stop }
    let head = unsafe frame.pointee.hd
    let endsStream = head.flags & endStream != 0
    switch UInt32(head.type) {
    case NGHTTP2_HEADERS.rawValue:
        guard let stream = unsafe stream(session, head.stream_id) else { return 0 }
        let isRequest = unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
        unsafe state.pointee.finishBlock(stream, isRequest: isRequest, endsStream: endsStream)
    case NGHTTP2_DATA.rawValue where endsStream:
        guard let stream = unsafe stream(session, head.stream_id) else { return 0 }
        unsafe stream.pointee.requestHasEnded = true
        if unsafe !stream.pointee.isRefused { unsafe state.pointee.events.append((stream, .bodyEnd(nil))) }
    case NGHTTP2_PING.rawValue where head.flags & UInt8(truncatingIfNeeded: NGHTTP2_FLAG_ACK.rawValue) != 0:
        unsafe state.pointee.awaitsPing = false
    default: break
    }
    return 0
}

private func onData(
    _ session: OpaquePointer?, _ flags: UInt8, _ id: Int32, _ bytes: Bytes, _ count: Int,
    _ data: UnsafeMutableRawPointer?
) -> Int32 {
    guard let state = unsafe state(data) else { return stop }
    guard let stream = unsafe stream(session, id) else {
        unsafe state.pointee.discarded &+= count
        return 0
    }
    unsafe state.pointee.body(stream, UnsafeRawBufferPointer(start: bytes, count: count))
    return 0
}

private func onClose(
    _ session: OpaquePointer?, _ id: Int32, _ error: UInt32, _ data: UnsafeMutableRawPointer?
) -> Int32 {
    guard let state = unsafe state(data) else { return stop }
    if let stream = unsafe stream(session, id) { unsafe state.pointee.close(stream, error: error) }
    return 0
}

private func onSent(_ session: OpaquePointer?, _ frame: Frame, _ data: UnsafeMutableRawPointer?) -> Int32 {
    guard let state = unsafe state(data), let frame = unsafe frame else { return stop }
    let head = unsafe frame.pointee.hd
    switch UInt32(head.type) {
    case NGHTTP2_DATA.rawValue, NGHTTP2_HEADERS.rawValue:
        guard head.flags & endStream != 0, let stream = unsafe stream(session, head.stream_id) else { return 0 }
        unsafe stream.pointee.isEnding = true
        // RFC 9113, 8.1: the response is complete, what is left of the request is of no use.
        if unsafe !stream.pointee.requestHasEnded {
            unsafe state.pointee.resets.append((head.stream_id, HTTP2ErrorCode.none))
        }
    case NGHTTP2_RST_STREAM.rawValue where unsafe frame.pointee.rst_stream.error_code != HTTP2ErrorCode.none:
        let stream = unsafe stream(session, head.stream_id)
        if unsafe stream?.pointee.isResetByCaller != true { unsafe state.pointee.budget.chargeRefusal() }
    default: break
    }
    return 0
}

private func onNotSent(
    _ session: OpaquePointer?, _ frame: Frame, _ error: Int32, _ data: UnsafeMutableRawPointer?
) -> Int32 {
    guard let state = unsafe state(data), let frame = unsafe frame else { return stop }
    // A head that could not be sent leaves its stream without an answer. Nothing comes of it when the stream is gone.
    if unsafe UInt32(frame.pointee.hd.type) == NGHTTP2_HEADERS.rawValue {
        unsafe state.pointee.resets.append((frame.pointee.hd.stream_id, HTTP2ErrorCode.internalError))
    }
    return 0
}

/// Says how much of the write in progress the next DATA frame takes. Whoever is not writing is put off.
func readHTTP2Data(
    _ session: OpaquePointer?, _ id: Int32, _ buffer: UnsafeMutablePointer<UInt8>?, _ room: Int,
    _ flags: UnsafeMutablePointer<UInt32>?, _ source: UnsafeMutablePointer<nghttp2_data_source>?,
    _ data: UnsafeMutableRawPointer?
) -> Int {
    guard let state = unsafe state(data), let source = unsafe source?.pointee.ptr else { return Int(stop) }
    if unsafe state.pointee.writer == id, unsafe state.pointee.left > 0 {
        guard unsafe !state.pointee.output.isFull else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
        unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if unsafe state.pointee.endsWithLast, unsafe state.pointee.left <= room {
            unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        }
        return unsafe min(room, state.pointee.left)
    }
    let stream = unsafe source.assumingMemoryBound(to: HTTP2Stream.self)
    if unsafe stream.pointee.isEnding {
        unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
        if let trailers = unsafe stream.pointee.trailers {
            // Here and nowhere else: before, they would overtake the body.
            unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
            var block = HeaderWriter()
            block.append(trailers)
            unsafe block.withFields { unsafe _ = nghttp2_submit_trailer(session, id, $0, $1) }
        }
        return 0
    }
    if unsafe stream.pointee.isShort { unsafe state.pointee.noteWritable(stream) }
    return Int(NGHTTP2_ERR_DEFERRED.rawValue)
}

private func sendData(
    _ session: OpaquePointer?, _ frame: UnsafeMutablePointer<nghttp2_frame>?, _ head: Bytes, _ count: Int,
    _ source: UnsafeMutablePointer<nghttp2_data_source>?, _ data: UnsafeMutableRawPointer?
) -> Int32 {
    guard let state = unsafe state(data), let head = unsafe head, let bytes = unsafe state.pointee.source,
        unsafe count <= state.pointee.left
    else { return stop }
    unsafe state.pointee.output.append(head, 9)
    unsafe state.pointee.output.append(bytes, count)
    unsafe state.pointee.source = bytes + count
    unsafe state.pointee.left &-= count
    unsafe state.pointee.budget.sent(count)
    return 0
}
