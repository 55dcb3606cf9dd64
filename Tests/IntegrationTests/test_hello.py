"""The ready configurations in conf/ run as they are, on free ports."""

import re

import pytest
from harness.gateway import CONF, TOP, Gateway
from harness.raw import ask
from harness.sse import Event, Stream
from harness.upstream import Scripted

SEED = b"event: message\ndata: hello\nid: 1\n\n"


@pytest.fixture
def ready(tmp_path):
    """ready("hello.yaml") runs a configuration of conf/ in a copy of the tree, with free ports in place of its own."""
    gateways = []

    def ready(name, replace=(), **more):
        tree = tmp_path / "tree"
        (tree / "conf").mkdir(parents=True)
        (tree / "certs").mkdir()
        for entry in TOP.iterdir():
            if entry.name not in ("conf", "certs") and not entry.name.startswith("."):
                (tree / entry.name).symlink_to(entry)
        for entry in CONF.iterdir():
            if entry.name != name:
                (tree / "conf" / entry.name).symlink_to(entry)
        text = (CONF / name).read_text()
        for old, new in replace:
            assert old in text
            text = text.replace(old, new)
        text, listeners = re.subn(r'(?<![\w/])"?(?:127\.0\.0\.1|localhost)?:8\d{3}"?(?![\d/])', '"127.0.0.1:0"', text)
        (tree / "conf" / name).write_text(text)
        gateways.append(Gateway(["run", tree / "conf" / name], listeners=listeners, cwd=tree, **more))
        return gateways[-1]

    yield ready
    for gateway in gateways:
        gateway.stop()


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
    assert len(gateway.ports) >= 2
    page = ask(gateway.ports[0])
    assert page["Content-Type"].startswith("text/html")
    assert "EventSource" in page.text
    assert not re.search(r'(?:src|href)="https?://(?!localhost)', page.text), "the page needs nothing from elsewhere"
    with Stream(gateway.ports[0]) as stream:
        stream.opened()
        answer = ask(gateway.ports[0], "POST", "/publish/demo", {"Content-Type": "application/x-www-form-urlencoded"}, "hello")
        assert answer.status == 200, answer
        while stream.next().data != "hello":
            pass


def test_relay_yaml_rebroadcasts_its_feed(ready):
    upstream = Scripted()
    url = re.search(r"https?://[^\s\"'},]+", (CONF / "relay.yaml").read_text().split("sources:")[1]).group()
    gateway = ready("relay.yaml", [(url, upstream.url.replace("localhost", "127.0.0.1"))])
    exchange = upstream.accept()
    path = re.search(r"(?:path:|match:)\s*\"?(/[\w/]*)", (CONF / "relay.yaml").read_text()).group(1)
    with Stream(gateway.port, path) as stream:
        stream.opened()
        exchange.stream(b"event: news\ndata: from afar\nid: 7\n\n")
        event = stream.next()
        assert (event.data, event.type) == ("from afar", "news")
    exchange.close()
    upstream.close()
