"""Streams, WebSockets and a browser's page of a real application behind the gateway."""

import json
import struct
import uuid

import pytest
import websocket
from harness.application import Case, Site, ask, site  # noqa: F401
from harness.flask_site import contents, digest
from harness.sse import Comment, Stream

pytestmark = pytest.mark.http1  # It says itself what it speaks.

WAYS = ("direct", *Site.WAYS)
# What an application may write. The pieces are no events: borders lie within lines, characters and line ends.
PIECES = [
    b"retry: 50\n: a word of its own\n\n", b"event: named\nid: 1\nda", b"ta: gr\xc3", b"\xbc\xc3\x9fe\n", b"\n",
    b"data: " + b"x" * 100_000, b"\ndata:y\n\n", b"data: cut off by the end",
]  # fmt: skip


def expect_head(exchange):
    head = exchange.head()
    assert head.status == 200 and head["Content-Type"].startswith("text/event-stream")


def expect_steps(site, exchange, key, pieces):
    """Each piece is written when the one before it has been read."""
    for piece in pieces:
        site.application.push(key, piece)
        assert exactly(exchange, len(piece)) == piece
    site.application.push(key, b"")
    assert exchange.piece() is None


def exactly(exchange, count):
    data = b""
    while len(data) < count:
        piece = exchange.piece()
        assert piece is not None, data[-100:]
        data += piece
    assert len(data) == count
    return data


class TestEvents:
    @pytest.mark.parametrize("way", WAYS)
    def test_pieces_come_one_by_one_and_byte_by_byte(self, site, way):
        key = uuid.uuid4().hex
        with site.connect(way) as connection:
            exchange = connection.open(path=f"/events/{key}", fields={"Accept": "text/event-stream"})
            # gunicorn sends the head with the first piece.
            site.application.push(key, PIECES[0])
            expect_head(exchange)
            assert exactly(exchange, len(PIECES[0])) == PIECES[0]
            expect_steps(site, exchange, key, PIECES[1:])

    @pytest.mark.parametrize("way", WAYS)
    def test_an_answer_to_a_post_is_a_stream_too(self, site, way):
        key = uuid.uuid4().hex
        prompt = "ü" * 100_000
        first = b"data: %s\n\n" % digest(prompt.encode()).encode()
        tokens = [b'data: {"delta": "Hel"}\n\n', b'data: {"delta": "lo"}\n\n', b"data: [DONE]\n\n"]
        with site.connect(way) as connection:
            fields = {"Content-Type": "application/json"}
            exchange = connection.open("POST", f"/complete/{key}", fields, json.dumps({"prompt": prompt}))
            expect_head(exchange)
            assert exactly(exchange, len(first)) == first
            expect_steps(site, exchange, key, tokens)

    @pytest.mark.parametrize("way", Site.WAYS)
    def test_heartbeats_are_all_that_is_added(self, site, way):
        key = uuid.uuid4().hex
        events = [b": mine\n\n", b"id: 1\ndata: one\n\n", b"id: 2\nevent: named\ndata: two\ndata: lines\n\n"]
        with site.connect(way) as connection:
            site.application.push(key, events[0])
            stream = Stream(path=f"/beating/events/{key}", on=connection)
            assert stream.item() == Comment(" mine")
            for event in events[1:]:
                assert [stream.item() for _ in range(2)] == [Comment(" ")] * 2
                site.application.push(key, event)
                stream.next()
            site.application.push(key, b"")
            stream.rest()
            assert stream.ended == "clean"
            # Heartbeats stand at the beginning of lines; the application writes none that look like them.
            assert stream.raw.replace(b": \n", b"") == b"".join(events)

    def test_many_streams_on_one_connection(self, site):
        keys = [uuid.uuid4().hex for _ in range(30)]
        with site.connect("h2") as connection:
            exchanges = [connection.open(path=f"/events/{key}") for key in keys]
            for key, exchange in reversed(list(zip(keys, exchanges))):
                event = f"data: {key}\n\n".encode()
                site.application.push(key, event)
                assert exchange.head().status == 200
                assert exactly(exchange, len(event)) == event
            for key, exchange in zip(keys, exchanges):
                site.application.push(key, b"")
                assert exchange.piece() is None


# Frames of RFC 6455.

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(kind, data=b"", is_last=True):
    """A client's frame; the mask is always the same, so that what answers can be compared."""
    mask = b"mask"
    sizes = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
    return bytes([(0x80 if is_last else 0) | kind]) + sizes + mask + masked


def server_frame(connection):
    """The bytes of one frame."""
    head = connection.exactly(2)
    more = {126: 2, 127: 8}.get(head[1], 0)
    size = connection.exactly(more)
    return head + size + connection.exactly(int.from_bytes(size, "big") if more else head[1])


