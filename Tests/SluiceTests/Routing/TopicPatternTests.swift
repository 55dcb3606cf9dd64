import Sluice
import Testing

@Suite struct `Topic pattern` {
    @Test(
        arguments: [
            ("market", ["market"], ["markets", "marke", "Market", "market.a", "", "market."]),
            (
                "feed.*", ["feed.a", "feed.a.b", "feed.*", "feed..", "feed. "],
                ["feed", "feed.", "feeds.a", "xfeed.a", ""]
            ),
            ("a.b.*", ["a.b.c", "a.b.c.d"], ["a.b", "a.b.", "a.c.b", "a.bc.d"]),
            ("*", ["a", "a.b", "*", ".", "é"], [""]),
            ("é.*", ["é.ü"], ["e\u{301}.ü", "é"]),
        ] as [(String, [String], [String])])
    func `a pattern takes the names it should and no others`(
        _ text: String, _ taken: [String], _ others: [String]
    ) throws {
        let pattern = try TopicPattern(text)
        for name in taken { #expect(pattern.matches(name), "\(name)") }
        for name in others { #expect(!pattern.matches(name), "\(name)") }
        #expect(pattern.text == text)
    }

    @Test(arguments: [
        "", "a*", "*.a", "a.*.b", "**", "a.**", "*a", "a.*b", "{a}", "feed.{symbol}", "a}", "a\n", "a\u{85}",
    ])
    func `what is no pattern is refused`(_ text: String) {
        #expect(throws: PatternError.self) { try TopicPattern(text) }
    }

    @Test(
        arguments: [
            ("market", "market", true), ("market", "markets", false), ("feed.*", "feed.{symbol}", true),
            ("feed.*", "{a}.{b}", true), ("feed.*", "{a}", false), ("feed.*", "feeds.{a}", false),
            ("feed.*", "feed.a.b.{c}", true), ("feed.*", "feed", false), ("feed.*", "feed.", false),
            ("feed.a", "feed.{symbol}", true), ("feed.a.b", "feed.{symbol}", false), ("feed.ab", "feed.a{x}b", false),
            ("*", "market", true), ("*", "{x}", true), ("*", "a.{x}", true), ("f1.*", "f{n}.x", true),
        ])
    func `a pattern knows whether it can take a name of a template`(
        _ text: String, _ template: String, _ can: Bool
    ) throws {
        #expect(try TopicPattern(text).canMatch(NameTemplate(template)) == can)
    }

    @Test func `a list takes what one of its patterns takes`() throws {
        let patterns = [try TopicPattern("market"), try TopicPattern("feed.*")]
        #expect(patterns.allow("market"))
        #expect(patterns.allow("feed.x"))
        #expect(!patterns.allow("feed"))
        #expect(![TopicPattern]().allow("market"))
    }
}
