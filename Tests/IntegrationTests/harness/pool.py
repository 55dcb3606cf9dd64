"""Servers of a pool that answer by themselves and keep account of what they were asked."""

import contextlib
import os
import pathlib
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .client import ask
from .gateway import PATIENCE, settings


class Server:
    """Answers every request with its name, as soon as it may; paths in `statuses` with that status."""

    def __init__(self, name="server", host="127.0.0.1", port=0):
        self.name = name
        self.statuses = {}
        self.fields = {}
        self.closes = False  # After each answer, without a word.
        self.seen = []
        self.now = self.most = 0
        self._lock = threading.Condition()
        self._held = None
        self._may = threading.Event()
        self._may.set()
        self._sockets = set()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                server._sockets.add(self.connection)

            def do(self):
                server._serve(self)

            do_GET = do_POST = do_PUT = do_HEAD = do

            def log_message(self, *_):
                pass

        class Listener(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self._server = Listener((host, port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def _serve(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        status = self.statuses.get(request.path)
        with self._lock:
            self.seen.append((request.command, request.path, body))
            self.now += status is None
            self.most = max(self.most, self.now)
            self._lock.notify_all()
        if status is None:
            if self._held is None or request.path == self._held:
                self._may.wait()
            with self._lock:
                self.now -= 1
                self._lock.notify_all()
        request.send_response(status or 200)
        request.send_header("Content-Length", str(len(self.name)))
        for name, value in self.fields.items():
            request.send_header(name, value)
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(self.name.encode())
        request.close_connection |= self.closes

    def asked(self, path=None):
        """How many requests came, of a path; those of health checks only when it is asked for."""
        with self._lock:
            return sum(1 for _, each, _ in self.seen if (each == path if path else each not in self.statuses))

    def hold(self, path=None):
        """Requests wait from now on, or those of a path."""
        self._held = path
        self._may.clear()

    def release(self):
        self._may.set()

    def wait_for(self, count):
        """Waits until so many requests are held."""
        with self._lock:
            assert self._lock.wait_for(lambda: self.now == count, PATIENCE), self.now

    def wait_for_asked(self, path, count):
        """Waits until a path was asked for so often."""
        with self._lock:
            enough = lambda: sum(1 for _, each, _ in self.seen if each == path) >= count  # noqa: E731
            assert self._lock.wait_for(enough, PATIENCE), self.seen

    def wait_for_checks(self, path, count):
        """Waits until so many more checks were asked and the verdicts over all but the last have been taken."""
        self.wait_for_asked(path, self.asked(path) + count + 1)

    def close(self):
        """As a server that ends: nobody listens any more, connections are reset."""
        self._may.set()
        self._server.shutdown()
        self._server.server_close()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)


@pytest.fixture
def serve():
    """serve("a", "b") starts servers; they end with the test."""
    servers = []

    def serve(*names, **more):
        started = [Server(name, **more) for name in names]
        servers.extend(started)
        return started if len(started) > 1 else started[0]

    yield serve
    for server in servers:
        server.close()


@pytest.fixture
def pool(start):
    """pool(servers, ...) starts a gateway before servers, or URLs."""

    def pool(servers, workers=1, target=None, more=None, environment=None, descriptors=None, **options):
        app = {"servers": [getattr(server, "url", server) for server in servers], **options}
        routes = [{"match": "/ok", "respond": "ok"}, {"match": "/**", "proxy": {"upstream": "app", **(target or {})}}]
        base = settings(topics={}, workers=workers, upstreams={"app": app}, routes=routes, **(more or {}))
        return start(base, env=environment, descriptors=descriptors)

    return pool


class Names:
    """Names that end in .test, with the addresses that a test gives them."""

    def __init__(self, folder):
        library = folder / "names.so"
        source = pathlib.Path(__file__).with_name("names.c")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
        self._folder = folder
        self.environment = {"LD_PRELOAD": str(library), "NAMES": str(folder)}

    def set(self, name, *addresses):
        """From the next look-up on; without addresses there is no such name."""
        new = self._folder / f"{name}.new"
        new.write_text("".join(f"{address}\n" for address in addresses))
        os.replace(new, self._folder / name)


@pytest.fixture
def names(tmp_path):
    folder = tmp_path / "names"
    folder.mkdir()
    return Names(folder)


def many(port, paths, **more):
    """Requests at once, each on a connection of its own: futures of their answers."""
    workers = ThreadPoolExecutor(len(paths))
    futures = [workers.submit(ask, port, path=path, **more) for path in paths]
    workers.shutdown(wait=False)
    return futures


def answers(port, count, path="/", **more):
    """Who answered these requests, one after the other."""
    bodies = []
    for _ in range(count):
        response = ask(port, path=path, **more)
        assert response.status == 200, response
        bodies.append(response.body.decode())
    return bodies
