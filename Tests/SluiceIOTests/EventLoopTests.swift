import Glibc
import SluiceIO
import Synchronization
import Testing

/// Writes down what the loop does.
private final class Recorder: EventLoopHandler {
    enum Entry: Equatable {
        case ready(UInt64), timer(UInt64), mail, flush
    }

    var entries: [Entry] = []
    var onReady: (UInt64) -> Void = { _ in }
    var onTimer: (UInt64) -> Void = { _ in }
    var onMail: () -> Void = {}
    var onFlush: () -> Bool = { false }

    func ready(token: UInt64, events: Selector.Events) {
        entries.append(.ready(token))
        onReady(token)
    }
    func timerFired(token: UInt64) {
        entries.append(.timer(token))
        onTimer(token)
    }
    func mail() {
        entries.append(.mail)
        onMail()
    }
    func flush() -> Bool {
        entries.append(.flush)
        return onFlush()
    }
}

struct EventLoopTests {
    private let clock = ManualClock(milliseconds: 1000)
    private let loop: EventLoop
    private let recorder = Recorder()
    private let box: Mailbox<Int>

    init() throws {
        loop = try EventLoop(clock: clock)
        box = try Mailbox()
    }

    @Test func `a tick is readiness, timers, mail, flush`() throws {
        let other = try Mailbox<Int>()
        try loop.attach(mailbox: box.descriptor)
        try loop.selector.add(other.descriptor, .read, token: 5)
        loop.timers.schedule(atMilliseconds: 1010, token: 6)
        box.post(1)
        other.post(1)
        clock.advance(milliseconds: 10)
        _ = loop.tick(recorder, maySleep: true)
        #expect(recorder.entries == [.ready(5), .timer(6), .mail, .flush])
    }

    @Test func `the time of a tick is read once, after the poll`() {
        #expect(loop.nowMilliseconds == 1000)
        loop.timers.schedule(atMilliseconds: 1001, token: 1)
        loop.timers.schedule(atMilliseconds: 1002, token: 2)
        clock.advance(milliseconds: 1)
        recorder.onTimer = { _ in
            let before = loop.nowMilliseconds
            clock.advance(milliseconds: 100)
            #expect(loop.nowMilliseconds == before)
        }
        _ = loop.tick(recorder, maySleep: false)
        #expect(recorder.entries == [.timer(1), .flush])
        _ = loop.tick(recorder, maySleep: false)
        #expect(loop.nowMilliseconds == 1101)
        #expect(recorder.entries == [.timer(1), .flush, .timer(2), .flush])
    }

    @Test func `a timer is never early, however often the loop looks`() {
        loop.timers.schedule(atMilliseconds: 1100, token: 1)
        for _ in 0..<99 {
            clock.advance(milliseconds: 1)
            _ = loop.tick(recorder, maySleep: false)
        }
        #expect(!recorder.entries.contains(.timer(1)))
        clock.advance(milliseconds: 1)
        _ = loop.tick(recorder, maySleep: false)
        #expect(recorder.entries.contains(.timer(1)))
    }

    @Test func `a timer can cancel another while it fires`() {
        var second = TimerWheel.ID.none
        recorder.onTimer = { _ in loop.timers.cancel(second) }
        loop.timers.schedule(atMilliseconds: 1001, token: 1)
        second = loop.timers.schedule(atMilliseconds: 1001, token: 2)
        clock.advance(milliseconds: 5)
        _ = loop.tick(recorder, maySleep: false)
        #expect(recorder.entries == [.timer(1), .flush])
    }

    @Test func `a flush that has more to do keeps the loop from sleeping`() {
        var left = 3
        recorder.onFlush = {
            left -= 1
            if left == 0 { loop.stop() }
            return left > 0
        }
        // Without timers and mail, a loop that slept would sleep for ever.
        loop.run(recorder)
        #expect(recorder.entries == [.flush, .flush, .flush])
    }

