import CNghttp2
import SluiceHTTP

/// A client of HTTP/2, as nghttp2 makes one, and the session under test: what one has to send the other gets.
@safe final class HTTP2Peer {
    struct Answer {
        var fields: [(name: String, value: String)] = []
        var interim: [String] = []
        var body: [UInt8] = []
        var hasEnded = false
        /// The error of the reset, or 0.
        var closed: UInt32?

        func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }
        var status: String? { value(":status") }
    }

    struct Record {
        var answers: [Int32: Answer] = [:]
        var goAways: [(last: Int32, error: UInt32)] = []
        var pings = 0
        var pongs = 0
        /// Request bodies that are still to be sent, and whether they then end.
        var bodies: [Int32: (bytes: [UInt8], ends: Bool)] = [:]
    }

    let server: HTTP2Session
    private let client: OpaquePointer
    private let record: UnsafeMutablePointer<Record>
    private(set) var events: [HTTP2Event] = []
    var now: UInt64 = 1000
    /// Whether the session still takes input.
    private(set) var isOpen = true

    var seen: Record { unsafe record.pointee }
    func answer(_ stream: Int32) -> Answer { seen.answers[stream] ?? Answer() }

    /// A client that gives windows back as it reads, or, `givesWindow` being false, only when told to.
    init(
        _ limits: HTTP2Limits = HTTP2Limits(), settings: [(UInt32, UInt32)] = [], givesWindow: Bool = true
    ) throws {
        server = try HTTP2Session(limits: limits)
        unsafe record = .allocate(capacity: 1)
        unsafe record.initialize(to: Record())
        unsafe client = PeerCallbacks.client(record, givesWindow: givesWindow)
        let entries = settings.map { nghttp2_settings_entry(settings_id: Int32($0.0), value: $0.1) }
        unsafe _ = nghttp2_submit_settings(client, 0, entries, entries.count)
        talk()
    }

    deinit {
        unsafe nghttp2_session_del(client)
        unsafe record.deinitialize(count: 1)
        unsafe record.deallocate()
    }

    /// Sends a request; with a body when `body` is not nil, which is left open unless `ends`.
    @discardableResult
    func request(
        _ fields: [(String, String)] = HTTP2Peer.get(), body: [UInt8]? = nil, ends: Bool = true
    ) -> Int32 {
        var storage = fields.map { (Array($0.0.utf8), Array($0.1.utf8)) }
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.read_callback = body == nil ? nil : readPeerBody
        let pairs = unsafe storage.indices.map { index in
            unsafe nghttp2_nv(
                name: HTTP2Peer.copy(storage[index].0), value: HTTP2Peer.copy(storage[index].1),
                namelen: storage[index].0.count, valuelen: storage[index].1.count, flags: 0)
        }
        defer {
            unsafe pairs.forEach { pair in
                unsafe pair.name.deallocate()
                unsafe pair.value.deallocate()
            }
            storage = []
        }
        let id = unsafe nghttp2_submit_request(client, nil, pairs, pairs.count, &provider, nil)
        if let body { unsafe record.pointee.bodies[id] = (body, ends) }
        return id
    }

    /// Adds to a request's body.
    func write(_ stream: Int32, _ bytes: [UInt8], ends: Bool = false) {
        let rest = seen.bodies[stream]?.bytes ?? []
        unsafe record.pointee.bodies[stream] = (rest + bytes, ends)
        unsafe _ = nghttp2_session_resume_data(client, stream)
    }

    func settings(_ entries: (UInt32, UInt32)...) {
        let entries = entries.map { nghttp2_settings_entry(settings_id: Int32($0.0), value: $0.1) }
        unsafe _ = nghttp2_submit_settings(client, 0, entries, entries.count)
    }

    func reset(_ stream: Int32, _ error: UInt32 = 8) { unsafe _ = nghttp2_submit_rst_stream(client, 0, stream, error) }
    func ping() { unsafe _ = nghttp2_submit_ping(client, 0, nil) }
    func giveWindow(_ stream: Int32, _ count: Int32) {
        unsafe _ = nghttp2_submit_window_update(client, 0, stream, count)
    }

    /// What the client has to send.
    func clientBytes() -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            var start: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(client, &start)
            guard count > 0 else { return bytes }
            unsafe bytes += UnsafeBufferPointer(start: start, count: count)
        }
    }

    /// Gives the server some bytes, and takes its events.
    @discardableResult
    func give(_ bytes: [UInt8]) -> Bool {
        isOpen = unsafe bytes.withUnsafeBytes { unsafe server.receive($0, nowMilliseconds: now) } && isOpen
        takeEvents()
        return isOpen
    }

    func takeEvents() { while let event = server.nextEvent() { events.append(event) } }

    /// Hands the client what the server has to send.
    @discardableResult
    func flush() -> Int {
        let output = unsafe Array(server.output)
        server.consumeOutput(output.count)
        if !output.isEmpty { unsafe _ = nghttp2_session_mem_recv(client, output, output.count) }
        return output.count
    }

    /// Both talk until neither has anything to say.
    func talk() {
        for _ in 0..<10_000 {
            let bytes = clientBytes()
            if !bytes.isEmpty { give(bytes) }
            if flush() == 0, bytes.isEmpty { return }
        }
    }

    /// All that happened since the last call.
    func took() -> [HTTP2Event] {
        takeEvents()
        defer { events = [] }
        return events
    }

    static func get(_ path: String = "/", _ more: [(String, String)] = []) -> [(String, String)] {
        [(":method", "GET"), (":scheme", "https"), (":authority", "a.example"), (":path", path)] + more
    }

    static func post(_ path: String = "/", _ more: [(String, String)] = []) -> [(String, String)] {
        [(":method", "POST"), (":scheme", "https"), (":authority", "a.example"), (":path", path)] + more
    }

    private static func copy(_ bytes: [UInt8]) -> UnsafeMutablePointer<UInt8> {
        let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(bytes.count, 1))
        unsafe copy.initialize(from: bytes, count: bytes.count)
        return unsafe copy
    }
}

