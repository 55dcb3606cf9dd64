public import Logging
internal import SluiceIO
internal import Synchronization

/// A gateway for Server-Sent Events: listeners, topics, sources and routes, or a program's own handler.
///
/// `init` opens the listeners, so that what cannot work fails there; `run` serves until its task is cancelled.
/// A gateway runs once. It installs no signal handlers.
///
/// It fits ServiceLifecycle: `extension Gateway: @retroactive Service {}`, and the signals that end it are the service
/// group's `cancellationSignals`, since it is a cancel that makes it drain.
public final class Gateway: Sendable {
    /// An address that the gateway listens on, with the real port.
    public struct Address: Sendable, Hashable, CustomStringConvertible {
        /// `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`.
        public let description: String
        /// The port; `nil` for a unix socket.
        public let port: Int?
        /// Whether it speaks TLS.
        public let isTLS: Bool
    }

    /// What every request that no route takes is given to.
    public typealias Handler = @Sendable (Request) async throws -> Response

    /// Publishes to topics and subscribes to them.
    public let hub: Hub
    /// Where the gateway listens, in the configuration's order.
    public let addresses: [Address]
    private let plan: Plan
    private let seats: [Seat]
    private let resolver: Resolver
    private let clock: any MonotonicClock
    private let state = Mutex(State())

    /// One worker before it runs: what its thread is given.
    private final class Seat: Sendable {
        let start: WorkerStart
        let listeners: Mutex<[Worker.ListenerSlot]>

        init(_ start: WorkerStart, _ listeners: consuming sending [Worker.ListenerSlot]) {
            self.start = start
            self.listeners = Mutex(listeners)
        }
    }

    private struct State {
        var hasRun = false
        var running = 0
        var ended: CheckedContinuation<Void, Never>?
    }

    /// A gateway from a configuration.
    /// - Parameters:
    ///   - handler: serves the requests that no route takes.
    ///   - logger: where the gateway tells what happens.
    /// - Throws: `SluiceError` that says what cannot be used: the configuration, an address, a certificate.
    public convenience init(
        configuration: Configuration, handler: Handler? = nil, logger: Logger = Logger(label: "sluice")
    ) throws {
        try self.init(configuration, handler, logger, SystemClock())
    }

    /// A gateway that listens on one address and gives every request to a handler.
    /// - Parameters:
    ///   - address: `:8080`, `host:port`, `[v6]:port` or `unix:/path`; port 0 lets the system choose.
    ///   - tls: TLS; `nil` speaks plain HTTP.
    ///   - logger: where the gateway tells what happens.
    ///   - handler: serves every request.
    /// - Throws: `SluiceError` that says what cannot be used: the address or a certificate.
    public convenience init(
        listen address: String, tls: TLSOptions? = nil, logger: Logger = Logger(label: "sluice"),
        handler: @escaping Handler
    ) throws {
        var configuration = Configuration()
        configuration.listeners = [ListenerOptions(address, tls: tls)]
        try self.init(configuration: configuration, handler: handler, logger: logger)
    }

    init(_ configuration: Configuration, _ handler: Handler?, _ logger: Logger, _ clock: any MonotonicClock) throws {
        let problems = configuration.problems()
        guard problems.isEmpty else {
            throw SluiceError(.configuration, problems.map { "\($0)" }.joined(separator: "\n"))
        }
        let plan = try Plan(configuration, handler: handler, logger: logger)
        let workers = max(1, min(configuration.workers ?? Processors.available, 64))
        let catalog = try TopicCatalog(configuration.topics)
        do {
            let mailboxes = try (0..<workers).map { _ in try Mailbox<Hub.Message>() }
            let resolver = Resolver()
            let hub = Hub(
                catalog: catalog, topicLimit: configuration.limits.topics,
                logBytes: configuration.limits.logBytes ?? Memory.available / 4, mailboxes: mailboxes, clock: clock)
            var seats: [Seat] = []
            var opened = OpenedListeners(plan.listeners)
            let links = try (0..<workers).map { _ in WorkerLink(jobs: try Mailbox<Job>(), clock: clock) }
            for index in 0..<workers {
                let start = WorkerStart(
                    index: index, plan: plan, hub: hub, mailbox: mailboxes[index], jobs: links[index].jobs,
                    links: links, resolver: resolver, clock: clock)
                seats.append(Seat(start, try opened.next()))
            }
            self.addresses = opened.addresses
            self.seats = seats
            self.hub = hub
            self.resolver = resolver
        } catch let error as ListenError {
            throw SluiceError(.listen, "\(error)")
        } catch let error as Errno {
            throw SluiceError(.system, "\(error)")
        }
        self.plan = plan
        self.clock = clock
    }

