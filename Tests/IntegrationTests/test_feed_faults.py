"""What an upstream can do to a feed: each fault has its outcome and a line in the log that says which feed and why."""

import base64
import contextlib
import os
import socket
import ssl
import struct
import zlib

import pytest
from harness.client import publish
from harness.gateway import PATIENCE
from harness.sse import Stream
from harness.upstream import Exchange, Scripted
from test_feed import feeding, upstream  # noqa: F401  (a fixture)


@contextlib.contextmanager
def fed(start, url, topic=None, **source):
    """A gateway with a subscriber, and how its log names the feed and the reason."""
    gateway = start(feeding(url, topic, **source))
    with Stream(gateway.port) as stream:
        stream.opened()
        yield gateway, stream


def recovers(feed, stream, data="good"):
    """The feed asks again and goes on."""
    exchange = feed.accept()
    exchange.stream(f"data: {data}\n\n".encode())
    while (event := stream.next()).data != data:
        pass
    exchange.close()
    return event


@pytest.mark.parametrize(
    "answer, reason",
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n", "not text/event-stream but"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "not text/event-stream but missing"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "answered 500"),
        (b"HTTP/1.1 429 Slow down\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", "answered 429"),
        (b"HTTP/1.1 503 Later\r\nRetry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n", "answered 503"),
        (b"HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n", "refused with 401"),
        (b"HTTP/1.1 404 Where\r\nContent-Length: 0\r\n\r\n", "refused with 404"),
        (b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n", "without a Location"),
        (b"HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\n\r\n", "Location that cannot be asked"),
        (b"HTTP/1.1 302 Found\r\nLocation: //\r\n\r\n", "Location that cannot be asked"),
        (Exchange.OK + b"Content-Encoding: br\r\n\r\n", "coding is not known"),
        (Exchange.OK + b"Content-Encoding: gzip\r\n\r\ndata: plain\n\n", "compressed content is corrupt"),
        (Exchange.OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 70_000 + b"\r\n\r\n", "no HTTP"),
        (b"\x16\x03\x01 TLS perhaps\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Ty", "closed the connection without an answer"),
        (b"", "closed the connection without an answer"),
    ],
)
def test_a_bad_answer_says_what_it_is(start, upstream, answer, reason):
    feed = upstream()
    retry = {"initial": "100ms", "maximum": "300ms", "refused": "100ms"}
    with fed(start, feed.url, retry=retry) as (gateway, stream):
        exchange = feed.accept()
        exchange.send(answer)
        exchange.close()
        line = gateway.wait_for_log(reason)
        assert "feed=feed" in line
        recovers(feed, stream)


def test_a_loop_of_redirects_ends_and_is_tried_again(start, upstream):
    feed = upstream()
    with fed(start, feed.url) as (gateway, stream):
        for _ in range(6):
            feed.accept().answer("302 Found", "Location: /feed")
        gateway.wait_for_log("redirected more than 5 times")
        recovers(feed, stream)


def test_a_permanent_redirect_is_remembered_until_it_fails(start, upstream):
    feed = upstream()
    other = upstream()
    with fed(start, feed.url, headers={"X-Key": "k"}, credentials={"bearer": "very-secret"}) as (gateway, stream):
        first = feed.accept()
        assert first.fields["authorization"] == "Bearer very-secret"
        assert first.fields["x-key"] == "k"
        first.answer("308 Moved", f"Location: {other.url}")
        for data in ("one", "two"):
            exchange = other.accept()
            assert "authorization" not in exchange.fields and "x-key" not in exchange.fields
            exchange.stream(f"data: {data}\n\n".encode())
            assert stream.next().data == data
            exchange.close()
        other.accept().answer("500 Oops")
        again = feed.accept()
        assert again.fields["authorization"] == "Bearer very-secret"
        again.close()
        assert "very-secret" not in gateway.log()


def test_basic_credentials_are_sent(start, upstream):
    feed = upstream()
    with fed(start, feed.url, credentials={"basic": {"user": "me", "password": "pass:wörd"}}):
        exchange = feed.accept()
        scheme, value = exchange.fields["authorization"].split(" ")
        assert scheme == "Basic" and base64.b64decode(value).decode() == "me:pass:wörd"
        exchange.close()


def test_half_an_event_and_then_silence(start, upstream):
    feed = upstream()
    with fed(start, feed.url, idle_timeout="300ms") as (gateway, stream):
        exchange = feed.accept()
        exchange.stream(b"id: 1\ndata: whole\n\nid: 2\ndata: half")
        assert stream.next().data == "whole"
        gateway.wait_for_log("nothing came for 300 ms")
        again = feed.accept()
        assert again.fields["last-event-id"] == "1"
        again.stream(b"id: 2\ndata: half no more\n\n")
        assert stream.next().data == "half no more"
        again.close()
        exchange.close()


def test_an_upstream_that_accepts_and_says_nothing(start, upstream):
    feed = upstream()
    with fed(start, feed.url, idle_timeout="300ms") as (gateway, stream):
        silent = feed.accept()
        gateway.wait_for_log("gave no answer in time")
        recovers(feed, stream)
        silent.close()


