import SluiceHTTP
import Testing

@Suite struct `A connection of HTTP/2` {
    private func served(_ peer: HTTP2Peer, _ fields: [(String, String)] = HTTP2Peer.get()) -> Int32 {
        let id = peer.request(fields)
        peer.talk()
        peer.server.respond(id, ResponseHead(status: 200, body: .untilClose), hasBody: true)
        peer.talk()
        _ = peer.took()
        return id
    }

    @Test func `begins with settings that say what it takes`() throws {
        let peer = try RawPeer(HTTP2Limits(streams: 7, head: 1000), opening: [])
        peer.read()
        #expect(peer.frames.map(\.type) == [4, 8])
        #expect(peer.frames.first?.payload == setting(3, 7) + setting(6, 1000) + setting(9, 1))
        #expect(peer.frames.last?.payload == bigEndian((1 << 20) - 65_535))
        #expect(!peer.session.isOver && !peer.session.hasOutput)
        #expect(HTTP2Session.preface.count == 24)
    }

    @Test func `what is begun and not complete shows`() throws {
        let peer = try RawPeer(opening: [])
        #expect(peer.session.isHeadUnfinished)
        peer.send(opening)
        #expect(!peer.session.isHeadUnfinished)
        peer.send(Array(request(1).prefix(3)))
        #expect(peer.session.isHeadUnfinished)
        let whole = try RawPeer()
        for byte in headers(1, block(HTTP2Peer.get()), pieces: 40) {
            whole.send([byte])
            #expect(whole.session.isHeadUnfinished == whole.events.isEmpty)
        }
        #expect(!whole.session.isHeadUnfinished)
    }

    @Test func `the client resets a stream`() throws {
        let peer = try HTTP2Peer()
        let id = served(peer)
        peer.reset(id, 5)
        peer.talk()
        #expect(peer.took().map(summary) == ["closed 1 0 5"])
        #expect(write(peer.server, id, "x") == 0)
        #expect(peer.server.openStreams == 0)
        #expect(!peer.server.hasOutput)
    }

    @Test func `the server resets a stream, and what was not sent of it is not`() throws {
        let peer = try HTTP2Peer()
        let id = served(peer)
        write(peer.server, id, "data")
        peer.server.reset(id, error: HTTP2ErrorCode.cancel)
        #expect(write(peer.server, id, "more") == 0)
        peer.server.reset(id, error: 1)
        peer.talk()
        #expect(peer.answer(id).closed == 8 && peer.answer(id).body == bytes("data"))
        #expect(peer.took().map(summary) == ["closed 1 0 8"])
    }

    @Test func `a stream that goes while it waits for its window is not said to be writable`() throws {
        let peer = try HTTP2Peer(settings: [(4, 1)])
        let id = served(peer)
        #expect(write(peer.server, id, "ab") == 1)
        let input =
            frame(.windowUpdate, stream: UInt32(id), bigEndian(5)) + frame(.reset, stream: UInt32(id), bigEndian(8))
        peer.give(input)
        #expect(peer.took().map(summary) == ["closed 1 0 8"])
    }

    @Test func `streams over the limit are refused or end the connection`() throws {
        let early = try RawPeer(HTTP2Limits(streams: 2), opening: HTTP2Session.preface + frame(.settings))
        early.send(request(1) + request(3) + request(5))
        #expect(early.got(.reset) == ["reset 5 7"])
        #expect(early.session.openStreams == 2)
        let late = try RawPeer(HTTP2Limits(streams: 2))
        #expect(!late.send(request(1) + request(3) + request(5)))
        #expect(late.got(.goAway) == ["goAway 1"])
        #expect(late.session.isOver)
    }

    @Test func `drains: it is announced, then no more streams are taken, then the last one ends`() throws {
        let peer = try HTTP2Peer()
        let id = served(peer)
        peer.server.beginDrain()
        let late = peer.clientBytes() + request(3)
        peer.flush()
        #expect(peer.seen.goAways.map(\.last) == [.max] && peer.seen.goAways[0].error == 0)
        #expect(peer.give(late))
        #expect(peer.took().map(summary).first == "head 3 GET / host=a.example")
        peer.server.goAway(error: HTTP2ErrorCode.none)
        peer.flush()
        #expect(peer.seen.goAways.last?.last == 3)
        #expect(peer.give(request(5)))
        #expect(peer.took().isEmpty)
        // The open ones go on.
        #expect(write(peer.server, id, "data") == 4)
        peer.server.end(id)
        peer.flush()
        #expect(peer.answer(id).body == bytes("data") && peer.answer(id).hasEnded)
        #expect(!peer.server.isOver)
        peer.server.respond(3, ResponseHead(status: 204), hasBody: false)
        #expect(peer.server.isOver)
        #expect(!peer.give(frame(.ping, [UInt8](repeating: 0, count: 8))))
    }

