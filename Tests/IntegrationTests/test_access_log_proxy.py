"""The access log of what is passed on to upstreams."""

import json

import pytest
from harness.access import SECRET, counted, ended, logging, only  # noqa: F401
from harness.client import ask, connect
from harness.gateway import free_ports
from harness.proxied import ANSWER, EVENTS, chunk, upstream  # noqa: F401
from harness.raw import Closed


def proxying(upstream, target=None, **options):
    app = {"servers": f"http://127.0.0.1:{upstream.port}", "passive": {"failures": 0}, **options}
    routes = [{"match": "/ok", "respond": "ok"}, {"match": "/**", "proxy": {"upstream": "app", **(target or {})}}]
    return logging(topics={}, upstreams={"app": app}, routes=routes)


def test_a_request_that_is_passed_on_names_its_server(start, upstream):
    gateway = start({**proxying(upstream), "request_id": "on"})
    with connect(gateway.port) as client:
        mine = client.open(path="/app")
        exchange = upstream.accept()
        exchange.send(ANSWER)
        assert mine.response().body == b"next"
    line = only(ended(gateway))
    assert line["upstream"] == "app" and line["server"] == f"127.0.0.1:{upstream.port}" and line["bytes"] == 4
    assert line["request_id"] == exchange.fields["x-request-id"]
    assert line["trace_id"] == exchange.fields["traceparent"].split("-")[1]


def test_a_stream_that_is_passed_on_is_told_like_ones_own(start, upstream, protocol, counted):
    gateway = start(proxying(upstream))
    for ending, reason in (("whole", "ended"), ("lost", "upstream_lost"), ("left", "client_left")):
        with connect(gateway.port) as client:
            mine = client.open(path=f"/{ending}")
            exchange = upstream.accept()
            exchange.send(EVENTS + chunk(b"retry: 1\n\ndata: a\n\n: c\ndata: b\nda") + chunk(b"ta: b\n\n"))
            assert mine.head().status == 200
            opening = json.loads(gateway.wait_for_log('"event":"open"'))
            got = b""
            while not got.endswith(b"data: b\n\n"):
                got += mine.piece()
            if ending == "whole":
                exchange.send(b"0\r\n\r\n")
                assert mine.piece() is None
            elif ending == "lost":
                exchange.reset()
                with pytest.raises(Closed):
                    mine.piece()
            sent = len(got) if protocol == "h2" else client.body_bytes
        closing = json.loads(gateway.wait_for_log('"event":"close"'))
        exchange.close()
        assert opening["path"] == closing["path"] == f"/{ending}" and closing["upstream"] == "app"
        assert closing["reason"] == reason and closing["events"] == 2 and closing["bytes"] == sent


@pytest.mark.http1
def test_a_tunnel_is_told_when_it_begins_and_ends(start, upstream):
    gateway = start(proxying(upstream))
    for who in ("client", "upstream"):
        with connect(gateway.port) as client:
            client.send(b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            exchange = upstream.accept()
            exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
            assert client.head().status == 101
            assert json.loads(gateway.wait_for_log('"event":"open"'))["status"] == 101
            assert client.exactly(5) == b"hello"
            if who == "upstream":
                exchange.close()
                assert client.ended()
        closing = json.loads(gateway.wait_for_log('"event":"close"'))
        exchange.close()
        assert closing["reason"] == {"client": "client_left", "upstream": "ended"}[who]
        assert closing["bytes"] == 5 and "events" not in closing


def test_an_upstream_that_falls_silent_is_told_as_such(start, upstream):
    gateway = start(proxying(upstream, timeouts={"stream": "100ms"}))
    with connect(gateway.port) as client:
        mine = client.open()
        exchange = upstream.accept()
        exchange.send(EVENTS + chunk(b"data: a\n\n"))
        mine.head()
        closing = json.loads(gateway.wait_for_log('"event":"close"'))
    exchange.close()
    assert closing["reason"] == "upstream_timeout" and closing["events"] == 1


@pytest.mark.http1
def test_a_tunnel_in_which_nothing_passes_is_told_as_such(start, upstream):
    gateway = start(proxying(upstream, timeouts={"tunnel": "100ms"}))
    with connect(gateway.port) as client:
        client.send(b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        exchange = upstream.accept()
        exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        closing = json.loads(gateway.wait_for_log('"event":"close"'))
    exchange.close()
    assert closing["reason"] == "idle" and closing["status"] == 101


def test_what_a_stop_ends_is_told_as_such(start, upstream):
    gateway = start({**proxying(upstream), "shutdown_grace": "200ms"})
    with connect(gateway.port) as streaming, connect(gateway.port) as waiting:
        stream = streaming.open(path="/stream")
        first = upstream.accept()
        first.send(EVENTS + chunk(b"data: a\n\n"))
        stream.head()
        waiting.open(path="/waits")
        second = upstream.accept()
        lines = ended(gateway)
    first.close(), second.close()
    assert only(lines, event="close")["reason"] == "drained"
    cut = only(lines, event="request")
    assert cut["reason"] == "stopped" and cut["status"] == 499


def test_answers_that_the_gateway_gives_in_an_upstreams_place_say_why(start, upstream):
    gateway = start(proxying(upstream, retries=0, timeouts={"first_byte": "100ms"}))
    for path, closes in (("/lost", True), ("/silent", False)):
        with connect(gateway.port) as client:
            mine = client.open(path=path)
            exchange = upstream.accept()
            if closes:
                exchange.close()
            assert mine.response().status == (502 if closes else 504)
    lines = ended(gateway)
    assert only(lines, path="/lost")["reason"] == "upstream_lost"
    assert only(lines, path="/silent")["reason"] == "upstream_timeout"


@pytest.mark.http1
def test_the_gateways_own_log_shows_no_token_either(start):
    nobody = free_ports(1)[0]
    configuration = logging(
        log={"level": "trace", "access": "stdout"},
        sources={"f": {"url": f"http://127.0.0.1:{nobody}/feed?token={SECRET}", "connect": "always"}},
        upstreams={"app": f"http://127.0.0.1:{nobody}"},
    )
    configuration["topics"]["t"] = {"sources": ["f"]}
    configuration["routes"].append({"match": "/**", "proxy": "app"})
    gateway = start(configuration)
    gateway.wait_for_log("feed down")
    assert ask(gateway.port, path=f"/app?token={SECRET}", fields={"Authorization": SECRET}).status == 502
    gateway.wait_for_log("upstream failed")
    only(ended(gateway), status=502, upstream="app")
    assert SECRET not in gateway.log()


def test_a_client_that_leaves_before_its_answer_is_told_as_499(start, upstream):
    gateway = start(proxying(upstream))
    with connect(gateway.port) as client:
        client.open(path="/app")
        exchange = upstream.accept()
    line = json.loads(gateway.wait_for_log('"event":"request"'))
    exchange.close()
    assert line["status"] == 499 and line["reason"] == "client_left" and line["upstream"] == "app"
