/// The combined format of web servers, as nginx writes it:
///
///     192.0.2.1 - - [31/Jan/2026:12:00:00 +0000] "GET /a HTTP/1.1" 200 2 "-" "curl/8" event=request duration=0.001 ...
///
/// Behind the user agent, where most readers stop, stand pairs `name=value`.
struct CombinedFormat {
    private var second: Int64 = -1
    private var stamp: [UInt8] = []

    mutating func append(_ line: AccessLine, to output: inout [UInt8]) {
        output.append(contentsOf: (line.client ?? "-").utf8)
        output.append(contentsOf: " - - [".utf8)
        updateStamp(line.time)
        output.append(contentsOf: stamp)
        output.append(contentsOf: "] \"".utf8)
        if let request = line.request {
            AccessText.appendEscaped(request.method.utf8, isWord: true, to: &output)
            output.append(0x20)
            AccessText.appendEscaped(request.target, isWord: true, to: &output)
            output.append(0x20)
            output.append(contentsOf: request.versionText.utf8)
        } else {
            output.append(UInt8(ascii: "-"))
        }
        output.append(contentsOf: "\" \(line.status) \(line.bytes) ".utf8)
        Self.appendQuoted(line.request?.referer ?? [], to: &output)
        output.append(0x20)
        Self.appendQuoted(line.request?.userAgent ?? [], to: &output)
        Self.appendPairs(line, to: &output)
        output.append(0x0A)
    }

    private static func appendQuoted(_ bytes: [UInt8], to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        if bytes.isEmpty { output.append(UInt8(ascii: "-")) }
        AccessText.appendEscaped(bytes, to: &output)
        output.append(UInt8(ascii: "\""))
    }

    private static func appendPairs(_ line: AccessLine, to output: inout [UInt8]) {
        func append(_ name: StaticString, _ value: some Sequence<UInt8>) {
            output.append(0x20)
            unsafe output.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
            output.append(UInt8(ascii: "="))
            AccessText.appendEscaped(value, isWord: true, to: &output)
        }
        append("event", line.event.rawValue.utf8)
        if let duration = line.duration {
            output.append(contentsOf: " duration=".utf8)
            AccessText.appendSeconds(duration, to: &output)
        }
        if !line.requestID.isEmpty { append("request_id", line.requestID) }
        if let server = line.server { append("server", server.utf8) }
        if let cursor = line.cursor { append("cursor", cursor) }
        if let events = line.events { append("events", String(events).utf8) }
        if let reason = line.reason { append("reason", reason.rawValue.utf8) }
        if line.lost > 0 { append("lost", String(line.lost).utf8) }
    }

    /// `31/Jan/2026:12:00:00 +0000`, made once a second.
    private mutating func updateStamp(_ milliseconds: Int64) {
        guard milliseconds / 1000 != second else { return }
        second = milliseconds / 1000
        stamp = Array(CivilTime(unixSeconds: second).logTime.utf8)
    }
}
