import SluiceHTTP
import Testing

/// What compressed content came to.
private struct Inflated: Equatable {
    var bytes: [UInt8] = []
    var error: InflateError.Kind?
    var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension Inflater {
    /// Everything that `input` holds; all of it must have been used.
    fileprivate func all(_ input: [UInt8]) throws(InflateError) -> [UInt8] {
        var output: [UInt8] = []
        try add(input, to: &output)
        return output
    }

    fileprivate func add(_ input: [UInt8], to output: inout [UInt8]) throws(InflateError) {
        var result = Result<Int, InflateError>.success(0)
        unsafe input.withUnsafeBytes { input in
            result = Result { () throws(InflateError) in
                try unsafe decode(input) { piece in
                    #expect(piece.count > 0 && piece.count <= Inflater.pieceSize)
                    output += unsafe Array(piece)
                    return true
                }
            }
        }
        #expect(try result.get() == input.count)
    }
}

/// `input` cut at the given places, to its end.
private func inflated(_ input: [UInt8], _ coding: ContentCoding = .gzip, cutAt cuts: [Int] = []) throws -> Inflated {
    let inflater = try #require(try Inflater(coding))
    var found = Inflated()
    do throws(InflateError) {
        var start = 0
        for end in cuts.sorted() + [input.count] {
            try inflater.add(Array(input[start..<end]), to: &found.bytes)
            start = end
        }
        try inflater.finish()
    } catch {
        found.error = error.kind
    }
    #expect(inflater.isAtEnd == (found.error == nil))
    return found
}

/// Text that compresses well in places and badly in others, the same on every run.
private func sample(_ count: Int) -> [UInt8] {
    var random = SeededGenerator(state: 7)
    var bytes: [UInt8] = []
    while bytes.count < count {
        bytes += random.next() % 2 == 0 ? Array("data: event \(bytes.count)\n\n".utf8) : [UInt8(random.next() & 0xFF)]
    }
    return Array(bytes.prefix(count))
}

struct InflaterTests {
    private let plain = sample(50_000)

    @Test(arguments: [(ContentCoding.gzip, Int32(31)), (.deflate, 15)])
    func `content is the same whole, byte by byte and cut anywhere`(_ coding: ContentCoding, _ bits: Int32) throws {
        let input = Deflating.whole(plain, windowBits: bits)
        let expected = Inflated(bytes: plain)
        #expect(try inflated(input, coding) == expected)
        #expect(try inflated(input, coding, cutAt: Array(0...input.count)) == expected)
        var random = SeededGenerator(state: 1)
        for _ in 0..<50 {
            let cuts = (0..<8).map { _ in Int.random(in: 0...input.count, using: &random) }
            #expect(try inflated(input, coding, cutAt: cuts) == expected)
        }
    }

    @Test func `a header with a name, a comment and a checksum is read`() throws {
        // gzip with FHCRC would need its checksum; name and comment are what senders really write.
        var input = Deflating.whole(Array("named".utf8))
        input[3] = 0x18  // FNAME and FCOMMENT
        input.insert(contentsOf: Array("a.log\0a comment\0".utf8), at: 10)
        #expect(try inflated(input).text == "named")
        #expect(try inflated(input, cutAt: Array(0...input.count)).text == "named")
    }

    @Test func `what was flushed comes out at once`() throws {
        let deflating = Deflating()
        let inflater = try #require(try Inflater(.gzip))
        for text in [
            "data: a\n\n", "data: b\n\n", ": heartbeat\n", "data: \(String(repeating: "x", count: 70_000))\n\n",
        ] {
            let sent = deflating(Array(text.utf8))
            #expect(try inflater.all(sent) == Array(text.utf8))
            #expect(!inflater.isAtEnd)
        }
        #expect(try inflater.all(deflating([], 4)).isEmpty)
        #expect(inflater.isAtEnd)
        try inflater.finish()
    }

