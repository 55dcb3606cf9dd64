/// Which target may import what. These are the only arrows: a new target or import is entered here on purpose.
enum Arrows {
    static let allowed: [String: Set<String>] = [
        "SluiceIO": ["CLinux", "Glibc", "Synchronization"],
        "SluiceTLS": ["COpenSSL", "Synchronization"],
        "SluiceHTTP": ["CNghttp2", "CZlib"],
        "SluiceSSE": [],
        "Sluice": [
            "SluiceIO", "SluiceTLS", "SluiceHTTP", "SluiceSSE", "Logging", "HTTPTypes", "Synchronization",
        ],
        "SluiceConfiguration": ["Sluice", "Yams"],
        "SluiceCLI": ["SluiceConfiguration", "Sluice", "ArgumentParser", "Logging"],
    ]

    /// Files that may import more than their target, each with its reason.
    static let exceptions: [String: (modules: Set<String>, reason: String)] = [
        "Sources/SluiceTLS/System.swift": (
            ["Glibc"], "certificate files and addresses as text; a leaf has no SluiceIO"
        ),
        "Sources/SluiceConfiguration/Files.swift": (["FoundationEssentials"], "files; Yams brings Foundation anyway"),
        "Sources/SluiceCLI/Shell.swift": (["Foundation"], "environment, files and programs that it starts"),
    ]

    /// The folders of `Sources/Sluice`: each uses only those before it.
    static let folders = [
        "Core", "Metrics", "Routing", "Connection", "Hub", "Source", "Files", "Proxy", "Security", "Admin", "Gateway",
    ]

    /// Imports that no arrow stands for.
    static func wrongImports(
        in files: [SourceFile], exceptions: [String: (modules: Set<String>, reason: String)] = Arrows.exceptions
    ) -> [Violation] {
        files.filter { $0.path.hasSuffix(".swift") }.flatMap { file -> [Violation] in
            guard let target = file.placeInSources.first else { return [] }
            guard let modules = allowed[String(target)] else {
                return [Violation(path: file.path, line: 0, what: "the target \(target) has no arrows in TidyTests")]
            }
            let more = exceptions[file.path]?.modules ?? []
            return imports(of: file).filter { !modules.contains($0.module) && !more.contains($0.module) }.map {
                Violation(path: file.path, line: $0.line, what: "\(target) may not import \($0.module)")
            }
        }
    }

    static func imports(of file: SourceFile) -> [(module: String, line: Int)] {
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
        var found: [(String, Int)] = []
        for (index, token) in file.tokens.enumerated() where token.text == "import" {
            var next = index + 1
            if next < file.tokens.count, kinds.contains(file.tokens[next].text) { next += 1 }
            if next < file.tokens.count, file.tokens[next].isWord { found.append((file.tokens[next].text, token.line)) }
        }
        return found
    }

    /// Files in `Sources/Sluice` that stand in no known folder, or name a type that a later folder declares.
    static func wrongFolders(in files: [SourceFile]) -> [Violation] {
        let core = files.filter { $0.placeInSources.first == "Sluice" && $0.path.hasSuffix(".swift") }
        var violations: [Violation] = []
        var homes: [String: Int] = [:]
        var placed: [(file: SourceFile, folder: Int)] = []
        for file in core {
            guard file.placeInSources.count >= 3, let folder = folders.firstIndex(of: String(file.placeInSources[1]))
            else {
                violations.append(
                    Violation(path: file.path, line: 0, what: "stands in none of \(folders.joined(separator: ", "))"))
                continue
            }
            placed.append((file, folder))
            for name in topLevelTypes(of: file) { homes[name] = min(homes[name] ?? folder, folder) }
        }
        for (file, folder) in placed {
            var seen: Set<String> = []
            for (index, token) in file.tokens.enumerated() {
                guard let home = homes[token.text], home > folder, !isMember(index, of: file),
                    seen.insert(token.text).inserted
                else { continue }
                violations.append(
                    Violation(
                        path: file.path, line: token.line,
                        what: "\(folders[folder]) may not use \(token.text) of \(folders[home])"))
            }
        }
        return violations
    }

    /// Names of the types that a file declares for others, outside of any braces.
    static func topLevelTypes(of file: SourceFile) -> [String] {
        var names: [String] = []
        var depth = 0
        for (index, token) in file.tokens.enumerated() {
            if token.text == "{" { depth += 1 }
            if token.text == "}" { depth -= 1 }
            guard depth == 0, Names.typeKeywords.contains(token.text), index + 1 < file.tokens.count,
                file.tokens[index + 1].isWord
            else { continue }
            let before = file.tokens[..<index].suffix(3).filter { $0.line == token.line }.map(\.text)
            if !before.contains("private"), !before.contains("fileprivate") {
                names.append(file.tokens[index + 1].text)
            }
        }
        return names
    }

    private static func isMember(_ index: Int, of file: SourceFile) -> Bool {
        index > 0 && file.tokens[index - 1].text == "."
    }
}
