/// What one worker's commands count.
struct CommandCounters: Sendable, Equatable {
    /// Programs that were started.
    var started: UInt64 = 0
    /// Programs that could not be started.
    var notStarted: UInt64 = 0
    /// Programs that ended with status 0.
    var ended: UInt64 = 0
    /// Programs that ended otherwise.
    var failed: UInt64 = 0
    /// Events handed to the hub.
    var events: UInt64 = 0
    /// Times that reading had to wait until the hub took events again.
    var paused: UInt64 = 0
    /// Lines of standard error that were not logged.
    var linesLeftOut: UInt64 = 0

    static func + (left: CommandCounters, right: CommandCounters) -> CommandCounters { left.adding(right) }
}

extension CommandCounters: Summed {
    static var fields: [WritableKeyPath<CommandCounters, UInt64>] {
        [\.started, \.notStarted, \.ended, \.failed, \.events, \.paused, \.linesLeftOut]
    }
}
