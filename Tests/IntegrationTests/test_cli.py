"""The command line: what it prints, and what it exits with."""

import re
import shutil
import ssl
import stat
import subprocess

import pytest
from harness.client import ask
from harness.gateway import CONF, Gateway, development_authority, run, settings, write
from harness.sse import Stream
from harness.upstream import Scripted

pytestmark = pytest.mark.http1

BROKEN = """\
listeners:
  - ":8080"
  - address: "127.0.0.1:99999"
sources:
  clock:
    ticker: {evry: 2s, data: hello}
topics:
  hello:
    sources: [clok]
    heartbeat: fifteen
    histroy: {events: 10}
routes:
  - match: /
    subscribe: helo
  - match: {path: /b, metods: [GET]}
    respond: ok
limits:
  request_head: 64KB
"""


def output(done):
    return done.stdout + done.stderr


def test_all_errors_are_reported_at_once_each_at_its_place(tmp_path):
    path = write(tmp_path, BROKEN)
    done = run("check", path)
    assert done.returncode == 2
    found = {int(line) for line in re.findall(r"sluice\.yaml:(\d+):\d+", output(done))}
    assert found >= {3, 6, 9, 10, 11, 14, 15, 18}, output(done)
    assert not found & {1, 2, 4, 5, 7, 8, 12, 13}


@pytest.mark.parametrize("near", ["every", "clock", "history", "hello", "methods"])
def test_a_name_that_is_close_is_suggested(tmp_path, near):
    said = output(run("check", write(tmp_path, BROKEN)))
    assert re.search(rf"did you mean\W+{near}\b", said), said


def test_run_refuses_what_check_refuses(tmp_path):
    done = run("run", write(tmp_path, BROKEN))
    assert done.returncode == 2
    assert len(re.findall(r"sluice\.yaml:\d+:\d+", output(done))) >= 8


@pytest.mark.parametrize(
    "text, place",
    [
        ("listeners: [\n", r":\d+:\d+"),
        ("a: &a [*a]\n", r":1:\d+"),
        ("topics: {t: {}}\ntopics: {u: {}}\n", r":2:\d+"),
        ("- 1\n- 2\n", r":1:1"),
        ("\tlisteners: 1\n", r":1:\d+"),
        ("listeners: ['${NOT_SET_ANYWHERE}']\n", r":1:\d+"),
    ],
)
def test_what_is_no_configuration_at_all_is_an_error_with_its_place(tmp_path, text, place):
    done = run("check", write(tmp_path, text))
    assert done.returncode == 2
    assert re.search(r"sluice\.yaml" + place, output(done)), output(done)


def test_a_missing_file_is_named(tmp_path):
    done = run("check", tmp_path / "nothing.yaml")
    assert done.returncode == 2
    assert "nothing.yaml" in output(done)


def test_check_accepts_what_runs(tmp_path):
    done = run("check", write(tmp_path, settings()))
    assert done.returncode == 0, output(done)


@pytest.mark.parametrize("name", ["hello.yaml", "sluice.yaml", "relay.yaml"])
def test_the_ready_configurations_are_right(name):
    assert (CONF / name).exists()
    assert run("check", CONF / name).returncode == 0


def test_check_print_shows_every_default_and_is_a_configuration_itself(tmp_path):
    done = run("check", "--print", write(tmp_path, settings()))
    assert done.returncode == 0, output(done)
    for key in ("heartbeat", "max_lag", "history", "shutdown_grace", "request_head", "retry_jitter"):
        assert key in done.stdout
    again = run("check", "--print", write(tmp_path, done.stdout, "printed.yaml"))
    assert again.returncode == 0, output(again)
    assert again.stdout == done.stdout


def test_check_print_shows_no_secret(tmp_path):
    base = settings()
    base["routes"][1]["auth"] = {"bearer": "do-not-show-me"}
    assert "do-not-show-me" not in output(run("check", "--print", write(tmp_path, base)))


@pytest.mark.parametrize("argument", ["version", "--version"])
def test_version_says_which(argument):
    done = run(argument)
    assert done.returncode == 0
    assert re.search(r"\d+\.\d+", done.stdout)


@pytest.mark.parametrize("arguments", [["fly"], ["run", "--unknown"], ["relay"], ["check", "a", "b"]])
def test_bad_usage_exits_with_2(arguments):
    done = run(*arguments)
    assert done.returncode == 2, output(done)
    assert "usage" in output(done).lower()


def test_help_is_no_error():
    done = run("--help")
    assert done.returncode == 0
    for command in ("run", "check", "relay", "cert", "version"):
        assert command in done.stdout


