"""The demo page, used as a person would use it: what it claims about missed and doubled events is true."""

import pytest
from harness.client import publish
from harness.gateway import CONF, settings

TICKER = {"ticker": {"every": "100ms", "event": "tick", "data": "{n}"}}


@pytest.fixture
def shown(start, browser, authority, protocol):
    # Browsers speak HTTP/2 over TLS alone.
    scheme = {"http1": "http", "h2": "https"}[protocol]
    base = settings(listeners=[authority.listener() if protocol == "h2" else "127.0.0.1:0"])
    base["sources"] = {"clock": TICKER}
    base["topics"] = {"demo": {"opening_id": "on", "heartbeat": "200ms"}, "clock": {"sources": ["clock"]}}
    base["routes"] = [
        {"match": "/events", "subscribe": "demo"},
        {"match": "/clock", "subscribe": "clock"},
        {"match": "/relayed", "subscribe": "clock"},
        {"match": "/publish/demo", "publish": {"topic": "demo"}},
        {"match": "/", "respond": {"file": str(CONF / "demo/index.html")}},
    ]
    gateway = start(base)
    with browser.open(gateway.url("/", scheme=scheme, host="localhost")) as page:
        page.wait_until("document.getElementById('state').dataset.state == 'live'")
        yield gateway, page


def text(page, name):
    return page.run(f"document.getElementById('{name}').textContent")


def submit(page, form, answer):
    """Presses a button of the page; its answer, once it is a good or a bad one."""
    page.run(f"document.getElementById('{form}').requestSubmit()")
    settled = f"document.querySelector('#{answer}.good, #{answer}.bad')"
    for step in ("live", "lagging", "reads on", "live again") if form == "slow" else ():
        page.wait_until(f"{settled} || document.querySelector('#steps [aria-current]')?.textContent == '{step}'")
    page.wait_until(settled)
    return text(page, answer)


def test_it_shows_published_events_with_their_ids_and_nothing_as_markup(shown, trusting, protocol):
    gateway, page = shown
    tls = trusting if protocol == "h2" else None
    answer = publish(gateway.port, "<img src=x>", "demo", "?event=%3Cb%3E", tls=tls)
    page.wait_until(f"document.querySelector('#rows .id[title=\"{answer['ids'][0]}\"]')")
    row = f"document.querySelector('#rows .id[title=\"{answer['ids'][0]}\"]').parentElement"
    assert page.run(f"{row}.querySelector('.data').textContent").startswith("<img")
    assert page.run(f"{row}.querySelector('.type').textContent") == "<b>"
    assert page.run("document.querySelectorAll('#rows img, #rows b').length") == 0


def test_it_shows_both_clocks_and_the_age_of_the_last_heartbeat(shown):
    _, page = shown
    for stream in ("/clock", "/relayed"):
        page.wait_until(f"[...document.querySelectorAll('#rows .from')].some(cell => cell.textContent == '{stream}')")
    page.wait_until("document.getElementById('heartbeat').textContent.endsWith('s ago')")


def test_the_publish_box_shows_the_answer(shown):
    _, page = shown
    said = submit(page, "publish", "publish-answer")
    assert said.startswith("200") and '"ids"' in said and '"subscribers"' in said


def test_a_dropped_connection_resumes_without_loss(shown):
    _, page = shown
    assert submit(page, "drop", "drop-answer") == "5 events while away, 5 received: 0 missed, 0 doubled."


def test_a_slow_reader_lags_reads_on_and_is_live_again(shown):
    _, page = shown
    assert "98 received: 0 missed, 0 doubled" in submit(page, "slow", "slow-answer")
    assert text(page, "behind") == "0 events"
    assert int(text(page, "behind-most").removeprefix("most: ")) > 50


def test_it_needs_nothing_from_elsewhere_and_complains_about_nothing(shown):
    _, page = shown
    here = page.run("location.href")
    page.call("Log.enable")
    for request in page.network("Network.requestWillBeSent"):
        url = request["request"]["url"]
        assert url.startswith((here, "data:")), url
    assert page.network("Runtime.exceptionThrown") == []
    assert page.network("Log.entryAdded") == []


@pytest.mark.parametrize("width", [320, 390, 820, 1280])
def test_it_fits_a_screen_of_any_width(shown, width):
    _, page = shown
    page.call("Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=width < 500)
    assert page.run("document.documentElement.scrollWidth") <= width
