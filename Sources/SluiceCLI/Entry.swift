import ArgumentParser
import Sluice

/// The program `sluice`. It exits 0, 1 (failed at run time) or 2 (bad usage or configuration).
///
/// `main` is not async on purpose: signals have to be blocked before there is any other thread.
@main
enum Entry {
    static func main() {
        do {
            var command = try SluiceCommand.parseAsRoot()
            try command.run()
        } catch let failure as Failure {
            Shell.complain(failure.message)
            Shell.exit(failure.status)
        } catch let error as SluiceError {
            let failure = Failure(error)
            Shell.complain(failure.message)
            Shell.exit(failure.status)
        } catch {
            let message = SluiceCommand.fullMessage(for: error)
            if SluiceCommand.exitCode(for: error).isSuccess {
                Shell.say(message)
            } else {
                Shell.complain(message)
                Shell.exit(Failure.usage)
            }
        }
    }
}

/// Why the program ends, said to a person.
struct Failure: Error {
    static let atRunTime: Int32 = 1
    static let usage: Int32 = 2

    let message: String
    let status: Int32

    init(_ message: String, status: Int32) {
        self.message = message
        self.status = status
    }

    /// Configurations are the operator's fault, the rest is the machine's.
    init(_ error: SluiceError) {
        let isConfiguration = [.configuration, .certificate].contains(error.kind)
        self.init("sluice: \(error)", status: isConfiguration ? Self.usage : Self.atRunTime)
    }
}

struct SluiceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sluice", abstract: "A gateway for Server-Sent Events.", version: VersionCommand.text,
        subcommands: [
            RunCommand.self, CheckCommand.self, ExplainCommand.self, RelayCommand.self, CertificateCommand.self,
            VersionCommand.self, ReferenceCommand.self,
        ])
}

struct VersionCommand: ParsableCommand {
    static let text = "sluice 0.1.0"
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Say which version this is.")

    func run() { Shell.say(Self.text) }
}
