internal import Logging
internal import SluiceIO

/// A program that is run again for ever, and whose output is published. It runs on one worker.
///
/// It reads no more while the hub is full: the program then waits at its pipe, as it would at any other reader's.
final class CommandSource {
    /// What a command needs of its worker.
    protocol Owner: AnyObject {
        /// Has `timerFired` called at this time, and not at the one given before.
        func schedule(_ command: CommandSource, atMilliseconds: UInt64)
    }

    /// What the selector watches for it.
    enum Part: UInt32, CaseIterable {
        case process
        case output
        case errors
    }

    let name: String
    let number: Int
    let options: CommandOptions
    let context: LoopContext
    let logger: Logger
    private let topics: [Topic]
    private let hub: Hub
    private let worker: Int
    private unowned let owner: any Owner

    var life = CommandLife()
    var child: ChildProcess?
    var watched: Set<Part> = []
    private var schedule: FeedSchedule
    private var reader: CommandReader
    var errorLines = LineReader(limit: CommandSource.longestErrorLine)
    var errorBudget = LineBudget()
    /// What one read gave and the hub has not taken yet.
    private var held: ArraySlice<Publication> = []
    /// The process is to be let go as soon as the hub has taken all.
    private var mustFinish = false
    private var startsAt: UInt64?
    private var runs: UInt32 = 0
    /// A failure was logged, and nothing has come since.
    private var isDown = false

    /// The most that a pipe can hold (`fs.pipe-max-size`): all that a program wrote before it ended.
    private static let pipeBytes = 1 << 20
    static let longestErrorLine = 1024

    init(
        name: String, number: Int, options: CommandOptions, topics: [Topic], hub: Hub, worker: Int,
        context: LoopContext, owner: any Owner, logger: Logger
    ) {
        self.name = name
        self.number = number
        self.options = options
        self.topics = topics
        self.hub = hub
        self.worker = worker
        self.context = context
        self.owner = owner
        var logger = logger
        logger[metadataKey: "source"] = "\(name)"
        self.logger = logger
        schedule = FeedSchedule(options.retry)
        reader = CommandReader(options, limits: context.limits)
    }

    /// Whether nothing of it runs, and nothing will.
    var isOver: Bool { life.phase == .over }

    // MARK: Starting

    /// Starts the program; the first time when the gateway starts, each later time when its timer fires.
    func start() {
        guard life.phase == .waiting else { return }
        startsAt = nil
        var environment = options.environment.mapValues(\.value)
        // With a variable of 128 KiB no program can be started.
        if (1...EncodedEvent.longestID).contains(reader.lastEventID.count) {
            environment["LAST_EVENT_ID"] = String(decoding: reader.lastEventID, as: UTF8.self)
        }
        do {
            let child = try ChildProcess(try command(environment))
            self.child = child
            runs &+= 1
            life.started()
            for part in Part.allCases { try watch(part) }
        } catch {
            context.counters.commands.notStarted &+= 1
            let isRunning = child != nil
            drop()
            if isRunning { life.finished() }
            return again(after: .failed, "\(error)")
        }
        context.counters.commands.started &+= 1
        // One that ends every second by design would fill the log.
        logger.log(level: runs == 1 ? .info : .debug, "command started", metadata: ["pid": "\(child?.pid ?? 0)"])
    }

    private func command(_ environment: [String: String]) throws -> ChildProcess.Command {
        let program = options.command.first ?? ""
        do throws(Errno) {
            let file = try ChildProcess.find(program, directory: options.directory, environment: environment)
            return ChildProcess.Command(
                program: file, arguments: options.command, directory: options.directory, environment: environment)
        } catch {
            throw ChildProcess.StartError.program(program, error)
        }
    }

    // MARK: The selector

    private func descriptor(_ part: Part) -> Int32? {
        switch part {
        case .process: child?.descriptor
        case .output: child?.descriptor(of: .output)
        case .errors: child?.descriptor(of: .errors)
        }
    }

    private func watch(_ part: Part) throws(Errno) {
        guard let descriptor = descriptor(part), !watched.contains(part) else { return }
        let token = Token(
            index: UInt32(number) &* UInt32(Part.allCases.count) &+ part.rawValue,
            generation: runs & Token.generationMask)
        try context.loop.selector.add(descriptor, .read, token: token.packed(.command))
        watched.insert(part)
    }

    func unwatch(_ part: Part) {
        guard let descriptor = descriptor(part), watched.remove(part) != nil else { return }
        context.loop.selector.remove(descriptor)
    }

    /// The number of the command that a selector's token is about.
    static func number(of token: Token) -> Int { Int(token.index) / Part.allCases.count }

    func ready(_ token: Token) {
        guard let part = Part(rawValue: token.index % UInt32(Part.allCases.count)),
            token.generation == runs & Token.generationMask, watched.contains(part)
        else { return }
        switch part {
        case .process:
            unwatch(.process)
            act(life.exited(at: context.now))
        case .output: if readOutput() == .end { act(life.outputEnded(at: context.now)) }
        case .errors: _ = readErrors()
        }
    }

    // MARK: Reading

    /// One read, published as one batch.
    private func readOutput() -> IOResult {
        guard let child else { return .end }
        let result = unsafe child.read(.output, into: context.input)
        switch result {
        case .bytes(let count):
            // Once it is to stop, it only has to be able to write on until it does.
            guard !life.isStopping else { break }
            take { reader, sink in
                unsafe reader.parse(UnsafeRawBufferPointer(rebasing: context.input[..<count]), sink)
            }
        case .wouldBlock: break
        case .end, .failed: unwatch(.output)
        }
        if case .failed = result { return .end }
        return result
    }

