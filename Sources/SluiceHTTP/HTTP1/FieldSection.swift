/// Finds the field lines of a head or of trailers (RFC 9112, 5), one byte sequence after the other. It looks at each
/// byte once and decides by it alone, so it cannot matter how the input was cut.
struct FieldSection: Sendable {
    enum Step {
        /// All of the input was taken.
        case more
        /// A field line is complete: the last of `entries`.
        case field
        /// The empty line is complete.
        case end
    }

    private enum State: UInt8 {
        case lineStart, name, beforeValue, value, lineFeed, lastLineFeed
    }

    private(set) var entries: [FieldBlock.Entry] = []
    private var state = State.lineStart
    private var nameStart = 0
    private var nameEnd = 0
    private var valueStart = 0
    private var valueEnd = 0

    /// Hands the entries over and begins anew.
    mutating func take() -> [FieldBlock.Entry] {
        let taken = entries
        self = FieldSection()
        return taken
    }

    /// Takes bytes of `input` from `index` until `end`, or until a field or the section is complete. `delta` makes
    /// offsets in the head out of indices.
    mutating func scan(
        _ input: UnsafeRawBufferPointer, _ index: inout Int, to end: Int, delta: Int, limits: HTTP1Limits
    ) throws(HTTPError) -> Step {
        while index < end {
            let byte = unsafe input[index]
            switch state {
            case .lineStart:
                try begin(with: byte, at: index &+ delta, limits: limits)
            case .name:
                index = unsafe FieldSection.nameEnd(in: input, from: index, to: end)
                guard index < end else { return .more }
                guard unsafe input[index] == ASCII.colon else { throw unsafe FieldSection.refusal(of: input[index]) }
                nameEnd = index &+ delta
                state = .beforeValue
            case .beforeValue:
                valueStart = index &+ delta
                valueEnd = valueStart
                if !ASCII.isBlank(byte) {
                    state = .value
                    continue
                }
            case .value:
                try unsafe scanValue(input, &index, to: end, delta: delta)
                guard index < end else { return .more }
            case .lineFeed:
                guard byte == ASCII.lineFeed else { throw .bad("bare CR in a field") }
                index &+= 1
                finishLine()
                return .field
            case .lastLineFeed:
                guard byte == ASCII.lineFeed else { throw .bad("bare CR at the end of the header") }
                index &+= 1
                return .end
            }
            index &+= 1
        }
        return .more
    }

    private mutating func begin(with byte: UInt8, at offset: Int, limits: HTTP1Limits) throws(HTTPError) {
        if byte == ASCII.carriageReturn {
            state = .lastLineFeed
            return
        }
        guard ByteSet.token.contains(byte) else {
            // RFC 9112, 2.2 and 5.2: white space here is a folded line, or a trick.
            if ASCII.isBlank(byte) { throw .bad("white space at the start of a header line") }
            throw FieldSection.refusal(of: byte)
        }
        guard entries.count < limits.fields else { throw HTTPError(status: 431, reason: "too many header fields") }
        nameStart = offset
        state = .name
    }

    private mutating func scanValue(
        _ input: UnsafeRawBufferPointer, _ index: inout Int, to end: Int, delta: Int
    ) throws(HTTPError) {
        let start = index
        index = unsafe ASCII.valueEnd(in: input, from: start, to: end)
        var last = index
        while last > start, unsafe ASCII.isBlank(input[last &- 1]) { last &-= 1 }
        if last > start { valueEnd = last &+ delta }
        guard index < end else { return }
        let byte = unsafe input[index]
        guard byte == ASCII.carriageReturn else {
            if byte == ASCII.lineFeed { throw .bad("bare LF in a field") }
            throw .bad("control character in a field value")
        }
        state = .lineFeed
    }

    private mutating func finishLine() {
        // Room for what browsers send, in one allocation.
        if entries.capacity == 0 { entries.reserveCapacity(24) }
        entries.append(
            FieldBlock.Entry(
                nameStart: UInt32(truncatingIfNeeded: nameStart), nameEnd: UInt32(truncatingIfNeeded: nameEnd),
                valueStart: UInt32(truncatingIfNeeded: valueStart), valueEnd: UInt32(truncatingIfNeeded: valueEnd),
                id: .other))
        state = .lineStart
    }

    /// Notes the id of the field that was completed last.
    mutating func identify(_ id: FieldID) {
        guard let last = entries.indices.last else { return }
        entries[last].id = id
    }

    private static func nameEnd(in input: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, unsafe ByteSet.token.contains(input[index]) { index &+= 1 }
        return index
    }

    private static func refusal(of byte: UInt8) -> HTTPError {
        switch byte {
        case ASCII.space, ASCII.tab: .bad("white space before the colon of a field")
        case ASCII.lineFeed: .bad("bare LF in the header")
        case ASCII.carriageReturn: .bad("header line without a colon")
        case ASCII.colon: .bad("field without a name")
        default: .bad("bad character in a field name")
        }
    }
}
