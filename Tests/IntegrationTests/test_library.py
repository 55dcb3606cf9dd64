"""Examples/Hello: the library in a program of ten lines."""

import subprocess

import pytest
from harness.client import ask
from harness.examples import build
from harness.raw import Connection, request
from harness.sse import Event, Stream

pytestmark = pytest.mark.http1


@pytest.fixture(scope="session")
def program():
    return build("Hello")


@pytest.fixture
def hello(program, example):
    return example("Hello", "127.0.0.1:0")


@pytest.mark.timeout(1000)
def test_it_builds(program):
    assert program


def test_curl_sees_the_events_and_ok(hello):
    assert ask(hello.port).body == b"ok"
    done = subprocess.run(
        ["curl", "-sN", "--max-time", "5", "-H", "Accept: text/event-stream", hello.url("/")], capture_output=True
    )
    assert done.stdout.count(b"event: message\ndata: hello\nid: 1\n\n") >= 2


def test_a_browser_like_client_sees_the_events(hello):
    with Stream(hello.port, "/") as stream:
        assert stream.head["Content-Type"] == "text/event-stream"
        assert stream.events(2) == [Event("hello", "message", "1")] * 2


@pytest.mark.timeout(300)
def test_a_thousand_clients_that_come_and_go_leave_nothing_behind(hello):
    def crowd(count):
        streams = [Stream(hello.port, "/") for _ in range(count)]
        for position, stream in enumerate(streams):
            if position % 3 == 0:
                stream.connection.reset()
            else:
                stream.close()

    def quiet():
        """How many descriptors are open when that has not changed for a hundred requests."""
        with Connection(hello.port) as connection:
            counts = []
            while len(counts) < 100 or len(set(counts[-100:])) > 1:
                assert len(counts) < 20_000, f"the number of descriptors does not settle: {counts[-10:]}"
                assert connection.request().body == b"ok"
                counts.append(hello.descriptors())
            return counts[-1]

    # What the program and its runtime open when they first need it is open after this.
    for _ in range(2):
        crowd(100)
    idle = quiet()
    threads, memory = hello.threads(), hello.resident_kilobytes()
    for _ in range(10):
        crowd(100)
    assert quiet() <= idle
    assert hello.threads() <= threads + 2
    # A task, a timer and a buffer for each of a thousand would be some MiB.
    assert hello.resident_kilobytes() - memory < 4 * 1024
    with Stream(hello.port, "/") as stream:
        assert stream.next() == Event("hello", "message", "1")


def test_a_client_that_stops_reading_holds_up_nobody(hello):
    silent = [Connection(hello.port, receive_buffer=4096) for _ in range(20)]
    for connection in silent:
        connection.send(request(fields={"Accept": "text/event-stream"}))
    with Stream(hello.port, "/") as stream:
        stream.events(2)
    for connection in silent:
        connection.reset()
