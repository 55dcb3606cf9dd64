"""Bodies on their way through the proxy: clients that leave, either side slow, with bounded memory."""

import contextlib
import queue
import socket
import threading

import pytest
from harness.client import connect
from harness.gateway import settings
from harness.proxied import ANSWER, EVENTS, OK, chunk, expect_nobody, goes_on, proxy, upstream  # noqa: F401
from harness.upstream import Exchange

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def begin(connection, length, method="POST"):
    """An upload whose body comes later."""
    more = {} if hasattr(connection, "head") else {"end": False}
    return connection.open(method, "/", {"Content-Length": length}, **more)


def push(exchange, data, end=False):
    if hasattr(exchange, "send"):
        exchange.send(data, end)
    else:
        exchange.connection.send(data)


class TestUploads:
    def test_an_answer_may_come_before_the_end(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = begin(connection, 1_000_000)
            push(exchange, b"x" * 10)
            served = upstream.accept()
            assert served.exactly(10) == b"x" * 10
            served.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!")
            response = exchange.response()
            assert (response.status, response.body) == (413, b"no!")

    def test_a_server_that_closes_in_the_middle_is_502(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = begin(connection, 1_000_000, "PUT")
            push(exchange, b"x" * 10)
            served = upstream.accept()
            served.exactly(10)
            served.close()
            assert exchange.response().status == 502
        expect_nobody(upstream)


    def test_a_client_that_stops_sending_is_408_and_no_fault_of_the_server(self, proxy, upstream):
        gateway = proxy(timeouts={"idle": "100ms"}, passive={"failures": 1})
        with connect(gateway.port) as connection:
            exchange = begin(connection, 10)
            served = upstream.accept()
            assert exchange.response().status == 408
            assert served.ended()
        with connect(gateway.port) as connection:
            exchange = connection.open()
            upstream.accept().send(ANSWER)
            assert exchange.response().status == 200

    @pytest.mark.http1
    def test_who_waits_for_100_is_not_hurried(self, proxy, upstream):
        gateway = proxy(timeouts={"idle": "100ms"}, top={"limits": {"request_head_timeout": "100ms"}})
        with connect(gateway.port) as connection, connect(gateway.port) as clock:
            connection.send(b"PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
            served = upstream.accept()
            clock.send(b"GET ")
            assert clock.response().status == 408
            served.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert connection.head().status == 100
            connection.send(b"hi")
            assert served.exactly(2) == b"hi"
            served.send(ANSWER)
            assert connection.response().body == b"next"

    @pytest.mark.http1
    def test_an_upload_whose_last_piece_had_to_wait_is_whole(self, start, tmp_path):
        """Of some of these sizes it is the last piece that the socket does not take at once."""
        path = str(tmp_path / "app.sock")
        app = {"servers": f"unix:{path}", "timeouts": {"idle": "100ms"}}
        with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as stack:
            listener.bind(path)
            listener.listen()
            gateway = start(
                settings(
                    topics={},
                    upstreams={"app": app},
                    routes=[{"match": "/ok", "respond": "ok"}, {"match": "/**", "proxy": "app"}],
                    limits={"request_head_timeout": "300ms"},
                )
            )
            uploads = []
            for size in range(128 << 10, 400 << 10, 16 << 10):
                client = stack.enter_context(connect(gateway.port))
                client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
                served = Exchange(listener.accept()[0])
                uploads.append((client, served, size))
            for client, _, size in uploads:
                client.send(b"x" * size)
            for _, served, size in uploads:
                served.exactly(size)
            # Longer than a client may be silent that has something to send.
            clock = stack.enter_context(connect(gateway.port))
            clock.send(b"GET ")
            assert clock.response().status == 408
            for client, served, _ in uploads:
                served.send(ANSWER)
                assert client.response().status == 200

    def test_a_stream_that_began_before_the_end_has_its_heartbeats(self, proxy, upstream):
        gateway = proxy({"heartbeat": "50ms"}, timeouts={"idle": "200ms"})
        with connect(gateway.port) as connection:
            exchange = begin(connection, 4)
            push(exchange, b"ab")
            served = upstream.accept()
            assert served.exactly(2) == b"ab"
            served.send(EVENTS)
            assert exchange.head().status == 200
            push(exchange, b"cd", end=True)
            assert served.exactly(2) == b"cd"
            # Longer than an upstream may be silent whose answer is no stream.
            received = b""
            while received.count(b": \n") < 8:
                received += exchange.piece()

    def test_a_client_that_waits_is_told_to_go_on(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            more = {} if hasattr(connection, "head") else {"end": False}
            exchange = connection.open("POST", "/", {"Expect": "100-continue", "Content-Length": 5}, **more)
            served = upstream.accept()
            assert served.fields["expect"] == "100-continue"
            served.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            assert exchange.head().status == 100
            push(exchange, b"hello", end=True)
            assert served.exactly(5) == b"hello"
            served.send(ANSWER)
            assert exchange.response().body == b"next"

    def test_one_that_nothing_came_of_is_sent_again(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = begin(connection, 5, "PUT")
            upstream.accept().close()
            served = upstream.accept()
            push(exchange, b"hello", end=True)
            assert served.exactly(5) == b"hello"
            served.send(ANSWER)
            assert exchange.response().body == b"next"


class TestClientsThatLeave:
    def test_before_the_answer(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            exchange.close()
            assert served.ended()
        expect_nobody(upstream)

    @pytest.mark.parametrize(
        "head", [EVENTS, CHUNKED, OK + b"Content-Length: 100\r\n\r\n"], ids=["events", "chunked", "length"]
    )
    def test_in_the_middle_of_a_body(self, proxy, upstream, head):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(head + chunk(b"data: 1\n\n"))
            assert exchange.head().status == 200
            exchange.close()
            assert served.ended()

    def test_in_the_middle_of_an_upload(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = begin(connection, 1_000_000)
            push(exchange, b"x" * 10)
            served = upstream.accept()
            served.exactly(10)
            exchange.close()
            assert served.ended()


MEGABYTE = 1 << 20
TOTAL = 100 * MEGABYTE
ROOM = 30_000  # Kilobytes: windows and buffers, not bodies.


class Pump(threading.Thread):
    """Sends many megabytes by `send`, and tells of each."""

    def __init__(self, send):
        super().__init__(daemon=True)
        self.send = send
        self.sent = queue.Queue()
        self.start()

    def run(self):
        for number in range(1, TOTAL // MEGABYTE + 1):
            self.send(b"x" * MEGABYTE)
            self.sent.put(number)

    def stalled(self):
        """How many it sent until it came no further."""
        number = 0
        with contextlib.suppress(queue.Empty):
            while number < TOTAL // MEGABYTE:
                number = self.sent.get(timeout=1)
        return number


def drained(exchange):
    """Reads a body to its end, as bytes that nobody keeps."""
    count = 0
    while count < TOTAL and (piece := exchange.piece()):
        count += len(piece)
    return count


class TestSlowness:
    def test_an_upstream_that_reads_nothing_holds_its_client(self, proxy, upstream):
        gateway = proxy()
        before = gateway.resident_kilobytes()
        with connect(gateway.port) as connection:
            exchange = begin(connection, TOTAL)
            served = upstream.accept()
            pump = Pump(lambda data: push(exchange, data))
            assert pump.stalled() < TOTAL // MEGABYTE
            assert gateway.resident_kilobytes() - before < ROOM
            left = TOTAL - len(served.buffer)
            while left:
                left -= len(served.socket.recv(min(left, MEGABYTE)))
            pump.join()
            push(exchange, b"", end=True)
            served.send(ANSWER)
            assert exchange.response().body == b"next"
            assert gateway.resident_kilobytes() - before < ROOM

    def test_a_client_that_reads_nothing_holds_its_upstream(self, proxy, upstream):
        gateway = proxy()
        before = gateway.resident_kilobytes()
        with connect(gateway.port, receive_buffer=65536) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(OK + b"Content-Length: %d\r\n\r\n" % TOTAL)
            pump = Pump(served.send)
            assert pump.stalled() < TOTAL // MEGABYTE
            assert gateway.resident_kilobytes() - before < ROOM
            assert exchange.head().status == 200
            assert drained(exchange) == TOTAL
            assert gateway.resident_kilobytes() - before < ROOM
