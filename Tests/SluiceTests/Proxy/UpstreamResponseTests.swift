import SluiceHTTP
import Testing

@testable import Sluice

@Suite struct `An upstream's answer` {
    private func response(
        _ fields: [String], _ body: BodyFraming = .chunked, status: UInt16 = 200, to version: HTTPVersion = .http11
    ) -> UpstreamResponse {
        let head = ResponseHead(status: status, fields: FieldBlock(text: fields), body: body, version: .http10)
        return UpstreamResponse(head, to: version)
    }

    @Test(arguments: [
        ("text/event-stream", true), ("Text/Event-Stream", true), ("text/event-stream;charset=UTF-8", true),
        ("text/event-stream ; x=y", true), ("text/event-streams", false), ("text/event", false), ("text/plain", false),
        ("application/text/event-stream", false), ("", false),
    ])
    func `is a stream of events by its media type`(type: String, isStream: Bool) {
        #expect(response(["Content-Type: \(type)"]).kind == (isStream ? .events : .ordinary))
    }

    @Test(arguments: [
        (["X-Accel-Buffering: no"], UpstreamResponse.Kind.stream), (["x-accel-buffering: NO"], .stream),
        (["X-Accel-Buffering: yes"], .ordinary), (["X-Accel-Buffering: nothing"], .ordinary),
        (["Incremental: ?1"], .stream), (["Incremental: ?0"], .ordinary), (["Incremental: 1"], .ordinary),
        (["Content-Type: application/json", "X-Accel-Buffering: no"], .stream), ([], .ordinary),
        (["Content-Type: text/event-stream", "X-Accel-Buffering: no", "Incremental: ?1"], .events),
    ])
    func `is a stream where it says that it must not be held back`(fields: [String], kind: UpstreamResponse.Kind) {
        for body in [BodyFraming.chunked, .untilClose] { #expect(response(fields, body).kind == kind) }
    }

    @Test(arguments: [
        (["Content-Encoding: gzip"], UpstreamResponse.Kind.stream), (["content-encoding: br"], .stream),
        (["Content-Encoding: identity, gzip"], .stream), (["Content-Encoding: identity"], .events),
        (["Content-Encoding: Identity"], .events), (["Content-Encoding: identity", "Content-Encoding: gzip"], .stream),
    ])
    func `may get comments where its events are readable`(fields: [String], kind: UpstreamResponse.Kind) {
        #expect(response(["Content-Type: text/event-stream"] + fields).kind == kind)
    }

    @Test func `may get comments where its length is open`() {
        let fields = ["Content-Type: text/event-stream"]
        #expect(response(fields, .chunked).kind == .events)
        #expect(response(fields, .untilClose).kind == .events)
        #expect(response(fields, .length(10)).kind == .stream)
        #expect(response(fields, .none).kind == .stream)
    }

    @Test(arguments: [
        (BodyFraming.none, HTTPVersion.http10, BodyFraming.none), (.none, .http11, .none), (.none, .http2, .none),
        (.length(5), .http10, .length(5)), (.length(5), .http11, .length(5)), (.length(5), .http2, .length(5)),
        (.chunked, .http10, .untilClose), (.chunked, .http11, .chunked), (.chunked, .http2, .chunked),
        (.untilClose, .http10, .untilClose), (.untilClose, .http11, .chunked), (.untilClose, .http2, .chunked),
    ])
    func `has an end that its client can see`(body: BodyFraming, version: HTTPVersion, expected: BodyFraming) {
        let head = response([], body, to: version).head
        #expect(head.body == expected)
        #expect(head.version == version)
    }

    @Test func `comes as it is, without what is of its connection`() {
        let said = [
            "Server: x", "Connection: keep-alive, X-Hop", "set-cookie: a=1", "X-Hop: 1", "Keep-Alive: timeout=5",
            "Set-Cookie: b=2", "Transfer-Encoding: chunked", "Trailer: X", "X-Accel-Buffering: no",
        ]
        let head = response(said, status: 418).head
        #expect(head.status == 418)
        #expect(
            head.fields.text == [
                "Server: x", "set-cookie: a=1", "Set-Cookie: b=2", "Trailer: X", "X-Accel-Buffering: no",
            ])
    }
}
