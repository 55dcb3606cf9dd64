"""conf/fan-in.yaml and Examples/FanIn: two feeds and a publisher on one stream."""

import json

import pytest
from harness.client import ask, publish
from harness.sse import Event, Stream
from harness.upstream import Starlet

pytestmark = pytest.mark.http1


def test_two_feeds_and_a_publisher_are_one_stream(ready):
    gateway = ready("fan-in.yaml")
    with Stream(gateway.port, "/live").opened() as stream:
        publish(gateway.port, "lunch", topic="live", query="?event=note")
        seen = {}
        while {"wiki.message", "market.trade", "note", "feed-status"} - seen.keys():
            event = stream.next()
            seen[event.type] = event
        assert seen["note"].data == "lunch"
        assert "title" in json.loads(seen["wiki.message"].data)
        assert json.loads(seen["market.trade"].data)["symbol"] == "ACME"
        assert json.loads(seen["feed-status"].data)["state"] in ("up", "down")
        last = stream.last_id
    publish(gateway.port, "coffee", topic="live", query="?event=note")
    with Stream(gateway.port, "/live", last_id=last) as stream:
        while (event := stream.next()).type != "note":
            assert event.type in seen
        assert event.data == "coffee"


@pytest.mark.timeout(1000)
def test_the_example_program_merges_two_feeds_and_its_own_events(example):
    feeds = [Starlet(), Starlet()]
    merged = example("FanIn", *(feed.url for feed in feeds), "127.0.0.1:0")
    with Stream(merged.port, "/live").opened() as stream:
        for feed in feeds:
            feed.asked()
        feeds[0].send("1", event="trade")
        assert stream.next() == Event("1", "feed1.trade", stream.last_id)
        feeds[1].send("2")
        assert stream.next() == Event("2", "feed2.message", stream.last_id)
        assert ask(merged.port, "POST", "/publish", {"Content-Type": "text/plain"}, "3").status == 200
        assert stream.next() == Event("3", "message", stream.last_id)
    for feed in feeds:
        feed.close()
