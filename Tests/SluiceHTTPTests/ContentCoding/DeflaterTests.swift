import SluiceHTTP
import Testing

@Suite struct DeflaterTests {
    private let texts = (0..<40).map { number in
        Array("data: {\"number\":\(number),\"name\":\"something that comes again\"}\n\n".utf8)
    }

    /// The content of a gzip member made of these pieces.
    private func content(_ pieces: [[UInt8]], of texts: [[UInt8]]) throws -> [UInt8] {
        let all = texts.flatMap { $0 }
        let member =
            Gzip.header + pieces.flatMap { $0 }
            + Gzip.end(checksum: CRC32.checksum(all), count: UInt32(all.count))
        let inflater = try #require(try Inflater(.gzip))
        var content: [UInt8] = []
        _ = try unsafe member.withUnsafeBytes { bytes in
            try unsafe inflater.decode(bytes) { piece in
                unsafe content.append(contentsOf: piece)
                return true
            }
        }
        try inflater.finish()
        return content
    }

    @Test func `pieces that are flushed fully can be strung together in any order, left out and repeated`() throws {
        let deflater = try Deflater(level: 6, memoryLevel: 5)
        let pieces = texts.map { deflater.compress($0, .full) }
        for order in [Array(0..<40), [7, 3, 3, 39, 0], Array((0..<40).reversed()), [21], []] {
            let chosen = order.map { texts[$0] }
            #expect(try content(order.map { pieces[$0] }, of: chosen) == chosen.flatMap { $0 })
        }
    }

    @Test func `a piece that refers back is smaller, until the compressor forgets`() throws {
        let deflater = try Deflater(level: 9, memoryLevel: 8)
        let alone = deflater.compress(texts[0], .sync).count
        var pieces = [deflater.compress(texts[1], .sync)]
        #expect(pieces[0].count < alone / 2)
        deflater.reset()
        pieces = texts.map { deflater.compress($0, .sync) }
        #expect(pieces[0].count == alone)
        deflater.reset()
        pieces += texts.map { deflater.compress($0, .sync) }
        #expect(pieces[40] == pieces[0])
        #expect(try content(pieces, of: texts + texts) == (texts + texts).flatMap { $0 })
    }

    @Test(arguments: [1, 100, 32_768, 65_535, 300_000, 3_000_000])
    func `any size comes out as it went in, all of it with its own piece`(size: Int) throws {
        let deflater = try Deflater(level: 6, memoryLevel: 1)
        let noise = (0..<size).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
        for text in [noise, [UInt8](repeating: 0x61, count: size)] {
            let pieces = [deflater.compress(text, .sync), deflater.compress(texts[0], .full)]
            #expect(try content(pieces, of: [text, texts[0]]) == text + texts[0])
            #expect(pieces[0].count < size + size / 1000 + 64)
        }
    }

    @Test func `nothing comes of nothing`() throws {
        let deflater = try Deflater(level: 9, memoryLevel: 8)
        #expect(deflater.compress([], .full) == [])
        _ = deflater.compress(texts[0], .full)
        #expect(deflater.compress([], .sync) == [])
    }

    @Test func `stored bytes are a piece like others`() throws {
        let deflater = try Deflater(level: 9, memoryLevel: 8)
        let stored: [UInt8] = [0x3A, 0x0A]
        let pieces = [Gzip.stored(stored), deflater.compress(texts[0], .full), Gzip.stored(stored)]
        #expect(try content(pieces, of: [stored, texts[0], stored]) == stored + texts[0] + stored)
    }

    @Test func `the end says what was there`() {
        #expect(Gzip.end(checksum: 0x0403_0201, count: 0x0807_0605) == [3, 0, 1, 2, 3, 4, 5, 6, 7, 8])
        #expect(throws: (any Error).self) {
            _ = try content([Gzip.stored([1])], of: [[2]])
        }
    }
}

@Suite struct CRC32Tests {
    private let text = Array("123456789".utf8)

    @Test func `the check of a known text is the known one`() {
        #expect(CRC32.checksum(text) == 0xCBF4_3926)
        #expect(CRC32.checksum([]) == 0)
    }

    @Test func `the check of a whole follows from those of its parts`() {
        let whole = CRC32.checksum(text)
        for cut in 0...text.count {
            let (first, second) = (Array(text[..<cut]), Array(text[cut...]))
            let count = UInt64(second.count)
            let combined = CRC32.combine(CRC32.checksum(first), CRC32.checksum(second), count: count)
            #expect(combined == whole)
            #expect(CRC32.Appending(CRC32.checksum(second), count: count)(to: CRC32.checksum(first)) == whole)
        }
    }

    @Test func `what lies between is linear`() {
        for count: UInt64 in [0, 1, 234, 1 << 32, 1 << 40] {
            let both = CRC32.combine(0xDEAD_BEEF ^ 0x1234_5678, 0, count: count)
            let each = CRC32.combine(0xDEAD_BEEF, 0, count: count) ^ CRC32.combine(0x1234_5678, 0, count: count)
            #expect(both == each)
        }
    }
}
