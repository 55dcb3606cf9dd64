"""Limits of a route: requests over time, streams at once, bytes of a body."""

import pytest
from harness.client import ask, connect
from harness.gateway import settings
from harness.sse import Retry, Stream

# Long enough that no test sees a second token.
SLOW = {"requests": "3", "per": "1h"}
STREAM = {"Accept": "text/event-stream"}


def limited(given, route=2, **more):
    base = settings(**more)
    base["routes"][route]["limits"] = given
    return base


def statuses(gateway, count, path="/", **more):
    return [ask(gateway.port, path=path, **more).status for _ in range(count)]


def test_over_the_rate_is_429_exactly_over_all_workers(start):
    gateway = start(limited({"rate": {"requests": "20", "per": "1h"}}, workers="2"))
    answers = statuses(gateway, 30)
    assert answers == [200] * 20 + [429] * 10
    refused = ask(gateway.port)
    assert 1 <= int(refused["Retry-After"]) <= 180
    assert b"too many requests" in refused.body
    assert ask(gateway.port, path="/nowhere").status == 404, "other paths are not limited"


def test_requests_on_one_connection_count_alike(start):
    gateway = start(limited({"rate": SLOW}))
    with connect(gateway.port) as connection:
        assert [connection.request().status for _ in range(5)] == [200, 200, 200, 429, 429]


def test_the_burst_is_what_may_come_at_once(start):
    gateway = start(limited({"rate": {**SLOW, "burst": "5"}}))
    assert statuses(gateway, 7) == [200] * 5 + [429] * 2


def test_tokens_come_back(start):
    gateway = start(limited({"rate": {"requests": "200", "per": "1s", "burst": "1"}}))
    assert any(status == 429 for status in statuses(gateway, 200)), "they come faster than one in 5 ms"
    assert any(ask(gateway.port).status == 200 for _ in range(1000))


def test_an_event_source_is_told_to_come_back_later(start):
    gateway = start(limited({"rate": {**SLOW, "burst": "1"}}, route=0))
    Stream(gateway.port).opened().close()
    with Stream(gateway.port) as second:
        assert second.head.status == 200
        assert any(isinstance(item, Retry) and item.milliseconds >= 1_000_000 for item in iter(second.item, None))
    assert ask(gateway.port, path="/events").status == 429


def test_a_publisher_is_never_told_200(start):
    gateway = start(limited({"rate": {**SLOW, "burst": "1"}}, route=1))
    fields = {"Content-Type": "text/plain", **STREAM}
    assert [ask(gateway.port, "POST", "/publish/t", fields, "x").status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    "key, show",
    [
        ({"header": "X-Api-Key"}, lambda name: {"fields": {"X-Api-Key": name}}),
        ({"cookie": "id"}, lambda name: {"fields": {"Cookie": f"a=1; id={name}"}}),
        ({"query": "key"}, lambda name: {"path": f"/?key={name}"}),
    ],
)
def test_clients_are_told_apart_by_what_they_show(start, key, show):
    gateway = start(limited({"rate": {**SLOW, "burst": "1", "key": key}}))
    for name in ("a", "b"):
        assert [ask(gateway.port, **show(name)).status for _ in range(2)] == [200, 429]
    assert statuses(gateway, 2) == [200, 429], "who shows nothing counts by address"


def test_behind_a_trusted_proxy_the_client_that_it_names_is_counted(start):
    gateway = start(limited({"rate": {**SLOW, "burst": "1"}}, trusted_proxies=["127.0.0.0/8"]))

    def named(address):
        return ask(gateway.port, fields={"X-Forwarded-For": address}).status

    assert [named("203.0.113.1"), named("203.0.113.2"), named("203.0.113.1")] == [200, 200, 429]
    assert [named("2001:db8::1"), named("2001:db8::2"), named("2001:db8:0:1::1")] == [200, 429, 200]


def test_guessing_a_token_is_limited_and_preflights_are_not(start):
    base = limited({"rate": SLOW})
    base["routes"][2].update({"auth": {"bearer": "secret"}, "cors": {"origins": ["https://app.example.com"]}})
    gateway = start(base)
    wrong = {"Authorization": "Bearer wrong", "Origin": "https://app.example.com"}
    assert statuses(gateway, 4, fields=wrong) == [401, 401, 401, 429]
    refused = ask(gateway.port, fields=wrong)
    assert refused["Access-Control-Allow-Origin"] == "https://app.example.com", "the page may read why"
    preflight = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "GET"}
    assert {ask(gateway.port, "OPTIONS", "/", preflight).status for _ in range(5)} == {204}


def test_streams_at_once(start):
    gateway = start(limited({"streams": "2"}, route=0, workers="2", limits={"on_limit": "status"}))
    streams = [Stream(gateway.port).opened() for _ in range(2)]
    assert statuses(gateway, 3, "/events", fields=STREAM) == [429] * 3
    assert ask(gateway.port, "HEAD", "/events").status == 200, "this opens none"
    streams.pop().close()
    assert any(ask_for_stream(gateway) for _ in range(1000)), "who left makes room"
    streams.pop().close()


def ask_for_stream(gateway):
    with Stream(gateway.port) as stream:
        return stream.head.status == 200


def test_every_end_of_a_stream_gives_its_place_back(start):
    gateway = start(
        limited({"streams": "1"}, route=0, limits={"on_limit": "status"}, topic={"max_age": "100ms", "replay": "all"})
    )
    for _ in range(3):
        assert any(ended_stream(gateway) for _ in range(1000))


def ended_stream(gateway):
    with Stream(gateway.port) as stream:
        if stream.head.status != 200:
            return False
        stream.rest()
        return True


@pytest.mark.h2
def test_streams_of_one_connection_count_each(start):
    gateway = start(limited({"streams": "2"}, route=0, limits={"on_limit": "status"}))
    with connect(gateway.port) as connection:
        exchanges = [connection.open(path="/events", fields=STREAM) for _ in range(3)]
        assert [exchange.head().status for exchange in exchanges] == [200, 200, 429]
        exchanges[0].reset()
        assert connection.open(path="/events", fields=STREAM).head().status == 200


@pytest.mark.parametrize("length", [10, 11])
def test_a_body_over_the_limit_is_413(start, length):
    base = limited({"body": "10"}, route=1)
    gateway = start(base)
    answer = ask(gateway.port, "POST", "/publish/t", {"Content-Type": "text/plain"}, "x" * length)
    assert answer.status == (200 if length == 10 else 413)


def test_the_smaller_limit_of_a_publishers_body_counts(start):
    gateway = start(limited({"body": "1MiB"}, route=1, limits={"publish_body": "10"}))
    answer = ask(gateway.port, "POST", "/publish/t", {"Content-Type": "text/plain"}, "x" * 11)
    assert answer.status == 413
    assert b"10 bytes" in answer.body


def test_a_body_that_nobody_wants_is_limited_too(start):
    base = limited({"body": "10"})
    gateway = start(base)
    assert ask(gateway.port, "POST", "/", None, "x" * 11).status == 413


@pytest.mark.http1
def test_a_chunked_body_over_the_limit_is_413(start):
    base = limited({"body": "10"}, route=0)
    base["routes"][0]["match"]["methods"] = ["POST"]
    gateway = start(base)
    with connect(gateway.port) as connection:
        connection.send(b"POST /events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.send(b"6\r\naaaaaa\r\n6\r\nbbbbbb\r\n")
        assert connection.response("POST").status == 413
