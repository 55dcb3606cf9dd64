/// Reads an event stream (WHATWG HTML, section 9.2.6) from bytes that come in any pieces.
///
/// It holds no more than one line and one event, each up to its limit. What is over a limit is dropped and reported,
/// and reading goes on behind it. Text is repaired to valid UTF-8 when an event is handed out, not before.
public struct EventParser: Sendable {
    /// What bounds the memory that a stream can take.
    public struct Limits: Sendable, Hashable {
        /// Bytes of one line without its end.
        public var line: Int
        /// Bytes of one event's data (lines joined by LF) and type together.
        public var event: Int

        /// 1 MiB a line and 4 MiB an event unless told otherwise.
        public init(line: Int = 1024 * 1024, event: Int = 4 * 1024 * 1024) {
            self.line = line
            self.event = event
        }
    }

    /// What was read.
    public enum Item: Sendable, Hashable {
        /// A complete event.
        case event(ParsedEvent)
        /// A comment, as it came behind its colon: neither a leading space is removed nor UTF-8 repaired.
        case comment([UInt8])
        /// A new reconnection time. Over 2^32 - 1 it counts as that (49 days), so that no arithmetic on it overflows.
        case retry(milliseconds: UInt64)
        /// A line was over its limit. A comment is dropped alone; any other line takes its event with it.
        case lineTooLong
        /// An event was over its limit and is dropped. Its id counts all the same, as does that of an event dropped
        /// for another line: a reader that comes back would otherwise be sent it again and again.
        case eventTooLong
    }

    /// The id of the last block that ended, to be sent on reconnecting unless it is empty. It may be set, to begin with
    /// an id from elsewhere.
    public var lastEventID: [UInt8]

    private let limits: Limits
    /// How much of a byte order mark was seen at the stream's start; 3 is past it.
    private var markSeen = 0
    /// The last byte was a CR: an LF that follows belongs to it.
    private var isAfterCarriageReturn = false
    /// The rest of the current line is dropped.
    private var isDroppingLine = false
    /// The rest of the current event is dropped, but for its id.
    private var isDroppingEvent = false
    /// The beginning of a line whose end has not come.
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    /// An event with an empty `data` line has data; one without any such line has none.
    private var hasData = false
    private var type: [UInt8] = []
    /// The `id` of the current block, which counts when the block ends.
    private var pendingID: [UInt8]?

    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
    private static let keptCapacity = 64 * 1024

    /// A parser at the start of a stream.
    public init(limits: Limits = Limits(), lastEventID: [UInt8] = []) {
        self.limits = Limits(line: max(0, limits.line), event: max(0, limits.event))
        self.lastEventID = lastEventID
    }

    /// Makes ready for a new connection: what was unfinished is discarded, the last event id stays.
    public mutating func reset() {
        self = EventParser(limits: limits, lastEventID: lastEventID)
    }

    /// Takes the next bytes of the stream, all of them, and gives what they complete to `sink`, in order.
    public mutating func parse(_ bytes: UnsafeRawBufferPointer, _ sink: (Item) -> Void) {
        let count = bytes.count
        var index = unsafe takeMark(bytes, sink)
        if isAfterCarriageReturn, index < count {
            isAfterCarriageReturn = false
            if unsafe bytes[index] == ByteScan.lineFeed { index &+= 1 }
        }
        while index < count {
            let end = unsafe ByteScan.lineEnd(in: bytes, from: index)
            let piece = unsafe UnsafeRawBufferPointer(rebasing: bytes[index..<end])
            guard end < count else {
                unsafe hold(piece, sink)
                return
            }
            unsafe endLine(piece, sink)
            index = end &+ 1
            if unsafe bytes[end] == ByteScan.carriageReturn {
                if index == count {
                    isAfterCarriageReturn = true
                } else if unsafe bytes[index] == ByteScan.lineFeed {
                    index &+= 1
                }
            }
        }
    }

    /// Takes the next bytes of the stream, all of them, and gives what they complete to `sink`, in order.
    public mutating func parse(_ bytes: some Collection<UInt8>, _ sink: (Item) -> Void) {
        let isDone: Void? = bytes.withContiguousStorageIfAvailable {
            unsafe parse(UnsafeRawBufferPointer($0), sink)
        }
        if isDone == nil { unsafe Array(bytes).withUnsafeBytes { unsafe parse($0, sink) } }
    }

    /// Passes over one byte order mark at the stream's start; returns where the text begins. Bytes that only began
    /// like a mark are the beginning of the first line.
    private mutating func takeMark(_ bytes: UnsafeRawBufferPointer, _ sink: (Item) -> Void) -> Int {
        guard markSeen < 3 else { return 0 }
        var index = 0
        while markSeen < 3, index < bytes.count {
            guard unsafe bytes[index] == Self.mark[markSeen] else {
                let seen = markSeen
                markSeen = 3
                unsafe Self.mark.prefix(seen).withUnsafeBytes { unsafe hold($0, sink) }
                return index
            }
            markSeen &+= 1
            index &+= 1
        }
        return index
    }
}

// Lines.
extension EventParser {
    /// Keeps a piece of a line whose end has not come.
    private mutating func hold(_ piece: UnsafeRawBufferPointer, _ sink: (Item) -> Void) {
        guard !isDroppingLine else { return }
        if unsafe fits(piece, sink) { unsafe line.append(contentsOf: piece) }
    }

