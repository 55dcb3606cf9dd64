"""Programs as sources: their output becomes events, and nothing of them is left behind."""

import contextlib
import os
import pathlib
import sys
import time

import pytest
from harness.gateway import PATIENCE, run, settings, write
from harness.sse import Stream

QUICK = {"initial": "100ms", "maximum": "300ms"}


def running(command, topic=None, **source):
    base = settings({"sources": ["program"], "gap_event": "off", **(topic or {})})
    base["sources"] = {"program": {"command": command, "retry": QUICK, **source}}
    return base


def everything(gateway):
    """A subscription that begins with the whole history: its cursor is of another gateway."""
    return Stream(gateway.port, last_id="00000000-000000000000")


def script(folder, text, name="program"):
    """A Python program, given as its own file with a first line that names its interpreter."""
    path = folder / name
    path.write_text(f"#!{sys.executable} -u\n" + text)
    path.chmod(0o755)
    return path


def is_alive(pid):
    """Whether a process runs; one that nobody waited for counts as gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid):
    """The processes that a process started, zombies too."""
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(OSError):
            found += pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split()
    return found


def until(condition):
    """Waits for something that only the system can tell."""
    last = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < last
        os.sched_yield()
    return value


def test_a_file_that_grows_is_followed(start, tmp_path):
    log = tmp_path / "app.log"
    log.write_text("before\n")
    # The relative path starts at the folder of the configuration file.
    gateway = start(running(["tail", "-n0", "-F", "app.log"], event="line"), cwd="/")
    gateway.wait_for_log("command started")
    with Stream(gateway.port) as stream:
        stream.opened()
        # tail says nothing when it is ready, so it gets lines until one came through.
        until(lambda: append(log, "ready") and stream_has(stream, "ready"))
        append(log, "one\r\n\ntwo ü\nlast")
        append(log, " of all")
        while (event := stream.next()).data == "ready":
            pass
        assert (event.data, event.type) == ("one", "line")
        assert [event.data for event in stream.events(3)] == ["", "two ü", "last of all"]


def test_a_command_gets_the_limit_of_open_files_that_the_gateway_got(start):
    gateway = start(running(["sh", "-c", "ulimit -Sn; ulimit -Hn"]), descriptors=(300, 1000))
    with everything(gateway) as stream:
        assert [event.data for event in stream.events(2)] == ["300", "1000"]


def append(path, text):
    with path.open("a") as file:
        file.write(text if text.endswith("st") or text.endswith("ü") else text + "\n")
    return True


def stream_has(stream, text):
    stream.connection.socket.settimeout(0.2)
    try:
        return stream.next().data == text
    except TimeoutError:
        return False
    finally:
        stream.connection.socket.settimeout(PATIENCE)


def test_an_event_stream_is_read_as_one_and_goes_on_behind_its_last_id(start, tmp_path):
    program = script(
        tmp_path,
        "import os, time\n"
        "last = int(os.environ.get('LAST_EVENT_ID', '0'))\n"
        "for number in range(last + 1, last + 4):\n"
        "    print(f': a comment\\nid: {number}\\nevent: count\\ndata: {number}\\ndata: more\\n')\n"
        "print('data: half an event')\n",
    )
    gateway = start(running([f"./{program.name}"], {"ids": "upstream"}, format="sse"))
    with everything(gateway) as stream:
        events = stream.events(5)
        numbers = [int(event.id) for event in events]
        assert numbers == list(range(numbers[0], numbers[0] + 5))
        assert all(event.type == "count" and event.data == f"{event.id}\nmore" for event in events)


@pytest.mark.parametrize("end", ["exit 0", "exit 3", "kill -9 $$"])
def test_a_program_that_ends_is_started_again(start, end):
    gateway = start(running(["sh", "-c", f"echo $$; {end}"]))
    with everything(gateway) as stream:
        first, second = stream.events(2)
        assert first.data != second.data
    if end != "exit 0":
        reason = {"exit 3": "exit status 3", "kill -9 $$": "signal 9"}[end]
        assert reason in gateway.wait_for_log("command down")


def test_a_program_that_is_missing_stops_nobody_and_is_tried_again(start, tmp_path):
    gateway = start(running(["./late"]))
    line = gateway.wait_for_log("command down")
    assert "No such file" in line and "source=program" in line
    with Stream(gateway.port) as stream:
        stream.opened()
        part = tmp_path / "part"
        script(tmp_path, "import signal\nprint('here')\nsignal.pause()\n", "part")
        part.rename(tmp_path / "late")
        assert stream.next().data == "here"
    gateway.wait_for_log("command is back")


def test_the_whole_group_is_ended_on_stop(start):
    gateway = start(running(["sh", "-c", "sleep 1000 & echo $! $$; sleep 1000"]))
    with everything(gateway) as stream:
        pids = stream.next().data.split()
    assert all(is_alive(pid) for pid in pids)
    gateway.stop()
    # The last of them were killed a moment ago.
    until(lambda: not any(is_alive(pid) for pid in pids))


def test_a_group_that_does_not_listen_is_killed_within_the_grace(start):
    command = "trap '' TERM; (trap '' TERM; echo $$; while :; do sleep 1000; done) & echo $!; while :; do sleep 1000; done"
    configuration = running(["sh", "-c", command])
    configuration["shutdown_grace"] = "1s"
    gateway = start(configuration)
    with everything(gateway) as stream:
        pids = [event.data for event in stream.events(2)]
    gateway.stop()
    # The last of them were killed a moment ago.
    until(lambda: not any(is_alive(pid) for pid in pids))


def test_the_program_itself_does_not_outlive_a_gateway_that_is_killed(start):
    gateway = start(running(["sh", "-c", "echo $$; exec sleep 1000"]))
    with everything(gateway) as stream:
        pid = stream.next().data
    gateway.process.kill()
    gateway.process.wait()
    start.gateways.remove(gateway)
    until(lambda: not is_alive(pid))


def test_what_a_program_leaves_behind_holds_up_nothing_and_no_zombie_stays(start):
    gateway = start(running(["sh", "-c", "sleep 1000 & echo $! $$; exit 0"]))
    with everything(gateway) as stream:
        first, _ = (event.data.split() for event in stream.events(2))
    until(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() for pid in first))
    assert len(children(gateway.pid)) <= 1


def test_standard_error_goes_to_the_log_and_a_flood_of_it_does_not(start):
    flood = "echo first >&2; yes 'no end' | head -c 3000000 >&2; echo done; sleep 1000"
    gateway = start(running(["sh", "-c", flood]))
    line = gateway.wait_for_log("standard error")
    assert "source=program" in line and "line=first" in line
    with everything(gateway) as stream:
        # Nobody waits for the log: all of it was taken.
        assert stream.next().data == "done"
    gateway.stop()
    assert sum("no end" in line for line in gateway.lines) < 100
    assert "were left out" in gateway.log()


def test_lines_that_are_too_long_or_no_text_harm_nobody(start):
    program = (
        "import sys, time\n"
        "write = sys.stdout.buffer.write\n"
        "write(b'x' * 3_000_000 + b'\\n' + b'caf\\xe9\\n' + b'y' * 100 + b'\\r\\n')\n"
        "sys.stdout.flush()\n"
        "sys.stdin.read()\n"
        "write(b'no end')\n"
    )
    gateway = start(running([sys.executable, "-c", program]))
    with everything(gateway) as stream:
        assert [event.data for event in stream.events(3)] == ["caf\ufffd", "y" * 100, "no end"]
    assert "over the limit" in gateway.wait_for_log("an event was dropped")


def test_many_lines_come_whole_and_in_order(start):
    # More than a read, a pipe or a tick of the worker holds.
    topic = {"history": {"events": 100_000, "bytes": "64MiB"}, "max_lag": "64MiB"}
    gateway = start(running(["sh", "-c", "seq 1 20000; sleep 1000"], topic))
    with everything(gateway) as stream:
        assert [event.data for event in stream.events(20_000)] == [str(number) for number in range(1, 20_001)]


def test_check_warns_of_a_program_that_is_not_there(tmp_path):
    path = write(tmp_path, running(["no-such-program", "-x"]))
    done = run("check", path)
    assert done.returncode == 0
    assert "warning" in done.stderr and "sources.program.command[0]" in done.stderr, done.stderr
