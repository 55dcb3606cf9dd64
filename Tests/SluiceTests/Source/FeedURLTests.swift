import Testing

@testable import Sluice

@Suite struct FeedURLTests {
    @Test(arguments: [
        ("http://example.com", false, "example.com", 80, "example.com", "/"),
        ("https://example.com/a?b=c", true, "example.com", 443, "example.com", "/a?b=c"),
        ("HTTP://example.com:8080?x", false, "example.com", 8080, "example.com:8080", "/?x"),
        ("http://a_b.example/\"<x>?y|z={w}", false, "a_b.example", 80, "a_b.example", "/%22%3Cx%3E?y%7Cz={w}"),
        ("https://[::1]:8443/x", true, "::1", 8443, "[::1]:8443", "/x"),
    ])
    func `a URL falls into its parts`(
        text: String, secure: Bool, host: String, port: Int, authority: String, target: String
    ) throws {
        let url = try FeedURL(text)
        #expect(url.isSecure == secure)
        #expect(url.host == host)
        #expect(Int(url.port) == port)
        #expect(url.authority == authority)
        #expect(url.target == target)
    }

    @Test(arguments: [
        "", "ftp://x", "http://", "http://:80/", "http://a:b@c/", "http://x:0/", "http://x:65536/", "http://x:+1/",
        "http://[::1", "http://[x]/", "http://a b/", "http://x/\r\ny", "http://ü/", "http://x/#a",
        "http://{x}/", "http://a\\b/", "http://a%2Fb/", "http://a,b/", "http://a\"b/",
    ])
    func `what is no http URL is refused`(text: String) {
        #expect(throws: FeedURL.Problem.self) { try FeedURL(text) }
    }
}
