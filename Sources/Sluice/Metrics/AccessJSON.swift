/// One JSON object a line. A key that there is nothing to say for is left out.
struct AccessJSON {
    private var second: Int64 = -1
    /// `{"time":"2026-01-31T12:00:`
    private var stamp: [UInt8] = []

    mutating func append(_ line: AccessLine, to output: inout [UInt8]) {
        updateStamp(line.time)
        output.append(contentsOf: stamp)
        AccessText.appendSeconds(UInt64(clamping: line.time) % 60_000, width: 2, to: &output)
        output.append(contentsOf: [UInt8(ascii: "Z"), UInt8(ascii: "\"")])
        string("event", line.event.rawValue, &output)
        if let client = line.client { string("client", client, &output) }
        if let request = line.request { append(request, to: &output) }
        number("status", Int(line.status), &output)
        number("bytes", line.bytes, &output)
        if let duration = line.duration {
            key("duration", &output)
            AccessText.appendSeconds(duration, to: &output)
        }
        if !line.requestID.isEmpty { bytes("request_id", line.requestID, &output) }
        if !line.traceID.isEmpty { bytes("trace_id", line.traceID, &output) }
        if let route = line.route { number("route", route, &output) }
        if !line.topics.isEmpty {
            key("topics", &output)
            for (index, topic) in line.topics.enumerated() {
                output.append(index == 0 ? UInt8(ascii: "[") : UInt8(ascii: ","))
                JSONText.append(topic, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        }
        if let upstream = line.upstream { string("upstream", upstream, &output) }
        if let server = line.server { string("server", server, &output) }
        if let lastEventID = line.lastEventID { bytes("last_event_id", lastEventID, &output) }
        if let cursor = line.cursor { bytes("cursor", cursor, &output) }
        if let events = line.events { number("events", Int(clamping: events), &output) }
        if let reason = line.reason { string("reason", reason.rawValue, &output) }
        if line.lost > 0 { number("lost", line.lost, &output) }
        output.append(contentsOf: "}\n".utf8)
    }

    /// Made once a second, of which the last two digits are left out.
    private mutating func updateStamp(_ milliseconds: Int64) {
        guard milliseconds / 1000 != second else { return }
        second = milliseconds / 1000
        stamp = Array("{\"time\":\"\(CivilTime(unixSeconds: second).iso8601(milliseconds: 0).dropLast(7))".utf8)
    }

    private func append(_ request: LoggedRequest, to output: inout [UInt8]) {
        string("method", request.method, &output)
        if !request.host.isEmpty { bytes("host", request.host, &output) }
        bytes("path", Array(request.path), &output)
        if let query = request.query { bytes("query", Array(query), &output) }
        string("protocol", request.versionText, &output)
        if !request.referer.isEmpty { bytes("referer", request.referer, &output) }
        if !request.userAgent.isEmpty { bytes("user_agent", request.userAgent, &output) }
    }

    private func key(_ name: StaticString, _ output: inout [UInt8]) {
        output.append(contentsOf: ",\"".utf8)
        unsafe output.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        output.append(contentsOf: "\":".utf8)
    }

    private func string(_ name: StaticString, _ value: String, _ output: inout [UInt8]) {
        key(name, &output)
        JSONText.append(value, to: &output)
    }

    private func bytes(_ name: StaticString, _ value: [UInt8], _ output: inout [UInt8]) {
        key(name, &output)
        JSONText.append(value, to: &output)
    }

    private func number(_ name: StaticString, _ value: Int, _ output: inout [UInt8]) {
        key(name, &output)
        AccessText.append(UInt64(clamping: value), to: &output)
    }
}
