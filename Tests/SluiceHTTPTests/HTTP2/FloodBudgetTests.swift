import Testing

@testable import SluiceHTTP

@Suite struct `The budget of a client that floods` {
    private func spent(_ type: FrameHead.Kind, length: Int = 0, flags: UInt8 = 0, times: Int = 1) -> Int {
        var budget = FloodBudget()
        for _ in 0..<times { budget.charge(FrameHead(type: type, length: length, flags: flags)) }
        return FloodBudget.capacity - budget.points
    }

    @Test func `a frame costs what work it makes`() {
        #expect(spent(.ping) == 20)
        #expect(spent(.settings) == 40 && spent(.settings, flags: 1) == 1)
        #expect(spent(.resetStream, length: 4) == 60)
        #expect(spent(.headers, length: 100) == 1 && spent(.headers, length: 16384) == 33)
        #expect(spent(.data) == 20 && spent(.data, flags: 1) == 1)
        #expect(spent(.data, length: 1) == 1 && spent(.data, length: 16) == 0)
        #expect(spent(.unknown, length: 16_777_215) > FloodBudget.capacity)
    }

    @Test func `it is spent, and not a point below`() {
        var budget = FloodBudget()
        for _ in 0..<FloodBudget.capacity / 20 { budget.charge(FrameHead(type: .ping)) }
        #expect(budget.points == 0 && !budget.isSpent)
        for _ in 0..<1000 { budget.charge(FrameHead(type: .ping)) }
        #expect(budget.isSpent && budget.points == -1)
    }

    @Test func `time fills it, up to its capacity`() {
        var budget = FloodBudget()
        budget.advance(to: 5000)
        for _ in 0..<500 { budget.charge(FrameHead(type: .ping)) }
        budget.advance(to: 5100)
        #expect(budget.points == 10_500)
        budget.advance(to: 5000)
        budget.advance(to: 5100)
        #expect(budget.points == 10_500)
        budget.advance(to: .max)
        #expect(budget.points == FloodBudget.capacity)
    }

    @Test func `the first time that is told is no time that passed`() {
        var budget = FloodBudget()
        budget.charge(FrameHead(type: .ping))
        budget.advance(to: 1_000_000)
        #expect(budget.points == FloodBudget.capacity - 20)
    }

    @Test func `what was sent pays for updates, and what was served for more`() {
        var budget = FloodBudget()
        budget.sent(150)
        for _ in 0..<3 { budget.charge(FrameHead(type: .windowUpdate, length: 4)) }
        #expect(budget.points == FloodBudget.capacity - 1)
        budget.sent(16384)
        #expect(budget.windowUpdates == 18 && budget.points == FloodBudget.capacity)
        for _ in 0..<10 { budget.charge(FrameHead(type: .ping)) }
        budget.served()
        #expect(budget.points == FloodBudget.capacity - 160)
        budget.chargeRefusal()
        #expect(budget.points == FloodBudget.capacity - 220)
        budget.chargeDecoded(65_536)
        #expect(budget.points == FloodBudget.capacity - 348)
        for _ in 0..<100 { budget.sent(.max) }
        #expect(budget.points == FloodBudget.capacity)
    }

    /// Takes all of the input, frame by frame; how much that was.
    private func take(_ input: some Sequence<UInt8>, _ scan: inout FrameScan, _ budget: inout FloodBudget) -> Int {
        var rest = Array(input)[...]
        let whole = rest.count
        while !rest.isEmpty {
            guard case .take(let count) = unsafe rest.withUnsafeBytes({ unsafe scan.next($0, &budget) }) else { break }
            rest = rest.dropFirst(count)
        }
        return whole - rest.count
    }

    @Test func `frames are counted however the input is cut`() {
        let input =
            opening + request(1) + frame(.data, stream: 1, bytes("abc")) + frame(.ping, bigEndian(0) + bigEndian(0))
            + WireFrame(type: 200, flags: 255, stream: .max, payload: [1, 2]).bytes
        var random = SeededGenerator(state: 5)
        var whole = FloodBudget()
        var scan = FrameScan()
        #expect(take(input, &scan, &whole) == input.count)
        // SETTINGS, its ACK, HEADERS, DATA, PING, unknown.
        #expect(whole.points == FloodBudget.capacity - 40 - 1 - 1 - 1 - 20 - 2)
        for _ in 0..<200 {
            var budget = FloodBudget()
            var scan = FrameScan()
            let cuts = (0..<5).map { _ in Int.random(in: 0...input.count, using: &random) }
            for piece in pieces(input, cutAt: cuts) { #expect(take(piece, &scan, &budget) == piece.count) }
            #expect(budget == whole)
        }
    }

    @Test func `a frame is never more than itself`() {
        var (budget, scan) = (FloodBudget(), FrameScan())
        let input = opening + frame(.data, stream: 1, bytes("abc")) + frame(.data, stream: 1)
        var (rest, counts): (ArraySlice<UInt8>, [Int]) = (input[...], [])
        while !rest.isEmpty, case .take(let count) = unsafe rest.withUnsafeBytes({ unsafe scan.next($0, &budget) }) {
            counts.append(count)
            rest = rest.dropFirst(count)
        }
        #expect(counts == [24, 9, 9, 12, 9])
        #expect(scan.isBetweenFrames)
    }

    @Test func `a payload that is too long is not waited for`() {
        var (budget, scan) = (FloodBudget(), FrameScan())
        #expect(take(HTTP2Session.preface, &scan, &budget) == 24)
        let head: [UInt8] = [0, 0x40, 1, 0, 0, 0, 0, 0, 1]
        #expect(unsafe head.withUnsafeBytes { unsafe scan.next($0, &budget) } == .stop(6))
    }

    @Test func `the frame that is too much is not taken`() {
        var (budget, scan) = (FloodBudget(), FrameScan())
        let ping = frame(.ping, bigEndian(0) + bigEndian(0))
        let input = HTTP2Session.preface + (0..<2000).flatMap { _ in ping }
        #expect(take(input, &scan, &budget) == 24 + 1000 * 17)
        #expect(budget.isSpent)
    }

    @Test func `eight CONTINUATION frames are enough for any head`() {
        var (budget, scan) = (FloodBudget(), FrameScan())
        let start = HTTP2Session.preface + frame(.headers, stream: 1)
        let more = [[UInt8]](repeating: frame(.continuation, stream: 1), count: 8).joined()
        let enough = start + more + frame(.headers, stream: 3) + more
        #expect(take(enough, &scan, &budget) == enough.count)
        #expect(take(frame(.continuation, stream: 3), &scan, &budget) == 0)
        #expect(!budget.isSpent)
    }
}
