import SluiceHTTP
import Testing

@Suite struct `HTTP/2 on random input` {
    /// Frames, most of them such as a client would send, on few streams.
    private func someFrames(_ random: inout SeededGenerator) -> [UInt8] {
        let stream = UInt32.random(in: 0...9, using: &random) * 2 + (random.next() % 16 == 0 ? 0 : 1)
        let ends = random.next() % 2 == 0
        func payload(_ most: Int) -> [UInt8] {
            (0..<Int.random(in: 0...most, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        }
        switch random.next() % 16 {
        case 0...4:
            let head = (random.next() % 4 == 0 ? refusedHeads : acceptedHeads).randomElement(using: &random)
            return headers(
                stream, block(head?.fields ?? []), ends: ends, pieces: Int.random(in: 20...200, using: &random))
        case 5...7: return frame(.data, flags: ends ? 1 : 0, stream: stream, payload(300))
        case 8: return frame(.data, flags: 8, stream: stream, [UInt8.random(in: 0...9, using: &random)] + payload(20))
        case 9: return frame(.windowUpdate, stream: ends ? 0 : stream, bigEndian(UInt32(random.next() % 2000)))
        case 10: return frame(.reset, stream: stream, bigEndian(8))
        case 11: return frame(.settings, setting(4, UInt32(random.next() % 3000)))
        case 12: return frame(.ping, flags: ends ? 1 : 0, bigEndian(1) + bigEndian(2))
        case 13: return headers(stream, block([("x-sum", "1")]))
        case 14:
            return WireFrame(
                type: UInt8(random.next() % 32), flags: UInt8(random.next() % 256), stream: stream, payload: payload(30)
            ).bytes
        default: return frame(.priority, stream: stream, bigEndian(0) + [1])
        }
    }

    private func someInput(_ random: inout SeededGenerator) -> [UInt8] {
        var input = opening
        for _ in 0..<Int.random(in: 1...60, using: &random) { input += someFrames(&random) }
        return random.next() % 4 == 0 ? spoilt(input, &random) : input
    }

    /// Everything that came out, with bodies of a stream that follow each other as one. How much of a body comes before
    /// an error in the middle of a frame does depend on the cut.
    private func transcript(_ input: [UInt8], cutAt cuts: [Int]) throws -> [String] {
        let peer = try RawPeer(opening: [])
        for piece in pieces(input, cutAt: cuts) { peer.send(Array(piece)) }
        var lines: [String] = []
        for line in peer.took() {
            let parts = line.split(separator: " ", maxSplits: 3).map(String.init)
            if parts[0] == "body", let last = lines.last, last.hasPrefix("body \(parts[1]) ") {
                lines[lines.count - 1] = last + parts[3]
            } else {
                lines.append(line)
            }
        }
        let whole = Set(lines.filter { $0.hasPrefix("bodyEnd") }.map { $0.split(separator: " ")[1] })
        lines.removeAll { $0.hasPrefix("body ") && !whole.contains($0.split(separator: " ")[1]) }
        return lines + peer.got(.reset, .goAway)
    }

    @Test func `says the same however it is cut`() throws {
        var random = SeededGenerator(state: 11)
        for _ in 0..<600 {
            let input = someInput(&random)
            let cuts = (0..<Int.random(in: 1...30, using: &random)).map { _ in
                Int.random(in: 0...input.count, using: &random)
            }
            let (cut, whole) = (try transcript(input, cutAt: cuts), try transcript(input, cutAt: []))
            #expect(cut == whole)
        }
    }

    @Test func `says the same byte by byte`() throws {
        var random = SeededGenerator(state: 12)
        for _ in 0..<100 {
            let input = someInput(&random)
            #expect(try transcript(input, cutAt: Array(0..<input.count)) == transcript(input, cutAt: []))
        }
    }

    @Test func `random bytes never crash`() throws {
        var random = SeededGenerator(state: 13)
        for round in 0..<2000 {
            let peer = try RawPeer(opening: [])
            let noise = (0..<Int.random(in: 0...300, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            peer.send((round % 4 == 0 ? [] : opening) + noise)
        }
    }

    /// A server that does anything at any time, and what must hold all the same.
    private struct Server {
        var open: Set<Int32> = []
        var over: Set<Int32> = []

        mutating func note(_ event: HTTP2Event, _ session: HTTP2Session) {
            switch event {
            case .head(let id, _), .refused(let id, _):
                #expect(open.insert(id).inserted && !over.contains(id))
                session.setTag(UInt64(id) + 1000, stream: id)
            case .body(let id, let tag, let bytes):
                #expect(open.contains(id) && tag == UInt64(id) + 1000 && !bytes.isEmpty)
            case .bodyEnd(let id, let tag, _), .writable(let id, let tag):
                #expect(open.contains(id) && tag == UInt64(id) + 1000)
            case .closed(let id, let tag, _):
                #expect(open.remove(id) != nil && tag == UInt64(id) + 1000)
                over.insert(id)
            }
        }

        func act(_ session: HTTP2Session, _ random: inout SeededGenerator) {
            let id =
                random.next() % 8 == 0
                ? Int32.random(in: -3...30, using: &random) : open.randomElement(using: &random) ?? 1
            switch random.next() % 12 {
            case 0...3:
                session.respond(id, ResponseHead(status: 200, body: .untilClose), hasBody: random.next() % 4 != 0)
            case 4...7: write(session, id, [UInt8](repeating: 0, count: Int.random(in: 0...40_000, using: &random)))
            case 8: session.end(id)
            case 9: session.reset(id, error: 8)
            case 10: session.consumed(id, Int.random(in: -5...1000, using: &random))
            default:
                session.inform(id, status: 103, fields: FieldBlock())
                session.ping()
            }
        }
    }

    @Test func `a server that does anything at any time never crashes, and is told of each end once`() throws {
        var random = SeededGenerator(state: 14)
        for _ in 0..<600 {
            let session = try HTTP2Session(limits: HTTP2Limits(streams: 6))
            var server = Server()
            let input = someInput(&random)
            let cuts = (0..<20).map { _ in Int.random(in: 0...input.count, using: &random) }
            for piece in pieces(input, cutAt: cuts) {
                let isOpen = unsafe piece.withUnsafeBytes { unsafe session.receive($0, nowMilliseconds: 1) }
                for _ in 0..<4 {
                    while random.next() % 8 != 0, let event = session.nextEvent() { server.note(event, session) }
                    server.act(session, &random)
                    if random.next() % 2 == 0 { session.consumeOutput(Int.random(in: 0...50_000, using: &random)) }
                    #expect(unsafe session.output.count < HTTP2Session.outputLimit + 64 * 1024)
                }
                if random.next() % 100 == 0 { session.beginDrain() }
                if random.next() % 100 == 0 { session.goAway(error: UInt32(random.next() % 3)) }
                if !isOpen { break }
            }
            while let event = session.nextEvent() { server.note(event, session) }
            #expect(session.isOver || session.openStreams >= server.open.count)
        }
    }
}
