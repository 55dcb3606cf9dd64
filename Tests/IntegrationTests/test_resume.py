"""Coming back with a cursor: nothing twice, nothing missing, and no loss without a word."""

import json
import threading

import pytest
from harness.client import publish
from harness.gateway import settings
from harness.sse import Event, Stream

SMALL = {"history": {"events": 5}, "max_lag": "1KiB"}


def numbers(events):
    return [int(event.data.split()[0]) for event in events]


def fill(gateway, first, last):
    """Publishes numbered events, large enough that a small log forgets the old ones; gives their ids."""
    return [publish(gateway.port, f"{number} {'x' * 300}")["ids"][0] for number in range(first, last)]


def test_a_cursor_gets_everything_after_it_and_then_what_comes(gateway):
    ids = fill(gateway, 0, 10)
    with Stream(gateway.port, last_id=ids[3]) as stream:
        assert numbers(stream.events(6)) == list(range(4, 10))
        fill(gateway, 10, 12)
        assert numbers(stream.events(2)) == [10, 11]


@pytest.mark.parametrize("name", ["last_event_id", "lastEventId", "lastEventID"])
def test_a_cursor_can_stand_in_the_query(gateway, name):
    ids = fill(gateway, 0, 3)
    with Stream(gateway.port, f"/events?{name}={ids[0]}") as stream:
        assert numbers(stream.events(2)) == [1, 2]


def test_the_header_goes_before_the_query(gateway):
    ids = fill(gateway, 0, 3)
    with Stream(gateway.port, f"/events?lastEventId={ids[0]}", last_id=ids[1]) as stream:
        assert stream.next().id == ids[2]


def test_without_a_cursor_only_what_comes_is_sent(gateway):
    fill(gateway, 0, 3)
    with Stream(gateway.port) as stream:
        stream.opened()
        fill(gateway, 3, 4)
        assert numbers([stream.next()]) == [3]


def test_the_position_in_the_head_is_a_cursor(gateway):
    with Stream(gateway.port) as stream:
        position = stream.head["Last-Event-ID"]
    fill(gateway, 0, 2)
    with Stream(gateway.port, last_id=position) as stream:
        assert numbers(stream.events(2)) == [0, 1]


def test_an_opening_id_commits_a_cursor_without_an_event(start):
    gateway = start(settings({"opening_id": "on"}))
    with Stream(gateway.port) as stream:
        stream.read_until(lambda: stream.last_id)
        position = stream.last_id
        assert position == stream.head["Last-Event-ID"]
    fill(gateway, 0, 2)
    with Stream(gateway.port, last_id=position) as stream:
        assert numbers(stream.events(2)) == [0, 1]


def test_a_gap_is_told_with_the_id_before_the_next_event(start):
    gateway = start(settings(SMALL))
    ids = fill(gateway, 0, 30)
    with Stream(gateway.port, last_id=ids[2]) as stream:
        gap = stream.next()
        assert gap.type == "gap"
        told = json.loads(gap.data)
        assert ids[2] in told.values()
        first = stream.next()
        assert gap.id == ids[ids.index(first.id) - 1]
        rest = numbers([first])
        while rest[-1] < 29:
            rest += numbers([stream.next()])
        assert rest == list(range(rest[0], 30))
        assert len(rest) <= 6
    # The gap's id is a cursor: who saw only it misses nothing more.
    with Stream(gateway.port, last_id=gap.id) as stream:
        assert stream.next() == first


@pytest.mark.parametrize("back", [1, 2, 4])
def test_without_a_loss_there_is_no_gap(start, back):
    gateway = start(settings(SMALL))
    ids = fill(gateway, 0, 30)
    with Stream(gateway.port, last_id=ids[-back]) as stream:
        stream.opened()
        fill(gateway, 30, 31)
        assert numbers(stream.events(back)) == list(range(31 - back, 31))


def test_a_gap_can_be_silent_and_can_lead_straight_to_what_comes(start):
    gateway = start(settings({**SMALL, "gap_event": "off"}))
    ids = fill(gateway, 0, 30)
    with Stream(gateway.port, last_id=ids[0]) as stream:
        assert stream.next().type == "message"
    gateway = start(settings({**SMALL, "gap_event": "lost", "on_gap": "live"}))
    ids = fill(gateway, 0, 30)
    with Stream(gateway.port, last_id=ids[0]) as stream:
        gap = stream.next()
        assert (gap.type, gap.id) == ("lost", ids[-1])
        fill(gateway, 30, 31)
        assert numbers([stream.next()]) == [30]


def test_a_cursor_of_an_earlier_run_is_a_gap(start):
    first = start()
    old = fill(first, 0, 3)
    first.stop()
    gateway = start()
    fill(gateway, 0, 2)
    with Stream(gateway.port, last_id=old[0]) as stream:
        assert stream.next().type == "gap"
        assert numbers(stream.events(2)) == [0, 1]


@pytest.mark.parametrize(
    "cursor", ["", "x", "-", "1-", "-1", "0-0", "99999999999999999999999999-1", "%F0%9F%8C%8A", "\xc3\xbc", "a" * 4000]
)
def test_a_cursor_that_the_gateway_never_gave_breaks_nothing(gateway, cursor):
    fill(gateway, 0, 1)
    with Stream(gateway.port, last_id=cursor.encode().decode("latin-1")) as stream:
        assert stream.head.status == 200
        stream.opened()
        fill(gateway, 1, 2)
        while (event := stream.next()).type == "gap" or numbers([event]) == [0]:
            pass
        assert numbers([event]) == [1]


def test_a_cursor_above_the_head_is_a_gap(gateway):
    ids = fill(gateway, 0, 1)
    epoch, sequence = ids[0].rsplit("-", 1)
    above = f"{epoch}-{'f' * len(sequence)}"
    with Stream(gateway.port, last_id=above) as stream:
        assert stream.next().type == "gap"


def test_own_ids_resume_under_ids_upstream(start):
    gateway = start(settings({"ids": "upstream"}))
    for number in range(5):
        publish(gateway.port, str(number), query=f"?id=own-{number}")
    with Stream(gateway.port, last_id="own-2") as stream:
        assert stream.events(2) == [Event("3", id="own-3"), Event("4", id="own-4")]
    with Stream(gateway.port, last_id="never") as stream:
        assert stream.next().type == "gap"


def test_a_client_that_is_cut_again_and_again_gets_each_event_once(start):
    gateway = start(settings({"history": {"events": 5000}}, workers="4"))
    total = 400
    with Stream(gateway.port) as stream:
        cursor = stream.head["Last-Event-ID"]
    publisher = threading.Thread(target=lambda: [publish(gateway.port, str(n)) for n in range(total)])
    publisher.start()
    seen = []
    while len(seen) < total:
        with Stream(gateway.port, last_id=cursor) as stream:
            for event in stream.events(min(7, total - len(seen))):
                assert event.type == "message"
                seen.append(int(event.data))
                cursor = event.id
    publisher.join()
    assert seen == list(range(total))
