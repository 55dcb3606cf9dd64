import ArgumentParser
import Sluice
import SluiceConfiguration

/// Says which route takes a request. It exits 0 when one does, 1 when none does.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say which route takes a request, and why those before it do not.")

    @Option(help: "The configuration file (conf/sluice.yaml if there is one, else sluice.yaml).")
    var config: String?

    @Argument(help: "The request's method.")
    var method: String

    @Argument(help: "Its URL, or a path alone.")
    var url: String

    @Option(help: "A field of it, \"Name: value\"; may be given several times.")
    var header: [String] = []

    @Option(help: "The address of who asks.")
    var client: String?

    func validate() throws { _ = try request() }

    func run() throws {
        let explanation = try FileArguments.load(config).configuration.explanation(of: try request())
        Shell.say(explanation.description)
        if !explanation.isServed { Shell.exit(Failure.atRunTime) }
    }

    private func request() throws -> DescribedRequest {
        do throws(PatternError) {
            return try DescribedRequest(method: method, url: url, headers: header, client: client)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