def handshake(key):
    return (
        b"GET /socket/%s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin: http://localhost\r\n\r\n"
    ) % key.encode()


def how_it_closed(site, key):
    """The code and reason that the application got."""
    return json.loads(site.application.control(f"closed/{key}"))


class TestWebSockets:
    WAYS = ("direct", "http", "https")

    def test_every_byte_is_the_same(self, site):
        steps = [
            frame(TEXT, "grüße".encode()), frame(BINARY, bytes(range(256))), frame(TEXT),
            frame(TEXT, b"in ", False) + frame(PING, b"between"), frame(0, b"parts"), frame(PING),
            frame(PONG, b"unasked") + frame(TEXT, b"ping"), frame(PONG, b"are you?") + frame(BINARY, contents(60_000)),
            frame(TEXT, b"close"),
        ]  # fmt: skip
        answers = {}
        for way in self.WAYS:
            with site.connect(way) as connection:
                connection.send(handshake(f"bytes-{way}"))
                head = connection.head()
                assert head.status == 101
                assert head["Connection"].lower() == "upgrade"
                fields = [field for field in head.fields if field[0] not in ("Date", "Connection")]
                answers[way] = [sorted(fields)]
                for step in steps:
                    connection.send(step)
                    answers[way].append(server_frame(connection))
                connection.send(frame(CLOSE, struct.pack(">H", 4001)))
                answers[way] += connection.rest(), how_it_closed(site, f"bytes-{way}")
        assert answers["http"] == answers["direct"]
        assert answers["https"] == answers["direct"]
        assert answers["direct"][4] == b"\x8a\x07between" and answers["direct"][9] == b"\x88\x0d\x0f\xa1as you wish"

    @pytest.mark.parametrize("way", WAYS[1:])
    def test_what_comes_with_the_handshake_passes(self, site, way):
        """The gateway has the bytes before it knows that they are a tunnel's. gunicorn alone would lose them."""
        with site.connect(way) as connection:
            connection.send(handshake(f"early-{way}") + frame(TEXT, b"hi"))
            assert connection.head().status == 101
            assert connection.exactly(4) == b"\x81\x02hi"

    @pytest.mark.parametrize("way", WAYS)
    def test_a_client_of_a_library(self, site, authority, way):
        options = {"ca_certs": str(authority.certificate)}
        socket = websocket.create_connection(site.url(way, f"/socket/library-{way}", "ws"), sslopt=options, timeout=20)
        large = contents(1 << 20)
        for message in ("grüße 🌊", "", "x" * 70_000, large.decode()):
            socket.send(message)
            assert socket.recv() == message
        for message in (b"\0\xff", large):
            socket.send_binary(message)
            assert socket.recv() == message
        socket.ping(b"here?")
        kind, received = socket.recv_data_frame(control_frame=True)
        assert (kind, received.data) == (PONG, b"here?")
        socket.close(4002, b"enough")
        assert how_it_closed(site, f"library-{way}") == [4002, "enough"]

    @pytest.mark.parametrize("way", WAYS)
    def test_a_client_that_is_gone_is_gone_for_the_application(self, site, way):
        key = f"gone-{way}"
        with site.connect(way) as connection:
            connection.send(handshake(key))
            assert connection.head().status == 101
        assert how_it_closed(site, key)[0] in (1005, 1006)

    def test_a_handshake_that_the_application_refuses(self, site):
        answers = {}
        for way in self.WAYS:
            with site.connect(way) as connection:
                connection.send(handshake("x").replace(b"/socket/x", b"/etag"))
                response = connection.response()
                answers[way] = response.status, response.body
                # It is a connection like any other then.
                if way != "direct":
                    assert ask(connection, Case("/etag")).body == b"tagged"
        assert answers["direct"][0] == 400
        assert answers["http"] == answers["https"] == answers["direct"]


def test_a_page_in_a_browser(site, browser):
    with browser.open(site.url("h2", "/browser")) as page:
        assert page.failure is None
        page.wait_until("window.uploaded")
        assert page.run("uploaded.file") == ["sevens", "application/octet-stream", 1 << 20, digest(b"\7" * (1 << 20))]
        page.wait_until("messages.length == 3")
        assert page.run("messages") == ["grüße", [0, 255, 7], [4001, "as you wish", True]]
        site.application.push("browser", b"id: 1\ndata: one\n\n")
        page.wait_until("got.length == 2")
        site.application.push("browser", b"id: 2\ndata: two\n\n")
        page.wait_until("got.length == 3")
        assert page.run("got") == ["open", ["one", "1"], ["two", "2"]]
        assert page.run("failed") == []
        protocols = "performance.getEntriesByType('navigation').map(entry => entry.nextHopProtocol)"
        assert page.run(protocols) == ["h2"]
    site.application.push("browser", b"")
