import Sluice
import SluiceHTTP
import Testing

@Suite struct `A redirect` {
    private func location(
        _ template: String, _ target: String = "/a%20b/c?d=e&f", host: String? = "A.example:8080",
        _ parameters: PathParameters = [:]
    ) throws -> String? {
        try RedirectTemplate(template).location(for: RequestHead.make(target: target, host: host), parameters)
    }

    @Test(arguments: [
        ("https://b.example", "https://b.example"), ("https://b.example{path}", "https://b.example/a%20b/c"),
        ("https://b.example{uri}", "https://b.example/a%20b/c?d=e&f"),
        ("https://b.example/x{query}", "https://b.example/x?d=e&f"),
        ("https://{host}{uri}", "https://A.example/a%20b/c?d=e&f"),
        ("HTTP://{host}:8443/v1{path}#there", "HTTP://A.example:8443/v1/a%20b/c#there"),
        ("/new{uri}", "/new/a%20b/c?d=e&f"),
        ("{path}/", "/a%20b/c/"), ("/{host}", "/A.example"), ("https://www.{host}/", "https://www.A.example/"),
    ])
    func `is filled from the request as it came`(_ template: String, _ expected: String) throws {
        #expect(try location(template) == expected)
    }

    @Test func `has no question mark where there is no query, and keeps an empty one`() throws {
        #expect(try location("https://b{uri}", "/a") == "https://b/a")
        #expect(try location("https://b{uri}", "/a?") == "https://b/a?")
    }

    @Test func `needs the request's host where it says so`() throws {
        #expect(try location("https://{host}/", host: nil) == nil)
        #expect(try location("https://{host}/", host: "[::1]:80") == "https://[::1]/")
        #expect(try location("/a", host: nil) == "/a")
    }

    @Test func `escapes parameters again`() throws {
        let hostile: PathParameters = ["x": "//evil.example/ä?#\r\nSet-Cookie: a", "y": ".."]
        #expect(
            try location("/{x}/{y}", "/", hostile)
                == "/%2F%2Fevil.example%2F%C3%A4%3F%23%0D%0ASet-Cookie%3A%20a/..")
        #expect(try location("https://b.example?q={x}", "/", ["x": "a&b"]) == "https://b.example?q=a%26b")
    }

    @Test(arguments: [
        ("{path}", "//evil.example", "/evil.example"), ("{uri}", "///evil.example?a", "/evil.example?a"),
        ("/{path}", "/evil.example", "/evil.example"), ("/{path}", "//evil.example", "/evil.example"),
        ("/{uri}", "/", "/"), ("{path}", "//", "/"), ("/a{path}", "//evil.example", "/a//evil.example"),
        ("https://b.example{path}", "//evil.example", "https://b.example//evil.example"),
    ])
    func `goes to no other host than it says`(_ template: String, _ target: String, _ expected: String) throws {
        #expect(try location(template, target) == expected)
    }

    @Test(arguments: [
        "", "b.example", "ftp://b/", "https://", "https:///x", "https://{path}", "//b.example", "{query}", "{host}/x",
        "javascript:alert(1)", "https://b/ x", "https://b/\r\nX: y", "https://b/ä", "https://b/\\x", "/\\evil.example",
        "https://{name}.b/", "https://b{name}", "https://b:{name}/", "https://{host}{name}", "https://b/{",
        "https://b/}",
        "https://b/{}", "https://b/{a b}", "https://b/{a{b}}",
    ])
    func `that leads nowhere is refused`(_ template: String) {
        #expect(throws: PatternError.self) { try RedirectTemplate(template) }
    }
}
