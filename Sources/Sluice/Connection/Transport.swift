internal import SluiceIO
internal import SluiceTLS

/// Bytes to and from a peer, over plain TCP or TLS, either side. It never waits: what the kernel does not take at once
/// makes it *blocked* until the selector says that there is room.
struct Transport: ~Copyable {
    /// What a read gave.
    enum ReadOutcome {
        /// So many bytes of `LoopContext.input`.
        case bytes(Int)
        case nothing
        /// The peer ended its side properly.
        case end
        case failed(TransportError)
    }

    private let socket: Socket
    private var session: TLSSession?
    private(set) var isSecure: Bool
    private let selectorToken: UInt64
    /// One record's ciphertext that the kernel has not taken yet.
    private var sealed = ByteQueue()
    /// Plaintext of `writeAll` that waits.
    private var queued = ByteQueue()
    /// Nothing is taken at the moment.
    private(set) var isBlocked = false
    /// It is blocked by its owner alone, for the rest of the tick.
    private(set) var isHolding = false
    private(set) var failure: TransportError?
    /// When the peer last took something, or began to take nothing.
    private(set) var blockedSince: UInt64 = 0
    /// What the kernel held for the peer at that time, in bytes.
    private var unacknowledged: Int32 = 0
    private(set) var inputEnded = false
    /// The close is a reset, and nothing may tell the peer of a proper end.
    private var isReset = false
    /// Bytes that were to be written and wait to be.
    var waiting: Int { queued.count }
    private var interest: Selector.Interest = .read

    init(_ socket: consuming Socket, selectorToken: UInt64) {
        self.socket = socket
        session = nil
        isSecure = false
        self.selectorToken = selectorToken
    }

    /// The same connection with TLS over it, before a byte has passed.
    mutating func secure(by session: consuming TLSSession) {
        self.session = consume session
        isSecure = true
    }

    var descriptor: Int32 { socket.rawValue }
    var isEstablished: Bool {
        switch session {
        case .some(let session): session.isEstablished
        case .none: true
        }
    }
    /// Whether the peer said something that was not read yet, its end or a reset included.
    var hasInput: Bool { inputEnded || socket.hasInput }
    var connectError: Errno? { socket.pendingError() }
    /// The protocol that TLS agreed on.
    var alpn: String? {
        switch session {
        case .some(let session): session.alpn
        case .none: nil
        }
    }
    /// Whether the certificate that was shown is for this host, or the client named none.
    func isCertified(for host: ArraySlice<UInt8>) -> Bool {
        switch session {
        case .some(let session): session.isCertified(for: host)
        case .none: true
        }
    }

    // MARK: Writing

    /// Hands bytes to the peer.
    /// - Returns: how many were taken. Fewer than given: the transport is blocked, or failed.
    mutating func write(_ bytes: UnsafeRawBufferPointer, _ context: LoopContext) -> Int {
        if isBlocked || failure != nil { return 0 }
        if !isSecure { return unsafe writePlain(bytes, context) }
        var done = 0
        while done < bytes.count {
            // Record by record: no second one is sealed before the first has left.
            let end = min(bytes.count, done + 16_384)
            guard unsafe seal(UnsafeRawBufferPointer(rebasing: bytes[done..<end]), context) else { return done }
            done = end
            if !flushPipe(context) { return done }
        }
        return done
    }

    private mutating func writePlain(_ bytes: UnsafeRawBufferPointer, _ context: LoopContext) -> Int {
        switch unsafe socket.write(bytes) {
        case .bytes(let count):
            if count < bytes.count { block(context) }
            return count
        case .wouldBlock:
            block(context)
            return 0
        case .end:
            return 0
        case .failed(let errno):
            failure = .system(errno)
            return 0
        }
    }

    private mutating func seal(_ bytes: UnsafeRawBufferPointer, _ context: LoopContext) -> Bool {
        guard let result = unsafe session?.write(bytes, pipe: context.pipe) else { return false }
        switch result {
        case .sealed: return true
        case .failed(let error):
            failure = .tls(error)
            return false
        }
    }

    /// Sends what the session made. What the kernel does not take is kept.
    /// - Returns: whether all of it left.
    private mutating func flushPipe(_ context: LoopContext) -> Bool {
        let output = unsafe context.pipe.output
        defer { context.pipe.clearOutput() }
        guard output.count > 0 else { return true }
        if !sealed.isEmpty {
            // Only what a peer provokes (KeyUpdate, alerts) comes here; the session bounds how often.
            unsafe sealed.append(output)
            return false
        }
        let taken = unsafe writePlain(output, context)
        if taken == output.count { return true }
        if failure == nil { unsafe sealed.append(UnsafeRawBufferPointer(rebasing: output[taken...])) }
        return false
    }

