import Sluice
import Testing

@Suite struct `Name template` {
    @Test(
        arguments: [
            ("market", "market", []), ("market", "markets", nil), ("feed.{symbol}", "feed.ACME", ["ACME"]),
            ("feed.{symbol}", "feed.", nil), ("feed.{symbol}", "feed", nil), ("feed.{symbol}", "feed.a.b", nil),
            ("feed.{symbol}", "feeds.a", nil), ("feed.{symbol}", "feed.é/ %", ["é/ %"]), ("feed.{symbol}", "", nil),
            ("feed.{symbol}", "feed.a\nb", nil), ("feed.{symbol}", "feed.\u{7F}", nil),
            ("feed.{symbol}", "feed.\u{85}", nil),
            ("{a}.{b}", "x.y", ["x", "y"]), ("{a}.{b}", ".y", nil), ("{a}.{b}", "x.", nil), ("{a}.{b}", "x", nil),
            ("{a}", "x", ["x"]), ("{a}", "x.y", nil), ("room-{id}.chat", "room-7.chat", ["7"]),
            ("room-{id}.chat", "room-.chat", nil), ("room-{id}.chat", "room-7.chats", nil), ("a{x}a", "aa", nil),
            ("a{x}a", "aba", ["b"]), ("a{x}a", "aaa", ["a"]), ("a{x}a", "a", nil), ("a..{b}", "a..x", ["x"]),
            ("a.{b}.c", "a.x.c", ["x"]), ("a.{b}.c", "a.x", nil), ("a.{b}.c", "a.x.c.d", nil),
        ] as [(String, String, [String]?)])
    func `a template takes the names it should`(_ text: String, _ name: String, _ values: [String]?) throws {
        let template = try NameTemplate(text)
        let match = template.match(name)
        #expect(match?.values == values)
        if let match { #expect(template.fill(match) == name) }
    }

    @Test func `a template is filled by name`() throws {
        let template = try NameTemplate("{b}.x-{a}-y")
        #expect(template.parameterNames == ["b", "a"])
        #expect(template.fill(["a": "1", "b": "2", "c": "3"]) == "2.x-1-y")
        #expect(template.fill(["a": "1"]) == nil)
        #expect(template.fill(PathParameters()) == nil)
        #expect(try NameTemplate("market").fill(PathParameters()) == "market")
    }

    @Test(arguments: ["", ".", "a.b", "\n", "a\r", "\0", "\u{1F}", "\u{7F}", "\u{80}", "\u{9F}"])
    func `a value that reaches beyond its segment is refused`(_ value: String) throws {
        #expect(try NameTemplate("feed.{symbol}").fill(["symbol": value]) == nil)
        #expect(try NameTemplate("{symbol}x").fill(["symbol": value]) == nil)
    }

    @Test func `a parameter alone stands for every name`() throws {
        let template = try NameTemplate("{topic}")
        #expect(template.fill(["topic": "feed.ACME"]) == "feed.ACME")
        #expect(template.fill(["topic": "a\nb"]) == nil)
        #expect(template.fill(["topic": ""]) == nil)
    }

    @Test(arguments: [
        "", "{", "}", "a{", "}a{", "{}", "{a", "a}", "{a}{b}", "{a}.{a}", "{a-b}", "{1}", "{{a}}", "{a}}", "{a.b}",
        "a\nb",
        "a\u{85}",
    ])
    func `a template that cannot be meant is refused`(_ text: String) {
        #expect(throws: PatternError.self) { try NameTemplate(text) }
    }

    @Test(arguments: [
        ("a", "a", true), ("a", "b", false), ("a.{x}", "a.b", true), ("a.{x}", "a.", false), ("a.{x}", "b.{y}", false),
        ("a.{x}", "{y}.b", true), ("a.{x}", "a.b.{y}", false), ("a.{x}", "{y}", false), ("{x}", "{y}", true),
        ("a{x}", "{y}b", true), ("ab{x}", "a{y}", true), ("ab{x}", "ac{y}", false), ("{x}ab", "{y}b", true),
        ("{x}ab", "{y}ac", false), ("a{x}c", "b{y}c", false), ("a{x}a", "aa", false), ("a{x}a", "aba", true),
        ("{x}.a", "{y}.b", false),
    ])
    func `two templates that one name fits are found`(_ one: String, _ other: String, _ canOverlap: Bool) throws {
        let (one, other) = (try NameTemplate(one), try NameTemplate(other))
        #expect(one.canOverlap(other) == canOverlap)
        #expect(other.canOverlap(one) == canOverlap)
    }
}
