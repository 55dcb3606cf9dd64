import SluiceHTTP
import Testing

@testable import Sluice

@Suite struct `Publish request` {
    private func read(_ media: PublishMedia, _ body: String, _ query: String? = nil) throws(PublishRefusal)
        -> PublishRequest
    {
        try PublishRequest(media, query: query.map { Array($0.utf8)[...] }, body: Array(body.utf8), atMost: 10)
    }

    private func refusal(_ media: PublishMedia, _ body: String, _ query: String? = nil) -> String {
        do throws(PublishRefusal) {
            let request = try read(media, body, query)
            return "taken: \(request.events.count)"
        } catch {
            #expect(error.status == 400)
            return error.reason
        }
    }

    private func draft(_ data: String, _ type: String = "", _ id: String = "", _ retry: UInt64? = nil) -> EventDraft {
        EventDraft(data: Array(data.utf8), type: Array(type.utf8), id: Array(id.utf8), retryMilliseconds: retry)
    }

    // MARK: Data alone

    @Test func `a text is the data, and the query says the rest`() throws {
        let request = try read(.text, "a=b&c\n", "event=price%20up&id=7&retry=1500&topic=t&token=x")
        #expect(request.events == [.init(draft: draft("a=b&c\n", "price up", "7", 1500))])
        #expect(request.topic == "t")
        #expect(!request.isList)
        #expect(try read(.text, "").events == [.init(draft: draft(""))])
    }

    @Test func `bytes become base64`() throws {
        let request = try PublishRequest(.binary, query: nil, body: [0xFF, 0x00, 0x0A], atMost: 10)
        #expect(request.events == [.init(draft: draft("/wAK"))])
    }

    @Test(
        arguments: [
            ("retry=-1", "the query's retry: "), ("retry=1s", "the query's retry: "), ("retry=", "the query's retry: "),
            ("retry=4294967296", "the query's retry: "), ("retry=99999999999999999999", "the query's retry: "),
            ("id=%FF", "the query's id is not"), ("event=a%0Ab", "event: may not hold"), ("id=%00", "id: may not hold"),
        ])
    func `a query that cannot be meant is refused`(_ query: String, _ reason: String) {
        #expect(refusal(.text, "x", query).hasPrefix(reason))
    }

