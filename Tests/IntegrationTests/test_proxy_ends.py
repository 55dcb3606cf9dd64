"""Ends: upstreams that close early, late or on one side alone, clients that are slow meanwhile, tunnels that end."""

import contextlib
import fcntl
import os
import pathlib
import signal
import socket
import ssl
import struct
import termios
import threading

import pytest
from harness.client import connect
from harness.gateway import PATIENCE, settings
from harness.proxied import ANSWER, EVENTS, OK, chunk, goes_on, proxy, upstream  # noqa: F401
from harness.raw import Closed, Connection
from harness.upstream import Scripted

MEGABYTE = 1 << 20
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = OK + b"\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
WANTED = {"Connection": "upgrade", "Upgrade": "websocket"}


def in_background(action, *arguments):
    thread = threading.Thread(target=action, args=arguments, daemon=True)
    thread.start()
    return thread


def ended(thread):
    thread.join(PATIENCE)
    assert not thread.is_alive()


def drained(exchange, length=None):
    """The length of a body, and whether it came to its end: the one that was announced, or the end of its bytes."""
    count = 0
    try:
        while count != length and (piece := exchange.piece()) is not None:
            count += len(piece)
    except Closed:
        return count, False
    return count, True


def received(connected, count):
    """How much comes, up to so much."""
    got = 0
    with contextlib.suppress(ConnectionError):
        while got < count and (data := connected.recv(MEGABYTE)):
            got += len(data)
    return got


def expect_all_arrived(connected):
    """The other side's system has all that was sent."""
    while struct.unpack("i", fcntl.ioctl(connected, termios.TIOCOUTQ, bytes(4)))[0]:
        pass


@contextlib.contextmanager
def stopped(gateway):
    """What happens within, the gateway sees at once when it goes on."""
    os.kill(gateway.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, gateway.pid, os.WSTOPPED)
    try:
        yield
    finally:
        os.kill(gateway.pid, signal.SIGCONT)


ANSWERS = {
    "length": OK + b"Content-Length: %d\r\n\r\n" % (2 * MEGABYTE) + b"x" * 2 * MEGABYTE,
    "chunked": CHUNKED + chunk(b"x" * MEGABYTE) * 2 + b"0\r\n\r\n",
    "until close": UNTIL_CLOSE + b"x" * 2 * MEGABYTE,
}


