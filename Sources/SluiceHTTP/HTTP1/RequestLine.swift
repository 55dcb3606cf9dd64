/// Finds the parts of a request line (RFC 9112, 3): exactly one space between them, CRLF behind. It looks at each byte
/// once and decides by it alone.
struct RequestLine: Sendable {
    private enum State: UInt8 {
        case method, target, path, query, version, lineFeed
    }

    private var state = State.method
    private var versionIndex = 0
    private(set) var methodEnd = 0
    private(set) var targetStart = 0
    private(set) var queryStart: Int?
    private(set) var targetEnd = 0
    private(set) var version = VersionDigits()

    /// No method is longer; what is, is no method. (A long line whose method is short is a long target: 414.)
    static let longestMethod = 64

    /// Takes bytes from `index` until `end` or until the line is complete, which is then said by `true`.
    mutating func scan(
        _ input: UnsafeRawBufferPointer, _ index: inout Int, to end: Int, delta: Int
    ) throws(HTTPError) -> Bool {
        while index < end {
            let byte = unsafe input[index]
            let offset = index &+ delta
            switch state {
            case .method: try scanMethod(byte, at: offset)
            case .target: try beginTarget(byte, at: offset)
            case .path, .query: try scanTarget(byte, at: offset)
            case .version: try scanVersion(byte)
            case .lineFeed:
                guard byte == ASCII.lineFeed else { throw .bad("bare CR in the request line") }
                index &+= 1
                return true
            }
            index &+= 1
        }
        return false
    }

    private mutating func scanMethod(_ byte: UInt8, at offset: Int) throws(HTTPError) {
        if byte == ASCII.space, offset > 0 {
            methodEnd = offset
            state = .target
            return
        }
        guard ByteSet.token.contains(byte) else { throw .bad("bad character in the method") }
        guard offset < RequestLine.longestMethod else { throw .bad("method too long") }
    }

    private mutating func beginTarget(_ byte: UInt8, at offset: Int) throws(HTTPError) {
        // Origin-form, asterisk-form, or the first byte of a scheme or of an authority.
        let isLetterOrDigit = ASCII.isDigit(byte) || (byte | 0x20) &- 0x61 < 26
        guard byte == ASCII.slash || byte == ASCII.asterisk || byte == UInt8(ascii: "[") || isLetterOrDigit else {
            throw .bad("request target begins with a bad character")
        }
        targetStart = offset
        state = .path
    }

    private mutating func scanTarget(_ byte: UInt8, at offset: Int) throws(HTTPError) {
        if byte == ASCII.space {
            targetEnd = offset
            state = .version
            versionIndex = 0
            return
        }
        if state == .path {
            if ByteSet.path.contains(byte) { return }
            if byte == ASCII.question {
                queryStart = offset &+ 1
                state = .query
                return
            }
        } else if ByteSet.query.contains(byte) {
            return
        }
        switch byte {
        case ASCII.carriageReturn, ASCII.lineFeed: throw .bad("request line without a version")
        case UInt8(ascii: "#"): throw .bad("fragment in the request target")
        default: throw .bad("bad character in the request target")
        }
    }

    private mutating func scanVersion(_ byte: UInt8) throws(HTTPError) {
        if versionIndex < VersionDigits.count {
            guard version.take(byte, at: versionIndex) else { throw .bad("malformed HTTP version") }
            versionIndex &+= 1
        } else {
            guard byte == ASCII.carriageReturn else {
                if byte == ASCII.lineFeed { throw .bad("bare LF in the request line") }
                throw .bad("malformed HTTP version")
            }
            state = .lineFeed
        }
    }
}

/// `HTTP/` digit `.` digit, byte by byte (RFC 9112, 2.3).
struct VersionDigits: Sendable {
    static let count = 8
    private(set) var major: UInt8 = 0
    private(set) var minor: UInt8 = 0

    /// Whether this byte may stand at this place; digits are kept.
    mutating func take(_ byte: UInt8, at index: Int) -> Bool {
        switch index {
        case 0: return byte == UInt8(ascii: "H")
        case 1, 2: return byte == UInt8(ascii: "T")
        case 3: return byte == UInt8(ascii: "P")
        case 4: return byte == ASCII.slash
        case 5: major = byte &- 0x30
        case 6: return byte == UInt8(ascii: ".")
        default: minor = byte &- 0x30
        }
        return ASCII.isDigit(byte)
    }

    /// What is spoken, or nil when the major version is not 1.
    var version: HTTPVersion? { major == 1 ? (minor == 0 ? .http10 : .http11) : nil }
}
