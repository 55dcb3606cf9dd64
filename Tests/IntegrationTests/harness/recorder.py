"""An upstream that notes every byte it got, and answers what is a request in the strictest reading."""

import contextlib
import dataclasses
import select
import socket
import threading

from .gateway import Gateway, settings, write
from .raw import Connection


@dataclasses.dataclass
class Recorded:
    line: str
    fields: list  # Names in small letters, sorted: (name, value).
    body: bytes
    wire: bytes  # All of it, as it came.


class Recorder:
    """One thread, that first reads whatever there is on all connections and then answers: who has an answer knows that
    all that was sent before has been noted."""

    def __init__(self):
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._listener.setblocking(False)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._stop = socket.socketpair()
        self._requests = []
        self._loose = b""  # Of connections that ended.
        self._open = {}  # What came on each connection and is no whole request yet.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def take(self):
        """What came since the last time: the requests, and the bytes that belong to none."""
        with self._lock:
            requests, self._requests = self._requests, []
            loose, self._loose = self._loose + b"".join(self._open.values()), b""
        return requests, loose

    def close(self):
        self._stop[0].close()
        self._thread.join()
        for each in (self._stop[1], self._listener, *self._open):
            each.close()

    def _run(self):
        while True:
            ready, _, _ = select.select([self._stop[1], self._listener, *self._open], [], [])
            if self._stop[1] in ready:
                return
            with self._lock:
                while self._read_all():
                    pass
                for connection in list(self._open):
                    self._answer(connection)

    def _read_all(self):
        """Whether there was something on any connection."""
        found = False
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, _ = self._listener.accept()
                connection.setblocking(False)
                self._open[connection] = b""
        for connection in list(self._open):
            with contextlib.suppress(BlockingIOError):
                try:
                    data = connection.recv(65536)
                except ConnectionError:
                    data = b""
                found = True
                self._open[connection] += data
                if not data:
                    self._answer(connection, is_over=True)
                    self._loose += self._open.pop(connection)
                    connection.close()
        return found

    def _answer(self, connection, is_over=False):
        while request := parsed(self._open[connection]):
            self._open[connection] = self._open[connection][len(request.wire) :]
            self._requests.append(request)
            text = b"" if request.line.startswith("HEAD ") else request.line.encode("latin-1")
            if not is_over:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))


def parsed(data):
    """The request that these bytes begin with; None when they do not begin with a whole one."""
    head, mark, rest = data.partition(b"\r\n\r\n")
    if not mark:
        return None
    line, *lines = head.decode("latin-1").split("\r\n")
    fields = sorted((name.lower(), value) for name, value in (each.split(": ", 1) for each in lines))
    lengths = [value for name, value in fields if name == "content-length"]
    codings = [value for name, value in fields if name == "transfer-encoding"]
    assert len(lengths + codings) <= 1 and codings in ([], ["chunked"]), fields
    if codings:
        body, rest = dechunked(rest)
        if body is None:
            return None
    else:
        length = int(lengths[0]) if lengths else 0
        if len(rest) < length:
            return None
        body, rest = rest[:length], rest[length:]
    return Recorded(line, fields, body, data[: len(data) - len(rest)])


def dechunked(data):
    """A body, and what stands behind it; None for a body that is not whole."""
    body = b""
    while True:
        size, mark, data = data.partition(b"\r\n")
        if not mark:
            return None, data
        if not (size := int(size, 16)):
            break
        if len(data) < size + 2:
            return None, data
        body, end, data = body + data[:size], data[size : size + 2], data[size + 2 :]
        assert end == b"\r\n"
    while True:
        trailer, mark, data = data.partition(b"\r\n")
        if not mark:
            return None, data
        if not trailer:
            return body, data


class Behind:
    """A gateway that only passes on, and what stands behind it."""

    def __init__(self, folder):
        self.upstream = Recorder()
        configuration = settings(
            listeners=["127.0.0.1:0", {"address": "127.0.0.1:0", "h2c": "on"}],
            upstreams={"app": self.upstream.url},
            routes=[{"match": "/**", "proxy": "app"}],
            topics={},
        )
        self.gateway = Gateway(["run", write(folder, configuration)], listeners=2)
        self.port, self.h2 = self.gateway.ports

    def got(self):
        """What the upstream got, up to a request that is sent now: all that came before has been seen by then."""
        with Connection(self.port) as connection:
            assert connection.request(path="/marker").body == b"GET /marker HTTP/1.1"
        requests, loose = self.upstream.take()
        assert requests[-1].line == "GET /marker HTTP/1.1"
        return requests[:-1], loose

    def close(self):
        self.gateway.stop()
        self.upstream.close()
