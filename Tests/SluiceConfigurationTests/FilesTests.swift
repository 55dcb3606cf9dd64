import Sluice
import Testing

@testable import SluiceConfiguration

struct FilesTests {
    let folder: TemporaryFolder
    init() throws {
        folder = try TemporaryFolder()
        try folder.write("x", to: "index.html")
    }

    @Test func `files are read in short and in long, from the folder of the file`() throws {
        let text = with(
            """
            routes:
              - {match: "/a/**", files: .}
              - {match: "/**", files: {root: ., index: a.html, fallback: index.html, types: {x: a/b}, precompressed: on}}
            """)
        let file = try read(text, folder: folder.path)
        #expect(
            file.configuration.routes.map(\.target) == [
                .files(folder.path),
                .files(
                    FileOptions(
                        root: folder.path, index: ["a.html"], fallback: "index.html",
                        types: ["x": "a/b"], precompressed: true)),
            ])
        expectSame(try read(file.effective, folder: "/elsewhere").configuration, file.configuration)
    }

    private func problems(_ options: String) -> [String] {
        errors(in: with("routes: [{match: \"/**\", files: {\(options)}}]"), folder: folder.path).map {
            String($0.drop { $0 != " " }.dropFirst())
        }
    }

    @Test func `what is not there is told with its place`() {
        let found = errors(in: with("routes: [{match: \"/**\", files: none}]"), folder: folder.path)
        #expect(
            found == [
                "2:32: routes[0].files.root: the folder \(folder.path)/none cannot be opened: "
                    + "No such file or directory (ENOENT)"
            ])
        #expect(
            problems("root: index.html") == [
                "routes[0].files.root: the folder \(folder.path)/index.html cannot be opened: Not a directory (ENOTDIR)"
            ])
        #expect(
            problems("root: ., fallback: other.html") == [
                "routes[0].files.fallback: the file \(folder.path)/other.html cannot be read: "
                    + "No such file or directory (ENOENT)"
            ])
    }

    @Test(arguments: ["/index.html", "a/", "../x", ".env", "a/.x", "a%2e"])
    func `a fallback is a file below the root`(_ name: String) {
        #expect(
            problems("root: ., fallback: \"\(name)\"")
                == ["routes[0].files.fallback: expected a file below the root such as index.html, not \"\(name)\""])
    }

    @Test func `names, types and fields are what they should be`() {
        #expect(problems("root: ., index: []").isEmpty)
        #expect(problems("root: ., index: [a/b, .x]").count == 2)
        #expect(
            problems("root: ., types: {.x: a/b, y: nonsense, z: \"text/html; charset=utf-8\"}") == [
                "routes[0].files.types.\".x\": expected an extension without its dot, such as webmanifest",
                "routes[0].files.types.y: expected a media type such as text/html; charset=utf-8, not \"nonsense\"",
            ])
        #expect(problems("root: ., cache_control: \"a\\nb\"").count == 1)
    }

    @Test func `a path may be rewritten, fields may not`() {
        let text = """
            routes:
              - {match: "/**", files: ., rewrite: {add_prefix: /x}, request_headers: {remove: [A]}}
            """
        #expect(errors(in: with(text), folder: folder.path).map { $0.contains("request_headers") } == [true])
    }
}
