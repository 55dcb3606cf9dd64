/// Signals as something to read (signalfd): no code ever runs in a signal handler.
///
/// Signals are blocked in the thread that makes this and in the threads it starts afterwards. So it is made first of
/// all: a thread that was there before would still take such a signal, and its default action.
package struct Signals: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// - Throws: EINVAL for a number that is no signal.
    package init(_ signals: [Int32]) throws(Errno) {
        descriptor = try System.openSignals(signals)
    }

    /// Readable while a signal waits; to be given to a `Selector`.
    package var rawValue: Int32 { descriptor.rawValue }

    /// Waits for a signal, and answers its number.
    package borrowing func next() -> Int32 {
        while true {
            if let signal = take() { return signal }
            _ = System.waitUntilReadable(rawValue, timeoutMilliseconds: -1)
        }
    }

    /// The next signal that waits, nil when none does.
    package borrowing func take() -> Int32? {
        System.readSignal(rawValue)
    }

    /// Lets writes to a pipe that nobody reads (a log, piped to a program that ended) fail instead of ending the process.
    package static func ignoreBrokenPipe() { System.ignoreBrokenPipe() }
}
