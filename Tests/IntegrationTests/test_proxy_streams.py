"""Streams on their way through the proxy: nothing waits, nothing is added where it would be seen, and ends are told."""

import contextlib
import gzip
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.client import connect
from harness.proxied import EVENTS, OK, chunk, goes_on, proxy, upstream  # noqa: F401
from harness.raw import Closed

CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
STREAMS = {
    "events": b"Content-Type: text/event-stream\r\n",
    "X-Accel-Buffering": b"X-Accel-Buffering: no\r\n",
    "Incremental": b"Incremental: ?1\r\n",
    "events that are compressed": b"Content-Type: text/event-stream\r\nContent-Encoding: gzip\r\n",
}
LAST = b"0\r\n\r\n"


@pytest.fixture
def opened():
    """opened(gateway, upstream, answer, ...): an exchange whose answer has begun, and its upstream's side."""
    with contextlib.ExitStack() as stack:

        def opened(gateway, upstream, answer, method="GET", body=None):
            exchange = stack.enter_context(connect(gateway.port)).open(method, "/", None, body)
            served = upstream.accept()
            stack.callback(served.close)
            served.send(answer)
            assert exchange.head().status == 200
            return exchange, served

        yield opened


def exactly(exchange, count):
    data = b""
    while len(data) < count:
        data += exchange.piece() or pytest.fail(f"ended after {data[-100:]!r}")
    assert len(data) == count
    return data


def rest(exchange):
    """The bytes that still come, and whether they came to their end."""
    data = []
    try:
        while (piece := exchange.piece()) is not None:
            data.append(piece)
    except Closed:
        return b"".join(data), False
    return b"".join(data), True


def heartbeats(exchange, count):
    """Waits for so many: what is as old as this one had the time for them as well."""
    assert exactly(exchange, 3 * count) == b": \n" * count


class TestNothingWaits:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize("fields", [*STREAMS.values(), b""], ids=[*STREAMS, "an ordinary answer"])
    def test_pieces_pass_as_they_come(self, proxy, upstream, opened, fields, method):
        gateway = proxy({"heartbeat": "off"})
        exchange, served = opened(gateway, upstream, OK + fields + CHUNKED, method, b"x" if method == "POST" else None)
        for piece in (b"a", b"data: b\n", b"\n", b"x" * 100_000, b"\r", b"\n"):
            served.send(chunk(piece))
            assert exactly(exchange, len(piece)) == piece
        served.send(LAST)
        assert rest(exchange) == (b"", True)

    def test_a_stream_without_chunks_too(self, proxy, upstream, opened):
        gateway = proxy({"heartbeat": "off"})
        exchange, served = opened(gateway, upstream, OK + STREAMS["Incremental"] + b"\r\n")
        for piece in (b"a", b"b"):
            served.send(piece)
            assert exactly(exchange, 1) == piece
        served.close()
        assert rest(exchange) == (b"", True)

    @pytest.mark.parametrize("fields", STREAMS.values(), ids=STREAMS)
    def test_streams_may_be_silent_where_others_may_not(self, proxy, upstream, opened, fields):
        gateway = proxy({"heartbeat": "off"}, timeouts={"idle": "200ms", "stream": "1h"})
        stream, served = opened(gateway, upstream, OK + fields + CHUNKED)
        ordinary, _ = opened(gateway, upstream, OK + CHUNKED)
        assert rest(ordinary) == (b"", False)
        served.send(chunk(b"late") + LAST)
        assert rest(stream) == (b"late", True)

    @pytest.mark.parametrize("kind", ["events", "Incremental"])
    def test_a_stream_that_is_silent_for_too_long_is_cut(self, proxy, upstream, opened, kind):
        gateway = proxy({"heartbeat": "50ms"}, timeouts={"stream": "300ms"})
        stream, served = opened(gateway, upstream, OK + STREAMS[kind] + CHUNKED)
        data, is_whole = rest(stream)
        assert not is_whole and data.replace(b": \n", b"") == b""
        assert served.ended()

    def test_events_may_be_larger_than_any_limit(self, proxy, upstream, opened):
        """The gateway reads no events of others: there is no line and no event that is too long."""
        gateway = proxy({"heartbeat": "1h"})
        before = gateway.resident_kilobytes()
        exchange, served = opened(gateway, upstream, EVENTS)
        event = b"id: 1\ndata: " + bytes(range(32, 127)) * 400_000 + b"\n\n"
        with ThreadPoolExecutor(1) as other:
            sending = other.submit(served.send, chunk(event) + chunk(b"data: next\n\n") + LAST)
            data, is_whole = rest(exchange)
            sending.result()
        assert is_whole and data == event + b"data: next\n\n"
        assert gateway.resident_kilobytes() - before < 30_000


