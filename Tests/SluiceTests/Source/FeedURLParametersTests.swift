import Testing

@testable import Sluice

/// A client's words in the URL that the gateway asks: they name one segment or one value, and nothing else.
@Suite struct FeedURLParametersTests {
    private func target(_ text: String, _ value: String) -> String? {
        try? FeedURL(text, filledWith: ["symbol": value]).target
    }

    @Test func `parameters of path and query are filled`() throws {
        let url = try FeedURL(
            "https://feeds.example:444/q/{symbol}.json?u={user}&s={symbol}",
            filledWith: ["symbol": "ABC", "user": "me"])
        #expect(url.target == "/q/ABC.json?u=me&s=ABC")
        #expect(url.authority == "feeds.example:444" && url.isSecure)
    }

    @Test(arguments: [
        ("a/b", "a%2Fb"), ("a?b", "a%3Fb"), ("a#b", "a%23b"), ("%2e%2e", "%252e%252e"), ("%2F", "%252F"),
        ("../..", "..%2F.."), ("@evil.example", "%40evil.example"), (":80", "%3A80"), ("//evil", "%2F%2Fevil"),
        ("a b+c&d=e;f", "a%20b%2Bc%26d%3De%3Bf"), ("ü", "%C3%BC"), ("\\..\\", "%5C..%5C"), ("{symbol}", "%7Bsymbol%7D"),
        ("\r\nEvil: 1", "%0D%0AEvil%3A%201"), ("\u{0}", "%00"), ("...", "..."), ("-._~", "-._~"),
    ])
    func `a value stays one segment`(value: String, written: String) {
        #expect(target("http://a.example/x/{symbol}/y", value) == "/x/\(written)/y")
        #expect(target("http://a.example/x?s={symbol}&t", value) == "/x?s=\(written)&t")
    }

    @Test(arguments: [".", "..", ""])
    func `a value that would climb, or stand still, is refused`(value: String) {
        #expect(target("http://a.example/x/{symbol}/y", value) == nil)
        #expect(target("http://a.example/x/{symbol}", value) == nil)
    }

    @Test func `dots around a value count too, escaped or not`() {
        #expect(target("http://a.example/x/.{symbol}", ".") == nil)
        #expect(target("http://a.example/x/%2e{symbol}", ".") == nil)
        #expect(target("http://a.example/x/%2E{symbol}/", "a") == "/x/%2Ea/")
        #expect((try? FeedURL("http://a/{b}{c}", filledWith: ["b": ".", "c": "."])) == nil)
        #expect(target("http://a.example/x?s={symbol}", "..") == "/x?s=..")
        // What the operator wrote is the operator's.
        #expect(target("http://a.example/../{symbol}", "a") == "/../a")
    }

    @Test func `a parameter without a value is refused`() {
        #expect(target("http://a.example/{other}", "a") == nil)
        #expect(target("http://a.example/{symbol", "a") == nil)
        #expect(target("http://{symbol}/", "a") == nil)
    }

    @Test func `any value at all leaves the origin and the number of segments alone`() throws {
        let bytes: [Unicode.Scalar] =
            (0x20...0x7E).map { Unicode.Scalar(UInt8($0)) } + ["\u{0}", "\n", "é", "\u{202E}"]
        for _ in 0..<5000 {
            var value = ""
            for _ in 0..<Int.random(in: 0...6) { value.unicodeScalars.append(bytes.randomElement() ?? ".") }
            guard let url = try? FeedURL("https://a.example/x/{symbol}/y?z={symbol}", filledWith: ["symbol": value])
            else {
                #expect(["", ".", ".."].contains(value))
                continue
            }
            #expect(url.authority == "a.example" && url.isSecure)
            let path = url.target.prefix { $0 != "?" }
            #expect(path.split(separator: "/").count == 3 && path.hasPrefix("/x/") && path.hasSuffix("/y"), "\(value)")
            #expect(url.target.count { $0 == "?" } == 1 && !url.target.contains("#") && !url.target.contains("&"))
        }
    }
}
