"""Bad input and faults: a clear answer or log line each, and the gateway goes on."""

import contextlib
import socket
import time

import pytest
from harness.client import ask
from harness.gateway import run, settings, write
from harness.raw import Closed, Connection, request
from harness.sse import Stream
from harness.upstream import Scripted

pytestmark = pytest.mark.http1


@pytest.fixture(autouse=True)
def goes_on(start):
    """After each of these tests every gateway that it started still serves."""
    yield
    for gateway in start.gateways:
        if gateway.process.poll() is None:
            assert serves_again(gateway.port)


def serves_again(port):
    """Clients that left may still stand in a worker's queue, and count until it has seen them off."""
    for _ in range(1000):
        with contextlib.suppress(Closed, OSError):
            if ask(port).body == b"ok":
                return True
    return False


def test_a_head_that_never_ends_is_answered_408(start):
    gateway = start(settings(limits={"request_head_timeout": "300ms"}))
    with Connection(gateway.port) as connection:
        connection.send("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert connection.response().status == 408
        assert connection.ended()


def test_a_head_that_drips_is_answered_408_all_the_same(start):
    gateway = start(settings(limits={"request_head_timeout": "300ms"}))
    with Connection(gateway.port) as connection:
        connection.send("GET / HTTP/1.1\r\n")
        connection.socket.settimeout(0.05)
        while not connection.buffer:
            with contextlib.suppress(OSError, Closed):
                connection.send("X-Drip: 1\r\n")
            with contextlib.suppress(TimeoutError):
                connection.fill()
        connection.socket.settimeout(20)
        assert connection.head().status == 408


def test_a_connection_without_a_request_is_closed_in_silence(start):
    gateway = start(settings(limits={"keep_alive": "300ms", "request_head_timeout": "300ms"}))
    with Connection(gateway.port) as connection:
        assert connection.ended()
    with Connection(gateway.port) as connection:
        assert connection.request().body == b"ok"
        assert connection.ended()


@pytest.mark.parametrize(
    "fields, status",
    [
        ({"X-Large": "x" * 70_000}, 431),
        ({f"X-{number}": "1" for number in range(150)}, 431),
    ],
)
def test_an_oversized_head_is_answered_431(gateway, fields, status):
    with Connection(gateway.port) as connection:
        with contextlib.suppress(ConnectionError):
            connection.send(request(fields=fields))
        assert connection.head().status == status


def test_an_oversized_request_line_is_answered_414_and_one_of_8000_bytes_is_fine(gateway):
    assert ask(gateway.port, path="/" + "x" * 7900).status == 404
    assert ask(gateway.port, path="/" + "x" * 9000).status == 414


def test_an_oversized_body_is_answered_413(gateway):
    with Connection(gateway.port) as connection:
        connection.send("POST /publish/t HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
        assert connection.head().status == 413


@pytest.mark.parametrize(
    "line",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 100,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x0cb\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n X: folded\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /#a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: user@a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"POST /publish/t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"POST /publish/t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;\r\na\r\n0\r\n\r\n",
    ],
)
def test_a_bad_request_gets_one_refusal_and_nothing_behind_it_an_answer(gateway, line):
    with Connection(gateway.port) as connection:
        with contextlib.suppress(ConnectionError):
            connection.send(line + request())
        answer = connection.rest()
        assert answer.count(b"HTTP/1.1 ") == 1, answer
        assert answer.split(b" ")[1][:1] in b"45", answer
        assert answer.startswith(b"HTTP/1.1 ")


def test_garbage_before_tls_ends_that_connection_alone(start, authority, trusting):
    gateway = start(settings(listeners=["127.0.0.1:0", authority.listener()]))
    for garbage in (b"\0" * 500, b"\x16\x03\x01\xff\xff" + b"a" * 70_000, b"\x80\x2e\x01\x00\x02", b"SSH-2.0-x\r\n"):
        with Connection(gateway.ports[1]) as connection:
            # A connection that is reset already cannot be shut down: that is ENOTCONN, no ConnectionError.
            with contextlib.suppress(OSError):
                connection.send(garbage)
                connection.socket.shutdown(socket.SHUT_WR)
            assert b"HTTP/1.1 2" not in connection.rest()
    assert ask(gateway.ports[1], tls=trusting).body == b"ok"


def test_plain_http_on_the_tls_port_is_told_so(start, authority):
    gateway = start(settings(listeners=["127.0.0.1:0", authority.listener()]))
    with Connection(gateway.ports[1]) as connection:
        connection.send(request())
        answer = connection.rest()
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"HTTPS" in answer


def test_clients_that_say_half_a_handshake_and_vanish_hold_up_nobody(start, authority, trusting):
    gateway = start(settings(listeners=["127.0.0.1:0", authority.listener()]))
    silent = [Connection(gateway.ports[1]) for _ in range(50)]
    for connection in silent[:25]:
        connection.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert ask(gateway.ports[1], tls=trusting).body == b"ok"
    for connection in silent:
        connection.reset()
    assert ask(gateway.ports[1], tls=trusting).body == b"ok"


def test_a_client_that_closed_its_half_is_a_client_that_left_or_still_gets_its_answer(gateway):
    with Connection(gateway.port) as connection:
        connection.send(request())
        connection.socket.shutdown(socket.SHUT_WR)
        assert connection.response().body == b"ok"
        assert connection.ended()
    with Connection(gateway.port) as connection:
        connection.send("GET / HT")
        connection.socket.shutdown(socket.SHUT_WR)
        assert b"200" not in connection.rest()


def test_a_reset_in_the_middle_of_anything_is_nothing_special(gateway):
    unfinished = request("POST", "/publish/t", {"Content-Length": 9})
    for sent in (b"", b"GET", request(), request("GET", "/events"), unfinished):
        for _ in range(20):
            connection = Connection(gateway.port)
            connection.send(sent)
            connection.reset()


def test_a_port_in_use_is_said_and_ends_with_1(gateway, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("run", write(tmp_path, settings(listeners=[f"127.0.0.1:{port}"]), "taken.yaml"))
        assert done.returncode == 1
        assert str(port) in done.stderr + done.stdout
        assert "in use" in done.stderr + done.stdout


def test_a_second_gateway_on_the_same_port_is_refused_too(gateway, tmp_path):
    done = run("run", write(tmp_path, settings(listeners=[f"127.0.0.1:{gateway.port}"]), "second.yaml"))
    assert done.returncode == 1, done
    assert "in use" in done.stderr + done.stdout


def test_an_upstream_that_is_down_at_the_start_is_waited_for(start):
    upstream = Scripted()
    port = upstream.port
    upstream.close()
    base = settings({"sources": ["feed"], "heartbeat": "50ms"})
    quick = {"initial": "100ms", "maximum": "200ms"}
    base["sources"] = {"feed": {"url": f"http://127.0.0.1:{port}/feed", "retry": quick}}
    gateway = start(base)
    with Stream(gateway.port) as stream:
        stream.opened()
        gateway.wait_for_log("feed")
        upstream = Scripted(port)
        exchange = upstream.accept()
        exchange.stream(b"data: up at last\n\n")
        assert stream.next().data == "up at last"
        exchange.close()
        upstream.close()


@pytest.mark.parametrize("attempt", range(3))  # Which worker gets the last descriptor is chance.
def test_without_descriptors_left_the_gateway_neither_spins_nor_dies(start, attempt):
    base = settings({"sources": ["clock"]}, workers="2")
    base["sources"] = {"clock": {"ticker": {"every": "500ms", "data": "{n}"}}}
    gateway = start(base, descriptors=64)
    crowd = []
    with Stream(gateway.port) as stream, contextlib.ExitStack() as leaving:
        stream.opened()
        leaving.callback(lambda: [connection.close() for connection in crowd])
        for _ in range(200):
            with contextlib.suppress(OSError):
                crowd.append(socket.create_connection(("127.0.0.1", gateway.port), timeout=5))
        assert "descriptors" in gateway.wait_for_log("EMFILE")
        stream.next()
        before, began = gateway.processor_seconds(), time.monotonic()
        stream.events(3)
        assert gateway.processor_seconds() - before < 0.5 * (time.monotonic() - began) + 0.1
    assert serves_again(gateway.port), "those who left made no room"
