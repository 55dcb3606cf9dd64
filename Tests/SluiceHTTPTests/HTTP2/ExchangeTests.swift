import SluiceHTTP
import Testing

@Suite struct `An exchange of HTTP/2` {
    private func fields(_ pairs: (FieldID, String)...) -> FieldBlock {
        var fields = FieldBlock()
        for (id, value) in pairs { fields.append(id, value) }
        return fields
    }

    @Test func `a request comes out whole, and its response goes in`() throws {
        let peer = try HTTP2Peer()
        let id = peer.request(HTTP2Peer.get("/a?b", [("accept", "text/event-stream")]))
        peer.talk()
        #expect(peer.took().map(summary) == ["head 1 GET /a?b host=a.example", "bodyEnd 1 0"])
        peer.server.setTag(7, stream: id)
        let head = ResponseHead(status: 200, fields: fields((.contentType, "text/event-stream")), body: .untilClose)
        peer.server.respond(id, head, hasBody: true)
        #expect(write(peer.server, id, "data: 1\n\n") == 9)
        peer.talk()
        #expect(peer.answer(id).fields.map(\.name) == [":status", "content-type"])
        #expect(peer.answer(id).body == bytes("data: 1\n\n"))
        #expect(!peer.answer(id).hasEnded)
        peer.server.end(id)
        #expect(write(peer.server, id, "more") == 0)
        peer.talk()
        #expect(peer.answer(id).closed == 0)
        #expect(peer.took().map(summary) == ["closed 1 7 0"])
        #expect(peer.server.openStreams == 0)
    }

    @Test func `names are written small, and HTTP-1's connection is left out`() throws {
        let peer = try HTTP2Peer()
        let id = peer.request()
        peer.talk()
        var sent = fields(
            (.connection, "close"), (.keepAlive, "1"), (.proxyConnection, "x"), (.transferEncoding, "chunked"),
            (.upgrade, "h2c"), (.contentLength, "99"), (.server, "s"))
        sent.append(name: "X-Own", value: "A")
        peer.server.respond(id, ResponseHead(status: 404, fields: sent, body: .length(3)), hasBody: true)
        write(peer.server, id, "abc")
        peer.server.end(id)
        peer.talk()
        let names = peer.answer(id).fields.map { "\($0.name)=\($0.value)" }
        #expect(names == [":status=404", "server=s", "x-own=A", "content-length=3"])
        #expect(peer.answer(id).hasEnded && peer.answer(id).body == bytes("abc"))
    }

    @Test func `a HEAD is told the length that a GET would have`() throws {
        let peer = try HTTP2Peer()
        let head = peer.request([(":method", "HEAD")] + HTTP2Peer.get().dropFirst())
        let get = peer.request()
        let none = peer.request()
        peer.talk()
        let length = fields((.contentLength, "12"))
        peer.server.respond(head, ResponseHead(status: 200, fields: length), hasBody: false)
        peer.server.respond(get, ResponseHead(status: 200, fields: length), hasBody: false)
        peer.server.respond(none, ResponseHead(status: 204, body: .length(0)), hasBody: false)
        peer.talk()
        #expect(peer.answer(head).value("content-length") == "12")
        #expect(peer.answer(get).value("content-length") == nil && peer.answer(get).status == "200")
        #expect(peer.answer(none).value("content-length") == nil && peer.answer(none).status == "204")
        #expect([head, get, none].allSatisfy { peer.answer($0).closed == 0 })
    }

