import Testing

/// Raw input, and what a parser must say about it, however the input is cut.
struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let input: [UInt8]
    let expected: [String]

    init(_ name: String, _ input: String, _ expected: String...) {
        testDescription = name
        self.input = bytes(input)
        self.expected = expected
    }
}

/// The request line and fields given, each with CRLF, and the empty line.
func head(_ lines: String...) -> String { lines.map { $0 + "\r\n" }.joined() + "\r\n" }

/// A chunked POST to `/`, up to its body.
let chunkedPost = head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")

/// Requests that are taken.
let acceptedRequests: [Case] = [
    Case("a plain GET", head("GET / HTTP/1.1", "Host: a"), "GET / host=a", "end"),
    Case(
        "path and query", head("GET /a/b?c=d?e HTTP/1.1", "Host: a.example:8080"),
        "GET /a/b?c=d?e host=a.example:8080", "end"),
    Case("one empty line before", "\r\n" + head("GET / HTTP/1.1", "Host: a"), "GET / host=a", "end"),
    Case("methods are case-sensitive", head("get / HTTP/1.1", "Host: a"), "get / host=a", "end"),
    Case("any token is a method", head("M-SEARCH! / HTTP/1.1", "Host: a"), "M-SEARCH! / host=a", "end"),
    Case("the version 1.0 needs no Host", head("GET / HTTP/1.0"), "GET / 1.0 close", "end"),
    Case(
        "1.0 that stays", head("GET / HTTP/1.0", "Connection: Keep-Alive") + head("GET /2 HTTP/1.0"),
        "GET / 1.0", "end", "GET /2 1.0 close", "end"),
    Case("1.7 is spoken to as 1.1", head("GET / HTTP/1.7", "Host: a"), "GET / host=a", "end"),
    Case("asterisk", head("OPTIONS * HTTP/1.1", "Host: a"), "OPTIONS * host=a", "end"),
    Case(
        "an authority", head("CONNECT a.example:443 HTTP/1.1", "Host: a.example:443"),
        "CONNECT a.example:443 host=a.example:443 close", "end"),
    Case("absolute", head("GET http://a/b?c HTTP/1.1", "Host: a"), "GET /b?c host=a", "end"),
    Case("absolute, other case", head("GET HTTP://A/b HTTP/1.1", "Host: a"), "GET /b host=A", "end"),
    Case("absolute, the scheme's port", head("GET https://a:443/ HTTP/1.1", "Host: a"), "GET / host=a:443", "end"),
    Case("absolute without a path", head("GET http://a HTTP/1.1", "Host: a"), "GET / host=a", "end"),
    Case("absolute, query alone", head("GET http://a?b HTTP/1.1", "Host: a"), "GET /?b host=a", "end"),
    Case("absolute OPTIONS", head("OPTIONS http://a HTTP/1.1", "Host: a"), "OPTIONS * host=a", "end"),
    Case("absolute in 1.0", head("GET http://a/ HTTP/1.0"), "GET / host=a 1.0 close", "end"),
    Case(
        "brackets and braces in a target", head("GET /[a]{b}|^?\\ HTTP/1.1", "Host: a"), "GET /[a]{b}|^?\\ host=a",
        "end"),
    Case("an IPv6 host", head("GET / HTTP/1.1", "Host: [2001:db8::1]:80"), "GET / host=[2001:db8::1]:80", "end"),
    Case(
        "an IPv6 host with a dotted tail", head("GET / HTTP/1.1", "Host: [::ffff:1.2.3.4]"),
        "GET / host=[::ffff:1.2.3.4]", "end"),
    Case("a name that ends with a dot", head("GET / HTTP/1.1", "hOsT: a.example."), "GET / host=a.example.", "end"),
    Case("an empty port", head("GET / HTTP/1.1", "Host: a:"), "GET / host=a:", "end"),
    Case("white space around a value", head("GET / HTTP/1.1", "Host: \t a \t "), "GET / host=a", "end"),
    Case("no white space, empty value", head("GET / HTTP/1.1", "Host:a", "X:", "Y: \t"), "GET / host=a", "end"),
    Case(
        "bytes over 127 and tabs in a value", head("GET / HTTP/1.1", "Host: a", "X: \u{E9}\tb\u{FF}"), "GET / host=a",
        "end"),
    Case("closing", head("GET / HTTP/1.1", "Host: a", "Connection: foo, Close"), "GET / host=a close", "end"),
    Case(
        "closing, said in a second field",
        head("GET / HTTP/1.1", "Host: a", "Connection: keep-alive", "Connection: close"),
        "GET / host=a close", "end"),
    Case(
        "closing behind an open quote", head("GET / HTTP/1.1", "Host: a", "Connection: \"x, close"),
        "GET / host=a close", "end"),
    Case(
        "nothing is read behind the last request",
        head("GET / HTTP/1.1", "Host: a", "Connection: close") + head("GET /2 HTTP/1.1", "Host: a"),
        "GET / host=a close", "end"),
    Case(
        "pipelined",
        head("GET /1 HTTP/1.1", "Host: a") + head("GET /2 HTTP/1.1", "Host: a") + "\r\n"
            + head("GET /3 HTTP/1.1", "Host: a"),
        "GET /1 host=a", "end", "GET /2 host=a", "end", "GET /3 host=a", "end"),
    // Bodies.
    Case(
        "a body with a length", head("POST / HTTP/1.1", "Host: a", "Content-Length: 5") + "hello",
        "POST / host=a length(5)", "body hello", "end"),
    Case(
        "a body never becomes a request",
        head("POST / HTTP/1.1", "Host: a", "Content-Length: 18") + "GET /x HTTP/1.1\r\n\r"
            + head("GET /2 HTTP/1.1", "Host: a"),
        "POST / host=a length(18)", "body GET /x HTTP/1.1\\xd\\xa\\xd", "end", "GET /2 host=a", "end"),
    Case(
        "leading zeros and spaces", head("POST / HTTP/1.1", "Host: a", "Content-Length:  005 ") + "hello",
        "POST / host=a length(5)", "body hello", "end"),
    Case("length 0", head("POST / HTTP/1.1", "Host: a", "Content-Length: 0"), "POST / host=a", "end"),
    Case(
        "a GET with a body", head("GET / HTTP/1.1", "Host: a", "Content-Length: 2") + "xy",
        "GET / host=a length(2)", "body xy", "end"),
    Case(
        "a body in 1.0", head("POST / HTTP/1.0", "Content-Length: 2") + "xy", "POST / length(2) 1.0 close", "body xy",
        "end"),
    Case(
        "the greatest length", head("POST / HTTP/1.1", "Host: a", "Content-Length: 18446744073709551615") + "x",
        "POST / host=a length(18446744073709551615)", "body x"),
    Case(
        "waiting for 100", head("POST / HTTP/1.1", "Host: a", "Content-Length: 2", "Expect: 100-Continue") + "xy",
        "POST / host=a length(2) expect", "body xy", "end"),
    Case(
        "no body, no waiting", head("GET / HTTP/1.1", "Host: a", "Expect: 100-continue"), "GET / host=a", "end"),
    Case("1.0 does not wait", head("GET / HTTP/1.0", "Expect: sugar"), "GET / 1.0 close", "end"),
    // Chunks.
    Case(
        "chunks",
        chunkedPost + "5\r\nhello\r\n1\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n" + head("GET /2 HTTP/1.1", "Host: a"),
        "POST / host=a chunked", "body hello 0123456789", "end", "GET /2 host=a", "end"),
    Case("no chunks", chunkedPost + "0\r\n\r\n", "POST / host=a chunked", "end"),
    Case("many zeros", chunkedPost + "005\r\nhello\r\n000\r\n\r\n", "POST / host=a chunked", "body hello", "end"),
    Case(
        "any case of the coding", head("POST / HTTP/1.1", "Host: a", "tRANSFER-eNCODING:\tChUnKeD \t") + "0\r\n\r\n",
        "POST / host=a chunked", "end"),
    Case(
        "extensions",
        chunkedPost + "5;a;b=c;d=\"e;\\\"\r\"".replacing("\r", with: " ") + "\r\nhello\r\n0 ; x = y\r\n\r\n",
        "POST / host=a chunked", "body hello", "end"),
    Case(
        "trailers", chunkedPost + "1\r\nx\r\n0\r\nX-Sum: 1\r\ny: \t2 \r\n\r\n",
        "POST / host=a chunked", "body x", "end [X-Sum: 1; y: 2]"),
    Case(
        "trailers that make no sense are left out", chunkedPost + "0\r\nCookie: x\r\nX: 1\r\nConnection: close\r\n\r\n",
        "POST / host=a chunked", "end [X: 1]"),
    Case("the greatest chunk", chunkedPost + "ffffFFFFffffFFFF\r\nx", "POST / host=a chunked", "body x"),
    // Limits, from below.
    Case(
        "a request line of 8192 bytes",
        head("GET /" + String(repeating: "a", count: 8178) + " HTTP/1.1", "Host: a"),
        "GET /" + String(repeating: "a", count: 8178) + " host=a", "end"),
    Case(
        "a hundred fields",
        "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "x: y\r\n", count: 99) + "\r\n", "GET / host=a", "end"),
    Case(
        "64 KiB of fields", "GET / HTTP/1.1\r\nHost: a\r\nx:" + String(repeating: "y", count: 65536 - 15) + "\r\n\r\n",
        "GET / host=a", "end"),
]
