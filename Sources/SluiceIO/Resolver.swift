/// Names to addresses, by the system's own rules (getaddrinfo: hosts file, nsswitch, RFC 6724 order), which may block
/// for long: so it runs on threads of its own, with a bounded queue and a deadline.
package final class Resolver: Sendable {
    /// Looks one name up; may block.
    package typealias Lookup = @Sendable (String) -> Result<[IPAddress], ResolveError>
    package typealias Completion = @Sendable (Result<[SocketAddress], ResolveError>) -> Void

    private let desk: Monitor<ResolverDesk>
    private let deadlineMilliseconds: UInt64

    /// - Parameters:
    ///   - threads: how many names are looked up at once; at least 1.
    ///   - queue: how many callers may wait, all told.
    ///   - deadline: how long a caller waits at most.
    ///   - lookup: what asks the system; tests give their own.
    package init(
        threads: Int = 2, queue: Int = 256, deadline: Duration = .seconds(5),
        lookup: @escaping Lookup = { System.resolve($0) }
    ) {
        let threads = max(1, threads)
        let desk = Monitor(ResolverDesk(threads: threads, capacity: queue))
        let (seconds, attoseconds) = deadline.components
        let milliseconds = UInt64(clamping: seconds).multipliedReportingOverflow(by: 1000)
        deadlineMilliseconds =
            milliseconds.overflow
            ? .max : milliseconds.partialValue &+ UInt64(clamping: attoseconds / 1_000_000_000_000_000)
        self.desk = desk
        let limit = deadlineMilliseconds
        // The threads hold the desk, not the resolver: one that hangs in a look-up does not keep the resolver alive.
        for _ in 0..<threads {
            _ = LoopThread(name: "resolver") { Self.lookUp(desk, limit, lookup) }
        }
        _ = LoopThread(name: "resolver-time") { Self.watchDeadlines(desk) }
    }

    deinit { stop() }

    /// Looks a name up and calls `done` exactly once: at once on this thread for a literal address or a refusal, else
    /// from one of the resolver's threads. `done` should only hand the answer on (to a mailbox).
    package func resolve(host: String, port: UInt16, _ done: @escaping Completion) {
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? host.dropFirst().dropLast() : Substring(host)
        if let address = IPAddress(bare) { return done(.success([.ip(address, port: port)])) }
        guard Self.isName(host) else { return done(.failure(.invalidName)) }
        let now = System.monotonicNanoseconds() / 1_000_000
        let deadline = now.addingReportingOverflow(deadlineMilliseconds)
        let waiter = ResolverDesk.Waiter(
            port: port, deadline: deadline.overflow ? .max : deadline.partialValue, done: done)
        let refusal = desk.withLock { $0.add(waiter, for: host.lowercased()) }
        if let refusal { return done(.failure(refusal)) }
        desk.broadcast()
    }

    /// Ends the threads (one that hangs in a look-up ends after it) and fails all who wait. May be called again.
    package func stop() {
        let waiters = desk.withLock { $0.stop() }
        desk.broadcast()
        for waiter in waiters { waiter.complete(.failure(.stopped)) }
    }

    /// What getaddrinfo could make sense of: no control bytes, no spaces, no zone, at most 253 bytes (RFC 1035).
    private static func isName(_ host: String) -> Bool {
        let bytes = host.utf8
        return !bytes.isEmpty && bytes.count <= 254
            && bytes.allSatisfy { $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: ":") && $0 != UInt8(ascii: "%") }
    }

    private static func lookUp(_ desk: Monitor<ResolverDesk>, _ limit: UInt64, _ lookup: Lookup) {
        while true {
            let next: String? = desk.waiting { desk in
                if desk.isStopped { return .done(nil) }
                return desk.begin().map { .done($0) } ?? .wait(untilMilliseconds: .max)
            }
            guard let host = next else { return }
            let began = System.monotonicNanoseconds()
            let answer = lookup(host)
            let isLate = (System.monotonicNanoseconds() &- began) / 1_000_000 >= limit
            let waiters = desk.withLock { $0.finish(host, isLate: isLate) }
            // A suspect that ended may let another one begin, on a thread that sleeps.
            desk.broadcast()
            for waiter in waiters { waiter.complete(answer) }
        }
    }

    private static func watchDeadlines(_ desk: Monitor<ResolverDesk>) {
        while true {
            let expired: [ResolverDesk.Waiter]? = desk.waiting { desk in
                if desk.isStopped { return .done(nil) }
                let expired = desk.expire(atMilliseconds: System.monotonicNanoseconds() / 1_000_000)
                return expired.isEmpty ? .wait(untilMilliseconds: desk.nextDeadline ?? .max) : .done(expired)
            }
            guard let expired else { return }
            for waiter in expired { waiter.complete(.failure(.timedOut)) }
        }
    }
}
