import Sluice
import SluiceHTTP
import Testing

@Suite struct `Patterns of origins` {
    private func grants(_ pattern: String, _ origin: String) -> Bool {
        CORSPolicy(origins: [pattern]).fields(forOrigin: Array(origin.utf8)[...]).string(.accessControlAllowOrigin)
            == origin
    }

    @Test(arguments: ["https://a.example.com", "https://a.b.example.com", "https://x-1_2.example.com"])
    func `names below a domain, of one label or more`(_ origin: String) {
        #expect(grants("https://*.example.com", origin))
    }

    @Test(arguments: [
        "https://example.com", "https://.example.com", "https://a..example.com", "http://a.example.com",
        "https://a.example.com:8443", "https://notexample.com", "https://a.example.com.evil.org",
        "https://evil.org/.example.com", "https://evil.org:1.example.com", "https://u@a.example.com",
        "https://evil.org#.example.com", "https://*.example.com", "https://a.example.co", "null", "", "https://",
    ])
    func `nobody else`(_ origin: String) {
        #expect(!grants("https://*.example.com", origin))
    }

    @Test func `the port is exact`() {
        #expect(grants("http://*.localhost:3000", "http://a.localhost:3000"))
        #expect(!grants("http://*.localhost:3000", "http://a.localhost"))
        #expect(!grants("http://*.localhost:3000", "http://a.localhost:30000"))
    }

    @Test func `fields that a page may read are named once`() {
        let policy = CORSPolicy(origins: ["*"], exposedHeaders: ["X-Request-ID", "last-event-id"])
        #expect(policy.fields(forOrigin: nil).string(.accessControlExposeHeaders) == "Last-Event-ID, X-Request-ID")
    }
}
