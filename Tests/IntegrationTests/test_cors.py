"""Other origins: preflights, and what a browser must see to let a page read an answer."""

import pytest
from harness.client import ask
from harness.gateway import run, settings, write
from harness.sse import Stream

APP = "https://app.example.com"


def cors(policy, **more):
    base = settings(**more)
    for route in base["routes"]:
        route["cors"] = policy
    return base


def preflight(gateway, path="/events", method="GET", headers="last-event-id", origin=APP):
    fields = {"Origin": origin, "Access-Control-Request-Method": method}
    if headers:
        fields["Access-Control-Request-Headers"] = headers
    return ask(gateway.port, "OPTIONS", path, fields)


def names(value):
    return {name.strip().lower() for name in (value or "").split(",")}


def test_a_stream_may_be_read_by_its_origin_alone(start):
    gateway = start(cors({"origins": [APP], "credentials": "true"}))
    with Stream(gateway.port, fields={"Origin": APP}) as stream:
        assert stream.head["Access-Control-Allow-Origin"] == APP
        assert stream.head["Access-Control-Allow-Credentials"] == "true"
        assert "last-event-id" in names(stream.head["Access-Control-Expose-Headers"])
        assert "origin" in names(stream.head["Vary"])
    for origin in ("https://app.example.com.evil.example", "http://app.example.com", "https://APP.example.org", "null"):
        with Stream(gateway.port, fields={"Origin": origin}) as stream:
            assert stream.head["Access-Control-Allow-Origin"] is None
            assert {"origin", "accept-encoding"} <= set(names(stream.head["Vary"]))


def test_any_origin_gets_a_star(start):
    gateway = start(cors({"origins": ["*"]}))
    with Stream(gateway.port, fields={"Origin": APP}) as stream:
        assert stream.head["Access-Control-Allow-Origin"] == "*"
        assert stream.head["Access-Control-Allow-Credentials"] is None


def test_a_preflight_allows_what_event_streams_need(start):
    gateway = start(cors({"origins": [APP], "credentials": "true", "headers": ["X-Mine"], "max_age": "10m"}))
    answer = preflight(gateway, headers="last-event-id, authorization, cache-control, content-type, x-mine")
    assert answer.status in (200, 204)
    assert answer["Access-Control-Allow-Origin"] == APP
    assert answer["Access-Control-Allow-Credentials"] == "true"
    assert {"last-event-id", "authorization", "cache-control", "content-type", "x-mine"} <= names(
        answer["Access-Control-Allow-Headers"]
    )
    assert "get" in names(answer["Access-Control-Allow-Methods"])
    assert answer["Access-Control-Max-Age"] == "600"


def test_a_preflight_comes_before_methods_and_authentication(start):
    base = cors({"origins": [APP]})
    base["routes"][1]["auth"] = {"bearer": "token"}
    gateway = start(base)
    answer = preflight(gateway, "/publish/t", "POST", "authorization, content-type")
    assert answer.status in (200, 204)
    assert answer["Access-Control-Allow-Origin"] == APP
    assert "post" in names(answer["Access-Control-Allow-Methods"])


def test_a_preflight_of_another_origin_is_allowed_nothing(start):
    gateway = start(cors({"origins": [APP]}))
    answer = preflight(gateway, origin="https://other.example")
    assert answer["Access-Control-Allow-Origin"] is None


@pytest.mark.parametrize(
    "method, path, fields, status",
    [
        ("POST", "/publish/t", {}, 401),
        ("GET", "/events", {"Accept": "image/png"}, 406),
        ("DELETE", "/events", {}, 405),
    ],
)
def test_errors_carry_the_headers_too(start, method, path, fields, status):
    base = cors({"origins": [APP]})
    base["routes"][1]["auth"] = {"bearer": "token"}
    gateway = start(base)
    answer = ask(gateway.port, method, path, {"Origin": APP, **fields}, "x" if method == "POST" else None)
    assert answer.status == status
    assert answer["Access-Control-Allow-Origin"] == APP


def test_options_without_cors_is_a_method_like_others(gateway):
    assert preflight(gateway).status == 405


def test_a_star_with_credentials_is_a_configuration_error(tmp_path):
    done = run("check", write(tmp_path, cors({"origins": ["*"], "credentials": "true"})))
    assert done.returncode == 2
    assert "credentials" in done.stderr + done.stdout
