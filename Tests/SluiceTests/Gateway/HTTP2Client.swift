import CNghttp2

/// The far end of a stream over HTTP/2, as nghttp2 makes one: a connection with one request on it. It gives windows back
/// as it reads.
@safe final class HTTP2Client {
    /// What came of the response.
    struct Record {
        /// The fields of its head, a line each, as HTTP/1.1 has them.
        var head: [UInt8] = []
        var hasHead = false
        /// What came of its body and was not taken.
        var body: [UInt8] = []
        var hasEnded = false
        /// The code of the reset that closed it.
        var reset: UInt32?
        /// What of the request's body waits for window, or for its rest.
        var sending: [UInt8] = []
        var sendsMore = false
    }

    private let session: OpaquePointer
    private let record: UnsafeMutablePointer<Record>

    var seen: Record { unsafe record.pointee }

    /// - Parameter window: what may be under way on the stream; the connection's own is 65,535 bytes.
    /// - Parameter givesWindow: whether what is read makes room for more.
    /// - Parameter hasBody: whether it is a POST, whose body `send` gives.
    init(window: UInt32 = 65_535, givesWindow: Bool = true, hasBody: Bool = false) throws {
        unsafe record = .allocate(capacity: 1)
        unsafe record.initialize(to: Record())
        guard let session = unsafe HTTP2Client.make(record, givesWindow) else { throw HTTP2ClientFailure() }
        unsafe self.session = session
        let entries = [
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: window)
        ]
        unsafe _ = nghttp2_submit_settings(session, 0, entries, entries.count)
        unsafe record.pointee.sendsMore = hasBody
        request(hasBody: hasBody)
    }

    deinit {
        unsafe nghttp2_session_del(session)
        unsafe record.deinitialize(count: 1)
        unsafe record.deallocate()
    }

    private func request(hasBody: Bool) {
        let fields = [(":method", hasBody ? "POST" : "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/")]
        var text: [UInt8] = []
        let ranges = fields.map { name, value in
            let start = text.count
            text += Array(name.utf8) + Array(value.utf8)
            return (start, name.utf8.count, value.utf8.count)
        }
        unsafe text.withUnsafeMutableBufferPointer { text in
            guard let start = text.baseAddress else { return }
            let pairs = unsafe ranges.map { at, name, value in
                unsafe nghttp2_nv(
                    name: start + at, value: start + at + name, namelen: name, valuelen: value, flags: 0)
            }
            var body = unsafe nghttp2_data_provider()
            unsafe body.read_callback = hasBody ? readBody : nil
            unsafe _ = nghttp2_submit_request(session, nil, pairs, pairs.count, &body, nil)
        }
    }

    /// Sends some of the request's body.
    func send(_ bytes: [UInt8], isLast: Bool = false) {
        unsafe record.pointee.sending += bytes
        unsafe record.pointee.sendsMore = !isLast
        unsafe _ = nghttp2_session_resume_data(session, 1)
    }

    /// What the client has to say.
    func output() -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            var start: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &start)
            guard count > 0 else { return bytes }
            unsafe bytes += UnsafeBufferPointer(start: start, count: count)
        }
    }

    /// - Returns: whether the server said nothing wrong.
    func receive(_ bytes: [UInt8]) -> Bool {
        unsafe nghttp2_session_mem_recv(session, bytes, bytes.count) == bytes.count
    }

    func takeBody() -> [UInt8] {
        defer { unsafe record.pointee.body = [] }
        return seen.body
    }

    /// Gives window: the connection's is stream 0, the stream itself 1.
    func giveWindow(_ stream: Int32, _ count: Int32) {
        unsafe _ = nghttp2_submit_window_update(session, 0, stream, count)
    }

    func resetStream() { unsafe _ = nghttp2_submit_rst_stream(session, 0, 1, NGHTTP2_CANCEL.rawValue) }

    private static func make(_ record: UnsafeMutablePointer<Record>, _ givesWindow: Bool) -> OpaquePointer? {
        var callbacks: OpaquePointer?
        var options: OpaquePointer?
        var session: OpaquePointer?
        unsafe nghttp2_session_callbacks_new(&callbacks)
        unsafe nghttp2_option_new(&options)
        unsafe nghttp2_option_set_no_auto_window_update(options, givesWindow ? 0 : 1)
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, onHeader)
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, onData)
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, onFrame)
        unsafe nghttp2_session_client_new2(&session, callbacks, record, options)
        unsafe nghttp2_session_callbacks_del(callbacks)
        unsafe nghttp2_option_del(options)
        return unsafe session
    }
}

struct HTTP2ClientFailure: Error {}

private typealias Frame = UnsafePointer<nghttp2_frame>?
private typealias Bytes = UnsafePointer<UInt8>?

private func record(_ data: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<HTTP2Client.Record>? {
    unsafe data?.assumingMemoryBound(to: HTTP2Client.Record.self)
}

private func onHeader(
    _ session: OpaquePointer?, _ frame: Frame, _ name: Bytes, _ nameCount: Int, _ value: Bytes, _ valueCount: Int,
    _ flags: UInt8, _ data: UnsafeMutableRawPointer?
) -> Int32 {
    guard let record = unsafe record(data) else { return 0 }
    unsafe record.pointee.head += UnsafeBufferPointer(start: name, count: nameCount)
    unsafe record.pointee.head += Array(": ".utf8)
    unsafe record.pointee.head += UnsafeBufferPointer(start: value, count: valueCount)
    unsafe record.pointee.head += Array("\r\n".utf8)
    return 0
}

private func onData(
    _ session: OpaquePointer?, _ flags: UInt8, _ id: Int32, _ bytes: Bytes, _ count: Int,
    _ data: UnsafeMutableRawPointer?
) -> Int32 {
    guard let record = unsafe record(data) else { return 0 }
    unsafe record.pointee.body += UnsafeBufferPointer(start: bytes, count: count)
    return 0
}

private func onFrame(_ session: OpaquePointer?, _ frame: Frame, _ data: UnsafeMutableRawPointer?) -> Int32 {
    guard let record = unsafe record(data), let frame = unsafe frame else { return 0 }
    let head = unsafe frame.pointee.hd
    switch UInt32(head.type) {
    case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
        if UInt32(head.type) == NGHTTP2_HEADERS.rawValue { unsafe record.pointee.hasHead = true }
        if head.flags & 1 != 0 { unsafe record.pointee.hasEnded = true }
    case NGHTTP2_RST_STREAM.rawValue: unsafe record.pointee.reset = frame.pointee.rst_stream.error_code
    default: break
    }
    return 0
}

private func readBody(
    _ session: OpaquePointer?, _ id: Int32, _ buffer: UnsafeMutablePointer<UInt8>?, _ room: Int,
    _ flags: UnsafeMutablePointer<UInt32>?, _ source: UnsafeMutablePointer<nghttp2_data_source>?,
    _ data: UnsafeMutableRawPointer?
) -> Int {
    guard let record = unsafe record(data), let buffer = unsafe buffer else { return 0 }
    let part = unsafe record.pointee.sending.prefix(room)
    if unsafe part.isEmpty && record.pointee.sendsMore { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
    for (place, byte) in part.enumerated() { unsafe buffer[place] = byte }
    unsafe record.pointee.sending.removeFirst(part.count)
    let isLast = unsafe record.pointee.sending.isEmpty && !record.pointee.sendsMore
    if isLast { unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
    return part.count
}