    @Test func `members that follow one another are one content`() throws {
        let input =
            Deflating.whole(Array("one ".utf8)) + Deflating.whole([]) + Deflating.whole(Array("two".utf8))
        #expect(try inflated(input) == Inflated(bytes: Array("one two".utf8)))
        #expect(try inflated(input, cutAt: Array(0...input.count)) == Inflated(bytes: Array("one two".utf8)))
        let zlib = Deflating.whole(Array("one".utf8), windowBits: 15)
        #expect(try inflated(zlib + zlib, .deflate) == Inflated(bytes: Array("one".utf8), error: .trailing))
    }

    @Test func `no content at all is complete`() throws {
        #expect(try inflated([]) == Inflated())
        #expect(try inflated([], .deflate) == Inflated())
        #expect(try Inflater(.identity) == nil)
    }

    // MARK: Much

    @Test func `a bomb comes out in small pieces, and nothing of it is kept`() throws {
        let count = 100 << 20
        let deflating = Deflating()
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        var bomb: [UInt8] = []
        for _ in 0..<(count >> 20) { bomb += deflating(zeros, 0) }
        bomb += deflating([], 4)
        #expect(bomb.count < count / 900)
        let inflater = try #require(try Inflater(.gzip))
        var (decoded, largest, others) = (0, 0, 0)
        let used = unsafe try bomb.withUnsafeBytes { input in
            unsafe try inflater.decode(input) { piece in
                decoded += piece.count
                largest = max(largest, piece.count)
                if unsafe piece.first != 0 || piece.last != 0 { others += 1 }
                return true
            }
        }
        #expect(used == bomb.count)
        #expect(decoded == count)
        #expect(largest == Inflater.pieceSize)
        #expect(others == 0)
        #expect(inflater.isAtEnd)
    }

    @Test func `nothing stays inside when the input ends with a full piece`() throws {
        let input = Deflating.whole([UInt8](repeating: 7, count: 1 << 20))
        let slow = try #require(try Inflater(.gzip))
        var expected: [UInt8] = []
        for (index, byte) in input.enumerated() {
            // A byte stands for 2 KiB at most, so that this one never fills a piece.
            try slow.add([byte], to: &expected)
            let quick = try #require(try Inflater(.gzip))
            #expect(try quick.all(Array(input[...index])).count == expected.count, "\(index)")
        }
    }

    @Test func `whoever takes the pieces may stop, and goes on where that was`() throws {
        for (input, expected) in [
            (Deflating.whole([UInt8](repeating: 7, count: 1 << 20)), [UInt8](repeating: 7, count: 1 << 20)),
            (Deflating.whole(plain) + Deflating.whole(plain), plain + plain),
            // One flush of exactly one piece, then nothing: the stop must not hang or lose the end.
            (
                Deflating.whole([UInt8](repeating: 7, count: Inflater.pieceSize)),
                [UInt8](repeating: 7, count: Inflater.pieceSize)
            ),
        ] {
            let inflater = try #require(try Inflater(.gzip))
            var output: [UInt8] = []
            var start = 0
            var rounds = 0
            while !(start == input.count && inflater.isAtEnd) && rounds < 1000 {
                rounds += 1
                let rest = Array(input[start...])
                start += unsafe try rest.withUnsafeBytes { rest in
                    unsafe try inflater.decode(rest) { piece in
                        output += unsafe Array(piece)
                        return false
                    }
                }
            }
            #expect(output == expected)
            #expect(rounds >= expected.count / Inflater.pieceSize)
            #expect(rounds < 1000)
        }
    }

    // MARK: Bad content

