/// One run of a command after the other: what is to be done with its process group, and when. A value: what happens
/// goes in, what to do comes out; time is given.
///
/// A command ends when its process does. What it started then is asked to end too, and killed a little later: a process
/// that holds the pipe open must not keep the command from being started again.
struct CommandLife: Sendable {
    enum Phase: Equatable, Sendable {
        /// Nothing runs.
        case waiting
        case running
        /// Its output is closed: a command of which nothing can come any more has a moment to end by itself.
        case leaving
        /// The group was asked to end.
        case asked
        case killed
        /// It is not started again.
        case over
    }

    enum Action: Equatable, Sendable {
        case nothing
        /// Ask the group to end.
        case terminate
        case kill
        /// Take what is left of the output, and let the process go.
        case finish
    }

    /// The time that a command has to end by itself, and that what it started has after it.
    static let leavingMilliseconds: UInt64 = 1000
    /// The time between asking and killing.
    static let graceMilliseconds: UInt64 = 5000
    /// The time that those who were killed have to let go of their pipes.
    static let killedMilliseconds: UInt64 = 200

    private(set) var phase = Phase.waiting
    /// When `timer` has something to say; `nil`: never.
    private(set) var deadline: UInt64?
    private(set) var isStopping = false
    private var hasExited = false
    private var hasEndedOutput = false

    /// A process was started.
    mutating func started() {
        guard phase == .waiting else { return }
        phase = .running
    }

    /// The process ended.
    mutating func exited(at now: UInt64) -> Action {
        guard isAlive, !hasExited else { return .nothing }
        hasExited = true
        if hasEndedOutput { return .finish }
        switch phase {
        case .killed:
            deadline = now &+ Self.killedMilliseconds
            return .nothing
        case .asked:
            if !isStopping { deadline = min(deadline ?? .max, now &+ Self.leavingMilliseconds) }
            return .nothing
        default:
            phase = .asked
            deadline = now &+ Self.leavingMilliseconds
            return .terminate
        }
    }

    /// Nobody holds the writing end of its output any more.
    mutating func outputEnded(at now: UInt64) -> Action {
        guard isAlive, !hasEndedOutput else { return .nothing }
        hasEndedOutput = true
        if hasExited { return .finish }
        if phase == .running {
            phase = .leaving
            deadline = now &+ Self.leavingMilliseconds
        }
        return .nothing
    }

    mutating func timer(at now: UInt64) -> Action {
        guard let deadline, deadline <= now else { return .nothing }
        switch phase {
        case .leaving:
            phase = .asked
            self.deadline = now &+ Self.graceMilliseconds
            return .terminate
        case .asked:
            phase = .killed
            self.deadline = now &+ Self.killedMilliseconds
            return .kill
        case .killed:
            if hasExited {
                self.deadline = nil
                return .finish
            }
            // The kernel holds it, in a call to a disk for instance.
            self.deadline = now &+ Self.leavingMilliseconds
            return .kill
        case .waiting, .running, .over:
            self.deadline = nil
            return .nothing
        }
    }

    /// It is to end for good.
    /// - Parameter grace: the time between asking and killing; never longer than usual.
    mutating func stop(at now: UInt64, graceMilliseconds grace: UInt64) -> Action {
        guard !isStopping, phase != .over else { return .nothing }
        isStopping = true
        let latest = now &+ min(grace, Self.graceMilliseconds)
        switch phase {
        case .waiting, .over:
            phase = .over
            deadline = nil
            return .nothing
        case .running, .leaving:
            phase = .asked
            deadline = latest
            return .terminate
        case .asked:
            deadline = min(deadline ?? .max, latest)
            return .nothing
        case .killed: return .nothing
        }
    }

    /// The process was let go.
    mutating func finished() {
        phase = isStopping ? .over : .waiting
        deadline = nil
        hasExited = false
        hasEndedOutput = false
    }

    private var isAlive: Bool { phase != .waiting && phase != .over }
}
