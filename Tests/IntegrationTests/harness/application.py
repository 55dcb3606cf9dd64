"""An application with and without the gateway before it."""

import dataclasses
import json
import os
import ssl
import subprocess
import sys

import pytest

from . import http2, raw
from .gateway import PATIENCE, Gateway, settings, write


class Application:
    """flask_site.py as a process of its own."""

    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness.flask_site", folder],
            cwd=os.path.dirname(os.path.dirname(__file__)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        line = self.process.stdout.readline()
        assert line, f"the application ended with {self.process.wait()}"
        self.port = int(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()

    def control(self, path, body=None):
        """Asks the application itself."""
        with raw.Connection(self.port) as connection:
            response = connection.request("GET" if body is None else "POST", f"/control/{path}", None, body)
        assert response.status == 200, response
        return response.body

    def push(self, key, data):
        """The next bytes of a stream; none end it."""
        self.control(f"push/{key}", data)

    def asked(self):
        """What the application was asked since the last time."""
        return json.loads(self.control("asked"))


class Site:
    """The application, and a gateway before it: with TLS and without."""

    WAYS = ("http", "https", "h2")

    def __init__(self, folder, authority, context):
        self.context = context
        self.folder = folder / "files"
        self.folder.mkdir()
        self.application = Application(self.folder)
        proxy = {"upstream": "app", "heartbeat": "off"}
        configuration = settings(
            topics={},
            listeners=["127.0.0.1:0", authority.listener()],
            upstreams={"app": f"http://127.0.0.1:{self.application.port}"},
            routes=[
                {"match": "/beating/**", "proxy": {**proxy, "heartbeat": "50ms"}},
                {"match": "/**", "proxy": proxy},
            ],
        )
        self.gateway = Gateway(["run", write(folder, configuration)], listeners=2)

    def close(self):
        try:
            self.gateway.stop()
        finally:
            self.application.close()

    def connect(self, way, **more):
        """A connection to the application ("direct"), or to the gateway over one of the WAYS."""
        match way:
            case "direct":
                return raw.Connection(self.application.port, **more)
            case "http":
                return raw.Connection(self.gateway.ports[0], **more)
            case "https":
                return raw.Connection(self.gateway.ports[1], tls=self.context, **more)
            case "h2":
                return http2.Connection(self.gateway.ports[1], tls=self.context, **more)

    def url(self, way, path, scheme="http"):
        match way:
            case "direct":
                return f"{scheme}://localhost:{self.application.port}{path}"
            case "http":
                return f"{scheme}://localhost:{self.gateway.ports[0]}{path}"
            case _:
                return f"{scheme}s://localhost:{self.gateway.ports[1]}{path}"


@pytest.fixture(scope="module")
def site(tmp_path_factory, authority):
    context = ssl.create_default_context(cafile=authority.certificate)
    site = Site(tmp_path_factory.mktemp("site"), authority, context)
    yield site
    site.close()


@dataclasses.dataclass
class Case:
    """A request. Without a body it has none; `is_chunked`: its length is not said."""

    target: str = "/"
    method: str = "GET"
    fields: tuple = ()
    body: bytes | None = None
    is_chunked: bool = False

    @property
    def expects(self):
        return ("Expect", "100-continue") in self.fields


@dataclasses.dataclass
class Answer:
    """What came, and how the interim answers before it were."""

    status: int
    fields: list
    body: bytes
    interim: list


def ask(connection, case):
    """One request over either protocol, its answer to the last byte."""
    exchange = (begin_h2 if isinstance(connection, http2.Connection) else begin)(connection, case)
    return answer_of(exchange, case.body if case.expects else None)


def answer_of(exchange, body=None):
    """The answer. A body that is given is sent when it is asked for."""
    interim = []
    while (head := exchange.head()).status < 200:
        interim.append((head.status, head.fields))
        if head.status == 100 and body is not None:
            exchange.send(body, True)
            body = None
    return Answer(head.status, head.fields, exchange.body(head), interim)


def begin(connection, case):
    fields = list(case.fields)
    if case.is_chunked:
        fields.append(("Transfer-Encoding", "chunked"))
    elif case.body is not None:
        fields.append(("Content-Length", len(case.body)))
    connection.send(raw.request(case.method, case.target, fields))
    exchange = Sender(connection, case)
    if case.body is not None and not case.expects:
        exchange.send(case.body, True)
    return exchange


class Sender(raw.Exchange):
    def __init__(self, connection, case):
        super().__init__(connection, case.method)
        self.is_chunked = case.is_chunked

    def send(self, data, end):
        if not self.is_chunked:
            return self.connection.send(data)
        # Sizes that are nobody's buffers.
        for start in range(0, len(data), 77_777):
            part = data[start : start + 77_777]
            self.connection.send(b"%x\r\n%s\r\n" % (len(part), part))
        if end:
            self.connection.send(b"0\r\n\r\n")


def begin_h2(connection, case):
    """As browsers do it: names in small letters, each cookie in a field of its own (RFC 9113, 8.2.3)."""
    fields = []
    for name, value in case.fields:
        crumbs = value.split("; ") if name.lower() == "cookie" else [value]
        fields += [(name, crumb) for crumb in crumbs]
    if case.body is not None and not case.is_chunked:
        fields.append(("Content-Length", len(case.body)))
    exchange = connection.open(case.method, case.target, fields, end=case.body is None)
    if case.body is not None and not case.expects:
        exchange.send(case.body, True)
    return exchange
