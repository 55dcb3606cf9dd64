"""What a subscriber is answered, and how the connection behaves around it."""

import pytest
from harness.client import ask, connect, publish
from harness.gateway import settings
from harness.raw import Connection, request
from harness.sse import Comment, Event, Retry, Stream


def test_a_stream_begins_with_its_headers_a_retry_and_a_comment(gateway, protocol):
    with Stream(gateway.port) as stream:
        head = stream.head
        assert head.status == 200
        assert head["Content-Type"] == "text/event-stream"
        assert head["Cache-Control"] == "no-store, no-transform"
        assert head["X-Accel-Buffering"] == "no"
        assert head["Transfer-Encoding"] == ("chunked" if protocol == "http1" else None)
        assert head["Content-Length"] is None
        assert head["Last-Event-ID"]
        first = [stream.item(), stream.item()]
        assert {type(item) for item in first} == {Retry, Comment}
        assert b"\n\n" not in stream.raw, "an empty line without an event is a message to some clients"


def test_retry_is_spread(gateway):
    values = set()
    for _ in range(12):
        with Stream(gateway.port) as stream:
            values.add(next(item for item in iter(stream.item, None) if isinstance(item, Retry)).milliseconds)
    assert all(1000 <= value <= 3000 for value in values)
    assert len(values) > 1


def test_a_retry_of_zero_is_not_sent(start):
    with Stream(start(settings({"retry": "0s", "heartbeat": "50ms"})).port) as stream:
        assert [type(stream.item()) for _ in range(3)] == [Comment] * 3


def test_heartbeats_come_while_nothing_else_does_and_are_no_messages(start):
    gateway = start(settings({"heartbeat": "50ms"}))
    with Stream(gateway.port) as stream:
        comments = 0
        while comments < 4:
            comments += isinstance(stream.item(), Comment)
        assert b"\n\n" not in stream.raw
        publish(gateway.port, "after")
        assert stream.next().data == "after"


def test_a_stream_before_its_first_event_is_not_held_back(gateway):
    with Stream(gateway.port) as stream:
        stream.opened()
        assert stream.raw


def test_head_gets_the_headers_alone_and_the_connection_stays(gateway):
    with connect(gateway.port) as connection:
        head = connection.request("HEAD", "/events")
        assert head.status == 200
        assert head["Content-Type"] == "text/event-stream"
        assert connection.request("GET", "/").body == b"ok"


@pytest.mark.parametrize("accept", ["text/event-stream", "text/*", "*/*", "text/event-stream;q=0.5, */*;q=0.1", None])
def test_an_accept_that_allows_the_stream_gets_it(gateway, accept):
    with connect(gateway.port) as connection:
        assert connection.open("GET", "/events", {"Accept": accept} if accept else {}).head().status == 200


@pytest.mark.parametrize(
    "accept", ["application/json", "text/html", "text/event-stream;q=0", "*/*, text/event-stream;q=0"]
)
def test_an_accept_that_excludes_the_stream_is_told_so(gateway, accept):
    response = ask(gateway.port, "GET", "/events", {"Accept": accept})
    assert response.status == 406
    assert "text/event-stream" in response.text


@pytest.mark.parametrize("path, allowed", [("/events", "GET"), ("/publish/t", "POST")])
def test_another_method_is_refused_and_the_right_ones_are_named(gateway, path, allowed):
    response = ask(gateway.port, "DELETE", path)
    assert response.status == 405
    assert allowed in [method.strip() for method in response["Allow"].split(",")]


def test_a_path_without_a_route_is_not_found(gateway):
    response = ask(gateway.port, "GET", "/nothing")
    assert response.status == 404
    assert response.text.count("\n") <= 1


def test_post_subscribes_where_the_route_names_it(start):
    base = settings()
    base["routes"][0]["match"]["methods"] = ["GET", "POST"]
    gateway = start(base)
    with Stream(gateway.port, method="POST", fields={"Content-Length": 0}) as stream:
        assert stream.head.status == 200
        stream.opened()
        publish(gateway.port, "x")
        assert stream.next().data == "x"


