"""A gateway behind an upstream: an sse-starlette application, and one played by hand."""

import pytest
from harness.client import publish
from harness.gateway import settings
from harness.sse import Comment, Event, Stream
from harness.upstream import Scripted, Starlet

QUICK = {"initial": "100ms", "maximum": "300ms"}


def feeding(url, topic=None, **source):
    base = settings({"sources": ["feed"], "heartbeat": "100ms", **(topic or {})})
    base["sources"] = {"feed": {"url": url, "retry": QUICK, **source}}
    return base


@pytest.fixture
def upstream():
    servers = []

    def upstream(kind=Scripted, *arguments, **more):
        servers.append(kind(*arguments, **more))
        return servers[-1]

    yield upstream
    for server in servers:
        server.close()


def test_starlette_events_reach_every_subscriber(start, upstream):
    feed = upstream(Starlet)
    gateway = start(feeding(feed.url))
    asked = feed.asked()
    assert asked["accept"] == "text/event-stream"
    assert asked["cache-control"] == "no-cache"
    assert "last-event-id" not in asked
    streams = [Stream(gateway.port).opened() for _ in range(5)]
    feed.send("one\ntwo", event="greeting", id="a")
    feed.send("three")
    for stream in streams:
        one, three = stream.events(2)
        assert (one.data, one.type) == ("one\ntwo", "greeting")
        assert (three.data, three.type) == ("three", "message")
        stream.close()
    assert feed.requests.empty(), "one upstream connection for all subscribers"


def test_an_upstream_that_ends_is_asked_again_with_the_last_id(start, upstream):
    feed = upstream(Starlet)
    gateway = start(feeding(feed.url))
    feed.asked()
    with Stream(gateway.port) as stream:
        stream.opened()
        feed.send("one", id="id 1 ü")
        feed.send("two")
        assert [event.data for event in stream.events(2)] == ["one", "two"]
        feed.end()
        assert feed.asked()["last-event-id"].encode("latin-1").decode() == "id 1 ü"
        feed.send("three")
        assert stream.next().data == "three"


def test_an_upstream_may_restart_and_its_subscribers_stay(start, upstream):
    feed = upstream(Starlet)
    gateway = start(feeding(feed.url))
    feed.asked()
    with Stream(gateway.port) as stream:
        stream.opened()
        feed.send("before", id="1")
        assert stream.next().data == "before"
        feed.close()
        # While it is away there are heartbeats.
        comments = 0
        while comments < 4:
            comments += isinstance(stream.item(), Comment)
        again = upstream(Starlet, feed.port)
        assert again.asked()["last-event-id"] == "1"
        again.send("after", id="2")
        assert stream.next().data == "after"


def test_a_partial_event_is_never_forwarded(start, upstream):
    feed = upstream()
    gateway = start(feeding(feed.url))
    with Stream(gateway.port) as stream:
        stream.opened()
        first = feed.accept()
        first.stream(b"id: 1\ndata: whole\n\ndata: half")
        assert stream.next().data == "whole"
        first.close()
        second = feed.accept()
        assert second.fields["last-event-id"] == "1"
        second.stream(b"data: next\n\n")
        assert stream.next().data == "next"
        second.close()


def test_the_feeds_own_ids_pass_under_ids_upstream(start, upstream):
    feed = upstream()
    gateway = start(feeding(feed.url, {"ids": "upstream"}))
    with Stream(gateway.port) as stream:
        stream.opened()
        exchange = feed.accept()
        exchange.stream(b"id: x-1\nevent: e\ndata: one\n\ndata: two\n\n")
        assert stream.next() == Event("one", "e", "x-1")
        assert stream.next().data == "two"
        exchange.close()


