"""The programs in Examples, built."""

import functools
import subprocess

from .gateway import TOP

EXAMPLES = TOP / "Examples"


@functools.cache
def build(name):
    """The path of an example's program. All examples are built in one place, so that the library is built once."""
    command = ["swift", "build", "--package-path", EXAMPLES / name, "--scratch-path", EXAMPLES / ".build"]
    built = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    folder = subprocess.run([*command, "--show-bin-path"], capture_output=True, text=True, check=True).stdout.strip()
    return f"{folder}/{name}"
