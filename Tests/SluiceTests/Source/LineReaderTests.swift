import Testing

@testable import Sluice

@Suite struct LineReaderTests {
    /// What a reader makes of pieces; `…` stands for a line that was too long, `~` for one that was repaired.
    private func read(_ pieces: [[UInt8]], limit: Int = 100, finish: Bool = true) -> [String] {
        var reader = LineReader(limit: limit)
        var lines: [String] = []
        func take(_ item: LineReader.Item) {
            switch item {
            case .line(let line, let wasRepaired):
                lines.append((wasRepaired ? "~" : "") + String(decoding: line, as: UTF8.self))
            case .tooLong(let start): lines.append(String(decoding: start, as: UTF8.self) + "…")
            }
        }
        for piece in pieces { unsafe piece.withUnsafeBytes { unsafe reader.parse($0, take) } }
        if finish { reader.finish(take) }
        return lines
    }

    private func read(_ text: String, limit: Int = 100, finish: Bool = true) -> [String] {
        read([Array(text.utf8)], limit: limit, finish: finish)
    }

    @Test(arguments: [
        ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\r\n", ["a"]), ("\n", [""]), ("\r\n\n", ["", ""]),
        ("a\nb", ["a", "b"]), ("a\rb\n", ["a\rb"]), ("a\r\r\n", ["a\r"]), ("a\r", ["a"]),
        ("é\n☃\n", ["é", "☃"]),
    ])
    func `lines end with LF or CRLF`(text: String, lines: [String]) {
        #expect(read(text) == lines)
    }

    @Test func `a line without an end waits for it`() {
        #expect(read("a\nb", finish: false) == ["a"])
    }

    @Test func `what is not UTF-8 is replaced, also where the end cuts it`() {
        #expect(read([[0x61, 0xFF, 0x0A], [0xE2, 0x98]]) == ["~a\u{FFFD}", "~\u{FFFD}"])
    }

    @Test func `a line over the limit is dropped alone, and its end does not count`() {
        #expect(read("1234\n12345\r\n123456\n1\n", limit: 5) == ["1234", "12345", "12345…", "1"])
        #expect(read("123456", limit: 5) == ["12345…"])
        #expect(read("12345\rx\n", limit: 5) == ["12345…"])
        #expect(read("x\n\n\r\n", limit: 0) == ["…", "", ""])
    }

    @Test func `how the bytes are split changes nothing`() {
        let text = Array("one\r\n\ntwo ☃ 三\r\n123456789012345678901\r\n\u{FEFF}four\r\r\nfive\rsix\nlast".utf8) + [0xC3]
        let whole = read([text], limit: 20)
        #expect(whole.count == 7)
        for first in 0...text.count {
            for second in first...text.count {
                let pieces = [text[..<first], text[first..<second], text[second...]].map { Array($0) }
                #expect(read(pieces, limit: 20) == whole)
            }
        }
    }

    @Test func `a line without an end, ever, is held no longer than the limit`() {
        let block = [UInt8](repeating: 0x61, count: 1000)
        let lines = read([[UInt8]](repeating: block, count: 1000), limit: 5000)
        #expect(lines.count == 1)
        #expect(lines[0].utf8.count == 5000 + 3)
    }
}

@Suite struct LineBudgetTests {
    @Test func `a few lines at once, then some every second, and how many were left out`() {
        var budget = LineBudget()
        let burst = (0..<100).map { _ in budget.take(at: 1000) }
        #expect(burst.prefix(20).allSatisfy { $0 == 0 })
        #expect(burst.dropFirst(20).allSatisfy { $0 == nil })
        #expect(budget.take(at: 1199) == nil)
        #expect(budget.take(at: 1200) == 81)
        #expect(budget.take(at: 1399) == nil)
        #expect(budget.take(at: 1400) == 1)
        #expect(budget.takeLeftOut() == 0)
    }

    @Test func `who was quiet for long may speak as at first, and not more`() {
        var budget = LineBudget()
        for _ in 0..<50 { _ = budget.take(at: 0) }
        let later = (0..<50).compactMap { _ in budget.take(at: .max) }
        #expect(later.count == 20)
        #expect(budget.take(at: 0) == nil)
    }
}