    @Test func `a loop that was stopped before it ran does nothing`() {
        loop.stop()
        loop.run(recorder)
        #expect(recorder.entries.isEmpty)
    }

    @Test func `a stop finishes the tick that runs`() throws {
        box.post(1)
        recorder.onMail = { loop.stop() }
        loop.run(recorder, mailbox: box.descriptor)
        #expect(recorder.entries == [.mail, .flush])
    }

    @Test func `a wake-up ends one sleep`() {
        loop.wake()
        loop.wake()
        _ = loop.tick(recorder, maySleep: true)
        #expect(recorder.entries == [.flush])
        loop.timers.schedule(atMilliseconds: 1000, token: 1)
        _ = loop.tick(recorder, maySleep: true)
        #expect(recorder.entries == [.flush, .timer(1), .flush])
    }

    @Test func `mail that is left in the box is told again`() throws {
        try loop.attach(mailbox: box.descriptor)
        box.post(1)
        _ = loop.tick(recorder, maySleep: true)
        _ = loop.tick(recorder, maySleep: true)
        var messages: [Int] = []
        box.take(into: &messages)
        _ = loop.tick(recorder, maySleep: false)
        #expect(recorder.entries == [.mail, .flush, .mail, .flush, .flush])
    }

    @Test func `another thread gets mail through and stops a loop that sleeps`() throws {
        let box = try Mailbox<Int>()
        let running = try Mailbox<EventLoop.Control>()
        let seen = try Mailbox<Int>()
        let thread = EventLoop.startThread(name: "a loop with a long name") {
            guard let loop = try? EventLoop() else { return }
            let recorder = Recorder()
            recorder.onMail = {
                var messages: [Int] = []
                box.take(into: &messages)
                seen.post(contentsOf: messages)
            }
            running.post(loop.control)
            loop.run(recorder, mailbox: box.descriptor)
        }
        var controls: [EventLoop.Control] = []
        try wait(for: running.descriptor, .read)
        running.take(into: &controls)
        let control = try #require(controls.first)
        box.post(7)
        try wait(for: seen.descriptor, .read)
        var messages: [Int] = []
        seen.take(into: &messages)
        #expect(messages == [7])
        #expect(!control.isStopped)
        control.stop()
        thread.join()
        thread.join()
        #expect(control.isStopped)
    }

    @Test func `with the real clock a timer fires after its time`() throws {
        let clock = SystemClock()
        let loop = try EventLoop(clock: clock)
        let deadline = clock.nowMilliseconds() + 3
        loop.timers.schedule(atMilliseconds: deadline, token: 1)
        recorder.onTimer = { _ in
            #expect(clock.nowMilliseconds() >= deadline)
            loop.stop()
        }
        loop.run(recorder)
        #expect(recorder.entries.contains(.timer(1)))
    }
}

struct SignalsTests {
    @Test func `signals are read, not handled`() async {
        await #expect(processExitsWith: .success) {
            let signals = try Signals([SIGUSR1, SIGTERM])
            #expect(signals.take() == nil)
            // To this thread: the test process has others, which were there before.
            raise(SIGTERM)
            #expect(signals.next() == SIGTERM)
            raise(SIGUSR1)
            let events = try wait(for: signals.rawValue, .read)
            #expect(events.contains(.read))
            #expect(signals.take() == SIGUSR1)
            #expect(signals.take() == nil)
        }
    }

    @Test func `threads started later inherit that signals are blocked`() async {
        await #expect(processExitsWith: .success) {
            let signals = try Signals([SIGTERM])
            LoopThread(name: "later") {
                var set = sigset_t()
                unsafe pthread_sigmask(SIG_BLOCK, nil, &set)
                if unsafe sigismember(&set, SIGTERM) != 1 { abort() }
            }.join()
            #expect(signals.take() == nil)
        }
    }

    @Test func `what is no signal is refused`() {
        #expect(throws: Errno.invalid) { _ = try Signals([4000]) }
    }
}
