internal import SluiceIO

/// One server of an upstream, as its URL says.
struct UpstreamServer: Sendable, Equatable {
    /// As it was written.
    let url: String
    let isSecure: Bool
    /// A name or an address without brackets; `localhost` for a unix socket.
    let host: String
    /// 0 for a unix socket.
    let port: UInt16
    /// What the Host field says of it.
    let authority: String
    /// Where it is when no name has to be looked up.
    let address: SocketAddress?

    /// - Parameter text: `http://host:port`, `https://host:port` or `unix:/path`.
    init(_ text: String) throws(FeedURL.Problem) {
        url = text
        let expected = "expected http://host:port, https://host:port or unix:/path, not \"\(text)\""
        if text.hasPrefix("unix:") {
            do {
                address = try SocketAddress.listening(text)
            } catch {
                throw FeedURL.Problem(description: "\(expected): \(error.reason)")
            }
            (isSecure, host, port, authority) = (false, "localhost", 0, "localhost")
            return
        }
        guard !text.contains(where: { "{}@".contains($0) }) else { throw FeedURL.Problem(description: expected) }
        let parts = try FeedURL(text)
        guard parts.target == "/" else {
            throw FeedURL.Problem(description: expected + ": a server has no path; that of the request is asked for")
        }
        (isSecure, host, port, authority) = (parts.isSecure, parts.host, parts.port, parts.authority)
        address = IPAddress(parts.host).map { .ip($0, port: parts.port) }
    }

    /// What is wrong with a server's URL; `nil` when it is one.
    static func problem(of text: String) -> String? {
        do throws(FeedURL.Problem) {
            _ = try UpstreamServer(text)
            return nil
        } catch {
            return error.description
        }
    }
}
