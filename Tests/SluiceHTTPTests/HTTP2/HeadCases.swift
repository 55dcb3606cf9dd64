import Testing

/// Heads of HTTP/2, and what becomes of each: events, and resets where nghttp2 gives no answer.
struct HeadCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let fields: [(String, String)]
    let ends: Bool
    let expected: String

    init(_ name: String, _ fields: [(String, String)], ends: Bool = true, _ expected: String) {
        testDescription = name
        self.fields = fields
        self.ends = ends
        self.expected = expected
    }
}

/// A GET whose pseudo-headers are changed, nil taking one away, and more fields.
private func get(_ changes: KeyValuePairs<String, String?> = [:], _ more: [(String, String)] = []) -> [(String, String)]
{
    var fields = HTTP2Peer.get()
    for (name, value) in changes {
        let place = fields.firstIndex { $0.0 == ":" + name } ?? fields.count
        if place < fields.count { fields.remove(at: place) }
        if let value { fields.insert((":" + name, value), at: place) }
    }
    return fields + more
}

private let reset = "reset 1 1"

let acceptedHeads: [HeadCase] = [
    HeadCase("a plain GET", get(), "head 1 GET / host=a.example"),
    HeadCase("path and query", get(["path": "/a/b?c=d?e"]), "head 1 GET /a/b?c=d?e host=a.example"),
    HeadCase("an odd but fine path", get(["path": "/[a]{b}|^?\\"]), "head 1 GET /[a]{b}|^?\\ host=a.example"),
    HeadCase("the scheme http", get(["scheme": "http"]), "head 1 GET / host=a.example"),
    HeadCase("any token is a method", get(["method": "M-SEARCH!"]), "head 1 M-SEARCH! / host=a.example"),
    HeadCase("asterisk", get(["method": "OPTIONS", "path": "*"]), "head 1 OPTIONS * host=a.example"),
    HeadCase("only Host", get(["authority": nil], [("host", "b:8080")]), "head 1 GET / host=b:8080"),
    HeadCase("an equal Host", get([:], [("host", "A.example")]), "head 1 GET / host=a.example"),
    HeadCase("a Host with the scheme's port", get([:], [("host", "a.example:443")]), "head 1 GET / host=a.example"),
    HeadCase("an IPv6 authority", get(["authority": "[::1]:8443"]), "head 1 GET / host=[::1]:8443"),
    HeadCase("trailers in TE", get([:], [("te", "trailers")]), "head 1 GET / host=a.example"),
    HeadCase("bytes over 127 and tabs", get([:], [("x", "\u{E9}\tb\u{FF}")]), "head 1 GET / host=a.example"),
    HeadCase("an empty value", get([:], [("x", "")]), "head 1 GET / host=a.example"),
    HeadCase("a length of nothing", get([:], [("content-length", "0")]), "head 1 GET / host=a.example"),
    HeadCase(
        "a length", get(["method": "POST"], [("content-length", "005")]), ends: false,
        "head 1 POST / host=a.example length(5)"),
    HeadCase("a body without a length", get(["method": "POST"]), ends: false, "head 1 POST / host=a.example chunked"),
    HeadCase(
        "waiting for 100", get(["method": "POST"], [("expect", "100-Continue")]), ends: false,
        "head 1 POST / host=a.example chunked expect"),
    HeadCase("waiting without a body", get([:], [("expect", "100-continue")]), "head 1 GET / host=a.example"),
    HeadCase(
        "CONNECT", [(":method", "CONNECT"), (":authority", "a:443")], ends: false,
        "head 1 CONNECT a:443 host=a:443 chunked"
    ),
]

