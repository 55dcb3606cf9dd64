"""The proof of Benchmarks/restart, in a small size: a server that is killed under load costs no GET."""

import json
import subprocess

import pytest
from harness.gateway import SLUICE, TOP


@pytest.mark.http1
def test_a_server_that_is_killed_costs_no_get_and_no_more_posts_than_it_had():
    done = subprocess.run(
        [TOP / "Benchmarks/restart", "--sluice", SLUICE, "--json", "--seconds", "4", "--kills", "2", "--clients", "24"],
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert len(found["under way at the kills"]) == 2 and set(found["answers"]["GET"]) == {"200"}
    # The kills hit something.
    assert found["retried"] > 0
