"""Static files as a user meets them: what is served and what is not, conditions and ranges."""

import gzip
import os

import pytest
from harness.client import ask, connect
from harness.gateway import CONF, run, write
from harness.raw import Connection
from harness.site import (  # noqa: F401
    LETTERS,
    MEGABYTE,
    OLD,
    OLD_DATE,
    PAGE,
    get,
    large,
    serve,
    site,
)
from harness.sse import Stream


@pytest.mark.http1
def test_site_yaml_serves_a_page_for_every_path_and_events(ready):
    gateway = ready("site.yaml")
    page = (CONF / "demo/index.html").read_bytes()
    for path in ["/", "/index.html", "/any/path"]:
        response = get(gateway, path)
        assert (response.status, response.body, response["X-Content-Type-Options"]) == (200, page, "nosniff")
    assert get(gateway, "/index.html", {"If-None-Match": response["ETag"]}).status == 304
    with Stream(gateway.port, "/events").opened() as stream:
        assert ask(gateway.port, "POST", "/publish/demo", {"Content-Type": "text/plain"}, b"hello").status == 200
        assert stream.next().data == "hello"


class TestWhatIsServed:
    def test_a_file(self, serve):
        gateway = serve({"cache_control": "max-age=60", "types": {"txt": "text/x-letters"}})
        response = get(gateway, "/static/letters.txt")
        assert (response.status, response.body) == (200, LETTERS)
        assert response["Content-Type"] == "text/x-letters"
        assert response["Content-Length"] == "26"
        assert response["Last-Modified"] == OLD_DATE
        assert response["Accept-Ranges"] == "bytes"
        assert response["Cache-Control"] == "max-age=60"
        head = get(gateway, "/static/letters.txt", method="HEAD")
        assert (head.status, head.body) == (200, b"")
        assert sorted(head.fields) == sorted(response.fields)

    def test_an_empty_file(self, serve):
        gateway = serve()
        with connect(gateway.port) as connection:
            for _ in range(2):
                response = connection.request(path="/static/empty.txt")
                assert (response.status, response.body, response["Content-Length"]) == (200, b"", "0")

    @pytest.mark.parametrize(
        ("path", "body", "content_type"),
        [
            ("/static/", PAGE, "text/html; charset=utf-8"),
            ("/static/index.html?v=1", PAGE, "text/html; charset=utf-8"),
            ("/static/docs/", b"docs", "text/html; charset=utf-8"),
            ("/static/docs/with%20space%20%C3%A9.css", b"p {}", "text/css; charset=utf-8"),
            ("/static/%6cetters.txt", LETTERS, "text/plain; charset=utf-8"),
            ("/static/bare/../letters.txt", LETTERS, "text/plain; charset=utf-8"),
            ("/static/bare/file", b"in a folder without an index", "application/octet-stream"),
            ("/static/link.txt", LETTERS, "text/plain; charset=utf-8"),
            ("/static/.well-known/security.txt", b"well known", "text/plain; charset=utf-8"),
        ],
    )
    def test_paths(self, serve, path, body, content_type):
        response = get(serve(), path)
        assert (response.status, response.body, response["Content-Type"]) == (200, body, content_type)

    @pytest.mark.parametrize(
        ("path", "location"),
        [("/static", "/static/"), ("/static/docs?a=1&b", "/static/docs/?a=1&b"), ("/static/%64ocs", "/static/%64ocs/")],
    )
    def test_a_folder_is_asked_for_with_a_slash(self, serve, path, location):
        response = get(serve(), path)
        assert (response.status, response["Location"]) == (308, location)

    def test_other_methods(self, serve):
        gateway = serve()
        for method in ["POST", "PUT", "DELETE", "OPTIONS"]:
            response = get(gateway, "/static/letters.txt", method=method)
            assert (response.status, response["Allow"]) == (405, "GET, HEAD")

    def test_other_methods_of_a_route_that_takes_them(self, serve):
        gateway = serve(match={"path": "/static/**", "methods": ["GET", "POST"]})
        response = get(gateway, "/static/letters.txt", method="POST")
        assert (response.status, response["Allow"]) == (405, "GET, HEAD")

    def test_an_application_in_one_page(self, serve, site):
        gateway = serve({"fallback": "index.html"}, match="/**")
        for path in ["/", "/any/path", "/bare/", "/bare", "/letters.txt/", "/none.css"]:
            response = get(gateway, path)
            assert (response.status, response.body, response["Content-Type"]) == (200, PAGE, "text/html; charset=utf-8")
        assert get(gateway, "/letters.txt").body == LETTERS
        assert get(gateway, "/.env").status == 404
        (site / "index.html").unlink()
        assert get(gateway, "/any/path").status == 404

    def test_rewritten_paths(self, serve):
        gateway = serve(match="/a/**", route={"rewrite": {"strip_prefix": "/a", "add_prefix": "/docs"}})
        assert get(gateway, "/a/index.html").body == b"docs"

    def test_indexes_in_their_order(self, serve):
        gateway = serve({"index": ["none.html", "file", "index.html"]})
        assert get(gateway, "/static/bare/").body == b"in a folder without an index"
        assert get(gateway, "/static/").body == PAGE
        assert get(serve({"index": []}), "/static/").status == 404

    def test_a_root_that_is_replaced(self, serve, site, tmp_path):
        (tmp_path / "current").symlink_to("site")
        gateway = serve({"root": "current"})
        assert get(gateway, "/static/").body == PAGE
        (tmp_path / "next").mkdir()
        (tmp_path / "next/index.html").write_text("next")
        (tmp_path / "link").symlink_to("next")
        os.replace(tmp_path / "link", tmp_path / "current")
        assert get(gateway, "/static/").body == b"next"

    def test_a_root_that_is_gone_is_the_gateways_trouble(self, serve, site, tmp_path):
        (tmp_path / "current").symlink_to("site")
        gateway = serve({"root": "current", "fallback": "index.html"})
        assert get(gateway, "/static/none").body == PAGE
        (tmp_path / "current").unlink()
        # No page that crawlers or caches would take for gone.
        for path in ["/static/", "/static/none", "/static/letters.txt"]:
            assert get(gateway, path).status == 500
        assert f"the folder {tmp_path}/current cannot be opened" in gateway.wait_for_log("a file cannot be read")
        assert gateway.log().count("a file cannot be read") <= 2
        (tmp_path / "current").symlink_to("site")
        assert get(gateway, "/static/none").body == PAGE

    def test_files_that_were_compressed_before(self, serve, site):
        (site / "letters.txt.gz").write_bytes(gzip.compress(LETTERS))
        (site / "docs/index.html.gz").mkdir()
        gateway = serve({"precompressed": "on"})
        plain = get(gateway, "/static/letters.txt")
        packed = get(gateway, "/static/letters.txt", {"Accept-Encoding": "br, gzip"})
        assert (plain["Content-Encoding"], packed["Content-Encoding"]) == (None, "gzip")
        assert (plain.body, gzip.decompress(packed.body)) == (LETTERS, LETTERS)
        assert plain["Content-Type"] == packed["Content-Type"] == "text/plain; charset=utf-8"
        assert plain["Vary"] == packed["Vary"] == "Accept-Encoding"
        assert plain["ETag"] != packed["ETag"]
        fields = {"Accept-Encoding": "gzip", "If-None-Match": packed["ETag"]}
        assert get(gateway, "/static/letters.txt", fields).status == 304
        assert get(gateway, "/static/letters.txt", {**fields, "Accept-Encoding": "gzip;q=0"}).body == LETTERS
        # Nobody could put several parts of it together again.
        fields = {"Accept-Encoding": "gzip", "Range": "bytes=0-1,4-5"}
        several = get(gateway, "/static/letters.txt", fields)
        assert (several.status, gzip.decompress(several.body)) == (200, LETTERS)
        one = get(gateway, "/static/letters.txt", {**fields, "Range": "bytes=2-5"})
        assert (one.status, one.body, one["Content-Encoding"]) == (206, packed.body[2:6], "gzip")
        index = get(gateway, "/static/docs/", {"Accept-Encoding": "gzip"})
        assert (index.body, index["Content-Encoding"]) == (b"docs", None)
        off = get(serve(), "/static/letters.txt", {"Accept-Encoding": "gzip"})
        assert (off.body, off["Content-Encoding"], off["Vary"]) == (LETTERS, None, None)

    def test_fields_of_the_route(self, serve):
        route = {"security_headers": "on", "response_headers": {"set": {"X-Own": "a"}}}
        response = get(serve(route=route), "/static/letters.txt")
        assert (response["X-Content-Type-Options"], response["X-Own"]) == ("nosniff", "a")


