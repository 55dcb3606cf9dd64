"""Requests that two readers could read in two ways. Each is a name and its bytes."""

SECRET = b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"


def get(*lines, target="/", host=b"Host: localhost"):
    """A GET with these lines in its head."""
    parts = [line if isinstance(line, bytes) else line.encode("latin-1") for line in lines]
    first = target if isinstance(target, bytes) else target.encode("latin-1")
    return b"\r\n".join([b"GET " + first + b" HTTP/1.1", *([host] if host else []), *parts, b"", b""])


def post(*lines, body=b""):
    """A POST with these lines in its head."""
    parts = [line if isinstance(line, bytes) else line.encode("latin-1") for line in lines]
    return b"\r\n".join([b"POST / HTTP/1.1", b"Host: localhost", *parts, b"", b""]) + body


def chunked(body):
    return post("Transfer-Encoding: chunked", body=body)


CL, TE = "Content-Length", "Transfer-Encoding"

FRAMING = {
    "Content-Length, then Transfer-Encoding": post(f"{CL}: 4", f"{TE}: chunked", body=b"0\r\n\r\n" + SECRET),
    "Transfer-Encoding, then Content-Length": post(f"{TE}: chunked", f"{CL}: 5", body=b"0\r\n\r\n" + SECRET),
    "both, length 0": post(f"{CL}: 0", f"{TE}: chunked", body=b"0\r\n\r\n"),
    "two lengths": post(f"{CL}: 0", f"{CL}: {len(SECRET)}", body=SECRET),
    "two equal lengths": post(f"{CL}: 2", f"{CL}: 2", body=b"ab"),
    "a list of equal lengths": post(f"{CL}: 2, 2", body=b"ab"),
    "a list of lengths": post(f"{CL}: 0, {len(SECRET)}", body=SECRET),
    "an empty length": post(f"{CL}:", body=SECRET),
    "a length with +": post(f"{CL}: +2", body=b"ab"),
    "a length with -": post(f"{CL}: -2", body=b"ab"),
    "a length -0": post(f"{CL}: -0"),
    "a length with _": post(f"{CL}: 1_0", body=b"0123456789"),
    "a length in hexadecimal": post(f"{CL}: 0x2", body=b"ab"),
    "a length with a fraction": post(f"{CL}: 2.0", body=b"ab"),
    "a length with a space in it": post(f"{CL}: 2 2", body=b"ab"),
    "a quoted length": post(f'{CL}: "2"', body=b"ab"),
    "a length over 64 bits": post(f"{CL}: 18446744073709551618", body=b"ab"),
    "a length far over 64 bits": post(f"{CL}: {'9' * 100}", body=b"ab"),
    "a length with a form feed": post(f"{CL}: \x0c2", body=b"ab"),
    "a length with a NUL": post(f"{CL}: 2\0", body=b"ab"),
    "a length in other digits": post(f"{CL}: \xb2", body=b"ab"),
    "a second chunked": post(f"{TE}: chunked", f"{TE}: chunked", body=b"0\r\n\r\n"),
    "chunked, chunked": post(f"{TE}: chunked, chunked", body=b"0\r\n\r\n"),
    ",chunked": post(f"{TE}: ,chunked", body=b"0\r\n\r\n"),
    "chunked,": post(f"{TE}: chunked,", body=b"0\r\n\r\n"),
    "gzip, chunked": post(f"{TE}: gzip, chunked", body=b"0\r\n\r\n"),
    "chunked, identity": post(f"{TE}: chunked, identity", body=b"0\r\n\r\n"),
    "identity": post(f"{TE}: identity"),
    "identity with a length": post(f"{TE}: identity", f"{CL}: 2", body=b"ab"),
    "xchunked": post(f"{TE}: xchunked", body=b"0\r\n\r\n"),
    "quoted chunked": post(f'{TE}: "chunked"', body=b"0\r\n\r\n"),
    "chunked with a parameter": post(f"{TE}: chunked;q=1", body=b"0\r\n\r\n"),
    "chunked behind a vertical tab": post(f"{TE}: \x0bchunked", body=b"0\r\n\r\n"),
    "chunked behind obs-text": post(f"{TE}: \xa0chunked", body=b"0\r\n\r\n"),
    "an empty Transfer-Encoding": post(f"{TE}:", f"{CL}: 2", body=b"ab"),
    "a space before the colon of Transfer-Encoding": post(f"{TE} : chunked", body=b"0\r\n\r\n"),
    "a tab before the colon of Content-Length": post(f"{CL}\t: 2", body=b"ab"),
    "Transfer-Encoding on a folded line": post("X: y", f" {TE}: chunked", body=b"0\r\n\r\n"),
    "Transfer-Encoding with a folded value": post(f"{TE}:", " chunked", body=b"0\r\n\r\n"),
    "Transfer-Encoding behind a bare LF": post(f"X: y\n{TE}: chunked", body=b"0\r\n\r\n"),
    "Transfer-Encoding behind a bare CR": post(f"X: y\r{TE}: chunked", body=b"0\r\n\r\n"),
    "Transfer-Encoding in HTTP/1.0": post(f"{TE}: chunked", body=b"0\r\n\r\n").replace(b"1.1", b"1.0"),
}

