/// Writes event streams (WHATWG HTML, section 9.2.5). The order on the wire is event, data, id, retry, empty line; line
/// ends are LF. Everything is appended, so that a caller gathers as much as it likes in one buffer.
public enum EventEncoder {
    /// Appends an event with its empty line. Nothing is appended when it throws.
    public static func append(_ event: ServerSentEvent, to output: inout [UInt8]) throws(EventError) {
        if let type = event.event, !isValidField(type) { throw .invalidEvent }
        if let id = event.id, !isValidField(id) { throw .invalidID }
        var retryMilliseconds: UInt64?
        if let retry = event.retry {
            guard let milliseconds = wholeMilliseconds(retry) else { throw .invalidRetry }
            retryMilliseconds = milliseconds
        }
        if let type = event.event, !type.isEmpty { appendText("event: ", type, to: &output) }
        var data = event.data
        data.withUTF8 { unsafe appendLines("data: ", UnsafeRawBufferPointer($0), to: &output) }
        if let id = event.id { appendText("id: ", id, to: &output) }
        if let retryMilliseconds { appendRetry(milliseconds: retryMilliseconds, to: &output) }
        output.append(ByteScan.lineFeed)
    }

    /// Appends an event with its empty line. `event` and `id` are written as they are: look at them with
    /// ``isValidField(_:)-(UnsafeRawBufferPointer)`` first. An empty `event` is left out, an empty `id` is not: it
    /// clears a reader's cursor.
    package static func append(
        data: UnsafeRawBufferPointer, event: UnsafeRawBufferPointer?, id: UnsafeRawBufferPointer?,
        to output: inout [UInt8]
    ) {
        unsafe appendFields(data: data, event: event, to: &output)
        if let id = unsafe id { unsafe appendID(id, to: &output) }
        output.append(ByteScan.lineFeed)
    }

    /// Appends the `event:` and `data:` lines alone: whoever owns the ids adds `id:` and the empty line.
    package static func appendFields(
        data: UnsafeRawBufferPointer, event: UnsafeRawBufferPointer?, to output: inout [UInt8]
    ) {
        if let event = unsafe event, unsafe !event.isEmpty { unsafe appendField("event: ", event, to: &output) }
        unsafe appendLines("data: ", data, to: &output)
    }

    /// Appends an `id:` line, which must be part of an event or be followed by an empty line.
    package static func appendID(_ id: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        unsafe appendField("id: ", id, to: &output)
    }

    /// Appends a `retry:` line. It counts as soon as it is read, so it needs no empty line.
    public static func appendRetry(milliseconds: UInt64, to output: inout [UInt8]) {
        append("retry: ", to: &output)
        output.append(contentsOf: String(milliseconds).utf8)
        output.append(ByteScan.lineFeed)
    }

    /// Appends a comment: one line, and one more for each line end in the text. An empty text gives `:` alone.
    public static func appendComment(_ text: String, to output: inout [UInt8]) {
        var text = text
        text.withUTF8 { unsafe appendComment(UnsafeRawBufferPointer($0), to: &output) }
    }

    /// Appends a comment: one line, and one more for each line end in the text. An empty text gives `:` alone.
    package static func appendComment(_ text: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        if unsafe text.isEmpty {
            append(":\n", to: &output)
        } else {
            unsafe appendLines(": ", text, to: &output)
        }
    }

    /// Whether the bytes can stand in one line as an id or an event type: no CR, no LF, and no NUL, which would make
    /// readers ignore an id.
    package static func isValidField(_ bytes: UnsafeRawBufferPointer) -> Bool {
        for index in 0..<bytes.count {
            let byte = unsafe bytes[index]
            if byte == 0 || byte == ByteScan.lineFeed || byte == ByteScan.carriageReturn { return false }
        }
        return true
    }

    /// Whether the text can stand in one line as an id or an event type: no CR, no LF, and no NUL, which would make
    /// readers ignore an id.
    public static func isValidField(_ text: String) -> Bool {
        for byte in text.utf8 where byte == 0 || byte == ByteScan.lineFeed || byte == ByteScan.carriageReturn {
            return false
        }
        return true
    }

    /// Whether the bytes are well-formed UTF-8, which an event stream has to be.
    package static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool { unsafe ByteScan.isUTF8(bytes) }

    /// The index of the first byte that is no part of well-formed UTF-8, or `bytes.count`.
    package static func endOfUTF8(_ bytes: UnsafeRawBufferPointer) -> Int { unsafe ByteScan.endOfUTF8(bytes) }

    /// Whole milliseconds, rounded down; `nil` when negative or over 64 bits.
    private static func wholeMilliseconds(_ duration: Duration) -> UInt64? {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else { return nil }
        let (thousands, isOver) = UInt64(seconds).multipliedReportingOverflow(by: 1000)
        let (sum, isSumOver) = thousands.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000_000_000))
        return isOver || isSumOver ? nil : sum
    }

    /// One line for each line of the text. A bare CR ends a line too: written as it is, it would let whoever sends the
    /// data add fields of his own.
    private static func appendLines(
        _ prefix: StaticString, _ text: UnsafeRawBufferPointer, to output: inout [UInt8]
    ) {
        let count = text.count
        var start = 0
        while true {
            let end = unsafe ByteScan.lineEnd(in: text, from: start)
            unsafe appendField(prefix, UnsafeRawBufferPointer(rebasing: text[start..<end]), to: &output)
            guard end < count else { return }
            start = end &+ 1
            if unsafe text[end] == ByteScan.carriageReturn, start < count, unsafe text[start] == ByteScan.lineFeed {
                start &+= 1
            }
        }
    }

    private static func appendText(_ prefix: StaticString, _ text: String, to output: inout [UInt8]) {
        append(prefix, to: &output)
        output.append(contentsOf: text.utf8)
        output.append(ByteScan.lineFeed)
    }

    private static func appendField(
        _ prefix: StaticString, _ value: UnsafeRawBufferPointer, to output: inout [UInt8]
    ) {
        append(prefix, to: &output)
        unsafe output.append(contentsOf: value)
        output.append(ByteScan.lineFeed)
    }

    private static func append(_ text: StaticString, to output: inout [UInt8]) {
        unsafe output.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
