"""The servers that `compare` compares, each started anew on loopback with the same topics and the same certificate."""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import time

from rig import free_ports

NCHAN = pathlib.Path("/usr/lib/nginx/modules/ngx_nchan_module.so")


class System:
    """A server: topics at /sub/NAME, published to at /pub/NAME; the one called quiet has a heartbeat every second."""

    def __init__(self, folder):
        self.folder, self.process = folder, None
        self.plain = self.secure = 0

    def command(self, workers, history):
        raise NotImplementedError

    def start(self, workers=1, history=100, environment=None):
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(
                list(map(str, self.command(workers, history))), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                start_new_session=True, env={**os.environ, **(environment or {})},
            )  # fmt: skip
        end = time.monotonic() + 20
        while not self.is_open(self.plain) or not self.is_open(self.secure):
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"{self.name} did not open its ports; it said: {self.said()[-500:]}")
            time.sleep(0.05)

    def is_open(self, port):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return True
        except OSError:
            return False

    def said(self):
        return (self.folder / f"{self.name}.log").read_text(errors="replace")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def processes(self):
        """Its process and the children of that one: nginx does its work in them."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def watched(self):
        """How many connections each worker has: what its epoll watches, from the largest to the smallest.

        Workers of one process share its descriptors, but each has an epoll of its own."""
        counts = []
        for pid in self.processes():
            for entry in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
                try:
                    counts.append(len(re.findall(r"^tfd:", entry.read_text(), re.MULTILINE)))
                except OSError:
                    pass  # closed meanwhile
        return sorted((count for count in counts if count > 10), reverse=True)


class Floor(System):
    name = "floor"

    def command(self, workers, history):
        while True:
            (self.plain,) = free_ports(1)
            self.secure = self.plain + 1
            try:
                socket.create_server(("127.0.0.1", self.secure)).close()
                break
            except OSError:
                continue
        return [self.folder / "floor", self.plain, self.folder / "host.pem", self.folder / "host.key"]


class Nchan(System):
    name = "nchan"

    @staticmethod
    def is_there():
        return bool(shutil.which("nginx")) and NCHAN.exists()

    def command(self, workers, history):
        self.plain, self.secure = free_ports(2)
        channel = f"nchan_channel_id $1; nchan_message_buffer_length {history};"
        stream = f"nchan_subscriber eventsource; nchan_subscriber_timeout 0; {channel}"
        path = self.folder / "nginx.conf"
        path.write_text(f"""
            load_module {NCHAN};
            worker_processes {workers}; daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/nginx.log crit;
            events {{ worker_connections 19000; }}
            http {{
                access_log off; nchan_shared_memory_size 512M; keepalive_requests 1000000;
                server {{
                    listen 127.0.0.1:{self.plain} backlog=4096 {"reuseport" if workers > 1 else ""};
                    listen 127.0.0.1:{self.secure} ssl http2 backlog=4096 {"reuseport" if workers > 1 else ""};
                    http2_max_concurrent_streams 1000;
                    ssl_certificate {self.folder}/host.pem; ssl_certificate_key {self.folder}/host.key;
                    location ~ ^/sub/(quiet)$ {{ {stream} nchan_eventsource_ping_interval 1; }}
                    location ~ ^/sub/(\\w+)$ {{ {stream} }}
                    location ~ ^/pub/(\\w+)$ {{ nchan_publisher; {channel} }}
                }}
            }}""")
        return ["nginx", "-c", path]


class Sluice(System):
    name = "sluice"

    def __init__(self, folder, program):
        super().__init__(folder)
        self.program = program

    def command(self, workers, history):
        self.plain, self.secure = free_ports(2)
        path = self.folder / "compared.yaml"
        path.write_text(f"""
workers: {workers}
log: {{level: error}}
listeners:
  - address: "127.0.0.1:{self.plain}"
  - address: "127.0.0.1:{self.secure}"
    tls: {{certificates: [{{certificate: host.pem, key: host.key}}]}}
topics:
  quiet: {{heartbeat: 1s}}
  "bench.{{name}}": {{history: {{events: {history}}}, limit: 20000}}
routes:
  - match: /sub/quiet
    subscribe: quiet
  - match: "/sub/{{name}}"
    subscribe: "bench.{{name}}"
  - match: {{path: "/pub/{{name}}", methods: [POST]}}
    publish: {{topic: "bench.{{name}}"}}
limits: {{connections: 19000, connections_per_address: 19000}}
""")
        return [self.program, "run", "--config", path]


def systems(folder, sluice):
    """Those that are there, the reference first."""
    found = [Floor(folder)]
    if Nchan.is_there():
        found.append(Nchan(folder))
    if sluice:
        found.append(Sluice(folder, sluice))
    return found
