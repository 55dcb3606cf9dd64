import SluiceHTTP
import Testing

@Suite struct `Windows of HTTP/2` {
    private static let initialWindow: UInt32 = 4

    /// A client that gives no window by itself, and a stream of it whose response has begun.
    private func begun(window: UInt32, streams: Int = 1) throws -> (HTTP2Peer, [Int32]) {
        let peer = try HTTP2Peer(settings: [(Self.initialWindow, window)], givesWindow: false)
        let ids = (0..<streams).map { _ in peer.request() }
        peer.talk()
        for id in ids {
            peer.server.respond(id, ResponseHead(status: 200, body: .untilClose), hasBody: true)
            peer.server.setTag(UInt64(id) * 10, stream: id)
        }
        peer.talk()
        _ = peer.took()
        return (peer, ids)
    }

    private func some(_ count: Int, of byte: UInt8 = 97) -> [UInt8] { [UInt8](repeating: byte, count: count) }

    @Test func `a write takes what the window has, and the rest is said to fit when it opens`() throws {
        let (peer, ids) = try begun(window: 100)
        let id = ids[0]
        #expect(peer.server.room(id) == 100)
        #expect(write(peer.server, id, some(150)) == 100)
        #expect(peer.server.room(id) == 0)
        #expect(!peer.server.isOutputFull)
        #expect(write(peer.server, id, some(50)) == 0)
        peer.talk()
        #expect(peer.took().isEmpty)
        peer.giveWindow(id, 30)
        peer.talk()
        #expect(peer.took().map(summary) == ["writable 1 10"])
        #expect(write(peer.server, id, some(50)) == 30)
        peer.giveWindow(id, 1000)
        peer.talk()
        #expect(peer.took().map(summary) == ["writable 1 10"])
        #expect(write(peer.server, id, some(20)) == 20)
        peer.giveWindow(id, 1000)
        peer.talk()
        // It wants nothing any more.
        #expect(peer.took().isEmpty)
        #expect(peer.answer(id).body == some(150))
    }

    @Test func `the connection's window bounds the room of each stream`() throws {
        let (peer, ids) = try begun(window: 100_000)
        #expect(peer.server.room(ids[0]) == 65_535)
        #expect(peer.server.room(ids[0] + 2) == 0)
    }

    @Test func `a window of nothing takes nothing, and ends when it may`() throws {
        let (peer, ids) = try begun(window: 0)
        let id = ids[0]
        #expect(write(peer.server, id, some(5)) == 0)
        peer.server.end(id)
        peer.talk()
        #expect(!peer.answer(id).hasEnded)
        peer.giveWindow(id, 1)
        peer.talk()
        #expect(peer.answer(id).hasEnded && peer.answer(id).body.isEmpty)
        #expect(peer.took().map(summary) == ["closed 1 10 0"])
    }

    @Test func `a new initial window counts for open streams, below nothing too`() throws {
        let (peer, ids) = try begun(window: 100)
        let id = ids[0]
        #expect(write(peer.server, id, some(60)) == 60)
        peer.settings((Self.initialWindow, 10))
        peer.talk()
        #expect(write(peer.server, id, some(60)) == 0)
        peer.giveWindow(id, 50)
        peer.talk()
        // 100 - 60 - 90 + 50: still nothing.
        #expect(peer.server.room(id) == 0)
        #expect(peer.took().isEmpty)
        peer.settings((Self.initialWindow, 15))
        peer.talk()
        #expect(peer.took().map(summary) == ["writable 1 10"])
        #expect(write(peer.server, id, some(60)) == 5)
    }