def test_an_endless_line_takes_no_memory_and_is_said_once(start, upstream):
    feed = upstream()
    with fed(start, feed.url) as (gateway, stream):
        exchange = feed.accept()
        exchange.stream(b"data: begin\n\n")
        stream.next()
        before = gateway.resident_kilobytes()
        for _ in range(64):
            exchange.send(b"x" * 1_048_576)
        exchange.send(b"\n\ndata: after\n\n")
        assert stream.next().data == "after"
        assert gateway.resident_kilobytes() < before + 16_384
        assert gateway.log().count("over the limit") == 1
        exchange.close()


def test_binary_is_repaired_and_said_once(start, upstream):
    feed = upstream()
    with fed(start, feed.url) as (gateway, stream):
        exchange = feed.accept()
        noise = os.urandom(65_536).replace(b"\n", b"").replace(b"\r", b"")
        exchange.stream(noise + b"\n\ndata: \xff\xfe\n\ndata: \x80\n\ndata: after\n\n")
        while (event := stream.next()).data != "after":
            assert set(event.data) <= set("\ufffd")
        assert "feed=feed" in gateway.wait_for_log("not UTF-8")
        assert gateway.log().count("not UTF-8") == 1
        exchange.close()


def test_a_reset_in_the_middle(start, upstream):
    feed = upstream()
    with fed(start, feed.url) as (gateway, stream):
        exchange = feed.accept()
        exchange.stream(b"data: one\n\ndata: half")
        stream.next()
        exchange.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        exchange.socket.close()
        gateway.wait_for_log("ECONNRESET")
        recovers(feed, stream)


def test_a_drip_is_life(start, upstream):
    feed = upstream()
    with fed(start, feed.url) as (gateway, stream):
        exchange = feed.accept()
        for byte in Exchange.OK + b"\r\n: slow\ndata: drip\n\n":
            exchange.send(bytes([byte]))
        assert stream.next().data == "drip"
        exchange.close()


def test_gzip_is_decoded_as_it_comes_and_may_break_off(start, upstream):
    feed = upstream()
    with fed(start, feed.url) as (gateway, stream):
        exchange = feed.accept()
        assert exchange.fields["accept-encoding"] == "gzip"
        exchange.send(exchange.OK + b"Content-Encoding: gzip\r\n\r\n")
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        for number in range(3):
            exchange.send(packer.compress(f"id: {number}\ndata: {number}\n\n".encode()))
            exchange.send(packer.flush(zlib.Z_SYNC_FLUSH))
            assert stream.next().data == str(number)
        exchange.close()
        gateway.wait_for_log("compressed content ended in the middle")
        again = feed.accept()
        assert again.fields["last-event-id"] == "2"
        again.close()


@pytest.mark.parametrize(
    "sent, asked",
    [
        (b"data: 1\n\n", None),
        (b"id: 1\ndata: 1\n\n", "1"),
        (b"id: 1\ndata: 1\n\ndata: 2\n\n", "1"),
        (b"id: 1\ndata: 1\n\nid:\ndata: 2\n\n", None),
        (b"id: 1\ndata: 1\n\nid\ndata: 2\n\n", None),
        (b"id: a\0b\ndata: 1\n\n", None),
        (b"id: 1\ndata: 1\n\nid: a\0b\ndata: 2\n\n", "1"),
        (b"data: 1\n\nid: 7\n\n", "7"),
        (b"id: 1\ndata: 1\n\nid: 2\ndata: half\n", "1"),
        (b"\xef\xbb\xbfid: 1\ndata: 1\n\n\xef\xbb\xbfid: 2\ndata: 2\n\n", "1"),
        ("id: ü …\ndata: 1\n\n".encode(), "ü …"),
        (b"id: " + b"x" * 5000 + b"\ndata: 1\n\n", None),
        (b"id: \x01\ndata: 1\n\n", None),
    ],
)
def test_the_cursor(start, upstream, sent, asked):
    feed = upstream()
    with fed(start, feed.url) as (gateway, stream):
        exchange = feed.accept()
        assert "last-event-id" not in exchange.fields
        exchange.stream(sent)
        stream.next()
        exchange.close()
        again = feed.accept()
        value = again.fields.get("last-event-id")
        assert (value and value.encode("latin-1").decode()) == asked
        again.close()


def test_what_is_sent_again_after_a_reconnect_arrives_once(start, upstream):
    feed = upstream()
    with fed(start, feed.url) as (gateway, stream):
        exchange = feed.accept()
        exchange.stream(b"id: 1\ndata: one\n\nid: 2\ndata: two\n\n")
        assert [event.data for event in stream.events(2)] == ["one", "two"]
        exchange.close()
        exchange = feed.accept()
        exchange.stream(b"id: 1\ndata: one\n\nid: 2\ndata: two\n\nid: 3\ndata: three\n\n")
        assert stream.next().data == "three"
        exchange.close()


