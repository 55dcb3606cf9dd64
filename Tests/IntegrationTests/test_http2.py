"""HTTP/2 as clients of every kind see it: which protocol is chosen, browsers and command lines, hosts."""

import json
import socket
import ssl
import subprocess

import httpx
import pytest
from harness.client import publish
from harness.frames import PREFACE
from harness.gateway import PATIENCE, settings
from harness.http2 import Connection
from harness.raw import Connection as HTTP1
from harness.sse import Stream
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

    @pytest.mark.parametrize(
        "offered, chosen",
        [(["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), ([], None)],
    )
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
