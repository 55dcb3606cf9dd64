"""The reverse proxy as a user meets it: conf/application.yaml, streams that pass through, what an upstream is told."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.client import ask, connect
from harness.proxied import ANSWER, EVENTS, chunk, goes_on, proxy, upstream  # noqa: F401
from harness.sse import Comment, Stream


def stream_of(gateway, upstream, path, begins_with):
    """A stream through the gateway and the upstream's side of it."""
    with ThreadPoolExecutor(1) as other:
        opening = other.submit(Stream, gateway.port, path)
        exchange = upstream.accept()
        exchange.send(EVENTS + chunk(begins_with))
        return opening.result(), exchange


@pytest.mark.http1
def test_application_yaml_serves_events_itself_and_passes_on_the_rest(ready, upstream):
    gateway = ready("application.yaml", [("http://127.0.0.1:3000", f"http://127.0.0.1:{upstream.port}")])
    with Stream(gateway.port, "/events").opened() as stream:
        assert ask(gateway.port, "POST", "/publish", {"Content-Type": "text/plain"}, b"hello").status == 200
        assert stream.next().data == "hello"
    with connect(gateway.port) as client:
        client.send(b"GET /page?a=1 HTTP/1.1\r\nHost: app.example\r\n\r\n")
        exchange = upstream.accept()
        assert exchange.line == "GET /page?a=1 HTTP/1.1"
        assert exchange.fields["host"] == "app.example"
        exchange.send(ANSWER)
        assert client.response().body == b"next"


@pytest.mark.http1
def test_events_pass_one_by_one_and_heartbeats_stand_between_them_alone(proxy, upstream):
    gateway = proxy({"heartbeat": "50ms"})
    stream, exchange = stream_of(gateway, upstream, "/any", b"data: one\n\ndata: half")
    with stream:
        assert stream.next().data == "one"
        other, idle = stream_of(gateway, upstream, "/other", b"data: x\n\n")
        with other:
            assert other.next().data == "x"
            # While the one waits for the rest of an event, the other gets its heartbeats.
            assert [type(other.item()) for _ in range(3)] == [Comment] * 3
            idle.close()
        exchange.send(chunk(b" of it\n\n"))
        assert stream.next().data == "half of it"
        assert b"half of it\n" in stream.raw
        assert isinstance(stream.item(), Comment)
        exchange.send(chunk(b"data: last\n\n") + b"0\r\n\r\n")
        assert stream.next().data == "last"
        exchange.close()


@pytest.mark.http1
def test_a_byte_order_mark_behind_a_heartbeat_costs_no_event(proxy, upstream):
    gateway = proxy({"heartbeat": "50ms"})
    with connect(gateway.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        exchange = upstream.accept()
        exchange.send(EVENTS)
        client.until(b": \n")
        exchange.send(chunk(b"\xef\xbb\xbfdata: first\n\n") + b"0\r\n\r\n")
        client.until(b"\r\ndata: first\n\n")
        exchange.close()


@pytest.mark.http1
def test_without_a_heartbeat_the_bytes_are_the_upstreams(proxy, upstream):
    gateway = proxy({"heartbeat": "off"})
    body = b": hi\r\n\r\nid: 1\rdata: a\n\n\xef\xbb\xbf"
    with connect(gateway.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        exchange = upstream.accept()
        exchange.send(EVENTS + chunk(body) + b"0\r\n\r\n")
        assert client.response().body == body
        exchange.close()


@pytest.mark.http1
def test_what_a_dying_upstream_says_is_not_taken_for_the_clients_next_request(proxy, upstream):
    """The client's bytes and the upstream's answer lie before the gateway at once: neither may be read as the other."""
    gateway = proxy()
    with connect(gateway.port) as client:
        client.send(b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n")
        kept = upstream.accept()
        kept.send(ANSWER)
        assert client.response().body == b"next"
        os.kill(gateway.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, gateway.pid, os.WSTOPPED)
        client.send(
            b"POST /second HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
            b"GET /third HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        kept.send(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nX-Fill: %s\r\n\r\n" % (b"x" * 200))
        kept.close()
        os.kill(gateway.pid, signal.SIGCONT)
        exchange = upstream.accept()
        if exchange.line.startswith("POST"):
            # The end of the kept connection was seen first, so that the request got one of its own.
            exchange.answer("200 OK")
            exchange = upstream.accept()
        assert exchange.line == "GET /third HTTP/1.1"
        exchange.send(ANSWER)
        assert client.response().status in (200, 408, 502)
        assert client.response().body == b"next"
        exchange.close()


def test_a_routes_cors_stands_alone(proxy, upstream):
    gateway = proxy(route={"cors": {"origins": ["https://a.example"]}})
    for origin, allowed in (("https://a.example", ["https://a.example"]), ("https://b.example", [])):
        with connect(gateway.port) as connection:
            exchange = connection.open("GET", "/", {"Origin": origin})
            upstream.accept().send(ANSWER.replace(b"\r\n\r\n", b"\r\nAccess-Control-Allow-Origin: *\r\n\r\n"))
            assert exchange.response().all("access-control-allow-origin") == allowed


@pytest.mark.parametrize("line, status", [("CONNECT a:443", 501), ("TRACE /", 501)])
@pytest.mark.http1
def test_methods_that_no_application_gets(proxy, line, status):
    gateway = proxy()
    with connect(gateway.port) as connection:
        host = "a:443" if line.startswith("CONNECT") else "a"
        connection.send(f"{line} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert connection.response().status == status
