"""Which path an upstream is asked for: the one that was matched, in every reading."""

import pytest
from harness.client import connect
from harness.gateway import settings
from harness.proxied import ANSWER, expect_nobody, goes_on, upstream  # noqa: F401


@pytest.fixture
def gateway(start, upstream):
    routes = [
        {"match": "/ok", "respond": "ok"},
        {"match": "/admin/**", "respond": {"status": 403}},
        {"match": "/api/**", "proxy": "app", "rewrite": {"strip_prefix": "/api", "add_prefix": "/v1"}},
        {"match": "/**", "proxy": "app"},
    ]
    app = {"servers": f"http://127.0.0.1:{upstream.port}"}
    return start(settings(topics={}, upstreams={"app": app}, routes=routes))


PASSED = {
    "/a/./b/../c?x=..%2f": "/a/c?x=..%2f",
    "/a%2fb": "/a%2fb",
    "/a;v=1/b": "/a;v=1/b",
    "/api": "/v1",
    "/api/x%2Fy": "/v1/x%2Fy",
    "/api/%2e%2e/api/x": "/v1/x",
    "/%61pi/x": "/v1/x",
    "/api/..": "/",
    "/api/%252e%252e%252fx": "/v1/%252e%252e%252fx",
}


@pytest.mark.parametrize("path", PASSED)
def test_is_passed_on(gateway, upstream, path):
    with connect(gateway.port) as connection:
        exchange = connection.open(path=path)
        served = upstream.accept()
        assert served.line == f"GET {PASSED[path]} HTTP/1.1"
        served.send(ANSWER)
        assert exchange.response().body == b"next"


@pytest.mark.parametrize(
    "path",
    ["/..%2fadmin", "/x/..%2Fadmin/", "/%2e%2e%2fadmin", "/x%2f..%2fadmin", "/x/..;/admin", "/..;/admin", "/api/..%2f..%2fadmin",
     "/api/x%2f..", "/api/..;x/y", "/x/..%5cadmin", "/x/.%2e%3b/admin"],
)  # fmt: skip
def test_is_refused_as_it_can_be_read_in_two_ways(gateway, upstream, path):
    with connect(gateway.port) as connection:
        assert connection.request(path=path).status == 400
        assert connection.request(path="/admin/x").status == 403
    expect_nobody(upstream)
