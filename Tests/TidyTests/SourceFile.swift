import Foundation

/// One file of the tree, and what the rules look at.
struct SourceFile {
    /// The path from the top of the repository, such as `Sources/Sluice/Hub/Topic.swift`.
    let path: String
    let text: String
    /// The words and marks of the code: comments and the text of strings are gone.
    let tokens: [Token]

    init(_ path: String, _ text: String) {
        self.path = path
        self.text = text
        self.tokens = path.hasSuffix(".swift") ? Lexer.tokens(of: text) : []
    }

    var lineCount: Int { text.split(separator: "\n", omittingEmptySubsequences: false).count - 1 }
    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }

    /// The folders and the file name below `Sources/`, or nothing for a file elsewhere.
    var placeInSources: [Substring] {
        let parts = path.split(separator: "/")
        return parts.first == "Sources" ? Array(parts.dropFirst()) : []
    }
}

/// A word (a name, a keyword, a number) or a single other character of Swift code.
struct Token: Equatable {
    let text: String
    let line: Int
    /// Whether a blank, a line's start or a comment stands before it.
    let afterSpace: Bool

    var isWord: Bool { text.utf8.first.map(Lexer.isWordByte) ?? false }
}

/// Something that a rule does not allow.
struct Violation: Equatable, CustomStringConvertible {
    let path: String
    let line: Int
    let what: String

    var description: String { line > 0 ? "\(path):\(line): \(what)" : "\(path): \(what)" }
}
