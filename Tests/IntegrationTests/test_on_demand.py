"""When feeds are connected: on demand, one for each instance of a template; what their events are called; their state."""

import json
import queue

import pytest
from harness.client import ask
from harness.gateway import settings
from harness.raw import Closed
from harness.sse import Comment, Event, Stream
from harness.upstream import Scripted, Starlet
from test_feed import QUICK, feeding, upstream  # noqa: F401 (the fixture of a feed's tests)


def templates(url, topic=None, **source):
    """A topic for each name: `/feeds/x` is fed by `<url>/x`."""
    base = settings()
    base["sources"] = {"quotes": {"url": f"{url}/{{symbol}}", "retry": QUICK, "linger": "0s", **source}}
    base["topics"] = {"feed.{symbol}": {"sources": ["quotes"], "heartbeat": "100ms", **(topic or {})}}
    base["routes"] = [{"match": "/feeds/{symbol}", "subscribe": "feed.{symbol}"}]
    return base


def path(exchange):
    return exchange.line.split(" ")[1]


def expect_end(exchange):
    """The gateway closes the connection, and says nothing more."""
    try:
        assert not exchange.fill()
    except Closed:
        pass


def no_request(starlet):
    with pytest.raises(queue.Empty):
        starlet.requests.get_nowait()


def test_a_feed_connects_with_the_first_subscriber_and_goes_with_the_last(start, upstream):
    feed = upstream(Starlet)
    gateway = start(feeding(feed.url, connect="on_demand", linger="0s"))
    for number in ("1", "2"):
        no_request(feed)
        streams = [Stream(gateway.port).opened() for _ in range(3)]
        asked = feed.asked()
        assert asked.get("last-event-id") == (None if number == "1" else "1"), "the position outlives the connection"
        feed.send(number, id=number)
        for stream in streams:
            assert stream.next().data == number
            stream.close()
        feed.wait_for_clients(0)


def test_a_subscriber_that_comes_while_the_feed_lingers_finds_it_there(start, upstream):
    feed = upstream()
    gateway = start(feeding(feed.url, connect="on_demand", linger="1h"))
    with Stream(gateway.port) as stream:
        stream.opened()
        exchange = feed.accept()
        exchange.stream(b"data: one\n\n")
        assert stream.next().data == "one"
    with Stream(gateway.port) as stream:
        stream.opened()
        exchange.send(b"data: two\n\n")
        assert stream.next().data == "two"
    exchange.close()


def test_one_upstream_connection_for_all_who_want_the_same(start, upstream):
    feed = upstream()
    gateway = start(templates(feed.url))
    streams = [Stream(gateway.port, "/feeds/a").opened() for _ in range(10)]
    other = Stream(gateway.port, "/feeds/b").opened()
    exchanges = {path(exchange): exchange for exchange in (feed.accept(), feed.accept())}
    assert set(exchanges) == {"/feed/a", "/feed/b"}
    exchanges["/feed/a"].stream(b"data: a\n\n")
    exchanges["/feed/b"].stream(b"data: b\n\n")
    for stream in streams:
        assert stream.next().data == "a"
        stream.close()
    expect_end(exchanges["/feed/a"])
    assert other.next().data == "b"
    other.close()
    expect_end(exchanges["/feed/b"])


@pytest.mark.parametrize(
    "name, asked",
    [
        ("a%20b", "/feed/a%20b"),
        ("a%2Fb", "/feed/a%2Fb"),
        ("a%3Fb=c", "/feed/a%3Fb%3Dc"),
        ("a%23b", "/feed/a%23b"),
        ("%252e%252e", "/feed/%252e%252e"),
        ("@evil:80", "/feed/%40evil%3A80"),
        ("a&b+c", "/feed/a%26b%2Bc"),
        ("%C3%BC", "/feed/%C3%BC"),
    ],
)
def test_a_name_stays_one_segment_of_the_upstream(start, upstream, name, asked):
    feed = upstream()
    gateway = start(templates(feed.url))
    with Stream(gateway.port, f"/feeds/{name}") as stream:
        stream.opened()
        exchange = feed.accept()
        assert path(exchange) == asked
        assert exchange.fields["host"] == f"localhost:{feed.port}"
        exchange.close()


@pytest.mark.parametrize("name", ["..", "%2e%2e", ".", "%2E", "..%2f..", ".%2e", "%2e.", "@evil.example"])
def test_no_name_climbs(start, upstream, name):
    feed = upstream(Starlet)
    gateway = start(templates(feed.url))
    assert ask(gateway.port, path=f"/feeds/{name}", fields={"Accept": "text/event-stream"}).status == 404
    no_request(feed)


