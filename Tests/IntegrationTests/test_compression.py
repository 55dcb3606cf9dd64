"""Streams compressed once for all who accept gzip."""

import json
import subprocess

import httpx
import pytest
from harness.client import ask, publish
from harness.gateway import PATIENCE, settings
from harness.sse import Comment, Stream
from httpx_sse import connect_sse

GZIP = {"Accept-Encoding": "gzip"}


def quote(number):
    return json.dumps({"symbol": f"AC{number % 97}", "number": number, "note": "quote of the day " * 8})


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br, zstd", "x-gzip", "*", "br, gzip;q=0.2"])
def test_a_client_that_accepts_gzip_gets_it(gateway, accepted):
    with Stream(gateway.port, fields={"Accept-Encoding": accepted}) as stream:
        assert stream.head.status == 200
        assert stream.head["Content-Encoding"] == "gzip"
        assert stream.head["Vary"] == "Accept-Encoding"
        assert stream.head["Content-Type"] == "text/event-stream"
        assert stream.head["Cache-Control"] == "no-store, no-transform"
        stream.opened()
        for number in range(3):
            receipt = publish(gateway.port, f"{number}\nlines ü")
            event = stream.next()
            assert (event.data, event.id) == (f"{number}\nlines ü", receipt["ids"][0])


@pytest.mark.parametrize("accepted", [None, "", "identity", "br", "gzip;q=0", "*;q=0", "identity, gzip;q=0.5"])
def test_any_other_gets_the_stream_as_it_is_and_caches_are_told(gateway, accepted):
    with Stream(gateway.port, fields={} if accepted is None else {"Accept-Encoding": accepted}) as stream:
        assert stream.head["Content-Encoding"] is None
        assert stream.head["Vary"] == "Accept-Encoding"
        publish(gateway.port, "plain")
        assert stream.opened().next().data == "plain"


def test_head_is_answered_as_get_would_be(gateway):
    assert ask(gateway.port, "HEAD", "/events", GZIP)["Content-Encoding"] == "gzip"
    plain = ask(gateway.port, "HEAD", "/events")
    assert (plain["Content-Encoding"], plain["Vary"]) == (None, "Accept-Encoding")


def test_nothing_else_is_compressed(gateway):
    for method, path, fields in [
        ("GET", "/", {}),
        ("GET", "/nothing", {}),
        ("GET", "/events", {"Accept": "text/html"}),
        ("PUT", "/events", {}),
        ("POST", "/publish/none", {"Content-Length": "0"}),
    ]:
        response = ask(gateway.port, method, path, {**GZIP, **fields})
        assert response["Content-Encoding"] is None
        assert response.text


def test_off_is_off(start):
    with Stream(start(settings({"compression": "off"})).port, fields=GZIP) as stream:
        assert (stream.head["Content-Encoding"], stream.head["Vary"]) == (None, None)


def test_several_topics_are_compressed_when_all_of_them_are(start):
    base = settings(topics={"t": {}, "a": {}, "b": {}, "c": {"compression": "off"}})
    base["routes"].insert(0, {"match": "/ab", "subscribe": {"topics": ["a", "b"]}})
    base["routes"].insert(0, {"match": "/abc", "subscribe": {"topics": ["a", "b", "c"]}})
    gateway = start(base)
    with Stream(gateway.port, "/abc", fields=GZIP) as mixed, Stream(gateway.port, "/ab", fields=GZIP) as packed:
        assert mixed.head["Content-Encoding"] is None
        assert packed.head["Content-Encoding"] == "gzip"
        mixed.opened()
        packed.opened()
        for number in range(20):
            publish(gateway.port, quote(number), topic="ab"[number % 2])
        for stream in mixed, packed:
            assert [event.data for event in stream.events(20)] == [quote(number) for number in range(20)]


@pytest.mark.http1
def test_http_1_0_gets_it_until_the_connection_closes(gateway):
    with Stream(gateway.port, version="1.0", fields=GZIP) as stream:
        assert stream.head["Content-Encoding"] == "gzip"
        assert stream.head["Transfer-Encoding"] is None
        stream.opened()
        publish(gateway.port, "old")
        assert stream.next().data == "old"
        gateway.signal()
        stream.rest()
        assert stream.gzip.eof


def test_a_stream_that_ends_is_whole(gateway):
    with Stream(gateway.port, fields=GZIP) as stream:
        stream.opened()
        publish(gateway.port, quote(1))
        assert stream.next().data == quote(1)
        gateway.signal()
        stream.rest()
        assert stream.ended == "clean"
        assert stream.gzip.eof, "the trailer came, and was right"


def test_a_stream_that_is_broken_off_has_no_trailer(start):
    gateway = start(settings({"end": "abort"}))
    with Stream(gateway.port, fields=GZIP) as stream:
        stream.opened()
        gateway.signal()
        stream.rest()
        assert stream.ended == "cut"
        assert not stream.gzip.eof


