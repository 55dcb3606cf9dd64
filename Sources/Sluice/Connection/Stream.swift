internal import SluiceHTTP
internal import SluiceIO

/// One HTTP exchange on its connection: the one shape in which everything above sees HTTP/1.1 and HTTP/2.
///
/// It never waits: what the connection, or the client's window, does not take at once makes it *blocked* until the
/// worker says that there is room.
@safe struct Stream: ~Copyable {
    let connection: Place<Connection>
    let token: Token
    /// Its number on an HTTP/2 connection; 0: the connection speaks HTTP/1.1.
    let number: Int32
    /// Bytes of the body that were taken, with the marks of its chunks. Here, in the cache line that a delivery reads.
    private(set) var sent = 0
    /// Set exactly where `number` is not 0. The connection owns it.
    private let http2: Unmanaged<HTTP2Connection>?
    /// Its place among the streams of its HTTP/2 connection.
    var place = 0

    var exchange: Exchange?
    /// An event stream runs: no exchange is left of what began it.
    var isStreaming = false
    /// The subscriber whose stream this is.
    var subscriber: Token?
    /// How the events that are written to it are marked off.
    var framing: Framing = .chunked
    /// What `Limits.connectionsPerAddress` counts behind a trusted proxy.
    var countedAddress: IPAddress?
    /// Its part of what its client may have open on its route.
    var seat: StreamSeat?
    var timer = Deadline()
    /// The connection is closed when the response has left (HTTP/1.1).
    var closesAfterResponse = false
    /// The response was written, and the bytes that still wait end with it.
    var isFinishing = false
    /// They do not end as they should have.
    private(set) var isAborted = false
    /// Nothing of it goes on; it is removed at the end of the tick.
    var isOver = false
    /// What the access log will tell of it.
    var record: AccessRecord?

    /// HTTP/2: bytes of the body that neither windows nor the connection have taken.
    private var queued = ByteQueue()
    /// HTTP/2: request bytes that nobody has asked for yet.
    var unread = ByteQueue()
    /// The request ends with them.
    var endsUnread = false
    /// HTTP/2: what stands behind the body.
    private var trailers: FieldBlock?
    private var isWaiting = false
    private var waitingSince: UInt64 = 0

    init(on connection: Place<Connection>, token: Token, number: Int32) {
        self.connection = connection
        self.token = token
        self.number = number
        if number != 0, let http2 = connection.value.http2 {
            unsafe self.http2 = Unmanaged.passUnretained(http2)
        } else {
            unsafe http2 = nil
        }
    }

    /// Nothing is taken at the moment.
    var isBlocked: Bool { number == 0 ? connection.value.transport.isBlocked : isWaiting }
    /// The connection is broken.
    var hasFailed: Bool { connection.value.transport.failure != nil }
    /// When the client last took something of it, or began to take nothing.
    var blockedSince: UInt64 { number == 0 ? connection.value.transport.blockedSince : waitingSince }

    // MARK: The response

    /// Writes a response's head, and with it the first bytes of its body, or all of it.
    /// - Parameter method: what is answered; the answer to HEAD keeps the length that it announces.
    mutating func begin(
        _ head: ResponseHead, body: [UInt8], isLast: Bool = false, answering method: HTTPMethod = .get,
        _ context: LoopContext
    ) {
        isFinishing = isLast
        record?.status = head.status
        guard number == 0 else {
            beginFrames(head, hasBody: !isLast || !body.isEmpty, context)
            if !body.isEmpty { writeAll(body, context) }
            return
        }
        sent &+= body.count
        connection.value.transport.writeAll(context) { bytes in
            HTTP1Serializer.append(head, answering: method, to: &bytes)
            bytes.append(contentsOf: body)
        }
    }

    /// The same with bytes that still are to be framed.
    mutating func begin(
        _ head: ResponseHead, part: UnsafeRawBufferPointer, isLast: Bool, answering method: HTTPMethod,
        _ context: LoopContext
    ) {
        isFinishing = isLast
        record?.status = head.status
        guard number == 0 else {
            beginFrames(head, hasBody: !isLast || part.count > 0, context)
            return unsafe writeAll(part, context)
        }
        let isChunked = framing == .chunked
        var size = 0
        connection.value.transport.writeAll(context) { bytes in
            HTTP1Serializer.append(head, answering: method, to: &bytes)
            let start = bytes.count
            unsafe isChunked ? HTTP1Serializer.appendChunk(part, to: &bytes) : bytes.append(contentsOf: part)
            size = bytes.count - start
        }
        sent &+= size
    }

