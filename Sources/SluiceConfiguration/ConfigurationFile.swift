package import Sluice

/// A configuration that was read from a file.
package struct ConfigurationFile {
    /// The file's name as it was given.
    package let name: String
    /// What the file says.
    package let configuration: Configuration
    /// What does not work now, but may later.
    package let warnings: [Diagnostic]
    private let references: [ConfigurationProblem.Path: Tree]

    /// Reads a file and checks all of it. Relative paths in it start at its folder, `${NAME}` is taken from the
    /// environment.
    package init(
        reading name: String, environment: [String: String]
    ) throws(ConfigurationErrors) {
        func failure(_ message: String) -> ConfigurationErrors {
            ConfigurationErrors([
                Diagnostic(file: name, place: nil, problem: ConfigurationProblem(.init(), message))
            ])
        }
        let bytes: [UInt8]
        do throws(NamedFile.Problem) {
            bytes = try NamedFile.read(name, limit: Document.mostBytes)
        } catch {
            throw failure(error.description)
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("the file is not UTF-8") }
        try self.init(text: text, name: name, folder: Files.folder(of: name), environment: environment)
    }

    /// Reads a text as if it stood in the file `name` of `folder`.
    package init(
        text: String, name: String, folder: String, environment: [String: String]
    ) throws(ConfigurationErrors) {
        let document = Document(text)
        let decoding = Decoding(folder: folder, environment: environment)
        var content = FileDraft()
        var problems = document.problems
        if let root = document.root ?? Item.nothing(unless: problems) {
            content = Format.file.decode(root, nil, decoding) ?? content
            Self.setAsideBrokenRoutes(&content.configuration, decoding)
            problems += decoding.problems
            for problem in content.configuration.problems() where !decoding.isBroken(problem.path) {
                problems.append((decoding.place(of: problem.path), problem))
            }
        }
        guard problems.isEmpty else {
            throw ConfigurationErrors(problems.map { Diagnostic(file: name, place: $0, problem: $1) })
        }
        self.name = name
        configuration = content.configuration
        warnings = configuration.warnings().map {
            Diagnostic(file: name, place: decoding.place(of: $0.path), problem: $0)
        }
        references = decoding.references
    }

    /// A route whose match is only half known must not be found to hide others.
    private static func setAsideBrokenRoutes(_ configuration: inout Configuration, _ decoding: Decoding) {
        for index in configuration.routes.indices {
            let path = ConfigurationProblem.Path()["routes"][index]["match"]
            guard decoding.hasBroken(in: path) else { continue }
            configuration.routes[index].match.path = ""
            decoding.markBroken(path["path"])
        }
    }

    /// The effective configuration with every default, as YAML that reads back to the same. Secrets stand as the file
    /// refers to them, or as `[secret]`.
    package var effective: String {
        var content = FileDraft()
        content.configuration = configuration
        return Format.file.encode(content, Encoding(references: references)).yaml
    }
}

extension Item {
    /// An empty file: it has no keys.
    fileprivate static func nothing(unless problems: [(Place?, ConfigurationProblem)]) -> Item? {
        problems.isEmpty ? Item(content: .map([]), place: Place(line: 1, column: 1)) : nil
    }
}