class TestHeartbeats:
    def test_stand_between_events(self, proxy, upstream, opened):
        gateway = proxy({"heartbeat": "50ms"})
        exchange, served = opened(gateway, upstream, EVENTS)
        heartbeats(exchange, 2)
        for event in (b"data: 1\n\n", b": a comment of its own\n", b"data: 2\r\n\r\n"):
            served.send(chunk(event))
            data = b""
            while not data.endswith(event):
                data += exchange.piece()
            assert data.replace(b": \n", b"") == event
            heartbeats(exchange, 2)
        served.send(LAST)
        data, is_whole = rest(exchange)
        assert is_whole and data.replace(b": \n", b"") == b""

    @pytest.mark.parametrize(
        "begun, more",
        [
            (b"data: 1\n\nda", b"ta: 2\n\n"), (b"data: 1\n", b"\n"), (b"id: 1\n", b"data: x\n\n"),
            (b"data: 1\r\n\r", b"\n"), (b": half a com", b"ment\n\n"), (b"data: 1\n: x\n", b"\n"),
        ],
    )  # fmt: skip
    def test_never_within_one(self, proxy, upstream, opened, begun, more):
        gateway = proxy({"heartbeat": "50ms"})
        exchange, served = opened(gateway, upstream, EVENTS + chunk(begun))
        assert exactly(exchange, len(begun)) == begun
        other, _ = opened(gateway, upstream, EVENTS)
        heartbeats(other, 3)
        served.send(chunk(more))
        assert exactly(exchange, len(more)) == more
        heartbeats(exchange, 1)

    UNTOUCHED = {
        "that are compressed": (
            OK + STREAMS["events that are compressed"] + CHUNKED, chunk(gzip.compress(b"data: 1\n\n")),
        ),
        "that have a length": (OK + STREAMS["events"] + b"Content-Length: 20\r\n\r\n", b"data: 1\n\n"),
        "that are no events": (OK + STREAMS["X-Accel-Buffering"] + CHUNKED, chunk(b"data: 1\n\n")),
        "that are ordinary": (OK + CHUNKED, chunk(b"data: 1\n\n")),
    }  # fmt: skip

    @pytest.mark.parametrize("name", UNTOUCHED)
    def test_not_in_answers(self, proxy, upstream, opened, name):
        head, body = self.UNTOUCHED[name]
        gateway = proxy({"heartbeat": "50ms"})
        exchange, served = opened(gateway, upstream, head + body)
        other, _ = opened(gateway, upstream, EVENTS)
        heartbeats(other, 3)
        served.close()
        data, is_whole = rest(exchange)
        assert not is_whole
        assert data in (b"data: 1\n\n", gzip.compress(b"data: 1\n\n")) or gzip.decompress(data) == b"data: 1\n\n"


class TestLosses:
    """An upstream that is lost where no event can be put in, and in ways that test_proxy_faults.py does not have."""

    WORDS = {"on_upstream_loss": {"event": "lost", "data": "sorry"}}

    @pytest.mark.parametrize(
        "head, body",
        [
            (OK + STREAMS["events that are compressed"] + CHUNKED, chunk(b"\x1f\x8b")),
            (OK + STREAMS["events"] + b"Content-Length: 20\r\n\r\n", b"data: 1\n\n"),
            (OK + STREAMS["Incremental"] + CHUNKED, chunk(b"data: 1\n\n")),
        ],
        ids=["compressed", "length", "no events"],
    )
    def test_ends_as_what_it_is(self, proxy, upstream, opened, head, body):
        exchange, served = opened(proxy(self.WORDS), upstream, head + body)
        served.close()
        data, is_whole = rest(exchange)
        assert not is_whole and b"sorry" not in data

    def test_a_reset_between_events_has_last_words(self, proxy, upstream, opened):
        exchange, served = opened(proxy(self.WORDS), upstream, EVENTS + chunk(b"data: 1\n\n"))
        assert exactly(exchange, 9) == b"data: 1\n\n"
        served.reset()
        assert rest(exchange) == (b"event: lost\ndata: sorry\n\n", True)

    def test_a_broken_chunk_between_events_too(self, proxy, upstream, opened):
        exchange, served = opened(proxy(self.WORDS), upstream, EVENTS + chunk(b"data: 1\n\n") + b"no size\r\n")
        assert rest(exchange) == (b"data: 1\n\nevent: lost\ndata: sorry\n\n", True)
        assert served.ended()

    def test_heartbeats_before_are_no_event(self, proxy, upstream, opened):
        gateway = proxy({**self.WORDS, "heartbeat": "50ms"})
        exchange, served = opened(gateway, upstream, EVENTS + chunk(b"data: 1\n\n"))
        assert exactly(exchange, 9) == b"data: 1\n\n"
        heartbeats(exchange, 2)
        served.close()
        data, is_whole = rest(exchange)
        assert is_whole and data.replace(b": \n", b"") == b"event: lost\ndata: sorry\n\n"

    def test_silence_for_too_long_is_a_loss(self, proxy, upstream, opened):
        gateway = proxy({**self.WORDS, "heartbeat": "off"}, timeouts={"stream": "200ms"})
        exchange, served = opened(gateway, upstream, EVENTS + chunk(b"data: 1\n\n"))
        assert rest(exchange) == (b"data: 1\n\nevent: lost\ndata: sorry\n\n", True)
        assert served.ended()
