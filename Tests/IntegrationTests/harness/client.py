"""Requests over the protocol that the test at hand runs over."""

import json

from . import http2, raw

CONNECTIONS = {"http1": raw.Connection, "h2": http2.Connection}
# Set by the fixture `protocol`.
protocol = "http1"


def connect(port, **more):
    """A connection with `open` and `request`."""
    return CONNECTIONS[protocol](port, **more)


def ask(port, method="GET", path="/", fields=None, body=None, **more):
    """One request on a connection of its own."""
    with connect(port, **more) as connection:
        return connection.request(method, path, fields, body)


def publish(port, data, topic="t", query="", fields=None, **more):
    """Publishes one event; expects that it was taken."""
    fields = {"Content-Type": "text/plain", **(fields or {})}
    response = ask(port, "POST", f"/publish/{topic}{query}", fields, data, **more)
    assert response.status == 200, response
    return json.loads(response.body)
