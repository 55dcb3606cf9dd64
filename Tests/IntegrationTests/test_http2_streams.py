"""Streams beside streams on one HTTP/2 connection: each right by itself, limits and refusals, bodies, addresses."""

import json
import re
import threading

import pytest
from harness.client import connect, publish
from harness.frames import CALM, PROTOCOL, REFUSED, Wire, get, post
from harness.gateway import PATIENCE, settings
from harness.http2 import Connection
from harness.raw import Closed
from harness.raw import Connection as HTTP1
from harness.sse import Retry, Stream

pytestmark = pytest.mark.h2

TEXT = {"Content-Type": "text/plain"}


class TestStreams:
    def test_many_streams_on_one_connection_get_every_event(self, gateway):
        with connect(gateway.port) as connection:
            streams = [Stream(on=connection).opened() for _ in range(100)]
            for number in range(10):
                assert publish(gateway.port, str(number))["subscribers"] == 100
            for stream in streams:
                assert [event.data for event in stream.events(10)] == [str(number) for number in range(10)]

    def test_closing_one_leaves_the_others_and_is_seen_at_once(self, gateway):
        with connect(gateway.port) as connection:
            streams = [Stream(on=connection).opened() for _ in range(5)]
            for left in range(4, -1, -1):
                streams[left].close()
                # The RST_STREAM stands before this request on the same connection.
                answer = connection.request("POST", "/publish/t", TEXT, f"{left} left")
                assert json.loads(answer.body)["subscribers"] == left
                for stream in streams[:left]:
                    assert stream.next().data == f"{left} left"

    def test_requests_in_parallel_are_answered_each_with_its_own(self, gateway):
        with connect(gateway.port) as connection, Stream(gateway.port) as stream:
            stream.opened()
            exchanges = [connection.open("POST", f"/publish/t?event=e{number}", TEXT, str(number)) for number in range(100)]
            ids = [json.loads(exchange.response().body)["ids"][0] for exchange in reversed(exchanges)][::-1]
            events = stream.events(100)
            assert {event.id: (event.type, event.data) for event in events} == {
                given: (f"e{number}", str(number)) for number, given in enumerate(ids)
            }

    def test_bodies_that_come_in_turns_are_not_mixed(self, gateway):
        with connect(gateway.port) as connection, Stream(gateway.port) as stream:
            stream.opened()
            exchanges = [connection.open("POST", "/publish/t", TEXT, end=False) for _ in range(10)]
            for _ in range(20):
                for number, exchange in enumerate(exchanges):
                    exchange.send(str(number))
            for exchange in exchanges:
                exchange.send(b"", end=True)
                assert exchange.response().status == 200
            assert [event.data for event in stream.events(10)] == [str(number) * 20 for number in range(10)]

    def test_over_the_limit_a_stream_is_refused_and_may_come_again(self, start):
        gateway = start(settings(limits={"streams": 5}))
        with Wire(gateway.port) as wire:
            # One that has not seen the limit yet; who has is in error (RFC 9113, 5.1.2).
            wire.acknowledges = False
            for number in range(5):
                wire.send(wire.head(1 + 2 * number, get("/events")))
                assert wire.outcome(1 + 2 * number) == 200
            wire.send(wire.head(11))
            assert wire.outcome(11) == f"reset {REFUSED}"
            wire.send(wire.reset(3), wire.head(13, get("/events")))
            assert wire.outcome(13) == 200
            wire.send(wire.settings_answer(), wire.head(15))
            assert wire.outcome(15) == f"goaway {PROTOCOL}"

    def test_head_gets_the_fields_alone(self, gateway):
        with connect(gateway.port) as connection:
            for path, kind in (("/events", "text/event-stream"), ("/", "text/plain; charset=utf-8")):
                head = connection.open("HEAD", path)
                answer = head.response()
                assert (answer.status, answer["Content-Type"], answer.body) == (200, kind, b"")
                assert head.is_complete

    def test_a_post_subscribes_beside_the_answer_to_its_body(self, start):
        base = settings()
        base["routes"][0]["match"]["methods"] = ["GET", "POST"]
        gateway = start(base)
        with connect(gateway.port) as connection:
            exchange = connection.open("POST", "/events", {"Expect": "100-continue"}, end=False)
            assert exchange.head().status == 100
            exchange.send("{}", end=True)
            assert exchange.head().status == 200
            publish(gateway.port, "x")
            while b"data: x" not in exchange.piece():
                pass

    def test_100_continue_and_no_100_before_a_refusal(self, start):
        gateway = start(settings(limits={"publish_body": "1KiB"}))
        with connect(gateway.port) as connection:
            exchange = connection.open("POST", "/publish/t", {**TEXT, "Expect": "100-continue"}, end=False)
            assert exchange.head().status == 100
            exchange.send("wait", end=True)
            assert exchange.response().status == 200
            too_large = {**TEXT, "Expect": "100-continue", "Content-Length": "2000"}
            assert connection.open("POST", "/publish/t", too_large, end=False).head().status == 413

    def test_a_preflight_and_a_refusal_are_readable_by_a_page(self, start):
        base = settings()
        for route in base["routes"]:
            route["cors"] = {"origins": ["https://app.example"]}
        base["routes"][1]["auth"] = {"bearer": "token"}
        gateway = start(base)
        origin = {"Origin": "https://app.example"}
        with connect(gateway.port) as connection:
            asked = {**origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "last-event-id"}
            answer = connection.request("OPTIONS", "/events", asked)
            assert answer.status == 204
            assert answer["Content-Length"] is None
            assert "last-event-id" in answer["Access-Control-Allow-Headers"].lower()
            refused = connection.request("POST", "/publish/t", {**TEXT, **origin}, "x")
            assert refused.status == 401
            assert refused["WWW-Authenticate"].startswith("Bearer")
            assert refused["Access-Control-Allow-Origin"] == "https://app.example"
            let = {**TEXT, **origin, "Authorization": "Bearer token"}
            assert connection.request("POST", "/publish/t", let, "x").status == 200

    def test_no_field_of_an_http_1_1_connection_is_sent(self, gateway):
        with connect(gateway.port) as connection:
            answers = [
                connection.request(),
                connection.request(path="/nothing"),
                connection.request("DELETE", "/events"),
                connection.request("POST", "/publish/t", TEXT, "x"),
                connection.open(path="/events").head(),
                connection.request(fields={"X-Large": "x" * 65_000, "Y": "y" * 2000}),
            ]
            assert [answer.status for answer in answers] == [200, 404, 405, 200, 200, 431]
            for answer in answers:
                names = {name for name, _ in answer.fields}
                assert names == {name.lower() for name in names}
                assert not names & {"connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"}
                assert answer["Date"]


