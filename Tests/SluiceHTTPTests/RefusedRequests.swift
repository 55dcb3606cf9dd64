/// Requests that are refused. The expectation is the last line of the transcript; most are refused in the head.
let refusedRequests: [Case] = [
    // Before the request, and the request line.
    Case("two empty lines", "\r\n\r\n" + head("GET / HTTP/1.1", "Host: a"), "failed 400: bad character in the method"),
    Case(
        "a line of white space", " \r\n" + head("GET / HTTP/1.1", "Host: a"), "failed 400: bad character in the method"),
    Case("a bare LF before", "\n" + head("GET / HTTP/1.1", "Host: a"), "failed 400: bad character in the method"),
    Case("a bare CR before", "\rGET / HTTP/1.1", "failed 400: bare CR before the request"),
    Case("TLS", "\u{16}\u{3}\u{1}\u{2}\u{0}", "failed 400: bad character in the method"),
    Case("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "failed 400: bad request target"),
    Case("version 2.0", head("GET / HTTP/2.0", "Host: a"), "failed 505: HTTP version not supported"),
    Case("version 9.9", head("GET / HTTP/9.9", "Host: a"), "failed 505: HTTP version not supported"),
    Case("version 0.9", head("GET / HTTP/0.9", "Host: a"), "failed 400: HTTP/0.x is not spoken"),
    Case("no version", "GET /\r\n", "failed 400: request line without a version"),
    Case("no version, LF", "GET /\n", "failed 400: request line without a version"),
    Case("no target", head("GET HTTP/1.1", "Host: a"), "failed 400: request line without a version"),
    Case("version in lower case", head("GET / http/1.1", "Host: a"), "failed 400: malformed HTTP version"),
    Case("version without minor", head("GET / HTTP/1", "Host: a"), "failed 400: malformed HTTP version"),
    Case("version with two digits", head("GET / HTTP/1.10", "Host: a"), "failed 400: malformed HTTP version"),
    Case("version with a leading zero", head("GET / HTTP/01.1", "Host: a"), "failed 400: malformed HTTP version"),
    Case("white space behind the version", head("GET / HTTP/1.1 ", "Host: a"), "failed 400: malformed HTTP version"),
    Case(
        "two spaces before the target", head("GET  / HTTP/1.1", "Host: a"),
        "failed 400: request target begins with a bad character"),
    Case("two spaces before the version", head("GET /  HTTP/1.1", "Host: a"), "failed 400: malformed HTTP version"),
    Case("a tab", head("GET\t/ HTTP/1.1", "Host: a"), "failed 400: bad character in the method"),
    Case(
        "a tab behind the target", head("GET /\tHTTP/1.1", "Host: a"), "failed 400: bad character in the request target"
    ),
    Case("a space in the target", head("GET /a b HTTP/1.1", "Host: a"), "failed 400: malformed HTTP version"),
    Case("a space first", head(" GET / HTTP/1.1", "Host: a"), "failed 400: bad character in the method"),
    Case("bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n", "failed 400: bare LF in the request line"),
    Case("bare CR", "GET / HTTP/1.1\rHost: a\r\n\r\n", "failed 400: bare CR in the request line"),
    Case("a fragment", head("GET /a#b HTTP/1.1", "Host: a"), "failed 400: fragment in the request target"),
    Case(
        "a fragment in the query", head("GET /?a#b HTTP/1.1", "Host: a"), "failed 400: fragment in the request target"),
    Case(
        "NUL in the target", head("GET /\u{0} HTTP/1.1", "Host: a"), "failed 400: bad character in the request target"),
    Case(
        "a byte over 127 in the target", head("GET /\u{E9} HTTP/1.1", "Host: a"),
        "failed 400: bad character in the request target"),
    Case(
        "DEL in the target", head("GET /?\u{7F} HTTP/1.1", "Host: a"), "failed 400: bad character in the request target"
    ),
    Case(
        "a backslash in the path", head("GET /\\ HTTP/1.1", "Host: a"),
        "failed 400: bad character in the request target"),
    Case(
        "a quote in the target", head("GET /?\" HTTP/1.1", "Host: a"), "failed 400: bad character in the request target"
    ),
    Case("asterisk with GET", head("GET * HTTP/1.1", "Host: a"), "failed 400: bad request target"),
    Case("more than an asterisk", head("OPTIONS *a HTTP/1.1", "Host: a"), "failed 400: bad request target"),
    Case("an authority with GET", head("GET a:80 HTTP/1.1", "Host: a:80"), "failed 400: bad request target"),
    Case("a path without its slash", head("GET a HTTP/1.1", "Host: a"), "failed 400: bad request target"),
    Case("CONNECT with a path", head("CONNECT /a HTTP/1.1", "Host: a"), "failed 400: CONNECT needs host and port"),
    Case("CONNECT without a port", head("CONNECT a HTTP/1.1", "Host: a"), "failed 400: CONNECT needs host and port"),
    Case(
        "CONNECT with an empty port", head("CONNECT a: HTTP/1.1", "Host: a"), "failed 400: CONNECT needs host and port"),
    Case(
        "CONNECT with a body", head("CONNECT a:1 HTTP/1.1", "Host: a:1", "Content-Length: 1"),
        "failed 400: CONNECT with a body"),
    Case("another scheme", head("GET ftp://a/ HTTP/1.1", "Host: a"), "failed 400: bad request target"),
    Case(
        "userinfo in the target", head("GET http://u@a/ HTTP/1.1", "Host: a"),
        "failed 400: bad host in the request target"),
    Case(
        "absolute without a host", head("GET http:///x HTTP/1.1", "Host: a"),
        "failed 400: bad host in the request target"),
    Case(
        "a request line of 8193 bytes", head("GET /" + String(repeating: "a", count: 8179) + " HTTP/1.1", "Host: a"),
        "failed 414: request line too long"),
    Case("a target without end", "GET /" + String(repeating: "a", count: 9000), "failed 414: request line too long"),
    Case("a method without end", String(repeating: "A", count: 9000), "failed 400: method too long"),
    // Host.
    Case("no Host", head("GET / HTTP/1.1"), "failed 400: no Host"),
    Case("no Host with an absolute target", head("GET http://a/ HTTP/1.1"), "failed 400: no Host"),
    Case("an empty Host", head("GET / HTTP/1.1", "Host:"), "failed 400: bad Host"),
    Case("two Hosts", head("GET / HTTP/1.1", "Host: a", "Host: b"), "failed 400: more than one Host"),
    Case("two equal Hosts", head("GET / HTTP/1.1", "Host: a", "host: a"), "failed 400: more than one Host"),
    Case("two Hosts in 1.0", head("GET / HTTP/1.0", "Host: a", "Host: a"), "failed 400: more than one Host"),
    Case("two Hosts joined", head("GET / HTTP/1.1", "Host: a, b"), "failed 400: bad Host"),
    Case("userinfo in Host", head("GET / HTTP/1.1", "Host: u@a"), "failed 400: bad Host"),
    Case("a path in Host", head("GET / HTTP/1.1", "Host: a/b"), "failed 400: bad Host"),
    Case("a scheme in Host", head("GET / HTTP/1.1", "Host: http://a"), "failed 400: bad Host"),
    Case("an empty label", head("GET / HTTP/1.1", "Host: a..b"), "failed 400: bad Host"),
    Case("a port that is none", head("GET / HTTP/1.1", "Host: a:b"), "failed 400: bad Host"),
    Case("a port over 65535", head("GET / HTTP/1.1", "Host: a:65536"), "failed 400: bad Host"),
    Case("two ports", head("GET / HTTP/1.1", "Host: a:1:2"), "failed 400: bad Host"),
    Case("a port alone", head("GET / HTTP/1.1", "Host: :80"), "failed 400: bad Host"),
    Case("bare IPv6", head("GET / HTTP/1.1", "Host: ::1"), "failed 400: bad Host"),
    Case("open bracket", head("GET / HTTP/1.1", "Host: [::1"), "failed 400: bad Host"),
    Case("not an address in brackets", head("GET / HTTP/1.1", "Host: [1:2]"), "failed 400: bad Host"),
    Case("two gaps in an address", head("GET / HTTP/1.1", "Host: [1::2::3]"), "failed 400: bad Host"),
    Case("a byte over 127 in Host", head("GET / HTTP/1.1", "Host: \u{E9}"), "failed 400: bad Host"),
    Case(
        "an absolute target elsewhere", head("GET http://a/ HTTP/1.1", "Host: b"),
        "failed 400: Host differs from the request target"),
    Case(
        "an absolute target at another port", head("GET http://a:81/ HTTP/1.1", "Host: a"),
        "failed 400: Host differs from the request target"),
    Case(
        "CONNECT elsewhere", head("CONNECT a:1 HTTP/1.1", "Host: b:1"),
        "failed 400: Host differs from the request target"),
    // Field lines.
    Case(
        "white space before the colon", head("GET / HTTP/1.1", "Host: a", "X : b"),
        "failed 400: white space before the colon of a field"),
    Case(
        "a tab before the colon", head("GET / HTTP/1.1", "Host\t: a"),
        "failed 400: white space before the colon of a field"),
    Case("no name", head("GET / HTTP/1.1", ": a"), "failed 400: field without a name"),
    Case("no colon", head("GET / HTTP/1.1", "Host: a", "X"), "failed 400: header line without a colon"),
    Case("a bracket in the name", head("GET / HTTP/1.1", "X[: a"), "failed 400: bad character in a field name"),
    Case(
        "a byte over 127 in the name", head("GET / HTTP/1.1", "X\u{E9}: a"), "failed 400: bad character in a field name"
    ),
    Case("NUL in the name", head("GET / HTTP/1.1", "X\u{0}: a"), "failed 400: bad character in a field name"),
    Case(
        "a folded line", head("GET / HTTP/1.1", "Host: a", "X: b", " c"),
        "failed 400: white space at the start of a header line"),
    Case(
        "a folded line by tab", head("GET / HTTP/1.1", "Host: a", "X: b", "\tc"),
        "failed 400: white space at the start of a header line"),
    Case(
        "white space before the first field", head("GET / HTTP/1.1", " ", "Host: a"),
        "failed 400: white space at the start of a header line"),
    Case("NUL in a value", head("GET / HTTP/1.1", "X: a\u{0}b"), "failed 400: control character in a field value"),
    Case(
        "a form feed in a value", head("GET / HTTP/1.1", "X: \u{C}b"), "failed 400: control character in a field value"),
    Case("DEL in a value", head("GET / HTTP/1.1", "X: a\u{7F}"), "failed 400: control character in a field value"),
    Case("a bare CR in a value", head("GET / HTTP/1.1", "X: a\rb"), "failed 400: bare CR in a field"),
    Case("CR CR LF", "GET / HTTP/1.1\r\nX: a\r\r\n", "failed 400: bare CR in a field"),
    Case("a bare LF behind a value", "GET / HTTP/1.1\r\nHost: a\n\r\n", "failed 400: bare LF in a field"),
    Case("a bare LF behind an empty value", "GET / HTTP/1.1\r\nX:\n\r\n", "failed 400: bare LF in a field"),
    Case("a bare LF for the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\n", "failed 400: bare LF in the header"),
    Case(
        "a bare CR for the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\rX",
        "failed 400: bare CR at the end of the header"),
    Case(
        "an unknown expectation", head("GET / HTTP/1.1", "Host: a", "Expect: sugar"), "failed 417: unknown expectation"),
    Case(
        "101 fields", "GET / HTTP/1.1\r\n" + String(repeating: "x: y\r\n", count: 101),
        "failed 431: too many header fields"),
    Case(
        "fields over 64 KiB",
        "GET / HTTP/1.1\r\nHost: a\r\nx:" + String(repeating: "y", count: 65536 - 14) + "\r\n\r\n",
        "failed 431: header too large"),
    Case(
        "a name without end", "GET / HTTP/1.1\r\n" + String(repeating: "y", count: 66000),
        "failed 431: header too large"),
]