let refusedHeads: [HeadCase] = [
    // The target.
    HeadCase("a fragment", get(["path": "/a#b"]), "refused 1 400: fragment in the request target"),
    HeadCase("a fragment in the query", get(["path": "/?a#b"]), "refused 1 400: fragment in the request target"),
    HeadCase("a backslash", get(["path": "/\\"]), "refused 1 400: bad character in the request target"),
    HeadCase("a quote", get(["path": "/?\""]), "refused 1 400: bad character in the request target"),
    HeadCase("a byte over 127", get(["path": "/\u{E9}"]), "refused 1 400: bad character in the request target"),
    HeadCase("a space", get(["path": "/a b"]), reset),
    HeadCase("a line end", get(["path": "/\r\nx: y"]), reset),
    HeadCase("an absolute path", get(["path": "http://a/"]), reset),
    HeadCase(
        "an absolute path with another scheme", get(["scheme": "ftp", "path": "a"]), "refused 1 400: unknown :scheme"),
    HeadCase("another scheme", get(["scheme": "ftp"]), "refused 1 400: unknown :scheme"),
    HeadCase("an asterisk with GET", get(["path": "*"]), reset),
    HeadCase("no path", get(["path": nil]), reset),
    HeadCase("an empty path", get(["path": ""]), reset),
    HeadCase("no method", get(["method": nil]), reset),
    HeadCase("a method that is no token", get(["method": "GET /x"]), reset),
    HeadCase("a long method", get(["method": String(repeating: "A", count: 65)]), "refused 1 400: method too long"),
    HeadCase("no scheme", get(["scheme": nil]), reset),
    HeadCase(
        "a long path", get(["path": "/" + String(repeating: "a", count: 8189)]),
        "refused 1 414: request target too long"),
    // The authority.
    HeadCase("no authority at all", get(["authority": nil]), reset),
    HeadCase("an empty authority", get(["authority": ""]), reset),
    HeadCase("userinfo", get(["authority": "u@a"]), "refused 1 400: bad :authority"),
    HeadCase("userinfo in Host", get(["authority": nil], [("host", "u@a")]), "refused 1 400: bad Host"),
    HeadCase("a path in Host", get(["authority": nil], [("host", "a/b")]), reset),
    HeadCase("a bad port", get(["authority": "a:65536"]), "refused 1 400: bad :authority"),
    HeadCase("two hosts joined", get(["authority": "a,b"]), "refused 1 400: bad :authority"),
    HeadCase("another Host", get([:], [("host", "b")]), "refused 1 400: Host differs from the request target"),
    HeadCase(
        "a Host at another port", get([:], [("host", "a.example:80")]),
        "refused 1 400: Host differs from the request target"),
    HeadCase("two equal Hosts", get([:], [("host", "a.example"), ("host", "a.example")]), reset),
    HeadCase("an empty Host", get([:], [("host", "")]), reset),
    // Pseudo-headers.
    HeadCase("a doubled one", [(":path", "/2")] + get(), reset),
    HeadCase("an unknown one", [(":x", "y")] + get(), reset),
    HeadCase("a response's", [(":status", "200")] + get(), reset),
    HeadCase("one behind a field", [("x", "y")] + get(), reset),
    HeadCase("WebSocket (RFC 8441)", [(":protocol", "websocket")] + get(["method": "CONNECT"]), reset),
    HeadCase("CONNECT with a path", get(["method": "CONNECT"]), reset),
    HeadCase(
        "CONNECT without a port", [(":method", "CONNECT"), (":authority", "a")],
        "refused 1 400: CONNECT needs host and port"),
    HeadCase(
        "CONNECT with a length", [(":method", "CONNECT"), (":authority", "a:1"), ("content-length", "1")], ends: false,
        "refused 1 400: CONNECT with a body"),
    // Fields.
    HeadCase("Connection", get([:], [("connection", "close")]), reset),
    HeadCase("Keep-Alive", get([:], [("keep-alive", "1")]), reset),
    HeadCase("Proxy-Connection", get([:], [("proxy-connection", "close")]), reset),
    HeadCase("Transfer-Encoding", get([:], [("transfer-encoding", "chunked")]), ends: false, reset),
    HeadCase("Upgrade", get([:], [("upgrade", "h2c")]), reset),
    HeadCase("other TE", get([:], [("te", "gzip")]), reset),
    HeadCase("TE with more", get([:], [("te", "trailers, gzip")]), reset),
    HeadCase("capital letters", get([:], [("X-Y", "z")]), reset),
    HeadCase("an empty name", get([:], [("", "z")]), "refused 1 400: bad character in a field"),
    HeadCase("a space in a name", get([:], [("x y", "z")]), "refused 1 400: bad character in a field"),
    HeadCase("a colon in a name", get([:], [("x:", "z")]), "refused 1 400: bad character in a field"),
    HeadCase("a byte over 127 in a name", get([:], [("x\u{E9}", "z")]), "refused 1 400: bad character in a field"),
    HeadCase("a line end in a value", get([:], [("x", "a\r\nb: c")]), "refused 1 400: bad character in a field"),
    HeadCase("a line feed in a value", get([:], [("x", "a\nb")]), "refused 1 400: bad character in a field"),
    HeadCase("NUL in a value", get([:], [("x", "a\u{0}")]), "refused 1 400: bad character in a field"),
    HeadCase("a form feed in a value", get([:], [("x", "a\u{C}b")]), "refused 1 400: bad character in a field"),
    HeadCase("DEL in a value", get([:], [("x", "\u{7F}")]), "refused 1 400: bad character in a field"),
    HeadCase("white space before a value", get([:], [("x", " a")]), "refused 1 400: bad character in a field"),
    HeadCase("white space behind a value", get([:], [("x", "a\t")]), "refused 1 400: bad character in a field"),
    HeadCase("two lengths", get([:], [("content-length", "1"), ("content-length", "2")]), ends: false, reset),
    HeadCase("two equal lengths", get([:], [("content-length", "1"), ("content-length", "1")]), ends: false, reset),
    HeadCase("a signed length", get([:], [("content-length", "+1")]), ends: false, reset),
    HeadCase("an empty length", get([:], [("content-length", "")]), ends: false, reset),
    HeadCase("lengths joined", get([:], [("content-length", "1, 1")]), ends: false, reset),
    HeadCase("a length over 64 bits", get([:], [("content-length", "99999999999999999999")]), ends: false, reset),
    HeadCase("a length and no body", get([:], [("content-length", "1")]), reset),
    HeadCase("an unknown expectation", get([:], [("expect", "200-ok")]), "refused 1 417: unknown expectation"),
    HeadCase(
        "101 fields", get([:], (0..<101).map { ("x\($0)", "y") }), "refused 1 431: too many header fields"),
    HeadCase(
        "101 crumbs", get([:], (0..<101).map { ("cookie", "a\($0)=b") }), "refused 1 431: too many header fields"),
    HeadCase(
        "large fields", get([:], (0..<10).map { ("x\($0)", String(repeating: "y", count: 7000)) }),
        "refused 1 431: header too large"),
]
