"""WebSockets through the proxy: bytes pass both ways as they come, whatever the other side does meanwhile."""

import os
import threading

import pytest
from harness.client import connect
from harness.gateway import PATIENCE
from harness.proxied import goes_on, proxy, upstream  # noqa: F401

# Over HTTP/2 WebSockets are not offered.
pytestmark = pytest.mark.http1

KEY = "x" * 22 + "=="
ASK = (
    "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
).encode()
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
SIZE = 2_000_000


def open_tunnel(gateway, upstream, **more):
    """Both ends of a tunnel."""
    client = connect(gateway.port, **more)
    client.send(ASK)
    server = upstream.accept()
    assert server.fields["upgrade"] == "websocket" and server.fields["sec-websocket-key"] == KEY
    server.send(SWITCH)
    head = client.head()
    assert head.status == 101 and head["Upgrade"] == "websocket" and head["Connection"].lower() == "upgrade"
    return client, server


def frame(payload, mask=None):
    """A text message (RFC 6455, section 5.2)."""
    size = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2)
    if mask is None:
        return b"\x81" + size + payload
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return b"\x81" + bytes([size[0] | 0x80]) + size[1:] + mask + masked


def message(connection):
    """The next message, unmasked."""
    first, second = connection.exactly(2)
    assert first == 0x81
    size = second & 0x7F
    if size == 126:
        size = int.from_bytes(connection.exactly(2))
    mask = connection.exactly(4) if second & 0x80 else bytes(4)
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(connection.exactly(size)))


def aside(work):
    """Runs something in a thread, whose end `join` waits for."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_messages_are_echoed_one_by_one(proxy, upstream):
    client, server = open_tunnel(proxy(), upstream)
    for text in [b"hello", b"", "grüße".encode(), b"x" * 1000]:
        client.send(frame(text, mask=b"abcd"))
        received = message(server)
        assert received == text
        server.send(frame(received))
        assert message(client) == text
    # The server may speak unasked.
    server.send(frame(b"news"))
    assert message(client) == b"news"
    client.close()
    assert server.ended()


def test_what_comes_with_the_handshake_is_not_lost(proxy, upstream):
    gateway = proxy()
    client = connect(gateway.port)
    client.send(ASK + frame(b"early", mask=b"abcd"))
    server = upstream.accept()
    server.send(SWITCH + frame(b"welcome"))
    assert client.head().status == 101
    assert message(client) == b"welcome" and message(server) == b"early"
    client.close()


def test_silence_ends_it_and_bytes_either_way_keep_it(proxy, upstream):
    client, server = open_tunnel(proxy(timeouts={"tunnel": "300ms"}), upstream)
    client.send(b"ping")
    assert server.exactly(4) == b"ping"
    server.send(b"pong")
    assert client.exactly(4) == b"pong"
    # Nobody says anything.
    assert client.ended() and server.ended()


@pytest.mark.parametrize("receive_buffer", [None, 4096], ids=["as fast as it goes", "to a slow reader"])
def test_two_megabytes_each_way_at_once(proxy, upstream, receive_buffer):
    gateway = proxy()
    client, server = open_tunnel(gateway, upstream, receive_buffer=receive_buffer)
    up, down = os.urandom(SIZE), os.urandom(SIZE)
    sending = [aside(lambda: client.send(up)), aside(lambda: server.send(down))]
    received = []
    reading = aside(lambda: received.append(server.exactly(SIZE)))
    if receive_buffer:
        # The upload is through before the first byte of the other direction is read.
        reading.join(PATIENCE)
        assert received == [up]
    assert client.exactly(SIZE) == down
    for thread in [*sending, reading]:
        thread.join(PATIENCE)
    assert received == [up]
    # It still stands.
    client.send(b"more")
    assert server.exactly(4) == b"more"
    client.close()


def test_a_reader_that_stops_holds_the_sender_back(proxy, upstream):
    gateway = proxy()
    client, server = open_tunnel(gateway, upstream, receive_buffer=4096)
    before = gateway.resident_kilobytes()
    server.socket.settimeout(0.5)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < 200_000_000:
            sent += server.socket.send(bytes(65536))
    assert gateway.resident_kilobytes() - before < 5_000
    client.close()
    server.socket.settimeout(PATIENCE)
    with pytest.raises(OSError):
        while True:
            server.send(bytes(65536))


@pytest.mark.parametrize("who", ["client", "server"])
@pytest.mark.parametrize("how", ["close", "reset"])
def test_when_one_side_goes_the_other_is_ended(proxy, upstream, who, how):
    client, server = open_tunnel(proxy(), upstream)
    going, other = (client, server) if who == "client" else (server, client)
    getattr(going, how)()
    assert other.rest() == b""


def test_without_a_change_of_protocols_it_is_an_ordinary_answer(proxy, upstream):
    gateway = proxy()
    with connect(gateway.port) as client:
        for _ in range(2):
            client.send(ASK)
            server = upstream.accept()
            server.answer("426 Upgrade Required")
            assert client.response().status == 426


def test_a_protocol_that_was_not_asked_for_is_502(proxy, upstream):
    gateway = proxy(retries=0)
    with connect(gateway.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n")
        server = upstream.accept()
        assert "upgrade" not in server.fields
        server.send(SWITCH)
        assert client.response().status == 502
