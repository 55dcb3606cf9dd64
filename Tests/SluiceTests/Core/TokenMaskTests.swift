import Testing

@testable import Sluice

@Suite struct TokenMaskTests {
    private func masked(_ text: String, _ more: [String] = []) -> String {
        String(decoding: TokenMask(more).masked(Array(text.utf8)[...]), as: UTF8.self)
    }

    @Test(arguments: [
        "token", "access_token", "id_token", "refreshToken", "key", "api_key", "apikey", "X-Api-Key", "secret",
        "client_secret",
        "password", "passwd", "Authorization", "authorization", "jwt", "signature", "X-Amz-Signature", "sig", "code",
        "CODE",
        "X-Amz-Security-Token", "X-Amz-Credential", "accesstoken", "AWSAccessKeyId", "auth", "user[password]",
        "token[]",
        "%74oken", "to%6Ben", "%74%6f%6b%65%6e", "%2574oken", "access%5Ftoken", "TOKEN", "sessionid", "PHPSESSID",
        "sid", "kEy", "pAsS", "tOkEn", "api_kEy", "x-aUtH",
    ])
    func `the value of a parameter whose name says credential is masked`(_ name: String) {
        #expect(masked("/a?\(name)=s3cr3t") == "/a?\(name)=***")
        #expect(masked("/a?b=1&\(name)=s3cr3t&c=2") == "/a?b=1&\(name)=***&c=2")
    }

    @Test(arguments: [
        "/", "/a/b?topic=news&last_event_id=7-1", "/?keyboard=1&monkey=2&author=x&encode=y&passenger=z&assigned=q",
        "/?country_code=de", "/?q=a%20b&r=100%", "/?a=b=c&&=&d", "*", "", "/100%/%zz?%", "https://example.com/a?b=c#d",
        "/token/news", "/a//b", "mailto:me@example.com", "/key=1/a?b=c", "/?next=/a/b/c=d/key", "/?a/b/me:x@y",
        "https://a.example/#/token/1",
    ])
    func `what is no credential stays as it came`(_ text: String) { #expect(masked(text) == text) }

    @Test func `a value is masked up to its end, whatever stands in it`() {
        #expect(masked("/?token=a=b;c/d?e%26f+g&h=1") == "/?token=***&h=1")
        #expect(masked("/?token=") == "/?token=***")
        #expect(masked("/?token") == "/?token")
        #expect(masked("/?a=1;token=x;y&b") == "/?a=1;token=***&b")
        #expect(masked("/a;token=x/b?c=1") == "/a;token=***")
        #expect(
            masked("https://a.example/#access_token=x&expires_in=1")
                == "https://a.example/#access_token=***&expires_in=1")
        #expect(masked("/?token%3Dx&b=1") == "/?token%3D***&b=1")
        // The `%26` is a part of the value, as the `=` is no escape.
        #expect(masked("/?a%26token=x%26y&b=1") == "/?a%26token=***&b=1")
    }

    @Test func `a parameter may stand behind a slash of the query or the fragment`() {
        #expect(masked("/?a/token=x&b=1") == "/?a/token=***&b=1")
        #expect(masked("/?/token=x") == "/?/token=***")
        #expect(masked("/?a%2Ftoken=x%26y&b=1") == "/?a%2Ftoken=***&b=1")
        #expect(masked("https://a.example/#/access_token=x&b=1") == "https://a.example/#/access_token=***&b=1")
        #expect(masked("/?next=/%23/access_token=x&b=1") == "/?next=/%23/access_token=***&b=1")
        #expect(
            masked("/?redirect=https%3A%2F%2Fapp%2F%23%2Faccess_token%3Dx%26b%3D1&c=2")
                == "/?redirect=https%3A%2F%2Fapp%2F%23%2Faccess_token%3D***%26b%3D1&c=2")
        #expect(masked("/?a//me:pw@b/token=x") == "/?a//***@b/token=***")
    }

    @Test func `a URL in a parameter is looked into, however often it is encoded`() {
        #expect(
            masked("/?next=%2Fa%3Ftoken%3Dx%2526y%26b%3D1&c=2") == "/?next=%2Fa%3Ftoken%3D***%26b%3D1&c=2")
        #expect(
            masked("/?next=%252Fa%253Ftoken%253Dx%2526b%26d&c=2") == "/?next=%252Fa%253Ftoken%253D***%2526b%26d&c=2")
        #expect(masked("/?next=https%3A%2F%2Fme%3Apw@b%2F&c=2") == "/?next=https%3A%2F%2F***@b%2F&c=2")
        #expect(masked("/?next=https://me:pw@b/?code=1") == "/?next=https://***@b/?code=***")
    }

    @Test func `userinfo is masked`() {
        #expect(masked("http://me:pw@host/a?b=1") == "http://***@host/a?b=1")
        #expect(masked("http://me:p@w@host") == "http://***@host")
        #expect(masked("//me@host/") == "//***@host/")
        #expect(masked("/?http://me:pw@host/") == "/?http://***@host/")
        var output: [UInt8] = []
        TokenMask().append(Array("me:pw@host:443".utf8)[...], isAuthority: true, to: &output)
        #expect(output == Array("***@host:443".utf8))
    }

    @Test func `further names can be given`() {
        #expect(masked("/?Ticket=x&a=1", ["ticket"]) == "/?Ticket=***&a=1")
        #expect(masked("/?%54icket=x", ["TICKET"]) == "/?%54icket=***")
        #expect(masked("/?my_ticket=x", ["ticket"]) == "/?my_ticket=x")
        #expect(masked("/?a%2FTicket=x&b=1", ["a/ticket"]) == "/?a%2FTicket=***&b=1")
    }

    @Test func `a secret never stays, wherever it stands among others`() {
        var generator = SystemRandomNumberGenerator()
        let pieces = [
            "a", "=", "&", ";", "/", "?", "#", "%26", "%3D", "%2526", "%", "%2", "//", "@", ":", "token=", "+", "%25",
        ]
        for _ in 0..<20_000 {
            let before = (0..<Int.random(in: 0...8, using: &generator)).map { _ in pieces.randomElement() ?? "" }
                .joined()
            let separator = ["&", "/", "%2F", "#"].randomElement(using: &generator) ?? "&"
            let text = "/x?\(before)\(separator)token=SECRET&z"
            let output = masked(text)
            #expect(!output.contains("SECRET"), "\(text)")
            #expect(output.hasSuffix("&z"), "\(text)")
        }
    }
}
