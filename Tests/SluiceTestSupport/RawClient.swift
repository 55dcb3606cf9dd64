import Dispatch
import Glibc

/// A client that sends bytes as they are and reads what comes, over TCP on loopback. What it waits for has to come within
/// its patience, which only a broken test uses up.
public final class RawClient: Sendable {
    /// What a client met.
    public struct Failure: Error, CustomStringConvertible {
        /// What, and what had come until then.
        public let description: String

        /// Something went wrong.
        public init(description: String) { self.description = description }
    }

    private let descriptor: Int32
    private let queue = DispatchQueue(label: "raw client")
    private let buffer = Buffer()
    private let patienceSeconds: Int

    private final class Buffer: @unchecked Sendable {
        var bytes: [UInt8] = []
        /// Where the search for an end goes on.
        var searched = 0
    }

    /// Connects to a port of 127.0.0.1.
    /// - Parameter receiveBuffer: the socket's receive buffer in bytes, small for a client that reads slowly.
    public init(port: Int, receiveBuffer: Int32? = nil, patienceSeconds: Int = 60) throws {
        self.patienceSeconds = patienceSeconds
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "socket: \(errno)") }
        setPatience()
        if var receiveBuffer {
            unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBuffer, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        // `deinit` closes it.
        guard result == 0 else { throw Failure(description: "connect: \(errno)") }
    }

    /// The server's side of a connection.
    init(accepted descriptor: Int32, patienceSeconds: Int) {
        self.descriptor = descriptor
        self.patienceSeconds = patienceSeconds
        setPatience()
        var yes: Int32 = 1
        unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    private func setPatience() {
        var patience = timeval(tv_sec: patienceSeconds, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Sends text as UTF-8.
    public func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// Sends bytes.
    public func send(_ bytes: [UInt8]) async throws {
        try await run { [self] in
            var sent = 0
            while sent < bytes.count {
                let count = unsafe bytes.withUnsafeBytes { raw in
                    unsafe raw.baseAddress.map {
                        unsafe Glibc.send(descriptor, $0 + sent, raw.count - sent, Int32(MSG_NOSIGNAL))
                    } ?? -1
                }
                guard count > 0 else { throw Failure(description: "send: \(errno)") }
                sent += count
            }
        }
    }

    /// Reads up to and with the next `end`.
    public func read(through end: String) async throws -> String {
        try await run { [self] in
            buffer.searched = 0
            let start = ContinuousClock.now
            while true {
                guard ContinuousClock.now - start < .seconds(patienceSeconds) else {
                    throw Failure(description: "\(end.debugDescription) never came")
                }
                if let found = take(through: Array(end.utf8)) { return found }
                guard try fill() else {
                    throw Failure(
                        description: "the end came before \(end.debugDescription), after: \(text(buffer.bytes))")
                }
            }
        }
    }

    /// Reads to the end of the connection.
    public func readToEnd() async throws -> String {
        try await run { [self] in
            while try fill() {}
            defer { buffer.bytes = [] }
            return text(buffer.bytes)
        }
    }

    /// Reads as many bytes.
    public func read(count: Int) async throws -> String {
        try await run { [self] in
            while buffer.bytes.count < count {
                guard try fill() else {
                    throw Failure(description: "the end came after: \(text(buffer.bytes))")
                }
            }
            defer {
                buffer.bytes.removeFirst(count)
                buffer.searched = 0
            }
            return text(Array(buffer.bytes[..<count]))
        }
    }

    /// Takes what has come, without waiting for any.
    public func readWhatCame() async throws -> String {
        try await run { [self] in
            while try fill(Int32(MSG_DONTWAIT)) {}
            defer {
                buffer.bytes = []
                buffer.searched = 0
            }
            return text(buffer.bytes)
        }
    }

    /// Makes the end a reset.
    public func resetOnClose() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    }

    /// Closes the sending side.
    public func finishSending() async throws {
        try await run { [self] in _ = shutdown(descriptor, Int32(SHUT_WR)) }
    }

    private func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    private func take(through end: [UInt8]) -> String? {
        let bytes = buffer.bytes
        guard bytes.count >= end.count else { return nil }
        for start in buffer.searched...(bytes.count - end.count) where bytes[start] == end[0] {
            guard bytes[start..<start + end.count].elementsEqual(end) else { continue }
            buffer.bytes.removeFirst(start + end.count)
            buffer.searched = 0
            return text(Array(bytes[..<(start + end.count)]))
        }
        buffer.searched = bytes.count - end.count + 1
        return nil
    }

    private func fill(_ flags: Int32 = 0) throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe chunk.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, flags) }
        if count > 0 {
            buffer.bytes.append(contentsOf: chunk[..<count])
            return true
        }
        if count == 0 || errno == ECONNRESET || flags != 0 && errno == EAGAIN { return false }
        throw Failure(description: "nothing came (errno \(errno)) after: \(text(buffer.bytes))")
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
