"""How a connection of HTTP/2 lives and ends: drained, asked whether it is there, idle, gone."""

import contextlib
import json
import signal
import time

import pytest
from harness.client import connect, publish
from harness.frames import DataFrame, GoAwayFrame, PingFrame, Wire, get, post, raw
from harness.gateway import PATIENCE, settings
from harness.http2 import Connection
from harness.raw import Closed, Socket
from harness.raw import Connection as HTTP1
from harness.sse import Retry, Stream

pytestmark = pytest.mark.h2

TEXT = {"Content-Type": "text/plain"}


class TestDrain:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_streams_of_a_connection_end_each_with_its_retry(self, start, number):
        gateway = start(settings(workers="2"))
        with connect(gateway.port) as connection:
            streams = [Stream(on=connection).opened() for _ in range(20)]
            gateway.signal(number)
            retries = set()
            for stream in streams:
                items = stream.rest()
                assert stream.ended == "clean", "END_STREAM says that nothing is missing"
                retries.add([item.milliseconds for item in items if isinstance(item, Retry)][-1])
            assert len(retries) > 10, "all coming back at once would be a storm"
            connection.rest()
            assert [(way.last_stream, way.code) for way in connection.going] == [(2**31 - 1, 0), (39, 0)]
        assert gateway.wait() == 0

    def test_what_is_under_way_is_answered_and_what_comes_is_told_to_come_back(self, start):
        gateway = start()
        with connect(gateway.port) as connection:
            exchange = connection.open("POST", "/publish/t", TEXT, end=False)
            exchange.send("half ")
            connection.ping()
            gateway.signal()
            connection.read_until(lambda: connection.going)
            # It may not have seen the GOAWAY yet.
            late = Stream(on=connection)
            assert 10_000 <= next(item for item in iter(late.item, None) if isinstance(item, Retry)).milliseconds <= 60_000
            late.rest()
            assert late.ended == "clean"
            assert connection.open().response().body == b"ok"
            exchange.send("whole", end=True)
            assert json.loads(exchange.response().body)["ids"]
            assert connection.ended()
            assert connection.going[-1].code == 0
        assert gateway.wait() == 0

    def test_an_event_that_was_accepted_is_delivered_before_the_end(self, start):
        gateway = start()
        with connect(gateway.port) as connection, Stream(on=connection).opened() as stream:
            opened = [connection.open("POST", "/publish/t", TEXT, str(number)) for number in range(50)]
            assert all(exchange.response().status == 200 for exchange in opened)
            gateway.signal()
            assert [item.data for item in stream.rest() if hasattr(item, "data")] == [str(number) for number in range(50)]
            assert stream.ended == "clean"

    def test_connections_without_streams_are_closed_at_once(self, start):
        gateway = start(settings(shutdown_grace="60s"))
        idle = [connect(gateway.port) for _ in range(5)]
        for connection in idle[1:]:
            assert connection.request().status == 200
        gateway.signal()
        for connection in idle:
            assert connection.ended()
            assert connection.going[-1].code == 0
            connection.close()
        assert gateway.wait() == 0

    def test_a_client_that_talks_to_the_end_loses_nothing_of_it(self, start):
        # Input that nobody reads when a connection is closed would make a reset of it, which takes away what was said.
        gateway = start()
        with Wire(gateway.port) as wire:
            wire.send(wire.head(1, get("/events")))
            wire.wait(DataFrame)
            gateway.signal()
            ended = False
            for frame in wire.frames():
                if isinstance(frame, DataFrame):
                    ended = ended or "END_STREAM" in frame.flags
                try:
                    wire.send(*[raw(6, payload=bytes(8))] * 50)
                except Closed:
                    break
            assert ended
        assert gateway.wait() == 0

    def test_streams_without_a_window_do_not_hold_up_the_end(self, start):
        gateway = start(settings(shutdown_grace="1s"))
        with Wire(gateway.port, settings={4: 0}) as wire:
            for number in range(1, 100, 2):
                wire.send(wire.head(number, get("/events")))
                assert wire.outcome(number) == 200
            gateway.signal()
            wire.wait(GoAwayFrame)
            assert gateway.wait() == 0

    def test_over_tls_too(self, start, authority, trusting):
        gateway = start(settings(listeners=[authority.listener()]))
        with Connection(gateway.port, tls=trusting) as connection:
            streams = [Stream(on=connection).opened() for _ in range(5)]
            gateway.signal()
            for stream in streams:
                stream.rest()
                assert stream.ended == "clean"
            while connection.fill():  # close_notify, then the end: a truncation would raise.
                pass


