"""A reader of event streams after the WHATWG rules, that also sees comments, `retry:` and how a stream ends."""

import dataclasses
import zlib

from . import client
from .raw import Closed


@dataclasses.dataclass(frozen=True)
class Event:
    data: str
    type: str = "message"
    id: str = ""


@dataclasses.dataclass(frozen=True)
class Comment:
    text: str


@dataclasses.dataclass(frozen=True)
class Retry:
    milliseconds: int


class Parser:
    def __init__(self):
        self.rest = b""
        self.id = ""
        self._clear()

    def _clear(self):
        self.data, self.type, self.has_data = "", "", False

    def feed(self, data):
        """Items that are complete with these bytes. The gateway ends lines with LF alone."""
        self.rest += data
        *lines, self.rest = self.rest.split(b"\n")
        for line in lines:
            assert not line.endswith(b"\r"), line
            yield from self._line(line.decode())

    def _line(self, line):
        if line == "":
            if self.has_data:
                yield Event(self.data[:-1], self.type or "message", self.id)
            self._clear()
            return
        if line.startswith(":"):
            yield Comment(line[1:])
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self.data += value + "\n"
            self.has_data = True
        elif name == "event":
            self.type = value
        elif name == "id":
            self.id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            yield Retry(int(value))


class Stream:
    """A subscription: sends the request, reads the head, then gives items one by one."""

    def __init__(
        self, port=None, path="/events", fields=None, last_id=None, version="1.1", method="GET", on=None, **more
    ):
        """Opens a connection of its own, or a stream on one that is given."""
        self.connection = on or client.connect(port, **more)
        self._owns = on is None
        fields = {"Accept": "text/event-stream", **(fields or {})}
        if last_id is not None:
            fields["Last-Event-ID"] = last_id
        self.exchange = self.connection.open(method, path, fields, version=version)
        self.head = self.exchange.head()
        # Checks the trailer as well; `eof` then.
        self.gzip = zlib.decompressobj(31) if self.head["Content-Encoding"] == "gzip" else None
        self.wire = 0  # bytes of the body as they came, without framing
        self._raw = bytearray()
        self.ended = None  # "clean" (END_STREAM, the last chunk, or the end of an HTTP/1.0 body) or "cut"
        self._parser = Parser()
        self._items = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        (self.connection if self._owns else self.exchange).close()

    @property
    def raw(self):
        """Every byte of the body so far."""
        return bytes(self._raw)

    @property
    def last_id(self):
        return self._parser.id

    def _read(self):
        """Reads one piece; False when the stream ended."""
        if self.ended:
            return False
        try:
            data = self.exchange.piece()
            self.ended = "clean" if data is None else None
        except Closed:
            self.ended = "cut"
            data = None
        if data:
            self.wire += len(data)
            if self.gzip:
                data = self.gzip.decompress(data)
                assert not self.gzip.unused_data
            self._raw += data
            self._items += self._parser.feed(data)
        return self.ended is None

    def item(self):
        """The next event, comment or retry; None at the end."""
        while not self._items:
            if not self._read():
                return None
        return self._items.pop(0)

    def next(self):
        """The next event."""
        while True:
            item = self.item()
            assert item is not None, f"the stream ended ({self.ended}) after {self.raw[-500:]!r}"
            if isinstance(item, Event):
                return item

    def events(self, count):
        return [self.next() for _ in range(count)]

    def rest(self):
        """Everything that still comes, up to the end."""
        items = []
        while (item := self.item()) is not None:
            items.append(item)
        return items

    def read_until(self, condition):
        """Reads on until the condition holds; what comes meanwhile is kept."""
        while not condition():
            assert self._read(), f"the stream ended ({self.ended}) after {self.raw[-500:]!r}"

    def opened(self):
        """Reads the first bytes of the body, after which the subscription stands; gives itself back."""
        while not self._items and self._read():
            pass
        return self