    /// Takes the last piece of a line.
    private mutating func endLine(_ piece: UnsafeRawBufferPointer, _ sink: (Item) -> Void) {
        if isDroppingLine {
            isDroppingLine = false
        } else if unsafe !fits(piece, sink) {
            isDroppingLine = false
        } else if line.isEmpty {
            unsafe take(piece, sink)
        } else {
            unsafe line.append(contentsOf: piece)
            var whole: [UInt8] = []
            swap(&whole, &line)
            unsafe whole.withUnsafeBytes { unsafe take($0, sink) }
            guard whole.capacity <= Self.keptCapacity else { return }
            whole.removeAll(keepingCapacity: true)
            swap(&whole, &line)
        }
    }

    /// Whether the line stays within its limit with this piece. If not, it is dropped, and its event with it.
    private mutating func fits(_ piece: UnsafeRawBufferPointer, _ sink: (Item) -> Void) -> Bool {
        if line.count &+ piece.count <= limits.line { return true }
        let first = unsafe line.first ?? piece.first
        isDroppingLine = true
        line = []
        if first == ByteScan.colon {
            sink(.lineTooLong)
        } else {
            drop(.lineTooLong, sink)
        }
        return false
    }

    /// Acts on a whole line.
    private mutating func take(_ line: UnsafeRawBufferPointer, _ sink: (Item) -> Void) {
        guard let first = unsafe line.first else {
            dispatch(sink)
            return
        }
        switch first {
        case ByteScan.colon:
            unsafe sink(.comment(Array(line.dropFirst())))
        case UInt8(ascii: "d"):
            if let value = unsafe value(of: "data", in: line) { unsafe takeData(value, sink) }
        case UInt8(ascii: "e"):
            if let value = unsafe value(of: "event", in: line) { unsafe takeType(value, sink) }
        case UInt8(ascii: "i"):
            guard let value = unsafe value(of: "id", in: line), unsafe !value.contains(0) else { return }
            unsafe pendingID = Array(value)
        case UInt8(ascii: "r"):
            guard let value = unsafe value(of: "retry", in: line), let milliseconds = unsafe Self.number(value) else {
                return
            }
            sink(.retry(milliseconds: milliseconds))
        default:
            return
        }
    }

    /// The value of a line if its name is exactly this one: behind the colon and at most one space; empty without a
    /// colon.
    private func value(of name: StaticString, in line: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
        let length = name.utf8CodeUnitCount
        guard line.count >= length else { return nil }
        for index in 0..<length {
            guard unsafe line[index] == name.utf8Start[index] else { return nil }
        }
        guard line.count > length else { return unsafe UnsafeRawBufferPointer(start: nil, count: 0) }
        guard unsafe line[length] == ByteScan.colon else { return nil }
        var start = length &+ 1
        if start < line.count, unsafe line[start] == ByteScan.space { start &+= 1 }
        return unsafe UnsafeRawBufferPointer(rebasing: line[start...])
    }

    /// A number of ASCII digits alone, capped at 2^32 - 1.
    private static func number(_ digits: UnsafeRawBufferPointer) -> UInt64? {
        guard unsafe !digits.isEmpty else { return nil }
        var number: UInt64 = 0
        for index in 0..<digits.count {
            let digit = unsafe digits[index]
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            number = min(number &* 10 &+ UInt64(digit &- UInt8(ascii: "0")), UInt64(UInt32.max))
        }
        return number
    }
}

// Events.
extension EventParser {
    private mutating func takeData(_ value: UnsafeRawBufferPointer, _ sink: (Item) -> Void) {
        guard !isDroppingEvent else { return }
        let separator = hasData ? 1 : 0
        guard data.count &+ separator &+ value.count &+ type.count <= limits.event else {
            drop(.eventTooLong, sink)
            return
        }
        if hasData { data.append(ByteScan.lineFeed) }
        unsafe data.append(contentsOf: value)
        hasData = true
    }

    private mutating func takeType(_ value: UnsafeRawBufferPointer, _ sink: (Item) -> Void) {
        guard !isDroppingEvent else { return }
        guard data.count &+ value.count <= limits.event else {
            drop(.eventTooLong, sink)
            return
        }
        type.removeAll(keepingCapacity: true)
        unsafe type.append(contentsOf: value)
    }

    /// Drops the current event and says so, once.
    private mutating func drop(_ reason: Item, _ sink: (Item) -> Void) {
        data = []
        type = []
        hasData = false
        guard !isDroppingEvent else { return }
        isDroppingEvent = true
        sink(reason)
    }

    /// Ends a block. Its id counts first, also when there is nothing to hand out.
    private mutating func dispatch(_ sink: (Item) -> Void) {
        var wasRepaired = false
        let hasOwnID = pendingID != nil
        if var id = pendingID {
            pendingID = nil
            wasRepaired = Self.repair(&id)
            lastEventID = id
        }
        isDroppingEvent = false
        guard hasData else {
            type.removeAll(keepingCapacity: true)
            return
        }
        var event = ParsedEvent(data: data, type: type, lastEventID: lastEventID, hasOwnID: hasOwnID)
        data = []
        type = []
        hasData = false
        if Self.repair(&event.data) { wasRepaired = true }
        if Self.repair(&event.type) { wasRepaired = true }
        event.wasRepaired = wasRepaired
        sink(.event(event))
    }

    /// Replaces what is not UTF-8 by U+FFFD, as a decoder of the whole stream would: no line end, colon or space is
    /// ever part of a longer sequence. Returns whether anything was.
    private static func repair(_ text: inout [UInt8]) -> Bool {
        if unsafe text.withUnsafeBytes({ unsafe ByteScan.isUTF8($0) }) { return false }
        text = Array(String(decoding: text, as: UTF8.self).utf8)
        return true
    }
}