    @Test func `a text that is not UTF-8 is refused at its byte`() {
        #expect(throws: PublishRefusal(400, "the body is not UTF-8, at byte 1")) {
            try PublishRequest(.text, query: nil, body: [0x61, 0xFF], atMost: 10)
        }
    }

    @Test func `a request brings at most so many events`() throws {
        let json = { (count: Int) in "[" + Array(repeating: #"{"data":1}"#, count: count).joined(separator: ",") + "]" }
        #expect(try read(.json, json(10)).events.count == 10)
        #expect(try read(.eventStream, String(repeating: "data\n\n", count: 10)).events.count == 10)
        let tooMany = PublishRefusal.tooMany(atMost: 10)
        #expect(tooMany.status == 413)
        #expect(throws: tooMany) { try read(.json, json(11)) }
        #expect(throws: tooMany) { try read(.eventStream, String(repeating: "data\n\n", count: 11)) }
        #expect(throws: tooMany) { try read(.eventStream, String(repeating: "data\n\n", count: 100_000)) }
    }

    @Test func `an event stream longer than a piece of it is read whole`() throws {
        let data = String(repeating: "é", count: 20_000)
        let request = try read(.eventStream, "data: \(data)\r\n\r\nid: 7\r\ndata: \(data)\r\n\r\n")
        #expect(request.events.map(\.draft) == [draft(data), draft(data, "", "7")])
    }

    // MARK: JSON

    @Test func `an object is one event`() throws {
        let request = try read(.json, #" {"data":"a\nb","event":"e","id":"7","retry":2000,"topic":"t.ü"} "#)
        #expect(request.events == [.init(draft: draft("a\nb", "e", "7", 2000), topic: "t.ü")])
        #expect(!request.isList)
    }

    @Test(
        arguments: [
            (#""text""#, "text"), (#""""#, ""), (#"{"a": [1,  2.50]}"#, #"{"a": [1,  2.50]}"#), ("[]", "[]"),
            ("null", "null"),
            ("true", "true"), ("-1.50e+3", "-1.50e+3"), (#"["é\u0041"]"#, #"["é\u0041"]"#), (#""\ud83d\ude00""#, "😀"),
        ])
    func `data is a string, or any other value as it came`(_ value: String, _ data: String) throws {
        #expect(try read(.json, "{\"data\" : \(value) }").events == [.init(draft: draft(data))])
    }

    @Test func `an array is events in order`() throws {
        let request = try read(
            .json, #"[{"data":1},{"id":null,"data":"2","event":null,"retry":null,"topic":null},{"data":3}]"#)
        #expect(request.events.map(\.draft) == [draft("1"), draft("2"), draft("3")])
        #expect(request.isList)
        #expect(try read(.json, "[]").events.isEmpty)
        #expect(try read(.json, "[]").isList)
    }

    @Test(
        arguments: [
            ("", "the body is not JSON: the text ends too early: expected a value, at byte 0"),
            (#"{"data":1} x"#, "the body is not JSON: expected the end of the text, at byte 11"),
            (#"{"data":1"#, "the body is not JSON: the text ends too early: expected , or }, at byte 9"),
            (#"{"data":"\ud800"}"#, "the body is not JSON: this is no escape, or half of a surrogate pair, at byte 9"),
            ("7", "expected an object with data, or an array of such objects"),
            ("[[]]", "[0]: expected an object with data"), (#"[{"data":1},2]"#, "[1]: expected an object with data"),
            ("{}", "data: this key is missing"), (#"[{"data":1},{"id":"1"}]"#, "[1].data: this key is missing"),
            (#"{"data":1,"data":2}"#, "data: this key stands in the object twice"),
            (#"{"data":1,"dat\u0061":2}"#, "data: this key stands in the object twice"),
            (#"{"data":1,"evnt":"x"}"#, #"the key "evnt" is not known; did you mean "event"?"#),
            (#"[{"data":1},{"x\ny":1}]"#, #"[1]: the key "x\ny" is not known"#),
            (#"{"data":1,"event":7}"#, "event: expected a string"), (#"{"data":1,"id":7}"#, "id: expected a string"),
            (#"[{"data":1,"topic":[]}]"#, "[0].topic: expected a string"),
            (#"{"data":1,"retry":-1}"#, "retry: expected whole milliseconds, at most 4294967295"),
            (#"{"data":1,"retry":1.5}"#, "retry: expected whole milliseconds, at most 4294967295"),
            (#"{"data":1,"retry":"1"}"#, "retry: expected whole milliseconds, at most 4294967295"),
            (#"{"data":1,"retry":4294967296}"#, "retry: expected whole milliseconds, at most 4294967295"),
            (#"[{"data":1},{"data":1,"id":"a\nb"}]"#, "[1].id: may not hold CR, LF or NUL"),
            (#"{"data":1,"event":"\u0000"}"#, "event: may not hold CR, LF or NUL"),
        ])
    func `what is wrong with JSON is named with its place`(_ body: String, _ reason: String) {
        #expect(refusal(.json, body) == reason)
    }

    @Test func `a long key is shown in part`() {
        let reason = refusal(.json, "{\"\(String(repeating: "k", count: 100_000))\":1}")
        #expect(reason.utf8.count < 200)
    }

    @Test(arguments: ["event=x", "id=1", "retry=1"])
    func `what the body says of each event does not stand in the query`(_ query: String) {
        #expect(refusal(.json, #"{"data":1}"#, query).contains("stands in the query only"))
        #expect(refusal(.eventStream, "data: x\n\n", query).contains("stands in the query only"))
    }

    // MARK: Event streams

    @Test func `each event of a stream is an event`() throws {
        let body =
            "\u{FEFF}: hello\nevent: a\ndata: 1\ndata: 2\nid: 7\n\ndata: 3\r\n\r\nretry: 5\rdata\r\rretry: 6\n\n: x\ndata:4\n\n: bye"
        let request = try read(.eventStream, body)
        #expect(
            request.events.map(\.draft) == [
                draft("1\n2", "a", "7"), draft("3"), draft("", "", "", 5), draft("4", "", "", 6),
            ])
        #expect(request.isList)
        #expect(try read(.eventStream, "").events.isEmpty)
        #expect(try read(.eventStream, "event: x\n\n: y\n\n").events.isEmpty)
    }

    @Test(
        arguments: [
            ("data: 1\n\ndata: 2", "[1]: no empty line ends this event"),
            ("data: 1\n", "[0]: no empty line ends this event"),
            ("data: 1\r", "[0]: no empty line ends this event"),
            ("data: 1\n\nid: 3\ndata: 2\n", "[1]: no empty line ends"),
            ("data: 1\n\nretry: 7", "[1].retry: behind this"), ("retry: 7\n\n", "[0].retry: behind this"),
            ("id: a\0\ndata: x\n\n", "an id may not hold NUL, which it does at byte 5"),
            ("data: 1\n\nevent: a\0\ndata: x\n\n", "[1].event: may not hold CR, LF or NUL"),
        ])
    func `nothing of a stream is lost in silence`(_ body: String, _ reason: String) {
        #expect(refusal(.eventStream, body).hasPrefix(reason), "\(refusal(.eventStream, body))")
    }

    @Test func `a stream that is not UTF-8 is refused, not repaired`() {
        #expect(throws: PublishRefusal(400, "the body is not UTF-8, at byte 6")) {
            try PublishRequest(.eventStream, query: nil, body: Array("data: ".utf8) + [0xC3, 0x0A, 0x0A], atMost: 10)
        }
    }

    // MARK: Media types

    private func media(_ values: String...) throws(PublishRefusal) -> PublishMedia {
        var fields = FieldBlock()
        for value in values { fields.append(.contentType, value) }
        return try PublishMedia(fields)
    }

    @Test(
        arguments: [
            ("text/plain", .text), ("TEXT/Plain;charset=UTF-8", .text), ("text/plain; charset=\"us-ascii\"", .text),
            ("application/x-www-form-urlencoded", .text), ("application/json ; charset=utf-8", .json),
            ("text/event-stream;", .eventStream), ("application/octet-stream; charset=latin1", .binary),
        ] as [(String, PublishMedia)])
    func `media types are known in any case, with parameters`(_ text: String, _ kind: PublishMedia) throws {
        #expect(try media(text) == kind)
    }

    @Test func `without a type it is text`() throws { #expect(try media() == .text) }

    @Test(arguments: [
        "text/html", "application/xml", "text/plain; charset=latin1", "application/json; charset=utf-16", "x", "",
    ])
    func `other types are refused`(_ text: String) {
        #expect { _ = try media(text) } throws: { ($0 as? PublishRefusal)?.status == 415 }
    }

    @Test(arguments: ["gzip", "br", "identity, gzip"])
    func `a compressed body is refused, not published as it is`(_ coding: String) {
        var fields = FieldBlock()
        fields.append(.contentType, "application/octet-stream")
        fields.append(.contentEncoding, coding)
        #expect { _ = try PublishMedia(fields) } throws: { ($0 as? PublishRefusal)?.status == 415 }
    }

    @Test func `two types are none`() {
        #expect { _ = try media("text/plain", "application/json") } throws: { ($0 as? PublishRefusal)?.status == 415 }
    }
}

@Suite struct `Topics of a publish request` {
    private func names(
        _ topics: PublishTopics, _ body: String, _ query: String? = nil, _ parameters: PathParameters = [:]
    ) throws(PublishRefusal) -> [String] {
        let request = try PublishRequest(
            .json, query: query.map { Array($0.utf8)[...] }, body: Array(body.utf8), atMost: 10)
        let names = try topics.names(for: request, parameters)
        return request.events.indices.map { names[$0] }
    }

    @Test func `a route that names the topic takes no other`() throws {
        let topics = PublishTopics.named(try NameTemplate("feed.{symbol}"))
        #expect(
            try names(topics, #"[{"data":1},{"data":2,"topic":"feed.a"}]"#, nil, ["symbol": "a"]) == [
                "feed.a", "feed.a",
            ])
        #expect(try names(topics, #"{"data":1}"#, "topic=feed.a", ["symbol": "a"]) == ["feed.a"])
        #expect(throws: PublishRefusal(400, "[1].topic: this route publishes to \"feed.a\" alone")) {
            try names(topics, #"[{"data":1},{"data":2,"topic":"feed.b"}]"#, nil, ["symbol": "a"])
        }
        #expect(throws: PublishRefusal(400, "the query's topic: this route publishes to \"feed.a\" alone")) {
            try names(topics, "[]", "topic=feed.b", ["symbol": "a"])
        }
        #expect { try names(topics, "[]", nil, ["symbol": "a.b"]) } throws: { ($0 as? PublishRefusal)?.status == 404 }
    }

    @Test func `a route that leaves it open takes what its patterns take`() throws {
        let topics = PublishTopics.allowed([try TopicPattern("market"), try TopicPattern("feed.*")])
        let body = #"[{"data":1,"topic":"market"},{"data":2},{"data":3,"topic":"feed.a.b"}]"#
        #expect(try names(topics, body, "topic=feed.x") == ["market", "feed.x", "feed.a.b"])
        #expect(throws: PublishRefusal(400, "[1].topic: missing: name it here or in the query")) {
            try names(topics, body)
        }
        #expect(throws: PublishRefusal(403, "[1].topic: this route does not publish to \"feeds\"")) {
            try names(topics, body, "topic=feeds")
        }
        #expect(throws: PublishRefusal(400, "[1].topic: a name has at most 1024 bytes")) {
            try names(topics, body, "topic=feed." + String(repeating: "x", count: 1020))
        }
        #expect(throws: PublishRefusal(403, "topic: this route does not publish to \"a\\nb\"")) {
            try names(topics, #"{"data":1,"topic":"a\nb"}"#)
        }
    }
}
