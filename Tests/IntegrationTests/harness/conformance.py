"""The tables in Tests/Conformance, which say how they are written."""

import dataclasses
import re

from .gateway import TOP
from .sse import Event

ESCAPE = re.compile(rb"\\(?:x([0-9A-F]{2})|\{(\d+)\*(.)\}|([nrt0\\]))")
SIMPLE = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


@dataclasses.dataclass
class Case:
    name: str
    bytes: bytes = b""
    events: list = dataclasses.field(default_factory=list)
    retries: list = dataclasses.field(default_factory=list)
    then: str = ""


def unescape(text):
    def replace(match):
        code, count, repeated, simple = match.groups()
        if code:
            return bytes.fromhex(code.decode())
        return SIMPLE[simple] if simple else repeated * int(count)

    return ESCAPE.sub(replace, text.encode())


def event(text):
    match = re.fullmatch(r"(?:type=(\S*) )?(?:id=(\S*) )?data=(.*)", text)
    assert match, text
    kind, own, data = (unescape(part or "").decode() for part in match.groups())
    return Event(data, kind or "message", own)


def cases(name):
    found = []
    for line in (TOP / "Tests/Conformance" / name).read_text(encoding="utf-8").split("\n"):
        word, _, rest = line.partition(" ")
        match word:
            case "case":
                found.append(Case(rest))
            case "in" | "answer":
                found[-1].bytes += unescape(rest)
            case "event":
                found[-1].events.append(event(rest))
            case "then":
                found[-1].then = rest
            case "retry":
                found[-1].retries.append(int(rest))
            case "last" | "#" | "":
                pass
            case _:
                raise AssertionError(line)
    assert found
    return found