    @Test func `drains at once when nothing is open`() throws {
        let peer = try HTTP2Peer()
        peer.server.goAway(error: 0)
        #expect(peer.server.hasOutput && peer.server.isOver)
        peer.talk()
        #expect(peer.seen.goAways.map(\.last) == [0])
    }

    @Test func `an error of ours is the last word`() throws {
        let peer = try HTTP2Peer()
        let id = served(peer)
        peer.server.goAway(error: HTTP2ErrorCode.internalError)
        peer.server.goAway(error: 1)
        #expect(peer.server.isOver)
        #expect(write(peer.server, id, "x") == 0)
        peer.server.respond(3, ResponseHead(status: 200), hasBody: false)
        peer.server.ping()
        peer.talk()
        #expect(peer.seen.goAways.map(\.error) == [2])
    }

    @Test func `nothing is written behind the last word`() throws {
        let peer = try HTTP2Peer()
        let id = served(peer)
        #expect(!peer.give(frame(.ping, [1])))
        let count = unsafe peer.server.output.count
        #expect(count > 0)
        #expect(write(peer.server, id, "x") == 0)
        peer.server.end(id)
        peer.server.reset(id, error: 8)
        #expect(unsafe peer.server.output.count == count)
    }

    @Test func `the client leaves`() throws {
        let peer = try RawPeer()
        peer.send(request(1))
        #expect(peer.send(frame(.goAway, bigEndian(0) + bigEndian(0))))
        peer.session.respond(1, ResponseHead(status: 200), hasBody: false)
        #expect(peer.session.isOver)
        #expect(peer.got(.headers).count == 1)
    }

    @Test func `asks whether the client is there, once at a time`() throws {
        let peer = try HTTP2Peer()
        #expect(!peer.server.awaitsPing)
        peer.server.ping()
        peer.server.ping()
        #expect(peer.server.awaitsPing)
        peer.talk()
        #expect(!peer.server.awaitsPing)
        #expect(peer.seen.pings == 1)
        peer.ping()
        peer.talk()
        #expect(peer.seen.pongs == 1)
    }

    /// What no client sends behind what a client sends first, and the error it gets.
    private static let endings: [([UInt8], Int)] = [
        (frame(.data, stream: 0, [1]), 1),
        (frame(.data, stream: 1, [1]), 1),
        (frame(.headers, flags: 5, stream: 2, block(HTTP2Peer.get())), 1),
        (frame(.headers, flags: 5, stream: 1, [0x80]), 9),
        (frame(.headers, flags: 5, stream: 1, [0xFF, 0xFF]), 9),
        (frame(.continuation, stream: 1, []), 1),
        (frame(.ping, [1]), 6),
        (frame(.windowUpdate, bigEndian(0)), 1),
        (frame(.windowUpdate, bigEndian(.max >> 1)), 3),
        (frame(.windowUpdate, stream: 1, bigEndian(1)), 1),
        (frame(.reset, stream: 1, bigEndian(8)), 1),
        (frame(.settings, setting(4, .max)), 3),
        (frame(.settings, setting(5, 1)), 1),
        (frame(.settings, flags: 1), 1),
        (frame(.pushPromise, flags: 4, stream: 1, bigEndian(2)), 1),
        ([0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0, 1], 6),
    ]

    @Test func `what is no HTTP-2 ends it`() throws {
        for start in [bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HTTP2Session.preface + request(1)] {
            let peer = try RawPeer(opening: [])
            #expect(!peer.send(start))
            #expect(peer.got(.goAway) == ["goAway 1"])
        }
    }

    @Test(arguments: endings)
    func `what no client sends ends it with the reason`(input: [UInt8], error: Int) throws {
        let peer = try RawPeer()
        #expect(!peer.send(input))
        #expect(peer.got(.goAway) == ["goAway \(error)"])
        #expect(peer.session.isOver)
        #expect(!peer.send(request(3)))
        #expect(!peer.session.hasOutput)
    }
}
