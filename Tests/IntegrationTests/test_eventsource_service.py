"""Examples/EventSourceService: the library's client, driven as other projects' contract tests drive theirs."""

import json

import pytest
from harness.client import ask
from harness.contract import Contract
from harness.examples import build
from harness.upstream import Scripted

pytestmark = pytest.mark.http1

CAPABILITIES = {
    "bom", "comments", "headers", "last-event-id", "post", "read-timeout", "report", "restart",
    "server-directed-shutdown-request",
}  # fmt: skip


@pytest.fixture(scope="session")
def program():
    return build("EventSourceService")


@pytest.fixture
def service(program, example):
    return example("EventSourceService", "127.0.0.1:0")


@pytest.fixture
def contract(service):
    contract = Contract(service.port)
    yield contract
    contract.close()


@pytest.fixture
def upstream():
    upstream = Scripted()
    yield upstream
    upstream.close()


@pytest.mark.timeout(1000)
def test_it_builds(program):
    assert program


def test_it_tells_what_it_can_do(service):
    response = ask(service.port)
    assert response.status == 200
    assert set(json.loads(response.body)["capabilities"]) == CAPABILITIES


def test_the_request_is_that_of_the_standard(contract, upstream):
    contract.start(upstream.url)
    exchange = upstream.accept()
    assert exchange.line == "GET /feed HTTP/1.1"
    assert exchange.fields["accept"] == "text/event-stream"
    assert exchange.fields["cache-control"] == "no-cache"
    assert "last-event-id" not in exchange.fields
    exchange.close()


def test_events_are_reported_in_order_with_the_id_that_persists(contract, upstream):
    client = contract.start(upstream.url, method=None, headers=None, body=None, lastEventId=None, readTimeoutMs=None)
    exchange = upstream.accept()
    exchange.stream(b"data: plain\n\nid: 1\nevent: greeting\ndata: a\ndata: \xc3\xbc\n\ndata: later\n\nid\ndata: none\n\n")
    assert client.event() == ("message", "plain", "")
    assert client.event() == ("greeting", "a\nü", "1")
    assert client.event() == ("message", "later", "1")
    assert client.event() == ("message", "none", "")
    for number in range(200):
        exchange.send(b"data: %d\n\n" % number)
    assert [client.event()[1] for _ in range(200)] == [str(number) for number in range(200)]
    exchange.close()


def test_bom(contract, upstream):
    client = contract.start(upstream.url)
    exchange = upstream.accept()
    exchange.stream(b"\xef\xbb")
    exchange.send(b"\xbfdata: first\n\n\xef\xbb\xbfdata: hidden\n\ndata: last\n\n")
    assert [client.event()[1] for _ in range(2)] == ["first", "last"]
    exchange.close()


def test_comments(contract, upstream):
    client = contract.start(upstream.url)
    exchange = upstream.accept()
    exchange.stream(b":Hello\n:\n: World\ndata: x\n\n:after\n")
    assert [client.comment() for _ in range(3)] == ["Hello", "", " World"]
    assert client.event()[1] == "x"
    assert client.comment() == "after"
    exchange.close()


@pytest.mark.parametrize("method", ["POST", "REPORT"])
def test_post_report_headers_and_a_first_id_again_after_a_cut(contract, upstream, method):
    body = '{"hello": "wörld"}'
    headers = {"content-type": "application/json; charset=utf-8", "x-one": "1"}
    client = contract.start(upstream.url, method=method, body=body, headers=headers, lastEventId="abc")
    for _ in range(2):
        exchange = upstream.accept()
        assert exchange.line == f"{method} /feed HTTP/1.1"
        assert exchange.fields["content-type"] == "application/json; charset=utf-8"
        assert exchange.fields["x-one"] == "1"
        assert exchange.fields["last-event-id"] == "abc"
        assert exchange.exactly(int(exchange.fields["content-length"])).decode() == body
        exchange.stream(b"data: got it\n\n")
        assert client.event() == ("message", "got it", "abc")
        exchange.close()
        assert client.error()


def test_read_timeout(contract, upstream):
    client = contract.start(upstream.url, readTimeoutMs=500)
    exchange = upstream.accept()
    exchange.stream(b"data: Hello\n\n")
    assert client.event()[1] == "Hello"
    assert "500 ms" in client.error()
    upstream.accept().close()


def test_restart_and_the_last_id_that_came(contract, upstream):
    client = contract.start(upstream.url)
    first = upstream.accept()
    first.stream(b"id: abc\ndata: Hello\n\ndata: World\n\n")
    assert [client.event()[2] for _ in range(2)] == ["abc", "abc"]
    client.restart()
    second = upstream.accept()
    assert second.fields["last-event-id"] == "abc"
    assert first.ended()
    second.stream(b"data: Thanks\n\n")
    assert client.event()[1] == "Thanks"
    second.close()


def test_the_servers_wish_to_end_is_obeyed(contract, upstream):
    client = contract.start(upstream.url)
    upstream.accept().answer("204 No Content")
    assert "204" in client.error()
    # It did not come again: the next one to come is another client.
    other = contract.start(upstream.url + "?other")
    exchange = upstream.accept()
    assert exchange.line == "GET /feed?other HTTP/1.1"
    exchange.stream(b"data: x\n\n")
    assert other.event()[1] == "x"
    exchange.close()


@pytest.mark.parametrize("status", ["500 Oops", "503 Unavailable"])
def test_errors_are_reported_and_tried_again(contract, upstream, status):
    client = contract.start(upstream.url)
    upstream.accept().answer(status)
    assert status.split()[0] in client.error()
    exchange = upstream.accept()
    exchange.stream(b"data: back\n\n")
    assert client.event()[1] == "back"
    exchange.close()


def test_a_large_event_comes_whole(contract, upstream):
    client = contract.start(upstream.url)
    exchange = upstream.accept()
    data = "0123456789" * 1_000_000
    exchange.stream(b"data: " + data.encode() + b"\n\n")
    assert client.event()[1] == data
    exchange.close()


def test_a_deleted_client_leaves(contract, upstream):
    client = contract.start(upstream.url)
    exchange = upstream.accept()
    exchange.stream(b"data: x\n\n")
    client.event()
    assert client.delete() == 204
    assert exchange.ended()
    assert client.delete() == 404
    assert contract.post(client.location, {"command": "restart"}).status == 404


@pytest.mark.parametrize(
    "order",
    [
        "", "{", "[]", "{}", {"streamUrl": "http://localhost/"}, {"streamUrl": "nowhere", "callbackUrl": "http://h/"},
        {"streamUrl": "http://localhost/", "callbackUrl": "http://h/", "method": "two words"},
        {"streamUrl": "http://localhost/", "callbackUrl": "http://h/", "headers": {"a b": "c"}},
        {"streamUrl": "http://localhost/", "callbackUrl": "http://h/", "initialDelayMs": "soon"},
    ],
)  # fmt: skip
def test_an_order_that_makes_no_sense_is_refused(contract, order):
    assert contract.post("/", order).status == 400


def test_a_command_that_is_not_known_is_refused(contract, upstream):
    client = contract.start(upstream.url)
    upstream.accept().close()
    assert contract.post(client.location, {"command": "dance"}).status == 400


def test_delete_ends_the_service(service):
    assert ask(service.port, "DELETE").status == 204
    assert service.wait() == 0
    service.expect_no_crash()
