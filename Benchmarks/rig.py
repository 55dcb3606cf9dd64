"""What `lossless` and `flat` share: the programs of numbered/, certificates, a gateway, feeds that are killed and come back."""

import json
import os
import pathlib
import random
import re
import select
import signal
import socket
import subprocess
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 30  # Seconds for what takes a moment.


class Failed(Exception):
    """The run could not be made, or showed what must not be."""


def build(folder):
    """Compiles the feed and the subscribers."""
    numbered = HERE / "numbered"
    subscribers = [numbered / f"{name}.c" for name in ("subscribers", "behaviour", "link", "http2")]
    for name, sources in (("feed", [numbered / "feed.c"]), ("subscribers", subscribers)):
        command = ["cc", "-O2", "-Wall", "-D_GNU_SOURCE", "-o", folder / name, *sources]
        subprocess.run([*command, "-lssl", "-lcrypto", "-lnghttp2", "-lz", "-pthread"], check=True)


def certificates(folder):
    """An authority and a certificate of it for localhost, made with openssl."""

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", *ec, "-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-days", 2, "-subj", "/CN=ca",
            "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
    openssl("req", *ec, "-keyout", folder / "host.key", "-out", folder / "host.csr", "-subj", "/CN=localhost")
    (folder / "host.ext").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    openssl("x509", "-req", "-in", folder / "host.csr", "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
            "-CAcreateserial", "-days", 2, "-extfile", folder / "host.ext", "-out", folder / "host.pem")  # fmt: skip


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Gateway:
    """Sluice with one topic that these feeds fill, served over TLS."""

    def __init__(self, sluice, folder, feeds, topic, limits):
        self._log = folder / "sluice.log"
        configuration = {
            "listeners": [
                {
                    "address": "127.0.0.1:0",
                    "tls": {"certificates": [{"certificate": "host.pem", "key": "host.key"}]},
                }
            ],
            "sources": {f"feed-{feed.name}": feed.source() for feed in feeds},
            "topics": {"numbers": {"sources": [f"feed-{feed.name}" for feed in feeds], **topic}},
            "routes": [{"match": "/events", "subscribe": "numbers"}],
            "limits": limits,
            "shutdown_grace": "2s",
        }
        path = folder / "sluice.yaml"
        path.write_text(json.dumps(configuration, indent=1))  # JSON is YAML.
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen([sluice, "run", path], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.port = self._listening()

    def log(self):
        return self._log.read_text(errors="replace")

    def _listening(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            if match := re.search(r"istening.*(?:address=|on )\S*:(\d+)", self.log()):
                return int(match.group(1))
            time.sleep(0.05)
        raise Failed(f"the gateway did not open its port:\n{self.log()}")

    @property
    def is_running(self):
        return self._process.poll() is None

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) * 1024

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def full_sockets(self, above=100 * 1024):
        """How many of its connections hold so much that their client has not taken, which is all that they may."""
        local = f":{self.port:04X}"
        count = 0
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(local) and int(fields[4].split(":")[0], 16) > above:
                count += 1
        return count

    def stop(self):
        """Ends it as an operator would."""
        if self.is_running:
            self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise Failed("the gateway did not end after SIGTERM") from None
        if status != 0 or re.search(r"Fatal error|Crash|Sanitizer|Illegal instruction", self.log()):
            raise Failed(f"the gateway ended with {status}:\n{self.log()[-4000:]}")


class Feed:
    """A process that sends numbered events (numbered/feed.c)."""

    def __init__(self, folder, name, secure=False, chunked=False, **options):
        (self.port,) = free_ports(1)
        self.name, self.secure, self.restarts = name, secure, 0
        self._folder, self._process = folder, None
        self._command = [folder / "feed", "--name", name, "--port", self.port]
        if secure:
            self._command += ["--certificate", folder / "host.pem", "--key", folder / "host.key"]
        if chunked:
            self._command += ["--chunked"]
        for option, value in options.items():
            self._command += [f"--{option}", value]

    def source(self):
        """Its entry in the gateway's configuration. It comes back soon: the run is short."""
        retry = {"initial": "100ms", "maximum": "500ms"}
        if self.secure:
            return {"url": f"https://localhost:{self.port}/", "ca": "ca.pem", "retry": retry}
        return {"url": f"http://127.0.0.1:{self.port}/", "retry": retry}

    def begin(self, at):
        """Its first event is due a moment after this time (of the monotonic clock)."""
        self._command += ["--start", int(at * 1e9)]
        self._start()

    def _start(self):
        with open(self._folder / f"feed-{self.name}.log", "ab") as log:
            self._process = subprocess.Popen(list(map(str, self._command)), stderr=log, stdin=subprocess.DEVNULL)

    def kill(self, within_an_event):
        """Ends it at once, or in the middle of the next event that it writes."""
        if self._process is None:
            return
        if within_an_event and self._process.poll() is None:
            self._process.send_signal(signal.SIGUSR1)
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                pass
        self._process.kill()
        self._process.wait()
        self._process = None

    def restart(self):
        self.restarts += 1
        self._start()


class Killer:
    """Kills one of the feeds now and then, and starts it again.

    No thread: the kernel ends a feed with the thread that started it."""

    def __init__(self, feeds, every, seed):
        self._feeds, self._every, self._random = feeds, every, random.Random(seed)
        self._dead, self._due = None, 0
        self._plan(every * 0.3, every * 1.7)

    def _plan(self, least, most):
        self._due = time.monotonic() + self._random.uniform(least, most)

    def step(self, is_over):
        """Does what is due; when it is over, only the one that is dead comes back."""
        if self._dead is None and is_over or self._every <= 0 or time.monotonic() < self._due:
            return
        if self._dead is None:
            self._dead = self._random.choice(self._feeds)
            self._dead.kill(self._random.random() < 0.5)
            self._plan(0, 1.5)
        else:
            self._dead.restart()
            self._dead = None
            self._plan(self._every * 0.3, self._every * 1.7)


class Subscribers:
    """The process that subscribes and checks (numbered/subscribers.c)."""

    def __init__(self, folder, port, **options):
        command = [folder / "subscribers", "--port", port, "--authority", folder / "ca.pem"]
        for option, value in options.items():
            command += [f"--{option}"] if value is True else [f"--{option}", value] if value is not False else []
        self._process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
        )
        self._said = []
        threading.Thread(target=lambda: self._said.extend(self._process.stderr), daemon=True).start()
        if self._process.stdout.readline() != "ready\n":
            self._process.wait()
            raise Failed("not all subscribed:\n" + self.said())

    def said(self):
        return "".join(self._said)

    @property
    def is_running(self):
        return self._process.poll() is None

    @property
    def has_news(self):
        """It said something, or has ended."""
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def kill(self):
        self._process.kill()
        self._process.wait()

    def has_finished(self):
        """Waits until all have everything, where they were told to expect that their streams are ended then."""
        return self._process.stdout.readline() == "finished\n"

    def finish(self):
        """Waits for the end, and gives the figures."""
        rest = self._process.stdout.read()
        self._process.wait()
        if not rest.startswith("{"):
            raise Failed(f"the subscribers ended with {self._process.returncode}:\n" + self.said())
        return json.loads(rest)