LINES = {
    "a bare LF after the request line": b"GET / HTTP/1.1\nHost: localhost\r\n\r\n",
    "bare LFs alone": b"GET / HTTP/1.1\nHost: localhost\n\n",
    "a bare LF after a field": b"GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n",
    "a bare LF at the end of the head": b"GET / HTTP/1.1\r\nHost: localhost\r\n\n",
    "a bare CR in the request line": b"GET /\rHTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a bare CR in a value": get("X: a\rb"),
    "a bare CR in a name": get("X\rY: a"),
    "a bare CR before the request": b"\rGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a bare LF before the request": b"\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "two empty lines before the request": b"\r\n\r\n" + get(),
    "a space before the request": b" " + get(),
    "a tab in the request line": b"GET\t/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "two spaces behind the method": b"GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "two spaces behind the target": b"GET /  HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a space behind the version": b"GET / HTTP/1.1 \r\nHost: localhost\r\n\r\n",
    "a space in the target": b"GET /a b HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no version": b"GET /\r\nHost: localhost\r\n\r\n",
    "HTTP/0.9": b"GET / HTTP/0.9\r\nHost: localhost\r\n\r\n",
    "a word before the version": b"GET / x HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "HTTP/2.0 without its preface": b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
    "http in small letters": b"GET / http/1.1\r\nHost: localhost\r\n\r\n",
    "a version with more digits": b"GET / HTTP/1.10\r\nHost: localhost\r\n\r\n",
    "a method with a colon": b"GE:T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a method with a NUL": b"GE\0T / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no method": b" / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a NUL in a value": get("X: a\0b"),
    "a form feed in a value": get("X: a\x0cb"),
    "DEL in a value": get("X: a\x7fb"),
    "a fold": get("X: a", " b"),
    "a fold with a tab": get("X: a", "\tb"),
    "a fold right behind the request line": b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "a space before the colon": get("X : a"),
    "an empty name": get(": a"),
    "no colon": get("X"),
    "a space in a name": get("X Y: a"),
    "obs-text in a name": get("X\xe9: a"),
    "a NUL in a name": get("X\0: a"),
    "a bracket in a name": get("X[]: a"),
}

