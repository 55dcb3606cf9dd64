"""What tests of static files share: a site, and a gateway that serves it."""

import contextlib
import os

import pytest

from .client import ask
from .gateway import settings

MEGABYTE = 1 << 20
OLD = 1_000_000_000  # Sun, 09 Sep 2001 01:46:40 GMT
OLD_DATE = "Sun, 09 Sep 2001 01:46:40 GMT"
PAGE = b"<h1>Welcome</h1>"
LETTERS = bytes(range(97, 123))


@pytest.fixture
def site(tmp_path):
    """A site, with things beside it and in it that nobody may see."""
    site = tmp_path / "site"
    for name, content in {
        "site/index.html": PAGE,
        "site/letters.txt": LETTERS,
        "site/empty.txt": b"",
        "site/docs/index.html": b"docs",
        "site/docs/with space é.css": b"p {}",
        "site/bare/file": b"in a folder without an index",
        "site/.env": b"SECRET=1",
        "site/.git/config": b"SECRET=1",
        "site/.well-known/security.txt": b"well known",
        "secret.txt": b"SECRET=1",
        "site-other/file": b"SECRET=1",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (OLD, OLD))
    (site / "link.txt").symlink_to("letters.txt")
    (site / "out").symlink_to("../secret.txt")
    (site / "absolute").symlink_to("/etc/passwd")
    (site / "up").symlink_to("..")
    (site / "loop").symlink_to("loop")
    os.mkfifo(site / "fifo")
    return site


@pytest.fixture
def serve(start, site):
    """serve(...) runs a gateway that serves the site below /static, with these options and more settings."""

    def serve(options=None, match="/static/**", route=None, descriptors=None, **more):
        routes = [
            {"match": "/events", "subscribe": "t"},
            {"match": {"path": "/publish/{topic}", "methods": ["POST"]}, "publish": {"topic": "{topic}"}},
            {"match": "/ok", "respond": "ok"},
            {"match": match, "files": {"root": "site", **(options or {})}, **(route or {})},
        ]
        return start(settings(routes=routes, **more), descriptors=descriptors)

    yield serve
    for gateway in start.gateways:
        assert ask(gateway.port, path="/ok").body == b"ok"


def get(gateway, path, fields=None, method="GET"):
    return ask(gateway.port, method, path, fields)


def large(site, count, name="large.bin"):
    """A file of so many megabytes, of which the last says its number."""
    with open(site / name, "wb") as file:
        file.truncate(count * MEGABYTE)
        file.seek(count * MEGABYTE - 8)
        file.write(count.to_bytes(8))
    return site / name


def open_files(gateway, path):
    """How often the gateway has this file open."""
    found = 0
    for entry in os.listdir(f"/proc/{gateway.pid}/fd"):
        with contextlib.suppress(OSError):
            found += os.readlink(f"/proc/{gateway.pid}/fd/{entry}").split(" (deleted)")[0] == str(path)
    return found


def closes(gateway, path, but=0):
    """Waits until the gateway has closed a file as often as it is to: each question gives its loop a turn."""
    for _ in range(1000):
        if open_files(gateway, path) <= but:
            return True
        assert ask(gateway.port, path="/ok").body == b"ok"
    return False


def drained(exchange, count):
    """Reads so many bytes of a body, keeping the last of them."""
    last = b""
    while count > 0:
        piece = exchange.piece()
        assert piece, "the body is not whole"
        count -= len(piece)
        last = (last + piece)[-8:]
    assert count == 0
    return last
