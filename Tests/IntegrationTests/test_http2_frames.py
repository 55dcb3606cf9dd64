"""Requests and frames that RFC 9113 forbids, each by its number: the stream or the connection ends, nobody else."""

import json
import struct

import pytest
from harness.frames import (
    CALM, COMPRESSION, FLOW_CONTROL, FRAME_SIZE, PREFACE, PROTOCOL, REQUEST, STREAM_CLOSED, Wire, get, post, raw,
)  # fmt: skip
from harness.gateway import settings

pytestmark = pytest.mark.h2

REFUSED = {400, f"reset {PROTOCOL}"}
AUTHORITY = (":authority", "localhost")
METHOD, SCHEME, PATH = (":method", "GET"), (":scheme", "http"), (":path", "/")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """One gateway for all of them: whatever a client sends, the next one is served."""
    from harness.gateway import Gateway, write

    path = write(tmp_path_factory.mktemp("frames"), settings(listeners=[{"address": "127.0.0.1:0", "h2c": "on"}]))
    gateway = Gateway(["run", path])
    yield gateway
    gateway.stop()


@pytest.fixture
def wire(plain):
    with Wire(plain.port) as wire:
        yield wire
    with Wire(plain.port) as another:
        another.send(another.head(1))
        assert another.outcome(1) == 200


BAD_HEADS = {
    "upper case in a name": get("/", ("X-Upper", "1")),
    "an empty name": get("/", ("", "1")),
    "a space in a name": get("/", ("a b", "1")),
    "a colon in a name": get("/", ("a:b", "1")),
    "a name outside of ASCII": get("/", (b"x-\xe9", "1")),
    "NUL in a value": get("/", ("x", "a\0b")),
    "CR in a value": get("/", ("x", "a\rb")),
    "LF in a value": get("/", ("x", "a\nb: c")),
    "a control character in a value": get("/", ("x", "a\x0cb")),
    "DEL in a value": get("/", ("x", "a\x7fb")),
    "a space before a value": get("/", ("x", " a")),
    "a tab behind a value": get("/", ("x", "a\t")),
    "connection": get("/", ("connection", "close")),
    "keep-alive": get("/", ("keep-alive", "timeout=5")),
    "proxy-connection": get("/", ("proxy-connection", "keep-alive")),
    "transfer-encoding": post("/publish/t", ("transfer-encoding", "chunked")),
    "upgrade": get("/", ("upgrade", "websocket")),
    "te with more than trailers": get("/", ("te", "trailers, gzip")),
    "te: gzip": get("/", ("te", "gzip")),
    "a pseudo-header behind a field": [METHOD, SCHEME, PATH, ("x", "1"), AUTHORITY],
    "no :method": [SCHEME, PATH, AUTHORITY],
    "no :scheme": [METHOD, PATH, AUTHORITY],
    "no :path": [METHOD, SCHEME, AUTHORITY],
    "neither :authority nor host": [METHOD, SCHEME, PATH],
    "an empty :authority": [METHOD, SCHEME, PATH, (":authority", "")],
    ":method twice": [METHOD, *REQUEST],
    ":path twice": [PATH, *REQUEST],
    ":scheme twice": [SCHEME, *REQUEST],
    ":authority twice": [AUTHORITY, *REQUEST],
    "an unknown pseudo-header": [*REQUEST, (":other", "1")],
    ":status in a request": [*REQUEST, (":status", "200")],
    ":protocol without the extension": [*REQUEST, (":protocol", "websocket")],
    "an empty :method": [(":method", ""), SCHEME, PATH, AUTHORITY],
    "a space in :method": [(":method", "GET /x HTTP/1.1"), SCHEME, PATH, AUTHORITY],
    "an empty :path": get(""),
    "a :path that is no path": get("events"),
    "a whole URL as :path": get("http://localhost/"),
    "a fragment": get("/#a"),
    "a space in :path": get("/ HTTP/1.1"),
    "CRLF in :path": get("/\r\nx: y"),
    "bytes over 127 in :path": get(b"/\xc3\xbc"),
    "NUL in :path": get("/\0"),
    "* for another method than OPTIONS": get("*"),
    "a bad :scheme": [METHOD, (":scheme", "ht tp"), PATH, AUTHORITY],
    "an empty :scheme": [METHOD, (":scheme", ""), PATH, AUTHORITY],
    "host that differs from :authority": get("/", ("host", "other")),
    "host twice": [METHOD, SCHEME, PATH, ("host", "localhost"), ("host", "localhost")],
    "userinfo in :authority": [METHOD, SCHEME, PATH, (":authority", "user@localhost")],
    "a path in :authority": [METHOD, SCHEME, PATH, (":authority", "localhost/x")],
    "a space in :authority": [METHOD, SCHEME, PATH, (":authority", "local host")],
    "content-length twice": post("/publish/t", ("content-length", "1"), ("content-length", "1")),
    "content-length that is no number": post("/publish/t", ("content-length", "+1")),
    "content-length that overflows": post("/publish/t", ("content-length", "99999999999999999999999")),
    "content-length with a list": post("/publish/t", ("content-length", "1, 1")),
    "content-length of an empty request": post("/publish/t", ("content-length", "5")),
}


