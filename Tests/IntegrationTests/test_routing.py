"""Which route takes a request, over both protocols."""

from harness.client import ask, publish
from harness.gateway import run, settings, write
from harness.sse import Stream


def routed(*routes, **more):
    """Settings whose routes answer with the name that stands before them."""
    return settings(routes=[{"match": match, "respond": name} for name, match in routes], **more)


def body(gateway, path="/", fields=None, method="GET"):
    answer = ask(gateway.port, method, path, fields)
    return answer.body.decode() if answer.status == 200 else answer.status


def test_fields_choose_a_route(start):
    gateway = start(
        routed(
            ("two", {"path": "/", "headers": {"X-Version": "2"}}),
            ("debug", {"path": "/", "headers": {"X-Debug": {"present": "true"}, "X-Gone": {"present": "false"}}}),
            ("bearer", {"path": "/", "headers": {"Authorization": {"prefix": "Bearer "}}}),
            ("rest", "/"),
        )
    )
    assert body(gateway, fields={"x-version": "2"}) == "two"
    assert body(gateway, fields={"X-Version": "3"}) == "rest"
    assert body(gateway, fields={"X-Debug": "any"}) == "debug"
    assert body(gateway, fields={"X-Debug": "any", "X-Gone": ""}) == "rest"
    assert body(gateway, fields={"Authorization": "Bearer x"}) == "bearer"
    assert body(gateway, fields={"Authorization": "Basic x"}) == "rest"


def test_the_query_chooses_a_route(start):
    gateway = start(
        routed(
            ("german", {"path": "/", "query": {"größe": {"equal": "sehr groß"}}}),
            ("some", {"path": "/", "query": {"v": {"prefix": "1."}}}),
        )
    )
    assert body(gateway, "/?gr%C3%B6%C3%9Fe=sehr+gro%C3%9F") == "german"
    assert body(gateway, "/?v=2&v=1%2E5") == "some"
    assert body(gateway, "/?v=1") == 404


def test_the_client_chooses_a_route(start):
    gateway = start(
        routed(
            ("near", {"path": "/", "client": ["10.0.0.0/8"]}),
            ("local", {"path": "/", "client": "127.0.0.1"}),
            ("far", "/"),
            trusted_proxies=["127.0.0.0/8"],
        )
    )
    assert body(gateway) == "local"
    assert body(gateway, fields={"X-Forwarded-For": "10.1.2.3"}) == "near"
    assert body(gateway, fields={"X-Forwarded-For": "10.1.2.3, 192.0.2.1"}) == "far"


def test_nobody_says_who_he_is_without_a_trusted_proxy(start):
    gateway = start(routed(("near", {"path": "/", "client": ["10.0.0.0/8"]})))
    assert body(gateway, fields={"X-Forwarded-For": "10.1.2.3"}) == 404


def test_several_hosts(start):
    gateway = start(
        routed(
            ("theirs", {"host": ["a.example", "*.localhost"], "path": "/"}),
            ("ours", {"host": ["a.example", "LOCALHOST"], "path": "/"}),
        )
    )
    assert body(gateway) == "ours"


def test_what_nothing_can_meet_is_told_at_its_place(tmp_path):
    match = {"path": "/", "headers": {"X-A": {"present": "off", "equal": "a"}}, "client": ["10.0.0.0/33"]}
    hidden = [{"path": "/", "query": {"v": {"prefix": "1"}}}, {"path": "/", "query": {"v": "12"}}]
    done = run("check", write(tmp_path, routed(*(("ok", each) for each in [match, *hidden]))))
    assert done.returncode == 2
    said = done.stdout + done.stderr
    assert "present: false contradicts equal" in said
    assert "routes[0].match.client[0]" in said
    assert "no request reaches this route: routes[1]" in said


def test_explain_says_what_the_gateway_does(start, tmp_path):
    settings = routed(
        ("host", {"host": "other.example", "path": "/**"}),
        ("post", {"path": "/x/{name}", "methods": ["POST"]}),
        ("version", {"path": "/x/{name}", "headers": {"X-Version": "2"}}),
        ("local", {"path": "/x/{name}", "client": "127.0.0.1"}),
    )
    path = write(tmp_path, settings, "explained.yaml")

    def explain(*request):
        done = run("explain", "--config", path, *request)
        return done.returncode, done.stdout.splitlines(), done.stderr

    status, lines, _ = explain("GET", "http://localhost/x/a%20b", "--header", "X-Version: 3", "--client", "127.0.0.1")
    assert status == 0
    assert lines == [
        "routes[0] other.example/**: host is localhost, not other.example",
        "routes[1] POST /x/{name}: method GET is not among POST",
        'routes[2] /x/{name} (header X-Version): header X-Version is "3", not "2"',
        'routes[3] /x/{name} (client 127.0.0.1): takes it, name = "a b": respond 200',
    ]
    assert body(start(settings), "/x/a%20b", {"X-Version": "3"}) == "local"
    assert explain("GET", "/x")[0] == 1
    assert explain("GET", "/..")[1] == ["400: the path climbs above the root"]
    for wrong in (["get", "/"], ["GET", "x"], ["GET", "/", "--header", "X"], ["GET", "/", "--client", "me"], ["GET"]):
        status, lines, said = explain(*wrong)
        assert (status, lines) == (2, []), wrong
        assert said
    assert run("explain", "--config", tmp_path / "none.yaml", "GET", "/").returncode == 2


