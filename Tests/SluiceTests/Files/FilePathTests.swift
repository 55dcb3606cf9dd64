import Testing

@testable import Sluice

@Suite struct `A file's path` {
    @Test(arguments: [
        ("/a", "a", false), ("/a/b.html", "a/b.html", false), ("/a/", "a", true), ("/", "", true), ("", "", false),
        ("/%61%20b", "a b", false), ("/%252e%252e", "%2e%2e", false), ("/a..b/c...", "a..b/c...", false),
        ("/.well-known/x", ".well-known/x", false), ("/%C3%A4", "ä", false), ("/a/.well-known/", "a/.well-known", true),
    ])
    func `is its names, decoded once`(_ path: String, _ expected: String, _ endsWithSlash: Bool) {
        let found = FilePath(bytes(path))
        #expect(found?.bytes == Array(expected.utf8))
        #expect(found?.endsWithSlash == endsWithSlash)
    }

    @Test(arguments: [
        "//", "//a", "/a//b", "/a//", "/.", "/..", "/.a", "/a/.git/config", "/%2ea", "/%2e%2e", "/.well-knownx",
        "/..%2fa", "/a%2Fb", "/a%5cb", "/a\\b", "/%00", "/a%0A", "/%7f", "a",
    ])
    func `names no file`(_ path: String) { #expect(FilePath(bytes(path)) == nil) }

    @Test func `goes on in its folder`() {
        #expect(FilePath(bytes("/a/"))?.adding("i") == Array("a/i".utf8))
        #expect(FilePath(bytes("/"))?.adding("i") == Array("i".utf8))
    }

    private func path(_ target: String, of pattern: String, _ rewrite: PathRewrite? = nil) throws -> String? {
        let files = PlannedFiles(FileOptions(root: "x"), pattern: try PathPattern(pattern), rewrite: rewrite)
        return files.path(of: head(target)).map {
            String(decoding: $0.bytes, as: UTF8.self) + ($0.endsWithSlash ? "/" : "")
        }
    }

    @Test(arguments: [
        ("/static/**", "/static/a/b", "a/b"), ("/static/**", "/static/", "/"), ("/static/**", "/static", ""),
        ("/**", "/a/b/", "a/b/"), ("/**", "/", "/"), ("/{x}/s/**", "/1/s/a", "a"),
        ("/favicon.ico", "/favicon.ico", "favicon.ico"),
        ("/static/**", "/%73tatic/a", "a"), ("/static/**", "/x/../static/./a", "a"), ("/**", "/a?b=/c", "a"),
    ])
    func `is what the rest of a route's path took`(_ pattern: String, _ target: String, _ expected: String) throws {
        #expect(try path(target, of: pattern) == expected)
    }

    @Test func `is the rewritten path where the route rewrites`() throws {
        #expect(try path("/s/a", of: "/s/**", PathRewrite()) == "s/a")
        #expect(try path("/s/a", of: "/s/**", PathRewrite(stripPrefix: "/s", addPrefix: "/v1")) == "v1/a")
        let strip = PathRewrite(stripPrefix: "/s")
        #expect(try path("/s", of: "/s/**", strip) == "")
        #expect(try path("/s/", of: "/s/**", strip) == "/")
    }

    @Test(arguments: ["//s/a", "/s//a", "/s/a//", "/.//s/a"])
    func `is none where slashes follow each other, which the route saw as one`(target: String) throws {
        #expect(try path(target, of: "/s/**") == nil)
        #expect(try path(target, of: "/s/**", PathRewrite()) == nil)
    }
}