class TestRelay:
    def test_one_feed_is_rebroadcast_at_the_root_without_a_file(self):
        upstream = Scripted()
        gateway = Gateway(["relay", upstream.url.replace("localhost", "127.0.0.1"), "--listen", "127.0.0.1:0"])
        exchange = upstream.accept()
        with Stream(gateway.port, "/") as one, Stream(gateway.port, "/") as two:
            one.opened(), two.opened()
            exchange.stream(b"event: e\ndata: relayed\n\n")
            for stream in (one, two):
                event = stream.next()
                assert (event.type, event.data) == ("e", "relayed")
        exchange.close()
        upstream.close()
        gateway.stop()

    @pytest.mark.parametrize("url", ["ftp://a/b", "nonsense", "http://", "http://user:pw@"])
    def test_what_is_no_url_is_bad_usage(self, url):
        assert run("relay", url, "--listen", "127.0.0.1:0").returncode == 2


class TestCert:
    def made(self, folder, *names):
        done = run("cert", *names, cwd=folder)
        assert done.returncode == 0, output(done)
        return {path for path in folder.rglob("*") if path.is_file()}

    def test_a_development_authority_and_a_certificate_are_made(self, tmp_path):
        files = self.made(tmp_path)
        keys = [path for path in files if "PRIVATE KEY" in path.read_text()]
        assert len(keys) >= 1
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in keys)
        certificates = [path for path in files if path.read_text().startswith("-----BEGIN CERTIFICATE")]
        assert len(certificates) >= 2
        assert all(path.parent == tmp_path / "certs" for path in files)

    def test_asking_again_keeps_what_is_good(self, tmp_path):
        before = {path: path.read_bytes() for path in self.made(tmp_path)}
        assert {path: path.read_bytes() for path in self.made(tmp_path)} == before

    def test_it_serves_and_verifies_for_the_names_given(self, tmp_path, start):
        files = self.made(tmp_path, "localhost", "events.test", "127.0.0.1")
        texts = {path: path.read_text() for path in files}
        pairs = []
        for key in (path for path, text in texts.items() if "PRIVATE KEY" in text):
            for path, text in texts.items():
                if text.startswith("-----BEGIN CERTIFICATE") and same_key(path, key):
                    pairs.append((path, key))
        authority = next(path for path in files if path.suffix == ".pem" and is_authority(path))
        certificate, key = next(pair for pair in pairs if not is_authority(pair[0]))
        listener = {"certificates": [{"certificate": str(certificate), "key": str(key)}]}
        gateway = start(settings(listeners=[{"address": "127.0.0.1:0", "tls": listener}]))
        for name in ("localhost", "events.test"):
            done = subprocess.run(
                ["curl", "-sS", "--cacert", authority, "--resolve", f"{name}:{gateway.port}:127.0.0.1",
                 f"https://{name}:{gateway.port}/"],
                capture_output=True, text=True,
            )  # fmt: skip
            assert done.stdout == "ok", done.stderr

    def test_trust_does_what_it_can_and_says_the_rest(self, tmp_path):
        # Without the system's tool within reach, and with a home of its own: a test changes no trust but its own.
        tools = tmp_path / "tools"
        tools.mkdir()
        (tools / "certutil").symlink_to(shutil.which("certutil"))
        done = run("cert", "--trust", cwd=tmp_path, env={"HOME": str(tmp_path), "PATH": str(tools)})
        assert done.returncode == 0, output(done)
        assert "sudo update-ca-certificates" in output(done)
        store = ["certutil", "-d", f"sql:{tmp_path}/.pki/nssdb", "-L"]
        assert "Sluice development" in subprocess.run(store, capture_output=True, text=True, check=True).stdout

    def test_a_name_that_is_none_is_refused(self, tmp_path):
        for name in ("a b", "", "a\nb", "-x.example", "a" * 300):
            assert run("cert", "--", name, cwd=tmp_path).returncode in (1, 2)


def is_authority(path):
    text = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-text"], capture_output=True, text=True).stdout
    return "CA:TRUE" in text


def same_key(certificate, key):
    def public(*command):
        return subprocess.run(["openssl", *map(str, command)], capture_output=True).stdout

    return public("x509", "-in", certificate, "-noout", "-pubkey") == public("pkey", "-in", key, "-pubout")


def test_a_development_listener_makes_its_certificate_on_first_use(start, tmp_path):
    gateway = start(settings(listeners=["127.0.0.1:0", {"address": "127.0.0.1:0", "tls": "development"}]), cwd=tmp_path)
    context = ssl.create_default_context(cafile=str(development_authority(tmp_path / "certs")))
    assert ask(gateway.ports[1], tls=context).body == b"ok"
