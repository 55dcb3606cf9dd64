/// One line `size [ extensions ] CRLF` of a chunked body (RFC 9112, 7.1), byte by byte. Extensions must be well formed
/// and are then ignored.
struct ChunkLine: Sendable {
    private enum State: UInt8 {
        case start, size
        /// White space, behind which only `;` may come.
        case beforeSemicolon
        case beforeName, name
        /// White space after a name: `=` or `;` may come.
        case afterName
        case beforeValue, value, quoted, escaped
        /// Behind the closing quote.
        case afterQuoted
        case lineFeed
    }

    private(set) var size: UInt64 = 0
    /// Bytes so far, line end included.
    private(set) var length = 0
    private var state = State.start

    /// Takes bytes from `index` until the input ends or the line is complete, which is then said by `true`.
    mutating func scan(
        _ input: UnsafeRawBufferPointer, _ index: inout Int, limit: Int
    ) throws(HTTPError) -> Bool {
        while index < input.count {
            guard length < limit else { throw .bad("chunk line too long") }
            let byte = unsafe input[index]
            index &+= 1
            length &+= 1
            if state == .lineFeed {
                guard byte == ASCII.lineFeed else { throw .bad("bare CR in a chunk line") }
                return true
            }
            state = try next(byte)
        }
        return false
    }

    private mutating func next(_ byte: UInt8) throws(HTTPError) -> State {
        switch state {
        case .start, .size:
            return try afterSize(byte)
        case .beforeSemicolon:
            if ASCII.isBlank(byte) { return .beforeSemicolon }
            if byte == ASCII.semicolon { return .beforeName }
        case .beforeName:
            if ASCII.isBlank(byte) { return .beforeName }
            if ByteSet.token.contains(byte) { return .name }
        case .name:
            if ByteSet.token.contains(byte) { return .name }
            return try afterName(byte)
        case .afterName:
            // A name's trailing white space leads to something, never to the end of the line.
            if byte != ASCII.carriageReturn { return try afterName(byte) }
        case .beforeValue:
            if ASCII.isBlank(byte) { return .beforeValue }
            if byte == ASCII.quote { return .quoted }
            if ByteSet.token.contains(byte) { return .value }
        case .value:
            if ByteSet.token.contains(byte) { return .value }
            return try afterValue(byte)
        case .quoted:
            if byte == ASCII.quote { return .afterQuoted }
            if byte == ASCII.backslash { return .escaped }
            if ASCII.isValue(byte) { return .quoted }
        case .escaped:
            if ASCII.isValue(byte) { return .quoted }
        case .afterQuoted:
            return try afterValue(byte)
        case .lineFeed:
            break
        }
        throw byte == ASCII.lineFeed ? .bad("bare LF in a chunk line") : .bad("bad chunk extension")
    }

    private mutating func afterSize(_ byte: UInt8) throws(HTTPError) -> State {
        if let digit = ASCII.hexValue(byte) {
            guard size >> 60 == 0 else { throw .bad("chunk size over 64 bits") }
            size = size << 4 | UInt64(digit)
            return .size
        }
        guard state == .size else { throw .bad("bad chunk size") }
        if byte == ASCII.semicolon { return .beforeName }
        if byte == ASCII.carriageReturn { return .lineFeed }
        if ASCII.isBlank(byte) { return .beforeSemicolon }
        throw byte == ASCII.lineFeed ? .bad("bare LF in a chunk line") : .bad("bad chunk size")
    }

    private func afterName(_ byte: UInt8) throws(HTTPError) -> State {
        if byte == ASCII.equals { return .beforeValue }
        if byte == ASCII.semicolon { return .beforeName }
        if byte == ASCII.carriageReturn { return .lineFeed }
        if ASCII.isBlank(byte) { return .afterName }
        throw byte == ASCII.lineFeed ? .bad("bare LF in a chunk line") : .bad("bad chunk extension")
    }

    private func afterValue(_ byte: UInt8) throws(HTTPError) -> State {
        if byte == ASCII.semicolon { return .beforeName }
        if byte == ASCII.carriageReturn { return .lineFeed }
        if ASCII.isBlank(byte) { return .beforeSemicolon }
        throw byte == ASCII.lineFeed ? .bad("bare LF in a chunk line") : .bad("bad chunk extension")
    }
}