@pytest.mark.parametrize("fields", BAD_HEADS.values(), ids=BAD_HEADS)
def test_a_bad_head_ends_its_stream_alone(wire, fields):
    wire.send(wire.head(1, fields))
    assert wire.outcome(1) in REFUSED
    wire.send(wire.head(3))
    assert wire.outcome(3) == 200


@pytest.mark.parametrize(
    "fields",
    [
        [(":method", "CONNECT"), (":authority", "localhost:443")],
        [(":method", "CONNECT"), (":authority", "localhost:443"), SCHEME, PATH],
        [(":method", "CONNECT"), SCHEME, PATH, AUTHORITY, (":protocol", "websocket")],
    ],
)
def test_connect_is_refused(wire, fields):
    wire.send(wire.head(1, fields))
    assert wire.outcome(1) in REFUSED | {405, 501}


GOOD_HEADS = {
    "te: trailers": get("/", ("te", "trailers")),
    "host as :authority says": get("/", ("host", "localhost")),
    "host alone": [METHOD, SCHEME, PATH, ("host", "localhost")],
    "obs-text and tabs in a value": get("/", ("x", b"a\tb\xff")),
    "an empty value": get("/", ("x", "")),
    "pseudo-headers in any order": [AUTHORITY, PATH, SCHEME, METHOD],
    "cookie crumbs": get("/", *[("cookie", f"a{number}={number}") for number in range(50)]),
    "a port": [METHOD, SCHEME, PATH, (":authority", "localhost:8080")],
}


@pytest.mark.parametrize("fields", GOOD_HEADS.values(), ids=GOOD_HEADS)
def test_a_head_that_is_odd_but_right_is_served(wire, fields):
    wire.send(wire.head(1, fields))
    assert wire.outcome(1) == 200


@pytest.mark.parametrize(
    "fields, status",
    [
        (get("/" + "x" * 7900), 404),
        (get("/" + "x" * 9000), 414),
        (get("/", ("x", "y" * 60_000), ("z", "y" * 6_000)), 431),
        (get("/", *[(f"x-{number}", "1") for number in range(150)]), 431),
        (get("/", *[("cookie", f"a={number}") for number in range(150)]), 431),
        (post("/publish/t", ("content-type", "text/plain"), ("content-length", "2000000")), 413),
    ],
)  # fmt: skip
def test_what_is_too_large_is_answered_and_the_connection_lives_on(wire, fields, status):
    wire.send(wire.head(1, fields, end=status != 413))
    assert wire.outcome(1) == status
    wire.send(wire.head(3))
    assert wire.outcome(3) == 200


@pytest.mark.parametrize(
    "pieces, fine",
    [
        ([b"hello"], True),
        ([b"he", b"", b"llo"], True),
        ([b"hell"], False),
        ([b"hello", b"!"], False),
        ([b"hello!"], False),
        ([], False),
    ],
)
def test_a_body_is_as_long_as_its_content_length(wire, pieces, fine):
    wire.send(wire.head(1, post("/publish/t", ("content-type", "text/plain"), ("content-length", "5")), end=False))
    wire.send(*(wire.data(1, piece) for piece in pieces), wire.data(1, b"", end=True))
    assert wire.outcome(1) in ({200} if fine else REFUSED)
    wire.send(wire.head(3))
    assert wire.outcome(3) == 200


