import SluiceHTTP
import Testing

/// Raw input of an upstream, the methods it answers, whether it closes at the end, and what a parser must say.
struct ResponseCase: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let input: [UInt8]
    let methods: [HTTPMethod]
    let closes: Bool
    let expected: [String]

    init(
        _ name: String, _ input: String, to methods: [HTTPMethod] = [.get], closes: Bool = false, _ expected: String...
    ) {
        testDescription = name
        self.input = bytes(input)
        self.methods = methods
        self.closes = closes
        self.expected = expected
    }
}

private let chunked = head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
private let ok = head("HTTP/1.1 200 OK", "Content-Length: 0")

let acceptedResponses: [ResponseCase] = [
    ResponseCase("a length", head("HTTP/1.1 200 OK", "Content-Length: 2") + "xy", "200 length(2)", "body xy", "end"),
    ResponseCase("length 0", ok, "200 length(0)", "end"),
    ResponseCase("an empty phrase", head("HTTP/1.1 200 ", "Content-Length: 0"), "200 length(0)", "end"),
    ResponseCase("any phrase", head("HTTP/1.1 299 \tA \u{E9}", "Content-Length: 0"), "299 length(0)", "end"),
    ResponseCase("chunks", chunked + "2\r\nxy\r\n0\r\nX: 1\r\n\r\n", "200 chunked", "body xy", "end [X: 1]"),
    ResponseCase(
        "until close", head("HTTP/1.1 200 OK") + "xy", closes: true, "200 untilClose close", "body xy", "end"),
    ResponseCase("until close, not closed yet", head("HTTP/1.1 200 OK") + "xy", "200 untilClose close", "body xy"),
    ResponseCase(
        "until close in 1.0", head("HTTP/1.0 200 OK", "Connection: keep-alive") + "x", closes: true,
        "200 untilClose 1.0 close", "body x", "end"),
    ResponseCase(
        "1.0 that stays", head("HTTP/1.0 200 OK", "Connection: keep-alive", "Content-Length: 1") + "x", closes: true,
        "200 length(1) 1.0", "body x", "end"),
    ResponseCase(
        "1.0 that closes", head("HTTP/1.0 200 OK", "Content-Length: 1") + "x", "200 length(1) 1.0 close", "body x",
        "end"),
    ResponseCase(
        "closing", head("HTTP/1.1 200 OK", "Content-Length: 0", "Connection: close"), closes: true,
        "200 length(0) close", "end"),
    ResponseCase("204", head("HTTP/1.1 204 No Content"), "204", "end"),
    ResponseCase(
        "204 with a length is not believed again", head("HTTP/1.1 204 No Content", "Content-Length: 5"), "204 close",
        "end"),
    ResponseCase("304 with a length", head("HTTP/1.1 304 Not Modified", "Content-Length: 5"), "304", "end"),
    ResponseCase("an answer to HEAD", head("HTTP/1.1 200 OK", "Content-Length: 5"), to: [.head], "200", "end"),
    ResponseCase("an answer to HEAD in chunks", chunked, to: [.head], "200", "end"),
    ResponseCase("an answer to CONNECT", head("HTTP/1.1 200 OK") + "any", to: [.connect], "200", "end"),
    ResponseCase(
        "CONNECT refused", head("HTTP/1.1 403 No", "Content-Length: 1") + "x", to: [.connect], "403 length(1)",
        "body x", "end"),
    ResponseCase(
        "100 and 103 before", head("HTTP/1.1 100 Continue") + head("HTTP/1.1 103 Early Hints", "Link: <x>") + ok,
        "informational 100", "informational 103 [Link: <x>]", "200 length(0)", "end"),
    ResponseCase(
        "101, and what is no HTTP", head("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket") + "\u{0}\u{1}",
        "101",
        "end"),
    ResponseCase(
        "one after the other", ok + head("HTTP/1.1 404 No", "Content-Length: 1") + "x", to: [.get, .get],
        "200 length(0)",
        "end", "404 length(1)", "body x", "end"),
]

private let truncated = "failed 502: response cut off in its body"

