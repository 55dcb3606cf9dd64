"""Publishing JSON, event streams and bytes: batches, topics that the request names, and errors."""

import base64
import http
import json
import subprocess

import pytest
from harness.client import ask
from harness.gateway import settings
from harness.raw import Connection, request
from harness.sse import Event, Stream

JSON = "application/json"
STREAM = "text/event-stream"


def post(gateway, body, kind=JSON, path="/publish/t", **fields):
    body = body if isinstance(body, (str, bytes)) else json.dumps(body)
    fields = {name.replace("_", "-"): value for name, value in fields.items()}
    return ask(gateway.port, "POST", path, {"Content-Type": kind, **fields}, body)


def taken(response):
    assert response.status == 200, response.text
    assert response["Content-Type"].startswith(JSON)
    return json.loads(response.body)


@pytest.fixture
def upstream(start):
    """A gateway whose topic keeps the publishers' ids."""
    return start(settings({"ids": "upstream"}))


@pytest.fixture
def open_topic(start):
    """A gateway with a route whose requests name the topic."""
    base = settings(topics={"t": {}, "feed.{symbol}": {}, "secret": {}})
    base["routes"][:0] = [
        {"match": "/any", "publish": {"allow": ["t", "feed.*"]}},
        {"match": "/feeds/{symbol}", "subscribe": "feed.{symbol}"},
    ]
    return start(base)


def test_a_json_object_is_an_event_with_type_id_and_retry(upstream):
    with Stream(upstream.port) as stream:
        stream.opened()
        answer = taken(post(upstream, {"data": "a\nb", "event": "price", "id": "n-1", "retry": 1234}))
        assert answer == {"ids": ["n-1"], "subscribers": 1}
        assert stream.next() == Event("a\nb", "price", "n-1")
        assert b"retry: 1234\n" in stream.raw


@pytest.mark.parametrize(
    "value, data",
    [
        ('"text"', "text"),
        ('""', ""),
        ('{"a":  [1, 2.50]}', '{"a":  [1, 2.50]}'),
        ('[1,\n 2]', "[1,\n 2]"),
        ("null", "null"),
        ("1e400", "1e400"),
        ('"\\ud83d\\ude00\\u0041"', "😀A"),
        ('["\\u0041"]', '["\\u0041"]'),
    ],
)
def test_data_is_a_string_or_any_json_value_as_it_was_written(gateway, value, data):
    with Stream(gateway.port) as stream:
        stream.opened()
        taken(post(gateway, f'{{"data": {value} }}'))
        assert stream.next().data == data


def test_an_array_is_published_in_order_with_an_id_for_each(gateway):
    with Stream(gateway.port) as stream:
        stream.opened()
        answer = taken(post(gateway, [{"data": number} for number in range(500)], kind="Application/JSON; charset=utf-8"))
        events = stream.events(500)
        assert [event.data for event in events] == [str(number) for number in range(500)]
        assert [event.id for event in events] == answer["ids"]
    assert taken(post(gateway, [])) == {"ids": [], "subscribers": 0}


def test_curl_publishes_json_from_a_pipe(gateway):
    with Stream(gateway.port) as stream:
        stream.opened()
        command = ["curl", "-sS", "-H", "Content-Type: application/json", "--data-binary", "@-"]
        done = subprocess.run(
            [*command, gateway.url("/publish/t")], input='[{"data": "one"}]', capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)["subscribers"] == 1
        assert stream.next().data == "one"


def test_each_event_of_a_stream_is_published(upstream):
    body = "\ufeff: a comment\r\nevent: x\r\ndata: 1\r\ndata: 2\r\nid: i\r\n\r\nretry: 77\ndata: 3\n\nevent: nothing\n\ndata\n\n"
    with Stream(upstream.port) as stream:
        stream.opened()
        assert taken(post(upstream, body, STREAM))["ids"] == ["i", "", ""]
        assert stream.events(3) == [Event("1\n2", "x", "i"), Event("3", "message", "i"), Event("", "message", "i")]
        assert b"retry: 77\n" in stream.raw


