import Foundation

/// How long things may be.
enum Sizes {
    static let linesOfFile = 400
    static let linesOfFunction = 70

    static func longFiles(in files: [SourceFile]) -> [Violation] {
        files.filter { $0.lineCount > linesOfFile }.map {
            Violation(path: $0.path, line: 0, what: "\($0.lineCount) lines, \(linesOfFile) are allowed")
        }
    }

    static func longFunctions(in files: [SourceFile]) -> [Violation] {
        files.flatMap { file in
            functions(of: file).filter { $0.lines > linesOfFunction }.map {
                Violation(path: file.path, line: $0.line, what: "\($0.lines) lines, \(linesOfFunction) are allowed")
            }
        }
    }

    /// Where functions with a body start, and how many lines they have.
    static func functions(of file: SourceFile) -> [(line: Int, lines: Int)] {
        let tokens = file.tokens
        var found: [(Int, Int)] = []
        for (index, token) in tokens.enumerated() {
            let starts =
                switch token.text {
                case "func", "deinit": true
                // Not `self.init(...)`, `.init(...)`, nor a name such as `subscript` in an expression.
                case "init", "subscript": index == 0 || tokens[index - 1].text != "."
                default: false
                }
            guard starts, let open = body(after: index, in: tokens), let close = end(of: open, in: tokens) else {
                continue
            }
            found.append((token.line, tokens[close].line - token.line + 1))
        }
        return found
    }

    /// The brace that opens a function's body; nothing for a requirement of a protocol.
    private static func body(after index: Int, in tokens: [Token]) -> Int? {
        let others: Set<String> = ["func", "var", "let", "init", "deinit", "struct", "class", "enum", "case", "}"]
        var depth = 0
        for next in tokens.indices.dropFirst(index + 1) {
            switch tokens[next].text {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: return next
            case let text where depth == 0 && others.contains(text): return nil
            default: break
            }
        }
        return nil
    }

    private static func end(of open: Int, in tokens: [Token]) -> Int? {
        var depth = 0
        for next in tokens.indices.dropFirst(open) {
            if tokens[next].text == "{" { depth += 1 }
            if tokens[next].text == "}" { depth -= 1 }
            if depth == 0 { return next }
        }
        return nil
    }
}

/// What may stop the whole gateway, and what is not finished.
enum Traps {
    /// Files that may call `fatalError`, each with the reason why no peer's bytes get there.
    static let mayStop = [
        "Sources/SluiceIO/System.swift": "EBADF and EFAULT: a descriptor or a buffer is not ours, all bets are off",
        "Sources/SluiceIO/EventLoop.swift": "epoll refuses its own descriptor or buffer: a bug of ours",
        "Sources/SluiceIO/LoopThread.swift": "no thread is left: only the program itself starts any, never for a peer",
    ]

    /// `try!`, `as!`, forced unwraps and calls that stop the process.
    static func traps(in files: [SourceFile], mayStop: [String: String] = Traps.mayStop) -> [Violation] {
        files.flatMap { file in
            file.tokens.enumerated().compactMap { index, token -> Violation? in
                if token.text == "fatalError", mayStop[file.path] != nil { return nil }
                return what(at: index, in: file.tokens).map { Violation(path: file.path, line: token.line, what: $0) }
            }
        }
    }

    private static func what(at index: Int, in tokens: [Token]) -> String? {
        switch tokens[index].text {
        case "fatalError", "preconditionFailure": return "\(tokens[index].text) stops the gateway"
        case "!":
            guard index > 0, !tokens[index].afterSpace else { return nil }
            let before = tokens[index - 1]
            if before.text == "try" || before.text == "as" { return "\(before.text)! stops the gateway" }
            let isComparison =
                index + 1 < tokens.count && tokens[index + 1].text == "=" && !tokens[index + 1].afterSpace
            let mayEnd = before.isWord || [")", "]", "}", ">", "?", "\""].contains(before.text)
            return mayEnd && !isComparison ? "a forced unwrap stops the gateway" : nil
        default: return nil
        }
    }

    /// Marks of work that is left, comments included.
    static func unfinished(in files: [SourceFile]) -> [Violation] {
        let marks = ["TO" + "DO", "FIX" + "ME"]
        return files.flatMap { file in
            file.lines.enumerated().filter { line in marks.contains { line.element.contains($0) } }.map {
                Violation(path: file.path, line: $0.offset + 1, what: "is not finished: \($0.element)")
            }
        }
    }

    /// A test that sleeps is slow, and fails on a busy machine.
    static func sleeps(in files: [SourceFile]) -> [Violation] {
        files.flatMap { file in
            if file.path.hasSuffix(".py") {
                return file.lines.enumerated().filter { $0.element.contains(/(^|[^A-Za-z_])sleep\s*\(/) }.map {
                    Violation(path: file.path, line: $0.offset + 1, what: "sleeps")
                }
            }
            return file.tokens.enumerated().compactMap { index, token in
                let isCall = index + 1 < file.tokens.count && file.tokens[index + 1].text == "("
                guard isCall, ["sleep", "usleep", "nanosleep"].contains(token.text) else { return nil }
                return Violation(path: file.path, line: token.line, what: "sleeps")
            }
        }
    }
}

/// What things are called.
enum Names {
    static let typeKeywords: Set<String> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
    static let empty = ["Manager", "Helper", "Helpers", "Util", "Utils", "Info"]

    /// Types whose names say nothing.
    static func emptyNames(in files: [SourceFile]) -> [Violation] {
        files.flatMap { file in
            file.tokens.enumerated().compactMap { index, token -> Violation? in
                guard index > 0, typeKeywords.contains(file.tokens[index - 1].text),
                    let ending = empty.first(where: token.text.hasSuffix)
                else { return nil }
                return Violation(path: file.path, line: token.line, what: "\(token.text): \(ending) says nothing")
            }
        }
    }
}

/// What git tracks.
enum Tracked {
    /// Keys and certificates, by name or by content.
    static func keys(in files: [SourceFile]) -> [Violation] {
        let endings = [".pem", ".key", ".crt", ".p12", ".pfx"]
        let header = "-----BEGIN "
        return files.compactMap { file in
            if endings.contains(where: file.path.hasSuffix) {
                return Violation(path: file.path, line: 0, what: "keys and certificates are not tracked")
            }
            if file.path.hasPrefix("certs/"), file.path != "certs/README.md" {
                return Violation(path: file.path, line: 0, what: "only the README of certs/ is tracked")
            }
            guard let line = file.lines.firstIndex(where: { $0.hasPrefix(header) && $0.contains("PRIVATE KEY") }) else {
                return nil
            }
            return Violation(path: file.path, line: line + 1, what: "holds a private key")
        }
    }

    /// Configurations in `conf/` that no test names.
    static func untestedConfigurations(in files: [SourceFile]) -> [Violation] {
        let tests = files.filter { $0.path.hasPrefix("Tests/") && !$0.path.hasPrefix("Tests/TidyTests/") }
        return files.filter { $0.path.hasPrefix("conf/") && $0.path.hasSuffix(".yaml") }.filter { configuration in
            guard let name = configuration.path.split(separator: "/").last else { return false }
            return !tests.contains { $0.text.contains(name) }
        }.map { Violation(path: $0.path, line: 0, what: "no test names it") }
    }
}
