"""The input and the output of the sandbox."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

CAPABILITY = "code_sandbox"

Stop = Literal["time", "memory"]
"""The limit that ended a script."""

SIGXCPU = 24
_MAGIC = b"openfaze"
_HEADER = struct.Struct("<8siQI")
_LENGTH = struct.Struct("<I")
_PNG = b"\x89PNG\r\n\x1a\n"
_OVERHEAD_BYTES = 64 << 10
"""Bytes that an answer may have beyond its output and pictures, for the names of pictures and the lengths of blocks."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Limits of one script. Sizes are in bytes."""

    seconds: float = 30.0
    """Seconds that the script may run, and seconds of processor time for each process."""
    memory: int = 1 << 30
    """Bytes of address space that each process may have, and bytes of memory that all processes may have together."""
    disk: int = 128 << 20
    """Bytes of all files that the script writes, which are kept in memory."""
    output: int = 64 << 10
    """Bytes of the script's output that are kept: the beginning and the end."""
    images: int = 8 << 20
    """Bytes of the pictures that come back."""
    processes: int = 32
    """Processes and threads at a time."""


@dataclass(frozen=True, slots=True)
class InputFile:
    name: str
    """Name of the file in `/input`; no path."""
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Script:
    code: str
    """Python source."""
    files: tuple[InputFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    name: str
    """Name that the script gave the file."""
    png: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ScriptOutcome:
    output: str
    """Text that the script printed to either stream, as far as it was kept."""
    exit_code: int
    """Exit status of the script; 128 + the signal's number if a signal ended it."""
    stopped: Stop | None = None
    pictures: tuple[Picture, ...] = ()


class BadAnswer(Exception):
    """Raised if the output of the sandbox is not an answer."""


def max_answer_bytes(limits: SandboxLimits) -> int:
    return limits.output + limits.images + _OVERHEAD_BYTES


def read_answer(data: bytes, stopped: Stop | None) -> ScriptOutcome:
    """Return the outcome that the sandbox's output describes. `stopped` is the limit at which the script was ended from
    outside the sandbox, if it was. Raises BadAnswer."""
    if len(data) < _HEADER.size:
        raise BadAnswer(data.decode("utf-8", "replace") or "nothing came out")
    magic, code, left_out, count = _HEADER.unpack_from(data)
    if magic != _MAGIC:
        raise BadAnswer(data[:2000].decode("utf-8", "replace"))
    head, tail, *rest = _blocks(data, count)
    pairs = zip(rest[::2], rest[1::2], strict=True)
    pictures = tuple(Picture(name.decode("utf-8", "replace"), png) for name, png in pairs if png.startswith(_PNG))
    if code == -SIGXCPU:
        stopped = stopped or "time"
    return ScriptOutcome(_joined(head, left_out, tail), code if code >= 0 else 128 - code, stopped, pictures)


def _blocks(data: bytes, count: int) -> Iterator[bytes]:
    position = _HEADER.size
    if count < 2 or count % 2:
        raise BadAnswer(f"{count} blocks")
    for _ in range(count):
        if position + _LENGTH.size > len(data):
            raise BadAnswer("it ends early")
        [length] = _LENGTH.unpack_from(data, position)
        position += _LENGTH.size
        if position + length > len(data):
            raise BadAnswer("it ends early")
        yield data[position : position + length]
        position += length


def _joined(head: bytes, left_out: int, tail: bytes) -> str:
    if not left_out:
        return (head + tail).decode("utf-8", "replace")
    # A cut may be inside a character.
    start, end = head.decode("utf-8", "replace"), tail.decode("utf-8", "replace")
    return f"{start}\n[… {left_out:,} bytes left out …]\n{end}"
