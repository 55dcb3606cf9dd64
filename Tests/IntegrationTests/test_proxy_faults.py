"""Upstreams that fail are told apart, nothing is made up, and the gateway goes on."""

import contextlib

import pytest
from harness.client import ask, connect
from harness.gateway import free_ports
from harness.proxied import ANSWER, EVENTS, OK, chunk, expect_nobody, goes_on, proxy, upstream  # noqa: F401
from harness.raw import Closed


def final(exchange):
    """The head of the answer; what comes before it is passed over."""
    while (head := exchange.head()).status < 200:
        pass
    return head


def body(exchange):
    """The body of an answer without a length, and whether it came to its end."""
    data = b""
    try:
        while (piece := exchange.piece()) is not None:
            data += piece
    except Closed:
        return data, False
    return data, True


def expect_next(connection, upstream):
    """The next request of a client is answered with its own answer, over whatever connection."""
    exchange = connection.open(path="/next")
    served = upstream.accept()
    assert served.line == "GET /next HTTP/1.1"
    served.send(ANSWER)
    assert exchange.response().body == b"next"


class TestBeforeTheAnswer:
    def test_refused_connections_are_502(self, proxy):
        gateway = proxy(port=free_ports(1)[0])
        assert ask(gateway.port).status == 502

    def test_a_get_is_tried_again_as_often_as_allowed(self, proxy, upstream):
        gateway = proxy(retries=2)
        with connect(gateway.port) as connection:
            exchange = connection.open()
            for _ in range(3):
                upstream.accept().close()
            assert exchange.response().status == 502
        expect_nobody(upstream)

    def test_a_get_that_is_tried_again_is_answered(self, proxy, upstream):
        gateway = proxy(retries=1)
        with connect(gateway.port) as connection:
            exchange = connection.open()
            upstream.accept().close()
            upstream.accept().send(ANSWER)
            assert exchange.response().body == b"next"

    @pytest.mark.parametrize("data", [None, "text"])
    def test_a_post_is_sent_once(self, proxy, upstream, data):
        gateway = proxy(retries=5)
        with connect(gateway.port) as connection:
            exchange = connection.open("POST", "/", None, data)
            upstream.accept().close()
            assert exchange.response().status == 502
        expect_nobody(upstream)

    def test_silence_is_504(self, proxy, upstream):
        gateway = proxy(retries=0, timeouts={"first_byte": "200ms"})
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            assert exchange.response().status == 504
            assert served.ended()

    def test_half_a_head_and_silence_is_504(self, proxy, upstream):
        gateway = proxy(retries=0, timeouts={"first_byte": "200ms"})
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(OK + b"X: ")
            assert exchange.response().status == 504
            assert served.ended()


LENGTH = b"Content-Length: 2\r\n"
BROKEN = {
    "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "an empty line": b"\r\n\r\n",
    "HTTP/0.9": b"<html>hello</html>\n",
    "HTTP/2": b"HTTP/2.0 200 OK\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 99 OK\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "both lengths": OK + LENGTH + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
    "two lengths": OK + LENGTH + b"Content-Length: 3\r\n\r\nabc",
    "a length with +": OK + b"Content-Length: +2\r\n\r\nab",
    "a length below 0": OK + b"Content-Length: -1\r\n\r\n",
    "a length over 64 bits": OK + b"Content-Length: 99999999999999999999\r\n\r\nab",
    "a coding that is not known": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nab",
    "a bare CR": OK + b"X: a\rb\r\n" + LENGTH + b"\r\nab",
    "a fold": OK + b"X: a\r\n b\r\n" + LENGTH + b"\r\nab",
    "a space before the colon": OK + b"Content-Length : 2\r\n\r\nab",
    "no colon": OK + b"X\r\n\r\n",
    "NUL in a value": OK + b"X: \0\r\n" + LENGTH + b"\r\nab",
    "101 unasked": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nbytes",
    "too many 1xx": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 200 + ANSWER,
    "1xx with a body": b"HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n\r\nab" + ANSWER,
    "too many fields": OK + b"X: y\r\n" * 10_000 + b"\r\n",
}


class TestBrokenHeads:
    @pytest.mark.parametrize("name", BROKEN)
    def test_is_502(self, proxy, upstream, name):
        gateway = proxy(retries=0)
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            with contextlib.suppress(OSError):
                served.send(BROKEN[name])
            assert final(exchange).status == 502
            assert served.ended()

    @pytest.mark.parametrize("cut", [8, 17, 20, 38])
    def test_a_head_that_is_cut_off_is_502(self, proxy, upstream, cut):
        gateway = proxy(retries=0)
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send((OK + b"Content-Length: 2\r\n\r\n")[: cut - 1])
            served.close()
            assert exchange.response().status == 502

    @pytest.mark.parametrize("line", [b"X: y\r\n", b"x" * 5000], ids=["fields", "a line"])
    def test_a_head_without_end_is_502(self, proxy, upstream, line):
        gateway = proxy(retries=0)
        before = gateway.resident_kilobytes()
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(OK)
            with pytest.raises(OSError):
                for _ in range(20_000):
                    served.send(line * 10)
            assert exchange.response().status == 502
        assert gateway.resident_kilobytes() - before < 10_000


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CUT = {
    "before its length": OK + b"Content-Length: 5\r\n\r\nab",
    "before the last chunk": CHUNKED + chunk(b"ab"),
    "within a chunk": CHUNKED + b"5\r\nab",
    "within the trailers": CHUNKED + chunk(b"ab") + b"0\r\nX: y",
    "with a bad chunk": CHUNKED + chunk(b"ab") + b"x\r\n",
    "with a chunk that is too long": CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
}