REFUSED = [
    "/static/../secret.txt",
    "/static/..",
    "/static/../../../../../etc/passwd",
    "/static/%2e%2e/secret.txt",
    "/static/%2E%2e/%2e%2E/etc/passwd",
    "/static/..%2fsecret.txt",
    "/static/%2e%2e%2fsecret.txt",
    "/static/..%5csecret.txt",
    "/static/..\\secret.txt",
    "/static/%252e%252e/secret.txt",
    "/static/....//secret.txt",
    "/static/docs/../../secret.txt",
    "/static/docs%2findex.html",
    "/static/docs%5cindex.html",
    "/static//letters.txt",
    "/static//etc/passwd",
    "/static/%2fetc/passwd",
    "/static/%2Fetc%2Fpasswd",
    "/static///",
    "/static/letters.txt%00",
    "/static/letters.txt%00.html",
    "/static/%00",
    "/static/letters.txt%0a",
    "/static/letters.txt%",
    "/static/letters.txt/",
    "/static/letters.txt/x",
    "/static/.env",
    "/static/%2eenv",
    "/static/.git/config",
    "/static/.git/",
    "/static/docs/.",
    "/static/.well-knownx/security.txt",
    "/static/out",
    "/static/absolute",
    "/static/up/secret.txt",
    "/static/up/site/letters.txt",
    "/static/loop",
    "/static/fifo",
    "/static/bare/",
    "/static/bare",
    "/static/none",
    "/static/" + "x" * 300,
    "/static/" + "x/" * 2500 + "x",
    "/static-other/file",
    "/staticsite/letters.txt",
    "/static/\xff",
    "/static/%ff",
]


