import SluiceSSE
import SluiceTestSupport
import Testing

@Suite struct `Event parser` {
    @Test(arguments: try Conformance.streams())
    func `a stream gives its events, whole`(_ stream: Conformance.Stream) {
        var parser = EventParser()
        var got: [EventParser.Item] = []
        parser.parse(stream.bytes) { got.append($0) }
        #expect(events(got) == stream.events)
        #expect(retries(got) == stream.retries)
        if let last = stream.last { #expect(String(decoding: parser.lastEventID, as: UTF8.self) == last) }
    }

    @Test(arguments: try Conformance.streams())
    func `a stream gives its events, byte by byte`(_ stream: Conformance.Stream) {
        let pieces = stream.pieces(of: 1)
        #expect(items(of: pieces) == items(of: [stream.bytes[...]]))
        #expect(events(items(of: pieces)) == stream.events)
    }

    @Test(arguments: try Conformance.streams())
    func `a stream gives its events, cut in two anywhere`(_ stream: Conformance.Stream) {
        let whole = items(of: [stream.bytes[...]])
        for cut in 0...stream.bytes.count {
            let parts = items(of: [stream.bytes[..<cut], [], stream.bytes[cut...]])
            #expect(parts == whole, "cut at \(cut)")
        }
    }

    @Test func `a retry in a dropped event counts`() {
        let text = Array("data:123456789\nretry:5\n".utf8)
        #expect(retries(items(of: [text[...]], limits: .init(line: 9, event: 1))) == [5])
    }

    @Test func `comments are handed out as they came`() {
        let text = ": hello\n:\n::x\r\n"
        #expect(items(of: [Array(text.utf8)[...]]) == [" hello", "", ":x"].map { .comment(Array($0.utf8)) })
    }

    @Test func `an own id is told from an earlier one`() {
        let text = "id:1\ndata:a\n\ndata:b\n\nid:\ndata:c\n\nid:2\n\ndata:d\n\nid:3\0\ndata:e\n\n"
        let own = parsed(text).map(\.hasOwnID)
        #expect(own == [true, false, true, false, false])
    }

    @Test func `repair is told, and told once for an id`() {
        let bytes: [UInt8] = Array("id:".utf8) + [0xFF] + Array("\ndata:a\n\ndata:b\n\nevent:".utf8) + [0xC3]
        let events = parsed(bytes + Array("\ndata:c\n\ndata:\u{FFFD}\n\n".utf8))
        #expect(events.map(\.wasRepaired) == [true, false, true, false])
        #expect(
            events.map { String(decoding: $0.lastEventID, as: UTF8.self) } == Array(repeating: "\u{FFFD}", count: 4))
        #expect(events[2].type == Array("\u{FFFD}".utf8))
    }

    @Test func `a reset forgets what was unfinished and keeps the last id`() {
        var parser = EventParser()
        var got: [EventParser.Item] = []
        parser.parse(Array("id:1\ndata:a\n\nid:2\nevent:x\ndata:b\ndat".utf8)) { got.append($0) }
        #expect(parser.lastEventID == Array("1".utf8))
        parser.reset()
        parser.parse(Array("\u{FEFF}data:c\n\n".utf8)) { got.append($0) }
        #expect(events(got) == [Got("a", id: "1"), Got("c", id: "1")])
    }

    @Test func `a reset forgets a CR, so that an LF after it ends a line`() {
        var parser = EventParser()
        var got: [EventParser.Item] = []
        parser.parse(Array("data:a\r".utf8)) { got.append($0) }
        parser.reset()
        parser.parse(Array("\ndata:b\n\n".utf8)) { got.append($0) }
        #expect(events(got) == ["b"])
    }

    @Test func `a parser may begin with an id from elsewhere`() {
        var parser = EventParser(lastEventID: Array("9".utf8))
        var got: [EventParser.Item] = []
        parser.parse(Array("data:a\n\nid:\ndata:b\n\n".utf8)) { got.append($0) }
        #expect(events(got) == [Got("a", id: "9"), "b"])
        #expect(parser.lastEventID.isEmpty)
    }
}

func items(of pieces: [ArraySlice<UInt8>], limits: EventParser.Limits = .init()) -> [EventParser.Item] {
    var parser = EventParser(limits: limits)
    var items: [EventParser.Item] = []
    for piece in pieces { parser.parse(piece) { items.append($0) } }
    return items
}

func events(_ items: [EventParser.Item]) -> [Got] {
    items.compactMap { item in
        guard case .event(let event) = item else { return nil }
        return Got(event)
    }
}

private func parsed(_ bytes: some Collection<UInt8>) -> [ParsedEvent] {
    items(of: [Array(bytes)[...]]).compactMap { item in
        guard case .event(let event) = item else { return nil }
        return event
    }
}

private func parsed(_ text: String) -> [ParsedEvent] { parsed(Array(text.utf8)) }

private func retries(_ items: [EventParser.Item]) -> [UInt64] {
    items.compactMap { item in
        guard case .retry(let milliseconds) = item else { return nil }
        return milliseconds
    }
}
