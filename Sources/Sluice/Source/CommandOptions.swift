/// A source that runs a program and publishes what it writes to its standard output.
///
/// The program runs without a shell, in a process group of its own, and is started again whenever it ends, whatever its
/// exit status. It inherits the environment; nothing is there for it to read. What it writes to its standard error is
/// logged.
public struct CommandOptions: Sendable, Equatable {
    /// The program and its arguments. A name without a slash is looked for in `PATH`; a relative path starts at
    /// `directory`.
    public var command: [String]
    /// What the program writes.
    public var format: CommandFormat = .lines
    /// The type of the events that lines become; `nil` sends none. An event stream names its events itself.
    public var event: String?
    /// The program's working directory. `nil`: this process's.
    public var directory: String?
    /// Variables beside, or in place of, those of this process. Values may be secrets and are never logged.
    public var environment: [String: Secret] = [:]
    /// When it is started again. `refused` has no meaning here.
    public var retry = FeedRetry()

    /// A program and its arguments, with the default options.
    public init(_ command: [String]) { self.command = command }
}

/// What a program writes to its standard output.
public struct CommandFormat: Sendable, Hashable {
    package enum Kind { case lines, sse }
    package let kind: Kind

    /// Each line is the data of an event. It ends with LF or CRLF; one over `Limits.feedLine` is dropped and counted,
    /// bytes that are not UTF-8 become U+FFFD. A last line without an end counts unless a signal ended the program.
    public static let lines = CommandFormat(kind: .lines)
    /// An event stream (WHATWG HTML, section 9.2.6). `retry:` sets the delay of the next start; a program that is
    /// started again finds the last id in its variable `LAST_EVENT_ID`.
    public static let sse = CommandFormat(kind: .sse)
}
