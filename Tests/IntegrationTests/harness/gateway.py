"""The built gateway as a process of its own."""

import json
import os
import pathlib
import queue
import re
import resource
import signal
import socket
import subprocess
import threading

TOP = pathlib.Path(__file__).resolve().parents[3]
# What users run is what is tested: an optimised build is another program than a debug build.
SLUICE = pathlib.Path(os.environ.get("SLUICE", TOP / ".build/release/sluice")).resolve()
CONF = TOP / "conf"
PATIENCE = 20  # Seconds until something that must come counts as missing; never a time that a test waits for nothing.

# What a Swift process that traps writes, and what sanitizers write.
CRASH = re.compile(r"Fatal error|Crash|Illegal instruction|Segmentation|Sanitizer|precondition|Precondition|💣")
# `listening address=127.0.0.1:8080`, in whatever order a log handler writes its parts.
LISTENING = re.compile(r"(?:address=|istening on \S*?)(?:\[[^\]]+\]|[\w.*-]+):(\d+)")


def run(*arguments, cwd=None, env=None):
    """Runs `sluice` to its end."""
    return subprocess.run(
        [SLUICE, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


class Gateway:
    """Starts `sluice` and waits until each of its listeners is open; the log tells their ports."""

    def __init__(self, arguments, listeners=1, cwd=None, env=None, descriptors=None, program=SLUICE):
        self.lines = []
        self.ports = []
        self._news = queue.Queue()
        self._signalled = False

        def limit():
            if descriptors:
                both = descriptors if isinstance(descriptors, tuple) else (descriptors, descriptors)
                resource.setrlimit(resource.RLIMIT_NOFILE, both)

        self.process = subprocess.Popen(
            [program, *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            bufsize=1,
            preexec_fn=limit,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._seen = 0
        while len(self.ports) < listeners:
            match = LISTENING.search(self.wait_for_log("istening"))
            if match:
                self.ports.append(int(match.group(1)))

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self._news.put(line)
        self._news.put(None)

    @property
    def port(self):
        return self.ports[0]

    @property
    def pid(self):
        return self.process.pid

    def url(self, path="/", listener=0, scheme="http", host="127.0.0.1"):
        return f"{scheme}://{host}:{self.ports[listener]}{path}"

    def log(self):
        return "\n".join(self.lines)

    def wait_for_log(self, text):
        """The next line (of those not yet waited for) with this text in it, whatever its case."""
        while True:
            while self._seen < len(self.lines):
                line = self.lines[self._seen]
                self._seen += 1
                if text.lower() in line.lower():
                    return line
            try:
                ended = self._news.get(timeout=PATIENCE) is None
            except queue.Empty:
                raise AssertionError(f"no {text!r} in the log:\n{self.log()}") from None
            if ended and self._seen == len(self.lines):
                raise AssertionError(f"ended with {self.process.wait()} before {text!r}:\n{self.log()}")

    def signal(self, number=signal.SIGTERM):
        """Asks it to stop, once: a second signal would stop it at once."""
        if self._signalled:
            return
        self._signalled = True
        self.process.send_signal(number)

    def wait(self):
        """The exit status, once it ended by itself."""
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def stop(self):
        """Ends it as an operator would, and expects a clean end."""
        if self.process.poll() is None:
            self.signal()
        try:
            status = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not end after SIGTERM:\n{self.log()}") from None
        assert status == 0, f"ended with {status}:\n{self.log()}"
        self.expect_no_crash()

    def expect_no_crash(self):
        assert not CRASH.search(self.log()), self.log()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def resident_kilobytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1))

    def processor_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def free_ports(count):
    """Ports that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Tree:
    """A copy of the tree (by links) in which one configuration of conf/ has free ports in place of its own."""

    def __init__(self, folder, name, replace=()):
        self.folder = folder
        (folder / "conf").mkdir(parents=True)
        (folder / "certs").mkdir()
        for entry in TOP.iterdir():
            if entry.name not in ("conf", "certs") and not entry.name.startswith("."):
                (folder / entry.name).symlink_to(entry)
        for entry in CONF.iterdir():
            if entry.name != name:
                (folder / "conf" / entry.name).symlink_to(entry)
        text = (CONF / name).read_text()
        for old, new in replace:
            assert old in text
            text = text.replace(old, new)
        found = list(dict.fromkeys(re.findall(r":(8\d\d\d)\b", text)))
        for old, new in zip(found, free_ports(len(found))):
            text = re.sub(rf":{old}\b", f":{new}", text)
        self.listeners = len(found)
        self.path = folder / "conf" / name
        self.path.write_text(text)

    def start(self):
        gateway = Gateway(["run", self.path], listeners=self.listeners, cwd=self.folder)
        gateway.development_authority = lambda: development_authority(self.folder / "certs")
        return gateway


def development_authority(folder):
    """The certificate of the authority that `sluice cert` made in a folder."""
    for path in sorted(folder.glob("*.pem")):
        shown = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-text"], capture_output=True, text=True)
        if "CA:TRUE" in shown.stdout:
            return path
    raise AssertionError(f"no authority in {sorted(folder.iterdir())}")


def write(folder, settings, name="sluice.yaml"):
    """Writes a configuration: a dictionary (JSON is YAML) or text."""
    path = pathlib.Path(folder) / name
    path.write_text(settings if isinstance(settings, str) else json.dumps(settings, indent=1))
    return path


def settings(topic=None, **more):
    """A gateway with one topic `t` to publish to and subscribe to, and one page."""
    base = {
        "listeners": ["127.0.0.1:0"],
        "topics": {"t": topic or {}},
        "routes": [
            {"match": {"path": "/events"}, "subscribe": "t"},
            {"match": {"path": "/publish/{topic}", "methods": ["POST"]}, "publish": {"topic": "{topic}"}},
            {"match": "/", "respond": "ok"},
        ],
        "shutdown_grace": "2s",
    }
    return {**base, **more}
