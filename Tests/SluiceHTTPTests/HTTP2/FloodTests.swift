import SluiceHTTP
import Testing

/// Input that a client repeats, and after how many times at the latest it is stopped.
struct Flood: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let most: Int
    /// What is sent once before.
    let start: [UInt8]
    let input: @Sendable (UInt32) -> [UInt8]

    init(
        _ name: String, _ most: Int, start: [UInt8] = [], _ input: @escaping @Sendable (_ stream: UInt32) -> [UInt8]
    ) {
        testDescription = name
        self.most = most
        self.start = start
        self.input = input
    }
}

private let post = HTTP2Peer.post()
private let sized = HTTP2Peer.post("/", [("content-length", "1")])
private let openPost = request(1, post, ends: false)

private let largeField = indexed("x", String(repeating: "y", count: 3000))

/// Floods, each as one that was or could have been an attack. Streams are new each time.
let floods: [Flood] = [
    Flood("PING", 1100) { _ in frame(.ping, bigEndian(0) + bigEndian(0)) },
    Flood("answers to no PING", 1100) { _ in frame(.ping, flags: 1, bigEndian(0) + bigEndian(0)) },
    Flood("SETTINGS", 600) { _ in frame(.settings, setting(4, 1000)) },
    Flood("empty SETTINGS", 600) { _ in frame(.settings) },
    Flood("PRIORITY", 11_000) { frame(.priority, stream: $0, bigEndian(0) + [16]) },
    Flood("unknown frames", 11_000) { WireFrame(type: 77, flags: 0, stream: $0, payload: []).bytes },
    Flood("large unknown frames", 700) {
        WireFrame(type: 77, flags: 0, stream: $0, payload: [UInt8](repeating: 0, count: 16384)).bytes
    },
    Flood("GOAWAY", 11_000, start: request(1)) { _ in frame(.goAway, bigEndian(0) + bigEndian(0)) },
    Flood("WINDOW_UPDATE", 21_000) { _ in frame(.windowUpdate, bigEndian(1)) },
    Flood("WINDOW_UPDATE of a stream", 21_000, start: openPost) { _ in frame(.windowUpdate, stream: 1, bigEndian(1)) },
    Flood("empty DATA", 1100, start: openPost) { _ in frame(.data, stream: 1) },
    Flood("empty DATA of a stream that is over", 1100, start: request(1) + frame(.reset, stream: 1, bigEndian(8))) {
        _ in
        frame(.data, stream: 1)
    },
    Flood("DATA of one byte", 21_000, start: openPost) { _ in frame(.data, stream: 1, [1]) },
    Flood("heads of a stream that is over", 21_000, start: request(1) + frame(.reset, stream: 1, bigEndian(8))) { _ in
        request(1)
    },
    Flood("rapid reset", 340) { request($0) + frame(.reset, stream: $0, bigEndian(8)) },
    Flood("rapid reset with bodies", 340) { request($0, post, ends: false) + frame(.reset, stream: $0, bigEndian(8)) },
    Flood("resets of ours: a window that overflows", 340) {
        request($0) + frame(.windowUpdate, stream: $0, bigEndian(.max >> 1))
    },
    Flood("resets of ours: a body that is too long", 340) {
        request($0, sized, ends: false) + frame(.data, stream: $0, [1, 2])
    },
    Flood("resets of ours: a body that is too short", 340) {
        request($0, sized, ends: false) + frame(.data, flags: 1, stream: $0)
    },
    Flood("resets of ours: a bad head", 340) { request($0, HTTP2Peer.get("/", [("X", "y")])) },
    Flood("resets of ours: trailers that do not end", 340) {
        request($0, post, ends: false) + headers($0, block([("x", "y")]), ends: false)
    },
    Flood("heads that are refused", 340) { request($0, HTTP2Peer.get("/#")) },
    Flood(
        "heads of many fields", 2,
        start: headers(1, block(HTTP2Peer.get()) + indexed("x", String(repeating: "y", count: 3000)))
    ) {
        headers($0, block(HTTP2Peer.get()) + [UInt8](repeating: 0x80 | 62, count: 16_000))
    },
    Flood("heads of many tiny fields", 2, start: headers(1, block(HTTP2Peer.get()) + indexed("x", ""))) {
        headers($0, block(HTTP2Peer.get()) + [UInt8](repeating: 0x80 | 62, count: 16_000))
    },
    Flood("heads of not so many, but large fields", 2, start: headers(1, block(HTTP2Peer.get()) + largeField)) {
        headers($0, block(HTTP2Peer.get()) + [UInt8](repeating: 0x80 | 62, count: 120))
    },
    Flood("heads of many bad fields", 2, start: headers(1, block(HTTP2Peer.get()) + indexed("x", "y\u{0}"))) {
        headers($0, block(HTTP2Peer.get()) + [UInt8](repeating: 0x80 | 62, count: 16_000))
    },
    Flood("heads that are large when they are decoded", 120, start: headers(1, block(HTTP2Peer.get()) + largeField)) {
        headers($0, block(HTTP2Peer.get()) + [UInt8](repeating: 0x80 | 62, count: 20))
            + frame(.reset, stream: $0, bigEndian(8))
    },
    Flood("CONTINUATION", 10, start: frame(.headers, stream: 1, block(HTTP2Peer.get()))) { _ in
        frame(.continuation, stream: 1, block([("x", "y")]))
    },
    Flood("empty CONTINUATION", 10, start: frame(.headers, stream: 1, block(HTTP2Peer.get()))) { _ in
        frame(.continuation, stream: 1)
    },
]

