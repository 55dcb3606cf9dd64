import Testing

@testable import Sluice

@Suite struct `Trace context` {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let good = "00-\(trace)-b7ad6b7169203331-01"

    private func read(_ text: String) -> TraceContext? { TraceContext(Array(text.utf8)[...]) }
    private func continued(_ texts: String...) -> TraceContext { .continuing(texts.map { Array($0.utf8)[...] }) }

    @Test func `what is read is written alike`() {
        #expect(read(Self.good)?.text == Array(Self.good.utf8))
        #expect(read(Self.good)?.isSampled == true)
        #expect(read("00-\(Self.trace)-b7ad6b7169203331-02")?.isSampled == false)
    }

    @Test func `a later version is read as far as it is known`() {
        #expect(read("cc-\(Self.trace)-b7ad6b7169203331-01")?.text == Array(Self.good.utf8))
        #expect(read("cc-\(Self.trace)-b7ad6b7169203331-01-more-of-it") != nil)
        #expect(read("cc-\(Self.trace)-b7ad6b7169203331-01.more") == nil)
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-b7ad6b7169203331-0", "00-\(trace)-b7ad6b7169203331-01-",
        "ff-\(trace)-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-\(trace)-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", "00_\(trace)-b7ad6b7169203331-01",
        "00-\(trace)-b7ad6b716920333g-01", "0x-\(trace)-b7ad6b7169203331-01", " \(good)",
        "00-\(trace)-b7ad6b7169203331-+1",
    ])
    func `anything else is none, and another trace begins`(_ text: String) {
        #expect(read(text) == nil)
        let made = continued(text)
        #expect(made.traceIDText != Array(Self.trace.utf8))
        #expect(!made.isSampled)
        #expect(read(String(decoding: made.text, as: UTF8.self)) == made)
    }

    @Test func `a trace goes on with a parent of our own`() {
        let next = continued(Self.good)
        #expect(next.traceIDText == Array(Self.trace.utf8))
        #expect(next.isSampled)
        #expect(next.parentID != 0xb7ad_6b71_6920_3331)
        #expect(next != continued(Self.good))
    }

    @Test func `of two nobody knows which one counts`() {
        #expect(continued(Self.good, Self.good).traceIDText != Array(Self.trace.utf8))
    }
}

@Suite struct `Request ids` {
    private func find(_ texts: String...) -> String {
        String(decoding: RequestID.find(in: texts.map { Array($0.utf8)[...] }), as: UTF8.self)
    }

    @Test func `a client's own is kept`() {
        for id in ["a", "x-1/2+\"=\\~!", String(repeating: "a", count: 128)] { #expect(find(id) == id) }
    }

    @Test func `anything else is replaced by one that nobody has`() {
        for id in ["", "a b", "a\tb", "a\u{7F}", "é", String(repeating: "a", count: 129)] {
            let made = find(id)
            #expect(made.utf8.count == 32 && made.allSatisfy(\.isHexDigit))
        }
        #expect(find("a", "b").utf8.count == 32)
        #expect(find() != find())
    }
}
