import SluiceHTTP
import Testing

@testable import Sluice

@Suite struct `A request for an upstream` {
    private let hop = ForwardedHop(peer: "10.0.0.9", isTrusted: false, isSecure: false)

    private func request(
        _ fields: [String] = [], method: HTTPMethod = .get, target: String = "/", body: BodyFraming = .none,
        version: HTTPVersion = .http11, keepAlive: Bool = true, upgrades: [String] = ["websocket"]
    ) -> UpstreamRequest {
        UpstreamRequest(
            RequestHead.make(
                method: method, target: target, host: "app.example", fields: FieldBlock(text: fields), body: body,
                version: version, keepAlive: keepAlive),
            from: hop, saying: .off, upgrades: upgrades)
    }

    /// The lines that are written.
    private func lines(_ request: UpstreamRequest, authority: String? = nil) -> [String] {
        var bytes: [UInt8] = []
        request.write(authority: authority, to: &bytes)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.hasSuffix("\r\n\r\n"))
        return text.split(separator: "\r\n").map(String.init)
    }

    @Test func `is the client's, of HTTP/1.1, on a connection that stays`() {
        for version in [HTTPVersion.http10, .http11, .http2] {
            let request = request(
                ["Connection: close", "X-b: 1", "X-A: 2"], method: .put, target: "/a?b", body: .length(3),
                version: version, keepAlive: false)
            #expect(
                lines(request) == [
                    "PUT /a?b HTTP/1.1", "Host: app.example", "X-b: 1", "X-A: 2", "Content-Length: 3",
                ])
        }
    }

    @Test(arguments: [
        (HTTPMethod.get, BodyFraming.none, [String]()), (.delete, .none, []), (.post, .none, ["Content-Length: 0"]),
        (.get, .length(2), ["Content-Length: 2"]), (.post, .chunked, ["Transfer-Encoding: chunked"]),
    ])
    func `is framed anew, in one way`(method: HTTPMethod, body: BodyFraming, framing: [String]) {
        let said = ["Content-Length: 7", "Transfer-Encoding: chunked"]
        #expect(lines(request(said, method: method, body: body)).dropFirst(2) == framing[...])
    }

    @Test func `says who asks behind the client's fields, which cannot take that away`() {
        let head = RequestHead.make(fields: FieldBlock(text: ["Connection: X-Forwarded-For", "A: 1"]))
        let request = UpstreamRequest(head, from: hop, saying: .xForwarded, upgrades: [])
        #expect(
            lines(request).dropFirst(2) == [
                "A: 1", "X-Forwarded-For: 10.0.0.9", "X-Forwarded-Proto: http", "X-Forwarded-Host: localhost",
            ])
    }

    @Test(arguments: [
        ("/a/../b", "/b"), ("/a/./b/?c/../d", "/a/b/?c/../d"), ("/a/%2e%2E/b", "/b"),
        ("/a//b", "/a//b"), ("/a%2F..%2Fb", "/a%2F..%2Fb"), ("/%c3%bc", "/%c3%bc"), ("/?", "/?"), ("/a?", "/a?"),
        ("*", "*"), ("/..", "/.."),
    ])
    func `is for the path that was matched, escapes and query as they came`(target: String, expected: String) {
        #expect(lines(request(method: .options, target: target)).first == "OPTIONS \(expected) HTTP/1.1")
    }

    @Test(arguments: [
        (["TE: trailers"], true), (["TE: gzip, trailers;q=0.5, Trailers"], true), (["te: trailers, deflate"], true),
        (["TE: gzip"], false), ([], false),
    ])
    func `asks for trailers where the client takes them, and for no codings`(fields: [String], wants: Bool) {
        #expect(lines(request(fields)).dropFirst(2) == (wants ? ["TE: trailers", "Connection: TE"] : []))
    }

    // MARK: Upgrades

    private let upgrade = ["Connection: keep-alive, Upgrade", "Upgrade: WebSocket"]

    @Test func `changes the protocol where the client wants one that may`() {
        let request = request(upgrade + ["Sec-WebSocket-Version: 13"])
        #expect(request.upgrade.map { String(decoding: $0, as: UTF8.self) } == "WebSocket")
        #expect(
            lines(request).dropFirst(2) == ["Sec-WebSocket-Version: 13", "Upgrade: WebSocket", "Connection: upgrade"])
    }

    @Test(arguments: [
        ["Upgrade: websocket"], ["Connection: upgrade"], ["Connection: upgrade", "Upgrade: h2c"],
        ["Connection: upgrade", "Upgrade: websocket, h2c"], ["Connection: upgrade", "Upgrade: websocket/13"],
        ["Connection: upgrade", "Upgrade: websocket", "Upgrade: websocket"], ["Connection: upgrade", "Upgrade:"],
        ["Connection: upgrades", "Upgrade: websocket"],
        ["Connection: upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"],
    ])
    func `passes no other change of protocol on`(fields: [String]) {
        let request = request(fields)
        #expect(request.upgrade == nil)
        #expect(lines(request) == ["GET / HTTP/1.1", "Host: app.example"])
    }

    @Test func `changes the protocol in HTTP/1.1 alone, without a body, and where the route allows it`() {
        #expect(request(upgrade, version: .http10).upgrade == nil)
        #expect(request(upgrade, version: .http2).upgrade == nil)
        #expect(request(upgrade, method: .post, body: .length(1)).upgrade == nil)
        #expect(request(upgrade, method: .post, body: .chunked).upgrade == nil)
        #expect(request(upgrade, upgrades: []).upgrade == nil)
        #expect(request(upgrade, upgrades: ["other"]).upgrade == nil)
        #expect(request(upgrade, upgrades: ["other", "websocket"]).upgrade != nil)
    }

    // MARK: What the route says

    @Test func `is for the client's host, or the server's, unless the route names one`() {
        var request = request()
        #expect(lines(request)[1] == "Host: app.example")
        #expect(lines(request, authority: "10.1.1.1:3000")[1] == "Host: 10.1.1.1:3000")
        request.apply(HeaderEdits(set: [("HOST", "named.example")]))
        #expect(lines(request, authority: "10.1.1.1:3000") == ["GET / HTTP/1.1", "Host: named.example"])
    }

    @Test func `has the route's changes, which have the last word`() {
        let head = RequestHead.make(fields: FieldBlock(text: ["A: 1", "B: 2"]))
        var request = UpstreamRequest(head, from: hop, saying: .xForwarded, upgrades: [])
        request.apply(
            HeaderEdits(
                set: [("X-Forwarded-For", "hidden")], add: [("A", "3")],
                remove: ["b", "x-forwarded-proto", "x-forwarded-host"]))
        #expect(lines(request).dropFirst(2) == ["A: 1", "X-Forwarded-For: hidden", "A: 3"])
    }

    @Test func `is named once, whatever the client called it`() {
        var request = request([
            "x-request-id: theirs", "traceparent: theirs", "X-Request-ID: again", "tracestate: kept",
        ])
        request.name(Array("ours".utf8), traceparent: Array("00-1-2-01".utf8))
        #expect(
            lines(request).dropFirst(2) == ["tracestate: kept", "X-Request-ID: ours", "traceparent: 00-1-2-01"])
    }
}
