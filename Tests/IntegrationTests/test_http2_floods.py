"""What costs a client little and a server much: over a budget the connection ends with ENHANCE_YOUR_CALM; memory and
the other subscribers do not suffer."""

import contextlib
import itertools
import struct
import threading

import pytest
from harness.frames import CALM, Wire, get, post, raw
from harness.gateway import settings
from harness.raw import Closed
from harness.raw import Connection as HTTP1
from harness.sse import Stream

pytestmark = pytest.mark.h2

TEXT = {"Content-Type": "text/plain"}
NUMBERS = range(1, 1 << 30, 2)
TYPED = ("content-type", "text/plain")
BLOCK = Wire.block(get())
BAD = Wire.block(get("/", ("connection", "close")))
CROWDED = Wire.block(get("/", *[("x", "")] * 150))
SUBSCRIBE = Wire.block(get("/events"))
POST = Wire.block(post("/publish/t", TYPED))
NINE = Wire.block(post("/publish/t", TYPED, ("content-length", "9")))
UNTYPED = Wire.block(post("/publish/t"))
# One field that goes into the table, and a byte that names it.
LARGE = b"\x40\x01x\x7f\xa1\x1e" + b"y" * 4000
AGAIN = b"\xbe"


def for_ever(frames):
    return itertools.repeat(frames)


def each(make):
    return (make(number) for number in NUMBERS)


def in_stream(head, frames):
    """A stream that is opened once, then frames for ever."""
    return itertools.chain([head], itertools.repeat(frames))


FLOODS = {
    "rapid reset": lambda: each(lambda number: raw(1, number, BLOCK, 5) + Wire.reset(number)),
    "rapid reset of subscriptions": lambda: each(lambda number: raw(1, number, SUBSCRIBE, 5) + Wire.reset(number)),
    "rapid reset of bodies": lambda: each(lambda number: raw(1, number, POST, 4) + Wire.data(number, b"x") + Wire.reset(number)),
    # CVE-2025-8671: the server is made to reset what it has begun to serve.
    "resets that we are made to send, by a window that overflows":
        lambda: each(lambda number: raw(1, number, POST, 4) + Wire.window(number, (1 << 31) - 1)),
    "resets that we are made to send, by bodies of another length":
        lambda: each(lambda number: raw(1, number, NINE, 4) + Wire.data(number, b"x", True)),
    "resets that we are made to send, by a second head":
        lambda: each(lambda number: raw(1, number, POST, 4) + raw(1, number, BLOCK, 4)),
    "refused heads": lambda: each(lambda number: raw(1, number, BAD, 5)),
    "heads that are too large": lambda: each(lambda number: raw(1, number, CROWDED, 5)),
    "refused bodies": lambda: each(lambda number: raw(1, number, UNTYPED, 4)),
    "PING": lambda: for_ever(raw(6, payload=bytes(8))),
    "answers to no PING": lambda: for_ever(raw(6, payload=bytes(8), flags=1)),
    "SETTINGS": lambda: for_ever(raw(4)),
    "SETTINGS with many values": lambda: for_ever(Wire.settings({4: 65535}) * 10),
    "SETTINGS that change the table": lambda: itertools.cycle([Wire.settings({1: 0}), Wire.settings({1: 4096})]),
    "empty DATA": lambda: in_stream(raw(1, 1, POST, 4), Wire.data(1)),
    "DATA of padding alone": lambda: in_stream(raw(1, 1, POST, 4), raw(0, 1, b"\x05" + bytes(5), 8)),
    "empty DATA of a stream that is over": lambda: in_stream(raw(1, 1, BLOCK, 5) + Wire.reset(1), Wire.data(1)),
    "PRIORITY": lambda: for_ever(raw(2, 1, struct.pack(">IB", 0, 5))),
    "PRIORITY of ever new streams": lambda: each(lambda number: raw(2, number, struct.pack(">IB", 0, 5))),
    "WINDOW_UPDATE of one": lambda: for_ever(Wire.window(0, 1)),
    "WINDOW_UPDATE of a stream": lambda: in_stream(raw(1, 1, SUBSCRIBE, 5), Wire.window(1, 1)),
    "unknown frames": lambda: for_ever(raw(99)),
    "GOAWAY": lambda: in_stream(raw(1, 1, SUBSCRIBE, 5), raw(7, payload=bytes(8))),
    "RST_STREAM of a stream that is over": lambda: in_stream(raw(1, 1, BLOCK, 5), Wire.reset(1)),
    "CONTINUATION": lambda: in_stream(raw(1, 1, BLOCK, 1), raw(9, 1)),
    "CONTINUATION with fields": lambda: in_stream(raw(1, 1, BLOCK, 1), raw(9, 1, Wire.block([("x", "y" * 1000)]))),
    "an HPACK bomb": lambda: iter([raw(1, 1, BLOCK + LARGE, 5), raw(1, 3, BLOCK + AGAIN * 16_000, 5)]),
    "an HPACK bomb in CONTINUATION":
        lambda: iter([raw(1, 1, BLOCK + LARGE, 5), raw(1, 3, BLOCK, 1), *[raw(9, 3, AGAIN * 16_000)] * 5]),
    # CVE-2026-49975: small fields, but thousands of them.
    "16,000 fields of one byte": lambda: for_ever(raw(1, 1, BLOCK + b"\x90" * 16_000, 5)),
    "16,000 crumbs of a cookie": lambda: iter([raw(1, 1, BLOCK + b"\x60\x03a=b", 5), raw(1, 3, BLOCK + AGAIN * 16_000, 5)]),
    "trailers of 16,000 fields": lambda: iter([raw(1, 1, POST, 4), raw(1, 1, b"\x90" * 16_000, 5)]),
}  # fmt: skip


