import Testing

@testable import Sluice

@Suite struct `The place between two events` {
    /// Whether it is there, after bytes that came in these pieces.
    private func isBetween(_ pieces: [some Collection<UInt8>]) -> Bool {
        var boundary = EventBoundary()
        for piece in pieces { unsafe Array(piece).withUnsafeBytes { unsafe boundary.pass($0) } }
        return boundary.isBetweenEvents
    }

    @Test(arguments: [
        "", "\n", "\r\n", "\n\n", "data: a\n\n", "data: a\r\n\r\n", "data: a\r\r\n", "data: a\n\r\n", "data: a\r\n\n",
        "id\n\n", "nonsense\n\n", "data: a\n\n\n\n", ": comment\n", ":\n", ": a\r\n: b\n", "data: a\n\n: comment\n",
        "retry: 5\n\n: x\n:\r\n", "data: a\ndata: b\nid: 1\n\n", "data: a\n: within\n\n", "\u{FEFF}data: a\n\n",
        "data: \u{FEFF}\n\n", "data:\0\n\n", ":data: a\n", "\u{FEFF}", "\u{FEFF}: a\n",
    ])
    func `is there`(text: String) { #expect(isBetween([text.utf8])) }

    @Test(arguments: [
        "d", "data: a", "data: a\n", "data: a\r\n", "data: a\ndata: b\n", "id: 1\n", "nonsense\n",
        "event: x\n: comment\n",
        "data: a\n: comment", "data: a\n\ndata: b", "data: a\n\ndata: b\n", ":", ": comment", "data: a\n\n: comment",
        " \n", " : no comment\n", "\0", "\u{FEFF}\u{FEFF}", "retry: 5\n",
    ])
    func `is not there`(text: String) { #expect(!isBetween([text.utf8])) }

    @Test(arguments: ["\r", "data: a\n\r", "data: a\r\r", ": comment\r", "data: a\n\n\r"])
    func `is not there behind a CR, of which a LF may come, but behind the LF`(text: String) {
        #expect(!isBetween([text.utf8]))
        #expect(isBetween([text.utf8, "\n".utf8]))
        // A LF that comes after another byte is a line of its own.
        #expect(!isBetween([text.utf8, "data".utf8]))
    }

    @Test func `is not within a byte order mark, which is one at the beginning of all alone`() {
        let mark = Array("\u{FEFF}".utf8)
        for count in 1...2 {
            #expect(!isBetween([mark.prefix(count)]))
            #expect(!isBetween([Array(mark.prefix(count)) + "\n".utf8]))
            #expect(isBetween([mark.prefix(count), mark.dropFirst(count)]))
        }
        #expect(!isBetween([": a\n".utf8, "\u{FEFF}: comment\n".utf8]))
        var boundary = EventBoundary()
        #expect(boundary.isAtStart)
        unsafe Array("\u{FEFF}data: a\n\n".utf8).withUnsafeBytes { unsafe boundary.pass($0) }
        #expect(boundary.events == 1 && !boundary.isAtStart)
    }

    /// What the rules say of bytes that are all there (WHATWG HTML, section 9.2.6): no CR is open, the last line has
    /// ended, and since the last empty one there were comments alone.
    private func isBetween(whole text: [UInt8]) -> Bool {
        let mark = Array("\u{FEFF}".utf8)
        let text = text.starts(with: mark) ? Array(text.dropFirst(mark.count)) : text
        guard let last = text.last else { return true }
        guard last == 0x0A else { return false }
        var lines: [[UInt8]] = [[]]
        for (index, byte) in text.enumerated() {
            switch byte {
            case 0x0D: lines.append([])
            case 0x0A where index > 0 && text[index - 1] == 0x0D: break
            case 0x0A: lines.append([])
            default: lines[lines.count - 1].append(byte)
            }
        }
        return lines.dropLast().reversed().prefix { !$0.isEmpty }.allSatisfy { $0.first == UInt8(ascii: ":") }
    }

    private let alphabet = Array("\r\n:d".utf8)

    @Test func `is found in every short text, however it is cut`() {
        for length in 0...6 {
            for number in 0..<(1 << (2 * length)) {
                let text = (0..<length).map { alphabet[number >> (2 * $0) & 3] }
                let expected = isBetween(whole: text)
                for cuts in 0..<(1 << max(0, length - 1)) {
                    var pieces: [[UInt8]] = [[]]
                    for (index, byte) in text.enumerated() {
                        pieces[pieces.count - 1].append(byte)
                        if cuts >> index & 1 == 1 { pieces.append([]) }
                    }
                    guard isBetween(pieces) != expected else { continue }
                    Issue.record("\(pieces) is \(expected ? "between events" : "not between events")")
                    return
                }
            }
        }
    }

    @Test(arguments: 0..<20)
    func `is found in long texts that are cut by chance`(seed: UInt64) {
        var chance = SplitMix64(seed: seed)
        let words = ["data: a", "id: 1", ": c", ":", "\n", "\n", "\r\n", "\r", "\u{FEFF}", "\0", "ü", "\n\n", "\r\r"]
        for _ in 0..<100 {
            let count = Int.random(in: 0...20, using: &chance)
            let text = (0..<count).flatMap { _ in Array((words.randomElement(using: &chance) ?? "").utf8) }
            var pieces: [ArraySlice<UInt8>] = []
            var rest = text[...]
            while !rest.isEmpty {
                let size = Int.random(in: 0...rest.count, using: &chance)
                pieces.append(rest.prefix(size))
                rest = rest.dropFirst(size)
            }
            #expect(isBetween(pieces) == isBetween(whole: text), "\(pieces.map { Array($0) })")
        }
    }
}
