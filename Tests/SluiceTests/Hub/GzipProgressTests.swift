import SluiceHTTP
import Testing

@testable import Sluice

@Suite struct GzipProgressTests {
    private let text = Array("the text of a topic, of which streams get stretches".utf8)

    private func mark(_ offset: Int) -> TextMark {
        TextMark(offset: UInt64(offset) + 7, checksum: CRC32.checksum(Array(text[..<offset])))
    }

    private func stretch(_ range: Range<Int>, window: UInt32 = 1) -> GzipStretch {
        .text(from: mark(range.lowerBound), to: mark(range.upperBound), window: window)
    }

    private func expect(_ progress: GzipProgress, _ bytes: [UInt8]) {
        #expect(progress.checksum == CRC32.checksum(bytes))
        #expect(progress.count == UInt32(bytes.count))
    }

    @Test func `a place advances by what is there`() {
        #expect(mark(3).advanced(by: 10, CRC32.checksum(Array(text[3..<13]))) == mark(13))
    }

    @Test func `stretches, own bytes and jumps give the check of all that was sent`() {
        var progress = GzipProgress()
        var sent: [UInt8] = []
        expect(progress, sent)
        let own = Array(": own\n".utf8)
        // Ranges of the text; `nil` stands for bytes of the stream's own.
        for range: Range<Int>? in [nil, 5..<9, 9..<20, nil, nil, 20..<21, 30..<40, 0..<text.count, nil, 3..<4, 1..<2] {
            progress.add(range.map { stretch($0) } ?? GzipStretch(own))
            sent += range.map { Array(text[$0]) } ?? own
            expect(progress, sent)
            #expect(progress.window == (range == nil ? 0 : 1))
        }
    }

    @Test func `the count is modulo 2 to the 32nd`() {
        var progress = GzipProgress()
        for _ in 0..<5 {
            progress.add(.other(CRC32.Appending(0, count: 1 << 31), count: 1 << 31, end: nil, window: 0))
        }
        #expect(progress.count == 1 << 31)
    }
}