class TestWhatIsNot:
    @pytest.mark.http1
    @pytest.mark.parametrize("path", REFUSED, ids=range(len(REFUSED)))
    def test_paths_as_bytes(self, serve, path):
        gateway = serve()
        with Connection(gateway.port) as connection:
            connection.send(b"GET " + path.encode("latin-1") + b" HTTP/1.1\r\nHost: a\r\n\r\n")
            response = connection.response()
        # Where a folder with an index is meant in the end, that is what is served.
        if path == "/static/docs/.":
            assert response.body == b"docs"
        else:
            assert response.status in (400, 404), response
            assert b"SECRET" not in response.body and b"root:" not in response.body

    @pytest.mark.h2
    def test_paths_over_http2(self, serve):
        gateway = serve()
        with connect(gateway.port) as connection:
            for path in REFUSED:
                if path != "/static/docs/.":
                    response = connection.request(path=path)
                    assert response.status in (400, 404), path
                    assert b"SECRET" not in response.body and b"root:" not in response.body

    @pytest.mark.http1
    @pytest.mark.parametrize("match", ["/**", "/{any}/**"])
    def test_a_redirect_leads_to_no_other_host(self, serve, site, match):
        (site / "evil.example").mkdir()
        (site / "evil.example/index.html").touch()
        gateway = serve(match=match)
        with Connection(gateway.port) as connection:
            for path in ["//evil.example", "//evil.example/%2e%2e", "/x/..//evil.example", "///evil.example"]:
                connection.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
                response = connection.response()
                assert not (response["Location"] or "/").startswith("//"), (path, response)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_file_that_may_not_be_read(self, serve, site):
        gateway = serve()
        (site / "letters.txt").chmod(0)
        assert get(gateway, "/static/letters.txt").status == 403

    def test_a_root_that_is_not_there_is_an_error_with_its_place(self, tmp_path):
        path = write(tmp_path, 'listeners: [":0"]\nroutes:\n  - match: /**\n    files: none\n')
        checked = run("check", path)
        assert checked.returncode != 0
        reason = f"routes[0].files.root: the folder {tmp_path}/none cannot be opened"
        assert f"4:12: {reason}" in checked.stdout + checked.stderr

    def test_explain_tells_the_files(self, tmp_path, site):
        path = write(tmp_path, 'listeners: [":0"]\nroutes:\n  - match: /a/**\n    files: site\n')
        told = run("explain", "--config", path, "GET", "/a/b")
        assert f"files {site}" in told.stdout + told.stderr


