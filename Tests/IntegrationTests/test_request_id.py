"""The name of a request, `X-Request-ID`."""

import re

from harness.client import ask
from harness.gateway import settings
from harness.sse import Stream

MADE = re.compile(r"[0-9a-f]{32}")


def test_answers_tell_it_everywhere(start):
    gateway = start(settings(request_id="on"))
    mine = {"X-Request-ID": "mine-1"}
    for path in ("/", "/nowhere", "/%zz"):
        assert ask(gateway.port, path=path, fields=mine)["X-Request-ID"] == "mine-1"
    with Stream(gateway.port, fields=mine) as stream:
        assert stream.head["X-Request-ID"] == "mine-1"
    assert MADE.fullmatch(ask(gateway.port)["X-Request-ID"])
    assert MADE.fullmatch(ask(gateway.port, fields={"X-Request-ID": "a b"})["X-Request-ID"])
    assert ask(gateway.port)["X-Request-ID"] != ask(gateway.port)["X-Request-ID"]


def test_routes_decide_for_themselves(start):
    base = settings()
    base["routes"][2]["request_id"] = "on"
    gateway = start(base)
    assert ask(gateway.port)["X-Request-ID"]
    assert ask(gateway.port, "HEAD", "/events")["X-Request-ID"] is None
    base["routes"][2]["request_id"] = "off"
    gateway = start({**base, "request_id": "on"})
    assert ask(gateway.port)["X-Request-ID"] is None
    assert ask(gateway.port, "HEAD", "/events")["X-Request-ID"]


def test_without_the_key_there_is_none(gateway):
    assert ask(gateway.port, fields={"X-Request-ID": "mine"})["X-Request-ID"] is None
