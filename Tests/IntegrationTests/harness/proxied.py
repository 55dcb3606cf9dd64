"""What tests of the reverse proxy share: a gateway before an upstream that the test plays."""

import pytest

from .client import ask
from .gateway import settings
from .upstream import Scripted

OK = b"HTTP/1.1 200 OK\r\n"
EVENTS = OK + b"Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
ANSWER = OK + b"Content-Length: 4\r\n\r\nnext"


@pytest.fixture(autouse=True)
def goes_on(start):
    """After each of these tests the gateway still serves."""
    yield
    for gateway in start.gateways:
        assert ask(gateway.port, path="/ok").body == b"ok"


@pytest.fixture
def upstream():
    upstream = Scripted()
    yield upstream
    upstream.close()


@pytest.fixture
def proxy(start, upstream):
    """proxy(...) starts a gateway before the upstream; nothing counts against it unless a test says so."""

    def proxy(target=None, port=None, route=None, top=None, **options):
        app = {"servers": f"http://127.0.0.1:{port or upstream.port}", "passive": {"failures": 0}, **options}
        routes = [{"match": "/ok", "respond": "ok"}, {"match": "/**", "proxy": {"upstream": "app", **(target or {})}, **(route or {})}]
        return start(settings(topics={}, upstreams={"app": app}, routes=routes, **(top or {})))

    return proxy


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def expect_nobody(upstream):
    """No connection waits to be accepted."""
    upstream._listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        upstream._listener.accept()