private enum PeerCallbacks {
    static func client(_ record: UnsafeMutablePointer<HTTP2Peer.Record>, givesWindow: Bool) -> OpaquePointer {
        var callbacks: OpaquePointer?
        var options: OpaquePointer?
        var session: OpaquePointer?
        unsafe nghttp2_session_callbacks_new(&callbacks)
        unsafe nghttp2_option_new(&options)
        unsafe nghttp2_option_set_no_auto_window_update(options, givesWindow ? 0 : 1)
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, frame, name, nameCount, value, valueCount, _, data in
            guard let frame = unsafe frame, let data = unsafe data else { return 0 }
            let record = unsafe data.assumingMemoryBound(to: HTTP2Peer.Record.self)
            let name = unsafe String(decoding: UnsafeBufferPointer(start: name, count: nameCount), as: UTF8.self)
            let value = unsafe String(decoding: UnsafeBufferPointer(start: value, count: valueCount), as: UTF8.self)
            let id = unsafe frame.pointee.hd.stream_id
            if name == ":status", value.hasPrefix("1") {
                unsafe record.pointee.answers[id, default: .init()].interim.append(value)
            } else {
                unsafe record.pointee.answers[id, default: .init()].fields.append((name, value))
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, bytes, count, data in
            guard let data = unsafe data else { return 0 }
            let record = unsafe data.assumingMemoryBound(to: HTTP2Peer.Record.self)
            unsafe record.pointee.answers[id, default: .init()].body += UnsafeBufferPointer(start: bytes, count: count)
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, data in
            guard let frame = unsafe frame, let data = unsafe data else { return 0 }
            let record = unsafe data.assumingMemoryBound(to: HTTP2Peer.Record.self)
            let head = unsafe frame.pointee.hd
            switch UInt32(head.type) {
            case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
                guard head.flags & 1 != 0 else { break }
                unsafe record.pointee.answers[head.stream_id, default: .init()].hasEnded = true
            case NGHTTP2_PING.rawValue:
                if head.flags & 1 != 0 { unsafe record.pointee.pongs += 1 } else { unsafe record.pointee.pings += 1 }
            case NGHTTP2_GOAWAY.rawValue:
                unsafe record.pointee.goAways.append(
                    (frame.pointee.goaway.last_stream_id, frame.pointee.goaway.error_code))
            default: break
            }
            return 0
        }
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, error, data in
            guard let data = unsafe data else { return 0 }
            let record = unsafe data.assumingMemoryBound(to: HTTP2Peer.Record.self)
            unsafe record.pointee.answers[id, default: .init()].closed = error
            return 0
        }
        unsafe nghttp2_session_client_new2(&session, callbacks, record, options)
        unsafe nghttp2_session_callbacks_del(callbacks)
        unsafe nghttp2_option_del(options)
        guard let session = unsafe session else { fatalError("no client") }
        return unsafe session
    }
}

private func readPeerBody(
    _ session: OpaquePointer?, _ id: Int32, _ buffer: UnsafeMutablePointer<UInt8>?, _ room: Int,
    _ flags: UnsafeMutablePointer<UInt32>?, _ source: UnsafeMutablePointer<nghttp2_data_source>?,
    _ data: UnsafeMutableRawPointer?
) -> Int {
    guard let data = unsafe data, let buffer = unsafe buffer else { return -902 }
    let record = unsafe data.assumingMemoryBound(to: HTTP2Peer.Record.self)
    guard let body = unsafe record.pointee.bodies[id] else { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
    let count = min(room, body.bytes.count)
    if count == 0, !body.ends { return Int(NGHTTP2_ERR_DEFERRED.rawValue) }
    unsafe body.bytes.withUnsafeBufferPointer { bytes in
        if let start = bytes.baseAddress { unsafe buffer.update(from: start, count: count) }
    }
    unsafe record.pointee.bodies[id] = (Array(body.bytes.dropFirst(count)), body.ends)
    if count == body.bytes.count, body.ends { unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
    return count
}
