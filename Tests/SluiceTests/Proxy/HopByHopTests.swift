import SluiceHTTP
import Testing

@testable import Sluice

@Suite struct `Fields of one connection` {
    private func left(_ fields: String...) -> [String] {
        var block = FieldBlock(text: fields)
        HopByHop.remove(from: &block)
        return block.text
    }

    @Test(arguments: [
        "Connection: close", "Keep-Alive: timeout=5", "Proxy-Connection: keep-alive", "TE: trailers",
        "Transfer-Encoding: chunked", "Upgrade: websocket", "Proxy-Authorization: Basic YTpi",
        "Proxy-Authenticate: Basic", "HTTP2-Settings: AAMAAABk", "http2-settings: AAMAAABk", "CONNECTION: close",
        "Proxy: x", "PROXY: x",
    ])
    func `go no further`(field: String) {
        #expect(left("A: 1", field, "B: 2") == ["A: 1", "B: 2"])
    }

    @Test(arguments: [
        "Host: a", "Date: now", "Trailer: X", "Via: 1.1 x", "Expect: 100-continue", "Cookie: a=b", "Content-Length: 3",
        "Authorization: Basic YTpi", "WWW-Authenticate: Basic", "Set-Cookie: close", "X-Connection: close",
        "Proxied: x", "TE-X: y", "HTTP2-Setting: x",
    ])
    func `are none of the others`(field: String) {
        #expect(left(field) == [field])
    }

    @Test(arguments: [
        ("X-Hop", true), ("x-hop", true), ("close, X-HOP", true), (" \t x-hop\t ,, ,", true), (",x-hop", true),
        ("X-Ho", false), ("X-Hop-Two", false), ("X-Hop X-Hop", false), ("\"X-Hop\"", false), ("X_Hop", false),
        ("", false), (",", false), ("X-Hop;q=1", false),
    ])
    func `are those that Connection names`(value: String, goes: Bool) {
        #expect(left("X-Hop: 1", "Connection: \(value)", "x-HOP: 2") == (goes ? [] : ["X-Hop: 1", "x-HOP: 2"]))
    }

    @Test func `are those that any of several Connection fields names`() {
        #expect(left("Connection: a", "A: 1", "B: 2", "C: 3", "connection: x, b") == ["C: 3"])
    }

    @Test(arguments: ["Host", "Content-Length", "Authorization", "Cookie"])
    func `are not those that a message cannot do without, whatever Connection names`(name: String) {
        #expect(left("Connection: close, \(name)", "\(name): 1") == ["\(name): 1"])
    }

    @Test func `leave the others in their order and spelling`() {
        let fields = left("x-B: 1", "TE: gzip", "X-A: 2", "Connection: gone", "Gone: 1", "x-b: 3", "X-A: 2")
        #expect(fields == ["x-B: 1", "X-A: 2", "x-b: 3", "X-A: 2"])
    }

    @Test(arguments: [
        ("abc", "ABC", true), ("aZ-9", "Az-9", true), ("", "", true), ("a", "ab", false), ("ab", "a", false),
        ("[", "{", false), ("@", "`", false), ("-", "_", false), ("a", "b", false), ("ä", "Ä", false),
    ])
    func `are compared without the case of letters`(one: String, other: String, equal: Bool) {
        #expect(ASCII.equalIgnoringCase(Array(one.utf8)[...], other) == equal)
    }
}
