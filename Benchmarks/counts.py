"""What is counted beside a run of the load generator, from the first event that it publishes to its end."""

import re
import signal
import struct
import subprocess


class Nothing:
    environment = {}

    def publishing(self, system):
        """The first event is about to be published."""

    def figures(self, delivered):
        """The run is over, the server still there."""
        return {}


class Shares(Nothing):
    """Which part of the connections the busiest worker has."""

    def publishing(self, system):
        self._watched = system.watched()

    def figures(self, delivered):
        return {"largest_share": self._watched[0] / sum(self._watched)} if self._watched else {}


class Calls(Nothing):
    """System calls, by strace. It slows the server down, so the load has to be small enough to be carried all the same."""

    def __init__(self, folder):
        self._path = folder / "calls"

    def publishing(self, system):
        command = ["strace", "--follow-forks", "--summary-only", "--quiet=attach,exit", "--output", self._path]
        for pid in system.processes():
            command += ["--attach", str(pid)]
        self._strace = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def figures(self, delivered):
        self._strace.send_signal(signal.SIGINT)
        self._strace.wait(20)
        # % time, seconds, usecs/call, calls, perhaps errors, name
        rows = re.findall(r"^ +[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$", self._path.read_text(), re.MULTILINE)
        calls = sorted(((int(count) * 1000 / delivered, name) for count, name in rows if name != "total"), reverse=True)
        return {
            "calls_per_1000": sum(count for count, _ in calls),
            "calls": ", ".join(f"{name} {count:.0f}" for count, name in calls if count >= 1),
        }


class Allocations(Nothing):
    """Calls of malloc and its kin, by a library that is loaded before the C library (allocations.c)."""

    def __init__(self, folder):
        self._path = folder / "allocations"
        self._path.unlink(missing_ok=True)
        self.environment = {"LD_PRELOAD": str(folder / "allocations.so"), "ALLOCATIONS": str(self._path)}

    def publishing(self, system):
        self._before = self._read()

    def figures(self, delivered):
        calls, octets = (after - before for after, before in zip(self._read(), self._before))
        return {"allocations_per_1000": calls * 1000 / delivered, "allocated_bytes_per_1000": octets * 1000 / delivered}

    def _read(self):
        return struct.unpack("QQ", self._path.read_bytes()[:16])


def counter(kind, folder):
    match kind:
        case "shares":
            return Shares()
        case "calls":
            return Calls(folder)
        case "allocations":
            return Allocations(folder)
    return Nothing()
