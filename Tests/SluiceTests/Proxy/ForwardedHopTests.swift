import SluiceHTTP
import Testing

@testable import Sluice

@Suite struct `What an upstream is told of who asks` {
    private func told(
        _ said: [String], peer: String? = "10.0.0.9", isTrusted: Bool = false, isSecure: Bool = false,
        host: String? = "app.example", saying choice: ForwardedFields = .xForwarded
    ) -> [String] {
        var head = RequestHead.make(host: nil, fields: FieldBlock(text: said))
        if let host { head.setHost(host.utf8) }
        ForwardedHop(peer: peer, isTrusted: isTrusted, isSecure: isSecure).apply(to: &head, saying: choice)
        return head.fields.text
    }

    @Test func `is address, scheme and host, behind what the client said`() {
        #expect(
            told(["Accept: */*"]) == [
                "Accept: */*", "X-Forwarded-For: 10.0.0.9", "X-Forwarded-Proto: http",
                "X-Forwarded-Host: app.example",
            ])
        #expect(
            told([], peer: "2001:db8::1", isSecure: true, host: "app.example:8443") == [
                "X-Forwarded-For: 2001:db8::1", "X-Forwarded-Proto: https", "X-Forwarded-Host: app.example:8443",
            ])
    }

    @Test func `is no address for who came over a unix socket, and no host for who named none`() {
        #expect(told([], peer: nil, host: nil) == ["X-Forwarded-Proto: http"])
        #expect(told([], peer: nil, host: nil, saying: .forwarded) == ["Forwarded: for=unknown;proto=http"])
    }

    @Test(arguments: [
        (ForwardedFields.off, [String]()),
        (.forwarded, ["Forwarded: for=10.0.0.9;proto=https;host=\"a\""]),
        (.xForwarded, ["X-Forwarded-For: 10.0.0.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: a"]),
        (
            .both,
            [
                "X-Forwarded-For: 10.0.0.9", "X-Forwarded-Proto: https", "X-Forwarded-Host: a",
                "Forwarded: for=10.0.0.9;proto=https;host=\"a\"",
            ]
        ),
    ])
    func `is what the configuration chose`(choice: ForwardedFields, fields: [String]) {
        #expect(told([], isSecure: true, host: "a", saying: choice) == fields)
        let said = ["X-Forwarded-For: 1.1.1.1", "X-Real-IP: 1.1.1.1", "Forwarded: for=1.1.1.1", "X-Forwarded-Proto: x"]
        #expect(told(said, isSecure: true, host: "a", saying: choice) == fields)
    }

    @Test(arguments: [
        "X-Forwarded-For: 1.1.1.1", "x-forwarded-for: 1.1.1.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil",
        "X-Forwarded-Port: 1", "X-Forwarded-Prefix: /x", "x-forwarded-server: x", "X-Forwarded-: x",
        "X-Real-IP: 1.1.1.1",
        "Forwarded: for=1.1.1.1",
    ])
    func `is nothing that a stranger says`(field: String) {
        #expect(told([field]) == told([]))
        #expect(told(["A: 1", field, "B: 2"], saying: .off) == ["A: 1", "B: 2"])
    }

    @Test(arguments: [
        "X_Forwarded_For", "x_forwarded_for", "X-Forwarded_For", "X_Forwarded-Port", "X_Real_IP", "X-Real_IP",
        "Content_Length", "content_type", "Transfer_Encoding", "X_Forwarded_",
    ])
    func `is not told in a spelling that WSGI takes for it, by nobody`(name: String) {
        for isTrusted in [false, true] {
            #expect(told(["\(name): 1"], isTrusted: isTrusted, saying: .off) == [])
        }
    }

    @Test(arguments: [
        "X_Custom: 1", "X-Forwardedness: 1", "X-Forward: 1", "X_Forwarded: 1", "Content_MD5: 1", "_: 1", "Hosts_: 1",
        "X-Real-IPs: 1", "X_Real_IPs: 1",
    ])
    func `does not touch fields that only look like it`(field: String) {
        #expect(told([field], saying: .off) == [field])
    }

    @Test func `goes on from what a trusted proxy says`() {
        let said = [
            "X-Forwarded-For: 1.1.1.1, 2.2.2.2", "X-Forwarded-Proto: https", "x-forwarded-for: 3.3.3.3",
            "X-Forwarded-Host: public.example", "X-Forwarded-Port: 8443", "X-Real-IP: 1.1.1.1",
        ]
        #expect(
            told(said, isTrusted: true) == [
                "X-Forwarded-Port: 8443", "X-Forwarded-For: 1.1.1.1, 2.2.2.2, 3.3.3.3, 10.0.0.9",
                "X-Forwarded-Proto: https", "X-Forwarded-Host: public.example", "X-Real-IP: 1.1.1.1",
            ])
        #expect(
            told(["Forwarded: for=1.1.1.1", "forwarded: for=_x"], isTrusted: true, saying: .forwarded) == [
                "Forwarded: for=1.1.1.1, for=_x, for=10.0.0.9;proto=http;host=\"app.example\""
            ])
    }

    @Test func `is what the gateway knows where a trusted proxy says nothing`() {
        #expect(told([], isTrusted: true) == told([]))
        #expect(told([], isTrusted: true, saying: .forwarded) == told([], saying: .forwarded))
        // An empty field says nothing either: the first element is whom applications take for the client.
        #expect(told(["X-Forwarded-For:", "Forwarded:"], isTrusted: true, saying: .both) == told([], saying: .both))
    }

    @Test(arguments: [
        ("2001:db8::1", "a", "for=\"[2001:db8::1]\";proto=http;host=\"a\""),
        ("10.0.0.1", "[::1]:8080", "for=10.0.0.1;proto=http;host=\"[::1]:8080\""),
        ("10.0.0.1", "a:80", "for=10.0.0.1;proto=http;host=\"a:80\""),
    ])
    func `quotes what is no token in Forwarded`(peer: String, host: String, element: String) {
        #expect(told([], peer: peer, host: host, saying: .forwarded) == ["Forwarded: \(element)"])
    }
}
