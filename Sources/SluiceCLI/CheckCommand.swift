import ArgumentParser
import SluiceConfiguration

/// Which configuration file a command is about.
struct FileArguments: ParsableArguments {
    @Argument(help: "The configuration file (conf/sluice.yaml if there is one, else sluice.yaml).")
    var file: String?

    @Option(help: "The configuration file, as an option.")
    var config: String?

    func validate() throws {
        if file != nil, config != nil {
            throw ValidationError("The configuration file is given twice: as an argument and as --config.")
        }
    }

    func load() throws -> ConfigurationFile { try Self.load(file ?? config) }

    /// Reads the file of this name, else where configurations usually are.
    static func load(_ given: String?) throws -> ConfigurationFile {
        let standard = ["conf/sluice.yaml", "sluice.yaml"]
        guard let name = given ?? standard.first(where: Shell.fileExists) else {
            throw Failure(
                "sluice: there is no \(standard.joined(separator: " and no ")) here; name a file with --config",
                status: Failure.usage)
        }
        do throws(ConfigurationErrors) {
            return try ConfigurationFile(reading: name, environment: Shell.environment)
        } catch {
            throw Failure(error.description, status: Failure.usage)
        }
    }
}

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Say what is wrong with a configuration.")

    @OptionGroup var arguments: FileArguments

    @Flag(help: "Print the effective configuration with every default.")
    var print = false

    func run() throws {
        let loaded = try arguments.load()
        for warning in loaded.warnings { Shell.complain("warning: \(warning)") }
        Shell.say(print ? loaded.effective : "\(loaded.name): nothing is wrong")
    }
}

/// Writes docs/configuration.md.
struct ReferenceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reference", abstract: "Print the reference of all configuration keys.", shouldDisplay: false)

    func run() { Shell.say(Reference.markdown) }
}