    @Test func `interim responses come before the final one`() throws {
        let peer = try HTTP2Peer()
        let id = peer.request(HTTP2Peer.post("/", [("expect", "100-continue")]), body: [], ends: false)
        peer.talk()
        peer.server.inform(id, status: 100, fields: FieldBlock())
        peer.server.inform(id, status: 103, fields: fields((.link, "</a>; rel=preload")))
        peer.write(id, bytes("abc"), ends: true)
        peer.talk()
        peer.server.respond(id, ResponseHead(status: 200, body: .length(0)), hasBody: false)
        peer.server.inform(id, status: 103, fields: FieldBlock())
        peer.talk()
        #expect(peer.answer(id).interim == ["100", "103"])
        #expect(peer.answer(id).status == "200")
        #expect(
            peer.took().map(summary) == [
                "head 1 POST / host=a.example chunked expect", "body 1 0 abc", "bodyEnd 1 0", "closed 1 0 0",
            ])
    }

    @Test func `the first response stands, and none is sent for a stream that is not there`() throws {
        let peer = try HTTP2Peer()
        let id = peer.request()
        peer.talk()
        for stream: Int32 in [id, id, 0, -1, 3, .min, .max] {
            peer.server.respond(stream, ResponseHead(status: 200, body: .length(0)), hasBody: false)
            peer.server.inform(stream, status: 103, fields: FieldBlock())
            peer.server.end(stream)
            peer.server.setTag(1, stream: stream)
            peer.server.consumed(stream, 5)
            peer.server.consumed(stream, .min)
            #expect(write(peer.server, stream, "x") == 0)
        }
        for stream: Int32 in [0, -1, 3, .min, .max] { peer.server.reset(stream, error: 8) }
        peer.talk()
        #expect(peer.answer(id).status == "200")
        #expect(peer.seen.answers.count == 1)
        #expect(peer.isOpen && peer.seen.goAways.isEmpty)
    }

    @Test func `a body comes in, and its trailers`() throws {
        let peer = try RawPeer()
        peer.send(request(1, HTTP2Peer.post(), ends: false))
        peer.session.setTag(5, stream: 1)
        peer.send(frame(.data, stream: 1, bytes("abc")) + frame(.data, stream: 1, bytes("def")))
        peer.send(headers(1, block([("x-sum", "1"), ("expires", "never"), ("content-type", "a/b")])))
        #expect(
            peer.took() == [
                "head 1 POST / host=a.example chunked", "body 1 5 abcdef",
                "bodyEnd 1 5 [x-sum: 1; expires: never]",
            ])
    }

    @Test(arguments: [
        [("content-length", "3")], [("authorization", "x")], [("host", "b")], [("x", "a\nb")], [(":path", "/")],
        (0..<101).map { ("x\($0)", "y") },
    ])
    func `trailers that must not be are reset`(trailers: [(String, String)]) throws {
        let peer = try RawPeer()
        peer.send(request(1, HTTP2Peer.post("/", [("content-length", "0")]), ends: false))
        peer.send(headers(1, block(trailers)))
        #expect(peer.took() == ["head 1 POST / host=a.example length(0)", "closed 1 0 1"])
        #expect(peer.got(.reset) == ["reset 1 1"])
        #expect(peer.isOpen)
    }

    @Test func `trailers that do not end the stream are reset`() throws {
        let peer = try RawPeer()
        peer.send(request(1, HTTP2Peer.post(), ends: false))
        peer.send(headers(1, block([("x", "y")]), ends: false))
        #expect(peer.got(.reset) == ["reset 1 1"])
    }

    @Test(arguments: [("abcd", "closed 1 0 1"), ("ab", "closed 1 0 1"), ("", "closed 1 0 1")])
    func `a body that is not as long as it said is reset`(body: String, last: String) throws {
        let peer = try RawPeer()
        peer.send(request(1, HTTP2Peer.post("/", [("content-length", "3")]), ends: false))
        peer.send(frame(.data, flags: 1, stream: 1, bytes(body)))
        #expect(peer.took().last == last)
        #expect(peer.got(.reset) == ["reset 1 1"])
    }

    @Test func `a response that is complete before its request resets what is left of it`() throws {
        let peer = try HTTP2Peer()
        let id = peer.request(HTTP2Peer.post(), body: bytes("abc"), ends: false)
        peer.talk()
        peer.server.respond(id, ResponseHead(status: 403, body: .length(2)), hasBody: true)
        write(peer.server, id, "no")
        peer.server.end(id)
        peer.talk()
        #expect(peer.answer(id).status == "403" && peer.answer(id).body == bytes("no") && peer.answer(id).hasEnded)
        #expect(peer.answer(id).closed == 0)
        #expect(peer.took().map(summary).last == "closed 1 0 0")
    }

    @Test func `a tag goes with everything that is said after it, also of a stream that was opened and reset at once`()
        throws
    {
        let session = try HTTP2Session(limits: HTTP2Limits())
        let input =
            opening + request(1, HTTP2Peer.post(), ends: false) + frame(.data, stream: 1, bytes("a"))
            + frame(.reset, stream: 1, bigEndian(8)) + request(3)
        #expect(unsafe input.withUnsafeBytes { unsafe session.receive($0, nowMilliseconds: 1) })
        var lines: [String] = []
        while let event = session.nextEvent() {
            lines.append(summary(event))
            if case .head(let id, _) = event { session.setTag(UInt64(id) + 10, stream: id) }
        }
        #expect(
            lines == [
                "head 1 POST / host=a.example chunked", "body 1 11 a", "closed 1 11 8", "head 3 GET / host=a.example",
                "bodyEnd 3 13",
            ])
        #expect(session.openStreams == 1)
    }

    @Test func `a head of many frames is sent, and one that is far too large ends its stream`() throws {
        let peer = try HTTP2Peer()
        let (good, bad) = (peer.request(), peer.request())
        peer.talk()
        var large = FieldBlock()
        for index in 0..<5 { large.append(name: "x\(index)", value: String(repeating: "~", count: 6000)) }
        peer.server.respond(good, ResponseHead(status: 200, fields: large, body: .length(0)), hasBody: false)
        for index in 0..<100 { large.append(name: "y\(index)", value: String(repeating: "~", count: 6000)) }
        peer.server.respond(bad, ResponseHead(status: 200, fields: large, body: .untilClose), hasBody: true)
        peer.talk()
        #expect(peer.answer(good).fields.count == 7 && peer.answer(good).hasEnded)
        #expect(peer.answer(bad).closed == 2)
        #expect(peer.took().map(summary).suffix(1) == ["closed \(bad) 0 2"])
        #expect(peer.isOpen)
    }
}

/// An event in one line.
func summary(_ event: HTTP2Event) -> String {
    switch event {
    case .head(let id, let head): "head \(id) " + summary(head)
    case .refused(let id, let error): "refused \(id) \(error)"
    case .body(let id, let tag, let bytes): "body \(id) \(tag) \(text(bytes))"
    case .bodyEnd(let id, let tag, let trailers): "bodyEnd \(id) \(tag)" + list(trailers)
    case .closed(let id, let tag, let error): "closed \(id) \(tag) \(error)"
    case .writable(let id, let tag): "writable \(id) \(tag)"
    }
}

@discardableResult
func write(_ session: HTTP2Session, _ id: Int32, _ text: String) -> Int { write(session, id, bytes(text)) }

@discardableResult
func write(_ session: HTTP2Session, _ id: Int32, _ bytes: [UInt8]) -> Int {
    unsafe bytes.withUnsafeBytes { unsafe session.write(id, $0) }
}
