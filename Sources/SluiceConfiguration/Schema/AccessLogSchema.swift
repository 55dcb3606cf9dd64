import Sluice

extension Format where Value == AccessLogOptions {
    static var accessLog: Format {
        .object(
            "log.access", start: AccessLogOptions(),
            keys: [
                Key(
                    "path", \.destination, .accessLogDestination,
                    "`stdout`, `off`, or a file that is appended to (`./off` is a file). It is opened again on SIGUSR1, and by "
                        + "itself when it was renamed."),
                Key(
                    "format", \.format, .choice(["json": .json, "combined": .combined]),
                    "One JSON object a line, or the combined format of web servers with `name=value` pairs behind the user "
                        + "agent."),
                Key(
                    "mask", \.mask, .list(of: .text, "names", broken: "-"),
                    "Parameters of the query whose values are written as `***`, beside those whose names say that they are "
                        + "credentials: `token`, `access_token`, `key`, `secret`, `password`, `signature`, `code` and their like."
                ),
            ], short: "path")
    }
}

extension Format where Value == AccessLogDestination {
    fileprivate static var accessLogDestination: Format {
        scalar(
            "stdout, off or the name of a file",
            read: { text, decoding in
                switch text {
                case "stdout": .standardOutput
                case "off": .off
                default: .file(decoding.resolve(text))
                }
            },
            write: { destination in
                switch destination.kind {
                case .off: "off"
                case .standardOutput: "stdout"
                case .file(let path): path
                }
            })
    }
}
