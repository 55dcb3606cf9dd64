import Testing

/// Each rule finds what it is there for, and leaves alone what only looks like it.
struct RuleTests {
    private func swift(_ text: String, at path: String = "Sources/Sluice/Core/A.swift") -> [SourceFile] {
        [SourceFile(path, text)]
    }

    // MARK: Lexer

    @Test func `comments and strings are no code, interpolations are`() {
        let text = #"""
            a // b
            /* c /* d */ e */ f "g \" h \(i + "j \(k)") l" m
            """#
        #expect(Lexer.tokens(of: text).filter(\.isWord).map(\.text) == ["a", "f", "i", "k", "m"])
    }

    @Test func `raw strings and strings of many lines end where they end`() {
        let text = ##"""
            a #"b " \(c) \#(d) e"# f ##"g "# h"## i
            """##
        #expect(Lexer.tokens(of: text).filter(\.isWord).map(\.text) == ["a", "d", "f", "i"])
        let lines = "a \"\"\"\n b \" c\n \(#"\(d)"#)\n \"\"\" e"
        #expect(Lexer.tokens(of: lines).filter(\.isWord).map(\.text) == ["a", "d", "e"])
        #expect(Lexer.tokens(of: lines).last?.line == 4)
    }

    @Test func `a sentence as a name is one name`() {
        #expect(Lexer.tokens(of: "func `try! it, Gateway`() {}").map(\.text) == ["func", "_raw", "(", ")", "{", "}"])
        #expect(Lexer.tokens(of: "`default`").map(\.text) == ["default"])
    }

    @Test func `code that never ends is read to its end`() {
        for text in ["\"a", "/* a", "`a", "\"\\(a", "#\"a", "\"\"\"a", "\"\\"] {
            _ = Lexer.tokens(of: text)
        }
    }

    // MARK: Arrows

    @Test(arguments: [
        ("Sources/SluiceSSE/A.swift", "import Foundation"),
        ("Sources/SluiceHTTP/A.swift", "package import SluiceSSE"),
        ("Sources/SluiceIO/A.swift", "import COpenSSL"),
        ("Sources/SluiceHTTP/A.swift", "import COpenSSL"),
        ("Sources/SluiceTLS/A.swift", "import CZlib"),
        ("Sources/Sluice/Connection/A.swift", "import CNghttp2"),
        ("Sources/Sluice/Core/A.swift", "import Glibc"),
        ("Sources/Sluice/Core/A.swift", "import struct Foundation.Data"),
        ("Sources/Sluice/Core/A.swift", "@preconcurrency public import Yams"),
        ("Sources/SluiceTLS/A.swift", "@_exported import SluiceIO"),
        ("Sources/SluiceTLS/HTTP1/A.swift", "import CLinux"),
        ("Sources/SluiceNew/A.swift", "let a = 1"),
    ])
    func `an import without an arrow is found`(path: String, text: String) {
        #expect(Arrows.wrongImports(in: swift(text, at: path)).count == 1)
    }

    @Test(arguments: [
        ("Sources/SluiceIO/A.swift", "internal import Glibc\npackage import CLinux"),
        ("Sources/SluiceTLS/A.swift", "import COpenSSL"),
        ("Sources/SluiceHTTP/ContentCoding/A.swift", "internal import CZlib"),
        ("Sources/SluiceHTTP/HTTP2/A.swift", "internal import CNghttp2"),
        ("Sources/Sluice/Hub/A.swift", "public import Logging // import Foundation"),
        ("Tests/SluiceTests/A.swift", "import Foundation"),
    ])
    func `an import with an arrow is fine`(path: String, text: String) {
        #expect(Arrows.wrongImports(in: swift(text, at: path)).isEmpty)
    }

    @Test func `an exception is for one file and its modules`() {
        let exceptions = ["Sources/Sluice/Core/A.swift": (modules: Set(["Foundation"]), reason: "a reason")]
        func violations(_ text: String, _ path: String) -> Int {
            Arrows.wrongImports(in: swift(text, at: path), exceptions: exceptions).count
        }
        #expect(violations("import Foundation", "Sources/Sluice/Core/A.swift") == 0)
        #expect(violations("import Yams", "Sources/Sluice/Core/A.swift") == 1)
        #expect(violations("import Foundation", "Sources/Sluice/Core/B.swift") == 1)
    }

    @Test func `a folder that uses a later one is found`() {
        let hub = SourceFile("Sources/Sluice/Hub/Topic.swift", "package final class Topic { enum State {} }")
        let uses = SourceFile("Sources/Sluice/Routing/B.swift", "func b() -> [Topic] { [] }")
        #expect(
            Arrows.wrongFolders(in: [hub, uses]) == [
                Violation(
                    path: "Sources/Sluice/Routing/B.swift", line: 1, what: "Routing may not use Topic of Hub")
            ])
        let later = SourceFile("Sources/Sluice/Gateway/B.swift", "let topic: Topic")
        let words = SourceFile("Sources/Sluice/Core/B.swift", "let a = \"Topic\" // Topic\nlet b = Kind.Topic, State")
        #expect(Arrows.wrongFolders(in: [hub, later, words]).isEmpty)
    }

    @Test func `what a file keeps for itself is nobody else's`() {
        let hub = SourceFile("Sources/Sluice/Hub/Topic.swift", "private struct Entry {}")
        let uses = SourceFile("Sources/Sluice/Core/B.swift", "struct Entry {}")
        #expect(Arrows.wrongFolders(in: [hub, uses]).isEmpty)
    }

    @Test(arguments: ["Sources/Sluice/A.swift", "Sources/Sluice/Misc/A.swift"])
    func `a file in no known folder is found`(path: String) {
        #expect(Arrows.wrongFolders(in: swift("", at: path)).count == 1)
    }

    // MARK: Sizes

    @Test func `a long file is found`() {
        #expect(Sizes.longFiles(in: swift(String(repeating: "a\n", count: 400))).isEmpty)
        #expect(Sizes.longFiles(in: swift(String(repeating: "a\n", count: 401))).count == 1)
    }

    @Test(arguments: [
        "func f(a: () -> Void = {}) -> [Int: Int]", "init?(b: Int)", "deinit", "subscript(i: Int) -> Int",
    ])
    func `a long function is found`(head: String) {
        func function(_ lines: Int) -> String {
            "struct S {\n\(head) {\n\(String(repeating: "if a { b() }\n", count: lines - 2))}\n}\n"
        }
        #expect(Sizes.functions(of: swift(function(70))[0]).map(\.lines) == [70])
        #expect(Sizes.longFunctions(in: swift(function(70))).isEmpty)
        #expect(Sizes.longFunctions(in: swift(function(71))).count == 1)
    }

    @Test func `a requirement has no body and a call of init is no function`() {
        let text = "protocol P { func f() -> Int\n var a: Int { get } }\nlet b = P.init({ 1 })"
        #expect(Sizes.functions(of: swift(text)[0]).isEmpty)
    }

    // MARK: Traps

    @Test(arguments: [
        "let a = try! b()", "let a = b as! C", "a!", "a()!", "a[0]!.b", "a?.b!", "\"\\(a!)\"", "let a: String!",
        "fatalError(\"no\")", "preconditionFailure()",
    ])
    func `what stops the gateway is found`(text: String) { #expect(Traps.traps(in: swift(text)).count == 1) }

    @Test(arguments: [
        "!a", "a != b", "a!=b", "if !a.isEmpty, !(b) {}", "// try! it", "\"as! \"", "try? a()", "[!a, !b]",
        "#if !os(Linux)",
    ])
    func `what only looks like a trap is fine`(text: String) { #expect(Traps.traps(in: swift(text)).isEmpty) }

    @Test func `a file with a reason may call fatalError and no more`() {
        let reason = ["Sources/Sluice/Core/A.swift": "a reason"]
        #expect(Traps.traps(in: swift("fatalError()"), mayStop: reason).isEmpty)
        #expect(Traps.traps(in: swift("a!"), mayStop: reason).count == 1)
        #expect(Traps.traps(in: swift("fatalError()", at: "Sources/Sluice/Core/B.swift"), mayStop: reason).count == 1)
    }

    @Test func `unfinished work is found`() {
        #expect(Traps.unfinished(in: swift("a\n// TO" + "DO: b\n")).map(\.line) == [2])
        #expect(Traps.unfinished(in: swift("/* FIX" + "ME */")).count == 1)
    }

    @Test(arguments: [
        "try await Task.sleep(for: .seconds(1))", "sleep(1)", "usleep (1)", "Thread.sleep(forTimeInterval: 1)",
    ])
    func `a sleeping test is found`(text: String) { #expect(Traps.sleeps(in: swift(text)).count == 1) }

    @Test func `a sleeping Python test is found`() {
        #expect(Traps.sleeps(in: [SourceFile("Tests/a.py", "import time\ntime.sleep(1)\n")]).map(\.line) == [2])
        #expect(Traps.sleeps(in: [SourceFile("Tests/a.py", "def test_sleeper(): pass\n")]).isEmpty)
        #expect(Traps.sleeps(in: swift("// sleep(1)\nlet sleep = 1")).isEmpty)
    }

    // MARK: Names

    @Test(arguments: [
        "struct TopicManager {}", "enum A { class StringUtils {} }", "actor EventInfo {}", "protocol AHelper {}",
    ])
    func `an empty name is found`(text: String) { #expect(Names.emptyNames(in: swift(text)).count == 1) }

    @Test func `a full name is fine`() {
        #expect(Names.emptyNames(in: swift("struct Informer {}\nlet userInfo = 1")).isEmpty)
    }

    // MARK: Tracked

    @Test(arguments: ["certs/a.pem", "Tests/b.key", "certs/notes.txt", "c.p12"])
    func `a tracked key is found`(path: String) { #expect(Tracked.keys(in: [SourceFile(path, "")]).count == 1) }

    @Test func `a key inside another file is found`() {
        #expect(Tracked.keys(in: [SourceFile("a.txt", "x\n-----BEGIN " + "EC PRIVATE KEY-----\n")]).map(\.line) == [2])
        #expect(Tracked.keys(in: [SourceFile("certs/README.md", "")]).isEmpty)
    }

    @Test func `a configuration without a test is found`() {
        let configuration = SourceFile("conf/a.yaml", "")
        let talk = SourceFile("Tests/TidyTests/A.swift", "a.yaml")
        let test = SourceFile("Tests/IntegrationTests/test_a.py", "CONF / \"a.yaml\"")
        #expect(Tracked.untestedConfigurations(in: [configuration, talk]).count == 1)
        #expect(Tracked.untestedConfigurations(in: [configuration, test]).isEmpty)
    }
}
