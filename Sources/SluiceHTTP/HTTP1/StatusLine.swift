/// Finds the parts of a status line (RFC 9112, 4): `HTTP/1.x` SP three digits SP [phrase] CRLF. It looks at each byte
/// once and decides by it alone.
struct StatusLine: Sendable {
    private enum State: UInt8 {
        case version, beforeStatus, status, beforePhrase, phrase, lineFeed
    }

    private(set) var status: UInt16 = 0
    private(set) var version = VersionDigits()
    private var state = State.version
    private var count = 0

    /// Takes bytes from `index` until `end` or until the line is complete, which is then said by `true`.
    mutating func scan(_ input: UnsafeRawBufferPointer, _ index: inout Int, to end: Int) throws(HTTPError) -> Bool {
        while index < end {
            let byte = unsafe input[index]
            index &+= 1
            switch state {
            case .version:
                guard version.take(byte, at: count) else { throw .bad("not an HTTP response") }
                count &+= 1
                if count == VersionDigits.count { state = .beforeStatus }
            case .beforeStatus:
                guard byte == ASCII.space else { throw .bad("malformed status line") }
                guard version.version != nil else { throw .bad("HTTP version not supported") }
                state = .status
                count = 0
            case .status:
                guard ASCII.isDigit(byte) else { throw .bad("malformed status") }
                status = status &* 10 &+ UInt16(byte &- 0x30)
                count &+= 1
                if count == 3 { state = .beforePhrase }
            case .beforePhrase:
                guard byte == ASCII.space else { throw .bad("malformed status line") }
                guard (100...599).contains(status) else { throw .bad("status out of range") }
                state = .phrase
            case .phrase:
                if byte == ASCII.carriageReturn {
                    state = .lineFeed
                } else if !ASCII.isValue(byte) {
                    throw .bad("bad character in the status line")
                }
            case .lineFeed:
                guard byte == ASCII.lineFeed else { throw .bad("bare CR in the status line") }
                return true
            }
        }
        return false
    }
}
