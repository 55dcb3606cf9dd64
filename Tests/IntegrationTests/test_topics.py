"""Several topics on one stream, and what a stream begins and ends with."""

import pytest
from harness.client import ask, publish
from harness.gateway import settings
from harness.sse import Event, Stream


def several(topic=None, **more):
    base = settings(topic)
    for name in ("a", "b", "feed.{symbol}"):
        base["topics"][name] = dict(topic or {})
    base["routes"] = [
        {"match": "/both", "subscribe": ["a", "b"]},
        {"match": "/one", "subscribe": "a"},
        {"match": "/choose", "subscribe": {"query": "topic", "allow": ["a", "feed.*"]}},
        {"match": "/with/{symbol}", "subscribe": ["a", "feed.{symbol}"]},
        {"match": {"path": "/publish/{topic}", "methods": ["POST"]}, "publish": {"topic": "{topic}"}},
    ]
    base.update(more)
    return base


def test_the_events_of_several_topics_come_in_one_order(start):
    gateway = start(several())
    with Stream(gateway.port, "/both").opened() as stream:
        for number in range(20):
            publish(gateway.port, str(number), topic='ab'[number % 3 == 0])
        events = stream.events(20)
        assert [event.data for event in events] == [str(number) for number in range(20)]
        ids = [event.id for event in events]
        assert ids == sorted(set(ids))
        last = events[4].id
    with Stream(gateway.port, "/both", last_id=last) as stream:
        assert [event.data for event in stream.events(15)] == [str(number) for number in range(5, 20)]


def test_the_query_chooses_among_what_is_allowed(start):
    gateway = start(several())
    with Stream(gateway.port, "/choose?topic=feed.x&topic=a&topic=a&other=b").opened() as stream:
        publish(gateway.port, "1", topic="feed.x")
        publish(gateway.port, "2", topic="feed.y")
        publish(gateway.port, "3", topic="b")
        publish(gateway.port, "4", topic="a")
        assert [event.data for event in stream.events(2)] == ["1", "4"]


@pytest.mark.parametrize(
    "query, status",
    [
        ("", 400),
        ("?topic=b", 403),
        ("?topic=a&topic=b", 403),
        ("?topic=feed.", 403),
        ("?topic=feed.x.y", 404),
        ("?topic=%zz", 400),
        ("?topic=%ff", 400),
        ("?" + "&".join(f"topic=feed.{number}" for number in range(101)), 400),
    ],
)
def test_what_the_query_cannot_choose(start, query, status):
    gateway = start(several())
    assert ask(gateway.port, path="/choose" + query).status == status


def test_a_topic_with_ids_of_its_own_shares_no_stream(start):
    base = several()
    base["topics"]["feed.{symbol}"] = {"ids": "upstream"}
    base["routes"] = [route for route in base["routes"] if route["match"] != "/with/{symbol}"]
    gateway = start(base)
    assert ask(gateway.port, path="/choose?topic=a&topic=feed.x").status == 400
    Stream(gateway.port, "/choose?topic=feed.x").opened().close()


@pytest.mark.parametrize(
    "form, expected",
    [
        ("event", [("a", "1"), ("feed.x:trade", "2")]),
        ("data", [("message", '{"topic":"a","data":"1"}'), ("trade", '{"topic":"feed.x","data":"2"}')]),
    ],
)
def test_an_event_says_which_topic_it_came_from(start, form, expected):
    gateway = start(several({"topic_field": form}))
    with Stream(gateway.port, "/with/x").opened() as stream:
        publish(gateway.port, "1", topic="a")
        publish(gateway.port, "2", topic="feed.x", query="?event=trade")
        assert [(event.type, event.data) for event in stream.events(2)] == expected


@pytest.mark.parametrize("replay, expected", [("all", "1234"), (2, "34"), ("none", "")])
def test_a_client_without_a_cursor_gets_what_replay_says(start, replay, expected):
    gateway = start(several({"replay": replay}))
    for number in "1234":
        publish(gateway.port, number, topic="a")
    with Stream(gateway.port, "/both").opened() as stream:
        publish(gateway.port, "5", topic="b")
        assert "".join(event.data for event in stream.events(len(expected) + 1)) == expected + "5"


def test_a_stream_ends_at_its_age_and_its_client_comes_back(start):
    gateway = start(several({"max_age": "300ms", "heartbeat": 0}))
    with Stream(gateway.port, "/one").opened() as stream:
        publish(gateway.port, "1", topic="a")
        last = stream.events(1)[0].id
        assert not [item for item in stream.rest() if isinstance(item, Event)]
        assert stream.ended == "clean"
    publish(gateway.port, "2", topic="a")
    with Stream(gateway.port, "/one", last_id=last) as stream:
        assert [event.data for event in stream.events(1)] == ["2"]


def test_a_stream_may_end_as_if_it_broke(start):
    gateway = start(several({"max_age": "300ms", "end": "abort"}))
    with Stream(gateway.port, "/one").opened() as stream:
        publish(gateway.port, "1", topic="a")
        assert stream.events(1)[0].data == "1"
        stream.rest()
        assert stream.ended == "cut"
