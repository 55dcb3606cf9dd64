/// How the end of a message's body is known (RFC 9112, 6).
package enum BodyFraming: Hashable, Sendable {
    /// No body at all.
    case none
    /// So many bytes (`Content-Length`).
    case length(UInt64)
    /// Chunks, and trailers behind them (`Transfer-Encoding: chunked`).
    case chunked
    /// Everything until the connection closes. Responses only.
    case untilClose
}
