internal import SluiceSSE

/// Follows the bytes of an event stream, to know when nothing of an event is under way: there a comment may be put in
/// without touching anything (WHATWG HTML, section 9.2.6).
struct EventBoundary {
    private enum Line {
        case start
        case comment
        case field
    }

    private var line = Line.start
    /// A field line came since the last empty one.
    private var isInEvent = false
    /// The last byte was a CR: a LF may belong to it.
    private var endsWithReturn = false

    /// Between two events, at the beginning of a line.
    var isBetweenEvents: Bool { line == .start && !isInEvent && !endsWithReturn }

    mutating func pass(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count {
            let byte = unsafe bytes[index]
            index &+= 1
            if byte == 0x0A, endsWithReturn {
                endsWithReturn = false
                continue
            }
            endsWithReturn = byte == 0x0D
            if byte == 0x0A || byte == 0x0D {
                endLine()
                continue
            }
            if line == .start { line = byte == UInt8(ascii: ":") ? .comment : .field }
            // The rest of the line says nothing.
            index = unsafe ByteScan.lineEnd(in: bytes, from: index)
        }
    }

    private mutating func endLine() {
        switch line {
        case .start: isInEvent = false
        case .field: isInEvent = true
        case .comment: break
        }
        line = .start
    }
}
