"""TLS as openssl, Python's ssl and sslyze see it."""

import itertools
import os
import shutil
import ssl
import subprocess
import sys

import pytest
from harness.certificates import openssl
from harness.client import publish
from harness.gateway import PATIENCE, run, settings, write
from harness.raw import Connection
from harness.sse import Stream

pytestmark = pytest.mark.http1

GET = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
def secure(start, authority):
    return start(settings(listeners=[authority.listener()], workers="2"))


def s_client(gateway, *arguments, authority, text=GET):
    """`openssl s_client` with verification on; sends a request and shows everything."""
    return subprocess.run(
        [
            "openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-CAfile", authority.certificate,
            "-verify_return_error", "-verify_hostname", "localhost", "-ign_eof", *map(str, arguments),
        ],
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )  # fmt: skip


@pytest.mark.parametrize("option, version", [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
def test_openssl_speaks_both_versions_verified(secure, authority, option, version):
    done = s_client(secure, option, "-alpn", "http/1.1", authority=authority)
    assert done.returncode == 0, done.stderr
    assert f"New, {version}" in done.stdout
    assert "Verification: OK" in done.stdout
    assert "ALPN protocol: http/1.1" in done.stdout
    assert "HTTP/1.1 200" in done.stdout
    assert "Compression: NONE" in done.stdout


@pytest.mark.parametrize("option", ["-tls1", "-tls1_1"])
def test_old_versions_are_refused(secure, authority, option):
    done = s_client(secure, option, "-cipher", "ALL:@SECLEVEL=0", authority=authority)
    assert done.returncode != 0
    assert "SSL alert number" in done.stderr


@pytest.mark.parametrize(
    "cipher",
    ["AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"],
)
def test_tls_1_2_without_aead_and_ecdhe_is_refused(secure, authority, cipher):
    done = s_client(secure, "-tls1_2", "-cipher", cipher + ":@SECLEVEL=0", authority=authority)
    assert "handshake failure" in done.stderr


def test_a_minimum_of_1_3_refuses_1_2(start, authority):
    gateway = start(settings(listeners=[authority.listener(minimum_version="1.3")]))
    assert "alert protocol version" in s_client(gateway, "-tls1_2", authority=authority).stderr
    assert "HTTP/1.1 200" in s_client(gateway, "-tls1_3", authority=authority).stdout


@pytest.mark.parametrize("option", ["-tls1_2", "-tls1_3"])
def test_alpn_without_overlap_ends_with_its_alert_and_without_alpn_it_goes_on(secure, authority, option):
    done = s_client(secure, option, "-alpn", "foo,spdy/3", authority=authority)
    assert "alert number 120" in done.stderr or "no application protocol" in done.stderr
    assert "HTTP/1.1 200" in s_client(secure, option, authority=authority).stdout


def test_renegotiation_is_refused(secure, authority):
    done = s_client(secure, "-tls1_2", authority=authority, text="R\n" + GET)
    assert "HTTP/1.1 200" not in done.stdout or "no renegotiation" in done.stderr


@pytest.mark.parametrize(
    "name, expected",
    [
        ("one.example", "one.example"),
        ("ONE.example", "one.example"),
        ("a.two.example", "*.two.example"),
        ("a.b.two.example", "localhost"),
        ("two.example", "localhost"),
        ("unknown.example", "localhost"),
        (None, "localhost"),
    ],
)
def test_the_certificate_is_chosen_by_sni(start, authority, trusting, name, expected):
    certificates = [authority.issue(), authority.issue("one.example"), authority.issue("*.two.example")]
    gateway = start(settings(listeners=[{"address": "127.0.0.1:0", "tls": {"certificates": certificates}}]))
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.check_hostname = False  # The name sent is not always in the certificate; the chain is verified still.
    with Connection(gateway.port, tls=context, server_name=name) as connection:
        subject = dict(part[0] for part in connection.socket.getpeercert()["subject"])
        assert subject["commonName"] == expected
        assert connection.request().body == b"ok"


def session(gateway, context, given=None):
    """A request over TLS; gives the session for the next one, and whether the given one was used."""
    import socket

    plain = socket.create_connection(("127.0.0.1", gateway.port), PATIENCE)
    with context.wrap_socket(plain, server_hostname="localhost", session=given) as secured:
        secured.sendall(GET.encode())
        while secured.recv(65536):
            pass
        return secured.session, secured.session_reused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_resumes_on_every_worker(start, authority, version):
    gateway = start(settings(listeners=[authority.listener()], workers="4"))
    context = ssl.create_default_context(cafile=str(authority.certificate))
    context.maximum_version = context.minimum_version = version
    ticket, reused = session(gateway, context)
    assert not reused
    # Twenty connections spread over four workers by the kernel.
    for _ in range(20):
        following, reused = session(gateway, context, ticket)
        assert reused
        if version == ssl.TLSVersion.TLSv1_3:
            ticket = following


@pytest.mark.parametrize("option", ["-tls1_2", "-tls1_3"])
def test_openssl_resumes(secure, authority, tmp_path, option):
    assert "New, " in s_client(secure, option, "-sess_out", tmp_path / "session", authority=authority).stdout
    assert "Reused, " in s_client(secure, option, "-sess_in", tmp_path / "session", authority=authority).stdout


def test_a_ticket_that_the_gateway_never_made_costs_a_full_handshake_only(start, authority):
    context = ssl.create_default_context(cafile=str(authority.certificate))
    first = start(settings(listeners=[authority.listener()]))
    ticket, _ = session(first, context)
    second = start(settings(listeners=[authority.listener()]))
    _, reused = session(second, context, ticket)
    assert not reused


def test_early_data_is_not_offered(secure, authority, tmp_path):
    s_client(secure, "-tls1_3", "-sess_out", tmp_path / "session", authority=authority)
    shown = openssl("sess_id", "-in", tmp_path / "session", "-noout", "-text")
    assert "Max Early Data: 0" in shown or "Max Early Data" not in shown


def test_a_client_hello_byte_by_byte_works(secure, trusting):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = trusting.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with Connection(secure.port) as connection:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                for byte in outgoing.read():
                    connection.send(bytes([byte]))
                connection.fill()
                incoming.write(connection.take(len(connection.buffer)))
        tls.write(GET.encode())
        connection.send(outgoing.read())
        incoming.write(connection.rest())
        assert b"200 OK" in tls.read(65536)


@pytest.mark.both
def test_events_large_and_small_come_over_tls(secure, trusting):
    with Stream(secure.port, tls=trusting) as stream:
        stream.opened()
        for size in (0, 1, 16383, 16384, 16385, 500_000):
            publish(secure.port, "x" * size, tls=trusting)
            assert len(stream.next().data) == size


@pytest.mark.both
def test_a_large_request_body_comes_over_tls(secure, trusting):
    with Stream(secure.port, tls=trusting) as stream:
        stream.opened()
        data = "y" * 1_000_000
        publish(secure.port, data, tls=trusting)
        assert stream.next().data == data


def test_the_end_of_a_connection_is_announced(secure, trusting):
    with Connection(secure.port, tls=trusting) as connection:
        connection.send(GET)
        assert connection.response().status == 200
        assert not connection.fill(), "close_notify; a truncation would raise"


@pytest.mark.both
def test_changed_certificates_are_read_again_and_streams_stay(start, authority, trusting, tmp_path):
    files = {"certificate": tmp_path / "live.pem", "key": tmp_path / "live.key"}

    def install(pair):
        for kind, path in files.items():
            shutil.copy(pair[kind], f"{path}.new")
            os.replace(f"{path}.new", path)

    def serial(gateway):
        with Connection(gateway.port, tls=trusting) as connection:
            return connection.socket.getpeercert()["serialNumber"]

    install(authority.issue())
    tls = {"certificates": [{kind: str(path) for kind, path in files.items()}]}
    gateway = start(settings(listeners=[{"address": "127.0.0.1:0", "tls": tls}], workers="2"))
    with Stream(gateway.port, tls=trusting) as stream:
        stream.opened()
        old = serial(gateway)
        install(authority.issue())
        gateway.wait_for_log("certificate")
        # Each worker takes the new one at its own time; at last all have it.
        seen = (serial(gateway) for _ in itertools.count())
        assert any(all(next(seen) != old for _ in range(10)) for _ in range(100))
        publish(gateway.port, "still here", tls=trusting)
        assert stream.next().data == "still here"
        # A pair that does not fit is refused, and the last good one serves on.
        good = serial(gateway)
        shutil.copy(authority.issue()["key"], f"{files['key']}.new")
        os.replace(f"{files['key']}.new", files["key"])
        assert "live.key" in gateway.wait_for_log("live.key")
        assert serial(gateway) == good


@pytest.mark.parametrize("breakage", ["other key", "no certificate", "not PEM", "no key"])
def test_certificate_files_that_cannot_serve_are_named(authority, tmp_path, breakage):
    pair = dict(authority.issue())
    wrong = tmp_path / "wrong.pem"
    if breakage == "other key":
        shutil.copy(authority.issue()["key"], wrong)
        pair["key"] = str(wrong)
    elif breakage == "no certificate":
        pair["certificate"] = str(wrong)
    elif breakage == "not PEM":
        wrong.write_text("this is no certificate")
        pair["certificate"] = str(wrong)
    else:
        pair["key"] = str(wrong)
    listener = {"address": "127.0.0.1:0", "tls": {"certificates": [pair]}}
    for command, statuses in (("check", (2,)), ("run", (1, 2))):
        done = run(command, write(tmp_path, settings(listeners=[listener])))
        assert done.returncode in statuses
        assert "wrong.pem" in done.stderr + done.stdout


def test_an_expired_certificate_is_a_warning(start, authority):
    pair = authority.issue(days=-1)
    gateway = start(settings(listeners=[{"address": "127.0.0.1:0", "tls": {"certificates": [pair]}}]))
    assert "expired" in gateway.log()


def test_sslyze_finds_the_intermediate_profile_of_mozilla_held(secure, authority):
    done = subprocess.run(
        [sys.executable, "-m", "sslyze", "--mozilla_config=intermediate", "--certinfo_ca_file",
         authority.certificate, f"localhost:{secure.port}"],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "OK - Compliant" in done.stdout, done.stdout[-3000:]