CHUNKS = {
    "a size with 0x": chunked(b"0x2\r\nab\r\n0\r\n\r\n"),
    "a size with +": chunked(b"+2\r\nab\r\n0\r\n\r\n"),
    "a size with -": chunked(b"-2\r\nab\r\n0\r\n\r\n"),
    "a size with _": chunked(b"0_2\r\nab\r\n0\r\n\r\n"),
    "a size behind a space": chunked(b" 2\r\nab\r\n0\r\n\r\n"),
    "a size before a space": chunked(b"2 \r\nab\r\n0\r\n\r\n"),
    "an empty size": chunked(b"\r\nab\r\n0\r\n\r\n"),
    "a size that is none": chunked(b"g\r\nab\r\n0\r\n\r\n"),
    "a size over 64 bits": chunked(b"10000000000000002\r\nab\r\n0\r\n\r\n"),
    "a size far over 64 bits": chunked(b"f" * 40 + b"\r\nab\r\n0\r\n\r\n"),
    "a bare LF behind the size": chunked(b"2\nab\r\n0\r\n\r\n"),
    "a bare CR behind the size": chunked(b"2\rab\r\n0\r\n\r\n"),
    "a bare LF behind the data": chunked(b"2\r\nab\n0\r\n\r\n"),
    "more data than the size": chunked(b"2\r\nabc\r\n0\r\n\r\n"),
    "no end of the data": chunked(b"2\r\nab0\r\n\r\n"),
    "a bare LF in an extension": chunked(b"2;a\nb\r\nab\r\n0\r\n\r\n"),
    "a bare CR in an extension": chunked(b"2;a\rb\r\nab\r\n0\r\n\r\n"),
    "a semicolon with nothing behind it": chunked(b"2;\r\nab\r\n0\r\n\r\n"),
    "a NUL in an extension": chunked(b"2;a=\0\r\nab\r\n0\r\n\r\n"),
    "a bare LF at the end": chunked(b"2\r\nab\r\n0\n\n"),
    "a bare LF behind the last size": chunked(b"2\r\nab\r\n0\n\r\n"),
    "a bare LF in trailers": chunked(b"2\r\nab\r\n0\r\nX: y\n\r\n"),
    "a fold in trailers": chunked(b"2\r\nab\r\n0\r\nX: y\r\n z\r\n\r\n"),
    "a length in trailers": chunked(b"2\r\nab\r\n0\r\nContent-Length: 5\r\n\r\n"),
    "a Transfer-Encoding in trailers": chunked(b"2\r\nab\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "a Host in trailers": chunked(b"2\r\nab\r\n0\r\nHost: other\r\n\r\n"),
}

TARGETS = {
    "no Host": get(host=None),
    "two Hosts": get("Host: other"),
    "two equal Hosts": get("Host: localhost"),
    "a list of Hosts": get(host=b"Host: localhost, other"),
    "a Host with userinfo": get(host=b"Host: user@localhost"),
    "a Host with a path": get(host=b"Host: localhost/path"),
    "a Host with a query": get(host=b"Host: localhost?a"),
    "a Host with a space": get(host=b"Host: local host"),
    "a Host with a bad port": get(host=b"Host: localhost:80x"),
    "a Host with a port over 65535": get(host=b"Host: localhost:99999"),
    "a Host with obs-text": get(host=b"Host: localhost\xe9"),
    "a Host that differs from the target": get(target="http://other/"),
    "a Host whose port differs from the target": get(target="http://localhost:81/"),
    "a fragment": get(target="/a#b"),
    "a fragment in the query": get(target="/a?b#c"),
    "obs-text in the target": get(target="/\xe9"),
    "a control character in the target": get(target="/\x01"),
    "DEL in the target": get(target="/\x7f"),
    "a backslash in the target": get(target="/a\\..\\b"),
    "a NUL in the target": get(target="/\0"),
    "an escaped NUL": get(target="/a%00b"),
    "a broken escape": get(target="/%zz"),
    "half an escape": get(target="/%2"),
    "above the root": get(target="/.."),
    "above the root, later": get(target="/a/../../b"),
    "above the root, escaped": get(target="/%2e%2e/b"),
    "above the root, half escaped": get(target="/.%2E/b"),
    "above the root, absolute": get(target="http://localhost/../b"),
    "no slash": get(target="a"),
    "an absolute target of another scheme": get(target="ftp://localhost/"),
    "an absolute target with userinfo": get(target="http://user@localhost/"),
    "an absolute target without a host": get(target="http:///a"),
    "an asterisk with GET": get(target="*"),
    "an asterisk with OPTIONS": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "an authority with GET": get(target="localhost:80"),
    "CONNECT": b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n",
    "CONNECT with a path": b"CONNECT / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "CONNECT with a body": b"CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\nContent-Length: 2\r\n\r\nab",
    "an unknown expectation": post("Expect: 200-ok", f"{CL}: 2", body=b"ab"),
}

REFUSED = {**FRAMING, **LINES, **CHUNKS, **TARGETS}
# Their heads are without fault: the upstream has the beginning of the request when the fault shows.
LATE = set(CHUNKS)
