"""A client that stops reading costs the others nothing and is ended at its limit."""

import socket
import time

import pytest
from harness.client import connect, publish
from harness.gateway import PATIENCE, settings
from harness.sse import Stream

EVENT = "x" * (64 * 1024)


def test_a_client_that_stops_reading_is_ended_while_the_others_get_every_event_at_once(start):
    gateway = start(settings({"max_lag": "256KiB", "history": {"events": 20}}))
    slow = Stream(gateway.port, receive_buffer=4096).opened()
    others = [Stream(gateway.port).opened() for _ in range(3)]
    left, number, until = False, 0, time.monotonic() + PATIENCE
    # Long enough for the sweep that looks for such clients, and for more than the kernel may hold for one.
    while not left and time.monotonic() < until:
        answer = publish(gateway.port, f"{number} {EVENT}")
        # Each event reaches the others before the next one is published.
        for stream in others:
            assert stream.next().data.startswith(f"{number} ")
        left = answer["subscribers"] == len(others)
        number += 1
    assert left, "the slow subscriber was never ended"
    gateway.wait_for_log("slow")
    slow.rest()
    assert slow.ended
    with Stream(gateway.port, last_id=slow.last_id) as again:
        assert again.head.status == 200, "it may come back"
    for stream in others:
        stream.close()


def test_a_client_that_reads_slowly_but_reads_gets_everything(start):
    gateway = start(settings({"max_lag": "64MiB", "history": {"bytes": "64MiB"}}))
    with Stream(gateway.port, receive_buffer=4096) as slow:
        slow.opened()
        for number in range(150):
            publish(gateway.port, f"{number} {EVENT}")
        assert [int(event.data.split()[0]) for event in slow.events(150)] == list(range(150))
        publish(gateway.port, "live again")
        assert slow.next().data == "live again"


def test_a_client_that_takes_nothing_for_the_write_timeout_is_reset(start):
    gateway = start(settings({"max_lag": "64MiB", "history": {"bytes": "64MiB"}}, limits={"write_timeout": "1s"}))
    with Stream(gateway.port, receive_buffer=4096) as slow, Stream(gateway.port) as watcher:
        slow.opened(), watcher.opened()
        for number in range(150):
            publish(gateway.port, f"{number} {EVENT}")
        watcher.events(150)
        gateway.wait_for_log("write")
        slow.rest()
        assert slow.ended == "cut"


@pytest.mark.http1
def test_a_client_on_a_slow_line_is_not_cut_off_while_it_takes_something(start):
    configuration = settings({"max_lag": "64MiB", "history": {"bytes": "64MiB"}}, limits={"write_timeout": "2s"})
    configuration["sources"] = {"clock": {"ticker": {"every": "100ms"}}}
    configuration["topics"]["ticks"] = {"sources": ["clock"]}
    configuration["routes"].insert(0, {"match": "/ticks", "subscribe": "ticks"})
    gateway = start(configuration)
    with Stream(gateway.port, "/ticks") as clock, socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        slow.connect(("127.0.0.1", gateway.port))
        slow.sendall(b"GET /events HTTP/1.1\r\nHost: test\r\n\r\n")
        slow.recv(1)
        for number in range(30):
            publish(gateway.port, f"{number} {EVENT}")
        # 40 KB in twice the timeout: too little for the kernel to ask the gateway for more.
        for _ in range(40):
            clock.next()
            assert slow.recv(1000)
        assert "write timeout" not in gateway.log()
        gateway.wait_for_log("write timeout")


def test_memory_does_not_grow_with_the_number_of_stalled_clients(start):
    gateway = start(settings({"history": {"events": 10}, "max_lag": "8MiB"}))
    with Stream(gateway.port) as watcher:
        watcher.opened()
        before = gateway.resident_kilobytes()
        stalled = [Stream(gateway.port, receive_buffer=4096).opened() for _ in range(50)]
        for number in range(100):
            publish(gateway.port, f"{number} {EVENT}")
        watcher.events(100)
        # 50 queues of 6 MiB would be 300 MiB; the log is 8 MiB.
        assert gateway.resident_kilobytes() - before < 100 * 1024
        for stream in stalled:
            stream.connection.reset()


def test_a_subscriber_that_leaves_is_forgotten(gateway):
    streams = [Stream(gateway.port).opened() for _ in range(20)]
    for stream in streams[:10]:
        stream.close()
    for stream in streams[10:]:
        stream.connection.reset()
    with connect(gateway.port) as connection:
        # A departure is an event of the loop like any other: it is seen after a few turns at most.
        for _ in range(2000):
            answer = connection.request("POST", "/publish/t", {"Content-Type": "text/plain"}, "x")
            if b'"subscribers":0' in answer.body.replace(b" ", b""):
                return
    raise AssertionError("subscribers that left are still counted")
