"""Headless Chromium, which trusts the test authority and verifies like any other browser."""

import json

import pytest
from harness.certificates import Authority
from harness.client import publish
from harness.gateway import settings
from harness.proxy import Relay

PAGE = {"headers": {"Content-Type": "text/html; charset=utf-8"}, "body": "<!doctype html><title>test</title>"}

# An EventSource whose events are kept in `got`.
SOURCE = """
    window.got = []; window.opened = 0; window.failed = 0;
    window.source = new EventSource(%s, {withCredentials: %s});
    source.onopen = () => opened++;
    source.onerror = () => failed++;
    for (const type of ['message', 'named', 'gap'])
        source.addEventListener(type, event => got.push([event.type, event.data, event.lastEventId]));
    0
"""

# A reader on top of fetch, as several libraries have one: each block that an empty line ends is a message.
FETCH = """
    window.got = []; window.answer = null;
    fetch(%s, {headers: %s}).then(async response => {
        window.answer = [response.status, response.headers.get('Last-Event-ID')];
        const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
        let rest = '';
        for (;;) {
            const {value, done} = await reader.read();
            if (done) break;
            const blocks = (rest + value).split('\\n\\n');
            rest = blocks.pop();
            for (const block of blocks) got.push(block);
        }
    }).catch(error => window.answer = String(error));
    0
"""


def source(url, credentials=False):
    return SOURCE % (json.dumps(url), json.dumps(credentials))


def paged(policy=None, topic=None, **more):
    base = settings({"retry": "100ms", **(topic or {})}, **more)
    base["routes"].insert(0, {"match": "/page", "respond": PAGE})
    if policy:
        for route in base["routes"]:
            route["cors"] = policy
    return base


def https(gateway, path, listener=0):
    return gateway.url(path, listener, "https", "localhost")


def test_an_unknown_authority_is_refused(start, browser, tmp_path):
    gateway = start(paged(listeners=[Authority(tmp_path).listener()]))
    with browser.open(https(gateway, "/page")) as page:
        assert page.failure == "net::ERR_CERT_AUTHORITY_INVALID"


def test_eventsource_over_https(start, browser, authority, trusting):
    gateway = start(paged(listeners=[authority.listener()], workers="2"))
    with browser.open(https(gateway, "/page")) as page:
        assert page.failure is None
        page.run(source("/events"))
        page.wait_until("opened == 1")
        one = publish(gateway.port, "one", tls=trusting)
        two = publish(gateway.port, "two\nlines ü", query="?event=named", tls=trusting)
        page.wait_until("got.length == 2")
        assert page.run("got") == [
            ["message", "one", one["ids"][0]],
            ["named", "two\nlines ü", two["ids"][0]],
        ]
        assert page.run("failed") == 0


def test_a_page_that_closes_its_source_leaves(start, browser, authority, trusting):
    gateway = start(paged(listeners=[authority.listener()]))
    with browser.open(https(gateway, "/page")) as page:
        page.run(source("/events"))
        page.wait_until("opened == 1")
        assert publish(gateway.port, "x", tls=trusting)["subscribers"] == 1
        page.run("source.close()")
        for _ in range(1000):
            if publish(gateway.port, "y", tls=trusting)["subscribers"] == 0:
                return
    raise AssertionError("still counted")


def test_eventsource_resumes_after_a_cut_without_loss(start, browser, authority, trusting):
    gateway = start(paged(listeners=[authority.listener()]))
    relay = Relay(gateway.port)
    with browser.open(f"https://localhost:{relay.port}/page") as page:
        page.run(source("/events"))
        page.wait_until("opened == 1")
        publish(gateway.port, "before", tls=trusting)
        page.wait_until("got.length == 1")
        relay.cut()
        for number in range(30):
            publish(gateway.port, str(number), tls=trusting)
        page.wait_until("got.length >= 31")
        assert [data for _, data, _ in page.run("got")] == ["before", *map(str, range(30))]
        assert page.run("opened") == 2
    relay.close()


