"""The end: SIGTERM and SIGINT drain."""

import signal

import pytest
from harness.client import ask, connect
from harness.gateway import settings
from harness.proxied import EVENTS, chunk, proxy, upstream  # noqa: F401
from harness.raw import Closed
from harness.sse import Retry, Stream
from harness.upstream import Scripted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_streams_get_a_spread_retry_and_a_clean_end(start, number):
    gateway = start(settings(workers="2"))
    streams = [Stream(gateway.port).opened() for _ in range(8)]
    for stream in streams:
        while not isinstance(stream.item(), Retry):
            pass
    gateway.signal(number)
    retries = set()
    for stream in streams:
        rest = stream.rest()
        assert stream.ended == "clean", "the last chunk says that nothing is missing"
        retries |= {item.milliseconds for item in rest if isinstance(item, Retry)}
    assert len(retries) > 1, "all coming back at once would be a storm"
    assert gateway.wait() == 0


def test_an_event_that_was_accepted_is_delivered_before_the_end(start):
    gateway = start()
    with Stream(gateway.port) as stream, connect(gateway.port) as publisher:
        stream.opened()
        for number in range(50):
            publisher.request("POST", "/publish/t", {"Content-Type": "text/plain"}, str(number))
        gateway.signal()
        events = [item.data for item in stream.rest() if hasattr(item, "data")]
        assert events == [str(number) for number in range(50)]
        assert stream.ended == "clean"


def test_idle_connections_are_closed_and_nobody_new_is_let_in(start):
    gateway = start()
    with connect(gateway.port) as idle:
        assert idle.request().body == b"ok"
        gateway.signal()
        assert idle.ended()
    assert gateway.wait() == 0
    with pytest.raises(ConnectionRefusedError):
        connect(gateway.port)


def test_a_client_that_reads_nothing_does_not_hold_up_the_end(start):
    base = settings({"max_lag": "64MiB", "history": {"bytes": "64MiB"}}, shutdown_grace="1s")
    gateway = start(base)
    with Stream(gateway.port, receive_buffer=4096) as slow, connect(gateway.port) as publisher:
        slow.opened()
        for _ in range(100):
            publisher.request("POST", "/publish/t", {"Content-Type": "text/plain"}, "x" * 65536)
        gateway.signal()
        assert gateway.wait() == 0


def test_streams_of_an_upstream_are_cut_and_it_is_told(start):
    upstream = Scripted()
    routes = [{"match": "/**", "proxy": "app"}]
    app = f"http://127.0.0.1:{upstream.port}"
    gateway = start(settings(upstreams={"app": app}, routes=routes, shutdown_grace="1h"))
    with connect(gateway.port) as client:
        exchange = client.open()
        served = upstream.accept()
        served.send(EVENTS + chunk(b": x\n"))
        assert exchange.head().status == 200 and exchange.piece() == b": x\n"
        gateway.signal()
        with pytest.raises(Closed):
            exchange.piece()
        assert served.ended()
    assert gateway.wait() == 0
    upstream.close()


def test_over_tls_the_end_is_clean_too(start, authority, trusting):
    gateway = start(settings(listeners=[authority.listener()]))
    with Stream(gateway.port, tls=trusting) as stream:
        stream.opened()
        gateway.signal()
        stream.rest()
        assert stream.ended == "clean"
        while stream.connection.fill():  # close_notify, then the end: a truncation would raise.
            pass


@pytest.mark.http1
def test_a_stop_ends_what_has_no_end_of_its_own(proxy, upstream):
    gateway = proxy(top={"shutdown_grace": "5m"})
    with connect(gateway.port) as tunnel, connect(gateway.port) as late:
        tunnel.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        changed = upstream.accept()
        changed.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert tunnel.head().status == 101
        late.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        served = upstream.accept()
        assert ask(gateway.port, path="/ok").body == b"ok"
        gateway.signal()
        assert tunnel.rest() == b""
        tunnel.close()
        # A stream would only begin now.
        served.send(EVENTS)
        assert late.response().status == 503
        late.close()
        assert gateway.wait() == 0
