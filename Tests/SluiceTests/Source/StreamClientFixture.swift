import SluiceIO
import SluiceSSE
import Testing

@testable import Sluice

/// A clock that the test moves.
final class TestClock: MonotonicClock {
    nonisolated(unsafe) private var now: UInt64 = 1_000_000_000_000

    func nowNanoseconds() -> UInt64 { unsafe now }
    func advance(milliseconds: UInt64) { unsafe now += milliseconds * 1_000_000 }
}

/// A scripted server and whoever asks it, all on the test's own thread and in one loop, whose ticks the test makes.
class LoopFixture: EventLoopHandler {
    /// One connection of the server's side.
    final class Exchange {
        fileprivate let socket: Socket
        var received: [UInt8] = []
        var isClosed = false

        fileprivate init(_ socket: consuming Socket) { self.socket = socket }

        var text: String { String(decoding: received, as: UTF8.self) }

        func send(_ text: String) { send(Array(text.utf8)) }

        func send(_ bytes: [UInt8]) {
            var rest = bytes[...]
            // Loopback takes what these tests send at once, unless the client reads nothing.
            while !rest.isEmpty {
                let result = unsafe rest.withUnsafeBytes { unsafe socket.write($0) }
                guard case .bytes(let count) = result else { return }
                rest = rest.dropFirst(count)
            }
        }

        func stream(_ text: String = "", fields: String = "") {
            send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\(fields)\r\n\(text)")
        }

        func finish() { socket.shutdownWrite() }
    }

    let clock = TestClock()
    let loop: EventLoop
    let context: LoopContext
    private let listener: Listener
    private(set) var exchanges: [Exchange] = []
    private var accepted = 0

    init() throws {
        loop = try EventLoop(clock: clock)
        context = LoopContext(loop: loop, limits: Limits())
        listener = try Listener.open(.ip(.loopbackV4, port: 0), sharing: false)
        try loop.selector.add(listener.rawValue, .read, token: Token(index: 0, generation: 1).packed(.listener))
    }

    /// Something of kind `.feed` is ready.
    func feedReady(_ token: Token, _ events: Selector.Events) {}
    func feedTimerFired() {}

    var port: UInt16 { listener.boundAddress.port ?? 0 }
    var url: String { "http://127.0.0.1:\(port)/feed" }

    /// What has to come did not.
    struct Missing: Error {}

    /// Ticks until something is so. Only a broken test uses its patience up.
    func run(until condition: () -> Bool) throws {
        let start = ContinuousClock.now
        while !condition() {
            guard start.duration(to: .now) < .seconds(20) else { throw Missing() }
            _ = loop.tick(self, maySleep: false)
        }
    }

    /// The next connection, its request read.
    func accept() throws -> Exchange {
        let number = accepted
        accepted += 1
        try run { exchanges.count > number && exchanges[number].text.contains("\r\n\r\n") }
        return exchanges[number]
    }

    /// Moves the clock and ticks.
    func pass(milliseconds: UInt64) {
        clock.advance(milliseconds: milliseconds)
        for _ in 0..<3 { _ = loop.tick(self, maySleep: false) }
    }

    /// Ticks a few times, for what is there already.
    func settle() { pass(milliseconds: 0) }

    // MARK: EventLoopHandler

    func ready(token: UInt64, events: Selector.Events) {
        let (kind, token) = Token.unpack(token)
        switch kind {
        case .listener: acceptAll()
        case .connection: read(exchanges[Int(token.index)])
        case .feed: feedReady(token, events)
        default: break
        }
    }

    func timerFired(token: UInt64) { feedTimerFired() }
    func mail() {}
    func flush() -> Bool { false }

    private func acceptAll() {
        while case .accepted(let socket, _) = listener.accept() {
            let token = Token(index: UInt32(exchanges.count), generation: 1)
            do {
                try loop.selector.add(socket.rawValue, .read, token: token.packed(.connection))
            } catch {
                Issue.record(error)
            }
            exchanges.append(Exchange(socket))
        }
    }

    private func read(_ exchange: Exchange) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let result = unsafe buffer.withUnsafeMutableBytes { unsafe exchange.socket.read(into: $0) }
        switch result {
        case .bytes(let count): exchange.received += buffer[..<count]
        case .wouldBlock: break
        case .end, .failed:
            exchange.isClosed = true
            loop.selector.remove(exchange.socket.rawValue)
        }
    }
}

/// A client and the servers that it meets.
final class StreamClientFixture: LoopFixture, StreamClient.Owner {
    private var request: StreamRequest
    private let options: StreamClient.Options
    private(set) lazy var client = StreamClient(
        request, options, trust: StreamTrust(), index: 7, context: context, owner: self)
    /// Short words for what was reported: `opened`, `event one`, `comment x`, `retry 5`, `ended cut 1000`.
    private(set) var reports: [String] = []
    /// What the look-up of a name answers.
    var addresses: Result<[SocketAddress], ResolveError>?
    private(set) var lookups: [String] = []
    private var faults: [FeedFault: UInt64] = [:]
    /// Called with each report, after it was noted.
    var onReport: ((StreamClient.Report) -> Void)?

    init(_ change: (inout StreamRequest, inout StreamClient.Options) -> Void = { _, _ in }) throws {
        request = StreamRequest(url: try FeedURL("http://unknown"))
        var options = StreamClient.Options()
        options.retry.jitter = 0
        change(&request, &options)
        self.options = options
        try super.init()
        request.url = try FeedURL(url)
    }

    override func feedReady(_ token: Token, _ events: Selector.Events) { client.ready(token, events) }
    override func feedTimerFired() { client.timerFired() }

    /// Ticks until as many things were reported.
    func reports(_ count: Int) throws -> [String] {
        try run { reports.count >= count }
        return reports
    }

    // MARK: StreamClient.Owner

    func resolve(_ client: StreamClient, host: String, port: UInt16, attempt: UInt64) {
        lookups.append(host)
        client.resolved(addresses ?? .success([.ip(.loopbackV4, port: port)]), attempt: attempt)
    }

    func streamClient(_ client: StreamClient, _ report: StreamClient.Report) {
        switch report {
        case .opened: reports.append("opened")
        case .received(let items): reports += items.map(Self.words)
        case .ended(let fault, let retry):
            reports.append("ended \(fault.cause) \(retry.map { "\($0)" } ?? "never")")
            // Whatever a test is about, each end is counted under its cause.
            faults[fault.cause, default: 0] += 1
            #expect(context.counters.feeds[fault.cause] == faults[fault.cause])
        }
        onReport?(report)
    }

    private static func words(_ item: StreamClient.Item) -> String {
        switch item {
        case .event(let event): "event \(String(decoding: event.data, as: UTF8.self))"
        case .comment(let text): "comment\(String(decoding: text, as: UTF8.self))"
        case .retry(let milliseconds): "retry \(milliseconds)"
        case .oversized: "oversized"
        case .duplicate: "duplicate"
        case .repeatsIDs: "repeats ids"
        }
    }
}
