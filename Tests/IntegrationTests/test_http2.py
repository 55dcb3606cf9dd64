"""HTTP/2 as clients of every kind see it: which protocol is chosen, streams beside streams, limits and refusals."""

import json
import re
import socket
import ssl
import subprocess
import threading

import httpx
import pytest
from harness.client import connect, publish
from harness.frames import CALM, PREFACE, PROTOCOL, REFUSED, Wire, get, post
from harness.gateway import PATIENCE, settings
from harness.http2 import Connection
from harness.raw import Closed
from harness.raw import Connection as HTTP1
from harness.sse import Event, Retry, Stream
from httpx_sse import connect_sse

pytestmark = pytest.mark.h2

TEXT = {"Content-Type": "text/plain"}


def run(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def secure(start, authority):
    return start(settings(listeners=[authority.listener()]))


class TestChoice:
    """Which protocol is spoken."""

    @pytest.mark.parametrize("offered, chosen", [(["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), ([], None)])
    def test_h2_is_preferred_and_http_1_1_goes_on(self, secure, trusting, offered, chosen):
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(trusting.get_ca_certs(True)[0]))
        if offered:
            context.set_alpn_protocols(offered)
        with socket.create_connection(("127.0.0.1", secure.port), PATIENCE) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as tls:
                assert tls.selected_alpn_protocol() == chosen

    def test_both_are_served_on_one_port(self, secure, trusting):
        with HTTP1(secure.port, tls=trusting) as old, Connection(secure.port, tls=trusting) as new:
            assert old.request().body == new.request().body == b"ok"

    def test_without_h2_in_alpn_there_is_no_http_2(self, start, authority, trusting):
        gateway = start(settings(listeners=[authority.listener(alpn=["http/1.1"])]))
        with HTTP1(gateway.port, tls=trusting) as old:
            assert old.request().body == b"ok"
        with pytest.raises(ssl.SSLError):
            Connection(gateway.port, tls=trusting)

    def test_the_preface_on_a_port_without_h2c_is_refused_in_http_1_1(self, start):
        gateway = start(settings(listeners=[{"address": "127.0.0.1:0", "h2c": "off"}]))
        with HTTP1(gateway.port) as connection:
            connection.send(PREFACE)
            assert connection.response().status in (400, 505)
            assert connection.ended()

    def test_http_1_1_is_served_where_h2c_is_on(self, gateway):
        with HTTP1(gateway.port) as connection:
            for _ in range(3):
                assert connection.request().body == b"ok"
        with HTTP1(gateway.port) as connection:
            # Begins as the preface does.
            connection.send("P")
            connection.send("OST /publish/t HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\nx")
            assert connection.response().status == 200

    def test_the_ready_configuration_speaks_it(self, ready):
        gateway = ready("sluice.yaml")
        trusting = ssl.create_default_context(cafile=str(gateway.development_authority()))
        with Connection(gateway.ports[1], tls=trusting) as connection:
            assert "EventSource" in connection.request().text


class TestClients:
    def test_curl_over_tls_and_with_prior_knowledge(self, start, authority):
        gateway = start(settings(listeners=["127.0.0.1:0", authority.listener()]))
        written = ["-sS", "-w", " %{http_version}"]
        assert run("curl", *written, "--http2-prior-knowledge", gateway.url()) == "ok 2"
        secure = gateway.url("/", 1, "https", "localhost")
        assert run("curl", *written, "--http2", "--cacert", authority.certificate, secure) == "ok 2"
        # Without TLS `--http2` asks for an upgrade, which RFC 9113 has given up: it stays HTTP/1.1.
        assert run("curl", *written, "--http2", gateway.url()) == "ok 1.1"

    def test_curl_publishes_much(self, gateway, tmp_path):
        (tmp_path / "body").write_text("x" * 1_000_000)
        send = ["curl", "-sS", "--http2-prior-knowledge", "-H", "Content-Type: text/plain"]
        with Stream(gateway.port) as stream:
            stream.opened()
            answer = run(*send, "--data-binary", f"@{tmp_path}/body", "-H", "Expect: 100-continue", gateway.url("/publish/t"))
            assert json.loads(answer)["subscribers"] == 1
            assert len(stream.next().data) == 1_000_000

    def test_nghttp(self, gateway, secure):
        for url in (gateway.url(), secure.url("/", scheme="https", host="localhost")):
            shown = run("nghttp", "-v", "-m", 3, url)
            assert shown.count(":status: 200") == 3
            assert "ok" in shown

    def test_h2load_has_all_its_requests_answered(self, start, authority):
        gateway = start(settings(listeners=["127.0.0.1:0", authority.listener()], workers="2"))
        for url in (gateway.url(), gateway.url("/", 1, "https", "localhost")):
            told = run("h2load", "-n", 20_000, "-c", 10, "-m", 100, url)
            assert "20000 succeeded, 0 failed, 0 errored, 0 timeout" in told
            assert "status codes: 20000 2xx" in told

    def test_h2load_publishes(self, start, tmp_path):
        gateway = start(settings())
        (tmp_path / "body").write_text("x" * 100)
        command = ["h2load", "-n", 5000, "-c", 5, "-m", 50, "-d", tmp_path / "body", "-H", "content-type: text/plain"]
        with Stream(gateway.port) as stream:
            stream.opened()
            assert "status codes: 5000 2xx" in run(*command, gateway.url("/publish/t"))
            assert len(stream.events(5000)) == 5000

    def test_httpx_subscribes_and_publishes_on_one_connection(self, secure, authority):
        own = ssl.create_default_context(cafile=authority.certificate)
        url = secure.url("/", scheme="https", host="localhost")
        with httpx.Client(verify=own, http2=True, timeout=PATIENCE, base_url=url) as client:
            with connect_sse(client, "GET", "/events") as source:
                events = source.iter_sse()
                for number in range(20):
                    answer = client.post("/publish/t", content=str(number), headers=TEXT)
                    assert answer.http_version == "HTTP/2"
                    assert answer.json()["subscribers"] == 1
                    assert next(events).data == str(number)
        assert secure.log().count("GOAWAY") == 0


def open_sockets(gateway):
    """Connections that stand on the gateway's first port, as the kernel knows them."""
    port = f"{gateway.port:04X}"
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return sum(row[1].endswith(":" + port) and row[3] == "01" for row in rows)


class TestBrowser:
    PAGE = {"headers": {"Content-Type": "text/html"}, "body": "<!doctype html><title>test</title>"}

    @pytest.fixture
    def paged(self, start, authority):
        base = settings(listeners=[authority.listener()])
        base["routes"].insert(0, {"match": "/page", "respond": self.PAGE})
        return start(base)

    def test_twenty_tabs_share_one_connection(self, paged, browser, trusting):
        url = paged.url("/page", scheme="https", host="localhost")
        with browser.open(url) as first:
            tabs = [first, *(first.tab(url) for _ in range(19))]
            for tab in tabs:
                tab.run("window.got = []; window.opened = 0; 0")
                tab.run("window.source = new EventSource('/events'); source.onopen = () => opened++; 0")
                tab.run("source.onmessage = event => got.push(event.data); 0")
            for tab in tabs:
                tab.wait_until("opened == 1")
            assert open_sockets(paged) == 1
            assert publish(paged.port, "for all", tls=trusting)["subscribers"] == 20
            for tab in tabs:
                tab.wait_until("got.length == 1")
            tabs[5].run("source.close()")
            while publish(paged.port, "fewer", tls=trusting)["subscribers"] != 19:
                pass
            tabs[6].wait_until("got.includes('fewer')")
            assert tabs[5].run("got") == ["for all"]

    def test_a_page_has_a_hundred_event_sources(self, paged, browser, trusting):
        with browser.open(paged.url("/page", scheme="https", host="localhost")) as page:
            page.run("""
                window.counts = Array(100).fill(0); window.opened = 0;
                window.sources = counts.map((_, index) => {
                    const source = new EventSource('/events?' + index);
                    source.onopen = () => opened++;
                    source.onmessage = () => counts[index]++;
                    return source;
                });
                0
            """)
            page.wait_until("opened == 100")
            assert open_sockets(paged) == 1
            for _ in range(20):
                assert publish(paged.port, "x", tls=trusting)["subscribers"] == 100
            page.wait_until("counts.every(count => count == 20)")
            # There is room for other requests beside them.
            assert page.run("fetch('/').then(answer => answer.text())") == "ok"

    def test_a_page_publishes_beside_its_streams(self, paged, browser):
        with browser.open(paged.url("/page", scheme="https", host="localhost")) as page:
            page.run("window.got = []; window.source = new EventSource('/events'); 0")
            page.run("source.onmessage = event => got.push(event.data); 0")
            page.wait_until("source.readyState == 1")
            post = "fetch('/publish/t', {method: 'POST', body: '%d', headers: {'Content-Type': 'text/plain'}})"
            sent = ", ".join(post % number for number in range(50))
            assert page.run(f"Promise.all([{sent}]).then(all => all.every(answer => answer.ok))")
            page.wait_until("got.length == 50")
            assert sorted(map(int, page.run("got"))) == list(range(50))
            assert open_sockets(paged) == 1


class TestHosts:
    """A browser uses a connection for every name of its certificate, and must not for another."""

    @pytest.mark.parametrize(
        "asked, status",
        [("localhost", 200), ("a.test.example", 200), ("A.TEST.example:8443", 200), ("other.example", 421), ("test.example", 421), ("a.b.test.example", 421)],
    )  # fmt: skip
    def test_a_host_that_the_certificate_is_not_for_is_misdirected(self, start, authority, trusting, asked, status):
        gateway = start(settings(listeners=[authority.listener("localhost", "*.test.example")]))
        with Connection(gateway.port, tls=trusting) as connection:
            assert connection.request(authority=asked).status == status
            assert connection.request().status == 200

    def test_without_sni_nothing_was_promised(self, start, authority):
        gateway = start(settings(listeners=[authority.listener()]))
        context = ssl.create_default_context(cafile=authority.certificate)
        context.check_hostname = False
        with Connection(gateway.port, tls=context, server_name=None) as connection:
            assert connection.request(authority="other.example").status == 200


class TestStreams:
    def test_many_streams_on_one_connection_get_every_event(self, gateway):
        with connect(gateway.port) as connection:
            streams = [Stream(on=connection).opened() for _ in range(100)]
            for number in range(10):
                assert publish(gateway.port, str(number))["subscribers"] == 100
            for stream in streams:
                assert [event.data for event in stream.events(10)] == [str(number) for number in range(10)]

    def test_closing_one_leaves_the_others_and_is_seen_at_once(self, gateway):
        with connect(gateway.port) as connection:
            streams = [Stream(on=connection).opened() for _ in range(5)]
            for left in range(4, -1, -1):
                streams[left].close()
                # The RST_STREAM stands before this request on the same connection.
                answer = connection.request("POST", "/publish/t", TEXT, f"{left} left")
                assert json.loads(answer.body)["subscribers"] == left
                for stream in streams[:left]:
                    assert stream.next().data == f"{left} left"

    def test_requests_in_parallel_are_answered_each_with_its_own(self, gateway):
        with connect(gateway.port) as connection, Stream(gateway.port) as stream:
            stream.opened()
            exchanges = [connection.open("POST", f"/publish/t?event=e{number}", TEXT, str(number)) for number in range(100)]
            ids = [json.loads(exchange.response().body)["ids"][0] for exchange in reversed(exchanges)][::-1]
            events = stream.events(100)
            assert {event.id: (event.type, event.data) for event in events} == {
                given: (f"e{number}", str(number)) for number, given in enumerate(ids)
            }

    def test_bodies_that_come_in_turns_are_not_mixed(self, gateway):
        with connect(gateway.port) as connection, Stream(gateway.port) as stream:
            stream.opened()
            exchanges = [connection.open("POST", "/publish/t", TEXT, end=False) for _ in range(10)]
            for _ in range(20):
                for number, exchange in enumerate(exchanges):
                    exchange.send(str(number))
            for exchange in exchanges:
                exchange.send(b"", end=True)
                assert exchange.response().status == 200
            assert [event.data for event in stream.events(10)] == [str(number) * 20 for number in range(10)]

    def test_over_the_limit_a_stream_is_refused_and_may_come_again(self, start):
        gateway = start(settings(limits={"streams": 5}))
        with Wire(gateway.port) as wire:
            # One that has not seen the limit yet; who has is in error (RFC 9113, 5.1.2).
            wire.acknowledges = False
            for number in range(5):
                wire.send(wire.head(1 + 2 * number, get("/events")))
                assert wire.outcome(1 + 2 * number) == 200
            wire.send(wire.head(11))
            assert wire.outcome(11) == f"reset {REFUSED}"
            wire.send(wire.reset(3), wire.head(13, get("/events")))
            assert wire.outcome(13) == 200
            wire.send(wire.settings_answer(), wire.head(15))
            assert wire.outcome(15) == f"goaway {PROTOCOL}"

    def test_head_gets_the_fields_alone(self, gateway):
        with connect(gateway.port) as connection:
            for path, kind in (("/events", "text/event-stream"), ("/", "text/plain; charset=utf-8")):
                head = connection.open("HEAD", path)
                answer = head.response()
                assert (answer.status, answer["Content-Type"], answer.body) == (200, kind, b"")
                assert head.is_complete

    def test_a_post_subscribes_beside_the_answer_to_its_body(self, start):
        base = settings()
        base["routes"][0]["match"]["methods"] = ["GET", "POST"]
        gateway = start(base)
        with connect(gateway.port) as connection:
            exchange = connection.open("POST", "/events", {"Expect": "100-continue"}, end=False)
            assert exchange.head().status == 100
            exchange.send("{}", end=True)
            assert exchange.head().status == 200
            publish(gateway.port, "x")
            while b"data: x" not in exchange.piece():
                pass

    def test_100_continue_and_no_100_before_a_refusal(self, start):
        gateway = start(settings(limits={"publish_body": "1KiB"}))
        with connect(gateway.port) as connection:
            exchange = connection.open("POST", "/publish/t", {**TEXT, "Expect": "100-continue"}, end=False)
            assert exchange.head().status == 100
            exchange.send("wait", end=True)
            assert exchange.response().status == 200
            too_large = {**TEXT, "Expect": "100-continue", "Content-Length": "2000"}
            assert connection.open("POST", "/publish/t", too_large, end=False).head().status == 413

    def test_a_preflight_and_a_refusal_are_readable_by_a_page(self, start):
        base = settings()
        for route in base["routes"]:
            route["cors"] = {"origins": ["https://app.example"]}
        base["routes"][1]["auth"] = {"bearer": "token"}
        gateway = start(base)
        origin = {"Origin": "https://app.example"}
        with connect(gateway.port) as connection:
            asked = {**origin, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "last-event-id"}
            answer = connection.request("OPTIONS", "/events", asked)
            assert answer.status == 204
            assert answer["Content-Length"] is None
            assert "last-event-id" in answer["Access-Control-Allow-Headers"].lower()
            refused = connection.request("POST", "/publish/t", {**TEXT, **origin}, "x")
            assert refused.status == 401
            assert refused["WWW-Authenticate"].startswith("Bearer")
            assert refused["Access-Control-Allow-Origin"] == "https://app.example"
            let = {**TEXT, **origin, "Authorization": "Bearer token"}
            assert connection.request("POST", "/publish/t", let, "x").status == 200

    def test_no_field_of_an_http_1_1_connection_is_sent(self, gateway):
        with connect(gateway.port) as connection:
            answers = [
                connection.request(),
                connection.request(path="/nothing"),
                connection.request("DELETE", "/events"),
                connection.request("POST", "/publish/t", TEXT, "x"),
                connection.open(path="/events").head(),
                connection.request(fields={"X-Large": "x" * 65_000, "Y": "y" * 2000}),
            ]
            assert [answer.status for answer in answers] == [200, 404, 405, 200, 200, 431]
            for answer in answers:
                names = {name for name, _ in answer.fields}
                assert names == {name.lower() for name in names}
                assert not names & {"connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"}
                assert answer["Date"]


class TestBodies:
    @pytest.mark.parametrize("length", [None, "200000"])
    def test_a_body_over_the_limit_is_answered_and_the_connection_lives_on(self, start, length):
        gateway = start(settings(limits={"publish_body": "64KiB"}))
        with connect(gateway.port) as connection, Stream(on=connection).opened() as stream:
            for _ in range(30):
                fields = {**TEXT, **({"Content-Length": length} if length else {})}
                exchange = connection.open("POST", "/publish/t", fields, end=False)
                exchange.send("x" * 200_000)
                assert exchange.response().status == 413
                # RFC 9113, 8.1: the rest is not wanted, and nothing went wrong.
                connection.read_until(lambda: exchange.reset_code is not None)
                assert exchange.reset_code == 0
            assert connection.request("POST", "/publish/t", TEXT, "small").status == 200
            assert stream.next().data == "small"

    def test_a_body_that_nobody_reads_holds_up_nobody(self, gateway):
        with connect(gateway.port) as connection, Stream(on=connection).opened() as stream:
            exchange = connection.open("POST", "/", TEXT, end=False)
            assert exchange.response().body == b"ok"
            connection.read_until(lambda: exchange.reset_code is not None)
            assert exchange.reset_code == 0
            for _ in range(50):
                exchange = connection.open("POST", "/nothing", TEXT, "x" * 60_000)
                assert exchange.head().status == 404
            assert connection.request("POST", "/publish/t", TEXT, "x" * 500_000).status == 200
            assert len(stream.next().data) == 500_000

    def test_a_body_that_does_not_come_is_answered_408_and_the_others_live_on(self, start):
        gateway = start(settings(limits={"request_head_timeout": "300ms"}))
        with connect(gateway.port) as connection, Stream(on=connection).opened() as stream:
            exchange = connection.open("POST", "/publish/t", TEXT, end=False)
            exchange.send("half")
            assert exchange.response().status == 408
            assert connection.request("POST", "/publish/t", TEXT, "whole").status == 200
            assert stream.next().data == "whole"

    @pytest.mark.parametrize("cut", [-1, 12, 5])
    def test_a_head_that_drips_is_not_waited_for(self, start, cut):
        gateway = start(settings(limits={"request_head_timeout": "300ms"}))
        with Wire(gateway.port) as wire:
            wire.acknowledges = False
            head = wire.head(1)
            if cut < 0:
                wire.send(head[:4] + bytes([1]) + head[5:])  # Without END_HEADERS.
            else:
                wire.send(head[:cut])
                wire.socket.settimeout(0.1)
                for byte in head[cut:-1]:
                    try:
                        while wire.frame() is not None:
                            pass
                        break
                    except TimeoutError:
                        wire.send(bytes([byte]))
                wire.socket.settimeout(PATIENCE)
            assert wire.goaway() == CALM


class TestAddresses:
    def test_connections_of_an_address_are_counted_and_who_was_refused_may_come_again(self, start):
        gateway = start(settings(limits={"connections_per_address": 2}))
        first = [Stream(gateway.port).opened() for _ in range(2)]
        with Connection(gateway.port) as third:
            assert third.request().status == 503
            # Else it would stand there, refused for ever, and count.
            third.read_until(lambda: third.going)
            assert third.going[0].code == 0
            assert third.ended()
        for stream in first:
            stream.close()
        assert any(get_status(gateway) == 200 for _ in range(1000)), "who left makes room"

    def test_an_event_source_over_the_limit_is_told_to_come_back(self, start):
        gateway = start(settings(limits={"connections_per_address": 1}))
        with Stream(gateway.port).opened(), Stream(gateway.port) as second:
            retry = next(item for item in iter(second.item, None) if isinstance(item, Retry))
            assert 10_000 <= retry.milliseconds <= 60_000
            second.rest()
            assert second.ended == "clean"

    def test_behind_a_trusted_proxy_each_stream_counts_for_its_client(self, start):
        gateway = start(settings(limits={"connections_per_address": 2}, trusted_proxies=["127.0.0.0/8"]))
        with connect(gateway.port) as proxy:

            def stream(client):
                return Stream(on=proxy, fields={"X-Forwarded-For": client})

            crowd = [stream(f"203.0.113.{number}") for number in range(20)]
            same = [stream("203.0.113.200") for _ in range(3)]
            retries = [
                next(item for item in iter(each.item, None) if isinstance(item, Retry)).milliseconds >= 10_000
                for each in crowd + same
            ]
            assert retries == [False] * 22 + [True]
            same[0].close()
            again = stream("203.0.113.200")
            assert next(item for item in iter(again.item, None) if isinstance(item, Retry)).milliseconds <= 3000
            # The proxy's own connection is not given up for one client of it.
            assert not proxy.going


def get_status(gateway):
    try:
        with Connection(gateway.port) as connection:
            return connection.request().status
    except Closed:
        return None


def test_what_http_1_1_subscribes_http_2_publishes_and_the_other_way(gateway):
    with HTTP1(gateway.port) as old, connect(gateway.port) as new, Stream(on=old) as one, Stream(on=new) as two:
        one.opened(), two.opened()
        with HTTP1(gateway.port) as publisher:
            publisher.request("POST", "/publish/t", TEXT, "from the old")
        new.request("POST", "/publish/t", TEXT, "from the new")
        for stream in (one, two):
            assert [event.data for event in stream.events(2)] == ["from the old", "from the new"]
            assert not [item for item in stream._items if isinstance(item, Event)]


def test_the_bytes_of_a_stream_are_the_same_over_both(start):
    gateway = start(settings({"opening_id": "on", "retry": "0s", "heartbeat": 0}))
    ids = [publish(gateway.port, f"line\n{number}", query="?event=e")["ids"][0] for number in range(50)]
    raws = []
    for connection in (HTTP1(gateway.port), connect(gateway.port)):
        with connection, Stream(on=connection, last_id=ids[0]) as stream:
            stream.events(49)
            raws.append(stream.raw)
    assert raws[0] == raws[1]


def test_one_connection_is_used_by_threads_of_requests_for_long(gateway):
    """Stream numbers, tables and windows after thousands of exchanges."""
    with connect(gateway.port) as connection, Stream(on=connection).opened() as stream:
        for number in range(3000):
            answer = connection.request("POST", "/publish/t", {**TEXT, "X-Number": number}, str(number))
            assert json.loads(answer.body)["subscribers"] == 1
            assert stream.next().data == str(number)


def test_refused_streams_leave_nothing(gateway):
    with Wire(gateway.port) as wire:
        for number in range(1, 200, 2):
            wire.send(wire.head(number, post("/publish/t", ("content-type", "image/png"))))
            assert wire.outcome(number) == 415
        assert re.search(r"\bGOAWAY\b", gateway.log()) is None


def test_publishers_on_many_connections_and_streams_lose_nothing(start):
    gateway = start(settings(workers="2"))
    with Stream(gateway.port) as stream:
        stream.opened()

        def publisher(name):
            with connect(gateway.port) as connection:
                for start in range(0, 200, 20):
                    opened = [
                        connection.open("POST", "/publish/t", TEXT, f"{name} {number}") for number in range(start, start + 20)
                    ]
                    assert all(exchange.response().status == 200 for exchange in opened)

        threads = [threading.Thread(target=publisher, args=(name,)) for name in range(5)]
        for thread in threads:
            thread.start()
        seen = [event.data for event in stream.events(1000)]
        for thread in threads:
            thread.join()
        assert sorted(seen) == sorted(f"{name} {number}" for name in range(5) for number in range(200))