    @Test func `a connection's window that one stream uses up makes the others wait, and then all have their turn`()
        throws
    {
        let (peer, ids) = try begun(window: 1 << 20, streams: 3)
        #expect(write(peer.server, ids[0], some(70_000)) == 65_535)
        // The output is full as well; once it is not, the connection's window is what stops it.
        peer.talk()
        for id in ids { #expect(write(peer.server, id, some(1000)) == 0) }
        var served: [Int32] = []
        for _ in 0..<6 {
            peer.giveWindow(0, 1000)
            peer.talk()
            for event in peer.took() {
                guard case .writable(let id, _) = event else { continue }
                if write(peer.server, id, some(1500)) > 0 { served.append(id) }
            }
        }
        #expect(served == [1, 3, 5, 1, 3, 5])
    }

    @Test func `no more is taken than the output has room for`() throws {
        let (peer, ids) = try begun(window: 1 << 30, streams: 2)
        peer.giveWindow(0, 1 << 30)
        peer.talk()
        let taken = write(peer.server, ids[0], some(1 << 20))
        #expect(taken >= HTTP2Session.outputLimit && taken < HTTP2Session.outputLimit + 2 * 16384)
        #expect(peer.server.isOutputFull)
        #expect(unsafe peer.server.output.count < HTTP2Session.outputLimit + 2 * 16384)
        #expect(write(peer.server, ids[0], some(1)) == 0)
        #expect(write(peer.server, ids[1], some(1)) == 0)
        // Nor does anything else grow it.
        peer.server.end(ids[1])
        peer.talk()
        #expect(!peer.server.isOutputFull)
        #expect(write(peer.server, ids[0], some(10)) == 10)
        peer.talk()
        #expect(peer.answer(ids[1]).hasEnded)
        // It was not the window that stopped it.
        #expect(peer.took().allSatisfy { if case .writable = $0 { false } else { true } })
        #expect(peer.answer(ids[0]).body.count == taken + 10)
    }

    @Test func `a response that begins while the output is full is sent later, whole`() throws {
        let (peer, ids) = try begun(window: 1 << 20, streams: 1)
        peer.giveWindow(0, 1 << 20)
        let late = peer.request()
        peer.talk()
        write(peer.server, ids[0], some(1 << 20))
        peer.server.respond(late, ResponseHead(status: 200, body: .untilClose), hasBody: true)
        #expect(write(peer.server, late, some(5)) == 0)
        #expect(peer.server.isOutputFull)
        peer.talk()
        #expect(peer.answer(late).status == "200")
        #expect(write(peer.server, late, some(5)) == 5)
        peer.server.end(late)
        peer.talk()
        #expect(peer.answer(late).body == some(5) && peer.answer(late).hasEnded)
    }

    @Test func `the output can be taken in any pieces`() throws {
        let (peer, ids) = try begun(window: 1 << 20)
        write(peer.server, ids[0], some(1000))
        var sent: [UInt8] = []
        while let byte = unsafe peer.server.output.first {
            sent.append(byte)
            peer.server.consumeOutput(1)
        }
        #expect(sent.count == 1009)
        #expect(!peer.server.hasOutput)
        peer.server.consumeOutput(5)
        peer.server.consumeOutput(-5)
        #expect(write(peer.server, ids[0], some(3)) == 3)
        #expect(unsafe peer.server.output.count == 12)
    }

    // MARK: Bodies of requests

    @Test func `a body that nobody uses stops at its window, and goes on when it was used`() throws {
        let peer = try HTTP2Peer()
        let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let id = peer.request(HTTP2Peer.post(), body: body)
        peer.talk()
        var got: [UInt8] = []
        func take() -> Int {
            let start = got.count
            for case .body(_, _, let bytes) in peer.took() { got += bytes }
            return got.count - start
        }
        #expect(take() == 65_535)
        peer.talk()
        #expect(take() == 0)
        var rest = 65_535
        while rest > 0 {
            peer.server.consumed(id, rest)
            peer.talk()
            rest = take()
        }
        #expect(got == body)
        // More than there was to use does no harm.
        peer.server.consumed(id, .max)
        #expect(peer.isOpen)
    }

    @Test func `what streams left unused does not use up the connection`() throws {
        let peer = try HTTP2Peer()
        for round in 0..<60 {
            let id = peer.request(HTTP2Peer.post(), body: some(60_000), ends: false)
            peer.talk()
            #expect(peer.took().contains { if case .body = $0 { true } else { false } }, "round \(round)")
            if round % 2 == 0 { peer.server.reset(id, error: 8) } else { peer.reset(id) }
            peer.talk()
            peer.server.consumed(id, 60_000)
            peer.now += 1000
        }
        #expect(peer.isOpen && peer.seen.goAways.isEmpty)
    }

    @Test func `more than the window is an error of the stream or the connection`() throws {
        let peer = try RawPeer()
        peer.send(request(1, HTTP2Peer.post(), ends: false))
        for _ in 0..<4 { peer.send(frame(.data, stream: 1, some(16384))) }
        #expect(peer.got(.reset) == ["reset 1 3"])
        #expect(peer.took().last == "closed 1 0 3")
        #expect(peer.isOpen)
    }
}
