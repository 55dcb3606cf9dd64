/// Cuts bytes that come in any pieces into lines, which end with LF or CRLF. It holds no more than one line.
struct LineReader: Sendable {
    enum Item: Equatable, Sendable {
        /// A line without its end, as UTF-8: other bytes became U+FFFD.
        case line([UInt8], wasRepaired: Bool)
        /// A line over the limit: how it began, up to the limit. The rest of it is dropped.
        case tooLong(start: [UInt8])
    }

    /// Bytes of a line without its end.
    private let limit: Int
    /// The beginning of a line whose end has not come.
    private var held: [UInt8] = []
    private var isDropping = false

    private static let lineFeed: UInt8 = 0x0A
    private static let carriageReturn: UInt8 = 0x0D

    init(limit: Int) { self.limit = min(max(0, limit), 1 << 50) }

    /// Takes all of the bytes, and gives the lines that they complete to `sink`, in order.
    mutating func parse(_ bytes: UnsafeRawBufferPointer, _ sink: (Item) -> Void) {
        var start = 0
        while start < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[start...])
            guard let end = unsafe rest.firstIndex(of: Self.lineFeed) else { return unsafe hold(rest, sink) }
            unsafe hold(UnsafeRawBufferPointer(rebasing: rest[..<end]), sink)
            endLine(sink)
            start += end + 1
        }
    }

    /// The end of the bytes: a line that has no end of its own is one all the same.
    mutating func finish(_ sink: (Item) -> Void) {
        if !held.isEmpty { endLine(sink) }
        reset()
    }

    /// Forgets the line that was begun.
    mutating func reset() { self = LineReader(limit: limit) }

    private mutating func hold(_ piece: UnsafeRawBufferPointer, _ sink: (Item) -> Void) {
        guard !isDropping else { return }
        // One more than the limit: the CR of a line's end does not count, and is known as such only when LF comes.
        let room = limit + 1 - held.count
        unsafe held.append(contentsOf: piece.prefix(room))
        if piece.count > room || held.count > limit && held.last != Self.carriageReturn { drop(sink) }
    }

    private mutating func drop(_ sink: (Item) -> Void) {
        isDropping = true
        let start = held.prefix(limit)
        held = []
        sink(.tooLong(start: Array(String(decoding: start, as: UTF8.self).utf8)))
    }

    private mutating func endLine(_ sink: (Item) -> Void) {
        if isDropping {
            isDropping = false
            return
        }
        var line: [UInt8] = []
        swap(&line, &held)
        if line.last == Self.carriageReturn { line.removeLast() }
        let isValid = UTF8Check.isValid(line)
        if !isValid { line = Array(String(decoding: line, as: UTF8.self).utf8) }
        sink(.line(line, wasRepaired: !isValid))
    }
}