@Suite struct `Floods of HTTP/2` {
    /// Sends until it is stopped, serving what is asked for; how often that was.
    private func run(_ flood: Flood, on peer: RawPeer, most: Int) -> Int {
        for round in 1...most {
            let isOpen = peer.send(flood.input(UInt32(2 * round + 1)))
            for case .refused(let id, let error) in peer.events.suffix(2) {
                peer.session.respond(id, ResponseHead(status: error.status, body: .length(0)), hasBody: false)
            }
            #expect(peer.session.openStreams <= 128)
            if !isOpen { return round }
        }
        return .max
    }

    @Test(arguments: floods) func `end with ENHANCE_YOUR_CALM`(_ flood: Flood) throws {
        let peer = try RawPeer()
        peer.send(flood.start)
        #expect(run(flood, on: peer, most: flood.most + 1) <= flood.most)
        #expect(peer.got(.goAway) == ["goAway 11"])
        #expect(peer.session.isOver)
        #expect(!peer.send(flood.input(99_999)) && !peer.session.hasOutput)
    }

    @Test(arguments: floods) func `of a client that does not read stay small and end`(_ flood: Flood) throws {
        let peer = try RawPeer()
        peer.reads = false
        peer.send(request(99, HTTP2Peer.get()))
        peer.session.respond(99, ResponseHead(status: 200, body: .untilClose), hasBody: true)
        peer.send(frame(.windowUpdate, bigEndian(1 << 20)) + frame(.windowUpdate, stream: 99, bigEndian(1 << 20)))
        write(peer.session, 99, [UInt8](repeating: 0, count: 1 << 20))
        #expect(peer.session.isOutputFull)
        // What a stream's number is does not matter once it is over that of the first.
        let later = Flood(flood.testDescription, flood.most) { flood.input($0 + 100) }
        peer.send(flood.start)
        #expect(run(later, on: peer, most: flood.most + 1) <= flood.most)
        #expect(unsafe peer.session.output.count < 128 * 1024)
        #expect(peer.got(.goAway) == ["goAway 11"])
    }

    @Test func `that are slow end as well when the client reads no answer`() throws {
        let peer = try RawPeer()
        peer.reads = false
        var rounds = 0
        repeat {
            peer.now += 10
            rounds += 1
        } while peer.send(frame(.ping, bigEndian(0) + bigEndian(0))) && rounds < 10_000
        #expect(rounds * 17 > HTTP2Session.outputLimit && rounds * 17 < 3 * HTTP2Session.outputLimit)
        #expect(peer.got(.goAway) == ["goAway 11"])
    }

