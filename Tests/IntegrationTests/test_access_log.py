"""The access log: a line for each request, two for each stream, and never a credential."""

import json
import re

import pytest
from harness.access import SECRET, counted, ended, logging, only, wire  # noqa: F401
from harness.client import ask, connect, publish
from harness.gateway import settings
from harness.sse import Event, Stream

COMBINED = re.compile(
    r'(?P<client>\S+) - - \[(?P<time>\d\d/[A-Z][a-z][a-z]/\d{4}:\d\d:\d\d:\d\d \+0000)\] '
    r'"(?:-|(?P<method>[A-Z]+) (?P<target>\S+) (?P<protocol>HTTP/\d\.\d))" (?P<status>\d{3}) (?P<bytes>\d+) '
    r'"(?P<referer>[^"]+)" "(?P<agent>[^"]+)"(?P<pairs>(?: [a-z_]+=[^ "]+)*)'
)
PLAIN = {"Content-Type": "text/plain"}
PROTOCOLS = {"http1": "HTTP/1.1", "h2": "HTTP/2.0"}


def test_without_the_key_nothing_is_logged(gateway):
    ask(gateway.port, fields={"User-Agent": "nobody"})
    gateway.stop()
    assert "nobody" not in gateway.log()


def test_a_request_is_one_json_line(start, protocol):
    gateway = start(logging())
    fields = {
        "User-Agent": "tester/1", "Referer": "https://a.example/x", "X-Request-ID": "mine-1",
        "Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }  # fmt: skip
    assert ask(gateway.port, path="/?a=%20b", fields=fields).body == b"ok"
    assert ask(gateway.port, path="/nowhere").status == 404
    assert ask(gateway.port, "HEAD").status == 200
    publish(gateway.port, "x")
    lines = ended(gateway)
    assert [line["event"] for line in lines] == ["request"] * 4
    first = only(lines, user_agent="tester/1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("time"))
    assert first.pop("duration") >= 0
    assert first == {
        "event": "request", "client": "127.0.0.1", "method": "GET", "host": "localhost", "path": "/", "query": "a=%20b",
        "protocol": PROTOCOLS[protocol], "referer": "https://a.example/x", "user_agent": "tester/1", "status": 200,
        "bytes": 2, "request_id": "mine-1", "trace_id": "0af7651916cd43dd8448eb211c80319c", "route": 2,
    }  # fmt: skip
    missing = only(lines, path="/nowhere")
    assert missing["status"] == 404 and "route" not in missing
    assert re.fullmatch("[0-9a-f]{32}", missing["request_id"])
    assert only(lines, method="HEAD")["bytes"] == 0
    assert only(lines, method="POST")["topics"] == ["t"]


def test_a_request_is_one_combined_line(start, protocol, tmp_path):
    gateway = start(logging({"path": "access.log", "format": "combined"}))
    ask(gateway.port, path="/?a=b", fields={"User-Agent": "tester/1", "X-Request-ID": "mine-1"})
    with Stream(gateway.port).opened():
        pass
    gateway.stop()
    lines = [COMBINED.fullmatch(line) for line in (tmp_path / "access.log").read_text().splitlines()]
    assert all(lines), (tmp_path / "access.log").read_text()
    first = next(line.groupdict() for line in lines if line["target"] == "/?a=b")
    assert first["client"] == "127.0.0.1" and first["target"] == "/?a=b" and first["method"] == "GET"
    assert first["protocol"] == PROTOCOLS[protocol] and first["status"] == "200" and first["bytes"] == "2"
    assert first["referer"] == "-" and first["agent"] == "tester/1"
    assert re.fullmatch(r" event=request duration=\d+\.\d{3} request_id=mine-1", first["pairs"])
    events = sorted(re.search("event=([a-z]+)", line["pairs"]).group(1) for line in lines)
    assert events == ["close", "open", "request"]


def test_a_stream_is_told_when_it_begins_and_when_its_client_left(start, protocol, counted):
    gateway = start(logging())
    with Stream(gateway.port, fields={"X-Request-ID": "s1"}, last_id="1-1").opened() as stream:
        opening = json.loads(gateway.wait_for_log('"event":"open"'))
        for number in range(5):
            publish(gateway.port, f"event {number}")
        # With the gap event, which is none of the topic's.
        stream.events(6)
        position = stream.head["Last-Event-ID"]
        sent = wire(stream, protocol)
    gateway.wait_for_log('"event":"close"')
    lines = ended(gateway)
    assert opening["status"] == 200 and opening["bytes"] == 0 and "duration" not in opening
    assert opening["cursor"] == position and opening["last_event_id"] == "1-1" and opening["topics"] == ["t"]
    closing = only(lines, event="close")
    assert closing["reason"] == "client_left" and closing["request_id"] == opening["request_id"] == "s1"
    assert closing["events"] == 5 and closing["bytes"] == sent and closing["duration"] >= 0


def test_streams_end_because_the_gateway_stops(start, protocol, counted):
    gateway = start(logging())
    with Stream(gateway.port).opened() as stream:
        publish(gateway.port, "x")
        stream.next()
        gateway.signal()
        stream.rest()
        assert stream.ended == "clean"
        sent = wire(stream, protocol)
    closing = only(ended(gateway), event="close")
    assert closing["reason"] == "drained" and closing["events"] == 1 and closing["bytes"] == sent


def test_streams_end_for_their_age(start):
    gateway = start(logging(topic={"max_age": "100ms"}))
    with Stream(gateway.port) as stream:
        stream.rest()
    assert only(ended(gateway), event="close")["reason"] == "max_age"


def test_a_slow_subscriber_is_told_as_such(start):
    gateway = start(logging(topic={"max_lag": "256KiB", "history": {"events": 20}}))
    with Stream(gateway.port, receive_buffer=4096).opened() as slow:
        # It may be so far behind that publishing has to wait for it.
        while b'"subscribers":0' not in ask(gateway.port, "POST", "/publish/t", PLAIN, "x" * 65536).body:
            pass
        whole = sum(isinstance(item, Event) for item in slow.rest())
    closing = only(ended(gateway), event="close")
    assert closing["reason"] == "slow" and closing["events"] == whole > 0


def test_a_client_that_takes_nothing_is_told_as_such(start):
    gateway = start(
        logging(topic={"max_lag": "64MiB", "history": {"bytes": "64MiB"}}, limits={"write_timeout": "500ms"})
    )
    with Stream(gateway.port, receive_buffer=4096).opened():
        for _ in range(150):
            publish(gateway.port, "x" * 65536)
        closing = json.loads(gateway.wait_for_log('"event":"close"'))
    assert closing["reason"] == "write_timeout" and closing["events"] < 150
    assert closing["bytes"] < 150 * 65536


def test_credentials_are_never_logged(start):
    gateway = start(settings(log={"level": "trace", "access": {"path": "stdout", "mask": ["ticket"]}}))
    names = [
        "token", "access_token", "%61ccess_token", "TOKEN", "apiKey", "api_key", "code", "sig", "X-Amz-Signature", "jwt",
        "password", "secret", "client_secret", "authorization", "ticket", "a%5Btoken%5D", "key",
    ]  # fmt: skip
    fields = {
        "Authorization": f"Bearer {SECRET}", "Cookie": f"session={SECRET}",
        "Referer": f"https://me:{SECRET}@a.example/?code={SECRET}#access_token={SECRET}",
    }  # fmt: skip
    for name in names:
        for path in ("/", "/nowhere", "/events"):
            ask(gateway.port, "HEAD", f"{path}?a=1&{name}={SECRET}&b=2", fields)
        ask(gateway.port, "HEAD", f"/?next=%2Fx%3F{name.replace('%', '%25')}%3D{SECRET}", fields)
    with Stream(gateway.port, f"/events?token={SECRET}", fields).opened():
        pass
    publish(gateway.port, "x", query=f"?token={SECRET}", fields=fields)
    ask(gateway.port, path=f"/%zz?token={SECRET}", fields=fields)
    lines = ended(gateway)
    assert len(lines) == 4 * len(names) + 2 + 1 + 1
    assert SECRET not in gateway.log()
    assert any(line.get("query") == "a=1&token=***&b=2" for line in lines)
    assert "https://***@a.example/?code=***#access_token=***" in [line.get("referer") for line in lines]


def test_credentials_of_pages_that_route_by_their_fragment_are_not_logged(start):
    gateway = start(logging())
    places = [
        f"?a/token={SECRET}", f"?next=/%23/access_token={SECRET}", f"?kEy={SECRET}",
        f"?redirect=https%3A%2F%2Fapp%2F%23%2Faccess_token%3D{SECRET}",
    ]  # fmt: skip
    for place in places:
        ask(gateway.port, path=f"/{place}", fields={"Referer": f"https://app.example/{place}"})
    ask(gateway.port, fields={"Referer": f"https://app.example/#/access_token={SECRET}&state=1"})
    lines = ended(gateway)
    assert len(lines) == 5 and SECRET not in gateway.log()
    # Lines of two workers have no order.
    assert "https://app.example/#/access_token=***&state=1" in [line["referer"] for line in lines]


def test_what_a_masked_parameter_chose_is_not_logged_either(start):
    names = [{"path": "stdout", "mask": ["topic", "last_event_id"]}, {"path": "stdout"}]
    routes = [
        {"match": "/events", "subscribe": {"query": "topic", "allow": ["u.*"]}},
        {"match": {"path": "/publish", "methods": ["POST"]}, "publish": {"allow": ["u.*"]}},
    ]
    for access in names:
        gateway = start(logging(access, topics={"u.{name}": {}}, routes=routes))
        topic = f"u.{SECRET}"
        with Stream(gateway.port, f"/events?topic={topic}&last_event_id=1-{SECRET}").opened():
            fields = {"Content-Type": "text/plain"}
            assert ask(gateway.port, "POST", f"/publish?topic={topic}", fields, "x").status == 200
        lines = ended(gateway)
        assert len(lines) == 3
        if "mask" in access:
            assert SECRET not in str(lines)
            assert not any(key in line for line in lines for key in ("topics", "last_event_id", "cursor"))
        else:
            assert [line["topics"] for line in lines] == [[topic]] * 3
            assert only(lines, event="open")["last_event_id"] == f"1-{SECRET}"


@pytest.mark.parametrize("format", ["json", "combined"])
def test_nobody_forges_a_line(start, tmp_path, format):
    gateway = start(logging({"path": "access.log", "format": format}))
    forged = '127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /forged HTTP/1.1" 200 1 "-" "-"'
    attempts = [
        f'x" 200 1 "-" "{forged}', "\\", '\\"', "\x1b[2Jclear", "\x80\xff\xfe", "a\tb", "\u2028".encode().decode("latin-1"),
        '","forged":"yes',
    ]  # fmt: skip
    for text in attempts:
        try:
            ask(gateway.port, fields={"User-Agent": text, "Referer": text})
        except Exception as error:  # noqa: BLE001 - the client's own rules may refuse it first
            assert "rotocol" in type(error).__name__ + str(error)
    ask(gateway.port, path="/%0a127.0.0.1%20-%20-%22?%0d%0a=%00")
    gateway.stop()
    content = (tmp_path / "access.log").read_bytes()
    lines = content.decode("ascii" if format == "combined" else "utf-8").splitlines()
    assert len(lines) >= 2
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", content)
    if format == "combined":
        assert all(COMBINED.fullmatch(line) for line in lines), lines
    else:
        assert not any("forged" in json.loads(line) for line in lines)
        only([json.loads(line) for line in lines], path="/%0a127.0.0.1%20-%20-%22")


def test_the_client_behind_a_trusted_proxy_is_told(start):
    gateway = start(logging(trusted_proxies=["127.0.0.1"]))
    ask(gateway.port, fields={"X-Forwarded-For": "203.0.113.9"})
    assert only(ended(gateway))["client"] == "203.0.113.9"


@pytest.mark.http1
def test_what_is_no_request_is_told_with_what_is_known(start, authority):
    configuration = logging(limits={"request_head_timeout": "200ms", "request_head": "1KiB", "request_line": "512"})
    configuration["listeners"] = ["127.0.0.1:0", authority.listener()]
    gateway = start(configuration)
    for bytes_, status in (
        (b"GET / nonsense\r\n\r\n", 400), (b"GET /" + b"a" * 600 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 2000 + b"\r\n\r\n", 431), (b"GET / HTTP/1.1\r\n", 408),
    ):  # fmt: skip
        with connect(gateway.port) as client:
            client.send(bytes_)
            assert client.response().status == status
    with connect(gateway.ports[1]) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.response().status == 400
    lines = ended(gateway)
    assert sorted(line["status"] for line in lines) == [400, 400, 408, 414, 431]
    assert all(line["client"] == "127.0.0.1" and "path" not in line and line["bytes"] > 0 for line in lines)


@pytest.mark.http1
def test_application_yaml_logs_its_requests(ready):
    gateway = ready("application.yaml")
    with Stream(gateway.port, "/events").opened():
        assert json.loads(gateway.wait_for_log('"event":"open"'))["topics"] == ["news"]


@pytest.mark.h2
def test_a_client_that_breaks_the_protocol_is_told_as_such(start):
    gateway = start(logging())
    with Stream(gateway.port).opened() as stream:
        # DATA on stream 0 (RFC 9113, section 6.1).
        stream.connection.socket.sendall(b"\0\0\x01\0\0\0\0\0\0x")
        closing = json.loads(gateway.wait_for_log('"event":"close"'))
    assert closing["reason"] == "protocol_error"


def test_a_compressed_stream_is_counted_as_it_is_sent(start, protocol, counted):
    gateway = start(logging())
    with Stream(gateway.port, fields={"Accept-Encoding": "gzip"}).opened() as stream:
        assert stream.gzip
        for number in range(3):
            publish(gateway.port, f"event {number} " * 50)
        stream.events(3)
        gateway.signal()
        stream.rest()
        sent = wire(stream, protocol)
    closing = only(ended(gateway), event="close")
    assert closing["events"] == 3 and closing["bytes"] == sent
