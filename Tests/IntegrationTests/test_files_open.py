"""How many static files are open at once: some descriptors stay for everything else, some seats for other clients."""

import contextlib

import pytest
from harness.client import ask, connect
from harness.raw import Closed
from harness.site import LETTERS, closes, get, large, open_files, serve, site  # noqa: F401


def test_open_files_leave_descriptors_for_others(serve, site, protocol):
    gateway = serve(descriptors=256, trusted_proxies=["127.0.0.1"])
    path = large(site, 50)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(gateway.port, receive_buffer=4096)) for _ in range(80)]
        if protocol == "h2":
            del connections[8:]
        # Eighty files, of which no client reads more than the beginning: a quarter of the descriptors is 64.
        clients = [(connections[number % len(connections)], number // 10) for number in range(80)]
        opened = [
            client.open(path="/static/large.bin", fields={"X-Forwarded-For": f"192.0.2.{number}"})
            for client, number in clients
        ]
        heads = [exchange.head() for exchange in opened]
        assert [head.status for head in heads].count(503) == 16
        assert {head["Retry-After"] for head in heads} == {None, "1"}
        assert open_files(gateway, path) == 64
        assert get(gateway, "/ok").status == 200
    assert closes(gateway, path)
    assert get(gateway, "/static/letters.txt").status == 200


def test_one_client_leaves_files_for_others(serve, site, protocol):
    gateway = serve(descriptors=256, trusted_proxies=["127.0.0.1"])
    path = large(site, 50)
    mine, other = ({"X-Forwarded-For": f"192.0.2.{number}"} for number in (1, 2))
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(connect(gateway.port, receive_buffer=4096)) for _ in range(20)]
        if protocol == "h2":
            del connections[1:]
        opened = [connections[n % len(connections)].open(path="/static/large.bin", fields=mine) for n in range(20)]
        heads = [exchange.head() for exchange in opened]
        # A quarter of the 64 that there are for all.
        assert [head.status for head in heads].count(503) == 4
        assert closes(gateway, path, but=16) and open_files(gateway, path) == 16
        # What is read at once is there for everybody, and all is for others.
        assert ask(gateway.port, path="/static/letters.txt", fields=mine).body == LETTERS
        with connect(gateway.port) as connection:
            assert connection.open(path="/static/large.bin", fields=other).head().status == 200
    assert closes(gateway, path)
    assert ask(gateway.port, path="/static/large.bin", fields={**mine, "Range": "bytes=-40000"}).status == 206


@pytest.mark.h2
def test_small_files_that_nobody_takes_stay_open_for_nobody(serve, site):
    gateway = serve(descriptors=256)
    (site / "small.js").write_bytes(b"x" * 5000)
    with connect(gateway.port, window=0) as connection:
        opened = [connection.open(path="/static/small.js") for _ in range(100)]
        assert {exchange.head().status for exchange in opened} == {200}
        assert closes(gateway, site / "small.js")
        assert get(gateway, "/static/small.js").body == b"x" * 5000
        connection.window(streams=5000)
        connection.gives_back = "at once"
        assert {b"".join(iter(exchange.piece, None)) for exchange in opened} == {b"x" * 5000}


@pytest.mark.h2
def test_what_waits_for_a_client_is_bounded(serve, site):
    gateway = serve(descriptors=256)
    path = site / "small.bin"
    path.write_bytes(b"x" * 30_000)
    with connect(gateway.port, window=0) as connection:
        opened = [connection.open(path="/static/small.bin") for _ in range(40)]
        statuses = [exchange.head().status for exchange in opened]
        # 17 fit into 512 KiB, and 16 may be open; the others are refused.
        assert closes(gateway, path, but=16) and open_files(gateway, path) == 16
        refused = statuses.count(503) + sum(exchange.reset_code is not None for exchange in opened)
        assert refused == 40 - 17 - 16
        assert get(gateway, "/static/small.bin").body == b"x" * 30_000
    assert closes(gateway, path)


def test_without_descriptors_left_it_is_503_until_there_are(serve):
    gateway = serve(descriptors=64, limits={"connections": 1000}, workers=1)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(gateway.port))]
        assert clients[0].request(path="/static/letters.txt").status == 200
        with contextlib.suppress(Closed, OSError):
            while len(clients) < 65:
                clients.append(stack.enter_context(connect(gateway.port)))
                assert clients[-1].request(path="/ok").body == b"ok"
        # The last one was turned away: the others took all that was left.
        assert 10 < len(clients) < 65
        response = clients[0].request(path="/static/letters.txt")
        assert (response.status, response["Retry-After"]) == (503, "1")
        gateway.wait_for_log("a file cannot be read")
        for client in clients[1:]:
            client.close()
        statuses = (clients[0].request(path="/static/letters.txt").status for _ in range(1000))
        assert 200 in statuses
