"""A client of HTTP/2 that looks like the one in raw.py. Frames, HPACK and windows are those of the package h2, which
also holds the gateway to RFC 9113: what a server may not send raises."""

import collections
import dataclasses

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings

from .raw import Closed, Response, Socket, joined

# h2 takes GOAWAY for the end. Streams that are open go on (RFC 9113, 6.8).
OPEN = h2.connection.ConnectionState.CLIENT_OPEN
h2.connection.H2ConnectionStateMachine._transitions[OPEN, h2.connection.ConnectionInputs.RECV_GOAWAY] = (None, OPEN)

WINDOW = h2.settings.SettingCodes.INITIAL_WINDOW_SIZE


@dataclasses.dataclass
class GoAway:
    last_stream: int
    code: int
    text: bytes = b""


class Connection(Socket):
    """One connection with any number of exchanges. `window` is what each stream and the connection together may have
    under way; what came is given back as it is read, if `gives_back`."""

    ALPN = "h2"

    def __init__(self, port, host="127.0.0.1", tls=None, server_name="localhost", receive_buffer=None, window=None, first=()):
        super().__init__(port, host, tls, server_name, receive_buffer, first)
        if tls:
            assert self.socket.selected_alpn_protocol() == "h2"
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(
                header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
            )
        )
        self.authority = "localhost"
        self.scheme = "https" if tls else "http"
        self.exchanges = {}
        self.going = []  # The GOAWAY frames that came.
        self.gives_back = True  # "at once": when it comes, not when it is read.
        self.pongs = 0
        self._last = None
        values = {h2.settings.SettingCodes.ENABLE_PUSH: 0, WINDOW: 1 << 20 if window is None else window}
        self.h2.local_settings = h2.settings.Settings(client=True, initial_values=values)
        self.h2.initiate_connection()
        if window is None:
            # As browsers do it: the windows are no part of most tests.
            self.h2.increment_flow_control_window(1 << 24)
        self.flush()

    def flush(self):
        if data := self.h2.data_to_send():
            self.socket.sendall(data)

    def open(self, method="GET", path="/", fields=None, body=None, end=True, authority=None, version=None):
        """Sends a request; its body, and with `end` its end."""
        exchange = Exchange(self, self.h2.get_next_available_stream_id(), method)
        authority = self.authority if authority is None else authority
        fields = [(name.lower(), str(value)) for name, value in joined(fields)]
        if body is not None:
            body = body if isinstance(body, bytes) else body.encode()
            if not any(name == "content-length" for name, _ in fields):
                fields.append(("content-length", str(len(body))))
        pseudo = [(":method", method), (":scheme", self.scheme), (":path", path), (":authority", authority)]
        head = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pseudo + fields]
        self.exchanges[exchange.number] = self._last = exchange
        self.h2.send_headers(exchange.number, head, end_stream=end and not body)
        if body:
            exchange.send(body, end)
        self.flush()
        return exchange

    def request(self, method="GET", path="/", fields=None, body=None, **more):
        return self.open(method, path, fields, body, **more).response()

    def fill(self):
        """Reads more and sorts it by streams; False at the end."""
        more = self.receive()
        for event in self.h2.receive_data(more):
            self._take(event)
        try:
            self.flush()
        except ConnectionError as error:
            raise Closed(str(error)) from None
        return bool(more)

    def _take(self, event):
        match event:
            case h2.events.ConnectionTerminated():
                self.going.append(GoAway(event.last_stream_id, int(event.error_code), event.additional_data))
            case h2.events.PingAckReceived():
                self.pongs += 1
            case _ if (exchange := self.exchanges.get(getattr(event, "stream_id", None))) is not None:
                exchange.take(event)

    def ping(self):
        """Waits for the answer to a PING: all that was sent before it has been read."""
        seen = self.pongs
        self.h2.ping(b"are you?")
        self.flush()
        self.read_until(lambda: self.pongs > seen)

    def read_until(self, condition):
        while not condition():
            if not self.fill():
                raise Closed("closed")

    def window(self, streams=None, connection=None, exchange=None):
        """Opens windows by hand: the connection's, or one stream's; `streams` sets the initial window of all."""
        if streams is not None:
            self.h2.update_settings({WINDOW: streams})
        if connection is not None:
            self.h2.increment_flow_control_window(connection)
        if exchange is not None:
            self.h2.increment_flow_control_window(exchange[1], exchange[0].number)
        self.flush()

    def rest(self):
        """Reads up to the end; a reset counts as the end."""
        try:
            while self.fill():
                pass
        except Closed:
            pass
        return b""

    def ended(self):
        """Whether the other side closed."""
        return self.rest() == b""


class Exchange:
    """A stream as its client sees it."""

    def __init__(self, connection, number, method):
        self.connection = connection
        self.number = number
        self.method = method
        self.reset_code = None
        self.is_complete = False
        self._heads = collections.deque()
        self._pieces = collections.deque()

    def take(self, event):
        match event:
            case h2.events.ResponseReceived() | h2.events.InformationalResponseReceived():
                fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers]
                assert fields[0][0] == ":status" and not any(name.startswith(":") for name, _ in fields[1:]), fields
                self._heads.append(Response("HTTP/2", int(fields[0][1]), "", fields[1:]))
            case h2.events.DataReceived():
                if self.connection.gives_back == "at once":
                    self._give_back(event.flow_controlled_length)
                if event.data:
                    self._pieces.append((event.data, event.flow_controlled_length))
            case h2.events.StreamEnded():
                self.is_complete = True
            case h2.events.StreamReset():
                self.reset_code = int(event.error_code)

    def _give_back(self, count):
        self.connection.h2.acknowledge_received_data(count, self.number)
        self.connection.flush()

    def _wait(self, something):
        while not something:
            if self.is_complete or self.reset_code is not None:
                return False
            if not self.connection.fill():
                raise Closed("the connection was closed")
        return True

    def head(self):
        if not self._wait(self._heads):
            raise Closed(f"reset with {self.reset_code} before an answer")
        return self._heads.popleft()

    def piece(self):
        """Some bytes of the body; None at its end."""
        if not self._wait(self._pieces):
            if self.is_complete:
                return None
            raise Closed(f"reset with {self.reset_code}")
        data, count = self._pieces.popleft()
        if self.connection.gives_back is True:
            self._give_back(count)
        return data

    @property
    def unread(self):
        """Bytes of the body that came and were not asked for."""
        return sum(len(data) for data, _ in self._pieces)

    def body(self, head):
        """The body of the answer that has this head."""
        body = b"".join(iter(self.piece, None))
        length = head["Content-Length"]
        if length is not None and self.method != "HEAD" and head.status != 304:
            assert int(length) == len(body)
        return body

    def response(self):
        response = self.head()
        response.body = self.body(response)
        return response

    @property
    def is_over(self):
        return self.is_complete or self.reset_code is not None

    def send(self, data, end=False):
        """Sends bytes of the body as the windows allow; stops when the answer is there and no more is wanted."""
        data = memoryview(data if isinstance(data, bytes) else data.encode())
        while True:
            room = min(self.connection.h2.local_flow_control_window(self.number), 16384)
            part, data = bytes(data[:room]), data[room:]
            if part or not data:
                self.connection.h2.send_data(self.number, part, end_stream=end and not data)
                self.connection.flush()
            if not data:
                return
            if not room:
                self.connection.fill()
            if self.is_over:
                return

    def reset(self, code=h2.errors.ErrorCodes.CANCEL):
        self.connection.h2.reset_stream(self.number, code)
        self.connection.flush()

    def close(self):
        """Leaves this stream; the connection stays."""
        if not self.is_over:
            self.reset()
