import Sluice
import SluiceHTTP
import Testing

@Suite struct `A path's rewrite` {
    private func rewritten(_ target: String, strip: String? = nil, add: String? = nil) -> String {
        var head = RequestHead.make(target: target)
        PathRewrite(stripPrefix: strip, addPrefix: add).apply(to: &head)
        return String(decoding: head.target, as: UTF8.self)
    }

    @Test(arguments: [
        ("/api/x", "/x"), ("/api", "/"), ("/api/", "/"), ("/apix", "/apix"), ("/ap", "/ap"), ("/x/api", "/x/api"),
        ("/%61pi/%78", "/%78"), ("/api%2Fx", "/api%2Fx"), ("/api//x", "/x"), ("/x/../api/./y", "/y"),
        ("/api/a%20b?q=/api&%", "/a%20b?q=/api&%"), ("/api?", "/?"), ("/", "/"), ("/API/x", "/API/x"),
    ])
    func `strips whole segments of the resolved path, escapes and query stay`(_ target: String, _ expected: String) {
        #expect(rewritten(target, strip: "/api") == expected)
    }

    @Test func `strips several segments, compared decoded`() {
        #expect(rewritten("/a/b%20c/d", strip: "/a/b%20c") == "/d")
        #expect(rewritten("/a/b%20c", strip: "/a/b%20c") == "/")
        #expect(rewritten("/a/b", strip: "/a/b/c") == "/a/b")
        #expect(rewritten("/a", strip: "/a/b") == "/a")
    }

    @Test func `adds in front, after it stripped`() {
        #expect(rewritten("/x?y", add: "/v1") == "/v1/x?y")
        #expect(rewritten("/", add: "/v1") == "/v1/")
        #expect(rewritten("/api/x", strip: "/api", add: "/v1") == "/v1/x")
        #expect(rewritten("/api", strip: "/api", add: "/v1") == "/v1")
        #expect(rewritten("/other", strip: "/api", add: "/v1") == "/v1/other")
    }

    @Test func `leaves a path alone that no route takes`() {
        for target in ["/..", "/%", "*"] { #expect(rewritten(target, strip: "/api", add: "/v1") == target) }
    }

    @Test(arguments: ["", "/", "api", "/api/", "/{a}", "/a/**", "/a?b", "/a#b", "/%", "/..", "/a b", "/ä"])
    func `has no such prefix`(_ prefix: String) { #expect(PathRewrite.problem(of: prefix) != nil) }

    @Test(arguments: ["/api", "/a/b%20c", "/a.b"])
    func `has such a prefix`(_ prefix: String) { #expect(PathRewrite.problem(of: prefix) == nil) }
}
