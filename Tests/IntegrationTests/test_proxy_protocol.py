"""Listeners whose connections begin with a header of the PROXY protocol, which names the client."""

import pathlib
import shutil
import socket
import ssl
import subprocess

import pytest
from harness.client import connect
from harness.gateway import PATIENCE, free_ports, run, settings, write
from harness.proxied import ANSWER, goes_on, upstream  # noqa: F401
from harness.proxy_protocol import LOCAL, by_bytes, extension, v1, v2
from harness.sse import Retry, Stream

CLIENT, OTHER = "203.0.113.7", "2001:db8::7"
GET = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin")


@pytest.fixture
def gateway(start, upstream):
    """gateway(...) starts one that takes headers at its second port and passes requests on to the upstream."""

    def gateway(listener=None, **more):
        second = {"address": "127.0.0.1:0", "proxy_protocol": "on", **(listener or {})}
        base = settings(
            listeners=["127.0.0.1:0", second],
            trusted_proxies=["127.0.0.0/8", "192.0.2.0/24"],
            upstreams={"app": {"servers": f"http://127.0.0.1:{upstream.port}"}},
            routes=[
                {"match": "/ok", "respond": "ok"},
                {"match": "/events", "subscribe": "t"},
                {"match": {"path": "/mine", "client": [CLIENT, "2001:db8::/32"]}, "respond": "mine"},
                {"match": "/few", "respond": "few", "limits": {"rate": {"requests": "2", "per": "1h"}}},
                {"match": "/**", "proxy": "app"},
            ],
        )
        return start({**base, **more})

    return gateway


def told(gateway, upstream, first, fields=None, **more):
    """What an upstream is told of the client of a connection that begins so."""
    with connect(gateway.ports[1], first=first, **more) as connection:
        exchange = connection.open(fields=fields)
        served = upstream.accept()
        served.send(ANSWER)
        assert exchange.response().body == b"next"
        served.close()
    return served.fields.get("x-forwarded-for")


def closed(gateway, data):
    """What comes back before the gateway closes."""
    with socket.create_connection(("127.0.0.1", gateway.ports[1]), PATIENCE) as client:
        client.sendall(data)
        try:
            return client.recv(65536)
        except ConnectionError:
            return b""


def page(gateway, header, path="/ok"):
    with connect(gateway.ports[1], first=[header]) as connection:
        return connection.request(path=path)


