"""Clients of HTTP/1.0, clients that close, and clients that ask again before they were answered, through the proxy."""

import queue
import threading

import pytest
from harness.client import ask
from harness.proxied import ANSWER, EVENTS, OK, chunk, expect_nobody, goes_on, proxy, upstream  # noqa: F401
from harness.raw import Closed, Connection, request

pytestmark = pytest.mark.http1

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CLOSE = {"Connection": "close"}


def exchanged(gateway, upstream, sent, answer):
    """What a client gets, to the end of its connection."""
    with Connection(gateway.port) as client:
        client.send(sent)
        served = upstream.accept()
        served.send(answer)
        if answer is not ANSWER:
            served.close()
        return served, client.rest()


class TestOld:
    @pytest.mark.parametrize(
        "answer", [CHUNKED + chunk(b"a") + chunk(b"bc") + b"0\r\n\r\n", OK + b"\r\nabc"], ids=["chunked", "until close"]
    )
    def test_a_body_without_a_length_ends_with_the_connection(self, proxy, upstream, answer):
        served, got = exchanged(proxy(), upstream, request(version="1.0"), answer)
        assert served.line == "GET / HTTP/1.1"
        head, body = got.split(b"\r\n\r\n", 1)
        assert body == b"abc"
        assert b"chunked" not in head.lower() and b"keep-alive" not in head.lower()

    def test_a_body_that_is_cut_is_seen_as_cut(self, proxy, upstream):
        gateway = proxy()
        with Connection(gateway.port) as client:
            client.send(request(version="1.0"))
            served = upstream.accept()
            served.send(CHUNKED + chunk(b"abc"))
            client.until(b"abc")
            served.close()
            with pytest.raises(Closed):
                client.exactly(1)
                client.exactly(1)

    def test_a_length_stays_and_the_connection_is_closed(self, proxy, upstream):
        _, got = exchanged(proxy(), upstream, request(version="1.0"), ANSWER)
        assert got.endswith(b"\r\n\r\nnext") and b"Content-Length: 4" in got

    def test_it_may_ask_to_stay(self, proxy, upstream):
        gateway = proxy()
        with Connection(gateway.port) as client:
            for _ in range(2):
                client.send(request(fields={"Connection": "keep-alive"}, version="1.0"))
                served = upstream.accept()
                served.send(OK + b"Content-Length: 4\r\nConnection: close\r\n\r\nnext")
                response = client.response()
                assert response.body == b"next" and response["Connection"].lower() == "keep-alive"

    def test_interim_answers_are_not_for_it(self, proxy, upstream):
        _, got = exchanged(proxy(), upstream, request(version="1.0"), b"HTTP/1.1 103 Early Hints\r\n\r\n" + ANSWER)
        assert got.count(b"HTTP/1.") == 1

    def test_a_stream_has_no_chunks(self, proxy, upstream):
        _, got = exchanged(proxy(), upstream, request(version="1.0"), EVENTS + chunk(b"data: 1\n\n") + b"0\r\n\r\n")
        assert got.endswith(b"\r\n\r\ndata: 1\n\n")


class TestClose:
    @pytest.mark.parametrize("answer", [ANSWER, CHUNKED + chunk(b"next") + b"0\r\n\r\n"], ids=["length", "chunked"])
    def test_who_asks_for_it_gets_it_behind_the_answer(self, proxy, upstream, answer):
        gateway = proxy()
        with Connection(gateway.port) as client:
            # What stands behind a request that is the last one is none.
            client.send(request(fields=CLOSE) + request(path="/never"))
            served = upstream.accept()
            assert "connection" not in served.fields, "that concerns the client's connection alone"
            served.send(answer)
            response = client.response()
            assert response.body == b"next" and response["Connection"] == "close"
            assert client.ended()
        expect_nobody(upstream)

    def test_an_upstream_that_closes_does_not_close_its_client(self, proxy, upstream):
        gateway = proxy()
        with Connection(gateway.port) as client:
            for _ in range(3):
                client.send(request())
                upstream.accept().send(OK + b"Content-Length: 4\r\nConnection: close\r\n\r\nnext")
                response = client.response()
                assert response.body == b"next" and response["Connection"] is None


class TestPipelines:
    def test_answers_come_in_the_order_of_the_requests_though_the_first_is_slow(self, proxy, upstream):
        gateway = proxy()
        with Connection(gateway.port) as client:
            client.send(
                request(path="/slow")
                + request(path="/ok")
                + request("POST", "/upload", body=b"x" * 100_000)
                + request(path="/ok") * 300
                + request(path="/last", fields=CLOSE)
            )
            served = upstream.accept()
            assert served.line == "GET /slow HTTP/1.1"
            assert ask(gateway.port, path="/ok").body == b"ok", "others do not wait"
            served.send(ANSWER)
            assert client.response().body == b"next"
            assert client.response().body == b"ok"
            head = served.until(b"\r\n\r\n")
            assert head.startswith(b"POST /upload HTTP/1.1\r\n")
            assert served.exactly(100_000) == b"x" * 100_000
            served.send(CHUNKED + chunk(b"up") + b"0\r\n\r\n")
            assert client.response().body == b"up"
            assert [client.response().body for _ in range(300)] == [b"ok"] * 300
            assert served.until(b"\r\n\r\n").startswith(b"GET /last HTTP/1.1\r\n")
            served.send(ANSWER)
            assert client.response()["Connection"] == "close"
            assert client.ended()

    def test_one_request_goes_to_the_upstream_at_a_time(self, proxy, upstream):
        gateway = proxy()
        with Connection(gateway.port) as client:
            client.send(b"".join(request(path=f"/{number}") for number in range(20)))
            served = upstream.accept()
            line = served.line
            for number in range(20):
                assert line == f"GET /{number} HTTP/1.1"
                assert not served.buffer
                served.send(ANSWER)
                assert client.response().body == b"next"
                if number < 19:
                    line = served.until(b"\r\n\r\n").split(b"\r\n")[0].decode()

    def test_what_a_client_asks_meanwhile_takes_no_memory(self, proxy, upstream):
        gateway = proxy()
        before = gateway.resident_kilobytes()
        with Connection(gateway.port) as client:
            client.send(request(path="/slow"))
            served = upstream.accept()
            told = queue.Queue()

            def flood():
                for _ in range(64):
                    client.send(request(path="/ok", fields={"X-Fill": "x" * 8000}) * 80)
                    told.put(True)
                client.send(request(path="/end", fields=CLOSE))

            flooding = threading.Thread(target=flood, daemon=True)
            flooding.start()
            sent = 0
            with pytest.raises(queue.Empty):
                while True:
                    told.get(timeout=1)
                    sent += 1
            assert sent < 64, "it is held back"
            assert gateway.resident_kilobytes() - before < 10_000
            served.send(ANSWER)
            assert client.response().body == b"next"
            # None of them is lost, and none is answered twice.
            assert all(client.response().body == b"ok" for _ in range(64 * 80))
            flooding.join()
            assert served.until(b"\r\n\r\n").startswith(b"GET /end HTTP/1.1")
            served.send(ANSWER)
            assert client.response().body == b"next"
            assert client.ended()

    def test_who_leaves_with_requests_that_wait_leaves_nothing_behind(self, proxy, upstream):
        gateway = proxy()
        with Connection(gateway.port) as client:
            client.send(request(path="/slow") + request(path="/never") * 10)
            served = upstream.accept()
            client.close()
            assert served.ended()
        expect_nobody(upstream)
