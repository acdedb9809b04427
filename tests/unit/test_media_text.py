"""Bytes of text-like files."""

import random

import pytest

from tasks.errors import InputError, InputTooLarge
from tasks.media.blob import Blob
from tasks.media.limits import MediaLimits
from tasks.media.text_file import decode_text, looks_like_text


def decode(data: bytes, *, charset: str | None = None, limits: MediaLimits | None = None) -> str:
    return decode_text(Blob(data, "text/plain", "a.txt", "p", charset), limits or MediaLimits())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_read_with_and_without_a_mark(encoding: str) -> None:
    assert decode("größer 漢字\n".encode(encoding)) == "größer 漢字\n"


def test_a_declared_charset_is_believed_where_it_is_not_utf8() -> None:
    assert decode("цена 5 €".encode("cp1251"), charset="windows-1251") == "цена 5 €"


def test_utf8_wins_over_a_wrong_declaration() -> None:
    assert decode("größer".encode(), charset="iso-8859-1") == "größer"


@pytest.mark.parametrize("charset", ["punycode", "idna", "zlib", "no-such-charset", "utf-99"])
def test_declared_charsets_that_are_none_are_passed_over(charset: str) -> None:
    assert "gr" in decode("größer als zuvor, aber über Äpfel".encode("latin-1"), charset=charset)


def test_a_charset_is_detected() -> None:
    text = "Die Prüfung der Geräte ergab, daß für die Größe der Öfen keine Änderung nötig wäre.\n" * 5
    assert decode(text.encode("cp1252")) == text


def test_a_charset_is_detected_behind_much_ascii() -> None:
    text = "plain words only\n" * 5000 + "Die Prüfung für größere Öfen wäre nötig, daß Äpfel übrig blieben.\n" * 5
    assert decode(text.encode("cp1252")).endswith("übrig blieben.\n")


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


def test_text_has_no_control_characters() -> None:
    assert looks_like_text(b"a\tb\r\n")
    assert not looks_like_text(b"a\x01b")
