import SluiceIO
import Testing

@testable import Sluice

/// An upstream and an owner that do at random whatever they may.
@Suite(.timeLimit(.minutes(2))) struct StreamClientChaosTests {
    /// Numbered events; each connection gets some of them from its position on, and ends somehow.
    private struct Upstream {
        static let last = 300
        var random: SplitMix

        mutating func answer(_ exchange: LoopFixture.Exchange) {
            switch Int.random(in: 0..<12, using: &random) {
            case 0: return exchange.finish()
            case 1: return exchange.send("HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\n\r\n")
            case 2: return exchange.send("HTTP/1.1 307 Moved\r\nLocation: /other\r\nContent-Length: 3\r\n\r\nabc")
            case 3: return exchange.send("HTTP/1.1 200 OK\r\nContent-")
            default: stream(exchange)
            }
        }

        private mutating func stream(_ exchange: LoopFixture.Exchange) {
            let after = exchange.text.split(separator: "\r\n").first { $0.hasPrefix("Last-Event-ID: ") }
            let cursor = after.flatMap { Int($0.dropFirst(15)) } ?? 0
            // Some send again what was sent.
            let first = max(1, cursor + 1 - (Bool.random(using: &random) ? 0 : Int.random(in: 0..<5, using: &random)))
            let end = min(Self.last, first + Int.random(in: 0..<30, using: &random))
            var text = Bool.random(using: &random) ? "\u{FEFF}: hello\n\n" : ""
            for id in first..<max(first, end + 1) { text += "id: \(id)\ndata: \(id)\n\n" }
            var body = Array(text.utf8)
            let isWhole = Bool.random(using: &random)
            var fields = "Content-Type: text/event-stream\r\n"
            if Bool.random(using: &random) {
                fields += "Content-Encoding: gzip\r\n"
                body = gzip(body)
            }
            switch Int.random(in: 0..<3, using: &random) {
            case 0: fields += "Content-Length: \(body.count)\r\n"
            case 1:
                fields += "Transfer-Encoding: chunked\r\n"
                body = chunked(body)
            default: break
            }
            if !isWhole { body.removeLast(min(body.count, Int.random(in: 0..<40, using: &random))) }
            exchange.send("HTTP/1.1 200 OK\r\n\(fields)\r\n")
            exchange.send(body)
            // Else it says nothing more.
            if Int.random(in: 0..<4, using: &random) > 0 { exchange.finish() }
        }

        private mutating func chunked(_ body: [UInt8]) -> [UInt8] {
            var rest = body[...]
            var chunks: [UInt8] = []
            while !rest.isEmpty {
                let chunk = rest.prefix(Int.random(in: 1...60, using: &random))
                chunks += Array("\(String(chunk.count, radix: 16))\r\n".utf8) + chunk + Array("\r\n".utf8)
                rest = rest.dropFirst(chunk.count)
            }
            return chunks + Array("0\r\n\r\n".utf8)
        }

        /// Blocks that are stored as they are (RFC 1951, 3.2.4).
        private mutating func gzip(_ body: [UInt8]) -> [UInt8] {
            var coded: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
            var rest = body[...]
            while !rest.isEmpty {
                let block = rest.prefix(Int.random(in: 1...200, using: &random))
                rest = rest.dropFirst(block.count)
                let low = UInt8(block.count)
                coded += [0, low, 0, ~low, 0xFF] + block
            }
            coded += [3, 0]
            var sum: UInt32 = .max
            for byte in body {
                sum ^= UInt32(byte)
                for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
            }
            for value in [~sum, UInt32(body.count)] {
                for shift in [0, 8, 16, 24] { coded.append(UInt8(truncatingIfNeeded: value >> UInt32(shift))) }
            }
            return coded
        }
    }

    @Test(arguments: 1...12) func `every event comes once and in order, whatever both sides do`(seed: UInt64) throws {
        DescriptorLimit.raise()
        let fixture = try StreamClientFixture { $1.retry.initial = .milliseconds(100) }
        let client = fixture.client
        var random = SplitMix(state: seed)
        var upstream = Upstream(random: SplitMix(state: seed &+ 1000))
        var isCalm = false
        func meddle() {
            guard !isCalm else { return }
            switch Int.random(in: 0..<20, using: &random) {
            case 0, 1, 2: client.pause()
            case 3, 4, 5: client.resume()
            case 6: client.restart(afterMilliseconds: UInt64.random(in: 0...50, using: &random))
            case 7: client.stop()
            case 8, 9: client.start()
            default: break
            }
        }
        fixture.onReport = { _ in meddle() }
        client.start()
        var answered = 0
        var rounds = 0
        while fixture.reports.count(where: { $0.hasPrefix("event ") }) < Upstream.last {
            while answered < fixture.exchanges.count, fixture.exchanges[answered].text.contains("\r\n\r\n") {
                upstream.answer(fixture.exchanges[answered])
                answered += 1
            }
            meddle()
            fixture.pass(milliseconds: UInt64.random(in: 0...20, using: &random))
            rounds += 1
            if rounds == 2000 {
                isCalm = true
                client.start()
                client.resume()
            }
            if rounds > 2000 { fixture.pass(milliseconds: 5000) }
            try #require(rounds < 6000, "\(client.state), \(fixture.reports.suffix(5))")
        }
        let events = fixture.reports.filter { $0.hasPrefix("event ") }
        #expect(events == (1...Upstream.last).map { "event \($0)" })
        #expect(!fixture.reports.contains("repeats ids"))
        client.stop()
        #expect(client.racers.isEmpty && !client.isConnected)
        fixture.pass(milliseconds: 10_000_000)
        #expect(client.state == .idle)
        #expect(fixture.loop.timers.count == 0)
    }
}