class TestBodies:
    @pytest.mark.parametrize("length", [None, "200000"])
    def test_a_body_over_the_limit_is_answered_and_the_connection_lives_on(self, start, length):
        gateway = start(settings(limits={"publish_body": "64KiB"}))
        with connect(gateway.port) as connection, Stream(on=connection).opened() as stream:
            for _ in range(30):
                fields = {**TEXT, **({"Content-Length": length} if length else {})}
                exchange = connection.open("POST", "/publish/t", fields, end=False)
                exchange.send("x" * 200_000)
                assert exchange.response().status == 413
                # RFC 9113, 8.1: the rest is not wanted, and nothing went wrong.
                connection.read_until(lambda: exchange.reset_code is not None)
                assert exchange.reset_code == 0
            assert connection.request("POST", "/publish/t", TEXT, "small").status == 200
            assert stream.next().data == "small"

    def test_a_body_that_nobody_reads_holds_up_nobody(self, gateway):
        with connect(gateway.port) as connection, Stream(on=connection).opened() as stream:
            exchange = connection.open("POST", "/", TEXT, end=False)
            assert exchange.response().body == b"ok"
            connection.read_until(lambda: exchange.reset_code is not None)
            assert exchange.reset_code == 0
            for _ in range(50):
                exchange = connection.open("POST", "/nothing", TEXT, "x" * 60_000)
                assert exchange.head().status == 404
            assert connection.request("POST", "/publish/t", TEXT, "x" * 500_000).status == 200
            assert len(stream.next().data) == 500_000

    def test_a_body_that_does_not_come_is_answered_408_and_the_others_live_on(self, start):
        gateway = start(settings(limits={"request_head_timeout": "300ms"}))
        with connect(gateway.port) as connection, Stream(on=connection).opened() as stream:
            exchange = connection.open("POST", "/publish/t", TEXT, end=False)
            exchange.send("half")
            assert exchange.response().status == 408
            assert connection.request("POST", "/publish/t", TEXT, "whole").status == 200
            assert stream.next().data == "whole"

    @pytest.mark.parametrize("cut", [-1, 12, 5])
    def test_a_head_that_drips_is_not_waited_for(self, start, cut):
        gateway = start(settings(limits={"request_head_timeout": "300ms"}))
        with Wire(gateway.port) as wire:
            wire.acknowledges = False
            head = wire.head(1)
            if cut < 0:
                wire.send(head[:4] + bytes([1]) + head[5:])  # Without END_HEADERS.
            else:
                wire.send(head[:cut])
                wire.socket.settimeout(0.1)
                for byte in head[cut:-1]:
                    try:
                        while wire.frame() is not None:
                            pass
                        break
                    except TimeoutError:
                        wire.send(bytes([byte]))
                wire.socket.settimeout(PATIENCE)
            assert wire.goaway() == CALM


