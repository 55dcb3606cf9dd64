"""Servers that a gateway's feeds read from."""

import asyncio
import contextlib
import queue
import socket
import threading

import uvicorn
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.routing import Route

from .gateway import PATIENCE
from .raw import Connection


class Starlet:
    """An sse-starlette application on uvicorn: `send` goes to every client; what clients asked is kept."""

    def __init__(self, port=0, path="/feed"):
        self.requests = queue.Queue()
        self._clients = []
        self._lock = threading.Condition()
        app = Starlette(routes=[Route(path, self._feed)])
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/feed"
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)
        self._thread.start()

    async def _feed(self, request):
        mine = asyncio.Queue()
        loop = asyncio.get_running_loop()

        async def events():
            try:
                while (event := await mine.get()) is not None:
                    yield event
            finally:
                with self._lock:
                    self._clients[:] = [client for client in self._clients if client[1] is not mine]
                    self._lock.notify_all()

        with self._lock:
            self._clients.append((loop, mine))
        self.requests.put(dict(request.headers))
        return EventSourceResponse(events(), ping=3600)

    def asked(self):
        """The header fields of the next request; waits for it."""
        return self.requests.get(timeout=PATIENCE)

    def wait_for_clients(self, count):
        """Waits until so many clients are left."""
        with self._lock:
            assert self._lock.wait_for(lambda: len(self._clients) == count, PATIENCE), len(self._clients)

    def _put(self, event):
        with self._lock:
            for loop, mine in self._clients:
                loop.call_soon_threadsafe(mine.put_nowait, event)

    def send(self, data, **fields):
        self._put(ServerSentEvent(data, **fields))

    def end(self):
        """Ends every response in good order."""
        self._put(None)

    def close(self):
        self.end()
        self._server.should_exit = True
        self._thread.join(PATIENCE)


class Scripted:
    """A server that a test plays by hand: each connection comes with its request's head, answered byte by byte."""

    def __init__(self, port=0, tls=None):
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(PATIENCE)
        self._tls = tls
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://localhost:{self.port}/feed"

    def accept(self):
        """The next connection, its request read."""
        plain, _ = self._listener.accept()
        plain.settimeout(PATIENCE)
        return Exchange(self._tls.wrap_socket(plain, server_side=True) if self._tls else plain)

    def close(self):
        self._listener.close()


class Exchange(Connection):
    """The server's side of one request."""

    OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

    def __init__(self, connected):
        self.socket = connected
        self.buffer = b""
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")[:-2]
        self.line = lines[0]
        self.fields = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            self.fields[name.lower()] = value.strip()

    def stream(self, data=b""):
        """Begins an event stream that lasts until the connection ends."""
        self.send(self.OK + b"\r\n" + data)

    def answer(self, status, *fields):
        head = [f"HTTP/1.1 {status}", "Content-Length: 0", "Connection: close", *fields]
        self.send("\r\n".join(head) + "\r\n\r\n")
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