def test_subscribers_of_an_instance_stay_through_an_outage_and_get_each_event_once(start, upstream):
    feed = upstream()
    gateway = start(templates(feed.url, {"ids": "upstream"}))
    with Stream(gateway.port, "/feeds/a") as stream:
        stream.opened()
        first = feed.accept()
        first.stream(b"id: 1\ndata: one\n\nid: 2\ndata: two\n\nid: 3\nda")
        assert [event.data for event in stream.events(2)] == ["one", "two"]
        first.close()
        second = feed.accept()
        assert second.fields["last-event-id"] == "2"
        second.answer("503 Service Unavailable")
        comments = 0
        while comments < 3:
            item = stream.item()
            assert isinstance(item, Comment), item
            comments += 1
        third = feed.accept()
        # One that counts on its clients to know what they have.
        third.stream(b"id: 1\ndata: one\n\nid: 2\ndata: two\n\nid: 3\ndata: three\n\nid: 4\ndata: four\n\n")
        assert stream.events(2) == [Event("three", "message", "3"), Event("four", "message", "4")]
        third.close()


def test_beyond_the_limit_of_a_template_a_subscriber_is_refused(start, upstream):
    feed = upstream()
    gateway = start(templates(feed.url, {"limit": 1, "linger": "0s"}))
    with Stream(gateway.port, "/feeds/a") as stream:
        stream.opened()
        exchange = feed.accept()
        refused = ask(gateway.port, path="/feeds/b", fields={"Accept": "text/event-stream"})
        assert refused.status == 200 and refused.body.startswith(b"retry: "), "an EventSource comes back"
        assert ask(gateway.port, path="/feeds/b").status == 503
        with Stream(gateway.port, "/feeds/a") as same:
            same.opened()
            exchange.stream(b"data: for both\n\n")
            assert stream.next().data == same.next().data == "for both"
    expect_end(exchange)


def test_events_are_filtered_renamed_and_prefixed(start, upstream):
    feed = upstream()
    names = {"exclude": ["noise"], "rename": {"trade": "market.trade"}, "prefix": "a."}
    gateway = start(feeding(feed.url, events=names))
    with Stream(gateway.port) as stream:
        stream.opened()
        exchange = feed.accept()
        exchange.stream(b"event: trade\ndata: 1\n\nevent: noise\ndata: 2\n\nevent: quote\ndata: 3\n\ndata: 4\n\n")
        found = [(event.type, event.data) for event in stream.events(3)]
        assert found == [("a.market.trade", "1"), ("a.quote", "3"), ("a.message", "4")]
        exchange.close()


def test_the_state_of_a_feed_is_told_once_for_each_change(start, upstream):
    feed = upstream()
    gateway = start(feeding(feed.url, status_event="feed-status"))
    with Stream(gateway.port) as stream:
        stream.opened()
        for _ in range(3):
            feed.accept().answer("503 Service Unavailable")
        exchange = feed.accept()
        exchange.stream(b"data: one\n\n")
        states = []
        while (event := stream.next()).type == "feed-status":
            states.append(json.loads(event.data))
        assert event.data == "one"
        assert states[-1] == {"feed": "feed", "state": "up"}
        for state in states[:-1]:
            assert state["state"] == "down" and state["reason"] == "status 503" and state["retry_ms"] > 0
        assert len(states) <= 2, "the first failure may have come before the subscriber"
        exchange.close()
        event = stream.next()
        down = json.loads(event.data)
        assert (event.type, down["state"], down["reason"]) == ("feed-status", "down", "ended")
        feed.accept().answer("204 No Content")
        stopped = json.loads(stream.next().data)
        assert stopped == {"feed": "feed", "state": "stopped", "reason": "status 204"}


def test_many_instances_come_and_go(start, upstream):
    feed = upstream(Starlet, path="/feed/{symbol}")
    gateway = start({**templates(feed.url, {"linger": "0s"}), "limits": {"connections_per_address": 10_000}})
    with Stream(gateway.port, "/feeds/first") as stream:
        stream.opened()
        feed.asked()
    feed.wait_for_clients(0)
    before = gateway.descriptors()
    for round in range(3):
        streams = [Stream(gateway.port, f"/feeds/{round}-{number}").opened() for number in range(100)]
        for _ in streams:
            feed.asked()
        feed.send("hello")
        for stream in streams:
            assert stream.next().data == "hello"
            stream.close()
        feed.wait_for_clients(0)
    assert gateway.descriptors() <= before
