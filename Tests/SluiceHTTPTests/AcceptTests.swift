import SluiceHTTP
import Testing

@Suite struct Accept {
    private let type = "text/event-stream"

    private func allows(_ values: String...) -> Bool { AcceptHeader.allows(values.map { bytes($0)[...] }, type) }
    private func names(_ value: String) -> Bool { AcceptHeader.names(bytes(value)[...], type) }

    @Test(arguments: [
        "text/event-stream", "TEXT/Event-Stream", " text/event-stream ", "text/html, text/event-stream",
        "text/event-stream;charset=utf-8", "text/event-stream ; q=0.001", "text/event-stream; Q=1.000",
        "a/b;c=\"d, e\\\"\", text/event-stream", ",, text/event-stream,", "text/event-stream;q=0, text/event-stream",
        "text/event-stream;",
    ])
    func `the type is named`(_ value: String) {
        #expect(names(value))
        #expect(allows(value))
    }

    @Test(arguments: [
        "", "*/*", "text/*", "text/html", "text/event-stream;q=0", "text/event-stream;q=0.000", "text/event-streams",
        "xtext/event-stream", "text /event-stream", "text/event-stream/x",
        "a/b;c=\"text/event-stream, text/event-stream",
        "a/b;c=\", text/event-stream, \"", "text/event-stream;q=1.001", "text/event-stream;q=2",
        "text/event-stream;q=x",
        "text/event-stream;q=0.0001", "text/event-stream;q", "text/event-stream;q=",
    ])
    func `the type is not named`(_ value: String) {
        #expect(!names(value))
    }

    @Test func `the most specific range decides`() {
        #expect(allows())
        #expect(allows(""))
        #expect(allows("*/*"))
        #expect(allows("text/*;q=0.1"))
        #expect(allows("*/*;q=0, text/*"))
        #expect(allows("text/*;q=0, text/event-stream;q=0.5"))
        #expect(allows("text/html", "text/event-stream"))
        #expect(!allows("text/html"))
        #expect(!allows("*/*, text/event-stream;q=0"))
        #expect(!allows("*/*, text/*;q=0"))
        #expect(!allows("*/*;q=0"))
        #expect(!allows("text/event-stream;q=0", "*/*"))
        #expect(!allows("*/event-stream"))
        #expect(!allows("application/*"))
    }

    @Test func `a media type has its parameters`() {
        let parsed = MediaType(bytes("Application/JSON; charset=\"u\\tf-8\";;a=b ; ")[...])
        #expect(parsed?.matches("application/json") == true)
        #expect(parsed?.matches("application/jso") == false)
        #expect(parsed?.matches("application") == false)
        #expect(parsed?.parameter("CharSet").map(text) == "utf-8")
        #expect(parsed?.parameter("a").map(text) == "b")
        #expect(parsed?.parameter("c") == nil)
        for wrong in ["", "a", "a/", "/b", "a/b/c", "a/b c", "a/b;c", "a/b;c=", "a/b;c=\"d", "a/b, c/d", "a/b;c =d"] {
            #expect(MediaType(bytes(wrong)[...]) == nil, "\(wrong)")
        }
    }

    @Test func `an event stream is known by its type alone`() {
        for right in [
            "text/event-stream", "text/event-stream;", "Text/Event-Stream ; charset=x", "text/event-stream;;=",
        ] {
            #expect(AcceptHeader.isEventStream(bytes(right)[...]), "\(right)")
        }
        for wrong in ["", "text/event-stream, text/html", "text/event-streamx", "text/plain", "text/event-stream x"] {
            #expect(!AcceptHeader.isEventStream(bytes(wrong)[...]), "\(wrong)")
        }
    }
}
