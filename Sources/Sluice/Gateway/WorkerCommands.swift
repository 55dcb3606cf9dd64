internal import Logging
internal import SluiceIO

/// The commands that run on this worker.
extension Worker {
    /// A command and its timer.
    final class CommandSlot {
        let command: CommandSource
        var timer: TimerWheel.ID?

        init(_ command: CommandSource) { self.command = command }
    }

    func startCommand(_ name: String, _ options: CommandOptions, _ topics: [Topic]) {
        guard !topics.isEmpty else {
            return logger.notice("command not started: it feeds no topic", metadata: ["source": "\(name)"])
        }
        let command = CommandSource(
            name: name, number: commands.count, options: options, topics: topics, hub: hub, worker: index,
            context: context, owner: self, logger: logger)
        commands.append(CommandSlot(command))
        command.start()
    }

    func commandReady(_ token: Token) {
        let number = CommandSource.number(of: token)
        guard number < commands.count else { return }
        commands[number].command.ready(token)
    }

    func commandTimer(_ token: Token) {
        guard Int(token.index) < commands.count else { return }
        let slot = commands[Int(token.index)]
        slot.timer = nil
        slot.command.timerFired()
    }

    /// The hub takes events again.
    func relieveCommands() {
        for slot in commands { slot.command.relieved() }
    }

    func stopCommands(graceMilliseconds: UInt64) {
        for slot in commands { slot.command.stop(graceMilliseconds: graceMilliseconds) }
    }

    /// Whether none runs any more.
    var commandsAreOver: Bool { commands.allSatisfy(\.command.isOver) }

    /// Nothing that a command started outlives the worker.
    func endCommands() {
        for slot in commands { slot.command.end() }
    }
}

extension Worker: CommandSource.Owner {
    func schedule(_ command: CommandSource, atMilliseconds time: UInt64) {
        guard command.number < commands.count else { return }
        let slot = commands[command.number]
        if let timer = slot.timer { loop.timers.cancel(timer) }
        slot.timer = loop.timers.schedule(
            atMilliseconds: time, token: Token(index: UInt32(command.number), generation: 1).packed(.command))
    }
}

extension Gateway {
    /// Kills what all commands of this process started: for a program that exits without waiting for `run`.
    package static func killCommands() { ProcessGroups.killAll() }
}
