import Sluice

/// A source's command.
extension SourceDraft {
    static var commandKeys: [Key<SourceDraft>] {
        let keys: [Key<SourceDraft>] = [
            command,
            Key(
                "format", \.command.format, .choice(["lines": .lines, "sse": .sse]),
                "What it writes to its standard output. `lines`: each line becomes an event. `sse`: an event stream; "
                    + "a command that is started again finds the last id in `LAST_EVENT_ID`."),
            Key("event", optional: \.command.event, .text, "The type of the events that lines become."),
            Key(
                "directory", optional: \.command.directory, .folder,
                "Where it runs, and so where its relative arguments start; the configuration file's folder when it is "
                    + "not given."),
            Key(
                "environment", \.command.environment, .dictionary(of: .secret, "variables", broken: Secret("")),
                "Variables beside, or in place of, those of the gateway, which it inherits. Their values are secrets: "
                    + "never logged, never printed."),
        ]
        return keys.map { $0.written(when: \.isCommand) }
    }

    private static var command: Key<SourceDraft> {
        let format = Format<[String]>.list(
            of: .text, "a program and its arguments, such as [tail, -F, app.log] (no shell is used)", broken: "")
        return Key(
            "command", format, required: false,
            "A program and its arguments, whose output becomes events. No shell is used. A name without a slash is "
                + "looked for in `PATH`, a relative path starts at the configuration file's folder. It is started "
                + "again whenever it ends. Other users of the machine can see it, and it is printed: secrets belong "
                + "into `environment`.",
            decode: { item, draft, decoding in
                draft.isCommand = true
                draft.command.command = format.decode(item, nil, decoding) ?? []
            },
            encode: { draft, encoding in format.encode(draft.command.command, encoding) })
    }

    mutating func setCommand(_ options: CommandOptions) {
        isCommand = true
        command = options
        feed.retry = options.retry
    }

    /// With all paths as they have to be outside of the file.
    func commandOptions(_ decoding: Decoding) -> CommandOptions {
        var options = command
        options.retry = feed.retry
        if options.directory == nil { options.directory = decoding.folder }
        if let program = options.command.first, program.contains("/") {
            options.command[0] = decoding.resolve(program)
        }
        return options
    }
}
