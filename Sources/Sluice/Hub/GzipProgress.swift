internal import SluiceHTTP

/// How far a stream's gzip member is: what its end will have to say, and whether the stream stands in its topic's window.
///
/// A stream that gets its topic's text piece by piece needs no check of each piece. It keeps the place where it is in the
/// text of the topic, and how its own check differs from the text's: `checksum` follows from these two whenever somebody
/// asks (CRC-32 is linear).
struct GzipProgress {
    /// The place, and the check of the topic's text up to there.
    private(set) var mark = TextMark()
    /// The difference of the two checks as it was at `base`.
    private var difference: UInt32 = 0
    private var base: UInt64 = 0
    /// Bytes of the stream that are not the topic's text up to `mark`, modulo 2^32.
    private var others: UInt32 = 0
    /// The window of the topic in which the stream is: it got exactly the topic's text since that one began, up to `mark`.
    /// 0: none.
    private(set) var window: UInt32 = 0

    /// The check of all that was sent.
    var checksum: UInt32 {
        mark.checksum ^ (base == mark.offset ? difference : CRC32.combine(difference, 0, count: mark.offset &- base))
    }

    /// How many bytes all that was sent are, modulo 2^32.
    var count: UInt32 { others &+ UInt32(truncatingIfNeeded: mark.offset) }

    /// A stretch was sent.
    mutating func add(_ stretch: GzipStretch) {
        switch stretch {
        case .text(let start, let end, let window):
            // Whatever the stream got before, from here on it gets the topic's text.
            if start.offset != mark.offset { stand(at: start, checksum, count) }
            mark = end
            self.window = window
        case .other(let sum, let count, let end, let window):
            stand(at: end ?? mark, sum(to: checksum), self.count &+ UInt32(truncatingIfNeeded: count))
            self.window = window
        }
    }

    private mutating func stand(at mark: TextMark, _ checksum: UInt32, _ count: UInt32) {
        self.mark = mark
        base = mark.offset
        difference = checksum ^ mark.checksum
        others = count &- UInt32(truncatingIfNeeded: mark.offset)
    }
}

/// A place in the text of a topic: all its events one behind the other, but for those that no compressed stream followed.
struct TextMark: Sendable, Equatable {
    /// Bytes up to here.
    var offset: UInt64 = 0
    var checksum: UInt32 = 0

    /// The place behind so many more bytes.
    func advanced(by count: Int, _ sum: UInt32) -> TextMark {
        TextMark(
            offset: offset &+ UInt64(count), checksum: CRC32.combine(checksum, sum, count: UInt64(count)))
    }
}
