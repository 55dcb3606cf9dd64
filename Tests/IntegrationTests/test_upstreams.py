"""A gateway behind real servers of others and behind another gateway."""

import pathlib
import shutil
import signal
import subprocess
import threading

import pytest
from harness.client import publish
from harness.gateway import free_ports, settings
from harness.proxy import Relay
from harness.raw import Connection
from harness.sse import Stream

QUICK = {"initial": "100ms", "maximum": "300ms"}
NCHAN = pathlib.Path("/usr/lib/nginx/modules/ngx_nchan_module.so")


def feeding(url, topic=None, **source):
    base = settings({"sources": ["feed"], **(topic or {})})
    base["sources"] = {"feed": {"url": url, "retry": QUICK, **source}}
    return base


class Nchan:
    """nginx with nchan: one channel, to publish to and to subscribe to."""

    def __init__(self, folder):
        (self.port,) = free_ports(1)
        self.configuration = folder / "nginx.conf"
        self.configuration.write_text(
            f"""
            load_module {NCHAN};
            worker_processes 1; daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr error;
            events {{}}
            http {{
              access_log off;
              client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
              uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
              server {{
                listen 127.0.0.1:{self.port};
                location /sub {{ nchan_subscriber eventsource; nchan_channel_id c; }}
                location /pub {{ nchan_publisher; nchan_channel_id c; nchan_message_buffer_length 100; }}
              }}
            }}
            """
        )
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", self.configuration])
        while True:
            try:
                self.ask()
                return
            except ConnectionRefusedError:
                assert self.process.poll() is None, "nginx did not start"

    def publish(self, data):
        response = self.ask("POST", data)
        assert response.status in (201, 202), response

    def date(self):
        return self.ask()["Date"]

    def ask(self, method="GET", body=None):
        with Connection(self.port) as connection:
            return connection.request(method, "/pub", {"Content-Type": "text/plain"}, body)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def nchan(tmp_path):
    assert NCHAN.exists(), "the package libnginx-mod-nchan is missing: make test installs it"
    server = Nchan(tmp_path)
    yield server
    server.kill()


@pytest.mark.parametrize("ids", ["gateway", "upstream"])
def test_nchan_is_rebroadcast_and_resumed(start, nchan, ids):
    relay = Relay(nchan.port)
    gateway = start(feeding(f"http://127.0.0.1:{relay.port}/sub", {"ids": ids}))
    gateway.wait_for_log("feed connected")
    with Stream(gateway.port).opened() as stream:
        nchan.publish("one\ntwo")
        assert stream.next().data == "one\ntwo"
        for number in range(30):
            nchan.publish(str(number))
            if number % 10 == 5:
                relay.cut()
        assert [event.data for event in stream.events(30)] == [str(number) for number in range(30)]
    relay.close()


def test_nchan_may_be_killed_and_start_again(start, nchan):
    gateway = start(feeding(f"http://127.0.0.1:{nchan.port}/sub"))
    gateway.wait_for_log("feed connected")
    with Stream(gateway.port).opened() as stream:
        nchan.publish("before")
        assert stream.next().data == "before"
        date = nchan.date()
        nchan.kill()
        gateway.wait_for_log("feed down")
        nchan.start()
        gateway.wait_for_log("feed connected")
        # Its ids are a second and a number in it: in the same second it would give out the same ones once more.
        while nchan.date() == date:
            pass
        for number in range(5):
            nchan.publish(f"after {number}")
        assert [event.data for event in stream.events(5)] == [f"after {number}" for number in range(5)]


def test_a_chain_of_two_gateways_loses_nothing_when_the_connection_between_them_breaks(start):
    first = start(settings({"retry": "100ms"}))
    relay = Relay(first.port)
    second = start(feeding(f"http://127.0.0.1:{relay.port}/events"))
    second.wait_for_log("feed connected")
    total = 200

    def run():
        for number in range(total):
            publish(first.port, str(number))
            if number % 50 == 25:
                relay.cut()
            if number % 50 == 35:
                second.wait_for_log("feed connected")

    with Stream(second.port).opened() as stream:
        publisher = threading.Thread(target=run)
        publisher.start()
        events = stream.events(total)
        publisher.join()
        assert [event.data for event in events] == [str(number) for number in range(total)]
        assert relay.accepted == 5
    relay.close()


def test_the_second_of_two_gateways_resumes_through_a_restart_of_the_first(start):
    (port,) = free_ports(1)
    first = start(settings(listeners=[f"127.0.0.1:{port}"]))
    second = start(feeding(f"http://127.0.0.1:{port}/events", {"heartbeat": "100ms"}))
    second.wait_for_log("feed connected")
    with Stream(second.port).opened() as stream:
        for number in range(5):
            publish(port, str(number))
        assert [event.data for event in stream.events(5)] == list("01234")
        first.stop()
        start.gateways.remove(first)
        start(settings(listeners=[f"127.0.0.1:{port}"]))
        second.wait_for_log("feed connected")
        # The first is another incarnation: what it may have lost is said, to the subscribers of the second too.
        gap = stream.next()
        assert gap.type == "gap"
        for number in range(5, 10):
            publish(port, str(number))
        assert [event.data for event in stream.events(5)] == list("56789")
