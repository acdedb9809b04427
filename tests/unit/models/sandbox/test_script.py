"""What comes out of a sandbox is not believed."""

import struct

import pytest

from models.sandbox.script import BadAnswer, Picture, read_answer
from tests.conftest import each_case

PNG = b"\x89PNG\r\n\x1a\n"


def answer(*blocks: bytes, code: int = 0, left_out: int = 0, count: int | None = None) -> bytes:
    head = b"openfaze" + struct.pack("<iQI", code, left_out, len(blocks) if count is None else count)
    return head + b"".join(struct.pack("<I", len(block)) + block for block in blocks)


def test_output_and_pictures_are_read() -> None:
    outcome = read_answer(answer(b"one ", b"two", b"a.png", PNG), None)
    assert (outcome.output, outcome.pictures) == ("one two", (Picture("a.png", PNG),))


def test_what_was_left_out_is_told_though_the_cut_goes_through_a_character() -> None:
    outcome = read_answer(answer("ä".encode()[:1], "ä".encode()[1:], left_out=1234), None)
    assert outcome.output == "\ufffd\n[… 1,234 bytes left out …]\n\ufffd"


@each_case(
    "data",
    [
        b"",
        b"bwrap: No permissions to create new namespace",
        b"openfaze",
        answer(),
        answer(b""),
        answer(b"", b"", b"a.png"),
        answer(b"", b"", count=4),
        answer(b"", b"", count=1 << 31),
        answer(b"", b"x" * 10)[:-1],
        answer(b"", b"")[:-4] + b"\xff\xff\xff\xff",
    ],
)
def test_anything_else_is_no_answer(data: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_answer(data, None)
