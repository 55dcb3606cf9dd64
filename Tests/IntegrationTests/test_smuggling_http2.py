"""What HTTP/2 can say and HTTP/1.1 would read in another way goes no further."""

import pytest
from harness.frames import Wire, get, post, raw
from harness.recorder import Behind
from harness.smuggling import SECRET

pytestmark = pytest.mark.h2


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    behind = Behind(tmp_path_factory.mktemp("smuggling"))
    yield behind
    behind.close()


LINE = "\r\nTransfer-Encoding: chunked"


def pseudo(method="GET", scheme="http", path="/", authority="localhost", *more):
    given = [(":method", method), (":scheme", scheme), (":path", path), (":authority", authority)]
    return [(name, value) for name, value in given if value is not None] + list(more)


HEADS = {
    # Names and values that would be lines of their own.
    "CRLF in a value": get("/", ("x", "a" + LINE)),
    "LF in a value": get("/", ("x", "a\nb: c")),
    "CR in a value": get("/", ("x", "a\rb")),
    "NUL in a value": get("/", ("x", "a\0b")),
    "a form feed in a value": get("/", ("x", "a\x0cb")),
    "white space before a value": get("/", ("x", " a")),
    "white space behind a value": get("/", ("x", "a\t")),
    "CRLF in a name": get("/", ("x: a" + LINE.lower(), "b")),
    "a colon in a name": get("/", ("x:", "a")),
    "a space in a name": get("/", ("transfer-encoding ", "chunked")),
    "an empty name": get("/", ("", "a")),
    "NUL in a name": get("/", ("x\0", "a")),
    "obs-text in a name": get("/", ("x\xe9", "a")),
    "upper case": get("/", ("X-A", "a")),
    # Fields that are about a connection.
    "Transfer-Encoding": post("/", ("transfer-encoding", "chunked")),
    "Transfer-Encoding with a length": post("/", ("transfer-encoding", "chunked"), ("content-length", "2")),
    "Transfer-Encoding identity": post("/", ("transfer-encoding", "identity")),
    "Connection": get("/", ("connection", "close")),
    "Connection that names": get("/", ("connection", "x-a"), ("x-a", "b")),
    "Keep-Alive": get("/", ("keep-alive", "timeout=5")),
    "Proxy-Connection": get("/", ("proxy-connection", "keep-alive")),
    "Upgrade": get("/", ("upgrade", "websocket")),
    "te: gzip": get("/", ("te", "gzip")),
    "te: trailers, gzip": get("/", ("te", "trailers, gzip")),
    # Lengths.
    "a length without a body": get("/", ("content-length", "2")),
    "two lengths": get("/", ("content-length", "0"), ("content-length", "2")),
    "two equal lengths": get("/", ("content-length", "0"), ("content-length", "0")),
    "a list of lengths": get("/", ("content-length", "0, 0")),
    "an empty length": get("/", ("content-length", "")),
    "a length with +": get("/", ("content-length", "+0")),
    "a length with -": get("/", ("content-length", "-0")),
    "a length in hexadecimal": get("/", ("content-length", "0x0")),
    "a length over 64 bits": get("/", ("content-length", "18446744073709551616")),
    # The request line.
    "CRLF in the path": get("/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET /smuggled"),
    "a space in the path": get("/ HTTP/1.1"),
    "a tab in the path": get("/\ta"),
    "NUL in the path": get("/\0"),
    "obs-text in the path": get("/\xe9"),
    "a fragment": get("/a#b"),
    "an empty path": get(""),
    "a path without a slash": get("a"),
    "an absolute path": get("http://localhost/"),
    "an asterisk with GET": get("*"),
    "an asterisk with OPTIONS": pseudo("OPTIONS", path="*"),
    "an escaped NUL": get("/%00"),
    "a broken escape": get("/%zz"),
    "above the root": get("/../a"),
    "above the root, escaped": get("/a/%2e%2E/.%2e/b"),
    "CRLF in the method": pseudo("GET / HTTP/1.1" + LINE + "\r\nx: "),
    "a space in the method": pseudo("GET /smuggled"),
    "an empty method": pseudo(""),
    "a scheme with a host": pseudo(scheme="http://localhost/smuggled?"),
    "an unknown scheme": pseudo(scheme="ftp"),
    "CRLF in the scheme": pseudo(scheme="http" + LINE),
    "CONNECT": [(":method", "CONNECT"), (":authority", "localhost:80")],
    "CONNECT to a protocol": pseudo("CONNECT", "http", "/", "localhost", (":protocol", "websocket")),
    # Whom it is for.
    "no authority and no Host": pseudo(authority=None),
    "an empty authority": pseudo(authority=""),
    "CRLF in the authority": pseudo(authority="localhost" + LINE),
    "a space in the authority": pseudo(authority="local host"),
    "userinfo in the authority": pseudo(authority="user@localhost"),
    "a path in the authority": pseudo(authority="localhost/a"),
    "another Host": get("/", ("host", "other")),
    "another port": get("/", ("host", "localhost:81")),
    "two Hosts": get("/", ("host", "localhost"), ("host", "localhost")),
    "a bad Host": pseudo("GET", "http", "/", None, ("host", "localhost/a")),
    # Pseudo-headers.
    "no method": pseudo(method=None),
    "no path": pseudo(path=None),
    "no scheme": pseudo(scheme=None),
    "two methods": [(":method", "GET"), *get()],
    "two paths": [(":path", "/smuggled"), *get()],
    "two authorities": [(":authority", "other"), *get()],
    "two schemes": [(":scheme", "http"), *get()],
    "a pseudo-header behind a field": [*get()[:3], ("x", "a"), get()[3]],
    "an unknown pseudo-header": get("/", (":x", "a")),
    "a status": get("/", (":status", "200")),
}

