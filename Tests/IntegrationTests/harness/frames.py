"""A client of HTTP/2 that sends any frames, right or wrong, and sees each frame that comes."""

import struct

import hpack
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    RstStreamFrame,
    SettingsFrame,
)

from .raw import Closed, Socket

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
REQUEST = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "localhost")]

# Error codes (RFC 9113, 7).
NO_ERROR, PROTOCOL, INTERNAL, FLOW_CONTROL, _, STREAM_CLOSED, FRAME_SIZE, REFUSED, CANCEL, COMPRESSION = range(10)
CALM = 11


def raw(kind, stream=0, payload=b"", flags=0):
    """A frame with any type, flags and payload."""
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def post(path="/publish/t", *more):
    return [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"), *more]


def get(path="/", *more):
    return [(":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "localhost"), *more]


class Wire(Socket):
    ALPN = "h2"

    def __init__(self, port, settings=None, preface=True, **more):
        super().__init__(port, **more)
        self.buffer = b""
        # Not compressed against a table: blocks may be sent in any order, or not at all.
        self._decoder = hpack.Decoder(max_header_list_size=1 << 20)
        self.acknowledges = True
        self.last_word = None
        if preface:
            self.send(PREFACE, self.settings(settings or {}))

    @staticmethod
    def settings(values):
        return raw(4, payload=b"".join(struct.pack(">HI", key, value) for key, value in values.items()))

    @staticmethod
    def settings_answer():
        return raw(4, flags=1)

    @staticmethod
    def block(fields):
        """Fields as literals without indexing, names and values as they are."""

        def text(part):
            part = part if isinstance(part, bytes) else part.encode("latin-1")
            if len(part) < 127:
                return bytes([len(part)]) + part
            rest, size = len(part) - 127, b"\x7f"
            while rest >= 128:
                size += bytes([rest % 128 + 128])
                rest //= 128
            return size + bytes([rest]) + part

        return b"".join(b"\0" + text(name) + text(value) for name, value in fields)

    @staticmethod
    def head(stream, fields=REQUEST, end=True):
        """HEADERS, with as many CONTINUATION frames as the block needs."""
        block = Wire.block(fields)
        parts = [block[start : start + 16384] for start in range(0, len(block), 16384)] or [b""]
        last = len(parts) - 1
        return b"".join(
            raw(9 if number else 1, stream, part, (0x4 if number == last else 0) | (0x1 if end and not number else 0))
            for number, part in enumerate(parts)
        )

    @staticmethod
    def data(stream, payload=b"", end=False):
        return raw(0, stream, payload, int(end))

    @staticmethod
    def window(stream, count):
        return raw(8, stream, struct.pack(">I", count))

    @staticmethod
    def reset(stream, code=CANCEL):
        return raw(3, stream, struct.pack(">I", code))

    def send(self, *parts):
        try:
            self.socket.sendall(b"".join(parts))
        except ConnectionError as error:
            raise Closed(str(error)) from None

    def frame(self):
        """The next frame; None at the end."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            try:
                more = self.receive()
            except Closed:
                more = b""
            if not more:
                return None
            self.buffer += more
        frame, length = Frame.parse_frame_header(memoryview(self.buffer[:9]))
        frame.parse_body(memoryview(self.buffer[9 : 9 + length]))
        self.buffer = self.buffer[9 + length :]
        if isinstance(frame, SettingsFrame) and "ACK" not in frame.flags and self.acknowledges:
            self.send(self.settings_answer())
        if isinstance(frame, HeadersFrame):
            assert "END_HEADERS" in frame.flags
            frame.fields = self._decoder.decode(frame.data)
            frame.status = int(dict(frame.fields)[":status"]) if ":status" in dict(frame.fields) else None
        if isinstance(frame, GoAwayFrame):
            self.last_word = frame.error_code
        return frame

    def frames(self):
        while (frame := self.frame()) is not None:
            yield frame

    def wait(self, kind, stream=None):
        """The next frame of a kind, perhaps of one stream."""
        for frame in self.frames():
            if isinstance(frame, kind) and (stream is None or frame.stream_id == stream):
                return frame
        raise Closed(f"closed before {kind.__name__}")

    def outcome(self, stream):
        """What becomes of a stream: its status, "reset CODE", "goaway CODE" of an error, or "closed"."""
        for frame in self.frames():
            if isinstance(frame, HeadersFrame) and frame.stream_id == stream and frame.status >= 200:
                return frame.status
            if isinstance(frame, RstStreamFrame) and frame.stream_id == stream:
                return f"reset {frame.error_code}"
            if isinstance(frame, GoAwayFrame) and frame.error_code:
                return f"goaway {frame.error_code}"
        return "closed"

    def goaway(self):
        """The code of the GOAWAY that ends the connection; None: it ended without a word."""
        for _ in self.frames():
            pass
        return self.last_word

    def ping(self, text=b"are you?"):
        """Waits for the answer to a PING: all that was sent before has been read."""
        self.send(raw(6, payload=text))
        while "ACK" not in (frame := self.wait(PingFrame)).flags or frame.opaque_data != text:
            pass

    def body(self, stream):
        """The rest of a stream's body, its windows opened for it; and how it ended."""
        body = b""
        for frame in self.frames():
            if isinstance(frame, DataFrame) and frame.stream_id == stream:
                body += frame.data
                if "END_STREAM" in frame.flags:
                    return body, "end"
                if frame.flow_controlled_length:
                    count = frame.flow_controlled_length
                    self.send(self.window(0, count), self.window(stream, count))
            if isinstance(frame, RstStreamFrame) and frame.stream_id == stream:
                return body, f"reset {frame.error_code}"
        return body, "closed"