class TestBrokenBodies:
    @pytest.mark.parametrize("name", CUT)
    def test_the_client_sees_a_broken_end(self, proxy, upstream, name):
        gateway = proxy(retries=3)
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(CUT[name])
            served.close()
            with pytest.raises(Closed):
                exchange.response()
        expect_nobody(upstream)

    @pytest.mark.http1
    def test_where_only_the_end_of_the_connection_could_tell_it_is_a_reset(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            connection.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
            served = upstream.accept()
            served.send(OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"part"))
            connection.until(b"part")
            served.close()
            with pytest.raises(ConnectionResetError):
                connection.socket.recv(1)

    def test_the_end_of_the_connection_may_be_the_end_of_the_body(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(OK + b"\r\nab")
            served.close()
            assert exchange.response().body == b"ab"

    @pytest.mark.parametrize(
        "answer, status, data",
        [
            (OK + LENGTH + b"\r\nab", 200, b"ab"),
            (CHUNKED + chunk(b"ab") + b"0\r\n\r\n", 200, b"ab"),
            (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
            (b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n", 204, b""),
            (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n", 304, b""),
        ],
        ids=["length", "chunked", "204", "204 with a length", "304"],
    )
    def test_what_stands_behind_an_answer_never_becomes_another(self, proxy, upstream, answer, status, data):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(answer + OK + b"Content-Length: 4\r\n\r\nevil")
            response = exchange.response()
            assert (response.status, response.body) == (status, data)
            assert served.ended()
            expect_next(connection, upstream)

    def test_what_comes_when_nothing_was_asked_closes(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(ANSWER)
            assert exchange.response().body == b"next"
            served.send(OK + b"Content-Length: 4\r\n\r\nevil")
            assert served.ended()
            expect_next(connection, upstream)

    def test_a_body_of_an_answer_to_head_is_none(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = connection.open("HEAD")
            served = upstream.accept()
            served.send(ANSWER)
            head = exchange.response()
            assert head["Content-Length"] == "4" and not head.body
            expect_next(connection, upstream)


class TestEventStreams:
    def test_one_that_is_cut_ends_broken(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(EVENTS + chunk(b"data: 1\n\n"))
            assert exchange.head().status == 200
            served.close()
            assert body(exchange) == (b"data: 1\n\n", False)

    @pytest.mark.parametrize("sent", [b"data: 1\n\ndata: 2", b"data: 1\n\ndata: 2\n", b"data: 1\n\n: x"])
    def test_within_an_event_nothing_is_added(self, proxy, upstream, sent):
        gateway = proxy({"on_upstream_loss": {"event": "lost", "data": "sorry"}})
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(EVENTS + chunk(sent))
            assert exchange.head().status == 200
            served.close()
            assert body(exchange) == (sent, False)

    @pytest.mark.parametrize("sent", [b"data: 1\n\n", b"data: 1\r\n\r\n", b": x\n", b"data: 1\n\n: x\n"])
    def test_between_events_last_words_are_said(self, proxy, upstream, sent):
        gateway = proxy({"on_upstream_loss": {"event": "lost", "data": "sorry"}})
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(EVENTS + chunk(sent))
            assert exchange.head().status == 200
            served.close()
            data, is_clean = body(exchange)
            assert data == sent + b"event: lost\ndata: sorry\n\n" and is_clean

    def test_one_that_ends_well_has_no_last_words(self, proxy, upstream):
        gateway = proxy({"on_upstream_loss": {"event": "lost", "data": "sorry"}})
        with connect(gateway.port) as connection:
            exchange = connection.open()
            upstream.accept().send(EVENTS + chunk(b"data: 1\n\n") + b"0\r\n\r\n")
            assert exchange.head().status == 200
            assert body(exchange) == (b"data: 1\n\n", True)


class TestQueue:
    def test_full(self, proxy, upstream):
        gateway = proxy(connections=1, queue={"size": 0})
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            assert ask(gateway.port).status == 503
            served.send(ANSWER)
            assert exchange.response().body == b"next"

    def test_too_long(self, proxy, upstream):
        gateway = proxy(connections=1, queue={"size": 1, "timeout": "200ms"})
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            assert ask(gateway.port).status == 503
            served.send(ANSWER)
            assert exchange.response().body == b"next"

    def test_a_client_that_leaves_makes_room(self, proxy, upstream):
        gateway = proxy(connections=1)
        with connect(gateway.port) as connection, connect(gateway.port) as other:
            connection.open()
            served = upstream.accept()
            exchange = other.open(path="/next")
            connection.close()
            assert served.ended()
            served = upstream.accept()
            assert served.line == "GET /next HTTP/1.1"
            served.send(ANSWER)
            assert exchange.response().body == b"next"
