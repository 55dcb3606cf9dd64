import SluiceHTTP
import Testing

@testable import Sluice

@Suite struct RedirectsTests {
    private func url(_ text: String) throws -> FeedURL { try FeedURL(text) }

    private func text(_ url: FeedURL) -> String { "\(url.isSecure ? "https" : "http")://\(url.authority)\(url.target)" }

    @Test(arguments: [301, 302, 303, 307, 308] as [UInt16])
    func `all five statuses are followed`(status: UInt16) throws {
        var redirects = Redirects(try url("http://a.example/x"))
        redirects.begin()
        try redirects.follow(status: status, location: Array("/y".utf8))
        #expect(text(redirects.place.url) == "http://a.example/y")
        #expect(redirects.place.keepsBody)
        #expect(!redirects.place.isForeign)
    }

    @Test func `a location that is told of shows no token`() throws {
        var redirects = Redirects(try url("http://a.example/x"))
        redirects.begin()
        let error = #expect(throws: StreamFault.self) {
            try redirects.follow(status: 302, location: Array("ftp://a.example/?token=hidden".utf8))
        }
        let words = try #require(error).description
        #expect(words.contains("token=***") && !words.contains("hidden"))
    }

    @Test func `301 and 308 are remembered until they fail`() throws {
        for status in [301, 308] as [UInt16] {
            var redirects = Redirects(try url("http://a.example/x"))
            redirects.begin()
            try redirects.follow(status: status, location: Array("/y".utf8))
            redirects.begin()
            #expect(redirects.place.url.target == "/y")
            redirects.failed()
            redirects.begin()
            #expect(redirects.place.url.target == "/x")
        }
    }

    @Test func `302 and what follows it are not remembered`() throws {
        var redirects = Redirects(try url("http://a.example/x"))
        redirects.begin()
        try redirects.follow(status: 301, location: Array("/y".utf8))
        try redirects.follow(status: 302, location: Array("/z".utf8))
        try redirects.follow(status: 301, location: Array("/w".utf8))
        #expect(redirects.place.url.target == "/w")
        redirects.begin()
        #expect(redirects.place.url.target == "/y")
    }

    @Test func `a sixth redirect is an error`() throws {
        var redirects = Redirects(try url("http://a.example/x"))
        redirects.begin()
        for _ in 0..<5 { try redirects.follow(status: 302, location: Array("/x".utf8)) }
        #expect(throws: StreamFault.self) { try redirects.follow(status: 302, location: Array("/x".utf8)) }
        redirects.begin()
        try redirects.follow(status: 302, location: Array("/x".utf8))
    }

    @Test func `no Location, and one that is no URL, are errors`() throws {
        var redirects = Redirects(try url("http://a.example/x"))
        redirects.begin()
        for location in [nil, "", "ftp://x/", "http://", "http://a:b@c/", "javascript:x"] as [String?] {
            #expect(throws: StreamFault.self) {
                try redirects.follow(status: 301, location: location.map { Array($0.utf8) })
            }
        }
        redirects.begin()
        #expect(redirects.place.url.target == "/x")
    }

    @Test func `never from https to http, which way ever`() throws {
        var redirects = Redirects(try url("https://a.example/x"))
        redirects.begin()
        #expect(throws: StreamFault.self) {
            try redirects.follow(status: 301, location: Array("http://a.example/x".utf8))
        }
        var second = Redirects(try url("http://a.example/x"))
        second.begin()
        try second.follow(status: 301, location: Array("https://a.example/x".utf8))
        #expect(second.place.url.isSecure)
        #expect(throws: StreamFault.self) { try second.follow(status: 301, location: Array("http://b/".utf8)) }
    }

    @Test(arguments: [
        ("https://b.example/x", true), ("//b.example/", true), ("http://a.example:81/", true),
        ("https://a.example/", true), ("http://A.EXAMPLE:80/y", false), ("/y", false), ("?q", false),
    ])
    func `another scheme, host or port is another origin`(location: String, isForeign: Bool) throws {
        var redirects = Redirects(try url("http://a.example/x"))
        redirects.begin()
        try redirects.follow(status: 302, location: Array(location.utf8))
        #expect(redirects.place.isForeign == isForeign)
    }

    @Test func `once abroad a chain stays foreign, remembered or not`() throws {
        var redirects = Redirects(try url("http://a.example/x"))
        redirects.begin()
        try redirects.follow(status: 308, location: Array("http://b.example/".utf8))
        try redirects.follow(status: 308, location: Array("http://a.example/y".utf8))
        #expect(redirects.place.isForeign)
        redirects.begin()
        #expect(redirects.place.isForeign)
    }

    @Test(arguments: [(301, false), (302, false), (303, false), (307, true), (308, true)] as [(UInt16, Bool)])
    func `a POST keeps its body only through 307 and 308`(status: UInt16, keeps: Bool) throws {
        var redirects = Redirects(try url("http://a.example/x"), method: .post)
        redirects.begin()
        try redirects.follow(status: status, location: Array("/y".utf8))
        #expect(redirects.place.keepsBody == keeps)
    }

    @Test(arguments: [
        ("g", "/b/c/g"), ("./g", "/b/c/g"), ("g/", "/b/c/g/"), ("/g", "/g"), ("?y", "/b/c/d?y"), ("g?y", "/b/c/g?y"),
        ("", "/b/c/d?q"), (".", "/b/c/"), ("./", "/b/c/"), ("..", "/b/"), ("../g", "/b/g"), ("../..", "/"),
        ("../../../g", "/g"), ("/./g", "/g"), ("/../g", "/g"), ("g/./h", "/b/c/g/h"), ("g/../h", "/b/c/h"),
        ("g?y/../x", "/b/c/g?y/../x"), ("g#s", "/b/c/g"), ("ü x", "/b/c/%C3%BC%20x"),
    ])
    func `a reference is resolved as in RFC 3986`(reference: String, target: String) throws {
        let base = try url("http://a/b/c/d?q")
        let resolved = try base.resolving(Array(reference.utf8))
        #expect(resolved.target == target)
        #expect(resolved.authority == "a")
    }
}