def test_across_origins_with_credentials(start, browser, authority, trusting):
    # The page's origin must stand in the configuration, so the page comes from a gateway that runs first.
    pages = start(paged(listeners=[authority.listener()]))
    origin = https(pages, "")
    gateway = start(
        {
            **paged({"origins": [origin], "credentials": "true"}, listeners=[authority.listener()]),
        }
    )
    with browser.open(https(pages, "/page")) as page:
        page.run("document.cookie = 'visitor=42; Secure; SameSite=None; path=/'; 0")
        page.run(source(https(gateway, "/events"), credentials=True))
        page.wait_until("opened == 1")
        publish(gateway.port, "for you", tls=trusting)
        page.wait_until("got.length == 1")
        sent = [
            cookie["cookie"]["name"]
            for request in page.network("Network.requestWillBeSentExtraInfo")
            if "text/event-stream" in request["headers"].get("accept", request["headers"].get("Accept", ""))
            for cookie in request["associatedCookies"]
            if not cookie["blockedReasons"]
        ]
        assert sent == ["visitor"]


def test_another_origin_is_kept_out_by_the_browser(start, browser, authority):
    pages = start(paged(listeners=[authority.listener()]))
    gateway = start(paged({"origins": ["https://app.example.com"]}, listeners=[authority.listener()]))
    with browser.open(https(pages, "/page")) as page:
        page.run(source(https(gateway, "/events")))
        page.wait_until("failed > 0")
        assert page.run("[opened, source.readyState]") == [0, 2]


def test_eventsource_resumes_across_origins_with_a_long_last_event_id(start, browser, authority, trusting):
    pages = start(paged(listeners=[authority.listener()]))
    gateway = start(paged({"origins": [https(pages, "")]}, {"ids": "upstream"}, listeners=[authority.listener()]))
    relay = Relay(gateway.port)
    # Over 128 bytes some browsers ask by a preflight first.
    long = "i" * 200
    with browser.open(https(pages, "/page")) as page:
        page.run(source(f"https://localhost:{relay.port}/events"))
        page.wait_until("opened == 1")
        publish(gateway.port, "before", query=f"?id={long}", tls=trusting)
        page.wait_until("got.length == 1")
        relay.cut()
        publish(gateway.port, "while away", query="?id=next", tls=trusting)
        page.wait_until("got.length >= 2")
        assert page.run("got")[1] == ["message", "while away", "next"]
    relay.close()


def test_a_fetch_reader_across_origins_is_preflighted_and_resumes(start, browser, authority, trusting):
    pages = start(paged(listeners=[authority.listener()]))
    gateway = start(paged({"origins": [https(pages, "")]}, {"heartbeat": "50ms"}, listeners=[authority.listener()]))
    ids = [publish(gateway.port, str(number), tls=trusting)["ids"][0] for number in range(3)]
    with browser.open(https(pages, "/page")) as page:
        fields = {"Accept": "text/event-stream", "Last-Event-ID": ids[0], "Cache-Control": "no-cache"}
        page.run(FETCH % (json.dumps(https(gateway, "/events")), json.dumps(fields)))
        page.wait_until("got.length >= 2")
        assert page.run("answer[0]") == 200
        assert page.run("answer[1]"), "the position is exposed"
        methods = [request["request"]["method"] for request in page.network("Network.requestWillBeSent")]
        assert "OPTIONS" in methods, "no browser sends Last-Event-ID from fetch across origins without a preflight"
        # Heartbeats came between: none of them may count as a message.
        page.run("window.then = performance.now(); 0")
        page.wait_until("performance.now() - then > 300")
        publish(gateway.port, "3", tls=trusting)
        page.wait_until("got.length >= 3")
        blocks = page.run("got")
        data = [line for block in blocks for line in block.split("\n") if line.startswith("data")]
        assert data == ["data: 1", "data: 2", "data: 3"]
        assert len(blocks) == 3


def test_six_streams_and_more_over_one_browser(start, browser, authority, trusting):
    gateway = start(paged(listeners=[authority.listener()]))
    with browser.open(https(gateway, "/page")) as page:
        page.run("window.counts = Array.from({length: 5}, () => 0); 0")
        page.run("counts.forEach((_, i) => new EventSource('/events?' + i).onmessage = () => counts[i]++); 0")
        while publish(gateway.port, "x", tls=trusting)["subscribers"] < 5:
            pass
        page.wait_until("counts.every(count => count > 0)")

