"""The proofs of Benchmarks/, in a small size: nothing is lost, and clients that never read cost no memory."""

import subprocess

import pytest
from harness.gateway import SLUICE, TOP


def proven(name, *options):
    """Runs a proof; what it said when it failed."""
    done = subprocess.run(
        [TOP / "Benchmarks" / name, "--sluice", SLUICE, *map(str, options)], capture_output=True, text=True, timeout=90
    )
    return done.returncode == 0 or done.stdout + done.stderr


@pytest.mark.parametrize("coding", [(), ("--gzip", "--largest", 16384)], ids=["identity", "gzip"])
def test_every_subscriber_gets_every_event_exactly_once_while_feeds_die_and_clients_are_slow_or_come_and_go(protocol, coding):
    assert True is proven(
        "lossless",
        *("--protocol", protocol, *coding),
        *("--subscribers", 60, "--slow", 6, "--reconnecting", 10),
        *("--rate", 100, "--seconds", 6, "--kill-every", 1.5),
    )


@pytest.mark.parametrize("coding", [(), ("--gzip",)], ids=["identity", "gzip"])
def test_the_checker_finds_what_a_feed_drops_doubles_and_damages(protocol, coding):
    assert True is proven("lossless", "--self-test", "--protocol", protocol, *coding)


@pytest.mark.http1
def test_memory_does_not_grow_with_clients_that_never_read():
    assert True is proven(
        "flat",
        *("--silent", 60, "--rate", 4000, "--seconds", 9),
        # A queue for each of them would have 25 MiB by a third of the run, 70 MiB by the end.
        *("--history", "1MiB", "--write-timeout", "2s", "--bound", 12),
    )
