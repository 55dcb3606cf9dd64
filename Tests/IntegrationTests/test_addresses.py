"""Where clients come from: unix sockets, IPv6, trusted proxies, and limits for each address."""

import subprocess

from harness.client import ask
from harness.gateway import settings
from harness.sse import Retry, Stream

LIMITED = {"connections_per_address": 2}


def first_retry(gateway, **fields):
    """A stream and its first line, `retry: N`."""
    stream = Stream(gateway.port, fields=fields)
    return stream, next(item.milliseconds for item in iter(stream.item, None) if isinstance(item, Retry))


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
    third, retry = first_retry(gateway)
    assert third.head.status == 200, "an EventSource dies for good on a 503"
    assert 10_000 <= retry <= 60_000
    third.rest()
    assert third.ended == "clean"
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
    crowd = [first_retry(gateway, **{"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(6)]
    assert all(retry <= 3000 for _, retry in crowd), "six clients, one connection each"
    same = [first_retry(gateway, **{"X-Forwarded-For": "203.0.113.200"}) for _ in range(3)]
    assert [retry >= 10_000 for _, retry in same] == [False, False, True]
    for stream, _ in crowd + same:
        stream.close()


def test_a_client_that_is_no_trusted_proxy_cannot_name_another(start):
    gateway = start(settings(limits=LIMITED, trusted_proxies=["192.0.2.0/24"]))
    crowd = [first_retry(gateway, **{"X-Forwarded-For": f"203.0.113.{number}"}) for number in range(3)]
    assert [retry >= 10_000 for _, retry in crowd] == [False, False, True]
    for stream, _ in crowd:
        stream.close()
