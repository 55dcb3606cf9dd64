"""What tests of the access log share."""

import json

import pytest

from .gateway import settings
from .raw import Connection

SECRET = "s3cr3t-value"


def logging(access="stdout", **more):
    return settings(**{"log": {"access": access}, **more})


def ended(gateway):
    """What the log says once the gateway has stopped."""
    gateway.stop()
    return [json.loads(line) for line in gateway.lines if line.startswith('{"time"')]


def only(lines, **wanted):
    found = [line for line in lines if all(line.get(key) == value for key, value in wanted.items())]
    assert len(found) == 1, (wanted, lines)
    return found[0]


def wire(stream, protocol):
    """Bytes of the body as they were sent: over HTTP/1.1 with the marks of its chunks."""
    return stream.wire if protocol == "h2" else stream.exchange.connection.body_bytes


@pytest.fixture
def counted(monkeypatch):
    """Connections of HTTP/1.1 that count the bytes behind the first head."""

    def fill(self):
        more = self.receive()
        self.all_bytes = getattr(self, "all_bytes", b"") + more
        self.buffer += more
        return bool(more)

    monkeypatch.setattr(Connection, "fill", fill)
    body = property(lambda self: len(self.all_bytes) - self.all_bytes.index(b"\r\n\r\n") - 4)
    monkeypatch.setattr(Connection, "body_bytes", body, raising=False)