class Bystander:
    """A subscriber on another connection of the same worker, who has to get each event."""

    def __init__(self, gateway):
        self._stream = Stream(gateway.port).opened()
        self._publisher = HTTP1(gateway.port)
        self._count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stream.close()
        self._publisher.close()

    def gets_an_event(self):
        self._count += 1
        assert self._publisher.request("POST", "/publish/t", TEXT, f"event {self._count}").status == 200
        while (event := self._stream.next()).data != f"event {self._count}":
            assert event.type != "gap"


class Attacker(Wire):
    """Reads what it is sent in a thread of its own."""

    def __init__(self, port, **more):
        super().__init__(port, **more)
        self.acknowledges = False
        self.code = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        """Only the last word counts; to decode all of it would slow the attack down."""
        with contextlib.suppress(Closed, OSError):
            while head := self._exactly(9):
                payload = self._exactly(int.from_bytes(head[:3], "big"))
                if head[3] == 7:
                    self.code = int.from_bytes(payload[4:8], "big")

    def _exactly(self, count):
        while len(self.buffer) < count:
            if not (more := self.receive()):
                raise Closed
            self.buffer += more
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def ended_with(self):
        self._reader.join(20)
        assert not self._reader.is_alive(), "the connection stands"
        return self.code


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)
def test_a_flood_ends_with_enhance_your_calm(start, flood):
    gateway = start(settings(workers=1))
    with Bystander(gateway) as bystander:
        bystander.gets_an_event()
        before = gateway.resident_kilobytes()
        with Attacker(gateway.port) as attacker:
            frames = flood()
            with contextlib.suppress(Closed, BrokenPipeError):
                for _ in range(2000):
                    if not (piece := b"".join(itertools.islice(frames, 100))):
                        break
                    attacker.send(piece)
                    bystander.gets_an_event()
            assert attacker.ended_with() == CALM
        bystander.gets_an_event()
        assert gateway.resident_kilobytes() - before < 16 * 1024