    private func beginFrames(_ head: ResponseHead, hasBody: Bool, _ context: LoopContext) {
        unsafe http2?._withUnsafeGuaranteedRef { $0.session.respond(number, head, hasBody: hasBody) }
        list(context)
    }

    /// Says to a client that waits for it that its body is wanted (RFC 9110, section 10.1.1).
    mutating func askForBody(_ context: LoopContext) { inform(ResponseHead(status: 100), context) }

    /// Writes an interim response's head: 100, 103 and the like.
    mutating func inform(_ head: ResponseHead, _ context: LoopContext) {
        guard number == 0 else {
            unsafe http2?._withUnsafeGuaranteedRef {
                $0.session.inform(number, status: head.status, fields: head.fields)
            }
            return list(context)
        }
        connection.value.transport.writeAll(context) { HTTP1Serializer.append(head, to: &$0) }
    }

    /// Writes bytes of the body in the stream's framing.
    /// - Parameter isLast: over HTTP/2 the body ends with them, if all are taken.
    /// - Returns: how many were taken. Fewer than given: the stream is blocked, or failed.
    mutating func write(_ bytes: UnsafeRawBufferPointer, isLast: Bool = false, _ context: LoopContext) -> Int {
        let taken =
            number == 0
            ? unsafe connection.value.transport.write(bytes, context)
            : unsafe writeFrames(bytes, isLast: isLast || endsWithLast, context)
        sent &+= taken
        return taken
    }

    /// The stream ends with the last of its bytes, as nothing stands behind them.
    private var endsWithLast: Bool { isFinishing && trailers == nil }

