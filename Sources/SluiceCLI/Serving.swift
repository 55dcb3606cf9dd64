import Logging
import Sluice

/// A gateway from its start to its end.
enum Serving {
    /// Serves until SIGTERM or SIGINT asks to stop; a second one stops at once. SIGUSR1 opens log files again. Ends the
    /// process.
    static func run(_ configuration: Configuration) throws -> Never {
        // First of all: threads that were there before would not have the signals blocked.
        let signals = try StopSignals()
        let log = Logs(configuration.log)
        let logger = Logger(label: "sluice") { _ in log }
        let gateway = try Gateway(configuration: configuration, logger: logger)
        let serving = Task {
            do {
                try await gateway.run()
                logger.info("stopped")
                Shell.exit(0)
            } catch is CancellationError {
                Shell.exit(0)
            } catch {
                logger.critical("\(error)")
                Shell.exit(Failure.atRunTime)
            }
        }
        let name = nextStop(signals, gateway)
        logger.info("stopping: streams are ended; the same signal again stops at once", metadata: ["signal": "\(name)"])
        serving.cancel()
        let second = nextStop(signals, gateway)
        logger.warning("stopped at once", metadata: ["signal": "\(second)"])
        Gateway.killCommands()
        Shell.exit(Failure.atRunTime)
    }

    private static func nextStop(_ signals: borrowing StopSignals, _ gateway: Gateway) -> String {
        while true {
            let name = signals.next()
            guard name == "SIGUSR1" else { return name }
            gateway.reopenLogs()
        }
    }
}
