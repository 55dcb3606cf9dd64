"""What a server's failure costs: kept connections that went stale, further attempts, and whose fault it is."""

import os
import signal
import socket
from collections import Counter
from concurrent.futures import as_completed

import pytest
from harness.client import ask, connect
from harness.gateway import PATIENCE, free_ports
from harness.pool import answers, many, pool, serve  # noqa: F401
from harness.proxied import ANSWER, expect_nobody, goes_on, proxy, upstream  # noqa: F401


def url(port):
    return f"http://127.0.0.1:{port}"


class TestKeptConnections:
    def test_the_servers_word_on_how_long_it_keeps_them_is_obeyed(self, proxy, upstream):
        gateway = proxy(keep_alive={"idle": "1h"})
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=1, max=100\r\nContent-Length: 4\r\n\r\nnext")
            assert exchange.response().body == b"next"
            assert served.ended()

    def test_a_server_that_closes_them_costs_no_get(self, pool, serve):
        server = serve("a")
        server.closes = True
        gateway = pool([server], retries=0)
        with connect(gateway.port) as connection:
            for _ in range(100):
                assert connection.request().status == 200

    def test_a_close_before_a_post_is_noticed_in_time(self, proxy, upstream):
        gateway = proxy(retries=0)
        with connect(gateway.port) as connection:
            for number in range(20):
                exchange = connection.open("POST", f"/{number}", None, b"hello")
                served = upstream.accept()
                assert served.line == f"POST /{number} HTTP/1.1" and served.exactly(5) == b"hello"
                served.send(ANSWER)
                assert exchange.response().body == b"next"
                served.close()

    def test_a_close_in_the_same_moment_as_a_post_is_noticed_too(self, proxy, upstream):
        gateway = proxy(retries=0)
        with connect(gateway.port) as connection:
            exchange = connection.open()
            kept = upstream.accept()
            kept.send(ANSWER)
            assert exchange.response().body == b"next"
            os.kill(gateway.pid, signal.SIGSTOP)
            os.waitid(os.P_PID, gateway.pid, os.WSTOPPED)
            exchange = connection.open("POST", "/post", None, b"hello")
            kept.close()
            os.kill(gateway.pid, signal.SIGCONT)
            served = upstream.accept()
            assert served.line == "POST /post HTTP/1.1" and served.exactly(5) == b"hello"
            served.send(ANSWER)
            assert exchange.response().body == b"next"

    @pytest.mark.parametrize("method", ["GET", "PUT"])
    def test_a_stale_one_is_no_attempt_and_no_fault(self, proxy, upstream, method):
        gateway = proxy(retries=0, passive={"failures": 1, "for": "1h"})
        with connect(gateway.port) as connection:
            exchange = connection.open()
            kept = upstream.accept()
            kept.send(ANSWER)
            assert exchange.response().body == b"next"
            # The request is on its way before the server closes.
            exchange = connection.open(method, "/second")
            assert kept.until(b"\r\n\r\n").startswith(method.encode())
            kept.close()
            served = upstream.accept()
            assert served.line == f"{method} /second HTTP/1.1"
            served.send(ANSWER)
            assert exchange.response().body == b"next"

    def test_a_post_that_was_sent_is_not_sent_again(self, proxy, upstream):
        gateway = proxy(retries=5)
        with connect(gateway.port) as connection:
            exchange = connection.open()
            kept = upstream.accept()
            kept.send(ANSWER)
            assert exchange.response().body == b"next"
            exchange = connection.open("POST", "/second", None, b"x")
            kept.until(b"\r\n\r\n")
            kept.close()
            assert exchange.response().status == 502
        expect_nobody(upstream)


