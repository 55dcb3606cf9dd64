"""A real application behind the gateway: clients get what they get without it, and it is asked what they ask."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from harness.application import Case, Sender, Site, answer_of, ask, begin, begin_h2, site  # noqa: F401
from harness.flask_site import FILES, contents, digest
from harness.raw import request

pytestmark = pytest.mark.http1  # It says itself what it speaks.

# Beside these, all that may differ of an answer is its Date, which is of another second perhaps, and the reason phrase,
# which HTTP/2 does not have and nobody shall look at (RFC 9112, 4).
OF_ONE_CONNECTION = {"connection", "keep-alive"}
FRAMING = {"content-length", "transfer-encoding"}


def multipart(*files):
    """A form with files: name, file name, content."""
    parts = [
        b'--border\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n%s\r\n" % (name.encode(), file.encode(), content)
        for name, file, content in files
    ]
    parts.insert(1, b'--border\r\nContent-Disposition: form-data; name="text"\r\n\r\ngr\xc3\xbc\xc3\x9fe\r\n')
    return b"".join(parts) + b"--border--\r\n"


def form(target, *files, **more):
    fields = (("Content-Type", "multipart/form-data; boundary=border"), *more.pop("fields", ()))
    return Case(target, "POST", fields, multipart(*files), **more)


def typed(type, body, method="POST", target="/echo/", **more):
    return Case(target, method, (("Content-Type", type),), body, **more)


FORM = "application/x-www-form-urlencoded"
LARGE = contents(FILES["large"])
EXPECT = ("Expect", "100-continue")

STATUSES = (201, 204, 205, 206, 299, 400, 402, 418, 451, 500, 503, 599)

PAGES = {
    "a page": Case("/"),
    "HEAD of a page": Case("/", "HEAD"),
    "an empty query": Case("/echo/?"),
    "a query": Case("/echo/?a=1&a=2&b=&c&=d"),
    "escapes in a query": Case("/echo/?a=%00%0d%0a%ff&b=%zz&c=%&d=+&e=%2B&f=%C3%BC"),
    "odd bytes in a query": Case("/echo/?a='|{}[]^`\\~!$()*,;:@/?=%20"),
    "escapes in a path": Case("/echo/%C3%BC%E2%82%AC/a%2Fb/%25/%20/%7E"),
    "odd bytes in a path": Case("/echo/a|b{}[]^`~!$&'()*+,;=:@"),
    "small letters in escapes": Case("/echo/%c3%bc%2f"),
    "empty segments": Case("/echo/a//b///"),
    "dots that are no segments": Case("/echo/.../a..b/.c/d."),
    "a path of 7 KB": Case("/echo/" + "long/" * 1400),
    "a query of 7 KB": Case("/echo/?q=" + "x" * 7000),
    "OPTIONS": Case("/echo/", "OPTIONS"),
    "OPTIONS that Flask answers": Case("/", "OPTIONS"),
    "a method of its own": Case("/echo/", "PROPFIND", (), b"<a/>"),
    "a method that is not allowed": Case("/", "DELETE"),
    "no page": Case("/nowhere"),
    "a page that breaks": Case("/broken"),
    "HEAD of a page that breaks": Case("/broken", "HEAD"),
    **{f"a redirect {code}": Case(f"/redirect/{code}") for code in (301, 302, 303, 307, 308)},
    **{f"status {code}": Case(f"/status/{code}") for code in STATUSES},
    "HEAD with 204": Case("/status/204", "HEAD"),
    "POST answered 204": Case("/status/204", "POST", (), b"x"),
    "POST answered 404": Case("/status/404", "POST", (), b"x"),
    "early hints": Case("/hints"),
}

FIELDS = {
    "fields that a browser sends": Case(
        "/echo/",
        fields=(
            ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
            ("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
            ("Accept-Language", "de,en-US;q=0.7"), ("Accept-Encoding", "gzip, deflate, br, zstd"),
            ("Referer", "https://localhost/x?y=z"), ("Origin", "https://localhost"), ("DNT", "1"),
            ("Sec-Fetch-Mode", "navigate"), ("Upgrade-Insecure-Requests", "1"), ("Cache-Control", "max-age=0"),
            ("Authorization", "Basic dXNlcjpwYXNz"), ("Priority", "u=0, i"),
        ),
    ),
    "fields of its own": Case(
        "/echo/",
        fields=(
            ("X-lower-UPPER", "1"), ("x-repeated", "one"), ("X-Other", "a,b ,  c"), ("X-Repeated", "two"),
            ("X-Empty", ""), ("X-Latin", "gr\xfc\xdfe"), ("X-Tab", "a\tb"), ("x-repeated", "three"),
            ("!#$%&'*+-.^_`|~", "token"), ("Via", "1.0 other"), ("Max-Forwards", "3"), ("X_Own", "1"),
        ),
    ),
    "fields of answers": Case("/headers"),
    "large fields of an answer": Case("/large-headers"),
    "large fields of a request": Case("/echo/", fields=tuple((f"X-{number}", "x" * 1000) for number in range(30))),
    "one large field": Case("/echo/", fields=(("X-Large", "y" * 16_000),)),
    "cookies that are set": Case("/cookies"),
    "cookies that are sent": Case("/echo/", fields=(("Cookie", 'a=1; b="two words"; c=%20; d; e=x=y; a=again'),)),
    "large cookies": Case("/echo/", fields=(("Cookie", "; ".join(f"c{number}={'x' * 3900}" for number in range(4))),)),
    "a gzip'd answer": Case("/gzip", fields=(("Accept-Encoding", "gzip"),)),
    "HEAD of a gzip'd answer": Case("/gzip", "HEAD", (("Accept-Encoding", "gzip"),)),
    "a tag": Case("/etag"),
    "a tag that matches": Case("/etag", fields=(("If-None-Match", '"of mine"'),)),
    "a tag that does not": Case("/etag", fields=(("If-None-Match", 'W/"another"'),)),
}

UPLOADS = {
    "a form": typed(FORM, b"a=1&b=%C3%BC&b=+&c="),
    "JSON": typed("application/json", '{"größe": [1, 2.5, null, "\\u20ac"]}'.encode()),
    "an empty POST": Case("/echo/", "POST", (), b""),
    "PUT": typed("text/plain", b"put", "PUT"),
    "PATCH": typed("text/plain", b"patch", "PATCH"),
    "DELETE": Case("/echo/", "DELETE"),
    "DELETE with a body": typed("text/plain", b"delete", "DELETE"),
    "GET with a body": typed("application/json", b'{"query": {}}', "GET"),
    "every byte": typed("application/octet-stream", bytes(range(256)) * 3),
    "chunks": typed("application/octet-stream", contents(300_000), is_chunked=True),
    "chunks of nothing": typed("text/plain", b"", is_chunked=True),
    "one byte in chunks": typed("text/plain", b"x", is_chunked=True),
    "a file of no bytes": form("/upload", ("a", "empty", b"")),
    "a file of one byte": form("/upload", ("a", "größe", b"\0")),
    "a file of a megabyte": form("/upload", ("a", "large", contents(1 << 20))),
    "several files": form("/echo/", ("a", "1", b"one"), ("a", "2", b"\r\n--border"), ("b", "1", b"\xff" * 70_000)),
    "20 MB": form("/upload", ("a", "large", LARGE)),
    "20 MB in chunks": form("/upload", ("a", "large", LARGE), is_chunked=True),
    "a body that is waited for": Case("/echo/", "PUT", (("Content-Type", "text/plain"), EXPECT), b"x" * 1000),
    "a form that is waited for": form("/upload", ("a", "1", contents(100_000)), fields=(EXPECT,)),
    "chunks that are waited for": form("/upload", ("a", "1", contents(100_000)), fields=(EXPECT,), is_chunked=True),
}


def ranged(value, name="megabyte", method="GET", *more):
    return Case(f"/files/{name}", method, (("Range", f"bytes={value}"), *more))


DOWNLOADS = {
    **{f"a file: {name}": Case(f"/files/{name}") for name in FILES},
    "HEAD of a large file": Case("/files/large", "HEAD"),
    "an attachment": Case("/files/byte?attachment"),
    "no such file": Case("/files/none"),
    "a range": ranged("1000-200000"),
    "a range of one byte": ranged("0-0"),
    "a range from the end": ranged("-500"),
    "a range to the end": ranged("1000000-"),
    "a range behind the end": ranged("99999999-"),
    "several ranges": ranged("0-1,5-6"),
    "a range that is none": ranged("x"),
    "a range of an empty file": ranged("0-5", "empty"),
    "HEAD with a range": ranged("5-9", "megabyte", "HEAD"),
    "a range of another version": ranged("0-9", "megabyte", "GET", ("If-Range", '"other"')),
    "a file that was not modified": Case(
        "/files/large", fields=(("If-Modified-Since", "Wed, 01 Jan 2025 00:00:00 GMT"),)
    ),
    "pieces": Case("/pieces/1000"),
    "no pieces": Case("/pieces/0"),
    "many pieces": Case("/pieces/5000"),
    "HEAD of pieces": Case("/pieces/10", "HEAD"),
}

CASES = {**PAGES, **FIELDS, **UPLOADS, **DOWNLOADS}
SMALL = [name for name, case in CASES.items() if "large" not in case.target and len(case.body or b"") < 1 << 20]


def end_to_end(fields, way, but=frozenset()):
    """Fields in their order without those of one connection. Their names keep their spelling in HTTP/1.1."""
    lowered = [(name.lower(), value) for name, value in fields]
    kept = lowered if way == "h2" else fields
    return [field for field, (name, _) in zip(kept, lowered) if name not in OF_ONE_CONNECTION | FRAMING | but]


def framing(fields, way):
    """How the body's end is told. HTTP/2 has no chunks, and no length says the same there."""
    names = {"content-length"} if way == "h2" else FRAMING
    return sorted((name.lower(), value) for name, value in fields if name.lower() in names)