NAMED = {
    "version 1": (v1(CLIENT), CLIENT),
    "version 1, IPv6": (v1(OTHER), OTHER),
    "version 2": (v2(CLIENT), CLIENT),
    "version 2, IPv6": (v2(OTHER), OTHER),
    "version 2 with extensions": (v2(CLIENT, extensions=extension(2, b"a.example") + extension(4, b"x" * 999)), CLIENT),
    "LOCAL": (LOCAL, "127.0.0.1"),
    "LOCAL with an address": (v2(CLIENT, command=0), "127.0.0.1"),
    "an unknown family": (v2(), "127.0.0.1"),
    "UNKNOWN": (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
    "UNKNOWN with an address": (b"PROXY UNKNOWN 1.1.1.1 1.1.1.1 1 1\r\n", "127.0.0.1"),
}


@pytest.mark.parametrize("name", NAMED)
def test_the_header_names_the_client(gateway, upstream, name):
    header, address = NAMED[name]
    running = gateway()
    assert told(running, upstream, [header]) == address
    assert told(running, upstream, by_bytes(header)) == address, "byte by byte"


@pytest.mark.parametrize("header", [v1(CLIENT), v2(CLIENT)], ids=["version 1", "version 2"])
def test_it_stands_before_tls(gateway, upstream, authority, trusting, header):
    running = gateway({"tls": authority.tls()})
    assert told(running, upstream, [header], tls=trusting) == CLIENT
    assert told(running, upstream, by_bytes(header), tls=trusting) == CLIENT


@pytest.mark.http1
def test_nothing_is_lost_of_what_comes_in_one_segment_with_it(gateway, authority, trusting):
    plain = gateway()
    with socket.create_connection(("127.0.0.1", plain.ports[1]), PATIENCE) as client:
        client.sendall(v2(CLIENT) + GET.replace(b"/", b"/mine", 1))
        assert b"mine" in client.makefile("rb").read()
    secure = gateway({"tls": authority.tls()})
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with socket.create_connection(("127.0.0.1", secure.ports[1]), PATIENCE) as client:
        before = v1(CLIENT)
        while True:
            try:
                session.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.sendall(before + outgoing.read())
                before = b""
                incoming.write(client.recv(65536))
        assert not before
        client.sendall(outgoing.read())


@pytest.mark.http1
def test_version_2_may_name_a_unix_socket(gateway, upstream):
    block = b"/run/client".ljust(216, b"\0")
    assert told(gateway(), upstream, [v2(family=0x31, extensions=block)]) is None


def test_what_the_client_says_is_believed_if_its_own_address_is_trusted(gateway, upstream):
    running = gateway()
    says = {"X-Forwarded-For": "198.51.100.1"}
    assert told(running, upstream, [v2(CLIENT)], says) == CLIENT
    assert told(running, upstream, [v2("192.0.2.9")], says) == "198.51.100.1, 192.0.2.9"
    assert told(running, upstream, [LOCAL], says) == "198.51.100.1, 127.0.0.1"


def test_routes_and_limits_look_at_that_address(gateway):
    running = gateway()
    assert page(running, v1(CLIENT), "/mine").body == b"mine"
    assert page(running, v2(OTHER), "/mine").body == b"mine"
    assert [page(running, v2(CLIENT), "/few").status for _ in range(3)] == [200, 200, 429]
    assert page(running, v2(OTHER), "/few").status == 200
    assert page(running, LOCAL, "/few").status == 200


def test_connections_are_counted_by_that_address(gateway):
    running = gateway(limits={"connections_per_address": 2})

    def stream(address):
        stream = Stream(running.ports[1], first=[v2(address)])
        return stream, next(item.milliseconds for item in iter(stream.item, None) if isinstance(item, Retry))

    mine = [stream(CLIENT) for _ in range(3)]
    assert [retry >= 10_000 for _, retry in mine] == [False, False, True]
    others = [stream(f"203.0.113.{number}") for number in range(20, 26)]
    assert all(retry <= 3000 for _, retry in others)
    for open, _ in mine + others:
        open.close()
    assert any(page(running, v2(CLIENT)).status == 200 for _ in range(1000)), "who left makes room"


@pytest.mark.http1
def test_the_log_names_the_client(gateway, authority):
    running = gateway({"tls": authority.tls()}, log={"level": "debug"})
    answer = closed(running, v1(CLIENT, 4321) + GET)
    assert b"HTTPS" in answer
    assert f"peer={CLIENT}:4321" in running.wait_for_log("TLS failed")


MALFORMED = {
    "HTTP": GET,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03",
    "an empty line": b"\r\n\r\n" + GET,
    "a port over 65535": v1(CLIENT, 65536),
    "no CR": v1(CLIENT).replace(b"\r", b""),
    "another family": v1(CLIENT).replace(b"TCP4", b"TCP6"),
    "two spaces": v1(CLIENT).replace(b" ", b"  ", 1),
    "a line too long": b"PROXY UNKNOWN " + b"x" * 200,
    "version 3": v2(CLIENT).replace(b"QUIT\n\x21", b"QUIT\n\x31"),
    "an unknown command": v2(CLIENT, command=2),
    "datagrams": v2(CLIENT, family=0x12),
    "too short": v2(CLIENT, family=0x21),
    "too long": v2(CLIENT, extensions=extension(4, b"x" * 5000)),
    "a broken extension": v2(CLIENT, extensions=b"\x04\xff\xff\x00"),
    "a wrong checksum": v2(CLIENT, extensions=extension(3, b"\0\0\0\0")),
}


@pytest.mark.http1
@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_header_is_closed_without_an_answer_and_logged(gateway, name):
    running = gateway()
    assert closed(running, MALFORMED[name] + GET) == b""
    assert "127.0.0.1" in running.wait_for_log("without a proper PROXY protocol header")


@pytest.mark.http1
@pytest.mark.parametrize("part", [v1(CLIENT)[:-1], v2(CLIENT)[:-1]], ids=["version 1", "version 2"])
def test_half_a_header_has_the_time_of_a_request_head_and_costs_nothing(gateway, part):
    running = gateway(limits={"request_head_timeout": "1s"})
    before = running.processor_seconds()
    assert closed(running, part) == b""
    assert "in time" in running.wait_for_log("PROXY protocol header")
    assert running.processor_seconds() - before < 0.2, "bytes that wait must not keep the loop awake"


@pytest.mark.http1
def test_who_only_looks_whether_somebody_listens_is_not_worth_a_line(gateway):
    running = gateway()
    for _ in range(3):
        socket.create_connection(("127.0.0.1", running.ports[1])).close()
    with socket.create_connection(("127.0.0.1", running.ports[1])) as client:
        client.sendall(b"PROXY")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    running.wait_for_log("ended within the header")
    assert running.log().count("PROXY protocol header") == 1


@pytest.mark.http1
def test_only_trusted_proxies_may_connect(gateway):
    running = gateway(trusted_proxies=["192.0.2.0/24"])
    for data in [v1(CLIENT) + GET, v2("192.0.2.1") + GET, LOCAL + GET, GET]:
        assert closed(running, data) == b""
    assert "127.0.0.1" in running.wait_for_log("trusted_proxies")


@pytest.mark.http1
def test_floods_of_them_are_not_floods_of_lines(gateway):
    running = gateway(trusted_proxies=["192.0.2.0/24"])
    for _ in range(200):
        assert closed(running, GET) == b""
    assert 1 <= running.log().count("turned away") <= 100


@pytest.mark.http1
def test_a_unix_socket_needs_no_trusted_proxies(start, tmp_path):
    path = tmp_path / "s"
    listeners = ["127.0.0.1:0", {"address": f"unix:{path}", "proxy_protocol": "on"}]
    routes = [{"match": "/ok", "respond": "ok"}, {"match": {"path": "/", "client": CLIENT}, "respond": "mine"}]
    start(settings(listeners=listeners, routes=routes), listeners=1)
    for header in [v1(CLIENT), v2(CLIENT)]:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(path))
            for piece in [*by_bytes(header), GET]:
                client.sendall(piece)
            assert client.makefile("rb").read().endswith(b"mine")


