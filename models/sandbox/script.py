"""What goes into the sandbox and what comes out of it."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

CAPABILITY = "code_sandbox"

Stop = Literal["time", "memory", "starts"]
"""Which limit ended a script; `starts`: it began processes faster than they can be counted."""

SIGXCPU = 24
_MAGIC = b"openfaze"
_HEAD = struct.Struct("<8siQI")
_LENGTH = struct.Struct("<I")
_PNG = b"\x89PNG\r\n\x1a\n"
_ROOM = 64 << 10
"""Bytes for the names of pictures and for what stands between the blocks."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What one script may take. Sizes are in bytes."""

    seconds: float = 30.0
    """By the clock, and of each process's processor time."""
    memory: int = 1 << 30
    """Bytes of each process's addresses, and of what all its processes hold together."""
    disk: int = 128 << 20
    """Bytes of all files that it writes; they live in memory."""
    output: int = 64 << 10
    """Bytes that are kept of what it prints: the beginning and the end."""
    images: int = 8 << 20
    """Bytes of the pictures that come back."""
    processes: int = 32
    """And threads, at a time."""


@dataclass(frozen=True, slots=True)
class InputFile:
    name: str
    """Below `/input`; no path."""
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Script:
    code: str
    """Python."""
    files: tuple[InputFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    name: str
    """The name that the script gave the file."""
    png: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScriptOutcome:
    output: str
    """What it printed to either stream, as far as it was kept."""
    exit_code: int
    """128 + the signal's number where a signal ended it."""
    stopped: Stop | None = None
    pictures: tuple[Picture, ...] = ()


class Sandbox(Protocol):
    """The `code_sandbox` capability: runs Python where it cannot hurt."""

    @property
    def limits(self) -> SandboxLimits: ...

    async def run(self, script: Script) -> ScriptOutcome:
        """Cancelling it ends the script. Raises EngineOverloaded, EngineUnavailable and EngineFailed."""


class BadAnswer(Exception):
    """What came out is no answer."""


def most_bytes(limits: SandboxLimits) -> int:
    return limits.output + limits.images + _ROOM


def read_answer(data: bytes, stopped: Stop | None) -> ScriptOutcome:
    """`stopped`: why the server has ended the script, if it has. Raises BadAnswer."""
    if len(data) < _HEAD.size:
        raise BadAnswer(data.decode("utf-8", "replace") or "nothing came out")
    magic, code, left_out, count = _HEAD.unpack_from(data)
    if magic != _MAGIC:
        raise BadAnswer(data[:2000].decode("utf-8", "replace"))
    head, tail, *rest = _blocks(data, count)
    pairs = zip(rest[::2], rest[1::2], strict=True)
    pictures = tuple(Picture(name.decode("utf-8", "replace"), png) for name, png in pairs if png.startswith(_PNG))
    if code == -SIGXCPU:
        stopped = stopped or "time"
    return ScriptOutcome(_joined(head, left_out, tail), code if code >= 0 else 128 - code, stopped, pictures)


def _blocks(data: bytes, count: int) -> Iterator[bytes]:
    at = _HEAD.size
    if count < 2 or count % 2:
        raise BadAnswer(f"{count} blocks")
    for _ in range(count):
        if at + _LENGTH.size > len(data):
            raise BadAnswer("it ends early")
        [length] = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        if at + length > len(data):
            raise BadAnswer("it ends early")
        yield data[at : at + length]
        at += length


def _joined(head: bytes, left_out: int, tail: bytes) -> str:
    if not left_out:
        return (head + tail).decode("utf-8", "replace")
    # A cut may go through a character.
    start, end = head.decode("utf-8", "replace"), tail.decode("utf-8", "replace")
    return f"{start}\n[… {left_out:,} bytes left out …]\n{end}"
