import Foundation
import Glibc
import Synchronization

@testable import SluiceTLS

/// A server for the openssl program: a blocking accept loop on one thread, one connection after another, that answers
/// each line `x` with `<version> <alpn> <serverName> <resumed> x`.
final class LoopbackServer: Sendable {
    let port: UInt16
    private let descriptor: Int32
    /// How the connections ended, in order.
    let ends = Mutex<[String]>([])
    private let done = DispatchSemaphore(value: 0)

    init(_ context: TLSServerContext) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isOpen = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(descriptor, pointer, length) == 0 && listen(descriptor, 16) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard isOpen else { throw TLSError(.internal, "no port") }
        port = UInt16(bigEndian: address.sin_port)
        let thread = Thread { [self] in loop(context) }
        thread.start()
    }

    /// The thread is over when this returns.
    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        done.wait()
        Glibc.close(descriptor)
    }

    private func loop(_ context: TLSServerContext) {
        let pipe = TLSPipe()
        while true {
            let connection = accept(descriptor, nil, nil)
            guard connection >= 0 else { break }
            let end = serve(connection, context, pipe)
            ends.withLock { $0.append(end) }
            pipe.clearOutput()
            Glibc.close(connection)
        }
        done.signal()
    }

    private func serve(_ connection: Int32, _ context: TLSServerContext, _ pipe: TLSPipe) -> String {
        guard var session = try? TLSSession(accepting: context, pipe: pipe) else { return "no session" }
        var input = [UInt8](repeating: 0, count: 1000)
        while true {
            let count = unsafe recv(connection, &input, input.count, 0)
            guard count > 0 else {
                let end = session.endOfInput()
                return end.isClosed ? "closed" : "\(end.error?.kind ?? .internal)"
            }
            var received = Pair.Received()
            feed(&session, pipe, Array(input.prefix(count)), .max, &received)
            for line in received.text.split(separator: "\n") {
                let agreed = Agreed(session)
                _ = session.write(
                    "\(agreed.version) \(agreed.alpn ?? "-") \(agreed.serverName ?? "-") \(agreed.isResumed) \(line)\n",
                    pipe)
            }
            if received.isClosed { session.close(pipe: pipe) }
            let output = take(pipe)
            if !output.isEmpty { unsafe _ = send(connection, output, output.count, Int32(MSG_NOSIGNAL)) }
            if received.isClosed { return "closed" }
            if let error = received.error { return "\(error.kind)" }
        }
    }
}
