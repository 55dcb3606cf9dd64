"""A client that sends exactly the bytes it is given and sees every byte of the answer."""

import dataclasses
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


class Socket:
    """A TCP or TLS connection."""

    ALPN = None

    def __init__(self, port, host="127.0.0.1", tls=None, server_name="localhost", receive_buffer=None, first=()):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in first:
            # What stands before everything else, TLS too.
            self.socket.sendall(piece)
        if tls:
            # Contexts are shared by clients of both protocols.
            tls.set_alpn_protocols([self.ALPN])
            # An end without close_notify is a truncation, and must be seen as one.
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name, suppress_ragged_eofs=False)

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

    def receive(self):
        """Some bytes; none at the end."""
        try:
            return self.socket.recv(65536)
        except (ConnectionError, ssl.SSLEOFError) as error:
            raise Closed(str(error)) from None


class Connection(Socket):
    """HTTP/1.1 with a buffer in front."""

    ALPN = "http/1.1"

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def fill(self):
        """Reads more; False at the end."""
        more = self.receive()
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
        parts = [self.buffer]  # Adding to one buffer would copy a large body again and again.
        missing = count - len(self.buffer)
        try:
            while missing > 0 and (more := self.receive()):
                parts.append(more)
                missing -= len(more)
        finally:
            self.buffer = b"".join(parts)
        if missing > 0:
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

    def body(self, head, method="GET"):
        """The body of the answer that has this head."""
        if method == "HEAD" or head.status in (204, 304):
            return b""
        if head["Transfer-Encoding"]:
            return b"".join(iter(self.chunk, None))
        if head["Content-Length"] is not None:
            return self.exactly(int(head["Content-Length"]))
        return self.rest()

    def response(self, method="GET"):
        response = self.head()
        response.body = self.body(response, method)
        return response

    def open(self, method="GET", path="/", fields=None, body=None, version="1.1"):
        """Sends a request."""
        self.send(request(method, path, fields, body, version))
        return Exchange(self, method)

    def request(self, method="GET", path="/", fields=None, body=None):
        """Sends a request and reads its response; the connection stays."""
        return self.open(method, path, fields, body).response()


class Exchange:
    """One request and its response."""

    def __init__(self, connection, method):
        self.connection = connection
        self.method = method
        self._is_chunked = False
        self._left = None  # Of a body with a length.

    def head(self):
        head = self.connection.head()
        self._is_chunked = head["Transfer-Encoding"] == "chunked"
        length = head["Content-Length"]
        self._left = None if length is None else 0 if self.method == "HEAD" or head.status == 304 else int(length)
        return head

    def piece(self):
        """Some bytes of a body; None at its end."""
        if self._is_chunked:
            return self.connection.chunk()
        if self._left == 0:
            return None
        if not self.connection.buffer and not self.connection.fill():
            if self._left:
                raise Closed(f"closed before the last {self._left} bytes")
            return None
        count = len(self.connection.buffer)
        data = self.connection.take(count if self._left is None else min(count, self._left))
        if self._left is not None:
            self._left -= len(data)
        return data

    def body(self, head):
        return self.connection.body(head, self.method)

    def response(self):
        return self.connection.response(self.method)

    def close(self):
        self.connection.close()


def joined(fields):
    """A dictionary's fields, or a list of them."""
    return list(fields.items()) if isinstance(fields, dict) else list(fields or [])


def request(method="GET", path="/", fields=None, body=None, version="1.1"):
    head = f"{method} {path} HTTP/{version}\r\nHost: localhost\r\n"
    if body is not None:
        body = body if isinstance(body, bytes) else body.encode()
        head += f"Content-Length: {len(body)}\r\n"
    for name, value in joined(fields):
        head += f"{name}: {value}\r\n"
    return head.encode("latin-1") + b"\r\n" + (body or b"")
