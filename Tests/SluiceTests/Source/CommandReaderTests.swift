import Testing

@testable import Sluice

@Suite struct CommandReaderTests {
    private func reader(_ format: CommandFormat, event: String? = nil) -> CommandReader {
        var options = CommandOptions(["x"])
        options.format = format
        options.event = event
        var limits = Limits()
        limits.feedLine = 20
        limits.feedEvent = 40
        return CommandReader(options, limits: limits)
    }

    private func read(_ text: String, _ reader: inout CommandReader) -> [CommandReader.Item] {
        var items: [CommandReader.Item] = []
        unsafe Array(text.utf8).withUnsafeBytes { unsafe reader.parse($0) { items.append($0) } }
        return items
    }

    private func finish(_ reader: inout CommandReader, isWhole: Bool) -> [CommandReader.Item] {
        var items: [CommandReader.Item] = []
        reader.finish(isWhole: isWhole) { items.append($0) }
        return items
    }

    private func event(_ data: String, type: String = "", id: String = "") -> CommandReader.Item {
        .event(EventDraft(data: Array(data.utf8), type: Array(type.utf8), id: Array(id.utf8)), wasRepaired: false)
    }

    @Test func `each line is an event of the type given`() {
        var lines = reader(.lines, event: "log")
        #expect(read("one\n\ntw", &lines) == [event("one", type: "log"), event("", type: "log")])
        #expect(read("o\n", &lines) == [event("two", type: "log")])
        #expect(read("123456789012345678901\nx\n", &lines) == [.dropped, event("x", type: "log")])
    }

    @Test func `a last line without an end counts when the program ended by itself`() {
        var lines = reader(.lines)
        #expect(read("one", &lines) == [])
        #expect(finish(&lines, isWhole: true) == [event("one")])
        #expect(read("cut", &lines) == [])
        #expect(finish(&lines, isWhole: false) == [])
        #expect(read("next\n", &lines) == [event("next")])
    }

    @Test func `a stream's events keep their types and ids, and its retry is told`() {
        var stream = reader(.sse)
        let items = read("retry: 50\nid: 7\nevent: a\ndata: x\ndata: y\n\n: still here\ndata: z\n\n", &stream)
        #expect(
            items == [.retry(milliseconds: 50), event("x\ny", type: "a", id: "7"), .life, event("z")])
        #expect(stream.lastEventID == Array("7".utf8))
    }

    @Test func `half an event is none, and the id outlives the program`() {
        var stream = reader(.sse)
        _ = read("id: 7\ndata: x\n\nid: 8\ndata: y\n", &stream)
        #expect(finish(&stream, isWhole: true) == [])
        #expect(read("\ndata: z\n\n", &stream) == [event("z")])
        #expect(stream.lastEventID == Array("7".utf8))
    }

    @Test func `an id without data goes out with the next event, and an empty one takes back`() {
        var stream = reader(.sse)
        #expect(read("id: 7\n\ndata: x\n\ndata: y\n\n", &stream) == [event("x", id: "7"), event("y")])
        let items = read("id\ndata: z\n\n", &stream)
        guard case .event(let draft, _) = items.first else { return #expect(items.count == 1) }
        #expect(draft.clearsID && draft.id.isEmpty)
    }
}
