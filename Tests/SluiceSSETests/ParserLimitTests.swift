import SluiceSSE
import SluiceTestSupport
import Testing

/// A limited stream: what is dropped is reported in its place.
struct LimitCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let limits: EventParser.Limits
    let text: String
    let outcome: [Outcome]

    init(_ name: String, line: Int = 1000, event: Int = 1000, _ text: String, _ outcome: Outcome...) {
        testDescription = name
        limits = EventParser.Limits(line: line, event: event)
        self.text = text
        self.outcome = outcome
    }
}

enum Outcome: Sendable, Hashable {
    case event(String, id: String = "")
    case comment(String)
    case lineTooLong
    case eventTooLong
}

private let limitCases: [LimitCase] = [
    LimitCase("a line at its limit", line: 8, "data:123\n\n", .event("123")),
    LimitCase("a line over its limit", line: 8, "data:1234\n\ndata:ok\n\n", .lineTooLong, .event("ok")),
    LimitCase("the line's end does not count", line: 8, "data:123\r\n\r\n", .event("123")),
    LimitCase(
        "the whole event goes with its line", line: 8, "data:1\nevent:1234\ndata:2\n\ndata:3\n\n", .lineTooLong,
        .event("3")),
    LimitCase(
        "two lines over the limit drop one event", line: 8, "data:1234\ndata:1234\n\ndata:3\n\n", .lineTooLong,
        .event("3")),
    LimitCase(
        "a line of an unknown field takes its event too", line: 8, "data:1\nunknown:1\n\ndata:2\n\n", .lineTooLong,
        .event("2")),
    LimitCase(
        "a comment goes alone", line: 8, "data:1\n:12345678\n:1234567\ndata:2\n\n", .lineTooLong,
        .comment("1234567"), .event("1\n2")),
    LimitCase("no line may hold anything", line: 0, "data:1\n\n\n\ndata\n\n", .lineTooLong, .lineTooLong),
    LimitCase("an id over the limit does not count", line: 8, "id:123456\n\ndata:1\n\n", .lineTooLong, .event("1")),
    LimitCase(
        "data and type at the limit of an event", event: 6, "event:t\ndata:12\ndata:34\n\n", .event("12\n34")),
    LimitCase(
        "data over the limit of an event", event: 6, "data:12\ndata:3456\ndata:6\n\ndata:7\n\n", .eventTooLong,
        .event("7")),
    LimitCase("a type over it", event: 6, "data:12\nevent:12345\n\ndata:7\n\n", .eventTooLong, .event("7")),
    LimitCase("a type alone over it", event: 2, "event:abc\n\ndata:7\n\n", .eventTooLong, .event("7")),
    LimitCase(
        "empty lines of data count", event: 2, "data\ndata\ndata\n\ndata\ndata\ndata\ndata\n\n", .event("\n\n"),
        .eventTooLong),
    LimitCase(
        "the id of a dropped event counts", event: 2, "id:1\ndata:123\nid:2\n\ndata:4\n\n", .eventTooLong,
        .event("4", id: "2")),
    LimitCase(
        "a dropped event that never ends gives nothing more", event: 2, "data:123\ndata:4\nevent:abc\n",
        .eventTooLong),
    LimitCase("both limits at once are one report", line: 8, event: 2, "data:123\ndata:1234\n\n", .eventTooLong),
]

@Suite struct `Event parser's limits` {
    @Test(arguments: limitCases)
    func `what is over a limit is dropped and reported, however it is cut`(_ limited: LimitCase) {
        let bytes = Array(limited.text.utf8)
        #expect(outcome(of: [bytes[...]], limited.limits) == limited.outcome)
        #expect(outcome(of: bytes.indices.map { bytes[$0...$0] }, limited.limits) == limited.outcome)
        for cut in 0...bytes.count {
            #expect(outcome(of: [bytes[..<cut], bytes[cut...]], limited.limits) == limited.outcome, "cut at \(cut)")
        }
    }

    @Test func `a negative limit is none`() {
        let bytes = Array("data:1\n\n".utf8)
        #expect(outcome(of: [bytes[...]], .init(line: -1, event: .min)) == [.lineTooLong])
        #expect(outcome(of: [bytes[...]], .init(line: .max, event: .max)) == [.event("1")])
    }

    @Test func `a line without end is reported once, long before its end`() {
        var parser = EventParser(limits: .init(line: 100, event: 100))
        var reports = 0
        let piece = Array(repeating: UInt8(ascii: "x"), count: 64)
        for _ in 0..<10_000 { parser.parse(piece) { _ in reports += 1 } }
        #expect(reports == 1)
    }

    private func outcome(of pieces: [ArraySlice<UInt8>], _ limits: EventParser.Limits) -> [Outcome] {
        items(of: pieces, limits: limits).compactMap { item in
            switch item {
            case .event(let event):
                let got = Got(event)
                return .event(got.data, id: got.id)
            case .comment(let text): return .comment(String(decoding: text, as: UTF8.self))
            case .retry: return nil
            case .lineTooLong: return .lineTooLong
            case .eventTooLong: return .eventTooLong
            }
        }
    }
}