@pytest.mark.parametrize(
    "fields", [[("x-checksum", "1")], [("content-length", "5")], [("host", "a")], [("authorization", "Bearer x")]]
)
def test_trailers_end_a_body_and_their_framing_fields_are_not_believed(wire, fields):
    wire.send(wire.head(1, post("/publish/t", ("content-type", "text/plain")), end=False))
    wire.send(wire.data(1, b"abc"), wire.head(1, fields))
    assert wire.outcome(1) in {200} | REFUSED


@pytest.mark.parametrize("fields", [[METHOD], [("Upper", "1")], [("connection", "close")]])
def test_bad_trailers_end_their_stream(wire, fields):
    wire.send(wire.head(1, post("/publish/t", ("content-type", "text/plain")), end=False))
    wire.send(wire.data(1, b"abc"), wire.head(1, fields))
    assert wire.outcome(1) in REFUSED
    wire.send(wire.head(3))
    assert wire.outcome(3) == 200


def test_trailers_without_an_end_are_refused(wire):
    wire.send(wire.head(1, post("/publish/t", ("content-type", "text/plain")), end=False))
    wire.send(wire.data(1, b"abc"), wire.head(1, [("x", "1")], end=False))
    assert wire.outcome(1) in REFUSED | {f"goaway {PROTOCOL}"}


HEADERS, DATA, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = 1, 0, 2, 3, 4, 5, 6, 7, 8, 9
BLOCK = Wire.block(REQUEST)
OPENED = raw(HEADERS, 1, Wire.block(get("/events")), 5)
POSTED = raw(HEADERS, 1, Wire.block(post()), 4)


def setting(key, value):
    return raw(SETTINGS, payload=struct.pack(">HI", key, value))


ENDS_CONNECTION = {
    "DATA on stream 0": (raw(DATA, 0, b"x"), {PROTOCOL}),
    "DATA on an idle stream": (raw(DATA, 5, b"x"), {PROTOCOL, STREAM_CLOSED}),
    "DATA with more padding than it has": (POSTED + raw(DATA, 1, b"\x09ab", 8), {PROTOCOL}),
    "HEADERS on stream 0": (raw(HEADERS, 0, BLOCK, 5), {PROTOCOL}),
    "HEADERS on an even stream": (raw(HEADERS, 2, BLOCK, 5), {PROTOCOL}),
    "HEADERS with more padding than it has": (raw(HEADERS, 1, b"\xff" + BLOCK, 13), {PROTOCOL}),
    # What nghttp2 does not decode at all.
    "a field of more than 64 KiB": (Wire.head(1, get("/", ("x", "y" * 70_000))), {COMPRESSION, CALM}),
    "HEADERS that is no HPACK": (raw(HEADERS, 1, b"\xff\xff\xff\xff\xff\xff", 5), {COMPRESSION}),
    "HEADERS with an index that is none": (raw(HEADERS, 1, b"\xfe", 5), {COMPRESSION}),
    "a dynamic table larger than agreed": (raw(HEADERS, 1, b"\x3f\xff\xff\xff\x7f" + BLOCK, 5), {COMPRESSION}),
    "HEADERS, then another frame": (raw(HEADERS, 1, BLOCK[:5], 1) + raw(PING, 0, bytes(8)), {PROTOCOL}),
    "HEADERS, then another stream's CONTINUATION":
        (raw(HEADERS, 1, BLOCK[:5], 1) + raw(CONTINUATION, 3, BLOCK[5:], 4), {PROTOCOL}),
    "CONTINUATION alone": (raw(CONTINUATION, 1, BLOCK, 4), {PROTOCOL}),
    "PUSH_PROMISE of a client": (OPENED + raw(PUSH, 1, struct.pack(">I", 2) + BLOCK, 4), {PROTOCOL}),
    "RST_STREAM on stream 0": (raw(RESET, 0, bytes(4)), {PROTOCOL}),
    "RST_STREAM on an idle stream": (raw(RESET, 9, bytes(4)), {PROTOCOL}),
    "RST_STREAM of three bytes": (OPENED + raw(RESET, 1, bytes(3)), {FRAME_SIZE}),
    "SETTINGS of five bytes": (raw(SETTINGS, 0, bytes(5)), {FRAME_SIZE}),
    "SETTINGS on a stream": (OPENED + raw(SETTINGS, 1), {PROTOCOL}),
    "an answer to SETTINGS with a payload": (raw(SETTINGS, 0, bytes(6), 1), {FRAME_SIZE}),
    "ENABLE_PUSH of 2": (setting(2, 2), {PROTOCOL}),
    "INITIAL_WINDOW_SIZE over 2^31-1": (setting(4, 1 << 31), {FLOW_CONTROL}),
    "MAX_FRAME_SIZE under 16384": (setting(5, 16383), {PROTOCOL}),
    "MAX_FRAME_SIZE over 2^24-1": (setting(5, 1 << 24), {PROTOCOL}),
    "PING of seven bytes": (raw(PING, 0, bytes(7)), {FRAME_SIZE}),
    "PING on a stream": (OPENED + raw(PING, 1, bytes(8)), {PROTOCOL}),
    "GOAWAY on a stream": (OPENED + raw(GOAWAY, 1, bytes(8)), {PROTOCOL}),
    "WINDOW_UPDATE of three bytes": (raw(WINDOW, 0, bytes(3)), {FRAME_SIZE}),
    "WINDOW_UPDATE of nothing": (raw(WINDOW, 0, bytes(4)), {PROTOCOL}),
    "WINDOW_UPDATE on an idle stream": (raw(WINDOW, 9, struct.pack(">I", 1)), {PROTOCOL}),
    "a connection window over 2^31-1": (Wire.window(0, (1 << 31) - 1), {FLOW_CONTROL}),
    "a frame larger than 16384": (raw(DATA, 1, bytes(16385)), {FRAME_SIZE}),
    "an unknown frame larger than 16384": (raw(77, 0, bytes(16385)), {FRAME_SIZE}),
}  # fmt: skip