@pytest.mark.http1
def test_check_says_where_nobody_could_connect(tmp_path):
    text = 'listeners:\n  - ":0"\n  - address: ":0"\n    proxy_protocol: on\nroutes: [{match: /, respond: ok}]\n'
    done = run("check", write(tmp_path, text))
    assert done.returncode == 2
    assert "sluice.yaml:4:21" in done.stdout + done.stderr
    assert "listeners[1].proxy_protocol" in done.stdout + done.stderr


@pytest.fixture
def haproxy(tmp_path):
    """haproxy(to, how) passes connections on as HAProxy does; answers with its port."""
    processes = []

    def haproxy(to, how):
        (port,) = free_ports(1)
        path = pathlib.Path(tmp_path) / f"haproxy-{port}.cfg"
        path.write_text(
            f"""
            defaults
                mode tcp
                timeout connect 5s
                timeout client 30s
                timeout server 30s
            listen gateway
                bind 127.0.0.1:{port}
                server one 127.0.0.1:{to} source 127.0.0.1 {how}
            """.replace("\n            ", "\n")
        )
        processes.append(subprocess.Popen([HAPROXY, "-q", "-db", "-f", path]))
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return port
            except ConnectionRefusedError:
                assert processes[-1].poll() is None, "haproxy did not start"

    yield haproxy
    for process in processes:
        process.terminate()
        process.wait()


@pytest.mark.http1
@pytest.mark.skipif(not HAPROXY, reason="haproxy is not there")
@pytest.mark.parametrize(
    "how",
    ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id", "send-proxy-v2 check inter 50ms"],
)
def test_haproxy_names_its_clients(gateway, haproxy, how):
    routes = [{"match": "/ok", "respond": "ok"}, {"match": {"path": "/mine", "client": "127.0.0.9"}, "respond": "mine"}]
    running = gateway(trusted_proxies=["127.0.0.1"], routes=routes)
    port = haproxy(running.ports[1], how)
    with socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=("127.0.0.9", 0)) as client:
        client.sendall(GET.replace(b"/", b"/mine", 1))
        assert client.makefile("rb").read().endswith(b"\r\n\r\nmine")
    with socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=("127.0.0.8", 0)) as client:
        client.sendall(GET.replace(b"/", b"/mine", 1))
        assert client.makefile("rb").read().startswith(b"HTTP/1.1 404")
    assert "PROXY protocol header" not in running.log()
