import Logging
import SluiceIO
import Synchronization
import Testing

@testable import Sluice

/// A command on a loop that the test runs, and a hub with a second worker whose progress the test makes.
private final class CommandFixture: EventLoopHandler, CommandSource.Owner {
    let hub: Hub
    let topic: Topic
    let context: LoopContext
    private(set) var command: CommandSource?
    private var timer: TimerWheel.ID?

    init(_ command: [String], _ change: (inout CommandOptions, inout TopicOptions) -> Void = { _, _ in }) throws {
        var options = CommandOptions(command)
        var topicOptions = TopicOptions()
        options.retry.initial = .milliseconds(1)
        change(&options, &topicOptions)
        hub = Hub(
            catalog: try TopicCatalog(["t": topicOptions]), topicLimit: 10, logBytes: 1 << 30,
            mailboxes: [try Mailbox(), try Mailbox()], clock: SystemClock())
        topic = try hub.topic(named: "t")
        context = LoopContext(loop: try EventLoop(), limits: Limits())
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let source = CommandSource(
            name: "c", number: 0, options: options, topics: [topic], hub: hub, worker: 0, context: context, owner: self,
            logger: logger)
        self.command = source
    }

    deinit { command?.end() }

    var events: UInt64 { context.counters.commands.events }
    var paused: UInt64 { context.counters.commands.paused }

    /// Runs ticks until something holds. What a test waits for comes; if not, its time limit ends it.
    func run(until condition: () -> Bool) {
        while !condition() { _ = context.loop.tick(self, maySleep: true) }
    }

    /// The data of all that the topic's log holds.
    var log: [String] {
        var events: [EncodedEvent] = []
        topic.log.withLock { _ = $0.read(after: 0, through: .max, maxBytes: .max, into: &events) }
        return events.map { event in
            let text = unsafe event.withBytes(.untilClose) { unsafe String(decoding: $0, as: UTF8.self) }
            return text.split(separator: "\n").filter { $0.hasPrefix("data:") }.map { $0.dropFirst(6) }.joined(
                separator: "|")
        }
    }

    /// A subscriber of the other worker that has not yet been sent anything, and then all.
    func join() { #expect(hub.join(topic, worker: 1) != nil) }
    func catchUp() {
        topic.progress[1].done.store(topic.published.load(ordering: .relaxed), ordering: .sequentiallyConsistent)
        command?.relieved()
    }

    func schedule(_ command: CommandSource, atMilliseconds time: UInt64) {
        if let timer { context.loop.timers.cancel(timer) }
        timer = context.loop.timers.schedule(
            atMilliseconds: time, token: Token(index: 0, generation: 1).packed(.command))
    }

    func ready(token: UInt64, events: Selector.Events) { command?.ready(Token.unpack(token).token) }
    func timerFired(token: UInt64) {
        timer = nil
        command?.timerFired()
    }
    func mail() {}
    func flush() -> Bool { false }
}

@Suite(.timeLimit(.minutes(1))) struct CommandSourceTests {
    @Test func `lines are published in order, and the program is started again whatever its end`() throws {
        let fixture = try CommandFixture(["sh", "-c", "echo one; echo two; exit $(( $$ % 2 ))"])
        fixture.command?.start()
        fixture.run { fixture.events >= 6 }
        #expect(fixture.log.prefix(6) == ["one", "two", "one", "two", "one", "two"])
        #expect(fixture.context.counters.commands.started >= 3)
        let counters = fixture.context.counters.commands
        #expect(counters.ended + counters.failed >= 2)
    }

    @Test func `a program that is not there is tried again`() throws {
        let fixture = try CommandFixture(["no-such-program-here"])
        fixture.command?.start()
        fixture.run { fixture.context.counters.commands.notStarted >= 3 }
        #expect(fixture.context.counters.commands.started == 0)
    }

    @Test func `while the hub is full nothing is read, and nothing is lost`() throws {
        let fixture = try CommandFixture(["seq", "1", "30000"]) {
            // A batch that the log keeps goes out while nothing else waits.
            ($1.maxLag, $1.history.events) = (100, 12_000)
        }
        fixture.join()
        fixture.command?.start()
        fixture.run { fixture.paused == 1 }
        let before = fixture.events
        // The pipe fills and the program waits: nothing of it wakes the loop.
        for _ in 0..<100 { _ = fixture.context.loop.tick(fixture, maySleep: false) }
        #expect(fixture.events == before)
        #expect(fixture.paused == 1)
        var last = 0
        var seen = 0
        fixture.run {
            fixture.catchUp()
            last = fixture.log.last.flatMap(Int.init) ?? 0
            seen += 1
            return last == 30_000
        }
        #expect(fixture.events >= 30_000)
        #expect(fixture.paused > 1)
    }

    @Test func `a program that ended is let go only when the hub has all that it wrote`() throws {
        let fixture = try CommandFixture(["sh", "-c", "echo one; head -c 5000 /dev/zero | tr '\\0' '\\n'; printf last"])
        {
            options, topic in
            (topic.maxLag, topic.history.events) = (10, 6000)
            options.retry.initial = .seconds(3600)
        }
        fixture.join()
        fixture.command?.start()
        fixture.run {
            fixture.catchUp()
            return fixture.log.last == "last"
        }
        #expect(fixture.events == 5002)
        fixture.run { fixture.context.counters.commands.ended == 1 }
    }

    @Test func `a batch that the topic cannot keep at once goes one by one, and what it can never keep is dropped`()
        throws
    {
        let long = String(repeating: "x", count: 3000)
        let fixture = try CommandFixture(["sh", "-c", "for i in 1 2 3 4 5 6; do echo $i; done; echo \(long); echo end"])
        {
            options, topic in
            (topic.maxLag, topic.history.bytes) = (10, 200)
            options.retry.initial = .seconds(3600)
        }
        fixture.command?.start()
        fixture.run { fixture.log.last == "end" }
        #expect(fixture.context.counters.commands.events == 7)
        #expect(fixture.context.counters.oversizedEvents == 1)
    }

    @Test func `an id that no program can be given keeps none from being started`() throws {
        let program = ##"printf "id: %200000d\ndata: ${LAST_EVENT_ID:-none}\n\n" 1"##
        let fixture = try CommandFixture(["sh", "-c", program]) { options, _ in options.format = .sse }
        fixture.command?.start()
        fixture.run { fixture.events >= 2 || fixture.context.counters.commands.notStarted > 0 }
        #expect(fixture.context.counters.commands.notStarted == 0)
        #expect(fixture.log.prefix(2) == ["none", "none"])
    }

    @Test func `a stop ends the group, and nothing is started again`() throws {
        let fixture = try CommandFixture(["sh", "-c", "sleep 1000 & echo $!; sleep 1000"])
        fixture.command?.start()
        fixture.run { fixture.events == 1 }
        fixture.command?.stop(graceMilliseconds: 60_000)
        fixture.run { fixture.command?.isOver == true }
        #expect(fixture.context.counters.commands.failed == 1)
        #expect(fixture.command?.child == nil)
        #expect(fixture.command?.watched.isEmpty == true)
    }
}