def test_what_one_gateway_sends_another_takes_as_a_body(upstream):
    with Stream(upstream.port) as stream:
        stream.opened()
        post(upstream, [{"data": f"line {n}\nand more", "event": "e", "id": f"{n}"} for n in range(20)])
        events = stream.events(20)
        body = stream.raw[stream.raw.index(b"event: e") :]
        assert body.endswith(b"\n\n")
        taken(post(upstream, body, STREAM))
        assert stream.events(20) == events


def test_bytes_are_published_as_base64(gateway):
    data = bytes(range(256)) * 3
    with Stream(gateway.port) as stream:
        stream.opened()
        taken(post(gateway, data, "application/octet-stream", "/publish/t?event=blob"))
        event = stream.next()
        assert event.type == "blob"
        assert base64.b64decode(event.data, validate=True) == data


@pytest.mark.parametrize(
    "kind, body, reason",
    [
        (JSON, "", "not JSON"),
        (JSON, '{"data":1', "at byte 9"),
        (JSON, '{"data":1}}', "at byte 10"),
        (JSON, b'{"data":"\xff"}', "not UTF-8, at byte 9"),
        (JSON, '{"data":"\\ud800"}', "surrogate"),
        (JSON, "[" * 100_000, "[0]: expected an object"),
        (JSON, '{"data":' + "[" * 500_000, "deeper than 64 levels, at byte 71"),
        (JSON, "{}", "data: this key is missing"),
        (JSON, "1", "expected an object"),
        (JSON, '[{"data":1},[]]', "[1]: expected an object"),
        (JSON, '[{"data":1},{"data":2,"id":"a\\nb"}]', "[1].id: may not hold CR, LF or NUL"),
        (JSON, '[{"data":1},{"data":2,"event":"\\u0000"}]', "[1].event: may not hold CR, LF or NUL"),
        (JSON, json.dumps([{"data": 1, "id": "x" * 5000}]), "[0].id: has at most 4096 bytes"),
        (JSON, '[{"data":1},{"data":2,"evnt":"x"}]', '[1]: the key "evnt" is not known; did you mean "event"?'),
        (JSON, '{"data":1,"data":2}', "data: this key stands in the object twice"),
        (JSON, '{"data":1,"retry":1e3}', "retry: expected whole milliseconds"),
        (JSON, '{"data":1,"retry":' + "9" * 5000 + "}", "retry: expected whole milliseconds"),
        (JSON, '[{"data":1},{"data":2,"topic":"u"}]', '[1].topic: this route publishes to "t" alone'),
        (STREAM, "data: 1\n\ndata: 2\n", "[1]: no empty line"),
        (STREAM, "data: 1\n\nretry: 5\n\n", "[1].retry: "),
        (STREAM, b"data: 1\n\ndata: \xc3\n\n", "not UTF-8, at byte 15"),
        (STREAM, "id: a\0b\ndata: 1\n\n", "NUL"),
    ],
)
def test_an_error_names_its_place_and_nothing_is_published(gateway, kind, body, reason):
    with Stream(gateway.port) as stream:
        stream.opened()
        response = post(gateway, body, kind)
        assert response.status == 400
        assert reason in response.text
        assert response.text.count("\n") == 1, "one line"
        taken(post(gateway, {"data": "next"}))
        assert stream.next().data == "next"


@pytest.mark.parametrize("kind", ["text/html", "text/plain; charset=latin1", "application/json; charset=utf-16", "nonsense"])
def test_other_media_types_are_refused_and_those_that_are_taken_named(gateway, kind):
    response = post(gateway, "x", kind)
    assert response.status == 415
    assert "application/json" in response["Accept"]


def test_fields_in_the_query_go_with_data_alone(gateway):
    for query in ("event=x", "id=x", "retry=1"):
        response = post(gateway, {"data": 1}, path=f"/publish/t?{query}")
        assert response.status == 400
        assert "query" in response.text
    assert post(gateway, "x", "text/plain", "/publish/t?retry=soon").status == 400
    assert post(gateway, "x", "text/plain", "/publish/t?retry=1000&access_token=any").status == 200


