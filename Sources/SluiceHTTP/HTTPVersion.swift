/// A version of HTTP, as far as behaviour depends on it. HTTP/1.2 and higher minor versions are spoken to as 1.1
/// (RFC 9110, 2.5: a minor version promises to be compatible).
package enum HTTPVersion: Hashable, Sendable {
    case http10
    case http11
    case http2
}
