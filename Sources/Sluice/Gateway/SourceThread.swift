internal import SluiceIO
internal import Synchronization

/// The thread that all `EventSource`s share, as other threads reach it. It is there as long as somebody holds it: with
/// the last source it ends, and what it holds open is closed.
final class SourceThread: Sendable {
    /// What a source's loop is asked to do.
    enum Command: Sendable {
        case start(SourceInbox, SourceOrder)
        /// There is room again.
        case resume(UInt32)
        case restart(UInt32)
        case close(UInt32)
        case resolved(UInt32, attempt: UInt64, Result<[SocketAddress], ResolveError>)
    }

    private struct Shared {
        weak var thread: SourceThread?
    }

    private static let current = Mutex(Shared())

    private let commands: Mailbox<Command>
    private let control: EventLoop.Control
    private let resolver: Resolver

    /// The one that runs, or a new one.
    static func shared() throws(SluiceError) -> SourceThread {
        try current.withLock { shared throws(SluiceError) in
            if let thread = shared.thread { return thread }
            do throws(Errno) {
                let thread = try SourceThread()
                shared.thread = thread
                return thread
            } catch {
                throw SluiceError(.system, "an event source cannot be made: \(error)")
            }
        }
    }

    init() throws(Errno) {
        let commands = try Mailbox<Command>()
        // A program may make all its sources at once, each with a name of its own.
        let resolver = Resolver(queue: 65_536)
        let loop: EventLoop
        do throws(Errno) {
            loop = try EventLoop()
            try loop.attach(mailbox: commands.descriptor)
        } catch {
            resolver.stop()
            throw error
        }
        self.commands = commands
        self.resolver = resolver
        control = loop.control
        let worker = Mutex<SourceWorker?>(SourceWorker(loop, commands, resolver))
        _ = EventLoop.startThread(name: "event-sources") {
            let worker = worker.withLock { worker in
                defer { worker = nil }
                return worker
            }
            worker?.run()
        }
    }

    deinit {
        control.stop()
        resolver.stop()
    }

    func start(_ inbox: SourceInbox, _ order: SourceOrder) { commands.post(.start(inbox, order)) }

    func post(_ command: Command) { commands.post(command) }
}
