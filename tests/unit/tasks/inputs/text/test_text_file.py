"""Bytes of text-like files."""

import random

import pytest

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import MediaLimits
from tasks.inputs.source import Blob
from tasks.inputs.text.text_file import decode_text


def decode(data: bytes, *, limits: MediaLimits | None = None) -> str:
    return decode_text(Blob(data, "text/plain", "a.txt", "p"), limits or MediaLimits())


@pytest.mark.parametrize("data", [b"a\0b", bytes(range(256)), random.Random(1).randbytes(5000), b"\xff\xfe\x00\xd8"])
def test_binary_data_is_no_text(data: bytes) -> None:
    with pytest.raises(InputError, match="'a.txt' is binary data") as caught:
        decode(data)
    assert caught.value.code == "unsupported_media_type"


def test_the_number_of_characters_is_limited() -> None:
    limits = MediaLimits(text_chars=10)
    assert decode(b"x" * 10, limits=limits) == "x" * 10
    with pytest.raises(InputTooLarge, match="has 11 characters; the limit is 10"):
        decode(b"x" * 11, limits=limits)
