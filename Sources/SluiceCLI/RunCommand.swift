import ArgumentParser
import Sluice
import SluiceConfiguration

struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "run", abstract: "Run the gateway.")

    @OptionGroup var arguments: FileArguments

    func run() throws { try Serving.run(arguments.load().configuration) }
}

struct RelayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay", abstract: "Rebroadcast one feed at /, without a configuration file.",
        discussion: "Any page may read it (CORS origins: *).")

    @Argument(help: "The feed's URL, http or https.")
    var url: String

    @Option(help: ":port, host:port, [v6]:port or unix:/path; may be given several times.")
    var listen: [String]

    /// What a file would say with a feed, a topic and a route.
    var relay: Configuration {
        var configuration = Configuration()
        configuration.listeners = listen.map { ListenerOptions($0) }
        configuration.sources = ["feed": .feed(url: url)]
        var topic = TopicOptions()
        topic.sources = ["feed"]
        configuration.topics = ["feed": topic]
        configuration.routes = [Route(RouteMatch(path: "/"), .subscribe("feed"), cors: CORSPolicy(origins: ["*"]))]
        return configuration
    }

    func validate() throws {
        let problems = relay.problems()
        guard problems.isEmpty else { throw ValidationError(problems.map(\.message).joined(separator: "\n")) }
    }

    func run() throws { try Serving.run(relay) }
}
