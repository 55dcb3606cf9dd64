"""The tables of Tests/Conformance, end to end: bytes of a raw upstream, and what Chromium gets behind the gateway."""

import collections
import contextlib
import json
import queue
import threading

import pytest
from harness.conformance import cases
from harness.gateway import PATIENCE, Gateway, settings, write
from harness.upstream import Scripted

pytestmark = pytest.mark.h2

# A long reconnection time would hold up the feed; a reader behind the gateway does not see it in any case.
STREAMS = [case for case in cases("events.txt") if all(time <= 1000 for time in case.retries)]
ANSWERS = [case for case in cases("answers.txt") if case.then != "stopped"]
SIZES = [0, 1, 3]
END = b"event: the end\ndata\n\n"

SOURCE = """
    window.got = []; window.opened = 0;
    window.source = new EventSource(%s);
    source.onopen = () => opened++;
    for (const type of %s)
        source.addEventListener(type, event => got.push([event.type, event.data, event.lastEventId]));
    0
"""


class Upstreams:
    """One server for many feeds: connections wait under their paths."""

    def __init__(self):
        self._server = Scripted()
        self._waiting = collections.defaultdict(queue.Queue)
        self._closed = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while not self._closed:
            with contextlib.suppress(OSError, TimeoutError, AssertionError):
                exchange = self._server.accept()
                self._waiting[exchange.line.split()[1]].put(exchange)

    def url(self, path):
        return f"http://127.0.0.1:{self._server.port}{path}"

    def accept(self, path):
        """The next connection of this path, its request read."""
        return self._waiting[path].get(timeout=PATIENCE)

    def close(self):
        self._closed = True
        self._server.close()


class Bench:
    """A gateway with a feed, and a topic of the same name, for each case; and a page that reads them."""

    def __init__(self, folder, authority, browser, names):
        self.upstreams = Upstreams()
        configuration = settings(listeners=[authority.listener()])
        retry = {"initial": "1ms", "maximum": "100ms", "refused": "10ms"}
        configuration["sources"] = {
            name: {"url": self.upstreams.url(f"/{name}"), "retry": retry, "idle_timeout": "10m"} for name in names
        }
        configuration["topics"] = {name: {"sources": [name], "ids": "upstream"} for name in names}
        configuration["routes"] = [
            {"match": f"/events/{name}", "subscribe": name} for name in names
        ] + [{"match": "/page", "respond": {"headers": {"Content-Type": "text/html"}, "body": "<!doctype html>"}}]
        self.gateway = Gateway(["run", write(folder, configuration, "conformance.yaml")])
        self.page = browser.open(self.gateway.url("/page", 0, "https", "localhost"))

    @contextlib.contextmanager
    def reading(self, name, types=()):
        """An EventSource on this topic; gives what waits for its last event and returns all before it."""
        kinds = sorted({"message", "the end", *types})
        self.page.run(SOURCE % (json.dumps(f"/events/{name}"), json.dumps(kinds)))
        self.page.wait_until("opened == 1")

        def got():
            self.page.wait_until("got.some(([type]) => type == 'the end')")
            events = self.page.run("got")
            assert events.pop()[0] == "the end"
            return events

        try:
            yield got
        finally:
            self.page.run("source.close(); 0")

    def close(self):
        self.page.__exit__()
        self.gateway.stop()
        self.upstreams.close()


@pytest.fixture(scope="module")
def bench(tmp_path_factory, authority, browser):
    names = [f"s{number}-{size}" for number in range(len(STREAMS)) for size in SIZES]
    names += [f"a{number}" for number in range(len(ANSWERS))]
    bench = Bench(tmp_path_factory.mktemp("conformance"), authority, browser, names)
    yield bench
    bench.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("number", range(len(STREAMS)), ids=[case.name for case in STREAMS])
def test_a_stream_gives_its_events_however_it_is_cut(bench, number, size):
    case = STREAMS[number]
    name = f"s{number}-{size}"
    with bench.reading(name, [event.type for event in case.events]) as got:
        exchange = bench.upstreams.accept(f"/{name}")
        exchange.send(exchange.OK + b"Transfer-Encoding: chunked\r\n\r\n")
        step = size or len(case.bytes) or 1
        # Each piece is a chunk, so that the feed's parser gets it as it is.
        for start in range(0, len(case.bytes), step):
            piece = case.bytes[start : start + step]
            exchange.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        exchange.send(b"0\r\n\r\n")
        exchange.close()
        # The feed comes again, which is behind all of it.
        again = bench.upstreams.accept(f"/{name}")
        again.stream(END)
        assert got() == [[event.type, event.data, event.id] for event in case.events]
        again.close()


@pytest.mark.parametrize("number", range(len(ANSWERS)), ids=[case.name for case in ANSWERS])
def test_what_an_upstream_answers_never_ends_the_browsers_stream(bench, number):
    case = ANSWERS[number]
    name = f"a{number}"
    with bench.reading(name) as got:
        exchange = bench.upstreams.accept(f"/{name}")
        exchange.send(case.bytes)
        if case.then != "stream":
            # Not from this answer: the feed comes again.
            exchange.close()
            exchange = bench.upstreams.accept(f"/{name}")
            exchange.stream()
        exchange.send(b"data: x\n\n" + END)
        assert got() == [["message", "x", ""]]
        assert bench.page.run("opened") == 1
        exchange.close()
