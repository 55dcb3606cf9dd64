import Sluice
import Testing

/// A pattern and what it makes of a path: `nil`, or its parameters' values.
struct PatternCase: Sendable {
    let pattern: String
    let path: String
    let values: [String]?

    init(_ pattern: String, _ path: String, _ values: [String]?) {
        self.pattern = pattern
        self.path = path
        self.values = values
    }
}

private let patternCases: [PatternCase] = [
    // Literals.
    .init("/", "/", []), .init("/", "/a", nil), .init("/", "//", nil), .init("/market", "/market", []),
    .init("/market", "/market/", nil), .init("/market", "/marke", nil), .init("/market", "/markets", nil),
    .init("/market", "/Market", nil), .init("/a/b", "/a/b", []), .init("/a/b", "/a", nil), .init("/a/", "/a/", []),
    .init("/a/", "/a", nil), .init("/a//b", "/a//b", []), .init("/a//b", "/a/b", nil),
    // Escapes are compared decoded, on both sides.
    .init("/admin", "/%61dmin", []), .init("/admin", "/%61dmi%6E", []), .init("/%61dmin", "/admin", []),
    .init("/é", "/%C3%A9", []), .init("/%c3%a9", "/é", []), .init("/a b", "/a%20b", []), .init("/a%20b", "/a%20b", []),
    .init("/admin", "/%2561dmin", nil), .init("/a/b", "/a%2fb", nil), .init("/a%2Fb", "/a%2fb", []),
    .init("/a%2fb", "/a/b", nil), .init("/a%25b", "/a%25b", []), .init("/ab", "/a%62c", nil),
    .init("/abc", "/a%62", nil),
    // Parameters.
    .init("/feeds/{symbol}", "/feeds/ACME", ["ACME"]), .init("/feeds/{symbol}", "/feeds/", nil),
    .init("/feeds/{symbol}", "/feeds", nil), .init("/feeds/{symbol}", "/feeds/a/b", nil),
    .init("/feeds/{symbol}", "/feeds/a/", nil), .init("/feeds/{symbol}", "/feeds/a%2fb", ["a/b"]),
    .init("/feeds/{symbol}", "/feeds/%E2%82%AC", ["€"]), .init("/feeds/{symbol}", "/feeds/%25%20", ["% "]),
    .init("/feeds/{symbol}", "/feeds/%ff", nil), .init("/feeds/{symbol}", "/feeds/%E2%82", nil),
    .init("/feeds/{symbol}", "/feeds/x/../y", ["y"]), .init("/feeds/{symbol}", "/feeds/%252e", ["%2e"]),
    .init("/{a}/x/{b_2}", "/1/x/2", ["1", "2"]), .init("/{a}/x/{b}", "/1/y/2", nil),
    .init("/{a}/", "/1/", ["1"]), .init("/{a}", "/", nil), .init("/{a}/{b}", "//b", nil),
    // The rest.
    .init("/**", "/", []), .init("/**", "/a", []), .init("/**", "/a/b/c/", []), .init("/**", "//", []),
    .init("/a/**", "/a", []), .init("/a/**", "/a/", []), .init("/a/**", "/a/b/c", []), .init("/a/**", "/ab", nil),
    .init("/a/**", "/", nil), .init("/a/**", "/a%2fb", nil), .init("/a/**", "/b/../a/x", []),
    .init("/a/**", "/a/../b", nil), .init("/{a}/**", "/1/2/3", ["1"]), .init("/{a}/**", "/", nil),
    .init("/a/{b}/**", "/a", nil), .init("/a//**", "/a/", []), .init("/a//**", "/a/b", nil),
]

@Suite struct `Path pattern` {
    @Test(arguments: patternCases)
    func `a pattern takes the paths it should`(_ item: PatternCase) throws {
        let pattern = try PathPattern(item.pattern)
        let path = try RequestPath(Array(item.path.utf8)[...])
        #expect(pattern.match(path)?.values == item.values)
        #expect(pattern.matches(path) == (item.values != nil))
    }

    @Test func `parameters are found by name`() throws {
        let pattern = try PathPattern("/{a}/x/{b_2}")
        #expect(pattern.parameterNames == ["a", "b_2"])
        let parameters = try #require(pattern.match(RequestPath(Array("/1/x/2".utf8)[...])))
        #expect(parameters["a"] == "1")
        #expect(parameters["b_2"] == "2")
        #expect(parameters["c"] == nil)
    }

    @Test(arguments: [
        "", "a", "**", "a/**", "/**/a", "/a/**/b", "/***", "/a*", "/*", "/*/b", "/a**", "/{}", "/{a", "/a}", "/x{a}",
        "/{a}x", "/{a}{b}", "/{1a}", "/{a-b}", "/{é}", "/{a}/{a}", "/{**}", "/a?b", "/a#b", "/%", "/%2", "/%zz", "/%00",
        "/a\0", "/a\nb", "/\u{7F}", "/.", "/..", "/a/../b", "/%2e", "/%2E./a", "/./a",
    ])
    func `a pattern that cannot be meant is refused`(_ text: String) {
        #expect(throws: PatternError.self) { try PathPattern(text) }
    }

    @Test func `the reason names the pattern`() throws {
        let error = #expect(throws: PatternError.self) { try PathPattern("/a*") }
        #expect(error?.description.hasPrefix("\"/a*\": ") == true)
        #expect(error?.pattern == "/a*")
    }

    @Test(arguments: [
        ("/a", "/a", true), ("/a", "/b", false), ("/**", "/a/{b}", true), ("/**", "/", true), ("/**", "/**", true),
        ("/a/**", "/a", true), ("/a/**", "/a/{b}/**", true), ("/a/**", "/**", false), ("/a/**", "/{x}/**", false),
        ("/{x}", "/a", true), ("/{x}", "/", false), ("/{x}", "/{y}", true), ("/{x}", "/{y}/**", false),
        ("/{x}", "/%ff", false), ("/a", "/{x}", false), ("/{x}/**", "/**", false), ("/{x}/**", "/a/b", true),
        ("/%61", "/a", true), ("/a/b", "/a", false), ("/a", "/a/b", false), ("/a", "/a/**", false),
    ])
    func `one pattern covers another`(_ one: String, _ other: String, _ covers: Bool) throws {
        #expect(try PathPattern(one).covers(PathPattern(other)) == covers)
    }
}
