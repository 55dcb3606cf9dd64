import Testing

@testable import Sluice

@Suite struct EncodedEventTests {
    private func encode(
        _ data: String, type: String = "", id: String = "", retry: UInt64? = nil, _ options: TopicOptions
    )
        -> EncodedEvent
    {
        EncodedEvent(
            EventDraft(
                data: Array(data.utf8), type: Array(type.utf8), id: Array(id.utf8), retryMilliseconds: retry),
            EventForm(options, topic: "market"), epoch: Array("1a2b3c4d".utf8))
    }

    private func bytes(_ event: EncodedEvent, _ framing: Framing = .untilClose) -> String {
        unsafe event.withBytes(framing) { unsafe String(decoding: $0, as: UTF8.self) }
    }

    @Test func `an event with a gateway id is a chunk with the id last`() {
        let event = encode("hello", type: "greeting", id: "own", TopicOptions())
        event.assign(sequence: 0xABC, milliseconds: 0)
        let block = "event: greeting\ndata: hello\nid: 1a2b3c4d-000000000abc\n\n"
        #expect(bytes(event) == block)
        #expect(bytes(event, .chunked) == "\(String(block.utf8.count, radix: 16))\r\n\(block)\r\n")
        #expect(!event.hasOwnID)
    }

    @Test func `line ends in data cannot break out of the data field`() {
        let event = encode("a\rid: evil\nb\r\n\r\nc", .ids(.off))
        #expect(bytes(event) == "data: a\ndata: id: evil\ndata: b\ndata: \ndata: c\n\n")
    }

    @Test func `an own id is kept only where subscribers see it`() {
        let event = encode("x", id: "own 7", .ids(.upstream))
        #expect(bytes(event) == "data: x\nid: own 7\n\n")
        #expect(event.ownID == Array("own 7".utf8))
        #expect(!encode("x", .ids(.upstream)).hasOwnID)
        #expect(bytes(encode("x", id: "own 7", .ids(.off))) == "data: x\n\n")
    }

    @Test func `a reconnection time goes with its event`() {
        #expect(bytes(encode("x", id: "a", retry: 5, .ids(.upstream))) == "data: x\nid: a\nretry: 5\n\n")
    }

    @Test func `an event says which topic it came from`() {
        var options = TopicOptions.ids(.off)
        options.topicField = .event
        #expect(bytes(encode("x", options)) == "event: market\ndata: x\n\n")
        #expect(bytes(encode("x", type: "trade", options)) == "event: market:trade\ndata: x\n\n")
        options.topicField = .data
        let wrapped = "event: trade\ndata: {\"topic\":\"market\",\"data\":\"a \\\"b\\\"\\nc\"}\n\n"
        #expect(bytes(encode("a \"b\"\nc", type: "trade", options)) == wrapped)
    }
}
