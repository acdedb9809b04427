"""What the sandbox's first process reports, read with suspicion: a script may have got hold of it."""

import struct
from collections.abc import Iterator

from models.sandbox.script import Outcome, Picture, SandboxLimits, Stop

SIGXCPU = 24
_MAGIC = b"openfaze"
_HEAD = struct.Struct("<8siQI")
_LENGTH = struct.Struct("<I")
_PNG = b"\x89PNG\r\n\x1a\n"
_ROOM = 64 << 10
"""Bytes for the names of pictures and for what stands between the blocks."""


class BadAnswer(Exception):
    """What came out is no answer."""


def most_bytes(limits: SandboxLimits) -> int:
    return limits.output + limits.images + _ROOM


def read_answer(data: bytes, stopped: Stop | None) -> Outcome:
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
    return Outcome(_joined(head, left_out, tail), code if code >= 0 else 128 - code, stopped, pictures)


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