    /// Hands bytes to the peer and keeps what it does not take now. For what is bounded by itself: heads, short bodies.
    mutating func writeAll(_ bytes: UnsafeRawBufferPointer, _ context: LoopContext) {
        guard failure == nil else { return }
        let taken = unsafe queued.isEmpty ? write(bytes, context) : 0
        if taken < bytes.count, failure == nil {
            unsafe queued.append(UnsafeRawBufferPointer(rebasing: bytes[taken...]))
        }
    }

    mutating func writeAll(_ bytes: [UInt8], _ context: LoopContext) {
        if isHolding { return queued.append(bytes) }
        unsafe bytes.withUnsafeBytes { unsafe writeAll($0, context) }
    }

    /// The same with bytes that are put together for it.
    mutating func writeAll(_ context: LoopContext, _ make: (inout [UInt8]) -> Void) {
        unsafe context.withDraft(make) { unsafe writeAll($0, context) }
    }

    // MARK: Holding back

    /// Bytes that are held back before nobody adds to them any more.
    private static let mostHeld = 16 * 1024

    /// Holds back what is written from here on, in its order, until `becameWritable` is called: at the end of the tick,
    /// by whoever calls this.
    /// - Returns: whether this began it. A transport that is blocked anyway is left alone.
    mutating func hold(_ context: LoopContext) -> Bool {
        guard !isBlocked, failure == nil else { return false }
        isBlocked = true
        isHolding = true
        blockedSince = context.now
        return true
    }

    /// Whether a response that was written needs no look at this transport any more: it left, or leaves with this tick.
    var isDoneWithResponse: Bool { !isBlocked || isHolding && queued.count < Transport.mostHeld }

    /// The selector says that there is room: what waits goes on.
    /// - Returns: whether nothing waits any more, so that the owner may write.
    mutating func becameWritable(_ context: LoopContext) -> Bool {
        isHolding = false
        guard failure == nil else { return false }
        while !sealed.isEmpty {
            let outcome = unsafe sealed.withBytes { unsafe socket.write($0) }
            switch outcome {
            case .bytes(let count):
                sealed.consume(count)
                tookSomething(context)
            case .wouldBlock, .end:
                return false
            case .failed(let errno):
                failure = .system(errno)
                return false
            }
        }
        isBlocked = false
        while !queued.isEmpty {
            var waiting = ByteQueue()
            swap(&waiting, &queued)
            let taken = unsafe waiting.withBytes { bytes in
                unsafe write(UnsafeRawBufferPointer(rebasing: bytes.prefix(65_536)), context)
            }
            waiting.consume(taken)
            swap(&waiting, &queued)
            if taken > 0 { tookSomething(context) }
            if isBlocked || failure != nil { return false }
        }
        setInterest(interest.subtracting(.write), context)
        return failure == nil
    }

    private mutating func block(_ context: LoopContext) {
        if !isBlocked {
            isBlocked = true
            tookSomething(context)
        }
        setInterest(interest.union(.write), context)
    }

    private mutating func tookSomething(_ context: LoopContext) {
        blockedSince = context.now
        unacknowledged = socket.unacknowledgedBytes ?? 0
    }

    /// Whether the peer has acknowledged some of what the kernel holds for it, since it last was seen to take something.
    /// There is room for more only when half of that is gone, which a slow line may need longer for than the write timeout.
    mutating func isTaking(_ context: LoopContext) -> Bool {
        guard let left = socket.unacknowledgedBytes, left < unacknowledged else { return false }
        tookSomething(context)
        return true
    }

    // MARK: Reading

