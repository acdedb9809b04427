"""Bytes of a text-like file to text."""

import codecs
import re

from charset_normalizer import from_bytes

from tasks.errors import InputTooLarge
from tasks.media.blob import Blob
from tasks.media.limits import MediaLimits
from tasks.media.media_types import SUPPORTED

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_CHARSET = re.compile(r"(utf|iso|latin|windows|cp|koi8|mac|big5|gb|euc|shift|ascii|us-)[\w-]*", re.ASCII)
"""Charsets of the web. Python knows others that decode in quadratic time (punycode) or are no charsets."""
_SAMPLE = 16_384
"""Bytes shown to the detector: its time grows with them, its answer hardly does."""


def decode_text(blob: Blob, limits: MediaLimits) -> str:
    """The text of `blob`: by its byte order mark, as UTF-8, by its declared charset, else by the detected one.

    Raises InputError (`unsupported_media_type`) when it is not text, InputTooLarge above `limits.text_chars`.
    """
    text = _marked(blob.data) or _unmarked(blob.data, blob.charset)
    if text is None:
        raise blob.error(f"is binary data of an unknown type. Supported: {SUPPORTED}.", code="unsupported_media_type")
    if len(text) > limits.text_chars:
        raise InputTooLarge(
            f"'{blob.label}' has {len(text)} characters; the limit is {limits.text_chars}.", param=blob.param
        )
    return text


def looks_like_text(data: bytes) -> bool:
    """Whether `data` has a byte order mark, or none of the control characters that text never has."""
    head = data[:_SAMPLE]
    return head.startswith(tuple(mark for mark, _ in _MARKS)) or len(head.translate(None, _CONTROLS)) == len(head)


def _marked(data: bytes) -> str | None:
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)
    if encoding is None:
        return None
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _unmarked(data: bytes, charset: str | None) -> str | None:
    if not looks_like_text(data) or b"\0" in data:
        return None
    declared = (charset,) if charset and _CHARSET.fullmatch(charset) else ()
    for encoding in ("utf-8", *declared):
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    first = _NOT_ASCII.search(data)
    start = max(0, (first.start() if first else 0) - _SAMPLE // 4)
    guess = from_bytes(data[start : start + _SAMPLE]).best()
    return data.decode(guess.encoding, errors="replace") if guess else None
