internal import SluiceSSE

/// Follows the bytes of an event stream, to know when nothing of an event is under way: there a comment may be put in
/// without touching anything (WHATWG HTML, section 9.2.6).
struct EventBoundary {
    private enum Line {
        case start
        case comment
        case field
    }

    /// Bytes of a byte order mark that came; `nil`: it is over, or it was none.
    private var markBytes: Int? = 0
    private var line = Line.start
    /// A field line came since the last empty one.
    private var isInEvent = false
    /// Bytes of the line that are those of "data:"; `nil`: it is another one.
    private var dataBytes: Int? = 0
    private var hasData = false
    /// Events that came whole: those that have data.
    private(set) var events: UInt64 = 0
    /// The last byte was a CR: a LF may belong to it.
    private var endsWithReturn = false

    /// Between two events, at the beginning of a line.
    var isBetweenEvents: Bool { line == .start && !isInEvent && !endsWithReturn && (markBytes ?? 0) == 0 }

    /// Nothing came yet.
    var isAtStart: Bool { markBytes == 0 }

    /// What of a stream's first bytes may stand behind a comment: a byte order mark would no longer be one there.
    static func withoutMark(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        unsafe bytes.starts(with: mark) ? UnsafeRawBufferPointer(rebasing: bytes.dropFirst(mark.count)) : bytes
    }

    mutating func pass(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count {
            let byte = unsafe bytes[index]
            index &+= 1
            if isOfMark(byte) { continue }
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
            passName(byte)
            guard dataBytes == nil || dataBytes == Self.data.count else { continue }
            // The rest of the line says nothing.
            index = unsafe ByteScan.lineEnd(in: bytes, from: index)
        }
    }

    private static let data: [UInt8] = Array("data:".utf8)
    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// A byte order mark at the beginning of all is no part of the first line (WHATWG HTML, section 9.2.5).
    private mutating func isOfMark(_ byte: UInt8) -> Bool {
        guard let count = markBytes else { return false }
        guard byte == Self.mark[count] else {
            markBytes = nil
            // A part of it alone begins a name that nobody knows.
            if count > 0 {
                line = .field
                dataBytes = nil
            }
            return false
        }
        markBytes = count + 1 < Self.mark.count ? count + 1 : nil
        return true
    }

    private mutating func passName(_ byte: UInt8) {
        guard let count = dataBytes, count < Self.data.count else { return }
        dataBytes = byte == Self.data[count] ? count &+ 1 : nil
    }

    private mutating func endLine() {
        switch line {
        case .start:
            if hasData { events &+= 1 }
            hasData = false
            isInEvent = false
        case .field:
            isInEvent = true
            // "data" alone is such a line too.
            if let dataBytes, dataBytes >= Self.data.count - 1 { hasData = true }
        case .comment: break
        }
        line = .start
        dataBytes = 0
    }
}
