import Testing

@testable import Sluice

@Suite struct EventNamesTests {
    /// What becomes of a type; `-`: it is left out.
    private func names(_ types: [String], _ change: (inout FeedEvents) -> Void) -> [String] {
        var options = FeedEvents()
        change(&options)
        let names = EventNames(options)
        return types.map { type in
            guard let names else { return type }
            return names.type(for: Array(type.utf8)).map { String(decoding: $0, as: UTF8.self) } ?? "-"
        }
    }

    @Test func `nothing is looked at where nothing is asked for`() {
        #expect(EventNames(FeedEvents()) == nil)
    }

    @Test func `included types pass, excluded ones do not, and an event without a type is a message`() {
        let types = ["trade", "quote", "", "message"]
        #expect(names(types) { $0.include = ["trade"] } == ["trade", "-", "-", "-"])
        #expect(names(types) { $0.exclude = ["trade"] } == ["-", "quote", "", "message"])
        #expect(names(types) { $0.include = ["message"] } == ["-", "-", "", "message"])
        #expect(names(types) { $0.exclude = ["message"] } == ["trade", "quote", "-", "-"])
        #expect(names(["Trade"]) { $0.include = ["trade"] } == ["-"])
    }

    @Test func `a renamed event is filtered by the name it came with`() {
        #expect(
            names(["a", "b", "c"]) {
                $0.include = ["a", "c"]
                $0.rename = ["a": "b", "c": "message"]
            } == ["b", "-", ""])
        #expect(names(["", "message"]) { $0.rename = ["message": "tick"] } == ["tick", "tick"])
    }

    @Test func `names are changed once, not again and again`() {
        #expect(names(["a", "b"]) { $0.rename = ["a": "b", "b": "a"] } == ["b", "a"])
    }

    @Test func `the prefix comes last, and before an event without a type too`() {
        #expect(
            names(["trade", "quote", "", "message"]) {
                $0.rename = ["trade": "market.trade"]
                $0.prefix = "a."
            } == ["a.market.trade", "a.quote", "a.message", "a.message"])
    }
}