def test_heartbeats_come_between(start):
    gateway = start(settings({"heartbeat": "50ms", "end": "clean"}))
    with Stream(gateway.port, fields=GZIP) as stream:
        for number in range(4):
            while not isinstance(stream.item(), Comment):
                pass
            publish(gateway.port, quote(number))
            assert stream.next().data == quote(number)
        gateway.signal()
        stream.rest()
        assert stream.gzip.eof


def test_a_resumed_stream_gets_what_it_missed(gateway):
    ids = [publish(gateway.port, quote(number))["ids"][0] for number in range(50)]
    with Stream(gateway.port, last_id=ids[9], fields=GZIP) as stream:
        assert [event.data for event in stream.events(40)] == [quote(number) for number in range(10, 50)]
    with Stream(gateway.port, last_id="unknown", fields=GZIP) as stream:
        assert stream.next().type == "gap"
        assert stream.next().data == quote(0)


def test_many_share_what_is_compressed_and_late_comers_join(start):
    gateway = start(settings({"history": {"events": 10000}}, workers="2"))
    streams = [Stream(gateway.port, fields=GZIP).opened() for _ in range(8)]
    plain = Stream(gateway.port).opened()
    for number in range(300):
        publish(gateway.port, quote(number))
        if number in (100, 200):
            streams.append(Stream(gateway.port, fields=GZIP).opened())
    expected = [quote(number) for number in range(300)]
    for stream, earliest in zip(streams, [0] * 8 + [100, 200]):
        # Another worker may not have taken yet what was published just before: then it begins with that.
        events = [stream.next().data]
        first = expected.index(events[0])
        assert first in (earliest, earliest + (earliest > 0))
        events += [event.data for event in stream.events(299 - first)]
        assert events == expected[first:]
    plain.events(300)
    assert plain.wire > 5 * max(stream.wire for stream in streams[:8])
    gateway.signal()
    for stream in streams:
        stream.rest()
        assert stream.gzip.eof
        stream.close()
    plain.close()


def test_slow_clients_lag_and_go_on(start):
    gateway = start(settings({"max_lag": "64MiB", "history": {"bytes": "64MiB"}}))
    noise = subprocess.run(["openssl", "rand", "-base64", "300000"], capture_output=True, text=True).stdout
    with Stream(gateway.port, fields=GZIP, receive_buffer=4096) as slow:
        slow.opened()
        for number in range(40):
            publish(gateway.port, f"{number} {noise.replace(chr(10), '')}")
        assert [event.data.split()[0] for event in slow.events(40)] == [str(number) for number in range(40)]
        gateway.signal()
        slow.rest()
        assert slow.gzip.eof


def test_curl_reads_it(gateway):
    publish(gateway.port, "first")
    curl = subprocess.Popen(
        ["curl", "-sSN", "--compressed", "-i", gateway.url("/events"), "-H", "Last-Event-ID: none"],
        stdout=subprocess.PIPE,
        text=True,
    )
    seen = [line.rstrip("\n") for line in iter(curl.stdout.readline, "data: first\n")]
    assert "Content-Encoding: gzip" in seen
    publish(gateway.port, "second")
    for line in iter(curl.stdout.readline, "data: second\n"):
        assert line
    gateway.signal()
    curl.stdout.read()
    assert curl.wait(PATIENCE) == 0, "curl saw a whole body"


def test_httpx_reads_it(gateway):
    ids = [publish(gateway.port, quote(number))["ids"][0] for number in range(5)]
    with httpx.Client(timeout=PATIENCE) as client:
        with connect_sse(client, "GET", gateway.url("/events"), headers={"Last-Event-ID": ids[1]}) as source:
            assert source.response.headers["Content-Encoding"] == "gzip"
            events = source.iter_sse()
            assert [next(events).data for _ in range(3)] == [quote(number) for number in range(2, 5)]


def test_a_browser_reads_it(start, browser, authority, trusting):
    base = settings(listeners=[authority.listener()])
    base["routes"].insert(
        0, {"match": "/page", "respond": {"headers": {"Content-Type": "text/html"}, "body": "<title>test</title>"}}
    )
    gateway = start(base)
    with browser.open(gateway.url("/page", scheme="https", host="localhost")) as page:
        page.run(
            "window.got = []; window.opened = 0; window.coding = '';"
            "window.source = new EventSource('/events'); source.onopen = () => opened++;"
            "source.onmessage = event => got.push(event.data);"
            "fetch('/events').then(response => coding = response.headers.get('Content-Encoding')); 0"
        )
        page.wait_until("opened == 1 && coding == 'gzip'")
        for number in range(5):
            publish(gateway.port, quote(number), tls=trusting)
            page.wait_until(f"got.length == {number + 1}")
        assert page.run("got") == [quote(number) for number in range(5)]


def test_over_tls(start, authority, trusting):
    gateway = start(settings(listeners=[authority.listener()]))
    with Stream(gateway.port, fields=GZIP, tls=trusting) as stream:
        stream.opened()
        for number in range(5):
            publish(gateway.port, quote(number), tls=trusting)
            assert stream.next().data == quote(number)
        gateway.signal()
        stream.rest()
        assert stream.gzip.eof