    @Test(arguments: floods) func `are stopped alike in one piece of input`(_ flood: Flood) throws {
        // Heads that nobody refuses meanwhile are too many streams.
        guard flood.most < 2000, flood.testDescription != "heads that are refused" else { return }
        let peer = try RawPeer()
        peer.send(flood.start)
        #expect(!peer.send((1...UInt32(flood.most)).flatMap { flood.input(2 * $0 + 1) }))
        #expect(peer.got(.goAway) == ["goAway 11"])
    }
}

@Suite struct `Busy clients of HTTP/2 that mean well` {
    private func streams(_ count: UInt32, on peer: RawPeer) {
        peer.send(frame(.windowUpdate, bigEndian(1 << 30)))
        for index in 0..<count {
            peer.send(request(2 * index + 1))
            let id = Int32(2 * index + 1)
            peer.session.respond(id, ResponseHead(status: 200, body: .untilClose), hasBody: true)
        }
    }

    @Test func `may answer each DATA frame with two updates`() throws {
        let peer = try RawPeer()
        streams(100, on: peer)
        let event = [UInt8](repeating: 97, count: 150)
        let updates = (0..<UInt32(100)).flatMap {
            frame(.windowUpdate, stream: 2 * $0 + 1, bigEndian(150)) + frame(.windowUpdate, bigEndian(150))
        }
        for _ in 0..<500 {
            for index in 0..<100 { #expect(write(peer.session, Int32(2 * index + 1), event) == 150) }
            #expect(peer.send(updates))
            peer.session.consumeOutput(.max)
        }
    }

    @Test func `may sleep, and then answer all of it at once`() throws {
        let peer = try RawPeer()
        peer.reads = false
        streams(1, on: peer)
        peer.send(frame(.windowUpdate, stream: 1, bigEndian(1 << 30)))
        for _ in 0..<30_000 {
            write(peer.session, 1, "data: 1\n\n")
            peer.session.consumeOutput(.max)
        }
        let update = frame(.windowUpdate, stream: 1, bigEndian(9)) + frame(.windowUpdate, bigEndian(9))
        #expect(peer.send((0..<30_000).flatMap { _ in update }))
    }

    @Test func `may open a hundred streams and leave them, twice`() throws {
        let peer = try RawPeer()
        for round in UInt32(0)..<200 {
            let id = 2 * round + 1
            peer.send(request(id))
            peer.session.respond(Int32(id), ResponseHead(status: 200, body: .untilClose), hasBody: true)
            #expect(peer.send(frame(.reset, stream: id, bigEndian(8))))
            peer.session.consumeOutput(.max)
        }
    }

    @Test func `may leave streams all day`() throws {
        let peer = try RawPeer()
        for round in UInt32(0)..<20_000 {
            peer.now += 20
            #expect(peer.send(request(2 * round + 1) + frame(.reset, stream: 2 * round + 1, bigEndian(8))))
            peer.session.consumeOutput(.max)
        }
    }

    @Test func `may ask for as much as is answered`() throws {
        let peer = try RawPeer()
        for round in UInt32(0)..<30_000 {
            let id = 2 * round + 1
            #expect(peer.send(request(id)))
            peer.session.respond(Int32(id), ResponseHead(status: 204), hasBody: false)
        }
        #expect(peer.session.openStreams == 0)
    }

    @Test func `may send bodies that nobody waits for`() throws {
        let peer = try RawPeer()
        for round in UInt32(0)..<2000 {
            let id = 2 * round + 1
            #expect(peer.send(request(id, HTTP2Peer.post(), ends: false)))
            peer.session.respond(Int32(id), ResponseHead(status: 404, body: .length(0)), hasBody: false)
        }
        #expect(Set(peer.got(.reset).map { $0.suffix(2) }) == [" 0"])
    }

    @Test func `may send a large body, padded or not`() throws {
        let peer = try RawPeer()
        peer.send(request(1, HTTP2Peer.post(), ends: false))
        for round in 0..<30_000 {
            let payload = [UInt8](repeating: 1, count: 100)
            let isPadded = round % 2 == 0
            #expect(
                peer.send(
                    frame(.data, flags: isPadded ? 8 : 0, stream: 1, (isPadded ? [10] : []) + payload)))
            peer.session.consumed(1, isPadded ? 90 : 100)
        }
        #expect(!peer.got(.windowUpdate).isEmpty)
    }
}