def expect_same(answer, direct, way):
    assert answer.status == direct.status
    assert end_to_end(answer.fields, way, {"date"}) == end_to_end(direct.fields, way, {"date"})
    assert [name for name, _ in answer.fields].count("date" if way == "h2" else "Date") == 1
    assert framing(answer.fields, way) == framing(direct.fields, way)
    assert answer.body == direct.body
    assert [(status, end_to_end(fields, way)) for status, fields in answer.interim] == [
        (status, end_to_end(fields, way)) for status, fields in direct.interim
    ]


def expect_same_request(got, direct, way):
    for key in ("method", "target", "length", "sha256"):
        assert got[key] == direct[key], key
    told = [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Proto", "http" if way == "http" else "https")]
    told.append(("X-Forwarded-Host", "localhost"))
    fields = [tuple(field) for field in got["fields"]]
    # They come last, behind what the client said.
    asked = [field for field in fields if field not in told]
    assert len(fields) - len(asked) == len(told)
    direct = [tuple(field) for field in direct["fields"]]
    assert end_to_end(asked, way) == end_to_end(direct, way)
    assert framing(asked, "http") == framing(direct, "http")


def compared(site, case):
    """The answer with and without the gateway, compared; and what the application was asked."""
    site.application.asked()
    answers = {}
    for way in ("direct", *site.WAYS):
        with site.connect(way) as connection:
            answers[way] = ask(connection, case)
    asked = dict(zip(answers, site.application.asked(), strict=True))
    for way in site.WAYS:
        expect_same(answers[way], answers["direct"], way)
        expect_same_request(asked[way], asked["direct"], way)
    return answers["direct"]


@pytest.mark.parametrize("name", CASES)
def test_is_the_same_with_and_without_the_gateway(site, name):
    compared(site, CASES[name])


def test_the_comparison_is_of_something(site):
    """The application does what the names of the cases say."""
    assert compared(site, CASES["a tag that matches"]).status == 304
    assert compared(site, CASES["a range"]).body == contents(1 << 20)[1000:200001]
    assert json.loads(compared(site, CASES["20 MB"]).body)["a"][2:] == [len(LARGE), digest(LARGE)]
    assert [status for status, _ in compared(site, CASES["a form that is waited for"]).interim] == [100]
    assert compared(site, CASES["early hints"]).interim[0][1][0] == ("Link", "</style.css>; rel=preload")
    assert ("Transfer-Encoding", "chunked") in compared(site, CASES["pieces"]).fields
    assert len([name for name, _ in compared(site, CASES["cookies that are set"]).fields if name == "Set-Cookie"]) == 6


@pytest.mark.parametrize("way", Site.WAYS)
def test_one_after_the_other_on_one_connection(site, way):
    with site.connect(way) as connection:
        for name in SMALL:
            with site.connect("direct") as other:
                expect_same(ask(connection, CASES[name]), ask(other, CASES[name]), way)


def test_all_at_once_on_one_connection(site):
    names = [name for name in SMALL if not CASES[name].expects]
    with site.connect("h2") as connection:
        exchanges = {name: begin_h2(connection, CASES[name]) for name in names}
        for name in reversed(names):
            with site.connect("direct") as other:
                expect_same(answer_of(exchanges[name]), ask(other, CASES[name]), "h2")


def test_all_behind_each_other_on_one_connection(site):
    """Requests that do not wait for the answers before them (RFC 9112, 9.3.2)."""
    names = [name for name in SMALL if not CASES[name].expects]
    with site.connect("http") as connection, ThreadPoolExecutor(1) as other:
        sending = other.submit(lambda: [begin(connection, CASES[name]) for name in names])
        answers = [answer_of(Sender(connection, CASES[name])) for name in names]
        sending.result()
    for name, answer in zip(names, answers):
        with site.connect("direct") as connection:
            expect_same(answer, ask(connection, CASES[name]), "http")


@pytest.mark.parametrize("way", ["http", "https"])
@pytest.mark.parametrize("target", ["/", "/pieces/1000", "/files/byte", "/status/204", "/nowhere"])
def test_clients_of_http_1_0(site, way, target):
    bodies = []
    for each in ("direct", way):
        with site.connect(each) as connection:
            connection.send(request(path=target, version="1.0"))
            response = connection.head()
            assert response["Transfer-Encoding"] is None
            bodies.append((response.status, connection.rest()))
    assert bodies[0] == bodies[1]


def test_the_application_knows_how_it_was_asked(site):
    """Absolute locations have the scheme and host of the client."""
    for way, expected in (("http", "http"), ("https", "https"), ("h2", "https")):
        for target, place in (("/where", "/"), ("/echo", "/echo/")):
            with site.connect(way) as connection:
                fields = {name.lower(): value for name, value in ask(connection, Case(target)).fields}
            assert fields["location"] == f"{expected}://localhost{place}"


DOTS = {
    "/echo/a/../b?c/../d": "/echo/b?c/../d",
    "/echo/./%2e%2E/echo/x/.": "/echo/x/",
    "/./echo/.%2e/echo/": "/echo/",
}


@pytest.mark.parametrize("target, seen", DOTS.items())
@pytest.mark.parametrize("way", Site.WAYS)
def test_dots_are_resolved_before_the_application_sees_them(site, way, target, seen):
    site.application.asked()
    with site.connect(way) as connection:
        assert ask(connection, Case(target)).status == 200
    assert [note["target"] for note in site.application.asked()] == [seen]


# Real clients.

CURL = ["curl", "--silent", "--show-error", "--max-time", "60", "--noproxy", "*"]
HOWS = {"direct": [], "http": [], "https": ["--http1.1"], "h2": ["--http2"]}
VERSIONS = {"direct": "1.1", "http": "1.1", "https": "1.1", "h2": "2"}


def curl(site, authority, folder, way, path, *arguments):
    """What curl takes for the answer: status, end-to-end fields, body."""
    body, head = folder / f"{way}.body", folder / f"{way}.head"
    where = ["--cacert", authority.certificate, "--output", body, "--dump-header", head, site.url(way, path)]
    what = ["--write-out", "%{http_version} %{num_redirects}", *arguments]
    said = subprocess.run([*CURL, *HOWS[way], *what, *where], capture_output=True, text=True, check=True).stdout
    assert said.split()[0] == VERSIONS[way]
    *_, last = head.read_bytes().decode("latin-1").removesuffix("\r\n\r\n").split("\r\n\r\n")
    line, *lines = last.split("\r\n")
    fields = [(name.lower(), value) for name, value in (each.split(": ", 1) for each in lines if each[-1] != ":")]
    kept = [field for field in fields if field[0] not in OF_ONE_CONNECTION | {"date", "transfer-encoding"}]
    return line.split()[1], sorted(kept), said.split()[1], digest(body.read_bytes())


CURLED = {
    "an upload": ("/upload", "--form", "a=@large", "--form", "b=@byte"),
    "an upload of 20 MB in chunks": ("/upload", "--form", "a=@large", "--header", "Transfer-Encoding: chunked"),
    "a body from a file": ("/echo/", "--upload-file", "megabyte"),
    "a download": ("/files/large",),
    "a download that goes on": ("/files/large", "--continue-at", "19000000"),
    "redirects": ("/redirect/302", "--location"),
    "a POST that is redirected": ("/redirect/308", "--location"),
    "cookies": ("/cookies", "--cookie-jar", "jar"),
    "compression": ("/gzip", "--compressed"),
}


@pytest.mark.parametrize("name", CURLED)
def test_as_curl_sees_it(site, authority, tmp_path, name):
    path, *arguments = CURLED[name]
    files = [argument.replace("@", f"@{site.folder}/") for argument in arguments]
    files = [f"{site.folder}/{each}" if each in FILES else each for each in files]
    files = [str(tmp_path / each) if each == "jar" else each for each in files]
    direct, *others = [curl(site, authority, tmp_path, way, path, *files) for way in HOWS]
    assert direct[0] in ("200", "206")
    for other in others:
        assert other == direct


@pytest.mark.parametrize("way", ["direct", *Site.WAYS])
def test_a_visit_with_httpx(site, way):
    """A session: cookies that come back, forms, an upload, a stream of pieces."""
    with httpx.Client(base_url=site.url(way, ""), verify=site.context, http2=way == "h2", trust_env=False) as client:
        assert [client.get("/visits").text for _ in range(3)] == ["1", "2", "3"]
        response = client.post("/echo/", data={"größe": ["1", "ü"]})
        assert response.json()["form"] == {"größe": ["1", "ü"]}
        assert response.http_version == ("HTTP/2" if way == "h2" else "HTTP/1.1")
        response = client.post("/upload", files={"file": ("name", LARGE)})
        assert response.json()["file"][2:] == [len(LARGE), digest(LARGE)]
        assert client.get("/redirect/303", follow_redirects=True).json()["arguments"] == {"a": ["1"], "b": ["/"]}
        with client.stream("GET", "/pieces/500") as response:
            assert b"".join(response.iter_raw()) == b"".join(b"%d\n" % number * 100 for number in range(500))
