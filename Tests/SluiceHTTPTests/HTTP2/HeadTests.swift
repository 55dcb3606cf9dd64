import SluiceHTTP
import Testing

@Suite struct `Heads of HTTP/2` {
    private func outcome(_ input: [UInt8]) throws -> String {
        let peer = try RawPeer()
        _ = peer.got()
        #expect(peer.send(input))
        return (peer.took() + peer.got(.reset, .goAway)).joined(separator: ", ")
    }

    @Test(arguments: acceptedHeads) func `are taken`(_ head: HeadCase) throws {
        let outcome = try outcome(request(1, head.fields, ends: head.ends))
        #expect(outcome == head.expected + (head.ends ? ", bodyEnd 1 0" : ""))
    }

    @Test(arguments: refusedHeads) func `are refused`(_ head: HeadCase) throws {
        // What nghttp2 resets by itself was never said, so nothing is said of its end either.
        #expect(try outcome(request(1, head.fields, ends: head.ends)) == head.expected)
    }

    @Test(arguments: acceptedHeads + refusedHeads)
    func `say the same byte by byte, and leave the connection as it was`(_ head: HeadCase) throws {
        let whole = try RawPeer()
        let parts = try RawPeer()
        let fields = block(head.fields)
        let input = headers(1, fields, ends: head.ends, pieces: fields.count / 6 + 1)
        #expect(whole.send(input) && whole.send(request(3)))
        for byte in input + request(3) { #expect(parts.send([byte])) }
        #expect(parts.took() == whole.took())
        #expect(parts.got(.reset) == whole.got(.reset))
    }

    private func head(_ fields: [(String, String)]) throws -> RequestHead? {
        let peer = try RawPeer()
        peer.send(request(1, fields))
        guard case .head(_, let head)? = peer.events.first else { return nil }
        return head
    }

    @Test func `have the fields of HTTP-1, with one Host and one Cookie`() throws {
        let crumbs = [("cookie", "a=b"), ("x", "y"), ("cookie", "c=d"), ("cookie", ""), ("cookie", "e")]
        let head = try head(HTTP2Peer.get("/p?q", crumbs))
        #expect(list(head?.fields) == " [cookie: a=b; c=d; ; e; x: y; host: a.example]")
        #expect(head?.fields.string(.host) == "a.example")
        #expect(head?.fields.all(.cookie).count == 1)
        #expect(head.map { text($0.path) } == "/p")
        #expect(head?.query.map(text) == "q")
        #expect(head?.version == .http2 && head?.keepAlive == true)
        #expect(
            try self.head(HTTP2Peer.get("/", [("host", "a.example"), ("cookie", "1")])).map { list($0.fields) }
                == " [host: a.example; cookie: 1]")
    }

    @Test func `become one request of HTTP-1`() throws {
        let crumbs = [("cookie", "a=b"), ("cookie", "c=d"), ("te", "trailers")]
        guard let head = try head(HTTP2Peer.get("/p?q", crumbs)) else { return #expect(Bool(false)) }
        var output: [UInt8] = []
        HTTP1Serializer.append(head, to: &output)
        #expect(
            text(output)
                == text(
                    bytes(
                        "GET /p?q HTTP/1.1\r\nHost: a.example\r\ncookie: a=b; c=d\r\nte: trailers\r\nConnection: TE\r\n\r\n"
                    ))
        )
        #expect(runRequests(output).lines == ["GET /p?q host=a.example", "end"])
    }

    @Test func `may fill the limits`() throws {
        let path = "/" + String(repeating: "a", count: 8188)
        #expect(try outcome(request(1, HTTP2Peer.get(path))) == "head 1 GET \(path) host=a.example, bodyEnd 1 0")
        let fields = (0..<100).map { ("x\($0)", "y") }
        #expect(try outcome(request(1, HTTP2Peer.get("/", fields))) == "head 1 GET / host=a.example, bodyEnd 1 0")
    }

    @Test func `that are refused leave the table of fields as the client thinks it is`() throws {
        let peer = try RawPeer()
        let start = block(HTTP2Peer.get("/a#b"))
        peer.send(headers(1, start + indexed("x-kept", "value")))
        peer.send(headers(3, block(HTTP2Peer.get()) + [0x80 | 62]))
        guard case .head(_, let head)? = peer.events.last(where: { if case .head = $0 { true } else { false } }) else {
            return #expect(Bool(false))
        }
        #expect(text(head.fields.first(named: "x-kept") ?? []) == "value")
    }

    @Test func `whose body is refused throw it away, and give its window back`() throws {
        let peer = try RawPeer()
        _ = peer.got()
        peer.send(request(1, HTTP2Peer.post("/#"), ends: false))
        for _ in 0..<3 { peer.send(frame(.data, stream: 1, [UInt8](repeating: 1, count: 16384))) }
        #expect(peer.took() == ["refused 1 400: fragment in the request target"])
        // Until the response ends nothing makes the client stop; then it is reset without an error.
        peer.session.respond(1, ResponseHead(status: 400, body: .length(0)), hasBody: false)
        #expect(peer.got(.headers, .reset).suffix(2).last == "reset 1 0")
        #expect(peer.took() == ["closed 1 0 0"])
        // What comes late is no harm.
        #expect(peer.send(frame(.data, flags: 1, stream: 1, [1])))
        for stream in UInt32(0)..<40 {
            let id = 2 * stream + 3
            peer.send(request(id, HTTP2Peer.post("/#"), ends: false))
            for _ in 0..<3 { peer.send(frame(.data, stream: id, [UInt8](repeating: 1, count: 16384))) }
            peer.send(frame(.reset, stream: id, bigEndian(8)))
        }
        #expect(peer.isOpen)
        #expect(!peer.got(.windowUpdate).isEmpty)
    }
}