    private func take(_ read: (inout CommandReader, (CommandReader.Item) -> Void) -> Void) {
        var batch: [Publication] = []
        read(&reader) { item in
            switch item {
            case .event(let draft, let wasRepaired):
                delivered(event: true)
                if wasRepaired { context.counters.repairedEvents &+= 1 }
                batch.append(Publication(draft: draft, topics: topics))
            case .life: delivered(event: false)
            case .retry(let milliseconds): schedule.setBase(milliseconds: milliseconds)
            case .dropped: dropped("over the limit")
            }
        }
        held = batch[...]
        publish()
        guard !held.isEmpty else { return }
        context.counters.commands.paused &+= 1
        // Whole, since a hangup of the pipe would be reported again and again.
        unwatch(.output)
    }

    private func delivered(event: Bool) {
        schedule.received(event: event, at: context.now)
        guard isDown else { return }
        isDown = false
        logger.info("command is back")
    }

    /// Hands to the hub what is held, until it is full.
    private func publish() {
        var inParts = false
        while !held.isEmpty {
            let part = inParts ? held.prefix(1) : held
            switch hub.publish(Array(part), from: worker) {
            case .accepted:
                context.counters.commands.events &+= UInt64(part.count)
                held = held.dropFirst(part.count)
            case .full: return
            // Together they are too much; one by one they may not be.
            case .tooLarge where part.count > 1, .gone where part.count > 1: inParts = true
            case .tooLarge(let topic), .gone(let topic):
                dropped("the topic \(topic) cannot keep it")
                let topics = held[held.startIndex].topics.filter { $0.name != topic }
                if topics.isEmpty { held = held.dropFirst() } else { held[held.startIndex].topics = topics }
            }
        }
        held = []
    }

    private func dropped(_ reason: String) {
        context.counters.oversizedEvents &+= 1
        logger.warning("command: an event was dropped", metadata: ["reason": "\(reason)"])
    }

    /// The hub takes events again.
    func relieved() {
        guard !held.isEmpty else { return }
        publish()
        guard held.isEmpty else { return }
        if mustFinish { return finish() }
        do {
            try watch(.output)
        } catch {
            logger.error("a command cannot be watched", metadata: ["reason": "\(error)"])
            child?.kill()
        }
    }

    // MARK: Ending

    /// The command's timer: time to start, or to go on with ending.
    func timerFired() {
        if let startsAt {
            return startsAt <= context.now ? start() : owner.schedule(self, atMilliseconds: startsAt)
        }
        act(life.timer(at: context.now))
    }

    /// Asks the group to end, and kills it after a grace; `isOver` tells when it is done.
    func stop(graceMilliseconds: UInt64) {
        let isHeld = !held.isEmpty
        held = []
        startsAt = nil
        act(life.stop(at: context.now, graceMilliseconds: graceMilliseconds))
        if mustFinish { return finish() }
        if isHeld { try? watch(.output) }
    }

    /// Ends it now.
    func end() {
        _ = life.stop(at: context.now, graceMilliseconds: 0)
        drop()
        life.finished()
    }

    private func act(_ action: CommandLife.Action) {
        switch action {
        case .nothing: break
        case .terminate: child?.terminate()
        case .kill: child?.kill()
        case .finish: return finish()
        }
        if let deadline = life.deadline { owner.schedule(self, atMilliseconds: deadline) }
    }

    private func finish() {
        mustFinish = !takeRest()
        guard !mustFinish, let child else { return }
        let ending = child.ending ?? .unknown
        endErrors()
        drop()
        life.finished()
        let isClean = ending == .exited(status: 0)
        if isClean { context.counters.commands.ended &+= 1 } else { context.counters.commands.failed &+= 1 }
        guard !life.isStopping else {
            logger.debug("command ended", metadata: ["reason": "\(ending)"])
            return
        }
        again(after: isClean ? .endedCleanly : .failed, "\(ending)")
    }

    /// Takes what the program left in its pipes.
    /// - Returns: whether that is done; if not, the hub is full.
    private func takeRest() -> Bool {
        guard held.isEmpty else { return false }
        var left = Self.pipeBytes
        while left > 0, case .bytes(let count) = readErrors() { left -= count }
        left = Self.pipeBytes
        while left > 0, case .bytes(let count) = readOutput() {
            left -= count
            if !held.isEmpty { return false }
        }
        // A program that a signal ended was cut in the middle of its line.
        var isWhole = false
        if case .exited = child?.ending { isWhole = !life.isStopping }
        take { reader, sink in reader.finish(isWhole: isWhole, sink) }
        return held.isEmpty
    }

    private func drop() {
        for part in Part.allCases { unwatch(part) }
        child?.end()
        child = nil
        held = []
        mustFinish = false
    }

    private func again(after outcome: FeedSchedule.Outcome, _ reason: String) {
        guard
            let delay = schedule.delay(after: outcome, at: context.now, chance: Double.random(in: 0...1))
        else { return }
        // One line at the level of a warning for each outage; the attempts that follow are told quietly.
        let isFailure = outcome != .endedCleanly
        logger.log(
            level: isFailure && !isDown ? .warning : .debug, isFailure ? "command down" : "command ended",
            metadata: ["reason": "\(reason)", "retry_ms": "\(delay)"])
        isDown = isFailure
        startsAt = context.now &+ delay
        owner.schedule(self, atMilliseconds: context.now &+ delay)
    }
}