@pytest.mark.parametrize("cut", [1, 2, 3, 7])
def test_the_stream_may_be_cut_anywhere(start, upstream, cut):
    feed = upstream()
    gateway = start(feeding(feed.url, {"ids": "off"}))
    data = "\ufeffevent: ü\rdata: a\r\ndata:b\n\n: comment\n\ndata\n\ndata: last\r\n\r\n".encode()
    with Stream(gateway.port) as stream:
        stream.opened()
        exchange = feed.accept()
        exchange.send(exchange.OK + b"Transfer-Encoding: chunked\r\n\r\n")
        for begin in range(0, len(data), cut):
            piece = data[begin : begin + cut]
            exchange.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        assert stream.events(3) == [Event("a\nb", "ü"), Event(""), Event("last")]
        exchange.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 Unavailable\r\nContent-Length: 3\r\n\r\nno\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-streamfoo\r\n\r\n",
        b"HTTP/1.1 429 Slow down\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"",
    ],
)
def test_a_bad_answer_is_logged_and_asked_again(start, upstream, answer):
    feed = upstream()
    gateway = start(feeding(feed.url))
    with Stream(gateway.port) as stream:
        stream.opened()
        exchange = feed.accept()
        exchange.send(answer)
        exchange.close()
        gateway.wait_for_log("feed")
        exchange = feed.accept()
        exchange.stream(b"data: good\n\n")
        assert stream.next().data == "good"
        exchange.close()


def test_204_is_the_polite_stop(start, upstream):
    feed = upstream()
    gateway = start(feeding(feed.url))
    feed.accept().answer("204 No Content")
    gateway.wait_for_log("204")


def test_an_event_over_the_limit_is_dropped_and_the_next_one_comes(start, upstream):
    feed = upstream()
    gateway = start({**feeding(feed.url), "limits": {"feed_line": "4KiB", "feed_event": "8KiB"}})
    with Stream(gateway.port) as stream:
        stream.opened()
        exchange = feed.accept()
        exchange.stream(b"data: " + b"x" * 10_000 + b"\n\n" + b"data: 0123456789\n" * 1000 + b"\ndata: small\n\n")
        assert stream.next().data == "small"
        exchange.close()


def test_the_retry_of_an_upstream_is_not_forwarded_and_its_comments_neither(start, upstream):
    feed = upstream()
    gateway = start(feeding(feed.url, {"heartbeat": "0s", "ids": "off", "retry": "0s"}))
    with Stream(gateway.port) as stream:
        stream.opened()
        exchange = feed.accept()
        exchange.stream(b": secret comment\nretry: 123\ndata: one\n\n")
        stream.next()
        assert b"123" not in stream.raw and b"secret" not in stream.raw
        exchange.close()


def test_headers_are_sent_and_never_logged(start, upstream):
    feed = upstream()
    gateway = start(
        {**feeding(feed.url, headers={"Authorization": "Bearer ${TOKEN}"}), "log": {"level": "trace"}},
        env={"TOKEN": "very-secret"},
    )
    exchange = feed.accept()
    assert exchange.fields["authorization"] == "Bearer very-secret"
    exchange.close()
    assert "very-secret" not in gateway.log()


class TestTLS:
    """The client side of TLS: chain and host name are verified."""

    def served(self, start, upstream, certificate, ca):
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate["certificate"], certificate["key"])
        feed = upstream(tls=context)
        return feed, start(feeding(feed.url, **({"ca": str(ca)} if ca else {})))

    def test_a_verified_upstream_is_read(self, start, upstream, authority):
        feed, gateway = self.served(start, upstream, authority.issue(), authority.certificate)
        with Stream(gateway.port) as stream:
            stream.opened()
            exchange = feed.accept()
            exchange.stream(b"data: sealed\n\n")
            assert stream.next().data == "sealed"
            exchange.close()

    @pytest.mark.parametrize("names, days, trusted", [(["other.example"], 20, True), ([], -1, True), ([], 20, False)])
    def test_a_wrong_host_an_expired_and_an_unknown_certificate_are_refused(
        self, start, upstream, authority, names, days, trusted
    ):
        import ssl

        certificate = authority.issue(*names, days=days)
        feed, gateway = self.served(start, upstream, certificate, authority.certificate if trusted else None)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            feed.accept()
        assert "certificate" in gateway.wait_for_log("feed").lower()


def test_one_gateway_feeds_another_and_the_chain_resumes(start):
    first = start(settings({"opening_id": "on"}))
    second = start(feeding(first.url("/events"), {"ids": "upstream"}))

    with Stream(second.port) as stream:
        stream.opened()
        while publish(first.port, "until connected")["subscribers"] == 0:
            pass
        ids = publish(first.port, "through two")["ids"]
        while (event := stream.next()).data != "through two":
            pass
        assert [event.id] == ids