    /// Looks at up to so many bytes that nobody has read yet, and copies them into `LoopContext.input`. They are those of
    /// the socket, whether TLS is to follow or not.
    func peek(atMost most: Int, _ context: LoopContext) -> ReadOutcome {
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: context.input.prefix(most))
        switch unsafe socket.peek(into: room) {
        case .bytes(let count): return .bytes(count)
        case .wouldBlock: return .nothing
        case .end: return .end
        case .failed(let errno): return .failed(.system(errno))
        }
    }

    /// Takes bytes that were looked at: reading begins behind them.
    mutating func skip(_ count: Int, _ context: LoopContext) {
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: context.input.prefix(count))
        switch unsafe socket.read(into: room) {
        case .bytes(count): break
        case .failed(let errno): failure = .system(errno)
        // They were there, and nobody else reads: what follows would be taken for what it is not.
        case .bytes, .wouldBlock, .end: failure = .system(.connectionReset)
        }
    }

    /// Reads once into `LoopContext.input`.
    mutating func read(_ context: LoopContext) -> ReadOutcome {
        if inputEnded { return .end }
        guard isSecure else {
            switch unsafe socket.read(into: context.input) {
            case .bytes(let count): return .bytes(count)
            case .wouldBlock: return .nothing
            case .end:
                inputEnded = true
                return .end
            case .failed(let errno): return .failed(.system(errno))
            }
        }
        switch unsafe socket.read(into: context.received) {
        case .bytes(let count):
            return unsafe open(UnsafeRawBufferPointer(rebasing: context.received[..<count]), context)
        case .wouldBlock: return .nothing
        case .end:
            inputEnded = true
            if case .failed(let error)? = session?.endOfInput() { return .failed(.tls(error)) }
            return .end
        case .failed(let errno): return .failed(.system(errno))
        }
    }

    /// Begins a client's handshake.
    mutating func startHandshake(_ context: LoopContext) -> ReadOutcome {
        !isSecure ? .nothing : unsafe open(UnsafeRawBufferPointer(start: nil, count: 0), context)
    }

    private mutating func open(_ ciphertext: UnsafeRawBufferPointer, _ context: LoopContext) -> ReadOutcome {
        unsafe session?.begin(ciphertext, pipe: context.pipe)
        var count = 0
        var outcome: ReadOutcome = .nothing
        reading: while count < LoopContext.inputSize {
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: context.input[count...])
            guard let result = unsafe session?.read(into: room, pipe: context.pipe) else { break }
            switch result {
            case .bytes(let more): count += more
            case .needInput: break reading
            case .closed:
                inputEnded = true
                outcome = .end
                break reading
            case .failed(let error):
                outcome = .failed(.tls(error))
                break reading
            }
        }
        _ = flushPipe(context)
        if count > 0 {
            if case .failed(let error) = outcome { failure = error }
            return .bytes(count)
        }
        return outcome
    }

    /// Whether the selector tells of input. Off, a client that sends without being asked costs nothing.
    mutating func setReading(_ reading: Bool, _ context: LoopContext) {
        // As it is after every answer.
        if reading == isReading, !interest.contains(.withoutReadHangup) { return }
        let wanted = interest.subtracting([.read, .withoutReadHangup])
        setInterest(reading ? wanted.union(.read) : wanted, context)
    }

    var isReading: Bool { interest.contains(.read) }

    /// No more word of the peer's end having come, which would be said in every tick while nobody reads it.
    mutating func muteReadHangup(_ context: LoopContext) {
        setInterest(interest.subtracting(.read).union(.withoutReadHangup), context)
    }

    private mutating func setInterest(_ wanted: Selector.Interest, _ context: LoopContext) {
        guard wanted != interest else { return }
        do {
            try context.loop.selector.modify(descriptor, wanted, token: selectorToken)
            interest = wanted
        } catch {
            failure = .system(error)
        }
    }

    /// Registers with the selector.
    mutating func register(_ wanted: Selector.Interest, _ context: LoopContext) throws(Errno) {
        try context.loop.selector.add(descriptor, wanted, token: selectorToken)
        interest = wanted
    }

    func deregister(_ context: LoopContext) { context.loop.selector.remove(descriptor) }

    // MARK: Ending

    /// Ends this side: close_notify, then FIN. The peer may still send.
    mutating func shutdown(_ context: LoopContext) {
        if isSecure, failure == nil {
            session?.close(pipe: context.pipe)
            _ = flushPipe(context)
        }
        socket.shutdownWrite()
    }

    /// Says close_notify where that was not done and can be, without waiting for anything.
    mutating func sayGoodbye(_ context: LoopContext) {
        guard isSecure, isEstablished, failure == nil, !isBlocked, !isReset else { return }
        session?.close(pipe: context.pipe)
        _ = flushPipe(context)
    }

    /// Writes past TLS, to a peer that does not speak it. What is not taken is lost.
    func writeUnsealed(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { bytes in _ = unsafe socket.write(bytes) }
        socket.shutdownWrite()
    }

    /// Makes the close a reset: for peers that take nothing.
    mutating func resetOnClose() {
        socket.resetOnClose()
        isReset = true
    }

    /// - Parameter writeTimeout: milliseconds. The kernel's own timeout finds peers that are gone; as it also ends live
    ///   ones with a closed window, it must come after the gateway's, which can say why.
    mutating func setOptions(writeTimeout: UInt64) {
        socket.setNoDelay()
        socket.setUserTimeout(milliseconds: UInt32(clamping: max(30_000, writeTimeout) &* 2))
        socket.setNotSentLowWater(bytes: 128 * 1024)
    }

    /// For a connection to a server, which may be silent for long and be gone meanwhile.
    /// - Parameter writeTimeout: milliseconds; see `setOptions`.
    func setServerOptions(writeTimeout: UInt64) {
        socket.setNoDelay()
        // Silence is no sign of life; while something is unacknowledged nobody asks, and the user timeout takes over.
        socket.setKeepAlive(idle: 30, interval: 10, count: 3)
        socket.setUserTimeout(milliseconds: UInt32(clamping: max(30_000, writeTimeout) &* 2))
    }
}