# Heads without fault, of which the upstream may have the beginning when the fault shows.
LATE = {
    "less than the length": (post("/", ("content-length", "5")), Wire.data(1, b"ab", end=True)),
    "more than the length": (post("/", ("content-length", "2")), Wire.data(1, b"ab" + SECRET, end=True)),
    "more than length 0": (post("/", ("content-length", "0")), Wire.data(1, SECRET, end=True)),
    "more behind the length": (
        post("/", ("content-length", "2")),
        Wire.data(1, b"ab") + Wire.data(1, SECRET, end=True),
    ),
    "a length in trailers": (post("/"), Wire.data(1, b"ab") + Wire.head(1, [("content-length", "5")])),
    "a pseudo-header in trailers": (post("/"), Wire.data(1, b"ab") + Wire.head(1, [(":path", "/smuggled")])),
    "CRLF in trailers": (post("/"), Wire.data(1, b"ab") + Wire.head(1, [("x", "a\r\n\r\n" + SECRET.decode())])),
    "Transfer-Encoding in trailers": (
        post("/"),
        Wire.data(1, b"ab") + Wire.head(1, [("transfer-encoding", "chunked")]),
    ),
    "trailers that do not end": (post("/"), Wire.data(1, b"ab") + Wire.head(1, [("x", "a")], end=False)),
    "a body shorter than its padding": (post("/"), raw(0, 1, b"\x09ab", 0x8)),
}

# These may have been whole already when more came: then they are passed, without it.
WHOLE = {"more behind the length": b"ab", "more than length 0": b""}


def is_refusal(outcome):
    return 400 <= outcome < 500 or outcome == 501 if isinstance(outcome, int) else outcome.startswith(("reset", "goaway"))


@pytest.mark.parametrize("name", HEADS)
def test_refused(behind, name):
    with Wire(behind.h2) as wire:
        wire.send(wire.head(1, HEADS[name]))
        outcome = wire.outcome(1)
        assert is_refusal(outcome), outcome
    requests, loose = behind.got()
    assert not requests and loose == b""


@pytest.mark.parametrize("name", LATE)
def test_refused_late(behind, name):
    head, rest = LATE[name]
    with Wire(behind.h2) as wire:
        wire.send(wire.head(1, head, end=False), rest)
        outcome = wire.outcome(1)
        assert is_refusal(outcome), outcome
    requests, loose = behind.got()
    assert all(request.body == WHOLE.get(name) for request in requests)
    assert b"smuggled" not in loose


FORWARDED = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-host", "localhost"), ("x-forwarded-proto", "http")]
CHUNKED, LENGTH = ("transfer-encoding", "chunked"), ("content-length", str(len(SECRET)))

# The head and the body; the request line, fields and body that the upstream must see.
PASSED = {
    "plain": (get(), None, "GET /", []),
    "crumbs of a cookie": (
        get("/", ("cookie", "a=b"), ("x", "y"), ("cookie", "c=d")),
        None,
        "GET /",
        [("cookie", "a=b; c=d"), ("x", "y")],
    ),
    "te: trailers": (get("/", ("te", "trailers")), None, "GET /", [("connection", "TE"), ("te", "trailers")]),
    "obs-text": (get("/", ("x", b"a\xe9b")), None, "GET /", [("x", "a\xe9b")]),
    "the same Host": (get("/", ("host", "localhost")), None, "GET /", []),
    "Host in place of the authority": (pseudo("GET", "http", "/", None, ("host", "localhost")), None, "GET /", []),
    "a body with a length": (post("/", LENGTH), SECRET, "POST /", [LENGTH]),
    "a body without a length": (post("/"), SECRET, "POST /", [CHUNKED]),
    "a GET with a body": (get(), SECRET, "GET /", [CHUNKED]),
    "an empty body": (post("/"), b"", "POST /", [CHUNKED]),
    "what the gateway says": (
        get("/", ("x-forwarded-for", "1.2.3.4"), ("forwarded", "for=1.2.3.4"), ("x-forwarded-port", "1")),
        None,
        "GET /",
        [],
    ),
    "look-alikes": (get("/", ("x_real_ip", "1.2.3.4"), ("content_length", "5")), None, "GET /", []),
    "what is for this hop": (
        get("/", ("http2-settings", "AAAA"), ("proxy-authorization", "Basic eA==")),
        None,
        "GET /",
        [],
    ),
    "dots": (get("/a/%2e%2e/b/./c?d=../e"), None, "GET /b/c?d=../e", []),
    "slashes": (get("//a%2fb//c"), None, "GET //a%2fb//c", []),
}


@pytest.mark.parametrize("name", PASSED)
def test_passed_as_one(behind, name):
    head, body, line, fields = PASSED[name]
    with Wire(behind.h2) as wire:
        wire.send(wire.head(1, head, end=body is None), b"" if body is None else wire.data(1, body, end=True))
        assert wire.outcome(1) == 200
    (only,), loose = behind.got()
    assert only.line == line + " HTTP/1.1"
    assert only.fields == sorted([("host", "localhost"), *FORWARDED, *fields])
    assert only.body == (body or b"")
    assert loose == b""
