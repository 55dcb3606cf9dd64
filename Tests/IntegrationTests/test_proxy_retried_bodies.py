"""A request with a body that is tried again: its bytes stand behind its head, whole, at whichever attempt."""

import os
import signal

import pytest
from harness.client import ask, connect
from harness.proxied import ANSWER, goes_on, proxy, upstream  # noqa: F401

pytestmark = pytest.mark.http1

BODY = b"GET /inner HTTP/1.1\r\nHost: inner\r\n\r\n"
HEAD = b"PUT /outer HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(BODY)


def expect_whole(served):
    assert served.line == "PUT /outer HTTP/1.1"
    assert served.exactly(len(BODY)) == BODY
    served.send(ANSWER)


def test_a_body_that_comes_while_the_next_attempt_connects_waits(proxy, upstream):
    gateway = proxy()
    with connect(gateway.port) as client:
        client.send(HEAD)
        first = upstream.accept()
        # The gateway finds both in one turn: the end of the first connection, then the body.
        os.kill(gateway.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, gateway.pid, os.WSTOPPED)
        first.close()
        client.send(BODY)
        os.kill(gateway.pid, signal.SIGCONT)
        expect_whole(upstream.accept())
        assert client.response().body == b"next"


def test_a_body_that_comes_while_the_next_attempt_queues_waits(proxy, upstream):
    gateway = proxy(connections=1, top={"workers": 1})
    with connect(gateway.port) as client, connect(gateway.port) as other:
        client.send(HEAD)
        first = upstream.accept()
        other.send(b"GET /other HTTP/1.1\r\nHost: a\r\n\r\n")
        assert ask(gateway.port, path="/ok").body == b"ok"
        first.close()
        # Who stood in the queue before is served first.
        served = upstream.accept()
        assert served.line == "GET /other HTTP/1.1"
        client.send(BODY)
        assert ask(gateway.port, path="/ok").body == b"ok"
        served.send(ANSWER)
        assert other.response().body == b"next"
        expect_whole(upstream.accept())
        assert client.response().body == b"next"


def test_an_empty_body_ends_at_every_attempt(proxy, upstream):
    gateway = proxy()
    with connect(gateway.port) as client:
        client.send(b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        upstream.accept().close()
        served = upstream.accept()
        assert served.exactly(5) == b"0\r\n\r\n"
        served.send(ANSWER)
        assert client.response().body == b"next"
