"""Clients that others wrote read the streams, and come back where they were."""

import json
import os
import pathlib
import queue
import ssl
import subprocess
import threading

import httpx
import pytest
from harness.client import publish
from harness.gateway import PATIENCE, settings
from harness.proxy import Relay
from httpx_sse import connect_sse

HERE = pathlib.Path(__file__).parent


class Lines:
    """A program whose lines are read one by one."""

    def __init__(self, *command, env=None):
        self.process = subprocess.Popen(
            command, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self._lines = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def next(self):
        return self._lines.get(timeout=PATIENCE)

    def until(self, wanted):
        while not wanted(line := self.next()):
            pass
        return line

    def close(self):
        self.process.kill()
        self.process.wait()
        self._thread.join(PATIENCE)


@pytest.fixture
def program():
    programs = []

    def program(*command, **more):
        programs.append(Lines(*map(str, command), **more))
        return programs[-1]

    yield program
    for started in programs:
        started.close()


@pytest.fixture
def relay():
    relays = []

    def relay(port):
        relays.append(Relay(port))
        return relays[-1]

    yield relay
    for opened in relays:
        opened.close()


def published_to_someone(port, data, **more):
    """Publishes until somebody is connected; who comes late gets the rest by its cursor or not at all."""
    while publish(port, data, **more)["subscribers"] == 0:
        pass


@pytest.fixture
def plain(protocol):
    """What makes curl speak the protocol without TLS, where nothing else says which one it is to be."""
    return {"http1": "--http1.1", "h2": "--http2-prior-knowledge"}[protocol]


class TestCurl:
    def test_curl_shows_the_stream_as_it_comes(self, gateway, program, plain):
        curl = program("curl", "-sSN", plain, gateway.url("/events"))
        assert curl.until(lambda line: line.startswith((":", "retry")))
        published_to_someone(gateway.port, "hello", query="?event=named")
        assert curl.until(lambda line: line.startswith("event"))
        assert curl.next() == "data: hello"
        assert curl.next().startswith("id: ")
        assert curl.next() == ""

    def test_curl_verifies_https(self, start, authority, program, trusting, protocol):
        gateway = start(settings(listeners=[authority.listener()]))
        url = gateway.url("/events", scheme="https", host="localhost")
        curl = program("curl", "-sSN", "--cacert", authority.certificate, url)
        curl.next()
        version = {"http1": "1.1", "h2": "2"}[protocol]
        ask = ["curl", "-sS", "--cacert", authority.certificate, "-o", "/dev/null", "-w", "%{http_version}"]
        asked = subprocess.run([*ask, url.replace("/events", "/")], capture_output=True, text=True)
        assert asked.stdout == version
        published_to_someone(gateway.port, "sealed", tls=trusting)
        assert curl.until(lambda line: line == "data: sealed")
        assert subprocess.run(["curl", "-sS", url], capture_output=True).returncode == 60, "without the authority: no"

    def test_curl_ends_well_when_the_gateway_does(self, gateway, program, plain):
        curl = program("curl", "-sSN", plain, gateway.url("/events"))
        curl.next()
        gateway.signal()
        assert curl.process.wait(PATIENCE) == 0, "the last chunk came"


class TestHTTPX:
    def test_httpx_sse_reads_and_resumes(self, gateway, protocol):
        with httpx.Client(timeout=PATIENCE, http1=protocol == "http1", http2=protocol == "h2") as client:
            with connect_sse(client, "GET", gateway.url("/events")) as source:
                source.response.raise_for_status()
                events = source.iter_sse()
                publisher = threading.Thread(target=published_to_someone, args=(gateway.port, "one\ntwo"))
                publisher.start()
                event = next(events)
                publisher.join()
                assert (event.event, event.data) == ("message", "one\ntwo")
            missed = [publish(gateway.port, str(number))["ids"][0] for number in range(5)]
            with connect_sse(client, "GET", gateway.url("/events"), headers={"Last-Event-ID": missed[1]}) as source:
                events = source.iter_sse()
                assert [next(events).data for _ in range(3)] == ["2", "3", "4"]

    def test_httpx_sse_over_https(self, start, authority, trusting, protocol):
        gateway = start(settings({"heartbeat": "50ms"}, listeners=[authority.listener()]))
        ids = [publish(gateway.port, str(number), tls=trusting)["ids"][0] for number in range(3)]
        url = gateway.url("/events", scheme="https", host="localhost")
        own = ssl.create_default_context(cafile=authority.certificate)
        with httpx.Client(verify=own, timeout=PATIENCE, http2=True) as client:
            with connect_sse(client, "GET", url, headers={"Last-Event-ID": ids[0]}) as source:
                assert source.response.http_version == {"http1": "HTTP/1.1", "h2": "HTTP/2"}[protocol]
                events = source.iter_sse()
                assert [next(events).data for _ in range(2)] == ["1", "2"]


@pytest.mark.http1  # Node's fetch and EventSource know no other.
class TestNode:
    ENVIRONMENT = {"NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs"}

    def test_node_eventsource_reads_and_comes_back_where_it_was(self, start, program, relay):
        gateway = start(settings({"retry": "100ms"}))
        between = relay(gateway.port)
        node = program(
            "node", HERE / "clients.cjs", f"http://127.0.0.1:{between.port}/events", env=self.ENVIRONMENT
        )
        assert json.loads(node.next()) == {"open": True}
        ids = publish(gateway.port, "first", query="?event=named")["ids"]
        assert json.loads(node.next()) == {"type": "named", "data": "first", "id": ids[0]}
        between.cut()
        for number in range(20):
            publish(gateway.port, str(number))
        seen = []
        while len(seen) < 20:
            line = json.loads(node.next())
            assert line.get("type") != "gap"
            if line.get("type") == "message":
                seen.append(line["data"])
        assert seen == [str(number) for number in range(20)]

    def test_node_eventsource_over_https(self, start, authority, trusting, program):
        gateway = start(settings(listeners=[authority.listener()]))
        node = program(
            "node", HERE / "clients.cjs", gateway.url("/events", scheme="https", host="localhost"),
            env={**self.ENVIRONMENT, "NODE_EXTRA_CA_CERTS": str(authority.certificate)},
        )  # fmt: skip
        assert json.loads(node.next()) == {"open": True}
        publish(gateway.port, "sealed", tls=trusting)
        assert json.loads(node.next())["data"] == "sealed"