class TestAddresses:
    def test_connections_of_an_address_are_counted_and_who_was_refused_may_come_again(self, start):
        gateway = start(settings(limits={"connections_per_address": 2}))
        first = [Stream(gateway.port).opened() for _ in range(2)]
        with Connection(gateway.port) as third:
            assert third.request().status == 503
            # Else it would stand there, refused for ever, and count.
            third.read_until(lambda: third.going)
            assert third.going[0].code == 0
            assert third.ended()
        for stream in first:
            stream.close()
        assert any(get_status(gateway) == 200 for _ in range(1000)), "who left makes room"

    def test_an_event_source_over_the_limit_is_told_to_come_back(self, start):
        gateway = start(settings(limits={"connections_per_address": 1}))
        with Stream(gateway.port).opened(), Stream(gateway.port) as second:
            retry = next(item for item in iter(second.item, None) if isinstance(item, Retry))
            assert 10_000 <= retry.milliseconds <= 60_000
            second.rest()
            assert second.ended == "clean"

    def test_behind_a_trusted_proxy_each_stream_counts_for_its_client(self, start):
        gateway = start(settings(limits={"connections_per_address": 2}, trusted_proxies=["127.0.0.0/8"]))
        with connect(gateway.port) as proxy:

            def stream(client):
                return Stream(on=proxy, fields={"X-Forwarded-For": client})

            crowd = [stream(f"203.0.113.{number}") for number in range(20)]
            same = [stream("203.0.113.200") for _ in range(3)]
            retries = [
                next(item for item in iter(each.item, None) if isinstance(item, Retry)).milliseconds >= 10_000
                for each in crowd + same
            ]
            assert retries == [False] * 22 + [True]
            same[0].close()
            again = stream("203.0.113.200")
            assert next(item for item in iter(again.item, None) if isinstance(item, Retry)).milliseconds <= 3000
            # The proxy's own connection is not given up for one client of it.
            assert not proxy.going


def get_status(gateway):
    try:
        with Connection(gateway.port) as connection:
            return connection.request().status
    except Closed:
        return None


def test_what_http_1_1_subscribes_http_2_publishes_and_the_other_way(gateway):
    with HTTP1(gateway.port) as old, connect(gateway.port) as new, Stream(on=old) as one, Stream(on=new) as two:
        one.opened(), two.opened()
        with HTTP1(gateway.port) as publisher:
            publisher.request("POST", "/publish/t", TEXT, "from the old")
        new.request("POST", "/publish/t", TEXT, "from the new")
        for stream in (one, two):
            assert [event.data for event in stream.events(2)] == ["from the old", "from the new"]


def test_the_bytes_of_a_stream_are_the_same_over_both(start):
    gateway = start(settings({"opening_id": "on", "retry": "0s", "heartbeat": 0}))
    ids = [publish(gateway.port, f"line\n{number}", query="?event=e")["ids"][0] for number in range(50)]
    raws = []
    for connection in (HTTP1(gateway.port), connect(gateway.port)):
        with connection, Stream(on=connection, last_id=ids[0]) as stream:
            stream.events(49)
            raws.append(stream.raw)
    assert raws[0] == raws[1]


def test_one_connection_is_used_by_threads_of_requests_for_long(gateway):
    """Stream numbers, tables and windows after thousands of exchanges."""
    with connect(gateway.port) as connection, Stream(on=connection).opened() as stream:
        for number in range(3000):
            answer = connection.request("POST", "/publish/t", {**TEXT, "X-Number": number}, str(number))
            assert json.loads(answer.body)["subscribers"] == 1
            assert stream.next().data == str(number)


def test_refused_streams_leave_nothing(gateway):
    with Wire(gateway.port) as wire:
        for number in range(1, 200, 2):
            wire.send(wire.head(number, post("/publish/t", ("content-type", "image/png"))))
            assert wire.outcome(number) == 415
        assert re.search(r"\bGOAWAY\b", gateway.log()) is None


def test_publishers_on_many_connections_and_streams_lose_nothing(start):
    gateway = start(settings(workers="2"))
    with Stream(gateway.port) as stream:
        stream.opened()

        def publisher(name):
            with connect(gateway.port) as connection:
                for start in range(0, 200, 20):
                    opened = [
                        connection.open("POST", "/publish/t", TEXT, f"{name} {number}") for number in range(start, start + 20)
                    ]
                    assert all(exchange.response().status == 200 for exchange in opened)

        threads = [threading.Thread(target=publisher, args=(name,)) for name in range(5)]
        for thread in threads:
            thread.start()
        seen = [event.data for event in stream.events(1000)]
        for thread in threads:
            thread.join()
        assert sorted(seen) == sorted(f"{name} {number}" for name in range(5) for number in range(200))
