import SluiceSSE
import SluiceTestSupport
import Testing

@Suite struct `Event parser on random streams` {
    @Test func `items are the same however a stream is cut, and within the limits`() {
        var random = SplitMix(state: 11)
        let words: [[UInt8]] =
            [
                "data:", "data", "id:", "id", "event:", "retry:", ":", " ", "\n", "\r", "\r\n", "\n\n", "1", "xyz",
                "\0", "é",
            ]
            .map { Array($0.utf8) } + [[0xEF, 0xBB, 0xBF], [0xEF], [0xFF], [0xE2, 0x82]]
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 1...30, using: &random)).flatMap { _ in
                words.randomElement(using: &random) ?? []
            }
            let limits = EventParser.Limits(
                line: Int.random(in: 0...20, using: &random), event: Int.random(in: 0...12, using: &random))
            var pieces: [ArraySlice<UInt8>] = []
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, start + Int.random(in: 1...7, using: &random))
                pieces.append(bytes[start..<end])
                start = end
            }
            let whole = items(of: [bytes[...]], limits: limits)
            #expect(items(of: pieces, limits: limits) == whole, "\(bytes)")
            for case .event(let event) in whole {
                #expect(String(validating: event.data, as: UTF8.self) != nil)
                #expect(event.wasRepaired || event.data.count + event.type.count <= limits.event)
            }
        }
    }

    /// Two parsers read the same stream, one of them in random pieces.
    @Test func `a million events are the same in random pieces`() async {
        var random = SplitMix(state: 13)
        let chunks = (0..<50).map { _ in Self.chunk(of: 500, using: &random) }
        var whole = EventParser()
        var split = EventParser()
        var count = 0
        while count < 1_000_000 {
            let chunk = chunks.randomElement(using: &random) ?? []
            var expected: [EventParser.Item] = []
            whole.parse(chunk) { expected.append($0) }
            var got: [EventParser.Item] = []
            var start = 0
            while start < chunk.count {
                // Mostly long pieces, as they come; also very short ones.
                let most = Int.random(in: 0..<8, using: &random) == 0 ? 3 : 400
                let end = min(chunk.count, start + Int.random(in: 1...most, using: &random))
                split.parse(chunk[start..<end]) { got.append($0) }
                start = end
            }
            guard got == expected, split.lastEventID == whole.lastEventID else {
                Issue.record("not the same after \(count) events")
                return
            }
            for case .event in expected { count += 1 }
            // Seconds in a debug build: tests that wait for an answer have their turn in between.
            await Task.yield()
        }
    }

    /// Blocks of all kinds of fields, line ends and text, nearly all of which dispatch something.
    private static func chunk(of blocks: Int, using random: inout SplitMix) -> [UInt8] {
        let fields: [[UInt8]] =
            ["id: 7", "id", "id:a\0", "event: x", ": comment", "retry: 10", "data", "nothing", "data:\u{FEFF}é🦥"]
            .map { Array($0.utf8) } + [Array("data:".utf8) + [0xE2, 0x82]]
        let ends: [[UInt8]] = [[0x0A], [0x0A], [0x0D, 0x0A], [0x0D]]
        return (0..<blocks).flatMap { number -> [UInt8] in
            let end = ends.randomElement(using: &random) ?? []
            let more = (0..<Int.random(in: 0...2, using: &random)).flatMap { _ in
                (fields.randomElement(using: &random) ?? []) + end
            }
            return more + Array("data:\(number)".utf8) + end + end
        }
    }

    @Test func `every event comes back as it was sent`() throws {
        var random = SplitMix(state: 12)
        let letters = ["a", " ", ":", "\n", "\0", "é", "\u{FEFF}", "data: ", "🦥"]
        for _ in 0..<1000 {
            func text(_ letters: [String]) -> String {
                (0..<Int.random(in: 0...9, using: &random)).map { _ in letters.randomElement(using: &random) ?? "" }
                    .joined()
            }
            let line = letters.filter { $0 != "\n" && $0 != "\0" }
            let event = ServerSentEvent(text(letters), event: "t" + text(line), id: text(line))
            var bytes: [UInt8] = []
            try EventEncoder.append(event, to: &bytes)
            let got = events(items(of: [bytes[...]]))
            #expect(got == [Got(event.data, type: event.event ?? "", id: event.id ?? "")])
        }
    }
}

/// A generator whose numbers are the same in every run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
