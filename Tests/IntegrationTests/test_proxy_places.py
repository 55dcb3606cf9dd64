"""A request has one place at its server, and gives it back once, however it ends."""

import contextlib

import pytest
from harness.client import ask, connect
from harness.gateway import free_ports, settings
from harness.proxied import ANSWER, EVENTS, OK, chunk, goes_on, upstream  # noqa: F401
from harness.raw import Closed, Connection

LONG = {"Content-Length": "1000000"}


def begin(connection, fields):
    """An upload of which ten bytes come."""
    more = {} if isinstance(connection, Connection) else {"end": False}
    exchange = connection.open("POST", "/", fields, **more)
    (exchange if hasattr(exchange, "send") else connection).send(b"0123456789")
    return exchange


class Ending:
    """Each is given a client's connection and plays the upstream."""

    def answered(self, connection, upstream):
        exchange = connection.open()
        upstream.accept().send(ANSWER)
        assert exchange.response().body == b"next"

    def closed_without_an_answer(self, connection, upstream):
        exchange = connection.open("POST")
        upstream.accept().close()
        assert exchange.response().status == 502

    def cut_off(self, connection, upstream):
        exchange = connection.open()
        served = upstream.accept()
        served.send(OK + b"Content-Length: 9\r\n\r\nhalf")
        served.close()
        with pytest.raises(Closed):
            exchange.response()

    def no_http(self, connection, upstream):
        exchange = connection.open()
        served = upstream.accept()
        served.send(b"hello\r\n\r\n")
        assert exchange.response().status == 502

    def client_leaves_before_the_answer(self, connection, upstream):
        exchange = connection.open()
        served = upstream.accept()
        exchange.close()
        assert served.ended()

    def client_leaves_a_stream(self, connection, upstream):
        exchange = connection.open()
        served = upstream.accept()
        served.send(EVENTS + chunk(b"data: 1\n\n"))
        assert exchange.head().status == 200
        exchange.close()
        assert served.ended()

    def client_leaves_an_upload(self, connection, upstream):
        exchange = begin(connection, LONG)
        served = upstream.accept()
        assert served.exactly(10)
        exchange.close()
        assert served.ended()

    def answered_early(self, connection, upstream):
        exchange = begin(connection, LONG)
        served = upstream.accept()
        assert served.exactly(10)
        served.send(ANSWER)
        assert exchange.response().body == b"next"

    def body_too_large(self, connection, upstream):
        if not isinstance(connection, Connection):
            exchange = connection.open("POST", "/small", end=False)
            exchange.send(b"0123456789")
        else:
            exchange = connection.open("POST", "/small", {"Transfer-Encoding": "chunked"})
            connection.send(chunk(b"0123456789"))
        served = upstream.accept()
        assert served.until(b"0123456789\r\n")
        (exchange if hasattr(exchange, "send") else connection).send(
            b"x" * 50 if hasattr(exchange, "send") else chunk(b"x" * 50)
        )
        assert exchange.response().status == 413
        assert served.ended()

    def stream_refused(self, connection, upstream):
        exchange = connection.open(path="/none")
        served = upstream.accept()
        served.send(EVENTS)
        assert exchange.response().status == 429
        assert served.ended()

    def tunnel_ended_by_its_client(self, connection, upstream):
        served = self._tunnel(connection, upstream)
        connection.close()
        assert served.ended()

    def tunnel_ended_by_its_upstream(self, connection, upstream):
        self._tunnel(connection, upstream).close()
        assert connection.ended()

    def _tunnel(self, connection, upstream):
        connection.open(fields={"Connection": "upgrade", "Upgrade": "websocket"})
        served = upstream.accept()
        served.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert connection.head().status == 101
        return served


ENDINGS = [name for name in vars(Ending) if not name.startswith("_")]


@pytest.fixture
def gateway(start, upstream):
    def gateway(**options):
        app = {
            "servers": f"http://127.0.0.1:{upstream.port}",
            "connections": 1,
            "queue": {"size": 0},
            "retries": 0,
            "passive": {"failures": 0},
            **options,
        }
        proxy = {"upstream": "app", "upgrade": ["websocket"]}
        routes = [
            {"match": "/ok", "respond": "ok"},
            {"match": "/small", "proxy": proxy, "limits": {"body": "20"}},
            {"match": "/none", "proxy": proxy, "limits": {"streams": "1"}},
            {"match": "/**", "proxy": proxy},
        ]
        # One worker: what one client sees first, another one does not see later.
        return start(settings(topics={}, workers="1", upstreams={"app": app}, routes=routes))

    return gateway


@pytest.mark.parametrize("name", ENDINGS)
def test_one_place_stays_one_place(gateway, upstream, protocol, name):
    if name.startswith("tunnel") and protocol == "h2":
        pytest.skip("tunnels are for HTTP/1.1")
    running = gateway()
    with contextlib.ExitStack() as stack:
        if name == "stream_refused":
            # The client has a stream already, and its place at the server stays taken.
            running = gateway(connections=2)
            other = stack.enter_context(connect(running.port))
            stream = other.open(path="/none")
            served = upstream.accept()
            stack.enter_context(contextlib.closing(served))
            served.send(EVENTS + chunk(b"data: 1\n\n"))
            assert stream.head().status == 200
        connection = stack.enter_context(connect(running.port))
        getattr(Ending(), name)(connection, upstream)
        for _ in range(2):
            holder = stack.enter_context(connect(running.port))
            held = holder.open(path="/held")
            served = upstream.accept()
            assert served.line == "GET /held HTTP/1.1", "given back"
            assert ask(running.port, path="/over").status == 503, "and not twice"
            served.send(ANSWER)
            assert held.response().body == b"next"
            served.close()


def test_who_leaves_the_queue_makes_room_in_it(gateway, upstream):
    running = gateway(queue={"size": 1})
    with connect(running.port) as first, connect(running.port) as second, connect(running.port) as third:
        exchange = first.open(path="/first")
        served = upstream.accept()
        waiting = second.open(path="/second")
        assert ask(running.port, path="/over").status == 503, "the queue is full"
        waiting.close()
        assert ask(running.port, path="/ok").status == 200, "by now that was seen"
        waiting = third.open(path="/third")
        served.send(OK + b"Content-Length: 4\r\nConnection: close\r\n\r\nnext")
        assert exchange.response().body == b"next"
        served = upstream.accept()
        assert served.line == "GET /third HTTP/1.1"
        served.send(ANSWER)
        assert waiting.response().body == b"next"


def test_a_server_that_is_not_there_takes_no_place(gateway):
    running = gateway(servers=f"http://127.0.0.1:{free_ports(1)[0]}")
    assert [ask(running.port).status for _ in range(5)] == [502] * 5
