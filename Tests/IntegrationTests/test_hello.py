"""The ready configurations in conf/ run as they are, on free ports."""

import re
import ssl

import pytest
from harness.client import ask, publish
from harness.gateway import CONF
from harness.sse import Event, Stream
from harness.upstream import Scripted

pytestmark = pytest.mark.http1

SEED = b"event: message\ndata: hello\nid: 1\n\n"


def test_hello_yaml_serves_the_seed_byte_for_byte(ready):
    gateway = ready("hello.yaml")
    with Stream(gateway.port, "/") as stream:
        assert stream.head["Content-Type"] == "text/event-stream"
        assert stream.events(2) == [Event("hello", "message", "1")] * 2
        assert stream.raw.count(SEED) == 2
        # Nothing else but comments and the reconnection time.
        others = [line for line in stream.raw.replace(SEED, b"").split(b"\n") if line]
        assert all(line.startswith((b":", b"retry: ")) for line in others)


@pytest.mark.parametrize("fields", [{}, {"Accept": "*/*"}, {"Accept": "text/html"}])
def test_hello_yaml_answers_ok_to_plain_requests(ready, fields):
    response = ask(ready("hello.yaml").port, fields=fields)
    assert (response.status, response.body) == (200, b"ok")


def test_sluice_yaml_shows_the_demo_over_http_and_https(ready):
    gateway = ready("sluice.yaml")
    assert len(gateway.ports) == 2
    page = ask(gateway.ports[0])
    assert page["Content-Type"].startswith("text/html")
    assert "EventSource" in page.text
    assert not re.search(r'(?:src|href)="https?://(?!localhost)', page.text), "the page needs nothing from elsewhere"
    with Stream(gateway.ports[0]) as stream:
        stream.opened()
        publish(gateway.ports[0], "hello", "demo", fields={"Content-Type": "application/x-www-form-urlencoded"})
        while stream.next().data != "hello":
            pass
    trusting = ssl.create_default_context(cafile=str(gateway.development_authority()))
    with Stream(gateway.ports[1], tls=trusting) as stream:
        stream.opened()
        publish(gateway.ports[1], "sealed", "demo", tls=trusting)
        while stream.next().data != "sealed":
            pass


def test_relay_yaml_rebroadcasts_its_feed(ready):
    upstream = Scripted()
    text = (CONF / "relay.yaml").read_text()
    url = re.search(r"https?://[^\s\"'},]+", text.split("sources:")[1]).group()
    path = re.search(r"(?:path|match):\s*\"?(/[\w/]*)", text).group(1)
    gateway = ready("relay.yaml", [(url, upstream.url.replace("localhost", "127.0.0.1"))])
    exchange = upstream.accept()
    with Stream(gateway.port, path) as stream:
        stream.opened()
        exchange.stream(b"event: news\ndata: from afar\nid: 7\n\n")
        event = stream.next()
        assert (event.data, event.type) == ("from afar", "news")
    exchange.close()
    upstream.close()
