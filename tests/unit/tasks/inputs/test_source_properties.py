"""What holds for any data URL, any text and any bytes."""

import base64
import binascii
import re
from urllib.parse import quote_from_bytes

import pybase64
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import InputError
from tasks.inputs.media_types import media_type_named, sniff
from tasks.inputs.reading import decode_payload
from tasks.inputs.source import _URL, Origin, Source, urls_in

PIECE = 16
"""Small, so that a few dozen characters are many pieces."""
LIMIT = 10_000

blanks = st.sampled_from(["", "\n", "\r\n", " ", "\t"])


def decode(payload: str | memoryview) -> bytes:
    return decode_payload(Source(Origin("p"), payload=payload), limit=LIMIT, piece=PIECE).data


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


@given(st.text(alphabet="AZa9+/==\n-é", max_size=80))
def test_what_is_accepted_as_base64_is_the_same_in_pieces_as_in_one(text: str) -> None:
    whole = text.replace("\n", "").replace("-", "+")
    try:
        expected = pybase64.b64decode(whole + "=" * (-len(whole) % 4), validate=True)
    except (binascii.Error, ValueError):
        with pytest.raises(InputError):
            decode(text)
    else:
        assert decode(text) == expected


@given(st.integers(0, 60), st.integers(0, 60), blanks)
def test_what_is_larger_than_the_limit_is_refused_and_nothing_else(size: int, limit: int, blank: str) -> None:
    payload = blank.join(base64.b64encode(bytes(size)).decode())
    source = Source(Origin("p"), payload=payload)
    if size > limit:
        with pytest.raises(InputError, match="the limit is"):
            decode_payload(source, limit=limit, piece=PIECE)
    else:
        assert decode_payload(source, limit=limit, piece=PIECE).data == bytes(size)


words = st.sampled_from(
    ["http", "https", "HTTPS", "://", "http://", "https://a.b/c", "ſ", "s", ":", "/", ".", "?", " ", ")", "x", "ä", "“"]
)


@given(st.lists(words, max_size=24).map("".join))
def test_urls_are_found_as_the_pattern_finds_them(text: str) -> None:
    found = [match.group().rstrip(".,;:!?") for match in _URL.finditer(text)]
    assert urls_in(text) == list(dict.fromkeys(url for url in found if not url.endswith("//")))


@given(st.text(max_size=200))
def test_a_url_in_a_text_is_part_of_it_and_a_url(text: str) -> None:
    for url in urls_in(text):
        assert url in text
        assert re.match(r"https?://\S", url, re.IGNORECASE)
        assert Source.from_reference(url, origin=Origin("p")).url == url


@given(st.binary(max_size=300), st.booleans())
def test_sniffing_any_bytes_tells_a_media_type_or_nothing(data: bytes, text: bool) -> None:
    shown = sniff(data, text=text)
    assert shown is None or re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", shown)


@pytest.mark.parametrize(
    ("head", "name"),
    [(b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff\xe0", "jpeg"), (b"fLaC\0", "flac"), (b"RIFF\0\0\0\0WAVE", "wav")],
)
@given(rest=st.binary(max_size=200), text=st.booleans())
def test_what_follows_a_signature_does_not_matter(head: bytes, name: str, rest: bytes, text: bool) -> None:
    assert sniff(head + rest, text=text) == media_type_named(name)
