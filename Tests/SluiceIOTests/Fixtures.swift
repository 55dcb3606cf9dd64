import Glibc
import SluiceIO
import Synchronization
import Testing

/// Time that a test moves.
final class ManualClock: MonotonicClock {
    private let nanoseconds: Mutex<UInt64>

    init(milliseconds: UInt64 = 0) { nanoseconds = Mutex(milliseconds * 1_000_000) }

    func nowNanoseconds() -> UInt64 { nanoseconds.withLock { $0 } }
    func advance(milliseconds: UInt64) { nanoseconds.withLock { $0 += milliseconds * 1_000_000 } }
}

/// The kinds of socket there are.
enum Family: CaseIterable, Sendable {
    case v4, v6, unix
}

/// A folder for unix sockets, removed with what the test left in it.
final class Folder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/sluice-io-XXXXXX".utf8CString)
        path = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress, let made = unsafe mkdtemp(base) else { return "/tmp" }
            return unsafe String(cString: made)
        }
    }

    deinit {
        for name in ["a", "b", "c"] { unsafe unlink("\(path)/\(name)") }
        unsafe rmdir(path)
    }

    func exists(_ name: String) -> Bool { unsafe access("\(path)/\(name)", F_OK) == 0 }

    func address(of family: Family) -> SocketAddress {
        switch family {
        case .v4: .ip(.loopbackV4, port: 0)
        case .v6: .ip(.loopbackV6, port: 0)
        case .unix: .unix("\(path)/a")
        }
    }
}

/// Waits until a descriptor is ready. The time is only a guard against a test that hangs.
@discardableResult
func wait(for descriptor: Int32, _ interest: Selector.Interest) throws -> Selector.Events {
    let selector = try Selector()
    try selector.add(descriptor, interest, token: 1)
    let count = try selector.wait(timeoutMilliseconds: 20_000)
    return count == 0 ? [] : selector[0].events
}

/// Accepts the connection that is on its way.
func take(from listener: borrowing Listener) throws -> (Socket) {
    try wait(for: listener.rawValue, .read)
    switch listener.accept() {
    case .accepted(let socket, _): return socket
    default: throw Errno.invalid
    }
}

/// Two ends of one connection.
struct Pair: ~Copyable {
    let near: Socket
    let far: Socket

    init(_ family: Family, in folder: Folder) throws {
        let listener = try Listener.open(folder.address(of: family), sharing: false)
        let near = try Socket.connecting(to: listener.boundAddress)
        let far = try take(from: listener)
        try wait(for: near.rawValue, .write)
        self.near = near
        self.far = far
    }
}

extension Socket {
    func write(_ text: String) -> IOResult {
        let bytes = Array(text.utf8)
        return unsafe bytes.withUnsafeBytes { unsafe self.write($0) }
    }

    /// Reads once.
    func read(_ capacity: Int = 1024) -> (IOResult, String) {
        var bytes = [UInt8](repeating: 0, count: capacity)
        let result = unsafe bytes.withUnsafeMutableBytes { unsafe self.read(into: $0) }
        guard case .bytes(let count) = result else { return (result, "") }
        return (result, String(decoding: bytes[..<count], as: UTF8.self))
    }

    /// Writes until the kernel takes no more; how much it took.
    func fill() -> Int {
        let block = [UInt8](repeating: 65, count: 65536)
        var total = 0
        while case .bytes(let count) = unsafe block.withUnsafeBytes({ unsafe self.write($0) }) { total += count }
        return total
    }
}