class TestSlowClients:
    @pytest.mark.parametrize("name", ANSWERS)
    @pytest.mark.parametrize("half", [True, False], ids=["half", "whole"])
    def test_get_all_of_an_answer_whose_upstream_has_gone(self, proxy, upstream, name, half):
        gateway = proxy()
        with connect(gateway.port, receive_buffer=65536) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(ANSWERS[name])
            if half:
                served.socket.shutdown(socket.SHUT_WR)
            else:
                served.close()
            head = exchange.head()
            assert head.status == 200
            assert drained(exchange, head["Content-Length"] and 2 * MEGABYTE) == (2 * MEGABYTE, True)

    @pytest.mark.h2
    @pytest.mark.parametrize("half", [True, False], ids=["half", "whole"])
    def test_cost_nothing_meanwhile(self, proxy, upstream, half):
        gateway = proxy({"heartbeat": "50ms"})
        with connect(gateway.port, window=1000) as connection, connect(gateway.port) as other:
            stream = other.open()
            beating = upstream.accept()
            beating.send(EVENTS + chunk(b"data: 1\n\n"))
            exchange = connection.open()
            served = upstream.accept()
            # More than the gateway reads at once.
            served.send(CHUNKED + chunk(b"x" * 60_000) + b"0\r\n\r\n")
            expect_all_arrived(served.socket)
            if half:
                served.socket.shutdown(socket.SHUT_WR)
            else:
                served.close()
            before = gateway.processor_seconds()
            # A loop that is told of the end in every tick would run all the time that these take.
            stream.head()
            assert all(stream.piece() for _ in range(20))
            assert gateway.processor_seconds() - before < 0.1
            assert exchange.head().status == 200
            assert drained(exchange) == (60_000, True)

    @pytest.mark.http1
    def test_get_all_of_an_answer_while_they_upload_and_its_upstream_has_ended_its_side(self, proxy, upstream):
        """Neither direction waits for the other."""
        gateway = proxy()
        with connect(gateway.port, receive_buffer=65536) as connection:
            exchange = connection.open("POST", "/", {"Content-Length": 8 * MEGABYTE})
            served = upstream.accept()
            # So that it takes less than the client sends.
            served.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            served.send(OK + b"Content-Length: 290000\r\n\r\n" + b"x" * 290_000)
            served.socket.shutdown(socket.SHUT_WR)
            expect_all_arrived(served.socket)
            sending = in_background(connection.send, b"y" * 8 * MEGABYTE)
            assert len(served.buffer) + received(served.socket, 8 * MEGABYTE - len(served.buffer)) == 8 * MEGABYTE
            ended(sending)
            assert exchange.head().status == 200
            assert drained(exchange, 290_000) == (290_000, True)

    @pytest.mark.h2
    def test_see_the_end_that_tls_told_although_the_connection_stays(self, start, authority):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        issued = authority.issue()
        context.load_cert_chain(issued["certificate"], issued["key"])
        upstream = Scripted(tls=context)
        app = {"servers": f"https://127.0.0.1:{upstream.port}", "tls": {"ca": str(authority.certificate)}}
        routes = [{"match": "/ok", "respond": "ok"}, {"match": "/**", "proxy": "app"}]
        gateway = start(settings(topics={}, upstreams={"app": app}, routes=routes))
        with contextlib.closing(upstream), connect(gateway.port, window=1000) as connection:
            exchange = connection.open()
            served = upstream.accept()
            with stopped(gateway):
                served.send(UNTIL_CLOSE + b"x" * 10_000)
                served.socket.setblocking(False)
                # Says the end, and would wait for the other side to say it too.
                with pytest.raises(ssl.SSLWantReadError):
                    served.socket.unwrap()
                expect_all_arrived(served.socket)
            assert exchange.head().status == 200
            assert drained(exchange) == (10_000, True)


def begin(connection, length, method="POST"):
    """An upload whose body comes later."""
    more = {} if isinstance(connection, Connection) else {"end": False}
    return connection.open(method, "/", {"Content-Length": length}, **more)


def push(exchange, data):
    if hasattr(exchange, "send"):
        exchange.send(data)
    else:
        exchange.connection.send(data)


