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

    /// A server that decodes first, takes a backslash for a slash and cuts parameters off.
    private func segments(asReadBy path: String) -> [Substring] {
        let decoded = (path.removingPercentEscapes() ?? "").replacing("\\", with: "/")
        return decoded.split(separator: "/", omittingEmptySubsequences: false).map { segment in
            segment.prefix { $0 != ";" }
        }
    }

    @Test func `nothing that is passed on climbs out of the prefix, however it is read`() {
        var random = SplitMix(state: 5)
        let pieces = ["/", "/api", "..", ".", "%2e", "%2F", "%2f", "\\", "%5C", ";", "%3b", "a", "%61", "/x"]
        var passed = 0
        for _ in 0..<20_000 {
            let target =
                "/api/"
                + (0..<Int.random(in: 0...7, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
                .joined()
            guard let path = try? RequestPath(Array(target.utf8)[...]), !path.hidesDotSegments,
                RequestHead.make(target: target).target.elementsEqual(target.utf8)
            else { continue }
            passed += 1
            let rewritten = rewritten(target, strip: "/api", add: "/v1")
            #expect(rewritten == "/v1" || rewritten.hasPrefix("/v1/"), "\(target)")
            let segments = segments(asReadBy: rewritten)
            #expect(!segments.contains("..") && !segments.contains("."), "\(target) becomes \(rewritten)")
        }
        #expect(passed > 1000)
    }

    @Test(arguments: ["/%2e%2e", "/a/.%2E", "/.", "/a/../b", "/%2e"])
    func `has no prefix that climbs`(_ prefix: String) { #expect(PathRewrite.problem(of: prefix) != nil) }

    @Test(arguments: ["", "/", "api", "/api/", "/{a}", "/a/**", "/a?b", "/a#b", "/%", "/..", "/a b", "/ä"])
    func `has no such prefix`(_ prefix: String) { #expect(PathRewrite.problem(of: prefix) != nil) }

    @Test(arguments: ["/api", "/a/b%20c", "/a.b"])
    func `has such a prefix`(_ prefix: String) { #expect(PathRewrite.problem(of: prefix) == nil) }
}

extension String {
    /// The text with its escapes decoded; `nil`: it has a broken one.
    fileprivate func removingPercentEscapes() -> String? {
        var output: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                output.append(byte)
                continue
            }
            guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            output.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: output, as: UTF8.self)
    }
}
