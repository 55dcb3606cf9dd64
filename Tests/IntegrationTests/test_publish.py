"""Publishing one event by POST: text, its query, who may do it, and limits."""

import json
import subprocess

import pytest
from harness.client import ask, publish
from harness.gateway import settings
from harness.raw import Connection, request
from harness.sse import Stream

TEXT = {"Content-Type": "text/plain"}


def test_the_answer_names_the_id_and_counts_the_subscribers(gateway):
    assert publish(gateway.port, "nobody")["subscribers"] == 0
    with Stream(gateway.port) as one, Stream(gateway.port) as two:
        one.opened(), two.opened()
        response = ask(gateway.port, "POST", "/publish/t", TEXT, "hello")
        assert response["Content-Type"].startswith("application/json")
        answer = json.loads(response.body)
        assert answer["subscribers"] == 2
        event = one.next()
        assert [event.id] == answer["ids"]
        assert event.data == "hello"
        assert two.next() == event


@pytest.mark.parametrize(
    "kind", ["text/plain", "text/plain; charset=utf-8", "TEXT/PLAIN", "application/x-www-form-urlencoded"]
)
def test_the_body_is_the_data_as_it_came(gateway, kind):
    with Stream(gateway.port) as stream:
        stream.opened()
        publish(gateway.port, "a=b&c=%20 ü", fields={"Content-Type": kind})
        assert stream.next().data == "a=b&c=%20 ü"


def test_curl_publishes_with_its_defaults(gateway):
    with Stream(gateway.port) as stream:
        stream.opened()
        done = subprocess.run(
            ["curl", "-sS", "-d", "hello", gateway.url("/publish/t")], capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)["subscribers"] == 1
        assert stream.next().data == "hello"


@pytest.mark.parametrize("data", ["a\nb", "a\rb", "a\r\nb", "a\n\nevent: x", "a\r\rid: 1", "\n", "a\n"])
def test_no_line_end_in_the_data_can_inject_a_field(gateway, data):
    with Stream(gateway.port) as stream:
        stream.opened()
        publish(gateway.port, data)
        event = stream.next()
        assert event.data == data.replace("\r\n", "\n").replace("\r", "\n")
        assert event.type == "message"


def test_an_empty_body_is_an_event_with_empty_data(gateway):
    with Stream(gateway.port) as stream:
        stream.opened()
        publish(gateway.port, "")
        publish(gateway.port, "next")
        assert [event.data for event in stream.events(2)] == ["", "next"]


def test_the_type_comes_from_the_query(gateway):
    with Stream(gateway.port) as stream:
        stream.opened()
        publish(gateway.port, "x", query="?event=price%20change")
        assert stream.next().type == "price change"


@pytest.mark.parametrize(
    "query", ["?event=a%0Ab", "?event=a%0D", "?id=a%0Ab", "?id=a%00", "?event=%00", "?event=%FF", "?id=%C3%28", "?id=" + "x" * 5000]
)
def test_a_line_end_a_nul_or_bad_utf8_in_a_field_is_refused(start, query):
    gateway = start(settings({"ids": "upstream"}))
    response = ask(gateway.port, "POST", "/publish/t" + query, TEXT, "x")
    assert response.status == 400
    assert response.text.strip()


@pytest.mark.parametrize("data", [b"\xff", b"a\xc3", b"\xed\xa0\x80", b"\xc0\x80"])
def test_data_that_is_not_utf8_is_refused(gateway, data):
    assert ask(gateway.port, "POST", "/publish/t", TEXT, data).status == 400


def test_an_event_stands_in_the_log_before_it_is_answered(gateway):
    for number in range(20):
        publish(gateway.port, str(number))
    with Stream(gateway.port) as stream:
        position = stream.head["Last-Event-ID"]
    answer = publish(gateway.port, "last")
    with Stream(gateway.port, last_id=position) as stream:
        assert stream.next().id == answer["ids"][0]


@pytest.mark.http1
def test_a_chunked_body_and_one_that_waits_for_100_are_taken(gateway):
    with Stream(gateway.port) as stream, Connection(gateway.port) as connection:
        stream.opened()
        head = "POST /publish/t HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
        connection.send(head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
        assert connection.response().status == 200
        assert stream.next().data == "abcde"
        connection.send(head + "Content-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert connection.head().status == 100
        connection.send("wait")
        assert connection.response().status == 200
        assert stream.next().data == "wait"


def bearer(token="s3cret-token"):
    base = settings()
    base["routes"][1]["auth"] = {"bearer": token}
    return base


def test_a_bearer_token_guards_publishing(start):
    gateway = start(bearer())
    for shown in (None, "Bearer wrong", "Basic s3cret-token", "Bearer", "s3cret-token", "Bearer s3cret-token x"):
        fields = {**TEXT, **({"Authorization": shown} if shown else {})}
        response = ask(gateway.port, "POST", "/publish/t", fields, "x")
        assert response.status == 401
        assert response["WWW-Authenticate"].startswith("Bearer")
    publish(gateway.port, "x", fields={"Authorization": "Bearer s3cret-token"})
    publish(gateway.port, "x", fields={"Authorization": "bearer s3cret-token"})
    assert "s3cret-token" not in gateway.log()


def test_a_bearer_token_can_stand_in_a_file_or_in_the_environment(start, tmp_path):
    (tmp_path / "token").write_text("from-file\n")
    gateway = start(bearer({"file": "token"}))
    publish(gateway.port, "x", fields={"Authorization": "Bearer from-file"})
    gateway = start(bearer("${PUBLISH_TOKEN}"), env={"PUBLISH_TOKEN": "from-environment"})
    publish(gateway.port, "x", fields={"Authorization": "Bearer from-environment"})


@pytest.mark.http1
def test_a_body_over_the_limit_is_refused_however_it_is_framed(start):
    gateway = start(settings(limits={"publish_body": "1KiB"}))
    publish(gateway.port, "x" * 1024)
    assert ask(gateway.port, "POST", "/publish/t", TEXT, "x" * 1025).status == 413
    with Connection(gateway.port) as connection:
        connection.send(request("POST", "/publish/t", {**TEXT, "Transfer-Encoding": "chunked"}))
        connection.send(b"400\r\n" + b"x" * 1024 + b"\r\n1\r\nx\r\n")
        assert connection.response().status == 413
    with Connection(gateway.port) as connection:
        head = "POST /publish/t HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n"
        connection.send(head + "Expect: 100-continue\r\n\r\n")
        assert connection.response().status == 413, "before the body is asked for"


def test_a_topic_that_nobody_configured_is_not_found(gateway):
    assert ask(gateway.port, "POST", "/publish/other", TEXT, "x").status == 404
