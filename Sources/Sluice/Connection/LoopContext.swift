internal import SluiceIO
internal import SluiceTLS

/// What all connections of one worker share: its selector, its TLS pipe, its buffers and its counters. It lives on the
/// worker's thread and is the reason why an idle connection holds no buffer.
@safe final class LoopContext {
    static let readSize = 32 * 1024
    /// What one read may give: TLS may have held one record back.
    static let inputSize = readSize + 17 * 1024

    let loop: EventLoop
    let pipe: TLSPipe
    let limits: Limits
    /// Ciphertext just read.
    let received = UnsafeMutableRawBufferPointer.allocate(byteCount: readSize, alignment: 16)
    /// Plaintext just read.
    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: inputSize, alignment: 16)
    var counters = Counters()
    /// Where heads and chunks are put together to be written, one after the other: a worker has one array for them all.
    private var draft: [UInt8] = []
    /// What a draft keeps of its memory, in bytes.
    private static let mostDraft = 128 * 1024
    /// HTTP/2 connections with frames to send at the end of the tick.
    var framed: [Token] = []
    /// Where requests and streams are told of; `nil`: nowhere.
    let access: AccessLog?

    init(loop: EventLoop, limits: Limits, access: AccessSink? = nil) {
        self.loop = loop
        self.limits = limits
        pipe = TLSPipe()
        self.access = access.map { AccessLog($0) }
    }

    deinit {
        unsafe received.deallocate()
        unsafe input.deallocate()
    }

    /// Puts bytes together and hands them on. They are gone afterwards.
    func withDraft(_ make: (inout [UInt8]) -> Void, _ write: (UnsafeRawBufferPointer) -> Void) {
        var bytes: [UInt8] = []
        swap(&bytes, &draft)
        make(&bytes)
        unsafe bytes.withUnsafeBytes { unsafe write($0) }
        guard bytes.capacity <= LoopContext.mostDraft else { return }
        bytes.removeAll(keepingCapacity: true)
        swap(&bytes, &draft)
    }

    /// The tick's time.
    var now: UInt64 { loop.nowMilliseconds }

    /// Sees to it that a connection's frames leave at the end of the tick.
    func list(_ connection: Place<Connection>, _ http2: HTTP2Connection) {
        guard !http2.isListed else { return }
        http2.isListed = true
        framed.append(connection.value.token)
    }
}
