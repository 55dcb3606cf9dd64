internal import CLinux
internal import Glibc
internal import Synchronization

/// A program that runs beside this one: in a process group of its own, its output and errors read from pipes, nothing
/// to read for it, no shell in between.
///
/// What it starts in its turn belongs to its group and is ended with it. The kernel kills it when the thread that
/// started it ends, a SIGKILL of this process included; that does not reach what it started.
package final class ChildProcess {
    /// What is started, and how.
    package struct Command: Sendable {
        /// The program's file (`find` looks it up); a relative one starts at `directory`.
        package var program: String
        /// All of `argv`: the name first.
        package var arguments: [String]
        /// The working directory; nil: this process's.
        package var directory: String?
        /// Variables beside, or in place of, those of this process.
        package var environment: [String: String]

        package init(
            program: String, arguments: [String], directory: String? = nil, environment: [String: String] = [:]
        ) {
            self.program = program
            self.arguments = arguments
            self.directory = directory
            self.environment = environment
        }
    }

    /// Why a program was not started.
    package enum StartError: Error, Equatable, Sendable, CustomStringConvertible {
        case program(String, Errno)
        case directory(String, Errno)
        /// No process, pipe or descriptor is left.
        case process(Errno)

        package var description: String {
            switch self {
            case .program(let name, let errno): "the program \(name) cannot be run: \(errno)"
            case .directory(let name, let errno): "the directory \(name) cannot be used: \(errno)"
            case .process(let errno): "no process can be started: \(errno)"
            }
        }
    }

    /// How a process ended.
    package enum Ending: Equatable, Sendable, CustomStringConvertible {
        case exited(status: Int32)
        case signalled(Int32)
        /// This process ignores SIGCHLD, or somebody else waited for it.
        case unknown

        package var description: String {
            switch self {
            case .exited(let status): "exit status \(status)"
            case .signalled(let number): "signal \(number)"
            case .unknown: "unknown"
            }
        }
    }

    /// Which of its pipes.
    package enum Stream: Sendable { case output, errors }

    /// Leads the group.
    package let pid: Int32
    private let process: FileDescriptor
    private let output: FileDescriptor
    private let errors: FileDescriptor
    private var isReaped = false

    /// Starts a program. Blocks until it runs, as `exec` may: that is short but where its file is on a slow disk.
    package init(_ command: Command) throws(StartError) {
        let variables = command.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let child = try System.spawn(
            command.program, directory: command.directory, arguments: Self.block(command.arguments),
            variables: Self.block(variables))
        ProcessGroups.started(child.pid)
        pid = child.pid
        process = FileDescriptor(owning: child.process)
        output = FileDescriptor(owning: child.output)
        errors = FileDescriptor(owning: child.errors)
    }

    deinit { end() }

    private static func block(_ strings: [String]) -> ([CChar], Int) {
        (strings.flatMap { $0.utf8CString }, strings.count)
    }

    /// The file that a program's name stands for: a name with a slash is a path, any other is looked for in the
    /// folders of PATH. Relative folders in PATH are passed over.
    package static func find(
        _ name: String, directory: String? = nil, environment: [String: String] = [:]
    ) throws(Errno) -> String {
        guard !name.utf8.contains(UInt8(ascii: "/")) else {
            try System.programFile(name.hasPrefix("/") ? name : (directory.map { $0 + "/" } ?? "") + name)
            return name
        }
        var failure = Errno.notFound
        let path = environment["PATH"] ?? System.variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin"
        for folder in path.split(separator: ":") where folder.hasPrefix("/") && !name.isEmpty {
            do {
                let file = "\(folder)/\(name)"
                try System.programFile(file)
                return file
            } catch {
                if error == .accessDenied { failure = error }
            }
        }
        throw failure
    }

    /// Readable when the process ended (a pidfd); to be given to a `Selector`.
    package var descriptor: Int32 { process.rawValue }

    package func descriptor(of stream: Stream) -> Int32 { stream == .output ? output.rawValue : errors.rawValue }

    /// What is there to be read; `.end` once nobody holds the writing end any more, which need not be when the process
    /// ended: what it started may hold it.
    package func read(_ stream: Stream, into buffer: UnsafeMutableRawBufferPointer) -> IOResult {
        unsafe System.readPipe(descriptor(of: stream), into: buffer)
    }

    /// How the process ended; nil while it runs. Its number, and so its group's, stays taken until `end()`.
    package var ending: Ending? { isReaped ? .unknown : System.ending(of: process.rawValue, reap: false) }

    /// Asks the whole group to end (SIGTERM).
    package func terminate() { if !isReaped { System.signalGroup(of: pid, SIGTERM) } }

    /// Kills the whole group.
    package func kill() { if !isReaped { System.signalGroup(of: pid, SIGKILL) } }

    /// Kills what is left of the group, and takes the process's end off the kernel's table. Waits up to a second for a
    /// process that was just killed.
    package func end() {
        guard !isReaped else { return }
        kill()
        _ = System.waitUntilReadable(process.rawValue, timeoutMilliseconds: 1000)
        isReaped = true
        ProcessGroups.ended(pid) { _ = System.ending(of: process.rawValue, reap: true) }
    }
}

/// The groups of all running children: for a process that ends at once, without its loops.
package enum ProcessGroups {
    private static let live = Mutex<Set<Int32>>([])

    /// Kills them all.
    package static func killAll() {
        live.withLock { live in
            for pid in live { System.signalGroup(of: pid, SIGKILL) }
        }
    }

    static func started(_ pid: Int32) { live.withLock { _ = $0.insert(pid) } }

    /// Under the lock: nobody may signal a number that was given away meanwhile.
    static func ended(_ pid: Int32, _ reap: () -> Void) {
        live.withLock { live in
            live.remove(pid)
            reap()
        }
    }
}
