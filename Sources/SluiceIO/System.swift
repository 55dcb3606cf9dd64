internal import CLinux
internal import Glibc

/// The one door to the kernel: every call in this module goes through here.
///
/// A call that a signal interrupted is made again. That a call would block is a value for the caller. EBADF and EFAULT
/// are bugs of ours, never of a peer: going on could write to a descriptor that belongs to somebody else by now, so
/// they end the process.
enum System {
    @inline(__always)
    static func retrying<Value: FixedWidthInteger & SignedInteger>(_ name: StaticString, _ call: () -> Value)
        -> Value
    {
        while true {
            let value = call()
            if value >= 0 { return value }
            if value == -Value(EINTR) { continue }
            if value == -Value(EBADF) || value == -Value(EFAULT) { misuse(name, Int32(-value)) }
            return value
        }
    }

    @inline(never)
    private static func misuse(_ name: StaticString, _ error: Int32) -> Never {
        fatalError("\(name): \(Errno(error))")
    }

    static func checked(_ name: StaticString, _ call: () -> Int32) throws(Errno) -> Int32 {
        let value = retrying(name, call)
        if value < 0 { throw Errno(-value) }
        return value
    }

    // MARK: Bytes

    static func receive(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer, peeking: Bool = false
    ) -> IOResult {
        // Asking for nothing would be answered like the end of the stream.
        guard let base = buffer.baseAddress, buffer.count > 0 else { return .wouldBlock }
        let count = retrying("recv") {
            unsafe peeking
                ? sluice_peek(descriptor, base, buffer.count) : sluice_receive(descriptor, base, buffer.count)
        }
        if count > 0 { return .bytes(count) }
        if count == 0 { return .end }
        return failure(count)
    }

    static func hasInput(_ descriptor: Int32) -> Bool { sluice_has_input(descriptor) }

    static func send(_ descriptor: Int32, _ buffer: UnsafeRawBufferPointer) -> IOResult {
        guard let base = buffer.baseAddress, buffer.count > 0 else { return .bytes(0) }
        let count = retrying("send") { unsafe sluice_send(descriptor, base, buffer.count) }
        return count >= 0 ? .bytes(count) : failure(count)
    }

    static func failure(_ negative: Int) -> IOResult {
        let error = Int32(truncatingIfNeeded: -negative)
        return error == EAGAIN || error == EWOULDBLOCK ? .wouldBlock : .failed(Errno(error))
    }

    // MARK: Descriptors and files

    static func close(_ descriptor: Int32) {
        // Never again after EINTR: Linux has let the descriptor go by then, and it may be somebody else's.
        if sluice_close(descriptor) == -EBADF { misuse("close", EBADF) }
    }