def test_an_error_is_a_problem_document_for_who_accepts_json(gateway):
    for path, status in (("/publish/t", 400), ("/publish/none", 404)):
        response = post(gateway, '{"data":1,"id":"\\n"}' if status == 400 else {"data": 1}, path=path, Accept=JSON)
        assert response.status == status
        assert response["Content-Type"] == "application/problem+json"
        problem = json.loads(response.body)
        assert problem["status"] == status
        assert problem["title"] == http.HTTPStatus(status).phrase
        assert problem["detail"] == ("id: may not hold CR, LF or NUL" if status == 400 else 'there is no topic "none"')
    assert post(gateway, "{", Accept="*/*")["Content-Type"].startswith("text/plain")


def test_a_request_names_its_topics_where_the_route_leaves_it_open(open_topic):
    with Stream(open_topic.port, "/feeds/a") as feed, Stream(open_topic.port) as stream:
        feed.opened(), stream.opened()
        batch = [{"data": 1, "topic": "t"}, {"data": 2}, {"data": 3, "topic": "t"}]
        answer = taken(post(open_topic, batch, path="/any?topic=feed.a"))
        assert answer["ids"] == sorted(answer["ids"])
        assert answer["subscribers"] == 2
        assert [event.data for event in stream.events(2)] == ["1", "3"]
        assert feed.next().data == "2"
        taken(post(open_topic, "plain", "text/plain", "/any?topic=t"))
        assert stream.next().data == "plain"


@pytest.mark.parametrize(
    "topic, status, reason",
    [
        ("secret", 403, '[1].topic: this route does not publish to "secret"'),
        ("nothing", 403, '[1].topic: this route does not publish to "nothing"'),
        ("feed", 403, "[1].topic: "),
        ("feed.x.y", 404, '[1].topic: there is no topic "feed.x.y"'),
        ("feed.a\nb", 404, '[1].topic: there is no topic "feed.a\\nb"'),
        (None, 400, "[1].topic: missing"),
        (7, 400, "[1].topic: expected a string"),
    ],
)
def test_a_topic_that_is_not_allowed_or_not_there_stops_the_whole_batch(open_topic, topic, status, reason):
    with Stream(open_topic.port) as stream:
        stream.opened()
        response = post(open_topic, [{"data": 1, "topic": "t"}, {"data": 2, "topic": topic}], path="/any")
        assert response.status == status
        assert reason in response.text
        taken(post(open_topic, {"data": "next"}))
        assert stream.next().data == "next"


def test_more_than_the_log_can_keep_is_refused_whole(start):
    gateway = start(settings({"history": {"bytes": "16KiB"}, "max_lag": "16KiB"}))
    with Stream(gateway.port) as stream:
        stream.opened()
        assert post(gateway, [{"data": "x" * 9000}] * 8).status == 413
        assert post(gateway, "x" * 100_000, "text/plain").status == 413
        taken(post(gateway, {"data": "next"}))
        assert stream.next().data == "next"


@pytest.mark.http1
def test_while_subscribers_are_behind_nothing_is_taken_and_the_publisher_is_told_when_to_try_again(start):
    # Both requests are read at once, so the second one comes before the first one's event has left.
    gateway = start(settings({"history": {"bytes": "1KiB"}, "max_lag": "1KiB"}, workers=1))
    with Stream(gateway.port) as stream, Connection(gateway.port) as connection:
        stream.opened()
        first, second = ({"data": letter * 700} for letter in "ab")
        connection.send(b"".join(request("POST", "/publish/t", {"Content-Type": JSON}, json.dumps(e)) for e in (first, second)))
        assert connection.response().status == 200
        refused = connection.response()
        assert refused.status == 429
        assert refused["Retry-After"] == "1"
        assert stream.next().data == "a" * 700
        taken(post(gateway, second))
        assert stream.next().data == "b" * 700