@pytest.mark.parametrize("name", ["PING", "SETTINGS", "rapid reset", "refused heads"])
def test_a_client_that_does_not_read_the_answers_it_provokes_is_bounded_too(start, name):
    gateway = start(settings(workers=1))
    with Bystander(gateway) as bystander, Wire(gateway.port, receive_buffer=4096) as attacker:
        bystander.gets_an_event()
        before = gateway.resident_kilobytes()
        attacker.socket.settimeout(0.2)
        frames = FLOODS[name]()
        with contextlib.suppress(Closed, TimeoutError):
            for _ in range(2000):
                attacker.send(b"".join(itertools.islice(frames, 1000)))
                bystander.gets_an_event()
        bystander.gets_an_event()
        assert gateway.resident_kilobytes() - before < 16 * 1024


def test_windows_of_nothing_on_all_streams_hold_nothing(start):
    """Each stream asks for much and takes none of it."""
    base = settings({"history": {"events": 20}, "overflow": "skip"}, workers=1)
    base["routes"].insert(0, {"match": "/long", "respond": "y" * 100_000})
    gateway = start(base)
    with Bystander(gateway) as bystander, contextlib.ExitStack() as open:
        bystander.gets_an_event()
        before = gateway.resident_kilobytes()
        wires = [open.enter_context(Wire(gateway.port, settings={4: 0})) for _ in range(8)]
        for wire in wires:
            for number in range(1, 2 * 128, 2):
                wire.send(wire.head(number, get("/events")))
                assert wire.outcome(number) == 200
        for _ in range(200):
            bystander._publisher.request("POST", "/publish/t", TEXT, "x" * 65_536)
            bystander.gets_an_event()
        # 1024 queues of 13 MB, or of one event, would be more.
        assert gateway.resident_kilobytes() - before < 32 * 1024


def test_windows_of_one_byte_cost_the_others_nothing(start):
    gateway = start(settings(workers=1))
    with Bystander(gateway) as bystander, Attacker(gateway.port, settings={4: 0}) as wire:
        wire.send(wire.head(1, get("/events")))
        bystander._publisher.request("POST", "/publish/t", TEXT, "x" * 20_000)
        before = gateway.resident_kilobytes()
        with contextlib.suppress(Closed):
            for _ in range(200):
                wire.send(wire.window(1, 1) * 100)
                bystander.gets_an_event()
        assert gateway.resident_kilobytes() - before < 16 * 1024


def test_heads_without_an_end_on_many_connections_are_let_go(start):
    gateway = start(settings(workers=1, limits={"request_head_timeout": "500ms"}))
    with Bystander(gateway) as bystander, contextlib.ExitStack() as open:
        before = gateway.resident_kilobytes()
        wires = [open.enter_context(Wire(gateway.port)) for _ in range(200)]
        for wire in wires:
            wire.acknowledges = False
            wire.send(raw(1, 1, BLOCK + Wire.block([("x", "y" * 16_000)]), 1))
        bystander.gets_an_event()
        # What a head may have, and the decoder's table, for each.
        assert gateway.resident_kilobytes() - before < 200 * 100
        for wire in wires:
            assert wire.goaway() == CALM
        bystander.gets_an_event()


def test_a_client_that_works_hard_is_no_flood(start):
    """Many requests, bodies in small pieces, windows given back often, a PING now and then."""
    gateway = start(settings(workers=1))
    with Bystander(gateway) as bystander, Wire(gateway.port) as wire:
        for number in range(1, 6000, 2):
            wire.send(
                wire.head(number, post("/publish/t", TYPED), end=False),
                *(wire.data(number, bytes([letter])) for letter in b"0123456789" * 3),
                wire.data(number, b"", True),
            )
            assert wire.outcome(number) == 200
            wire.send(wire.window(0, 50), raw(6, payload=bytes(8)) if number % 100 == 1 else b"")
        wire.ping()
        bystander.gets_an_event()