class TestRetries:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_another_server_serves_what_the_first_refuses(self, pool, serve, method):
        server = serve("a")
        gateway = pool([url(free_ports(1)[0]), server, url(free_ports(1)[0])])
        for number in range(9):
            body = b"%d" % number if method == "POST" else None
            assert ask(gateway.port, method, f"/{number}", None, body).body == b"a"
        assert [path for _, path, _ in server.seen] == [f"/{number}" for number in range(9)]

    def test_a_get_that_is_reset_before_its_answer_goes_to_another(self, pool, serve, upstream):
        server = serve("a")
        gateway = pool([url(upstream.port), server], retries=1)
        with connect(gateway.port) as connection:
            exchange = connection.open(path="/once")
            upstream.accept().reset()
            assert exchange.response().body == b"a"
        expect_nobody(upstream)
        assert server.asked("/once") == 1

    def test_a_post_that_is_reset_does_not(self, pool, serve, upstream):
        server = serve("a")
        gateway = pool([url(upstream.port), server], retries=1)
        with connect(gateway.port) as connection:
            exchange = connection.open("POST", "/once", None, b"x")
            upstream.accept().reset()
            assert exchange.response().status == 502
        assert server.asked() == 0

    def test_what_was_begun_to_be_answered_is_not_tried_again(self, pool, serve, upstream):
        server = serve("a")
        gateway = pool([url(upstream.port), server], retries=5)
        with connect(gateway.port) as connection:
            exchange = connection.open()
            served = upstream.accept()
            served.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nne")
            assert exchange.head().status == 200
            served.reset()
        assert server.asked() == 0

    def test_when_nobody_is_there_the_answer_says_so_however_often(self, pool):
        gateway = pool([url(port) for port in free_ports(2)], passive={"failures": 1, "for": "1h"})
        for _ in range(5):
            response = ask(gateway.port)
            assert response.status == 502 and "the upstream cannot be connected to" in response.text

    def test_a_lone_server_serves_as_soon_as_it_is_back(self, pool, serve):
        (port,) = free_ports(1)
        gateway = pool([url(port)], passive={"failures": 1, "for": "1h"})
        assert [ask(gateway.port).status for _ in range(3)] == [502] * 3
        serve("a", port=port)
        assert answers(gateway.port, 3) == ["a"] * 3

    def test_who_waits_is_served_when_an_ejection_ends(self, pool, serve):
        (port,) = free_ports(1)
        gateway = pool(
            [url(port), a := serve("a")],
            workers=2,
            connections=1,
            passive={"failures": 1, "for": "500ms"},
            queue={"timeout": "1h"},
        )
        assert ask(gateway.port).body == b"a"
        serve("b", port=port)
        a.hold()
        held = many(gateway.port, ["/"] * 2)
        # The one that waits is woken by the time alone.
        assert next(as_completed(held, timeout=PATIENCE)).result().body == b"b"
        a.release()
        assert {each.result().body for each in held} == {b"a", b"b"}


@pytest.mark.http1
def test_without_a_descriptor_left_the_answer_is_503_and_no_server_is_blamed(pool, serve):
    a, b = servers = serve("a", "b")
    most = 64
    gateway = pool(
        servers,
        descriptors=most,
        more={"limits": {"connections": 1000}},
        balance="hash",
        hash={"header": "X-User"},
        passive={"failures": 1, "for": "1h"},
        retries=0,
    )
    clients = [connect(gateway.port) for _ in range((most - gateway.descriptors()) * 2 // 3)]
    for client in clients:
        assert client.request(path="/ok").status == 200
    # All want the same server, so that what it is blamed for would send them to the other.
    mine = next(each for each in ({"X-User": key} for key in "abcdefgh") if ask(gateway.port, fields=each).body == b"a")
    a.hold()
    exchanges = [client.open(fields=mine) for client in clients]
    # The last was looked at before the server answers the first.
    assert clients[-1].fill()
    a.release()
    responses = [exchange.response() for exchange in exchanges]
    assert {response.status for response in responses} == {200, 503}
    assert all("Too many open files" in each.text for each in responses if each.status == 503)
    failures = [line for line in gateway.lines if "upstream failed" in line]
    assert failures and all(f":{a.port}" in line for line in failures)
    for client in clients:
        client.close()


@pytest.mark.http1
def test_without_a_descriptor_left_checks_say_nothing_of_a_server(pool, serve):
    server = serve("a")
    server.statuses["/healthz"] = 200
    most = 64
    check = {"path": "/healthz", "every": "100ms", "fall": 1, "rise": 1}
    gateway = pool([server], descriptors=most, more={"limits": {"connections": 1000}}, health_check=check)
    server.wait_for_checks("/healthz", 1)
    clients = []
    while gateway.log().count("a health check could not be made") < 2:
        # A check that ends leaves a descriptor, which a client takes before the next one.
        if gateway.descriptors() < most:
            clients.append(socket.create_connection(("127.0.0.1", gateway.port)))
    for client in clients:
        client.close()
    server.wait_for_checks("/healthz", 1)
    assert "health check failed" not in gateway.log()
    assert answers(gateway.port, 2) == ["a"] * 2