@pytest.mark.parametrize("sent, codes", ENDS_CONNECTION.values(), ids=ENDS_CONNECTION)
def test_a_frame_that_is_wrong_for_all_ends_the_connection(wire, sent, codes):
    wire.send(sent)
    assert wire.goaway() in codes


ENDS_STREAM = {
    "a stream's window over 2^31-1": (OPENED + Wire.window(1, (1 << 31) - 1), FLOW_CONTROL),
    "INITIAL_WINDOW_SIZE that makes a window overflow":
        (OPENED + Wire.window(1, (1 << 31) - 1 - 65535) + setting(4, 1 << 20), FLOW_CONTROL),
    "WINDOW_UPDATE of nothing": (OPENED + raw(WINDOW, 1, bytes(4)), PROTOCOL),
    "DATA behind the end": (OPENED + raw(DATA, 1, b"x"), STREAM_CLOSED),
    "HEADERS behind the end": (OPENED + raw(HEADERS, 1, BLOCK, 5), STREAM_CLOSED),
}  # fmt: skip


@pytest.mark.parametrize("sent, code", ENDS_STREAM.values(), ids=ENDS_STREAM)
def test_a_frame_that_is_wrong_for_a_stream_ends_it_or_the_connection(wire, sent, code):
    wire.send(sent)
    wire.send(wire.head(7))
    # RFC 9113, 5.4.2: a stream error may be treated as one of the connection.
    ends = {type(frame).__name__: frame.error_code for frame in until_reset(wire)}
    assert code in ends.values(), ends


def until_reset(wire):
    for frame in wire.frames():
        if hasattr(frame, "error_code"):
            yield frame
            return


