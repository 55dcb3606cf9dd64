"""The reverse proxy as a user meets it: conf/application.yaml, streams that pass through, what an upstream is told."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.client import ask, connect
from harness.gateway import settings
from harness.sse import Comment, Stream
from harness.upstream import Scripted

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)



def stream_of(gateway, upstream, path, begins_with):
    """A stream through the gateway and the upstream's side of it."""
    with ThreadPoolExecutor(1) as other:
        opening = other.submit(Stream, gateway.port, path)
        exchange = upstream.accept()
        exchange.send(EVENTS + chunk(begins_with))
        return opening.result(), exchange


@pytest.fixture
def upstream():
    upstream = Scripted()
    yield upstream
    upstream.close()


@pytest.fixture
def proxy(start, upstream):
    """proxy(key=value, ...) runs a gateway whose only route passes on to `upstream`."""

    def proxy(options=None, **target):
        base = settings(upstreams={"app": {"servers": [f"http://127.0.0.1:{upstream.port}"], **(options or {})}})
        base["routes"] = [{"match": "/**", "proxy": {"upstream": "app", **target}}]
        return start(base)

    return proxy


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
        exchange.send(OK)
        assert client.response().body == b"ok"


@pytest.mark.http1
def test_events_pass_one_by_one_and_heartbeats_stand_between_them_alone(proxy, upstream):
    gateway = proxy(heartbeat="50ms")
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
def test_without_a_heartbeat_the_bytes_are_the_upstreams(proxy, upstream):
    gateway = proxy(heartbeat="off")
    body = b": hi\r\n\r\nid: 1\rdata: a\n\n\xef\xbb\xbf"
    with connect(gateway.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        exchange = upstream.accept()
        exchange.send(EVENTS + chunk(body) + b"0\r\n\r\n")
        assert client.response().body == body
        exchange.close()
