"""A client that sends exactly the bytes it is given and sees every byte of the answer."""

import dataclasses
import json
import socket
import ssl

from .gateway import PATIENCE


class Closed(Exception):
    """The other side closed, or reset, where more had to come."""


@dataclasses.dataclass
class Response:
    version: str
    status: int
    reason: str
    fields: list
    body: bytes = b""

    def __getitem__(self, name):
        """The only value of a field, or None."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} stands there more than once: {self.fields}"
        return values[0] if values else None

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]

    @property
    def text(self):
        return self.body.decode()


class Connection:
    """A TCP or TLS connection with a buffer in front."""

    def __init__(self, port, host="127.0.0.1", tls=None, server_name="localhost", receive_buffer=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            # An end without close_notify is a truncation, and must be seen as one.
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name, suppress_ragged_eofs=False)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes so that the other side gets a reset."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def fill(self):
        """Reads more; False at the end."""
        try:
            more = self.socket.recv(65536)
        except (ConnectionError, ssl.SSLEOFError) as error:
            raise Closed(str(error)) from None
        self.buffer += more
        return bool(more)

    def take(self, count):
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def until(self, mark):
        """Everything up to the mark and the mark."""
        while mark not in self.buffer:
            if not self.fill():
                raise Closed(f"closed before {mark!r}, after {self.buffer!r}")
        return self.take(self.buffer.index(mark) + len(mark))

    def exactly(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise Closed(f"closed before {count} bytes, after {self.buffer!r}")
        return self.take(count)

    def rest(self):
        """Everything up to the end; a reset counts as the end."""
        try:
            while self.fill():
                pass
        except Closed:
            pass
        return self.take(len(self.buffer))

    def ended(self):
        """Whether the other side closed with nothing more to read."""
        return self.rest() == b""

    def head(self):
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")[:-2]
        version, status, reason = lines[0].split(" ", 2)
        fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        return Response(version, int(status), reason, fields)

    def chunk(self):
        """One chunk; None for the last one."""
        size = int(self.until(b"\r\n").split(b";")[0], 16)
        data = self.exactly(size)
        assert self.exactly(2) == b"\r\n"
        return data if size else None

    def response(self, method="GET"):
        response = self.head()
        if method == "HEAD" or response.status in (204, 304):
            return response
        if response["Transfer-Encoding"]:
            while (chunk := self.chunk()) is not None:
                response.body += chunk
        elif response["Content-Length"] is not None:
            response.body = self.exactly(int(response["Content-Length"]))
        else:
            response.body = self.rest()
        return response

    def request(self, method="GET", path="/", fields=None, body=None):
        """Sends a request and reads its response; the connection stays."""
        self.send(request(method, path, fields, body))
        return self.response(method)


def request(method="GET", path="/", fields=None, body=None):
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if body is not None:
        body = body if isinstance(body, bytes) else body.encode()
        head += f"Content-Length: {len(body)}\r\n"
    for name, value in (fields or {}).items():
        head += f"{name}: {value}\r\n"
    return head.encode("latin-1") + b"\r\n" + (body or b"")


def ask(port, method="GET", path="/", fields=None, body=None, **more):
    """One request on a connection of its own."""
    with Connection(port, **more) as connection:
        return connection.request(method, path, fields, body)


def publish(port, data, topic="t", query="", fields=None, **more):
    """Publishes one event; expects that it was taken."""
    fields = {"Content-Type": "text/plain", **(fields or {})}
    response = ask(port, "POST", f"/publish/{topic}{query}", fields, data, **more)
    assert response.status == 200, response
    return json.loads(response.body)
