"""Fields that tell browsers to be careful, and origins below a domain."""

import pytest
from harness.client import ask
from harness.gateway import settings
from harness.sse import Stream

NAMES = ["X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Strict-Transport-Security"]


def careful(headers="on", **more):
    base = settings(**more)
    for route in base["routes"]:
        route["security_headers"] = headers
    return base


def shown(answer):
    return [answer[name] for name in NAMES]


def test_every_answer_of_the_route_has_them(start):
    gateway = start(careful())
    expected = ["nosniff", "SAMEORIGIN", "strict-origin-when-cross-origin", None]
    assert shown(ask(gateway.port)) == expected
    assert shown(ask(gateway.port, "HEAD", "/events")) == expected
    assert shown(ask(gateway.port, path="/events", fields={"Accept": "image/png"})) == expected
    assert shown(ask(gateway.port, "POST", "/publish/nothing", {"Content-Type": "text/plain"}, "x")) == expected
    with Stream(gateway.port) as stream:
        assert shown(stream.head) == expected


def test_without_the_key_there_are_none(gateway):
    assert shown(ask(gateway.port)) == [None] * 4


def test_over_tls_the_browser_is_told_to_stay_there(start, authority, trusting):
    gateway = start(careful(listeners=[authority.listener()]))
    assert ask(gateway.port, tls=trusting)["Strict-Transport-Security"] == "max-age=31536000"


def test_an_answer_keeps_its_own(start):
    base = careful({"frames": "deny", "referrer": "off"})
    base["routes"][2]["respond"] = {"body": "ok", "headers": {"x-frame-options": "ALLOWALL"}}
    gateway = start(base)
    answer = ask(gateway.port)
    assert answer.all("X-Frame-Options") == ["ALLOWALL"]
    assert answer["Referrer-Policy"] is None
    assert ask(gateway.port, "HEAD", "/events")["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "origin, granted",
    [
        ("https://a.example.com", True),
        ("https://a.b.example.com", True),
        ("https://example.com", False),
        ("https://notexample.com", False),
        ("http://a.example.com", False),
        ("https://a.example.com:8443", False),
    ],
)
def test_a_policy_may_name_all_origins_below_a_domain(start, origin, granted):
    base = settings()
    base["routes"][0]["cors"] = {"origins": ["https://*.example.com"], "credentials": "on", "expose": ["X-Mine"]}
    gateway = start(base)
    with Stream(gateway.port, fields={"Origin": origin}) as stream:
        assert stream.head["Access-Control-Allow-Origin"] == (origin if granted else None)
        assert stream.head["Access-Control-Expose-Headers"] == ("Last-Event-ID, X-Mine" if granted else None)
        assert "Origin" in stream.head["Vary"]
