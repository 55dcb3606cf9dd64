"""Fixtures: gateways that end with their test, certificates, upstreams, a browser."""

import ssl

import pytest

from harness import client
from harness.browser import Browser
from harness.certificates import Authority
from harness.examples import build
from harness.gateway import SLUICE, Gateway, Tree, settings, write


def pytest_configure(config):
    config.addinivalue_line("markers", "http1: about HTTP/1.1, or speaks to no gateway; runs once")
    config.addinivalue_line("markers", "h2: about HTTP/2; runs once")
    config.addinivalue_line("markers", "both: over both, in a module that is about one of them")
    if not SLUICE.exists():
        raise pytest.UsageError(f"{SLUICE} is not there: run make test, or swift build")


def pytest_generate_tests(metafunc):
    """What is not about HTTP/1.1 itself is tested over HTTP/2 as well."""
    marks = (mark.name for mark in metafunc.definition.iter_markers())
    protocol = next((name for name in marks if name in ("http1", "h2", "both")), "both")
    if protocol == "both":
        metafunc.parametrize("protocol", list(client.CONNECTIONS), indirect=True)
    else:
        metafunc.parametrize("protocol", [protocol], indirect=True, ids=[pytest.HIDDEN_PARAM])


@pytest.fixture(autouse=True)
def protocol(request):
    """What the harness's clients speak: http1 or h2."""
    client.protocol = request.param
    yield request.param
    client.protocol = "http1"


@pytest.fixture
def start(tmp_path, protocol):
    """start(settings, ...) runs a gateway on a configuration; it must end cleanly when the test is over."""
    gateways = []

    def start(configuration=None, **more):
        configuration = settings() if configuration is None else configuration
        if isinstance(configuration, dict):
            configuration = speaking(configuration, protocol)
            more.setdefault("listeners", len(configuration["listeners"]))
        path = write(tmp_path, configuration, f"sluice-{len(gateways)}.yaml")
        gateways.append(Gateway(["run", path], **more))
        return gateways[-1]

    start.gateways = gateways
    yield start
    stop_all(gateways)


def speaking(configuration, protocol):
    """The configuration with listeners that make clients speak this protocol, where it leaves that open."""

    def listener(given):
        given = given if isinstance(given, dict) else {"address": given}
        if not isinstance(given.get("tls"), dict):
            return {"h2c": "on", **given} if protocol == "h2" else given
        return {**given, "tls": {"alpn": ["http/1.1"], **given["tls"]}} if protocol == "http1" else given

    return {**configuration, "listeners": [listener(each) for each in configuration["listeners"]]}


def stop_all(gateways):
    failures = []
    for gateway in gateways:
        try:
            gateway.stop()
        except AssertionError as failure:
            failures.append(str(failure))
    assert not failures, "\n".join(failures)


@pytest.fixture
def ready(tmp_path):
    """ready("hello.yaml") runs a configuration of conf/ as it is, but on free ports."""
    gateways = []

    def ready(name, replace=()):
        gateways.append(Tree(tmp_path / f"tree-{len(gateways)}", name, replace).start())
        return gateways[-1]

    yield ready
    stop_all(gateways)


@pytest.fixture
def example():
    """example(name, ...) runs a program of Examples."""
    programs = []

    def example(name, *arguments):
        programs.append(Gateway(arguments, program=build(name)))
        return programs[-1]

    yield example
    for program in programs:
        program.process.kill()
        program.process.wait()
        program.expect_no_crash()


@pytest.fixture
def gateway(start):
    """A gateway with one topic."""
    return start()


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate authority made with openssl, not with the gateway's own code."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusting(authority):
    """A client's TLS context that trusts the authority. Of one test: what a client offers by ALPN is set in it."""
    return ssl.create_default_context(cafile=authority.certificate)


@pytest.fixture(scope="session")
def browser(authority, tmp_path_factory):
    """A headless Chromium that trusts the authority; verification stays on."""
    browser = Browser(tmp_path_factory.mktemp("browser"), [authority.certificate])
    yield browser
    browser.close()
