"""The file of the access log: rotation, and what happens when it cannot be written."""

import json
import os
import re
import signal
import stat
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness.client import ask, connect
from harness.gateway import LISTENING, PATIENCE, SLUICE, run, settings, write

pytestmark = pytest.mark.http1


def logging(access, **more):
    return settings(**{"log": {"access": access}, **more})


def until(gateway, condition):
    """Looks again and again for what no reader tells of, while the gateway lives."""
    last = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < last
        with pytest.raises(subprocess.TimeoutExpired):
            gateway.process.wait(0.01)


def paths(file):
    return [json.loads(line)["path"] for line in file.read_text().splitlines()]


@pytest.mark.both
def test_no_line_is_lost_and_all_are_whole(start, tmp_path):
    gateway = start(logging("access.log", workers=2))

    def many(name):
        with connect(gateway.port) as client:
            for number in range(625):
                assert client.request(path=f"/?n={name}-{number}").status == 200

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(many, range(8)))
    gateway.stop()
    lines = [json.loads(line) for line in (tmp_path / "access.log").read_text().splitlines()]
    assert sorted(line["query"] for line in lines) == sorted(f"n={a}-{b}" for a in range(8) for b in range(625))
    assert not any("lost" in line for line in lines)
    assert stat.S_IMODE((tmp_path / "access.log").stat().st_mode) & ~0o640 == 0


def test_sigusr1_opens_the_file_again(start, tmp_path):
    gateway = start(logging("access.log"))
    ask(gateway.port, path="/before")
    until(gateway, lambda: paths(tmp_path / "access.log") == ["/before"])
    (tmp_path / "access.log").rename(tmp_path / "access.log.1")
    gateway.process.send_signal(signal.SIGUSR1)
    until(gateway, (tmp_path / "access.log").exists)
    ask(gateway.port, path="/after")
    gateway.stop()
    assert paths(tmp_path / "access.log.1") == ["/before"] and paths(tmp_path / "access.log") == ["/after"]


@pytest.mark.parametrize("how", ["renamed", "removed"])
def test_a_file_that_is_gone_is_noticed_without_a_signal(start, tmp_path, how):
    gateway = start(logging("access.log"))
    file = tmp_path / "access.log"
    ask(gateway.port, path="/before")
    until(gateway, lambda: file.read_text())
    file.rename(tmp_path / "old") if how == "renamed" else file.unlink()

    def is_back():
        ask(gateway.port, path="/after")
        return file.exists()

    until(gateway, is_back)
    gateway.stop()
    assert set(paths(file)) == {"/after"}


def test_sigusr1_without_an_access_log_does_nothing(gateway):
    gateway.process.send_signal(signal.SIGUSR1)
    assert ask(gateway.port).body == b"ok"


def test_a_full_disk_costs_lines_and_no_more(start):
    gateway = start(logging("/dev/full"))
    for _ in range(50):
        assert ask(gateway.port).body == b"ok"
    assert "No space left" in gateway.wait_for_log("access log")
    gateway.stop()
    assert gateway.log().count("access log") == 1, "once a minute"


def test_a_pipe_that_nobody_reads_costs_lines_and_no_more(tmp_path):
    file = write(tmp_path, logging({"path": "stdout", "format": "json"}, listeners=["127.0.0.1:0"]))
    process = subprocess.Popen([SLUICE, "run", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        port = int(LISTENING.search(process.stderr.readline()).group(1))
        asked = 0
        # More than the pipe and the queue hold.
        with connect(port) as client:
            for _ in range(560):
                assert client.request(path="/" + "a" * 8000).status == 404
                asked += 1
        assert "too slowly" in process.stderr.readline()
        # Now somebody reads, and is told what was lost.
        lines = []
        reader = threading.Thread(target=lambda: lines.extend(process.stdout))
        reader.start()
        last = time.monotonic() + PATIENCE
        while not any('"lost"' in line for line in list(lines)):
            assert ask(port, path="/read").status == 404
            asked += 1
            assert time.monotonic() < last
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
        reader.join(PATIENCE)
        found = [json.loads(line) for line in lines]
        assert len(found) + sum(line.get("lost", 0) for line in found) == asked
    finally:
        process.kill()
        process.wait()


def test_a_pipe_that_nobody_reads_does_not_keep_it_from_ending(tmp_path):
    file = write(tmp_path, logging("stdout", listeners=["127.0.0.1:0"], shutdown_grace="100ms"))
    process = subprocess.Popen([SLUICE, "run", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        port = int(LISTENING.search(process.stderr.readline()).group(1))
        with connect(port) as client:
            for _ in range(50):
                assert client.request(path="/" + "a" * 8000).status == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def test_a_log_piped_to_a_program_that_ended_ends_nothing(tmp_path):
    file = write(tmp_path, logging("stdout", listeners=["127.0.0.1:0"]))
    process = subprocess.Popen([SLUICE, "run", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        port = int(LISTENING.search(process.stderr.readline()).group(1))
        process.stdout.close()
        assert ask(port).body == b"ok"
        assert "Broken pipe" in process.stderr.readline()
        assert ask(port).body == b"ok"
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def test_a_folder_that_is_missing_is_told_by_check(tmp_path):
    file = write(tmp_path, 'log:\n  access: logs/access.log\nlisteners: [":0"]\nroutes: [{match: /, respond: ok}]\n')
    checked = run("check", file)
    assert checked.returncode == 2
    assert re.search(r"sluice\.yaml:2:11: log\.access\S*: there is no folder \S*/logs", checked.stderr), checked.stderr
    os.mkdir(tmp_path / "logs")
    assert run("check", file).returncode == 0


def test_a_file_that_cannot_be_opened_is_told_at_the_start(tmp_path):
    file = write(tmp_path, logging({"path": "/proc/nobody-writes-here"}))
    started = run("run", file)
    assert started.returncode == 1 and "/proc/nobody-writes-here cannot be opened" in started.stderr.replace("(", "").replace(")", "")
