"""What two readers could read in two ways goes no further; what goes further is one request, in one reading."""

import pytest
from harness.raw import Connection
from harness.recorder import Behind
from harness.smuggling import LATE, REFUSED, SECRET, chunked, get, post

pytestmark = pytest.mark.http1

SECOND = b"GET /second HTTP/1.1\r\nHost: localhost\r\n\r\n"
FORWARDED = [("x-forwarded-for", "127.0.0.1"), ("x-forwarded-host", "localhost"), ("x-forwarded-proto", "http")]
HOST = ("host", "localhost")


@pytest.fixture(scope="module")
def behind(tmp_path_factory):
    behind = Behind(tmp_path_factory.mktemp("smuggling"))
    yield behind
    behind.close()


@pytest.mark.parametrize("name", REFUSED)
def test_refused_once_and_closed(behind, name):
    with Connection(behind.port) as connection:
        connection.send(REFUSED[name] + SECOND)
        status = connection.response().status
        assert 400 <= status < 500 or status in (501, 505), status
        assert connection.ended(), "never a second answer"
    requests, loose = behind.got()
    assert not requests
    assert b"second" not in loose and b"smuggled" not in loose
    assert name in LATE or loose == b""


@pytest.mark.parametrize("name", REFUSED)
def test_refused_however_it_is_cut(behind, name):
    with Connection(behind.port) as connection:
        try:
            for byte in REFUSED[name] + SECOND:
                connection.send(bytes([byte]))
        except OSError:
            pass  # Closed already.
        answer = connection.rest()
        assert answer.count(b"HTTP/1.1 ") <= 1 and b"200 OK" not in answer
    requests, loose = behind.got()
    assert not requests
    assert b"second" not in loose and b"smuggled" not in loose


LENGTH = ("content-length", "2")
CHUNKS = ("transfer-encoding", "chunked")
LONG = f"Content-Length: {len(SECRET)}"
GET, POST = "GET / HTTP/1.1", "POST / HTTP/1.1"

# The bytes; the request line, fields and body that the upstream must see.
PASSED = {
    "plain": (get(), GET, [], b""),
    "an empty line before": (b"\r\n" + get(), GET, [], b""),
    "zeros before a length": (post("Content-Length:  005", body=b"abcde"), POST, [("content-length", "5")], b"abcde"),
    "length 0": (post("Content-Length: 0"), POST, [("content-length", "0")], b""),
    "no length": (post(), POST, [("content-length", "0")], b""),
    "a request as a body": (post(LONG, body=SECRET), POST, [tuple(LONG.lower().split(": "))], SECRET),
    "a request as a chunk": (
        chunked(b"%x\r\n%s\r\n0\r\n\r\n" % (len(SECRET), SECRET)),
        POST,
        [CHUNKS],
        SECRET,
    ),
    "a size in capitals": (chunked(b"A\r\n0123456789\r\n000\r\n\r\n"), POST, [CHUNKS], b"0123456789"),
    "zeros before a size": (chunked(b"0002\r\nab\r\n0\r\n\r\n"), POST, [CHUNKS], b"ab"),
    "extensions": (chunked(b'2;a=b;c="d"\r\nab\r\n0;e\r\n\r\n'), POST, [CHUNKS], b"ab"),
    "chunked in capitals": (post("TRANSFER-ENCODING: CHUNKED", body=b"2\r\nab\r\n0\r\n\r\n"), POST, [CHUNKS], b"ab"),
    "a body of a GET": (get("Content-Length: 2") + b"ab", GET, [LENGTH], b"ab"),
    "a tab in a value": (get("X: a\tb"), GET, [("x", "a\tb")], b""),
    "obs-text in a value": (get(b"X: a\xe9b"), GET, [("x", "a\xe9b")], b""),
    "white space around a value": (get("X:\t a \t"), GET, [("x", "a")], b""),
    "an empty value": (get("X:"), GET, [("x", "")], b""),
    "HTTP/1.0 that stays": (b"GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n", GET, [], b""),
    "an absolute target": (get(target="http://localhost/a?b"), "GET /a?b HTTP/1.1", [], b""),
    "an absolute target without a path": (get(target="http://localhost?b"), "GET /?b HTTP/1.1", [], b""),
    "an absolute target in capitals": (
        get(target="HTTP://LOCALHOST/a"),
        "GET /a HTTP/1.1",
        [("host", "LOCALHOST")],
        b"",
    ),
    # What is about one connection.
    "Connection": (get("Connection: keep-alive, X-A, x-b", "X-A: 1", "X-B: 2", "X-C: 3"), GET, [("x-c", "3")], b""),
    "two Connections": (get("Connection: x-a", "X-A: 1", "Connection: X-B", "X-B: 2"), GET, [], b""),
    "hop-by-hop fields": (
        get(
            "Keep-Alive: timeout=5",
            "Proxy-Connection: close",
            "TE: gzip",
            "Upgrade: h2c",
            "HTTP2-Settings: AAAA",
            "Proxy-Authorization: Basic eA==",
            "Connection: Upgrade, HTTP2-Settings",
        ),
        GET,
        [],
        b"",
    ),
    "Connection names the length": (
        post("Connection: Content-Length", "Content-Length: 2", body=b"ab"),
        POST,
        [LENGTH],
        b"ab",
    ),
    "Connection names the framing": (
        post("Connection: Transfer-Encoding", "Transfer-Encoding: chunked", body=b"2\r\nab\r\n0\r\n\r\n"),
        POST,
        [CHUNKS],
        b"ab",
    ),
    "Connection names Host": (get("Connection: Host"), GET, [], b""),
    "Connection names credentials": (
        get("Connection: Authorization, Cookie", "Authorization: Basic eA==", "Cookie: a=b"),
        GET,
        [("authorization", "Basic eA=="), ("cookie", "a=b")],
        b"",
    ),
    "Connection names what the gateway says": (get("Connection: X-Forwarded-For, X-Forwarded-Proto"), GET, [], b""),
    # What only the gateway says.
    "X-Forwarded": (
        get(
            "X-Forwarded-For: 1.2.3.4",
            "X-Forwarded-Host: evil",
            "X-Forwarded-Proto: https",
            "X-Real-IP: 1.2.3.4",
            "X-Forwarded-Port: 1",
            "X-Forwarded-Prefix: /evil",
            "X-Forwarded-Server: evil",
        ),
        GET,
        [],
        b"",
    ),
    "Forwarded": (get("Forwarded: for=1.2.3.4"), GET, [], b""),
    "look-alikes": (
        get(
            "X_Forwarded_For: 1.2.3.4",
            "X-Forwarded_Proto: https",
            "x_forwarded_prefix: /evil",
            "X_Real_IP: 1.2.3.4",
            "Content_Length: 5",
            "Transfer_Encoding: chunked",
        ),
        GET,
        [],
        b"",
    ),
    "a name with underscores": (get("My_Name: a"), GET, [("my_name", "a")], b""),
}

