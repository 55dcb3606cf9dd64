import SluiceSSE
import Testing

/// A stream and the events that a reader must get from it, whatever pieces it comes in.
struct StreamCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let bytes: [UInt8]
    let events: [Got]

    init(_ name: String, _ text: String, _ events: Got...) { self.init(name, bytes: Array(text.utf8), events) }

    init(_ name: String, bytes: [UInt8], _ events: [Got]) {
        testDescription = name
        self.bytes = bytes
        self.events = events
    }
}

/// An event as text.
struct Got: Sendable, Hashable, ExpressibleByStringLiteral {
    var type = "message"
    var data: String
    var id = ""

    init(_ data: String, type: String = "message", id: String = "") {
        self.data = data
        self.type = type
        self.id = id
    }

    init(stringLiteral data: String) { self.init(data) }

    init(_ event: ParsedEvent) {
        data = String(decoding: event.data, as: UTF8.self)
        if !event.type.isEmpty { type = String(decoding: event.type, as: UTF8.self) }
        id = String(decoding: event.lastEventID, as: UTF8.self)
    }
}

private let mark = "\u{FEFF}"
private let comment2048 = String(repeating: "x", count: 2048)

/// Streams and their events, class by class.
let streamCases: [StreamCase] = [
    // The byte order mark.
    StreamCase(
        "a second mark belongs to the field's name", "\(mark)data:1\n\n\(mark)data:2\n\ndata:3\n\n", "1", "3"),
    StreamCase("two marks: one goes", "\(mark)\(mark)data:1\n\ndata:2\n\n", "2"),
    StreamCase("no mark", "data:1\n\n", "1"),
    StreamCase("a mark alone", mark),
    StreamCase("a mark, then an empty line", "\(mark)\ndata:1\n\n", "1"),
    StreamCase("half a mark is a field's name", bytes: [0xEF, 0xBB] + Array("data:1\n\ndata:2\n\n".utf8), ["2"]),
    StreamCase("a third of a mark ends its line", bytes: [0xEF] + Array("\ndata:2\n\n".utf8), ["2"]),

    // Line ends.
    StreamCase("CR, LF and CRLF", "data: cr\r\rdata: lf\n\ndata: crlf\r\n\r\n", "cr", "lf", "crlf"),
    StreamCase("line ends mixed in one event", "data:test\r\ndata\ndata:test\r\n\r\n", "test\n\ntest"),
    StreamCase("LF then CR is two ends", "data:1\n\rdata:2\n\n", "1", "2"),
    StreamCase(
        "other line separators are text", "data:a\u{2028}b\u{85}c\u{0B}d\u{0C}e\n\n", "a\u{2028}b\u{85}c\u{0B}d\u{0C}e"),
    StreamCase("empty lines alone", "\n\n\r\r\r\n\r\n"),

    // Comments.
    StreamCase(
        "comments between data",
        "data:1\r:\0\n:\r\ndata:2\n:\(comment2048)\rdata:3\n:data:fail\r:\(comment2048)\ndata:4\n\n", "1\n2\n3\n4"),
    StreamCase("only comments", ": a\n:b\n\n:\n\n"),

    // Fields.
    StreamCase(
        "names are exact",
        "data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\ndata:3\rdata:\r\n data:32\ndata:4\n\n",
        "\0\n 2\n1\n3\n\n4"),
    StreamCase(
        "unknown fields are ignored", "data:test\n data\ndata\nfoobar:xxx\njustsometext\n:comment\ndata:test\n\n",
        "test\n\ntest"),
    StreamCase("one space goes, a tab stays", "data:\ttest\rdata: \ndata:test\n\n", "\ttest\n\ntest"),
    StreamCase("colons in a value stay", "data:a:b: c\n\ndata::\n\n", "a:b: c", ":"),
    StreamCase("names with a tail", "dataa:1\nids:2\nevents:3\nretryy:4\nd:5\nevent\ndata:6\n\n", "6"),
    StreamCase("a name in capitals", "DATA:1\n\nEVENT:x\nID:2\ndata:3\n\n", "3"),

    // Data.
    StreamCase("empty data", "data:\n\ndata\ndata\n\ndata:test\n\n", "", "\n", "test"),
    StreamCase("data that ends with an empty line", "data:a\ndata:\n\n", "a\n"),
    StreamCase("data of two empty lines and more", "data:\ndata:\ndata:\n\n", "\n\n"),

    // Types.
    StreamCase("an empty type is message", "event: \ndata:data\n\n", "data"),
    StreamCase("a type is for one event", "event:test\ndata:x\n\ndata:x\n\n", Got("x", type: "test"), "x"),
    StreamCase("a type without data is forgotten", "event:test\n\ndata:x\n\n", "x"),
    StreamCase("the last type counts", "event:a\nevent:b\ndata:x\nevent: c\n\n", Got("x", type: "c")),
    StreamCase("an empty type takes another back", "event:a\nevent\ndata:x\n\n", "x"),

    // Ids.
    StreamCase(
        "an id stays until the next one", "id: 1\ndata: 1\n\ndata: 2\n\nid: 2\ndata:3\n\ndata:4\n\n",
        Got("1", id: "1"), Got("2", id: "1"), Got("3", id: "2"), Got("4", id: "2")),
    StreamCase(
        "an empty id takes it back", "id: 1\ndata: 1\n\nid:\ndata:2\n\ndata:3\n\n", Got("1", id: "1"), "2", "3"),
    StreamCase(
        "a bare id takes it back", "id: 1\ndata: 1\n\nid\ndata:2\n\ndata:3\n\n", Got("1", id: "1"), "2", "3"),
    StreamCase(
        "an id with NUL is ignored", "id:1\ndata:1\n\nid:\0\ndata:2\n\nid:a\0\ndata:3\n\nid:\0b\ndata:4\n\n",
        Got("1", id: "1"), Got("2", id: "1"), Got("3", id: "1"), Got("4", id: "1")),
    StreamCase("an id with NUL behind a good one", "id:1\nid:2\0\ndata:1\n\n", Got("1", id: "1")),
    StreamCase("an id without data counts", "id:7\n\ndata:1\n\n", Got("1", id: "7")),
    StreamCase("the last id of an event counts", "id:1\ndata:x\nid: 2\n\n", Got("x", id: "2")),
    StreamCase("an id of blanks and more", "id:  a b\ndata:x\n\n", Got("x", id: " a b")),
    StreamCase("an id beyond ASCII", "id:…é\ndata:x\n\n", Got("x", id: "…é")),

    // The end.
    StreamCase("an unfinished event is nothing", "data:test1\n\ndata:test2\nid:test", "test1"),
    StreamCase("an event whose last line lacks its end", "data:test1\n\ndata:test2", "test1"),
    StreamCase("an event whose empty line is missing", "data:test1\n\nid:2\ndata:test2\n", "test1"),

    // Text.
    StreamCase("text beyond ASCII", "data:ok…🦥\nevent:ä\n\n", Got("ok…🦥", type: "ä")),
    StreamCase(
        "what is no UTF-8 is replaced, byte by byte as decoders do",
        bytes: Array("data:a".utf8) + [0xFF, 0xE2, 0x82] + Array("\ndata:".utf8) + [0x82, 0xAC, 0xF0, 0x9F]
            + Array("b\n\n".utf8),
        ["a\u{FFFD}\u{FFFD}\n\u{FFFD}\u{FFFD}\u{FFFD}b"]),
    StreamCase(
        "overlong forms and surrogates are no UTF-8",
        bytes: Array("data:".utf8) + [0xC0, 0x80] + Array(" ".utf8) + [0xED, 0xA0, 0x80] + Array("\n\n".utf8),
        ["\u{FFFD}\u{FFFD} \u{FFFD}\u{FFFD}\u{FFFD}"]),
]
