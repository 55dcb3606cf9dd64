import COpenSSL

/// What OpenSSL reads from and writes to, reached through the BIO's data pointer: no object, so nothing is retained.
@safe struct PipeState {
    /// Ciphertext not yet taken; borrowed from the caller of `TLSSession.begin` until `.needInput`.
    var input: UnsafeRawPointer?
    var inputCount = 0
    /// The session that `input` belongs to: another one on the same pipe must not see it.
    var reader: OpaquePointer?
    /// Only inside `TLSSession.read`: OpenSSL also tries to read inside SSL_write and SSL_shutdown.
    var isReadable = false
    var output: UnsafeMutableRawPointer
    var outputCount = 0
    var outputCapacity: Int
    /// Handshake steps and alerts seen since `read` set it to zero; above `controlLimit` the input is cut off.
    var controlCount = 0
    var controlLimit = Int.max

    mutating func append(_ bytes: UnsafeRawPointer, count: Int) {
        if count > outputCapacity - outputCount { grow(by: count) }
        unsafe output.advanced(by: outputCount).copyMemory(from: bytes, byteCount: count)
        outputCount &+= count
    }

    private mutating func grow(by count: Int) {
        let capacity = max(outputCapacity * 2, outputCount + count)
        resize(to: capacity)
    }

    mutating func resize(to capacity: Int) {
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        unsafe larger.copyMemory(from: output, byteCount: min(outputCount, capacity))
        unsafe output.deallocate()
        unsafe output = larger
        outputCapacity = capacity
    }

    /// Taken by the BIO: as much as there is, at most `count`.
    mutating func take(into target: UnsafeMutableRawPointer, count: Int) -> Int {
        guard isReadable, inputCount > 0, let source = unsafe input else { return 0 }
        let taken = min(count, inputCount)
        unsafe target.copyMemory(from: source, byteCount: taken)
        unsafe input = source.advanced(by: taken)
        inputCount &-= taken
        return taken
    }
}

/// The one way in and out of all TLS sessions of a worker: one OpenSSL BIO shared by them, one reused output buffer.
///
/// An idle session so keeps no buffer of its own. Belongs to one thread, as do its sessions.
@safe package final class TLSPipe {
    let state: UnsafeMutablePointer<PipeState>
    /// nil where OpenSSL has no memory: then no session can be made.
    let bio: OpaquePointer?

    /// A usual flight or record run fits without growing.
    private static let usualCapacity = 64 * 1024
    /// What a burst made larger than this is given back.
    private static let keptCapacity = 512 * 1024

    package init() {
        Initialization.once
        unsafe bio = unsafe pipeMethod.flatMap { unsafe BIO_new($0) }
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(
            to: PipeState(
                output: .allocate(byteCount: Self.usualCapacity, alignment: 16), outputCapacity: Self.usualCapacity))
        guard unsafe bio != nil else { return }
        unsafe BIO_set_data(bio, state)
        unsafe BIO_set_init(bio, 1)
    }

    deinit {
        // A session that outlives its pipe keeps the BIO, which from here on reads and writes nothing.
        if unsafe bio != nil { unsafe BIO_set_data(bio, nil) }
        unsafe BIO_free(bio)
        unsafe state.pointee.output.deallocate()
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// Ciphertext made since `clearOutput`, by whichever sessions were used. Valid until the next call on the pipe.
    package var output: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: state.pointee.output, count: state.pointee.outputCount)
    }

    package func clearOutput() {
        unsafe state.pointee.outputCount = 0
        if unsafe state.pointee.outputCapacity > Self.keptCapacity {
            unsafe state.pointee.resize(to: Self.usualCapacity)
        }
    }

    /// Bytes given to `TLSSession.begin` and not taken yet: who stops reading before `.needInput` must keep these
    /// (the last so many of its input), and give them again.
    package var unreadCount: Int {
        unsafe state.pointee.inputCount
    }
}

/// Made once a process.
nonisolated(unsafe) private let pipeMethod: OpaquePointer? = {
    guard let method = unsafe BIO_meth_new(BIO_get_new_index() | Int32(BIO_TYPE_SOURCE_SINK), "sluice pipe") else {
        return nil
    }
    unsafe BIO_meth_set_write(method, writeToPipe)
    unsafe BIO_meth_set_read(method, readFromPipe)
    unsafe BIO_meth_set_ctrl(method, controlPipe)
    return unsafe method
}()

private func pipeState(_ bio: OpaquePointer?) -> UnsafeMutablePointer<PipeState>? {
    unsafe BIO_get_data(bio)?.assumingMemoryBound(to: PipeState.self)
}

private func writeToPipe(_ bio: OpaquePointer?, _ bytes: UnsafePointer<CChar>?, _ count: Int32) -> Int32 {
    guard let state = unsafe pipeState(bio), let bytes = unsafe bytes, count > 0 else { return -1 }
    unsafe state.pointee.append(bytes, count: Int(count))
    return count
}

private func readFromPipe(_ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ count: Int32) -> Int32 {
    guard let state = unsafe pipeState(bio), let target = unsafe target, count > 0 else { return -1 }
    let taken = unsafe state.pointee.take(into: target, count: Int(count))
    guard taken > 0 else {
        unsafe sluice_openssl_set_retry_read(bio)
        return -1
    }
    unsafe sluice_openssl_clear_retry(bio)
    return Int32(truncatingIfNeeded: taken)  // at most `count`
}

private func controlPipe(
    _ bio: OpaquePointer?, _ command: Int32, _ number: Int, _ pointer: UnsafeMutableRawPointer?
) -> Int {
    command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0
}