    /// Serves until the task is cancelled; then stops accepting, ends streams with a jittered `retry:`, and returns when
    /// all are closed or `shutdownGrace` is over.
    public func run() async throws {
        let isFirst = state.withLock { state in
            defer { state.hasRun = true }
            return !state.hasRun
        }
        guard isFirst else { throw SluiceError(.system, "a gateway runs once") }
        for address in addresses {
            plan.logger.info("listening", metadata: ["address": "\(address)", "tls": "\(address.isTLS)"])
        }
        let upkeep = Task { await keepUp() }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                state.withLock { state in
                    state.running = seats.count
                    state.ended = continuation
                }
                for seat in seats { start(seat) }
                // A cancel before this line found nobody to post to.
                if Task.isCancelled { drain() }
            }
        } onCancel: {
            drain()
        }
        // A program may exit next, and OpenSSL is gone then: nobody may be reading certificates still.
        hub.end()
        upkeep.cancel()
        await upkeep.value
        resolver.stop()
        await finishAccessLog()
    }

    /// Writes what waits, for two seconds at most: a pipe that nobody reads does not keep the gateway from ending.
    private func finishAccessLog() async {
        guard let writer = plan.access?.writer else { return }
        await withCheckedContinuation { continuation in
            _ = EventLoop.startThread(name: "sluice-log") {
                writer.finish(withinMilliseconds: 2000)
                continuation.resume()
            }
        }
    }

    /// Opens the file of the access log again, after it was renamed. Without this that is noticed within a second.
    public func reopenLogs() { plan.access?.writer.reopen() }

    private func start(_ seat: Seat) {
        _ = EventLoop.startThread(name: "sluice-\(seat.start.index)") { [self] in
            do {
                let listeners = seat.listeners.withLock { slots in
                    defer { slots = [] }
                    return slots
                }
                try Worker(seat.start, listeners: listeners).run()
            } catch {
                plan.logger.critical("a worker cannot start", metadata: ["reason": "\(error)"])
            }
            let ended: CheckedContinuation<Void, Never>? = state.withLock { state in
                state.running -= 1
                guard state.running == 0 else { return nil }
                defer { state.ended = nil }
                return state.ended
            }
            ended?.resume()
        }
    }

    private func drain() {
        let grace = plan.configuration.shutdownGrace.milliseconds
        for seat in seats { seat.start.jobs.post(.drain(graceMilliseconds: grace)) }
    }

    /// Reads changed certificates again, and rotates ticket keys.
    private func keepUp() async {
        let files = plan.listeners.compactMap(\.tls)
        guard !files.isEmpty else { return }
        var seconds = 0
        while (try? await Task.sleep(for: .seconds(2))) != nil {
            seconds += 2
            for file in files {
                file.reloadIfChanged()
                if seconds % 43_200 == 0 { file.rotateTicketKeys() }
            }
        }
    }

    /// What all workers hold at the moment, summed.
    func occupancy() async -> (Counters, Occupancy) {
        var counters = Counters()
        var total = Occupancy()
        for seat in seats {
            let (part, held) = await withCheckedContinuation { continuation in
                seat.start.jobs.post(.count { continuation.resume(returning: ($0, $1)) })
            }
            counters = counters + part
            total.connections += held.connections
            total.subscribers += held.subscribers
            total.ticks += held.ticks
            total.feeds += held.feeds
            total.timers += held.timers
        }
        return (counters, total)
    }
}