    @Test func `content cut anywhere is truncated, and what came before counts`() throws {
        let input = Deflating.whole(Array("some text, some text".utf8))
        for end in 1..<input.count {
            let found = try inflated(Array(input.prefix(end)))
            #expect(found.error == .truncated)
            #expect("some text, some text".hasPrefix(found.text))
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\n", "data: plain text that is labelled as gzip\n\n", "\u{1f}", "\0\0\0\0",
    ])
    func `what is no gzip is refused`(_ text: String) throws {
        let found = try inflated(Array(text.utf8))
        #expect(found.error == (text == "\u{1f}" ? .truncated : .corrupt))
        #expect(found.bytes.isEmpty)
    }

    @Test func `a changed checksum, length, window or method is corrupt`() throws {
        let input = Deflating.whole(plain)
        for index in [0, 1, 2, input.count - 1, input.count - 5] {
            var changed = input
            changed[index] ^= 0x40
            #expect(try inflated(changed).error == .corrupt, "byte \(index)")
        }
        var dictionary = Deflating.whole(plain, windowBits: 15)
        (dictionary[0], dictionary[1]) = (0x78, 0xBB)  // FDICT, with a header check that fits
        #expect(try inflated(dictionary, .deflate).error == .corrupt)
        #expect(try inflated(Deflating.whole(plain, windowBits: -15), .deflate).error == .corrupt)
        #expect(try inflated(Deflating.whole(plain, windowBits: 15), .gzip).error == .corrupt)
    }

    @Test func `what follows behind the end is an error, and the content counts`() throws {
        let input = Deflating.whole(Array("whole".utf8))
        for garbage in ["garbage", "\0\0\0\0", "<html>"] {
            let all = input + Array(garbage.utf8)
            let expected = Inflated(bytes: Array("whole".utf8), error: .trailing)
            #expect(try inflated(all) == expected)
            #expect(try inflated(all, cutAt: Array(0...all.count)) == expected)
        }
    }

    @Test func `an error is final`() throws {
        let inflater = try #require(try Inflater(.gzip))
        let caught = #expect(throws: InflateError.self) { _ = try inflater.all(Array("nonsense".utf8)) }
        let error = try #require(caught)
        #expect(error.description == "the compressed content is corrupt: incorrect header check")
        #expect(throws: error) { _ = try inflater.all(Deflating.whole([1])) }
        #expect(throws: error) { try inflater.finish() }
        #expect(!inflater.isAtEnd)
    }

    @Test func `random damage never stops anything, and says the same however it is cut`() throws {
        var random = SeededGenerator(state: 3)
        let inputs = [Deflating.whole(sample(2000)), Deflating.whole(sample(300)) + Deflating.whole(sample(500))]
        for round in 0..<2000 {
            var input = inputs[round % 2]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                input[Int.random(in: 0..<input.count, using: &random)] = UInt8(random.next() & 0xFF)
            }
            let cuts = (0..<6).map { _ in Int.random(in: 0...input.count, using: &random) }
            let (whole, cut) = (try inflated(input), try inflated(input, cutAt: cuts))
            #expect(cut == whole, "cut at \(cuts)")
        }
    }
}

struct ContentCodingTests {
    private func coding(_ values: String...) -> ContentCoding? {
        var fields = FieldBlock()
        for value in values { fields.append(.contentEncoding, value) }
        return ContentCoding(of: fields)
    }

    @Test func `the field says how to decode`() {
        #expect(ContentCoding(of: FieldBlock()) == .identity)
        #expect(coding("gzip") == .gzip)
        #expect(coding("GZip") == .gzip)
        #expect(coding(" x-gzip ") == .gzip)
        #expect(coding("deflate") == .deflate)
        #expect(coding("") == .identity)
        #expect(coding("identity") == .identity)
        #expect(coding("identity, gzip,") == .gzip)
        #expect(coding("", "gzip") == .gzip)
    }

    @Test func `a coding that is not known, and two of them, are refused`() {
        for value in ["br", "zstd", "gzip, gzip", "gzip, br", "gzip deflate", "\"gzip\"", "gzip;q=1"] {
            #expect(coding(value) == nil, "\(value)")
        }
        #expect(coding("gzip", "gzip") == nil)
    }
}
