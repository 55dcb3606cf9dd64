internal import SluiceIO

/// SIGTERM, SIGINT and SIGUSR1 as something to wait for. For programs that are a gateway; the library takes no signals by itself.
package struct StopSignals: ~Copyable {
    private let signals: Signals
    private static let names: [Int32: String] = [2: "SIGINT", 10: "SIGUSR1", 15: "SIGTERM"]

    /// Blocks the signals in this thread and in those that it starts, so it comes before all others. A log piped to a
    /// program that ended does not end this one either.
    package init() throws(SluiceError) {
        do throws(Errno) {
            signals = try Signals(Array(Self.names.keys))
        } catch {
            throw SluiceError(.system, "signals cannot be waited for: \(error)")
        }
        Signals.ignoreBrokenPipe()
    }

    /// Waits for a signal and says its name. Blocks the thread.
    package borrowing func next() -> String {
        let number = signals.next()
        return Self.names[number] ?? "\(number)"
    }
}