    private mutating func writeFrames(
        _ bytes: UnsafeRawBufferPointer, isLast: Bool, _ context: LoopContext
    ) -> Int {
        guard !isWaiting, let http2 = unsafe http2 else { return 0 }
        return unsafe http2._withUnsafeGuaranteedRef { http2 in
            if !http2.isListed { context.list(connection, http2) }
            var taken = unsafe http2.session.write(number, bytes, isLast: isLast)
            while taken < bytes.count, http2.session.isOutputFull {
                connection.value.flushFrames(context)
                guard !http2.session.isOutputFull else {
                    http2.hasWaiting = true
                    break
                }
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[taken...])
                taken += unsafe http2.session.write(number, rest, isLast: isLast)
            }
            isWaiting = taken < bytes.count
            // From the last progress on: who asks again and gets nothing does not begin anew.
            if !isWaiting { waitingSince = 0 } else if taken > 0 || waitingSince == 0 { waitingSince = context.now }
            return taken
        }
    }

    /// Writes bytes of the body, in the stream's framing, and keeps what is not taken now. For what is bounded by itself.
    private mutating func writeAll(_ bytes: [UInt8], _ context: LoopContext) {
        guard number != 0 else {
            sent &+= bytes.count
            return connection.value.transport.writeAll(bytes, context)
        }
        let taken = unsafe queued.isEmpty ? bytes.withUnsafeBytes { unsafe write($0, context) } : 0
        // A client may have the same large body wait on all its streams.
        if taken < bytes.count { queued.append(bytes, from: taken) }
    }

    /// The same with bytes that are copied as far as they have to be kept. HTTP/2 only.
    private mutating func writeAll(_ bytes: UnsafeRawBufferPointer, _ context: LoopContext) {
        guard bytes.count > 0 else { return }
        let taken = unsafe queued.isEmpty ? write(bytes, context) : 0
        if taken < bytes.count { unsafe queued.append(UnsafeRawBufferPointer(rebasing: bytes[taken...])) }
    }

    /// Writes bytes of a streamed body that belong to this stream alone.
    mutating func writePrivate(_ bytes: UnsafeRawBufferPointer, _ context: LoopContext) {
        guard number == 0 else { return unsafe writeAll(bytes, context) }
        guard framing == .chunked else {
            sent &+= bytes.count
            return unsafe connection.value.transport.writeAll(bytes, context)
        }
        writeMade(context) { unsafe HTTP1Serializer.appendChunk(bytes, to: &$0) }
    }

    /// HTTP/1.1: bytes that are put together for it.
    private mutating func writeMade(_ context: LoopContext, _ make: (inout [UInt8]) -> Void) {
        var size = 0
        connection.value.transport.writeAll(context) {
            make(&$0)
            size = $0.count
        }
        sent &+= size
    }

    /// Writes bytes of a streamed body that belong to this stream alone.
    mutating func writePrivate(_ bytes: [UInt8], _ context: LoopContext) {
        guard !bytes.isEmpty else { return }
        writeAll(framed(bytes), context)
    }

    /// Bytes of a streamed body as its framing wants them.
    func framed(_ bytes: [UInt8]) -> [UInt8] {
        guard framing == .chunked else { return bytes }
        var framed: [UInt8] = []
        framed.reserveCapacity(bytes.count + 12)
        unsafe bytes.withUnsafeBytes { unsafe HTTP1Serializer.appendChunk($0, to: &framed) }
        return framed
    }

    /// Ends a streamed body so that the peer sees that it is whole.
    /// - Parameter trailers: fields that stand behind it.
    mutating func endBody(trailers: FieldBlock? = nil, _ context: LoopContext) {
        isFinishing = true
        guard number == 0 else {
            self.trailers = trailers
            return endIfWritten(context)
        }
        guard framing == .chunked else { return }
        writeMade(context) { HTTP1Serializer.appendLastChunk(trailers: trailers, to: &$0) }
    }

    /// Ends a streamed body so that the peer sees that it is not whole: no last chunk, RST_STREAM, and where only the
    /// connection's end would say so, a reset.
    mutating func abortBody(_ context: LoopContext) {
        isFinishing = true
        isAborted = true
        if number != 0 {
            reset(HTTP2ErrorCode.internalError, context)
        } else if framing == .untilClose {
            connection.value.transport.resetOnClose()
        }
    }

    /// Gives an HTTP/2 stream up; the connection goes on.
    func reset(_ error: UInt32, _ context: LoopContext) {
        unsafe http2?._withUnsafeGuaranteedRef { $0.session.reset(number, error: error) }
        list(context)
    }

    private mutating func endIfWritten(_ context: LoopContext) {
        guard queued.isEmpty else { return }
        unsafe http2?._withUnsafeGuaranteedRef { $0.session.end(number, trailers: trailers) }
        list(context)
    }

    private func list(_ context: LoopContext) {
        unsafe http2?._withUnsafeGuaranteedRef { http2 in
            if !http2.isListed { context.list(connection, http2) }
        }
    }

    // MARK: Room

    /// There may be room: what waits goes on.
    /// - Returns: whether nothing waits any more, so that the owner may write.
    mutating func becameWritable(_ context: LoopContext) -> Bool {
        guard number != 0 else { return !isBlocked && !hasFailed }
        isWaiting = false
        guard !queued.isEmpty else { return !hasFailed }
        var waiting = ByteQueue()
        swap(&waiting, &queued)
        let taken = unsafe waiting.withBytes { unsafe write($0, context) }
        waiting.consume(taken)
        swap(&waiting, &queued)
        if isFinishing { endIfWritten(context) }
        return !isWaiting && !hasFailed
    }

    /// Takes down that request bytes were used, so that the client may send as many more.
    func consumed(_ count: Int, _ context: LoopContext) {
        guard number != 0, count > 0 else { return }
        unsafe http2?._withUnsafeGuaranteedRef { $0.session.consumed(number, count) }
        list(context)
    }

    /// Bytes of the body that the client takes now, where that is known: HTTP/2's windows tell it.
    var room: Int? { unsafe http2?._withUnsafeGuaranteedRef { $0.session.room(number) } }

    /// Bytes of memory in which the body waits for the client's windows.
    var waitingFootprint: Int { queued.footprint }

    /// What is written was handed over: nothing waits here.
    var hasWrittenAll: Bool { number == 0 ? !isBlocked : queued.isEmpty }
}
