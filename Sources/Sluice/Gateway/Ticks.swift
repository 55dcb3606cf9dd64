internal import SluiceIO
internal import Synchronization

/// Ticks of an event stream, an `AsyncSequence` of counts from 1.
public struct Ticks: AsyncSequence, Sendable {
    /// The count of a tick.
    public typealias Element = UInt64
    /// Ticks never fail; they end.
    public typealias Failure = Never

    private let served: ServedRequest
    private let interval: Duration

    init(_ served: ServedRequest, _ interval: Duration) {
        self.served = served
        self.interval = interval
    }

    /// Starts the ticks.
    public func makeAsyncIterator() -> Iterator { Iterator(served, interval) }

    /// Waits for one tick after the other.
    public final class Iterator: AsyncIteratorProtocol {
        private let source: TickSource
        private let link: WorkerLink

        init(_ served: ServedRequest, _ interval: Duration) {
            source = TickSource(intervalMilliseconds: Swift.max(1, interval.milliseconds))
            link = served.link
            _ = served.addTicks(source)
        }

        deinit {
            source.finish()
            link.post(.stopTicks(source))
        }

        /// The next tick; `nil` when the client left, the stream was closed or the task was cancelled.
        public func next() async -> UInt64? { await source.next() }

        /// The next tick; `nil` when the client left, the stream was closed or the task was cancelled.
        public func next(isolation actor: isolated (any Actor)?) async -> UInt64? { await source.next() }
    }
}

/// Where a worker's timer and a waiting task meet.
final class TickSource: Sendable {
    let intervalMilliseconds: UInt64
    private let state = Mutex(State())

    struct State {
        var count: UInt64 = 0
        var isDue = false
        var isFinished = false
        var waiting: CheckedContinuation<UInt64?, Never>?
        var timer: Token?
    }

    init(intervalMilliseconds: UInt64) { self.intervalMilliseconds = intervalMilliseconds }

    var isFinished: Bool { state.withLock { $0.isFinished } }

    /// The worker's handle on the timer.
    var timer: Token? {
        get { state.withLock { $0.timer } }
        set { state.withLock { $0.timer = newValue } }
    }

    func next() async -> UInt64? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: UInt64?? = state.withLock { state in
                    if state.isFinished || state.waiting != nil || Task.isCancelled { return .some(nil) }
                    if state.isDue {
                        state.isDue = false
                        return .some(state.count)
                    }
                    state.waiting = continuation
                    return nil
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            finish()
        }
    }

    func fire() {
        let (waiting, count) = state.withLock { state in
            state.count &+= 1
            let waiting = state.waiting
            state.waiting = nil
            state.isDue = waiting == nil
            return (waiting, state.count)
        }
        waiting?.resume(returning: count)
    }

    func finish() {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            state.isFinished = true
            return state.waiting
        }
        waiting?.resume(returning: nil)
    }
}

/// A worker's timer for ticks.
struct TickTimer {
    let source: TickSource
    var timer: TimerWheel.ID?
    var due: UInt64
}