class TestConditions:
    def test_what_the_client_has_is_not_sent_again(self, serve, site):
        gateway = serve({"cache_control": "no-cache"})
        with connect(gateway.port) as connection:
            tag = connection.request(path="/static/letters.txt")["ETag"]
            for fields in [{"If-None-Match": f'"x", W/{tag}'}, {"If-Modified-Since": OLD_DATE}]:
                for method in ["GET", "HEAD"]:
                    response = connection.request(method, "/static/letters.txt", fields)
                    assert (response.status, response.body) == (304, b"")
                    assert (response["ETag"], response["Cache-Control"]) == (tag, "no-cache")
            # The same length at the same second.
            (site / "new.txt").write_bytes(LETTERS.upper())
            os.utime(site / "new.txt", (OLD, OLD))
            os.replace(site / "new.txt", site / "letters.txt")
            response = connection.request(path="/static/letters.txt", fields={"If-None-Match": tag})
            assert (response.status, response.body) == (200, LETTERS.upper())

    def test_what_has_changed_is_not_taken_for_the_same(self, serve):
        gateway = serve()
        with connect(gateway.port) as connection:
            tag = connection.request(path="/static/letters.txt")["ETag"]
            for fields in [{"If-Match": '"x"'}, {"If-Unmodified-Since": "Sun, 09 Sep 2001 01:46:39 GMT"}]:
                assert connection.request(path="/static/letters.txt", fields=fields).status == 412
            assert connection.request(path="/static/letters.txt", fields={"If-Match": tag}).body == LETTERS


class TestRanges:
    @pytest.mark.parametrize(
        ("value", "body", "content_range"),
        [
            ("bytes=0-0", b"a", "bytes 0-0/26"),
            ("bytes=23-", b"xyz", "bytes 23-25/26"),
            ("bytes=-2", b"yz", "bytes 24-25/26"),
            ("bytes=24-99999999999999999999999", b"yz", "bytes 24-25/26"),
            # As players of media ask to learn whether there are parts.
            ("bytes=0-", LETTERS, "bytes 0-25/26"),
            ("bytes=0-25", LETTERS, "bytes 0-25/26"),
        ],
    )
    def test_a_part(self, serve, value, body, content_range):
        response = get(serve(), "/static/letters.txt", {"Range": value})
        assert (response.status, response.body, response["Content-Range"]) == (206, body, content_range)

    def test_several_parts(self, serve):
        response = get(serve(), "/static/letters.txt", {"Range": "bytes=0-1, -2,10-10"})
        assert response.status == 206
        media, boundary = response["Content-Type"].split("; boundary=")
        assert media == "multipart/byteranges"
        parts = (b"\r\n" + response.body).split(b"\r\n--" + boundary.encode())
        assert parts[0] == b"" and parts[-1] == b"--\r\n"
        found = [part.removeprefix(b"\r\n").split(b"\r\n\r\n", 1) for part in parts[1:-1]]
        assert [body for _, body in found] == [b"ab", b"yz", b"k"]
        assert [head for head, _ in found] == [
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Range: bytes %s/26" % part
            for part in (b"0-1", b"24-25", b"10-10")
        ]

    def test_no_such_part(self, serve):
        gateway = serve()
        for value in ["bytes=26-", "bytes=99999999999999999999-", "bytes=-0"]:
            response = get(gateway, "/static/letters.txt", {"Range": value})
            assert (response.status, response["Content-Range"]) == (416, "bytes */26")

    def test_what_asks_for_too_much_gets_the_file_once(self, serve):
        gateway = serve()
        many = ",".join(f"{place}-{place}" for place in range(26))
        for value in [many, ",".join(["0-"] * 1000), "0-9,5-20", "5-1", "a-b", ""]:
            response = get(gateway, "/static/letters.txt", {"Range": "bytes=" + value})
            assert (response.status, response.body) == (200, LETTERS)
        assert get(gateway, "/static/empty.txt", {"Range": "bytes=0-"}).status == 200

    def test_a_download_goes_on_where_it_stopped(self, serve, site):
        gateway = serve()
        path = large(site, 3)
        with connect(gateway.port) as connection:
            first = connection.request(path="/static/large.bin", fields={"Range": f"bytes=0-{MEGABYTE - 1}"})
            rest = {"Range": f"bytes={MEGABYTE}-", "If-Range": first["ETag"]}
            second = connection.request(path="/static/large.bin", fields=rest)
            assert (first.status, second.status) == (206, 206)
            assert first.body + second.body == path.read_bytes()
            os.utime(path, (OLD, OLD))
            response = connection.request(path="/static/large.bin", fields=rest)
            assert (response.status, len(response.body)) == (200, 3 * MEGABYTE)