class TestKeepAlive:
    def test_a_silent_client_is_asked_and_stays_while_it_answers(self, start):
        gateway = start(settings({"heartbeat": 0}, limits={"keep_alive": "200ms", "write_timeout": "1s"}))
        with Wire(gateway.port) as wire:
            wire.send(wire.head(1, get("/events")))
            assert wire.outcome(1) == 200
            for _ in range(5):
                ping = wire.wait(PingFrame)
                wire.send(raw(6, payload=ping.opaque_data, flags=1))
            assert publish(gateway.port, "still here")["subscribers"] == 1
            while b"still here" not in wire.wait(DataFrame, 1).data:
                pass

    @pytest.mark.parametrize("over_tls", [False, True])
    def test_a_client_that_does_not_answer_is_closed(self, start, authority, trusting, over_tls):
        listeners = ["127.0.0.1:0", authority.listener()]
        limits = {"keep_alive": "200ms", "write_timeout": "500ms"}
        gateway = start(settings({"heartbeat": "50ms"}, limits=limits, listeners=listeners))
        with Wire(gateway.ports[int(over_tls)], **({"tls": trusting} if over_tls else {})) as wire:
            wire.send(wire.head(1, get("/events")))
            wire.wait(PingFrame)
            for _ in wire.frames():
                pass
        gateway.wait_for_log("did not answer PING")
        assert publish(gateway.port, "gone?")["subscribers"] == 0

    @pytest.mark.parametrize("requests", [0, 1, 3])
    def test_a_connection_without_streams_is_let_go_with_a_word(self, start, requests):
        gateway = start(settings(limits={"keep_alive": "300ms"}))
        with connect(gateway.port) as connection:
            for _ in range(requests):
                assert connection.request().body == b"ok"
            assert connection.ended()
            assert (connection.going[-1].code, connection.going[-1].last_stream) == (0, max(0, 2 * requests - 1))


    def test_a_client_that_only_pings_is_let_go_too(self, start):
        base = settings(limits={"keep_alive": "300ms"})
        base["sources"] = {"clock": {"ticker": {"every": "50ms"}}}
        base["topics"]["t"]["sources"] = ["clock"]
        gateway = start(base)
        with Stream(gateway.port) as clock, Wire(gateway.port) as wire:
            until = time.monotonic() + PATIENCE
            with contextlib.suppress(Closed):
                while time.monotonic() < until:
                    clock.next()
                    wire.ping()
            assert wire.last_word == 0


class TestLeaving:
    def test_who_leaves_is_forgotten_however_it_goes(self, gateway):
        def subscribers():
            return publish(gateway.port, "x")["subscribers"]

        for leave in (
            lambda wire: wire.close(),
            lambda wire: Socket.reset(wire),
            lambda wire: wire.send(raw(7, payload=bytes(8))) or wire.close(),
            lambda wire: wire.send(*(wire.reset(number) for number in range(1, 20, 2))),
            lambda wire: wire.send(bytes(9) + b"garbage"),
        ):
            wire = Wire(gateway.port)
            for number in range(1, 20, 2):
                wire.send(wire.head(number, get("/events")))
                assert wire.outcome(number) == 200
            assert subscribers() == 10
            leave(wire)
            assert any(subscribers() == 0 for _ in range(2000)), "still counted"
            wire.close()

    def test_a_client_that_goes_away_finishes_what_is_open(self, gateway):
        with Wire(gateway.port) as wire:
            wire.send(wire.head(1, get("/events")))
            assert wire.outcome(1) == 200
            wire.send(raw(7, payload=bytes(8)))
            wire.ping()
            publish(gateway.port, "still read")
            while b"still read" not in wire.wait(DataFrame, 1).data:
                pass

    @pytest.mark.timeout(300)
    def test_a_thousand_connections_with_streams_that_come_and_go_leave_nothing_behind(self, start, authority, trusting):
        gateway = start(settings(listeners=["127.0.0.1:0", authority.listener()], limits={"connections_per_address": 5000}))

        def crowd(count):
            for number in range(count):
                wire = Wire(gateway.ports[number % 10 == 0], **({"tls": trusting} if number % 10 == 0 else {}))
                for stream in range(1, 12, 2):
                    wire.send(wire.head(stream, get("/events" if stream % 3 else "/")))
                unfinished = post("/publish/t", ("content-type", "text/plain"))
                wire.send(wire.head(13, unfinished, end=False), wire.data(13, b"half"))
                assert wire.outcome(11) == 200
                if number % 3 == 0:
                    Socket.reset(wire)
                elif number % 3 == 1:
                    wire.send(wire.reset(1), wire.reset(13))
                wire.close()

        def quiet():
            with HTTP1(gateway.port) as connection:
                counts = []
                while len(counts) < 100 or len(set(counts[-100:])) > 1:
                    assert len(counts) < 20_000, f"the number of descriptors does not settle: {counts[-10:]}"
                    assert connection.request().body == b"ok"
                    counts.append(gateway.descriptors())
                return counts[-1]

        crowd(300)
        idle, memory = quiet(), gateway.resident_kilobytes()
        crowd(1000)
        assert quiet() <= idle
        assert gateway.resident_kilobytes() - memory < 4 * 1024
        assert publish(gateway.port, "x")["subscribers"] == 0

    def test_streams_that_come_and_go_on_one_connection_leave_nothing_behind(self, gateway):
        def visits(wire, first, count):
            for number in range(first, first + 6 * count, 6):
                wire.send(wire.head(number, get("/events")))
                assert wire.outcome(number) == 200
                wire.wait(DataFrame, number)
                # What is served makes up for the resets.
                wire.send(wire.reset(number), wire.head(number + 2), wire.head(number + 4))
                assert wire.outcome(number + 4) == 200

        with Wire(gateway.port) as wire:
            visits(wire, 1, 500)
            before = gateway.resident_kilobytes()
            visits(wire, 3001, 3000)
            assert gateway.resident_kilobytes() - before < 2 * 1024
            assert publish(gateway.port, "x")["subscribers"] == 0