IGNORED = {
    "an unknown frame": raw(77, 0, b"abc") + raw(200, 1, b"def"),
    "an unknown setting": setting(0x99, 12345),
    "unknown flags": raw(PING, 0, bytes(8), 0xFE),
    "PRIORITY of an idle stream": raw(PRIORITY, 9, struct.pack(">IB", 0, 5)),
    "a reserved bit": raw(WINDOW, 0, struct.pack(">I", 1 << 31 | 1)),
    "an empty SETTINGS": raw(SETTINGS),
    "padding": raw(HEADERS, 101, b"\x03" + BLOCK + bytes(3), 13),
    "HEADERS with a priority": raw(HEADERS, 101, struct.pack(">IB", 0, 5) + BLOCK, 0x25),
    # They may be trailers that crossed the stream's reset (RFC 9113, 5.1); they open nothing.
    "HEADERS on a lower stream": raw(HEADERS, 101, BLOCK, 5) + raw(HEADERS, 99, BLOCK, 5),
    "WINDOW_UPDATE and RST_STREAM of a stream that is over":
        raw(HEADERS, 101, BLOCK, 5) + Wire.reset(101) + Wire.window(101, 1) + Wire.reset(101),
}  # fmt: skip


@pytest.mark.parametrize("sent", IGNORED.values(), ids=IGNORED)
def test_what_may_come_disturbs_nothing(wire, sent):
    wire.send(sent, wire.head(201))
    assert wire.outcome(201) == 200


@pytest.mark.parametrize("size", [1, 5, 9, 17])
def test_frames_cut_anywhere_are_understood(plain, size):
    with Wire(plain.port, preface=False) as wire:
        sent = (
            PREFACE + Wire.settings({}) + raw(HEADERS, 1, BLOCK[:9], 1) + raw(CONTINUATION, 1, BLOCK[9:], 4)
            + wire.head(3, post("/publish/t", ("content-type", "text/plain")), end=False) + Wire.data(3, b"abc", True)
        )  # fmt: skip
        for start in range(0, len(sent), size):
            wire.send(sent[start : start + size])
        assert wire.outcome(1) == 200
        assert wire.outcome(3) == 200


@pytest.mark.parametrize(
    "sent", [PREFACE[:-1] + b"X" + bytes(20), b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", bytes(64)]
)
def test_what_is_no_preface_where_tls_agreed_on_h2_ends_the_connection(start, authority, trusting, sent):
    gateway = start(settings(listeners=[authority.listener()]))
    with Wire(gateway.port, preface=False, tls=trusting) as wire:
        wire.send(sent)
        assert wire.goaway() in (PROTOCOL, None)


def test_a_connection_begins_with_settings(plain):
    with Wire(plain.port, preface=False) as wire:
        wire.send(PREFACE + raw(PING, 0, bytes(8)))
        assert wire.goaway() == PROTOCOL


def test_half_a_preface_is_waited_for_and_then_refused(start):
    gateway = start(settings(limits={"request_head_timeout": "300ms"}))
    with Wire(gateway.port, preface=False) as wire:
        wire.send(PREFACE[:10])
        assert wire.receive().startswith(b"HTTP/1.1 408 ")
        wire.send(PREFACE[10:] + Wire.settings({}) + wire.head(1))
        assert wire.frame() is None, "what was refused is over"


def test_cookie_crumbs_are_one_field_for_whoever_reads_them(plain):
    # Nothing of a gateway without a proxy shows a cookie; a head of 60 KiB whose crumbs are joined still counts as one.
    with Wire(plain.port) as wire:
        wire.send(wire.head(1, get("/", *[("cookie", "a" * 1000)] * 60)))
        assert wire.outcome(1) == 200
        wire.send(wire.head(3, get("/", *[("cookie", "a" * 1000)] * 70)))
        assert wire.outcome(3) == 431


def test_a_head_in_more_continuations_than_a_head_needs_is_a_flood(wire):
    wire.send(raw(HEADERS, 1, BLOCK[:1], 1), *[raw(CONTINUATION, 1, BLOCK[1:2]) for _ in range(100)])
    assert wire.goaway() == CALM


def test_published_events_answer_over_any_frames(wire):
    head = wire.head(1, post("/publish/t", ("content-type", "text/plain")), end=False)
    padded = [raw(DATA, 1, b"\x05" + bytes([letter]) + bytes(5), 8) for letter in b"hello"]
    wire.send(head, *padded, wire.data(1, b"", True))
    assert wire.outcome(1) == 200
    body, end = wire.body(1)
    assert end == "end"
    assert json.loads(body)["subscribers"] == 0
