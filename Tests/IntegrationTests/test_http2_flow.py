"""Windows: a stream without one lags like a client that does not read, and nothing is queued for it."""

import json
import time

import pytest
from harness.client import connect, publish
from harness.frames import CANCEL, DataFrame, Wire, get
from harness.gateway import PATIENCE, settings
from harness.http2 import Connection
from harness.raw import Connection as HTTP1
from harness.sse import Event, Stream

pytestmark = pytest.mark.h2

TEXT = {"Content-Type": "text/plain"}
EVENT = "x" * (64 * 1024)
LARGE = {"max_lag": "64MiB", "history": {"bytes": "64MiB", "events": 100_000}, "retry": "0s", "heartbeat": 0}
WIDE = 1 << 30


class Publisher:
    """Publishes on one connection; knows how many subscribers there were last."""

    def __init__(self, gateway):
        self.connection = HTTP1(gateway.port)

    def __call__(self, data, query=""):
        # Several in the time of one tick may be more than the log of a test holds.
        while (answer := self.connection.request("POST", f"/publish/t{query}", TEXT, data)).status == 429:
            pass
        assert answer.status == 200, answer
        return json.loads(answer.body)["subscribers"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()


def closed(gateway, **more):
    """A connection whose streams begin without a window, and whose own window never matters."""
    connection = Connection(gateway.port, window=0, **more)
    connection.gives_back = False
    connection.window(connection=WIDE)
    connection.ping()
    return connection


def opened(stream, window=WIDE):
    """Opens a stream's window."""
    stream.connection.window(exchange=(stream.exchange, window))
    return stream


def test_a_stream_without_a_window_costs_no_memory_and_its_neighbours_get_everything(start):
    gateway = start(settings({"history": {"events": 10}, "overflow": "skip", "max_lag": "256KiB"}))
    with Publisher(gateway) as publish, closed(gateway) as connection:
        stalled = [Stream(on=connection) for _ in range(20)]
        others = [opened(Stream(on=connection)).opened() for _ in range(2)]
        for number in range(100):
            publish(f"{number} {EVENT}")
            for other in others:
                assert other.next().data.startswith(f"{number} ")
        before = gateway.resident_kilobytes()
        for number in range(100, 800):
            assert publish(f"{number} {EVENT}") == 22
            for other in others:
                assert other.next().data.startswith(f"{number} ")
        # 50 MB went by; 20 queues of them would be a GB.
        assert gateway.resident_kilobytes() - before < 16 * 1024
        for stream in stalled:
            assert stream.raw == b""


@pytest.mark.parametrize("over_tls", [False, True])
def test_when_its_window_opens_a_stream_reads_on_in_order_and_is_live_again(start, authority, trusting, over_tls):
    gateway = start(settings(LARGE, listeners=["127.0.0.1:0", authority.listener()]))
    with Publisher(gateway) as publish, HTTP1(gateway.port) as old:
        more = {"tls": trusting} if over_tls else {}
        connection = Connection(gateway.ports[int(over_tls)], window=0, **more)
        connection.gives_back = False
        connection.window(connection=WIDE)
        reference, stream = Stream(on=old), Stream(on=connection)
        for number in range(100):
            publish(f"{number} {EVENT[:number * 400]}\nß")
        # In steps that end anywhere in an event.
        for window in (1, 2, 3, 50, 1000, 16_384, 100_000, 1_000_000):
            opened(stream, window)
            received = len(stream.raw)
            stream.read_until(lambda: len(stream.raw) == received + window)
        opened(stream)
        assert [event.data.split()[0] for event in stream.events(100)] == [str(number) for number in range(100)]
        publish("live again")
        assert stream.next().data == "live again"
        reference.events(101)
        assert stream.raw == reference.raw, "to the byte"
        connection.close()


def test_windows_of_a_few_bytes_give_the_same_bytes(start):
    gateway = start(settings(LARGE))
    with Publisher(gateway) as publish, HTTP1(gateway.port) as old, Wire(gateway.port, settings={4: 0}) as wire:
        reference = Stream(on=old)
        for stream in (1, 3, 5):
            wire.send(wire.head(stream, get("/events")))
            assert wire.outcome(stream) == 200
        for number in range(20):
            publish(f"event {number}")
        reference.events(20)
        raw = {1: b"", 3: b"", 5: b""}
        wire.send(*(wire.window(stream, stream) for stream in raw))
        while any(len(got) < len(reference.raw) for got in raw.values()):
            frame = wire.wait(DataFrame)
            assert len(frame.data) <= frame.stream_id
            raw[frame.stream_id] += frame.data
            wire.send(wire.window(frame.stream_id, len(frame.data)))
        assert all(got.startswith(reference.raw) for got in raw.values())


def test_an_initial_window_that_shrinks_and_grows_while_streams_run(start):
    gateway = start(settings(LARGE))
    with Publisher(gateway) as publish, HTTP1(gateway.port) as old, closed(gateway) as connection:
        connection.window(streams=100_000)
        reference = Stream(on=old)
        streams = [Stream(on=connection).opened() for _ in range(3)]
        publish(EVENT)
        for stream in streams:
            assert len(stream.next().data) == len(EVENT)
        # The windows are negative now: some 65 KB were sent, and none may be.
        connection.window(streams=0)
        connection.ping()
        for number in range(20):
            publish(f"{number} {EVENT}")
        connection.ping()
        assert all(len(stream.raw) < 100_000 for stream in streams)
        connection.window(streams=1 << 29)
        for stream in streams:
            assert [int(event.data.split()[0]) for event in stream.events(20)] == list(range(20))
        publish("live")
        reference.events(22)
        for stream in streams:
            assert stream.next().data == "live"
            assert stream.raw == reference.raw


def test_a_connection_without_a_window_makes_all_its_streams_lag_until_it_opens(start):
    gateway = start(settings(LARGE))
    with Publisher(gateway) as publish, Connection(gateway.port, window=WIDE) as connection:
        connection.gives_back = False
        connection.ping()
        streams = [Stream(on=connection) for _ in range(10)]
        for number in range(20):
            assert publish(f"{number} {EVENT}") == 10
        connection.ping()
        assert sum(stream.exchange.unread for stream in streams) == 65_535
        connection.window(connection=500_000)
        connection.ping()
        connection.window(connection=WIDE)
        for stream in reversed(streams):
            assert [int(event.data.split()[0]) for event in stream.events(20)] == list(range(20))
        publish("live")
        for stream in streams:
            assert stream.next().data == "live"


def test_of_streams_that_share_a_small_connection_window_none_starves(start):
    gateway = start(settings(LARGE, limits={"write_timeout": "2s"}))
    with Publisher(gateway) as publish, Connection(gateway.port, window=WIDE) as connection:
        connection.gives_back = "at once"
        streams = [Stream(on=connection) for _ in range(10)]
        for number in range(30):
            publish(f"{number} {EVENT}")
        # The connection's window is 65535: 20 MB in turns of one event's size.
        for number in range(30):
            for stream in streams:
                assert int(stream.next().data.split()[0]) == number


def test_a_stream_without_a_window_that_lags_too_far_ends_alone(start):
    gateway = start(settings({"max_lag": "256KiB", "history": {"events": 5}}))
    with Publisher(gateway) as publish, closed(gateway) as connection:
        slow, other = Stream(on=connection), opened(Stream(on=connection)).opened()
        opened(slow, 100_000)
        left, until = False, time.monotonic() + PATIENCE
        while not left and time.monotonic() < until:
            left = publish(EVENT) == 1
            assert other.next().data == EVENT
        assert left, "it was never ended"
        gateway.wait_for_log("slow")
        opened(slow)
        seen = [item.data for item in slow.rest() if isinstance(item, Event)]
        assert seen == [EVENT] * len(seen) and seen, "what was begun is finished, and nothing is made up"
        assert slow.ended == "clean"
        publish("still here")
        assert other.next().data == "still here"
        with Stream(on=connection, last_id=slow.last_id) as again:
            assert opened(again).next().type == "gap"


def test_skip_and_latest_act_when_the_window_opens(start):
    base = settings({"max_lag": "256KiB", "history": {"events": 5}, "overflow": "skip"})
    gateway = start(base)
    with Publisher(gateway) as publish, closed(gateway) as connection:
        stream = Stream(on=connection)
        for number in range(50):
            assert publish(f"{number} {EVENT}") == 1
        opened(stream)
        events = [stream.next()]
        assert events[0].type == "gap"
        while not events[-1].data.startswith("49 "):
            events.append(stream.next())
        numbers = [int(event.data.split()[0]) for event in events[1:]]
        assert numbers == list(range(numbers[0], 50)) and numbers[0] > 40
        publish("live")
        assert stream.next().data == "live"
    base["topics"]["t"]["overflow"] = "latest"
    gateway = start(base)
    with Publisher(gateway) as publish, closed(gateway) as connection:
        stream = Stream(on=connection)
        for number in range(50):
            assert publish(f"{number} {EVENT}", f"?event=type{number % 3}") == 1
        opened(stream)
        events = [event for event in stream.events(3) if event.type != "gap"]
        while len(events) < 3:
            events.append(stream.next())
        assert [(event.type, int(event.data.split()[0])) for event in events] == [("type2", 47), ("type0", 48), ("type1", 49)]
        publish("live")
        assert stream.next().data == "live"


def test_a_stream_whose_window_stays_closed_for_the_write_timeout_is_reset_alone(start):
    gateway = start(settings(LARGE, limits={"write_timeout": "1s"}))
    with Publisher(gateway) as publish, closed(gateway) as connection:
        slow, other = Stream(on=connection), opened(Stream(on=connection))
        publish(EVENT)
        assert other.next().data == EVENT
        assert "write timeout" in gateway.wait_for_log("write timeout")
        connection.read_until(lambda: slow.exchange.reset_code is not None)
        assert slow.exchange.reset_code == CANCEL
        assert publish("still here") == 1
        assert other.next().data == "still here"
        assert not connection.going


def test_a_stream_that_is_read_slowly_is_not_reset_while_it_takes_something(start):
    configuration = settings(LARGE, limits={"write_timeout": "1s"})
    configuration["sources"] = {"clock": {"ticker": {"every": "100ms"}}}
    configuration["topics"]["ticks"] = {"sources": ["clock"]}
    configuration["routes"].insert(0, {"match": "/ticks", "subscribe": "ticks"})
    gateway = start(configuration)
    with Publisher(gateway) as publish, closed(gateway) as connection:
        clock, slow = opened(Stream(on=connection, path="/ticks")), Stream(on=connection)
        publish(EVENT)
        # 3 KB in three times the timeout.
        for number in range(30):
            clock.next()
            opened(slow, 100)
        assert "write timeout" not in gateway.log()
        slow.read_until(lambda: len(slow.raw) == 3000)


def test_a_connection_that_is_not_read_is_reset_with_all_its_streams(start):
    gateway = start(settings(LARGE, limits={"write_timeout": "1s"}))
    with Publisher(gateway) as publish, Stream(gateway.port) as watcher:
        watcher.opened()
        connection = Connection(gateway.port, receive_buffer=4096)
        streams = [Stream(on=connection).opened() for _ in range(20)]
        before = gateway.resident_kilobytes()
        for number in range(100):
            assert publish(f"{number} {EVENT}") >= 1
            watcher.next()
        assert gateway.resident_kilobytes() - before < 24 * 1024, "the log is 6 MiB; 20 queues would be 130"
        gateway.wait_for_log("write timeout")
        assert any(publish("gone?") == 1 for _ in range(1000))
        for stream in streams:
            stream.rest()
            assert stream.ended == "cut"
        connection.close()


def test_answers_wait_for_their_window_too(start):
    base = settings()
    base["routes"].insert(0, {"match": "/long", "respond": "y" * 300_000})
    gateway = start(base)
    with closed(gateway) as connection:
        exchanges = [connection.open(path="/long") for _ in range(10)]
        assert connection.open(method="HEAD", path="/long").response().status == 200
        for exchange in exchanges:
            connection.window(exchange=(exchange, 100_000))
        connection.read_until(lambda: all(exchange.unread >= 100_000 for exchange in exchanges))
        connection.ping()
        assert [exchange.unread for exchange in exchanges] == [100_000] * 10
        for exchange in exchanges:
            connection.window(exchange=(exchange, 200_000))
            assert len(exchange.response().body) == 300_000


def test_an_answer_that_nobody_takes_is_reset_after_the_write_timeout(start):
    gateway = start(settings(limits={"write_timeout": "500ms"}))
    with closed(gateway) as connection:
        exchange = connection.open()
        assert exchange.head().status == 200
        connection.read_until(lambda: exchange.reset_code is not None)
        assert exchange.reset_code == CANCEL
        assert connection.open(method="HEAD").response().status == 200


def test_a_large_event_goes_through_small_windows_whole(gateway):
    with Connection(gateway.port, window=20_000) as connection, Stream(on=connection) as stream:
        stream.opened()
        data = "\n".join(f"{number:06d}" + "x" * 1000 for number in range(900))
        publish(gateway.port, data)
        assert stream.next().data == data


def test_windows_grow_back_for_publishers(gateway):
    with connect(gateway.port) as connection, Stream(gateway.port).opened() as stream:
        for number in range(20):
            data = str(number) + "x" * 900_000
            assert connection.request("POST", "/publish/t", TEXT, data).status == 200
            assert stream.next().data == data
