/// How the bytes of a response body are marked off.
enum Framing: UInt8, Sendable {
    /// Chunks of HTTP/1.1 (RFC 9112, section 7.1).
    case chunked
    /// Nothing in the bytes themselves: the body ends with the connection (HTTP/1.0), or DATA frames mark it off (HTTP/2).
    case untilClose
}