def test_an_upstream_that_repeats_its_ids_is_not_deduplicated(start, upstream):
    feed = upstream()
    with fed(start, feed.url) as (gateway, stream):
        for _ in range(2):
            exchange = feed.accept()
            exchange.stream(b"id: 0\ndata: a\n\nid: 0\ndata: b\n\nid: 0\ndata: c\n\n")
            assert [event.data for event in stream.events(3)] == ["a", "b", "c"]
            exchange.close()
        assert gateway.log().count("repeats ids") == 1


def test_several_feeds_share_a_topic_under_upstream_ids(start, upstream):
    feeds = [upstream(), upstream()]
    base = feeding(feeds[0].url, {"ids": "upstream", "sources": ["a", "b"]})
    retry = {"initial": "100ms", "maximum": "300ms"}
    base["sources"] = {
        name: {"url": feed.url, "retry": retry, "id_prefix": f"{name}-"} for name, feed in zip("ab", feeds)
    }
    gateway = start(base)
    with Stream(gateway.port) as stream:
        stream.opened()
        exchanges = [feed.accept() for feed in feeds]
        for exchange, name in zip(exchanges, "ab"):
            exchange.stream(f"id: 1\ndata: {name}\n\n".encode())
            event = stream.next()
            assert (event.data, event.id) == (name, f"{name}-1")
        for feed, exchange in zip(feeds, exchanges):
            exchange.close()
            again = feed.accept()
            assert again.fields["last-event-id"] == "1"
            again.close()


class TestTLS:
    def test_a_certificate_that_is_expired_or_for_another_name_is_said(self, start, upstream, authority):
        for names, days, words in [([], -1, "expired"), (["other.example"], 20, "other.example")]:
            certificate = authority.issue(*names, days=days)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate["certificate"], certificate["key"])
            feed = upstream(tls=context)
            gateway = start(feeding(feed.url, ca=str(authority.certificate)))
            with pytest.raises((ssl.SSLError, ConnectionError)):
                feed.accept()
            assert "feed=feed" in gateway.wait_for_log(words)

    @pytest.mark.parametrize("garbage", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x03\xff\xff" + b"\0" * 100, b""])
    def test_garbage_in_place_of_tls(self, start, upstream, garbage):
        feed = upstream()
        gateway = start(feeding(feed.url.replace("http:", "https:")))
        plain, _ = feed._listener.accept()
        plain.settimeout(PATIENCE)
        plain.recv(1)
        plain.sendall(garbage)
        plain.shutdown(socket.SHUT_WR)
        line = gateway.wait_for_log("feed down")
        assert "feed=feed" in line and "TLS" in line
        plain.close()
        # It comes again.
        feed._listener.accept()[0].close()

    def test_a_client_certificate_is_shown(self, start, upstream, authority):
        server = authority.issue()
        client = authority.issue("client.example", usage="clientAuth")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server["certificate"], server["key"])
        context.load_verify_locations(authority.certificate)
        context.verify_mode = ssl.CERT_OPTIONAL
        feed = upstream(tls=context)
        with fed(start, feed.url, ca=str(authority.certificate), client_certificate=client) as (gateway, stream):
            exchange = feed.accept()
            shown = exchange.socket.getpeercert()
            assert shown and ("DNS", "client.example") in shown["subjectAltName"]
            exchange.stream(b"data: mutual\n\n")
            assert stream.next().data == "mutual"
            exchange.close()

    def test_a_missing_client_certificate_is_said(self, start, upstream, authority):
        server = authority.issue()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server["certificate"], server["key"])
        context.load_verify_locations(authority.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        feed = upstream(tls=context)
        gateway = start(feeding(feed.url, ca=str(authority.certificate)))
        with pytest.raises((ssl.SSLError, ConnectionError)):
            feed.accept()
        assert "certificate" in gateway.wait_for_log("feed down")

    def test_a_cut_without_close_notify_is_no_end(self, start, upstream, authority):
        server = authority.issue()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(server["certificate"], server["key"])
        feed = upstream(tls=context)
        with fed(start, feed.url, ca=str(authority.certificate)) as (gateway, stream):
            exchange = feed.accept()
            exchange.stream(b"data: one\n\n")
            stream.next()
            exchange.close()
            gateway.wait_for_log("without close_notify")
            recovers(feed, stream)


def test_a_gateway_that_restarts_is_resumed_by_the_next_one_in_the_chain(start, tmp_path):
    from harness.gateway import free_ports, settings

    [port] = free_ports(1)
    first = settings({"opening_id": "on"})
    first["listeners"] = [f"127.0.0.1:{port}"]
    one = start(first)
    second = start(feeding(one.url("/events"), idle_timeout="5s"))
    with Stream(second.port) as stream:
        stream.opened()
        while publish(port, "until connected")["subscribers"] == 0:
            pass
        publish(port, "before")
        while stream.next().data != "before":
            pass
        one.stop()
        start(first)
        while publish(port, "again")["subscribers"] == 0:
            pass
        publish(port, "after")
        # What was lost is said: the first gateway's events were in its memory.
        while (event := stream.next()).data != "after":
            assert event.type == "gap" or event.data == "again"
