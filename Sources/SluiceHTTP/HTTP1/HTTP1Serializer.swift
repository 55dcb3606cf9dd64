/// Writes HTTP/1.1 heads and chunk framing. The framing fields come from the head's own `body` and `keepAlive`;
/// `Content-Length`, `Transfer-Encoding`, `Connection`, `Keep-Alive` and `Proxy-Connection` among its fields are left
/// out, so that there is never a second, other truth. `Date` is the caller's.
package enum HTTP1Serializer {
    /// What stands behind each chunk's data.
    package static let chunkEnd: StaticString = "\r\n"

    /// Appends status line, fields and framing fields of a response.
    ///
    /// The line says HTTP/1.1 whatever the client speaks (RFC 9110, 2.5); `head.version` decides how a connection that
    /// stays is said. `.chunked` must not be used towards HTTP/1.0; it is written as `.untilClose`, without chunks.
    /// - Parameter method: The method that is answered. For HEAD a `Content-Length` among the fields is kept.
    package static func append(_ head: ResponseHead, answering method: HTTPMethod = .get, to output: inout [UInt8]) {
        if head.status == 200 {
            append("HTTP/1.1 200 OK\r\n", to: &output)
        } else {
            append("HTTP/1.1 ", to: &output)
            append(decimal: UInt64(min(max(head.status, 100), 999)), to: &output)
            output.append(ASCII.space)
            append(ResponseHead.reason(for: head.status), to: &output)
            append("\r\n", to: &output)
        }
        head.fields.writeLines(except: own, to: &output)
        let endsWithClose = appendFraming(of: head, method, to: &output)
        // What comes before the final response says nothing about the connection.
        if head.status >= 200 || head.status == 101 {
            appendConnection(
                head.fields, keepAlive: head.keepAlive && !endsWithClose, version: head.version, to: &output)
        }
        append("\r\n", to: &output)
    }

    /// Appends request line, Host, fields and framing fields of a request, as HTTP/1.1.
    /// - Parameter host: The Host to write; nil: the head's own.
    package static func append(_ head: RequestHead, host: String? = nil, to output: inout [UInt8]) {
        if case .other(let name) = head.method {
            // Made in code it may be anything; a space or a line end in it would be a second request.
            output.append(contentsOf: name.utf8.filter(ByteSet.token.contains))
        } else {
            output.append(contentsOf: head.method.name.utf8)
        }
        output.append(ASCII.space)
        output.append(contentsOf: head.target)
        append(" HTTP/1.1\r\nHost: ", to: &output)
        if let host {
            output.append(contentsOf: host.utf8)
        } else if let host = head.host {
            output.append(contentsOf: host)
        }
        append("\r\n", to: &output)
        head.fields.writeLines(except: ownOfRequest, to: &output)
        switch head.body {
        case .length(let length): appendContentLength(length, to: &output)
        case .chunked: append("Transfer-Encoding: chunked\r\n", to: &output)
        case .none, .untilClose:
            // RFC 9110, 8.6: methods that usually have a body say that there is none.
            switch head.method {
            case .post, .put, .patch: appendContentLength(0, to: &output)
            default: break
            }
        }
        appendConnection(head.fields, keepAlive: head.keepAlive, version: .http11, to: &output)
        append("\r\n", to: &output)
    }

    /// Appends a chunk's size line. Not for size 0, which would end the body: nothing is appended then.
    package static func appendChunkHead(size: UInt64, to output: inout [UInt8]) {
        guard size > 0 else { return }
        var shift = (63 - size.leadingZeroBitCount) & ~3
        while shift >= 0 {
            let digit = UInt8(truncatingIfNeeded: size >> UInt64(shift)) & 15
            output.append(digit < 10 ? digit &+ 0x30 : digit &+ 0x57)
            shift -= 4
        }
        append("\r\n", to: &output)
    }

    /// Appends a whole chunk; nothing when it has no data.
    package static func appendChunk(_ data: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        guard data.count > 0 else { return }
        appendChunkHead(size: UInt64(data.count), to: &output)
        unsafe output.append(contentsOf: data)
        append("\r\n", to: &output)
    }

    /// Bytes of a chunk's size line, of a size that is not 0.
    package static func chunkHeadCount(size: Int) -> Int { (Int.bitWidth - size.leadingZeroBitCount + 3) / 4 + 2 }

    /// Writes a whole chunk to memory of just its size: the size line, data that is not empty, the line end.
    package static func writeChunk(_ data: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer) {
        let start = chunkHeadCount(size: data.count)
        guard output.count == start + data.count + 2 else { return }
        var rest = data.count
        for place in (0..<(start - 2)).reversed() {
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            unsafe output[place] = digit < 10 ? digit &+ 0x30 : digit &+ 0x57
            rest >>= 4
        }
        unsafe output[start - 2] = ASCII.carriageReturn
        unsafe output[start - 1] = ASCII.lineFeed
        unsafe UnsafeMutableRawBufferPointer(rebasing: output[start...]).copyMemory(from: data)
        unsafe output[output.count - 2] = ASCII.carriageReturn
        unsafe output[output.count - 1] = ASCII.lineFeed
    }

    /// Appends the last chunk and the trailers, of which only those are written that a parser lets in.
    package static func appendLastChunk(trailers: FieldBlock? = nil, to output: inout [UInt8]) {
        append("0\r\n", to: &output)
        trailers?.forEach { id, name, value in
            if TrailerRules.verdict(id) == .allowed { appendField(name, value, to: &output) }
        }
        append("\r\n", to: &output)
    }

    /// What the serializer says itself.
    private static let own: FieldSet = [
        .contentLength, .transferEncoding, .connection, .keepAlive, .proxyConnection,
    ]
    private static let ownOfRequest: FieldSet = [
        .contentLength, .transferEncoding, .connection, .keepAlive, .proxyConnection, .host,
    ]

    private static func appendField(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, to output: inout [UInt8]) {
        output.append(contentsOf: name)
        append(": ", to: &output)
        output.append(contentsOf: value)
        append("\r\n", to: &output)
    }

    /// Whether the body ends with the connection.
    private static func appendFraming(
        of head: ResponseHead, _ method: HTTPMethod, to output: inout [UInt8]
    ) -> Bool {
        // RFC 9110, 8.6 and RFC 9112, 6.1: never in 1xx and 204, nor in what opens a tunnel.
        if head.status < 200 || head.status == 204 || (method == .connect && head.status < 300) { return false }
        switch head.body {
        case .length(let length):
            appendContentLength(length, to: &output)
        case .chunked:
            guard head.version != .http10 else { return true }
            append("Transfer-Encoding: chunked\r\n", to: &output)
        case .untilClose:
            return true
        case .none:
            if method == .head || head.status == 304 {
                if let length = length(of: head.fields) { appendContentLength(length, to: &output) }
            } else {
                appendContentLength(0, to: &output)
            }
        }
        return false
    }

    private static func length(of fields: FieldBlock) -> UInt64? {
        fields.first(.contentLength).flatMap { value in
            unsafe value.withUnsafeBytes { unsafe ASCII.decimal($0) }
        }
    }

    private static func appendConnection(
        _ fields: FieldBlock, keepAlive: Bool, version: HTTPVersion, to output: inout [UInt8]
    ) {
        // RFC 9110, 7.8 and 10.1.4: both are about this connection, and are said to be.
        let upgrades = fields.has(.upgrade)
        let wantsTrailers = fields.has(.te)
        guard !keepAlive || upgrades || wantsTrailers || version == .http10 else { return }
        append("Connection: ", to: &output)
        append(keepAlive ? version == .http10 ? "keep-alive, " : "" : "close, ", to: &output)
        if upgrades { append("upgrade, ", to: &output) }
        if wantsTrailers { append("TE, ", to: &output) }
        output.removeLast(2)
        append("\r\n", to: &output)
    }

    private static func appendContentLength(_ length: UInt64, to output: inout [UInt8]) {
        append("Content-Length: ", to: &output)
        append(decimal: length, to: &output)
        append("\r\n", to: &output)
    }

    private static func append(_ text: StaticString, to output: inout [UInt8]) {
        unsafe output.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private static func append(decimal number: UInt64, to output: inout [UInt8]) {
        var divisor: UInt64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            output.append(UInt8(truncatingIfNeeded: number / divisor % 10) &+ 0x30)
            divisor /= 10
        }
    }
}