    static func duplicate(_ descriptor: Int32) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try checked("fcntl") { sluice_duplicate(descriptor) })
    }

    static func openNull() throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try checked("open") { sluice_open_null() })
    }

    static func unlink(_ path: String) throws(Errno) {
        _ = try checked("unlink") { unsafe sluice_unlink(path) }
    }

    /// What stands at a path: whether it is a socket, and which file it is.
    static func file(at path: String) throws(Errno) -> (isSocket: Bool, identity: FileIdentity) {
        var device: UInt64 = 0
        var inode: UInt64 = 0
        let kind = try checked("lstat") { unsafe sluice_socket_file(path, &device, &inode) }
        return (kind == 1, FileIdentity(device: device, inode: inode))
    }

    static func descriptorLimit() -> (soft: UInt64, hard: UInt64) {
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        _ = retrying("getrlimit") { unsafe sluice_limit_get(&soft, &hard) }
        return (soft, hard)
    }

    static func setDescriptorLimit(_ soft: UInt64) throws(Errno) {
        _ = try checked("setrlimit") { sluice_limit_set(soft) }
    }

    // MARK: Sockets

    static func socket(for address: SocketAddress) throws(Errno) -> FileDescriptor {
        let kind = RawAddress.kind(of: address)
        return FileDescriptor(owning: try checked("socket") { sluice_socket(kind) })
    }

    static func connect(_ descriptor: Int32, to address: SocketAddress) throws(Errno) {
        var raw = try RawAddress.encode(address)
        // Not made again after EINTR: the attempt goes on in the kernel, and a second call would say EALREADY.
        let result = unsafe sluice_connect(descriptor, &raw)
        if result == -EINPROGRESS || result == -EINTR { return }
        _ = try checked("connect") { result }
    }

    static func bind(_ descriptor: Int32, to address: SocketAddress) throws(Errno) {
        var raw = try RawAddress.encode(address)
        _ = try checked("bind") { unsafe sluice_bind(descriptor, &raw) }
    }

    static func listen(_ descriptor: Int32, backlog: Int32) throws(Errno) {
        _ = try checked("listen") { sluice_listen(descriptor, backlog) }
    }

    static func accept(_ descriptor: Int32) throws(Errno) -> (Int32, SocketAddress) {
        var raw = sluice_address()
        let accepted = try checked("accept4") { unsafe sluice_accept(descriptor, &raw) }
        return (accepted, RawAddress.decode(raw) ?? .unix(""))
    }

    static func name(_ descriptor: Int32, peer: Bool) -> SocketAddress? {
        var raw = sluice_address()
        let result = retrying("getsockname") { unsafe sluice_name(descriptor, peer, &raw) }
        return result < 0 ? nil : RawAddress.decode(raw)
    }

    static func shutdownWrite(_ descriptor: Int32) {
        _ = retrying("shutdown") { sluice_shutdown_write(descriptor) }
    }

    /// An option a kind of socket does not have is not an error for the caller: a unix socket has no TCP options.
    static func set(_ option: sluice_option, of descriptor: Int32, to value: Int32) {
        _ = retrying("setsockopt") { sluice_set_option(descriptor, option, value) }
    }

    static func require(_ option: sluice_option, of descriptor: Int32, to value: Int32) throws(Errno) {
        _ = try checked("setsockopt") { sluice_set_option(descriptor, option, value) }
    }

    static func get(_ option: sluice_option, of descriptor: Int32) -> Int32? {
        var value: Int32 = 0
        let result = retrying("getsockopt") { unsafe sluice_get_option(descriptor, option, &value) }
        return result < 0 ? nil : value
    }

    static func outputQueue(_ descriptor: Int32) -> Int32? {
        let result = retrying("ioctl") { sluice_output_queue(descriptor) }
        return result < 0 ? nil : result
    }

    // MARK: epoll, eventfd, signalfd, clock

    static func openSelector() throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try checked("epoll_create1") { sluice_epoll_open() })
    }

    static func add(_ descriptor: Int32, to selector: Int32, events: UInt32, token: UInt64) throws(Errno) {
        _ = try checked("epoll_ctl") { sluice_epoll_add(selector, descriptor, events, token) }
    }

    static func modify(_ descriptor: Int32, in selector: Int32, events: UInt32, token: UInt64) throws(Errno) {
        _ = try checked("epoll_ctl") { sluice_epoll_modify(selector, descriptor, events, token) }
    }

    static func remove(_ descriptor: Int32, from selector: Int32) {
        _ = retrying("epoll_ctl") { sluice_epoll_remove(selector, descriptor) }
    }

    /// Zero when a signal came in between: the caller knows better than this file how long is left to wait.
    static func wait(
        _ selector: Int32, into events: UnsafeMutablePointer<sluice_event>, capacity: Int32, timeoutMilliseconds: Int32
    ) throws(Errno) -> Int {
        let count = unsafe sluice_epoll_wait(selector, events, capacity, timeoutMilliseconds)
        if count >= 0 { return Int(count) }
        if count == -EINTR { return 0 }
        if count == -EBADF || count == -EFAULT { misuse("epoll_wait", -count) }
        throw Errno(-count)
    }

    static func openEvent() throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try checked("eventfd") { sluice_eventfd() })
    }

    /// EAGAIN means a counter of 2^64 - 2, which wakes just as well.
    static func signalEvent(_ descriptor: Int32) {
        _ = retrying("write") { sluice_eventfd_add(descriptor) }
    }

    static func resetEvent(_ descriptor: Int32) {
        _ = retrying("read") { sluice_eventfd_reset(descriptor) }
    }

    static func openSignals(_ signals: [Int32]) throws(Errno) -> FileDescriptor {
        FileDescriptor(owning: try checked("signalfd") { unsafe sluice_signalfd(signals, signals.count) })
    }

    /// The next signal that waits, nil when none does.
    static func readSignal(_ descriptor: Int32) -> Int32? {
        let signal = retrying("read") { sluice_signalfd_read(descriptor) }
        return signal < 0 ? nil : signal
    }

    static func ignoreBrokenPipe() {
        _ = sluice_ignore_broken_pipe()
    }

    static func waitUntilReadable(_ descriptor: Int32, timeoutMilliseconds: Int32) -> Bool {
        retrying("poll") { sluice_wait_readable(descriptor, timeoutMilliseconds) } > 0
    }

    static func monotonicNanoseconds() -> UInt64 {
        sluice_monotonic_nanoseconds()
    }

    // MARK: The machine

    static func unixMilliseconds() -> Int64 { sluice_unix_milliseconds() }

    /// 1 where the system does not say.
    static func processors() -> Int { max(1, Int(sluice_processors())) }

    /// A gigabyte where the system does not say.
    static func physicalMemory() -> Int {
        let bytes = sluice_memory()
        return bytes > 0 ? Int(bytes) : 1 << 30
    }

    // MARK: Processes

    static func readPipe(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        // Asking for nothing would be answered like the end of the stream.
        guard let base = buffer.baseAddress, buffer.count > 0 else { return .wouldBlock }
        let count = retrying("read") { unsafe sluice_read_file(descriptor, base, buffer.count) }
        if count > 0 { return .bytes(count) }
        return count == 0 ? .end : failure(count)
    }

    /// Starts a program. The blocks hold strings, each with its NUL.
    static func spawn(
        _ program: String, directory: String?, arguments: (block: [CChar], count: Int),
        variables: (block: [CChar], count: Int)
    ) throws(ChildProcess.StartError) -> sluice_child {
        var child = sluice_child()
        let result = unsafe program.withCString { program in
            unsafe withOptionalCString(directory) { directory in
                unsafe arguments.block.withUnsafeBufferPointer { argumentBlock in
                    unsafe variables.block.withUnsafeBufferPointer { variableBlock in
                        var command = unsafe sluice_command(
                            program: program, directory: directory, arguments: argumentBlock.baseAddress,
                            argument_count: arguments.count, variables: variableBlock.baseAddress,
                            variable_count: variables.count)
                        // Errors are the file system's and the program's, so none of them is a bug of ours.
                        return unsafe sluice_spawn(&command, &child)
                    }
                }
            }
        }
        guard result < 0 else { return child }
        let errno = Errno(-result)
        switch Int(child.step) {
        case SLUICE_SPAWN_DIRECTORY: throw .directory(directory ?? "", errno)
        case SLUICE_SPAWN_PROGRAM: throw .program(program, errno)
        default: throw .process(errno)
        }
    }

    private static func withOptionalCString<Result>(
        _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
    ) -> Result {
        guard let text else { return body(nil) }
        return unsafe text.withCString { unsafe body($0) }
    }

    /// How a process ended; nil while it runs. Without `reap` its number stays taken.
    static func ending(of process: Int32, reap: Bool) -> ChildProcess.Ending? {
        var status: Int32 = 0
        let state = retrying("waitid") { unsafe sluice_child_state(process, reap, &status) }
        switch Int(state) {
        case SLUICE_CHILD_RUNS: return nil
        case SLUICE_CHILD_EXITED: return .exited(status: status)
        case SLUICE_CHILD_SIGNALLED: return .signalled(status)
        // Only ECHILD is left: somebody else has taken the answer.
        default: return .unknown
        }
    }

    static func signalGroup(of pid: Int32, _ signal: Int32) {
        // A group that is gone already is what was wanted.
        _ = retrying("kill") { sluice_signal_group(pid, signal) }
    }

    static func programFile(_ path: String) throws(Errno) {
        _ = try checked("stat") { unsafe sluice_program_file(path) }
    }

    static func variable(_ name: String) -> String? {
        unsafe sluice_variable(name).map { unsafe String(cString: $0) }
    }

    // MARK: Threads and names

    /// Starts a thread; nil when the system has none left.
    static func startThread(name: String, body: @Sendable @escaping () -> Void) -> UInt? {
        final class Box: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @Sendable @escaping () -> Void) { self.body = body }
        }
        var thread: UInt = 0
        let context = unsafe Unmanaged.passRetained(Box(body))
        let result = unsafe sluice_thread_start(
            &thread, name,
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<Box>.fromOpaque(context).takeRetainedValue().body()
            }, context.toOpaque())
        if result < 0 {
            unsafe context.release()
            return nil
        }
        return thread
    }

    static func joinThread(_ thread: UInt) { sluice_thread_join(thread) }
    static func detachThread(_ thread: UInt) { sluice_thread_detach(thread) }

    /// Looks a name up by the system's rules. Blocks.
    static func resolve(_ host: String) -> Result<[IPAddress], ResolveError> {
        var addresses: [IPAddress] = []
        var reason: UnsafePointer<CChar>?
        let result = unsafe withUnsafeMutablePointer(to: &addresses) { list in
            unsafe sluice_resolve(
                host,
                { context, raw in
                    guard let raw = unsafe raw, let address = unsafe RawAddress.decode(raw.pointee)?.ip else { return }
                    unsafe context?.assumingMemoryBound(to: [IPAddress].self).pointee.append(address)
                }, list, &reason)
        }
        switch Int(result) {
        case SLUICE_RESOLVED: return addresses.isEmpty ? .failure(.notFound) : .success(addresses)
        case SLUICE_RESOLVE_NOT_FOUND: return .failure(.notFound)
        case SLUICE_RESOLVE_TRY_AGAIN: return .failure(.temporary)
        default: return .failure(.failed(unsafe reason.map { unsafe String(cString: $0) } ?? ""))
        }
    }
}
