"""What holds for any data URL, any text and any bytes."""

import base64
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import InputError
from tasks.inputs.loader import decode_payload
from tasks.inputs.source import Origin, Source

LIMIT = 10_000

blanks = st.sampled_from(["", "\n", "\r\n", " ", "\t"])


def decode(payload: str | memoryview) -> bytes:
    return decode_payload(Source(Origin("p"), payload=payload), limit=LIMIT).data


@given(st.binary(max_size=200), st.booleans(), blanks, st.integers(1, 90))
def test_bytes_come_back_from_base64_however_it_is_wrapped(data: bytes, padded: bool, blank: str, width: int) -> None:
    text = base64.b64encode(data).decode()
    text = text if padded else text.rstrip("=")
    wrapped = "".join(text[at : at + width] + blank for at in range(0, len(text), width))
    for payload in (wrapped, f"data:;base64,{wrapped}"):
        assert decode(payload) == data
        assert decode(memoryview(payload.encode())) == data


@given(st.binary(max_size=200), st.sampled_from(["", "/", "".join(map(chr, range(33, 127)))]))
def test_bytes_come_back_from_percent_signs(data: bytes, safe: str) -> None:
    text = quote_from_bytes(data, safe.replace("%", ""))
    assert decode(f"data:,{text}") == data
    assert decode(f"data:;base64,{quote_from_bytes(base64.b64encode(data))}") == data


@given(st.integers(0, 60), st.integers(0, 60), blanks)
def test_what_is_larger_than_the_limit_is_refused_and_nothing_else(size: int, limit: int, blank: str) -> None:
    payload = blank.join(base64.b64encode(bytes(size)).decode())
    source = Source(Origin("p"), payload=payload)
    if size > limit:
        with pytest.raises(InputError, match="the limit is"):
            decode_payload(source, limit=limit)
    else:
        assert decode_payload(source, limit=limit).data == bytes(size)
