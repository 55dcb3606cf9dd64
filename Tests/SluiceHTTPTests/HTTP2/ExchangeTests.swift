import SluiceHTTP
import Testing

@Suite struct `An exchange of HTTP/2` {
    @Test func `a request comes out whole, and its response goes in`() throws {
        let peer = try HTTP2Peer()
        let id = peer.request(HTTP2Peer.get("/a?b", [("accept", "text/event-stream")]))
        peer.talk()
        let events = peer.took()
        #expect(events.map(summary) == ["head 1 GET /a?b host=a.example", "bodyEnd 1 0"])
        peer.server.setTag(7, stream: id)
        var fields = FieldBlock()
        fields.append(.contentType, "text/event-stream")
        fields.append(.connection, "close")
        peer.server.respond(id, ResponseHead(status: 200, fields: fields, body: .untilClose), hasBody: true)
        #expect(write(peer.server, id, "data: 1\n\n") == 9)
        peer.talk()
        #expect(peer.answer(id).fields.map(\.name) == [":status", "content-type"])
        #expect(peer.answer(id).body == bytes("data: 1\n\n"))
        #expect(!peer.answer(id).hasEnded)
        peer.server.end(id)
        peer.talk()
        #expect(peer.answer(id).closed == 0)
        #expect(peer.took().map(summary) == ["closed 1 7 0"])
        #expect(peer.server.openStreams == 0)
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
func write(_ session: HTTP2Session, _ id: Int32, _ text: String) -> Int {
    unsafe bytes(text).withUnsafeBytes { unsafe session.write(id, $0) }
}
