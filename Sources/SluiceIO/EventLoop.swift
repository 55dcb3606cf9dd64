internal import Synchronization

/// What a loop drives: one worker.
package protocol EventLoopHandler: AnyObject {
    /// A descriptor of the selector is ready. The token may be stale: something earlier in this tick may have closed it.
    func ready(token: UInt64, events: Selector.Events)
    func timerFired(token: UInt64)
    /// The mailbox has mail: take it.
    func mail()
    /// The end of a tick, before sleeping: write what became dirty.
    ///
    /// - Returns: true when more work waits; the loop then polls without sleeping.
    func flush() -> Bool
}

/// One thread's loop. A tick: poll, read the clock once, readiness, timers, mail, flush. For the thread that runs it,
/// but for `control`.
package final class EventLoop {
    /// What other threads may do with a loop.
    package final class Control: Sendable {
        let event: WakeDescriptor
        private let stopped = Atomic(false)

        init() throws(Errno) { event = try WakeDescriptor() }

        /// Ends the loop's sleep, or its next one.
        package func wake() { event.signal() }

        /// Ends the loop after the tick that runs, for good.
        package func stop() {
            stopped.store(true, ordering: .releasing)
            event.signal()
        }

        package var isStopped: Bool { stopped.load(ordering: .acquiring) }
    }

    /// The tokens from here on are the loop's own.
    package static let firstReservedToken = UInt64.max - 1
    @usableFromInline static let wakeToken = UInt64.max
    @usableFromInline static let mailToken = UInt64.max - 1

    package let selector: Selector
    package let timers: TimerWheel
    package let control: Control
    private let clock: any MonotonicClock

    /// The time of the tick that runs: read once, after the poll.
    package var nowMilliseconds: UInt64 { unsafe now }

    // Asked for many times in a tick, and changed between two: there is no overlap to look for.
    @exclusivity(unchecked) private var now: UInt64

    package init(clock: any MonotonicClock = SystemClock()) throws(Errno) {
        let now = clock.nowMilliseconds()
        self.clock = clock
        unsafe self.now = now
        timers = TimerWheel(nowMilliseconds: now)
        control = try Control()
        selector = try Selector()
        try selector.add(control.event.rawValue, .read, token: Self.wakeToken)
    }

    /// See `Control.wake()`. Threads other than the loop's go by `control`.
    package func wake() { control.wake() }

    /// See `Control.stop()`. Threads other than the loop's go by `control`.
    package func stop() { control.stop() }

    /// Has `mail()` called in each tick in which this descriptor, a mailbox's, is readable.
    package func attach(mailbox descriptor: Int32) throws(Errno) {
        try selector.add(descriptor, .read, token: Self.mailToken)
    }

    /// Runs ticks until `stop()`; the tick in which that is seen is finished, its flush included.
    @inlinable package func run(_ handler: some EventLoopHandler) {
        // The first tick only looks: what was made ready before the loop ran is to be flushed.
        var maySleep = false
        while !control.isStopped {
            maySleep = !tick(handler, maySleep: maySleep)
        }
    }

    /// As `run(_:)`, with the mailbox attached first.
    @inlinable package func run(_ handler: some EventLoopHandler, mailbox descriptor: Int32) {
        do { try attach(mailbox: descriptor) } catch { fatalError("cannot watch the mailbox: \(error)") }
        run(handler)
    }

    /// One tick. Answers what `flush()` did.
    @inlinable package func tick(_ handler: some EventLoopHandler, maySleep: Bool) -> Bool {
        let count = poll(maySleep: maySleep)
        var hasMail = false
        for index in 0..<count {
            let (token, events) = selector[index]
            if token < Self.firstReservedToken {
                handler.ready(token: token, events: events)
            } else if token == Self.mailToken {
                hasMail = true
            } else {
                control.acknowledge()
            }
        }
        timers.advance(toMilliseconds: nowMilliseconds) { handler.timerFired(token: $0) }
        if hasMail { handler.mail() }
        return handler.flush()
    }

    @usableFromInline func poll(maySleep: Bool) -> Int {
        let timeout = maySleep ? timeoutMilliseconds() : 0
        let count: Int
        do { count = try selector.wait(timeoutMilliseconds: timeout) } catch {
            fatalError("epoll_wait: \(error)")  // only EINVAL is left, a bug of ours
        }
        unsafe now = max(now, clock.nowMilliseconds())
        return count
    }

    private func timeoutMilliseconds() -> Int32 {
        guard let deadline = timers.nextDeadlineMilliseconds else { return -1 }
        // Not the tick's time: the work of a long tick must not be slept again.
        let now = clock.nowMilliseconds()
        return deadline <= now ? 0 : Int32(clamping: deadline - now)
    }

    /// Starts a thread to run a loop in. `name` is cut to 15 bytes.
    package static func startThread(name: String, body: @Sendable @escaping () -> Void) -> LoopThread {
        LoopThread(name: name, body: body)
    }
}

extension EventLoop.Control {
    @usableFromInline func acknowledge() { event.reset() }
}