let refusedResponses: [ResponseCase] = [
    ResponseCase("no HTTP", "ICY 200 OK\r\n\r\n", "failed 502: not an HTTP response"),
    ResponseCase("an empty line before", "\r\n" + ok, "failed 502: not an HTTP response"),
    ResponseCase("version 2", head("HTTP/2.0 200 OK"), "failed 502: HTTP version not supported"),
    ResponseCase("version 0.9", head("HTTP/0.9 200 OK"), "failed 502: HTTP version not supported"),
    ResponseCase("lower case", head("http/1.1 200 OK"), "failed 502: not an HTTP response"),
    ResponseCase("two spaces", head("HTTP/1.1  200 OK"), "failed 502: malformed status"),
    ResponseCase("a tab", head("HTTP/1.1\t200 OK"), "failed 502: malformed status line"),
    ResponseCase("two digits", head("HTTP/1.1 20 OK"), "failed 502: malformed status"),
    ResponseCase("four digits", head("HTTP/1.1 2000 OK"), "failed 502: malformed status line"),
    ResponseCase("a sign", head("HTTP/1.1 +20 OK"), "failed 502: malformed status"),
    ResponseCase("status 000", head("HTTP/1.1 000 OK"), "failed 502: status out of range"),
    ResponseCase("status 600", head("HTTP/1.1 600 OK"), "failed 502: status out of range"),
    ResponseCase("no space behind the status", head("HTTP/1.1 200"), "failed 502: malformed status line"),
    ResponseCase(
        "a control character in the phrase", head("HTTP/1.1 200 O\u{0}K"),
        "failed 502: bad character in the status line"),
    ResponseCase("bare LF", "HTTP/1.1 200 OK\nA: b\r\n", "failed 502: bad character in the status line"),
    ResponseCase("bare CR", "HTTP/1.1 200 OK\rA: b\r\n", "failed 502: bare CR in the status line"),
    ResponseCase(
        "an endless phrase", "HTTP/1.1 200 " + String(repeating: "x", count: 9000), "failed 502: status line too long"),
    ResponseCase(
        "a folded field", head("HTTP/1.1 200 OK", "A: b", " c"), "failed 502: white space at the start of a header line"
    ),
    ResponseCase(
        "white space before the colon", head("HTTP/1.1 200 OK", "A : b"),
        "failed 502: white space before the colon of a field"),
    ResponseCase(
        "both lengths", head("HTTP/1.1 200 OK", "Content-Length: 1", "Transfer-Encoding: chunked"),
        "failed 502: both Content-Length and Transfer-Encoding"),
    ResponseCase(
        "two lengths", head("HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 1"),
        "failed 502: more than one Content-Length"),
    ResponseCase(
        "a bad length of a HEAD", head("HTTP/1.1 200 OK", "Content-Length: +1"), to: [.head],
        "failed 502: bad Content-Length"),
    ResponseCase(
        "an unknown coding", head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"),
        "failed 502: Transfer-Encoding is not exactly \"chunked\""),
    ResponseCase(
        "chunks in 1.0", head("HTTP/1.0 200 OK", "Transfer-Encoding: chunked"),
        "failed 502: Transfer-Encoding in HTTP/1.0"),
    ResponseCase("a bad chunk", chunked + "x\r\n", "failed 502: bad chunk size"),
    ResponseCase(
        "100 with a body", head("HTTP/1.1 100 Continue", "Content-Length: 1"),
        "failed 502: informational response with a body"),
    ResponseCase(
        "endless 100", String(repeating: head("HTTP/1.1 100 Continue"), count: 33),
        "failed 502: too many informational responses"),
    ResponseCase("bytes behind the answer", ok + "x", "failed 502: bytes that belong to no response"),
    ResponseCase("an answer nobody asked for", ok, to: [], "failed 502: bytes that belong to no response"),
    ResponseCase(
        "a body behind HEAD", head("HTTP/1.1 200 OK", "Content-Length: 1") + "x", to: [.head],
        "failed 502: bytes that belong to no response"),
    ResponseCase(
        "a body behind 204", head("HTTP/1.1 204 OK", "Content-Length: 1") + "x", to: [.get, .get],
        "failed 502: bytes that belong to no response"),
    // The upstream goes away.
    ResponseCase("no answer", "", closes: true, "failed 502: closed before a response"),
    ResponseCase("half a status line", "HTTP/1.1 2", closes: true, "failed 502: response cut off in its header"),
    ResponseCase(
        "half a header", "HTTP/1.1 200 OK\r\nA: b\r\n", closes: true, "failed 502: response cut off in its header"),
    ResponseCase("only 100", head("HTTP/1.1 100 Continue"), closes: true, "failed 502: response cut off in its header"),
    ResponseCase("half a length", head("HTTP/1.1 200 OK", "Content-Length: 2") + "x", closes: true, truncated),
    ResponseCase("half a chunk", chunked + "2\r\nx", closes: true, truncated),
    ResponseCase("no last chunk", chunked + "1\r\nx\r\n", closes: true, truncated),
    ResponseCase("half a last chunk", chunked + "0\r\n", closes: true, truncated),
]
