internal import SluiceSSE
internal import Synchronization

/// One request that a program serves: where its task and its connection's worker meet. Each side locks, changes the
/// state and tells the other: the worker by resuming what waits, the task by a job.
final class ServedRequest: Sendable {
    let stream: Token
    let link: WorkerLink
    private let state = Mutex(State())

    struct State {
        var task: Task<Void, Never>?
        var isOver = false
        var body: BodyState = .unread
        /// Bytes of the stream that wait for the worker.
        var outbox: [UInt8] = []
        var bufferLimit = 1024 * 1024
        var isFlushPosted = false
        /// The program said everything.
        var isClosed = false
        /// The worker could not hand on the last of it.
        var isBlocked = false
        var senders: [CheckedContinuation<Bool, Never>] = []
        var ticks: [TickSource] = []
    }

    enum BodyState {
        case unread
        case waiting(CheckedContinuation<Result<[UInt8], SluiceError>, Never>)
        case done(Result<[UInt8], SluiceError>)
    }

    init(stream: Token, link: WorkerLink) {
        self.stream = stream
        self.link = link
    }

    /// Keeps the task, to cancel it when the client leaves.
    func run(_ task: Task<Void, Never>) {
        let isOver = state.withLock { state in
            if !state.isOver { state.task = task }
            return state.isOver
        }
        if isOver { task.cancel() }
    }

    /// The task came to its end.
    func taskEnded() { state.withLock { $0.task = nil } }

    var isOpen: Bool { state.withLock { !$0.isOver && !$0.isClosed } }

    // MARK: Body

    func body(upTo limit: Int) async throws -> [UInt8] {
        let result: Result<[UInt8], SluiceError> = await withCheckedContinuation { continuation in
            let outcome: Result<[UInt8], SluiceError>? = state.withLock { state in
                if case .done(let result) = state.body { return result }
                if state.isOver { return .failure(SluiceError(.closed, "the client left")) }
                if case .waiting = state.body {
                    return .failure(SluiceError(.closed, "the body is being read already"))
                }
                state.body = .waiting(continuation)
                return nil
            }
            if let outcome { continuation.resume(returning: outcome) } else { link.post(.wantBody(self, limit: limit)) }
        }
        return try result.get()
    }

    private func finishBody(_ result: Result<[UInt8], SluiceError>) {
        let waiting: CheckedContinuation<Result<[UInt8], SluiceError>, Never>? = state.withLock { state in
            switch state.body {
            // The first result stands: behind a body that is too large comes its end, too.
            case .done: return nil
            case .unread:
                state.body = .done(result)
                return nil
            case .waiting(let continuation):
                state.body = .done(result)
                return continuation
            }
        }
        waiting?.resume(returning: result)
    }

    // MARK: The stream's side

    func openStream(bufferLimit: Int) { state.withLock { $0.bufferLimit = max(1, bufferLimit) } }

    /// Takes bytes for the client.
    /// - Returns: what became of them.
    func offer(_ bytes: [UInt8]) -> EventStream.YieldResult {
        let (result, mustPost) = state.withLock { state -> (EventStream.YieldResult, Bool) in
            if state.isOver || state.isClosed { return (.rejected(.closed), false) }
            // A single event larger than the limit still goes when nothing else waits.
            if !state.outbox.isEmpty, bytes.count > state.bufferLimit - state.outbox.count {
                return (.rejected(.full), false)
            }
            let isFirst = state.outbox.isEmpty && !state.isBlocked
            state.outbox.append(contentsOf: bytes)
            let mustPost = !state.isFlushPosted
            state.isFlushPosted = true
            return (isFirst ? .written : .buffered(bytes: state.outbox.count), mustPost)
        }
        if mustPost { link.post(.flushStream(self)) }
        return result
    }

    /// Waits until there may be room.
    /// - Returns: whether the stream is still open.
    func room() async -> Bool {
        let isOpen = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    if state.isOver || state.isClosed || Task.isCancelled { return false }
                    if state.outbox.isEmpty || state.outbox.count < state.bufferLimit / 2 { return true }
                    state.senders.append(continuation)
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            // The senders of other tasks look again whether there is room.
            resumeSenders()
        }
        return isOpen && !Task.isCancelled
    }

    private func resumeSenders() {
        let senders = state.withLock { state in
            defer { state.senders = [] }
            return state.senders
        }
        for sender in senders { sender.resume(returning: true) }
    }

    func close() {
        let mustPost = state.withLock { state in
            guard !state.isOver, !state.isClosed else { return false }
            state.isClosed = true
            let mustPost = !state.isFlushPosted
            state.isFlushPosted = true
            return mustPost
        }
        if mustPost { link.post(.flushStream(self)) }
    }

    func addTicks(_ source: TickSource) -> Bool {
        let isOpen = state.withLock { state in
            if state.isOver || state.isClosed { return false }
            state.ticks.removeAll { $0.isFinished }
            state.ticks.append(source)
            return true
        }
        if isOpen { link.post(.startTicks(self, source)) } else { source.finish() }
        return isOpen
    }

    // MARK: The worker's side

    /// What is to be written now, up to `limit` bytes, and whether the stream ends after it.
    func takeOutbox(limit: Int) -> (bytes: [UInt8], isLast: Bool) {
        let (bytes, isLast) = state.withLock { state -> ([UInt8], Bool) in
            state.isFlushPosted = false
            state.isBlocked = false
            guard state.outbox.count > limit else {
                defer { state.outbox = [] }
                return (state.outbox, state.isClosed)
            }
            let bytes = Array(state.outbox.prefix(limit))
            state.outbox.removeFirst(limit)
            return (bytes, false)
        }
        resumeSenders()
        return (bytes, isLast)
    }

    /// The connection takes nothing at the moment; the outbox waits.
    func markBlocked() {
        state.withLock { state in
            state.isFlushPosted = false
            state.isBlocked = true
        }
    }

    var hasOutput: Bool { state.withLock { !$0.outbox.isEmpty || $0.isClosed } }

    /// The client left, or the stream came to its end: nothing of it may stay.
    func end() {
        let (task, senders, ticks) = state.withLock { state in
            defer {
                state.task = nil
                state.senders = []
                state.ticks = []
                state.outbox = []
                state.isOver = true
            }
            return (state.task, state.senders, state.ticks)
        }
        task?.cancel()
        for sender in senders { sender.resume(returning: false) }
        for source in ticks { source.finish() }
        finishBody(.failure(SluiceError(.closed, "the client left")))
    }
}

/// The worker's handle on a served request, as the connection knows it.
final class ServedExchange: HandlerExchange {
    let request: ServedRequest
    /// Counts its events, where somebody wants to know.
    var boundary = EventBoundary()
    private let flush: (ServedRequest) -> Void

    init(_ request: ServedRequest, flush: @escaping (ServedRequest) -> Void) {
        self.request = request
        self.flush = flush
    }

    func clientLeft() { request.end() }
    var endsWithClient: Bool { false }
    func bodyPart(_ bytes: UnsafeRawBufferPointer) {}
    func deadlinePassed() {}
    func bodyArrived(_ bytes: [UInt8]) { request.bodyArrived(.success(bytes)) }
    func bodyTooLarge() {
        request.bodyArrived(.failure(SluiceError(.bodyTooLarge, "the body is larger than asked for")))
    }
    func becameWritable() { if request.hasOutput { flush(request) } }
    func drain() { request.close() }
}

extension ServedRequest {
    func bodyArrived(_ result: Result<[UInt8], SluiceError>) { finishBody(result) }
}
