import Dispatch
import Glibc

/// A server that a test plays by hand: each connection is taken when the test asks for it, and answered byte by byte.
public final class RawServer: Sendable {
    /// Where it listens, on 127.0.0.1.
    public let port: Int
    private let descriptor: Int32
    private let queue = DispatchQueue(label: "raw server")
    private let patienceSeconds: Int

    /// Listens on a free port.
    public init(patienceSeconds: Int = 60) throws {
        self.patienceSeconds = patienceSeconds
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        guard descriptor >= 0 else { throw RawClient.Failure(description: "socket: \(errno)") }
        // An accept waits no longer than this.
        var patience = timeval(tv_sec: patienceSeconds, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard unsafe bind(descriptor, address, length) == 0, listen(descriptor, 1024) == 0 else { return -1 }
                return Int(unsafe getsockname(descriptor, address, &length))
            }
        }
        port = Int(in_port_t(bigEndian: address.sin_port))
        // `deinit` closes it.
        guard result == 0 else { throw RawClient.Failure(description: "listen: \(errno)") }
    }

    deinit { close(descriptor) }

    /// `http://127.0.0.1:` with the port and a path.
    public func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// The next connection.
    public func accept() async throws -> RawClient {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { [self] in
                let connected = Glibc.accept(descriptor, nil, nil)
                if connected >= 0 {
                    continuation.resume(returning: RawClient(accepted: connected, patienceSeconds: patienceSeconds))
                } else {
                    continuation.resume(throwing: RawClient.Failure(description: "nobody came: \(errno)"))
                }
            }
        }
    }
}
