"""Where clients come from: unix sockets, IPv6, trusted proxies, and limits for each address."""

import subprocess

from harness.gateway import settings
from harness.raw import Connection, ask, request
from harness.sse import Stream

LIMITED = {"connections_per_address": 2}


def first_line(gateway, path="/events", **fields):
    """The first line of a stream's body: `retry: N`."""
    connection = Connection(gateway.port)
    connection.send(request("GET", path, {"Accept": "text/event-stream", **fields}))
    head = connection.head()
    while b"retry: " not in connection.buffer or b"\n" not in connection.buffer.split(b"retry: ")[1]:
        connection.fill()
    return connection, head.status, int(connection.buffer.split(b"retry: ")[1].split(b"\n")[0].strip())


def test_a_unix_socket_serves_all_workers_clients_and_goes_with_the_gateway(start, tmp_path):
    path = tmp_path / "sluice.sock"
    gateway = start(settings(listeners=["127.0.0.1:0", f"unix:{path}"], workers="2"), listeners=1)
    for _ in range(20):
        done = subprocess.run(
            ["curl", "-sS", "--unix-socket", path, "http://localhost/"], capture_output=True, text=True, check=True
        )
        assert done.stdout == "ok"
    gateway.stop()
    assert not path.exists()


def test_ipv6_serves(start):
    gateway = start(settings(listeners=["[::1]:0"]))
    assert ask(gateway.port, host="::1").body == b"ok"


def test_one_address_has_no_more_connections_than_it_may_and_an_event_source_comes_back_later(start):
    gateway = start(settings(limits=LIMITED))
    streams = [Stream(gateway.port).opened() for _ in range(2)]
    third, status, retry = first_line(gateway)
    assert status == 200, "an EventSource dies for good on a 503"
    assert 10_000 <= retry <= 60_000
    assert b"0\r\n\r\n" in third.rest() or third.ended()
    refused = ask(gateway.port)
    assert refused.status == 503
    assert 10 <= int(refused["Retry-After"]) <= 60
    for stream in streams:
        stream.close()
    assert any(ask(gateway.port).status == 200 for _ in range(1000)), "who left makes room"


def test_the_status_itself_can_be_asked_for(start):
    gateway = start(settings(limits={**LIMITED, "on_limit": "status"}))
    streams = [Stream(gateway.port).opened() for _ in range(2)]
    assert ask(gateway.port, path="/events", fields={"Accept": "text/event-stream"}).status == 503
    for stream in streams:
        stream.close()


def test_behind_a_trusted_proxy_the_client_that_it_names_is_counted(start):
    gateway = start(settings(limits=LIMITED, trusted_proxies=["127.0.0.0/8"]))
    crowd = [first_line(gateway, **{"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(6)]
    assert all(retry <= 3000 for _, _, retry in crowd), "six clients, one connection each"
    same = [first_line(gateway, **{"X-Forwarded-For": "203.0.113.200"}) for _ in range(3)]
    assert [retry >= 10_000 for _, _, retry in same] == [False, False, True]
    for connection, _, _ in crowd + same:
        connection.close()


def test_a_client_that_is_no_trusted_proxy_cannot_name_another(start):
    gateway = start(settings(limits=LIMITED, trusted_proxies=["192.0.2.0/24"]))
    crowd = [first_line(gateway, **{"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(3)]
    assert [retry >= 10_000 for _, _, retry in crowd] == [False, False, True]
    for connection, _, _ in crowd:
        connection.close()