class TestUploads:
    @pytest.mark.parametrize("size", [3, 60_000])
    def test_an_early_answer_is_whole_although_the_upstream_resets(self, proxy, upstream, size):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = begin(connection, 8 * MEGABYTE)
            push(exchange, b"y" * 10)
            served = upstream.accept()
            served.exactly(10)
            push(exchange, b"y" * 20_000)
            served.socket.recv(1, socket.MSG_PEEK)
            with stopped(gateway):
                push(exchange, b"y" * 20_000)
                served.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
                expect_all_arrived(served.socket)
                # With bytes unread, which makes its system send a reset.
                served.close()
            assert exchange.head().status == 413
            assert drained(exchange, size) == (size, True)

    def test_an_upstream_that_ends_its_side_without_an_answer_is_502(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = begin(connection, MEGABYTE)
            push(exchange, b"y" * 10)
            served = upstream.accept()
            served.exactly(10)
            served.socket.shutdown(socket.SHUT_WR)
            assert exchange.response().status == 502
            assert served.ended()

    def test_an_upstream_that_ends_its_side_in_the_middle_of_its_answer_is_seen(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = begin(connection, MEGABYTE)
            push(exchange, b"y" * 10)
            served = upstream.accept()
            served.exactly(10)
            served.send(CHUNKED + chunk(b"half"))
            assert exchange.head().status == 200
            served.socket.shutdown(socket.SHUT_WR)
            assert drained(exchange) == (4, False)

    def test_an_answer_that_the_upstreams_end_ends_may_come_before_the_upload_is_done(self, proxy, upstream):
        gateway = proxy()
        with connect(gateway.port) as connection:
            exchange = begin(connection, MEGABYTE)
            push(exchange, b"y" * 10)
            served = upstream.accept()
            served.exactly(10)
            served.send(UNTIL_CLOSE + b"early")
            served.socket.shutdown(socket.SHUT_WR)
            assert exchange.head().status == 200
            assert drained(exchange) == (5, True)


@pytest.fixture
def tunnel(proxy, upstream):
    """A tunnel: both its ends, and the gateway."""
    opened = []

    def tunnel(**options):
        gateway = proxy({"upgrade": ["websocket"]}, **options)
        connection = connect(gateway.port, receive_buffer=65536)
        opened.append(connection)
        connection.open(fields=WANTED)
        served = upstream.accept()
        served.send(SWITCHED)
        assert connection.head().status == 101
        return gateway, connection, served

    yield tunnel
    for connection in opened:
        connection.close()


@pytest.mark.http1
class TestTunnels:
    def test_what_the_client_sent_before_it_left_reaches_a_slow_upstream(self, tunnel):
        _, connection, served = tunnel()
        sending = in_background(lambda: (connection.send(b"y" * 24 * MEGABYTE), connection.socket.shutdown(socket.SHUT_WR)))
        count = 0
        while sending.is_alive():
            count += len(served.socket.recv(65536))
        # All of it is on its way, the end too, and much of it still before the gateway.
        assert count + received(served.socket, 25 * MEGABYTE) == 24 * MEGABYTE
        assert connection.ended()

    def test_what_the_upstream_sent_before_it_left_reaches_a_slow_client(self, tunnel):
        _, connection, served = tunnel()
        sending = in_background(lambda: (served.send(b"x" * 8 * MEGABYTE), served.close()))
        count = 0
        while sending.is_alive():
            count += len(connection.socket.recv(4096))
        assert count + received(connection.socket, 9 * MEGABYTE) == 8 * MEGABYTE

    def test_a_client_that_goes_on_does_not_lose_what_the_upstream_said_last(self, tunnel):
        gateway, connection, served = tunnel()
        connection.send(b"never read")
        served.socket.recv(1, socket.MSG_PEEK)
        with stopped(gateway):
            connection.send(b"more")
            served.send(b"x" * 60_000)
            expect_all_arrived(served.socket)
            # With bytes unread, which makes its system send a reset.
            served.close()
        assert received(connection.socket, MEGABYTE) == 60_000

    @pytest.mark.parametrize("how", [socket.SHUT_WR, socket.SHUT_RDWR], ids=["half", "whole"])
    def test_one_side_that_ends_ends_the_other(self, tunnel, how):
        _, connection, served = tunnel()
        served.socket.shutdown(how)
        assert connection.ended()
        _, connection, served = tunnel()
        connection.socket.shutdown(how)
        assert served.ended()

    def test_both_sides_at_once_slow_lose_nothing(self, tunnel):
        _, connection, served = tunnel()
        up = in_background(connection.send, b"y" * 4 * MEGABYTE)
        down = in_background(served.send, b"x" * 4 * MEGABYTE)
        assert received(connection.socket, 4 * MEGABYTE) == 4 * MEGABYTE
        assert received(served.socket, 4 * MEGABYTE) == 4 * MEGABYTE
        ended(up), ended(down)


def timer(port):
    """What the kernel's timer of the connection to this port is for (proc(5), /proc/net/tcp)."""
    wanted = f":{port:04X}"
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[2].endswith(wanted) and fields[3] == "01":
            return fields[5].split(":")[0]
    raise AssertionError("no connection")


@pytest.mark.http1
def test_a_server_that_is_gone_without_a_word_is_looked_for(proxy, upstream):
    gateway = proxy()
    with connect(gateway.port) as connection:
        exchange = connection.open()
        served = upstream.accept()
        served.send(EVENTS + chunk(b"data: 1\n\n"))
        assert exchange.head().status == 200
        assert timer(upstream.port) == "02", "keepalive"
        served.close()
