internal import SluiceIO

/// Commands.
extension ConfigurationCheck {
    mutating func check(_ command: CommandOptions, _ path: Path) {
        let place = path["command"]
        if command.command.isEmpty {
            report(place, "expected a program and its arguments, such as [tail, -F, app.log]")
        } else if command.command[0].isEmpty {
            report(place[0], "expected the name of a program")
        }
        for (index, argument) in command.command.enumerated() where argument.utf8.contains(0) {
            report(place[index], "cannot contain NUL")
        }
        if let event = command.event {
            eventField(event, path["event"])
            if command.format == .sse { report(path["event"], "an event stream (format: sse) names its events itself") }
        }
        if let directory = command.directory, directory.isEmpty || directory.utf8.contains(0) {
            report(path["directory"], "expected the name of a folder")
        }
        for (name, value) in command.environment.sorted(by: { $0.key < $1.key }) {
            let place = path["environment"][name]
            if name.isEmpty || name.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "=") }) {
                report(place, "\"\(name)\" is not the name of a variable")
            }
            if value.value.utf8.contains(0) { report(place, "a variable cannot contain NUL") }
        }
        check(command.retry, path["retry"])
    }
}

extension Configuration {
    /// What does not work now, but may later without a change of the configuration: a program that is not installed
    /// yet. It keeps no gateway from starting.
    public func warnings() -> [ConfigurationProblem] {
        var warnings: [ConfigurationProblem] = []
        for (name, source) in sources.sorted(by: { $0.key < $1.key }) {
            guard case .command(let command) = source.kind, let program = command.command.first else { continue }
            let path = ConfigurationProblem.Path()["sources"][name]
            do throws(Errno) {
                _ = try ChildProcess.find(
                    program, directory: command.directory, environment: command.environment.mapValues(\.value))
            } catch {
                let place = program.contains("/") ? "" : " in the folders of PATH"
                warnings.append(
                    ConfigurationProblem(
                        path["command"][0], "the program \(program) cannot be run\(place): \(error)"))
            }
        }
        return warnings
    }
}