def test_redirects(start):
    base = settings(
        routes=[
            {"match": "/old/**", "redirect": "https://{host}:8443{uri}"},
            {"match": "/to/{name}", "redirect": {"to": "/new/{name}{query}", "status": 302}},
            {"match": "/**", "redirect": {"to": "{path}", "status": 307}},
        ]
    )
    gateway = start(base)

    def to(path, method="GET"):
        answer = ask(gateway.port, method, path)
        return answer.status, answer["Location"]

    assert to("/old/a%20b//c?d=e", "POST") == (308, "https://localhost:8443/old/a%20b//c?d=e")
    assert to("/old?") == (308, "https://localhost:8443/old?")
    assert to("/to/a%2Fb%0D%0AX:y?q", "HEAD") == (302, "/new/a%2Fb%0D%0AX%3Ay?q")
    assert to("//evil.example/%2e%2e") == (307, "/evil.example/%2e%2e")
    assert to("///evil.example") == (307, "/evil.example")


def test_response_fields_are_edited_on_every_answer_of_a_route(start):
    edits = {"set": {"Cache-Control": "private", "X-Frame-Options": "DENY"}, "add": {"X-A": ["1", "2"]}}
    base = settings()
    for route in base["routes"]:
        route["response_headers"] = {**edits, "remove": "X-Accel-Buffering"}
    base["routes"].append({"match": "/private", "respond": "ok", "auth": {"bearer": "secret"}, "response_headers": edits})
    base["routes"][0]["cors"] = {"origins": ["https://app.example.com"]}
    gateway = start(base)

    def expect(head, status=200):
        assert head.status == status
        assert head["Cache-Control"] == "private"
        assert head["X-Frame-Options"] == "DENY"
        assert head.all("X-A") == ["1", "2"]
        assert head["X-Accel-Buffering"] is None

    with Stream(gateway.port) as stream:
        expect(stream.head)
        publish(gateway.port, "one")
        assert stream.next().data == "one"
    expect(ask(gateway.port, "HEAD", "/events"))
    expect(ask(gateway.port, "GET", "/events", {"Accept": "text/html"}), 406)
    expect(ask(gateway.port, "GET", "/"))
    expect(ask(gateway.port, "GET", "/private"), 401)
    expect(ask(gateway.port, "POST", "/publish/t", {"Content-Type": "text/plain"}, b"two"))
    expect(ask(gateway.port, "POST", "/publish/none", {"Content-Type": "text/plain"}, b"two"), 404)
    asked = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "GET"}
    expect(ask(gateway.port, "OPTIONS", "/events", asked), 204)
    assert ask(gateway.port, "GET", "/nowhere")["X-Frame-Options"] is None


def test_edits_that_cannot_be_made_are_told(tmp_path):
    base = settings()
    base["routes"][0]["response_headers"] = {"set": {"Content-Length": "1"}, "remove": ["Connection"]}
    base["routes"][2]["rewrite"] = {"strip_prefix": "/api"}
    done = run("check", write(tmp_path, base))
    assert done.returncode == 2
    said = done.stdout + done.stderr
    for place in ("response_headers.set.Content-Length", "response_headers.remove[0]", "routes[2].rewrite"):
        assert place in said


def test_slashes_in_a_row_are_one_unless_they_shall_not(start, tmp_path):
    routes = [
        {"match": "/admin/**", "respond": "hello", "auth": {"bearer": "secret"}},
        {"match": "/**", "respond": "open"},
    ]
    gateway = start(settings(topics={}, routes=routes))
    for path in ("//admin/x", "/admin//x", "/.//admin/x"):
        assert ask(gateway.port, path=path).status == 401
    gateway = start(settings(topics={}, routes=routes, merge_slashes="off"))
    assert ask(gateway.port, path="//admin/x").body == b"open"
    strange = [{"match": "/a//b", "respond": "never"}]
    done = run("check", write(tmp_path, settings(topics={}, routes=strange)))
    assert done.returncode == 2 and "merge_slashes" in done.stderr
