/// What came of a client's input. `tag` is what `setTag` gave the stream last, 0 before.
package enum HTTP2Event: Sendable {
    /// A request's head, whole, and checked as strictly as one of HTTP/1.1. Its fields have exactly one Host and at
    /// most one Cookie. `head.body` is `.none` when the stream ended with the head, `.length` when there is a
    /// Content-Length, else `.chunked`: the length is not known. Every head is followed by `.bodyEnd`, also one without
    /// a body, unless the stream is closed before.
    case head(stream: Int32, RequestHead)
    /// A head that is to be answered with this status. Its body is thrown away, and no `.bodyEnd` comes.
    case refused(stream: Int32, HTTPError)
    /// Bytes of the body, never none. `consumed` gives their window back.
    case body(stream: Int32, tag: UInt64, [UInt8])
    /// The request is complete.
    case bodyEnd(stream: Int32, tag: UInt64, trailers: FieldBlock?)
    /// The stream is over: reset by the client or by us, or both sides ended. The last of a stream, and said once of
    /// each that had `.head` or `.refused`. The error is that of the reset, 0 after a proper end.
    case closed(stream: Int32, tag: UInt64, error: UInt32)
    /// A write had come to less than was given, for the client's windows; now there is room.
    case writable(stream: Int32, tag: UInt64)
}

/// Error codes of RFC 9113, 7, that Sluice itself uses.
package enum HTTP2ErrorCode {
    package static let none: UInt32 = 0
    package static let protocolError: UInt32 = 1
    package static let internalError: UInt32 = 2
    package static let frameSizeError: UInt32 = 6
    package static let refusedStream: UInt32 = 7
    package static let cancel: UInt32 = 8
    package static let enhanceYourCalm: UInt32 = 11
}

/// No session could be made.
package struct HTTP2Error: Error, Equatable, CustomStringConvertible {
    /// nghttp2's code.
    package let code: Int32

    package var description: String { "HTTP/2 session: nghttp2 error \(code)" }
}