@pytest.mark.http1
def test_http_1_0_gets_the_stream_until_the_connection_closes(gateway):
    with Stream(gateway.port, version="1.0") as stream:
        assert stream.head["Transfer-Encoding"] is None
        assert stream.head["Content-Length"] is None
        stream.opened()
        publish(gateway.port, "old")
        assert stream.next().data == "old"


@pytest.mark.http1
def test_a_connection_is_kept_for_further_requests(gateway):
    with Connection(gateway.port) as connection:
        for _ in range(5):
            assert connection.request().body == b"ok"
        connection.send(request("GET", "/", {"Connection": "close"}))
        response = connection.response()
        assert response["Connection"] == "close"
        assert connection.ended()


@pytest.mark.http1
def test_pipelined_requests_are_answered_in_order(gateway):
    with Connection(gateway.port) as connection:
        connection.send(
            request() + request("GET", "/nothing") + request("POST", "/publish/t", {"Content-Type": "text/plain"}, "a")
            + request("HEAD", "/") + request()
        )  # fmt: skip
        answers = [connection.response(method).status for method in ("GET", "GET", "POST", "HEAD", "GET")]
        assert answers == [200, 404, 200, 200, 200]


@pytest.mark.http1
def test_a_request_byte_by_byte_is_understood(gateway):
    with Connection(gateway.port) as connection:
        for byte in request():
            connection.send(bytes([byte]))
        assert connection.response().body == b"ok"


@pytest.mark.http1
def test_what_a_client_sends_behind_its_subscription_disturbs_nothing(gateway):
    with Stream(gateway.port) as stream:
        stream.opened()
        stream.connection.send(request() * 20)
        publish(gateway.port, "still here")
        assert stream.next().data == "still here"


def test_every_subscriber_gets_every_event_in_one_order(start):
    gateway = start(settings(workers="4"))
    streams = [Stream(gateway.port).opened() for _ in range(12)]
    for number in range(50):
        publish(gateway.port, str(number))
    seen = [stream.events(50) for stream in streams]
    assert [event.data for event in seen[0]] == [str(number) for number in range(50)]
    assert all(events == seen[0] for events in seen)
    assert len({event.id for event in seen[0]}) == 50
    for stream in streams:
        stream.close()


def test_a_large_event_arrives_whole(gateway):
    data = "\n".join(f"{number:06d}" + "x" * 1000 for number in range(800))
    with Stream(gateway.port) as stream:
        stream.opened()
        publish(gateway.port, data)
        assert stream.next().data == data


def test_a_topic_template_makes_a_topic_of_each_name(start):
    base = settings()
    base["topics"] = {"feed.{symbol}": {"limit": 2}}
    base["routes"] = [
        {"match": "/feeds/{symbol}", "subscribe": "feed.{symbol}"},
        {"match": {"path": "/publish/{topic}", "methods": ["POST"]}, "publish": {"topic": "{topic}"}},
    ]
    gateway = start(base)
    with Stream(gateway.port, "/feeds/a") as a, Stream(gateway.port, "/feeds/b%20c") as b:
        a.opened(), b.opened()
        assert publish(gateway.port, "for a", topic="feed.a")["subscribers"] == 1
        assert publish(gateway.port, "for b", topic="feed.b%20c")["subscribers"] == 1
        assert a.next().data == "for a"
        assert b.next().data == "for b"
        third = ask(gateway.port, "POST", "/publish/feed.d", {"Content-Type": "text/plain"}, "x")
        assert third.status in (429, 503), "the limit of live instances holds"


def test_the_own_ids_of_publishers_are_kept_under_ids_upstream(start):
    gateway = start(settings({"ids": "upstream"}))
    with Stream(gateway.port) as stream:
        stream.opened()
        publish(gateway.port, "a", query="?id=one&event=news")
        publish(gateway.port, "b")
        assert stream.events(2) == [Event("a", "news", "one"), Event("b", "message", "one")]
        assert stream.raw.count(b"id:") == 1


def test_ids_off_sends_none(start):
    gateway = start(settings({"ids": "off"}))
    with Stream(gateway.port) as stream:
        stream.opened()
        publish(gateway.port, "a")
        assert stream.next() == Event("a")
        assert b"id:" not in stream.raw
