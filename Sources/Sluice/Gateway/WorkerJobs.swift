internal import SluiceHTTP
internal import SluiceIO

/// What others ask a worker to do, by its mailbox.
enum Job: Sendable {
    /// Stop accepting, end streams, close; whatever is left at the deadline is cut.
    case drain(graceMilliseconds: UInt64)
    case resolved(HostLookup, Result<[SocketAddress], ResolveError>)
    /// Where a server of an upstream is.
    case located(server: Int, Result<[SocketAddress], ResolveError>)
    /// A request of this worker has its turn at a server, or waits for nothing.
    case granted(Grant, UpstreamPool)
    /// A program's handler answered.
    case answer(ServedRequest, Response)
    /// A program's handler wants the request's body.
    case wantBody(ServedRequest, limit: Int)
    /// A program's stream has something to write, or is over.
    case flushStream(ServedRequest)
    case startTicks(ServedRequest, TickSource)
    case stopTicks(TickSource)
    case count(@Sendable (Counters, Occupancy) -> Void)
}

/// What a worker holds at the moment.
struct Occupancy: Sendable, Equatable {
    var connections = 0
    var subscribers = 0
    var ticks = 0
    var feeds = 0
    var timers = 0
}

/// How other threads reach a worker.
final class WorkerLink: Sendable {
    let jobs: Mailbox<Job>
    let clock: any MonotonicClock

    init(jobs: Mailbox<Job>, clock: any MonotonicClock) {
        self.jobs = jobs
        self.clock = clock
    }

    func post(_ job: Job) { jobs.post(job) }
}

extension Worker {
    func perform(_ job: Job) {
        switch job {
        case .drain(let grace): startDraining(grace)
        case .resolved(let lookup, let result): resolved(lookup, result)
        case .located(let name, let result): keeper?.resolved(result, name: name)
        case .granted(let grant, let pool): granted(grant, of: pool)
        case .answer(let request, let response): answer(request, response)
        case .wantBody(let request, let limit): wantBody(request, limit)
        case .flushStream(let request): flushStream(request)
        case .startTicks(let request, let source): startTicks(request, source)
        case .stopTicks(let source): stopTicks(source)
        case .count(let reply):
            reply(
                context.counters,
                Occupancy(
                    connections: connections.count, subscribers: shard.subscriberCount, ticks: ticks.count,
                    feeds: feeds.count, timers: loop.timers.count))
        }
    }

    // MARK: Draining

    /// Listeners close first, so that new clients go elsewhere; then streams end with a jittered `retry:`.
    private func startDraining(_ grace: UInt64) {
        guard !isDraining else { return }
        isDraining = true
        drainGrace = grace
        drainDeadline = context.now &+ grace
        for slot in listeners { loop.selector.remove(slot.listener.rawValue) }
        listeners = []
        stopFeeds()
        keeper?.stop()
        // Killed before the last of the grace, so that they are gone at the deadline.
        stopCommands(graceMilliseconds: grace - grace / 4)
        // Streams end after this tick's flush, so that what was accepted before is delivered.
        mustEndStreams = true
        // Something has to wake the loop at the deadline.
        _ = loop.timers.schedule(
            atMilliseconds: drainDeadline, token: Token(index: 0, generation: 2).packed(.housekeeping))
    }

    private func drain(_ connection: ConnectionPointer) {
        if let http2 = connection.value.http2 {
            drainFrames(connection, http2)
            for stream in http2.streams { drain(stream) }
        } else if let stream = connection.value.stream {
            stream.value.closesAfterResponse = true
            drain(stream)
        } else if connection.value.phase == .idle {
            linger(connection)
        }
    }

    private func drain(_ stream: StreamPointer) {
        if let subscriber = stream.value.subscriber { return shard.endGently(subscriber) }
        stream.value.record?.endsIfOpen(.drained)
        stream.value.exchange?.handler?.drain()
    }

    func continueDraining(hasMore: Bool) {
        // A worker that is never done with its broadcasts still has to say goodbye in time.
        if mustEndStreams, !hasMore || context.now >= drainDeadline &- drainGrace / 2 {
            mustEndStreams = false
            connections.forEach { _, connection in drain(connection) }
            settleStreams()
            flushFrames()
        }
        if context.now >= drainDeadline { connections.forEach { _, connection in cut(connection) } }
        closeDoomed()
        if connections.count == 0, commandsAreOver || context.now >= drainDeadline { loop.stop() }
    }

    /// The loop is over: what is left is closed.
    func closeEverything() {
        endCommands()
        connections.forEach { _, connection in cut(connection) }
        closeDoomed()
        context.access?.flush()
    }

    private func cut(_ connection: ConnectionPointer) {
        connection.value.streamsEnd(.stopped)
        doom(connection)
    }
}