# What is asked for; what was matched, and is what the upstream sees.
PATHS = {
    "/a/../b": "/b",
    "/a/./b": "/a/b",
    "/a/%2e%2e/b": "/b",
    "/a/%2E./b": "/b",
    "/a/.%2e": "/",
    "/a/b/..": "/a/",
    "/a/b/.": "/a/b/",
    "/a/../b?c=/../d&e=%2e%2e": "/b?c=/../d&e=%2e%2e",
    "/a/...": "/a/...",
    "//a//b": "//a//b",
    "/a//../b": "/a/b",
    "/a%2fb": "/a%2fb",
    "/a%2f.b%2Fc../d": "/a%2f.b%2Fc../d",
    "/a%252e%252e/b": "/a%252e%252e/b",
    "/a%5cb": "/a%5cb",
    "/a;x/../b": "/b",
    "/?": "/?",
    "/a?b?c": "/a?b?c",
    "http://localhost/a/../b?c": "/b?c",
}
PASSED |= {sent: (get(target=sent), f"GET {seen} HTTP/1.1", [], b"") for sent, seen in PATHS.items()}


@pytest.mark.parametrize("name", PASSED)
def test_passed_as_one(behind, name):
    sent, line, fields, body = PASSED[name]
    with Connection(behind.port) as connection:
        connection.send(sent + SECOND)
        assert connection.response().body == line.encode("latin-1")
        assert connection.response().body == b"GET /second HTTP/1.1"
    (first, second), loose = behind.got()
    assert first.line == line
    host = dict(fields).get("host", "localhost")
    assert first.fields == sorted(dict([HOST, *FORWARDED, ("x-forwarded-host", host), *fields]).items())
    assert first.body == body
    assert second.line == "GET /second HTTP/1.1" and second.fields == [HOST, *FORWARDED]
    assert loose == b""


def test_trailers_pass(behind):
    with Connection(behind.port) as connection:
        connection.send(chunked(b"2\r\nab\r\n0\r\nX: y\r\n\r\n") + SECOND)
        assert connection.response().body == POST.encode()
        assert connection.response().body == b"GET /second HTTP/1.1"
    (first, second), loose = behind.got()
    assert first.wire.endswith(b"\r\n\r\n2\r\nab\r\n0\r\nX: y\r\n\r\n")
    assert second.line == "GET /second HTTP/1.1" and loose == b""
