"""From a data URL or base64 to bytes, never more of them than the limit."""

import binascii
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import pybase64

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.limits import megabytes
from tasks.inputs.source import HEAD, Source

_BLANKS = b"\r\n\t \v\f"
_PIECE = 1 << 20
"""Bytes that are decoded at a time: nothing of the whole's size is held but the whole and the result, and other
threads get their turn in between."""
_TAIL = 64
"""Bytes in which the padding stands, with line breaks in between."""


@dataclass(frozen=True, slots=True)
class Payload:
    data: bytes
    media_type: str | None
    """As the data URL declares it, without parameters."""
    charset: str | None


def decode_payload(source: Source, *, limit: int, piece: int = _PIECE) -> Payload:
    """The bytes of `source.payload`.

    The size is known from the length of the text, so nothing is decoded above `limit` bytes. Line breaks inside
    base64 and missing padding are accepted, as many clients send them; any other foreign character is not.

    Raises InputError, InputTooLarge.
    """
    text = source.payload or b""
    whole = memoryview(text.encode() if isinstance(text, str) else text)
    if bytes(whole[:5]).lower() != b"data:":
        complaint = f"'{source.param}' is neither a URL, a data URL nor valid base64."
        _check_size(whole, source, limit, is_base64=True, piece=piece)
        return Payload(_joined(_base64(_pieces(whole, piece), complaint, source)), None, None)

    head, comma, _ = bytes(whole[5:HEAD]).partition(b",")
    body = whole[5 + len(head) + len(comma) :]
    media_type, *parameters = (part.strip() for part in str(head, "utf-8", "replace").lower().split(";"))
    charset = next((part.removeprefix("charset=") for part in parameters if part.startswith("charset=")), None)
    is_base64 = "base64" in parameters
    _check_size(body, source, limit, is_base64=is_base64, piece=piece)
    data = _unquoted(_pieces(body, piece))
    if is_base64:
        data = _base64(data, "invalid base64 payload in data URI", source)
    return Payload(_joined(data), media_type or None, charset)


def _pieces(text: memoryview, piece: int) -> Iterator[bytes]:
    for at in range(0, len(text), piece):
        yield bytes(text[at : at + piece])


def _joined(pieces: Iterable[bytes]) -> bytes:
    file = io.BytesIO()
    file.writelines(pieces)
    return file.getvalue()


def _unquoted(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Each `%41` as its byte."""
    rest = b""
    for piece in pieces:
        text = rest + piece
        mark = text.rfind(b"%", max(len(text) - 2, 0))
        rest = text[mark:] if mark >= 0 else b""
        text = text[: len(text) - len(rest)]
        yield unquote_to_bytes(text) if b"%" in text else text
    yield rest


def _base64(pieces: Iterable[bytes], complaint: str, source: Source) -> Iterator[bytes]:
    rest = b""
    try:
        for piece in pieces:
            text = rest + piece.translate(None, _BLANKS)
            # The last four stay: only they may be padded, and whether they are the last is not known yet.
            cut = max(len(text) - 4, 0) // 4 * 4
            text, rest = text[:cut], text[cut:]
            if b"=" in text:
                raise binascii.Error("text after the padding")
            yield pybase64.b64decode(text, validate=True)
        yield pybase64.b64decode(rest + b"=" * (-len(rest) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(complaint, param=source.param) from error


def _check_size(text: memoryview, source: Source, limit: int, *, is_base64: bool, piece: int) -> None:
    """By the length of `text`: its characters are looked at only where that may be too much."""
    size = len(text) * 3 // 4 if is_base64 else len(text)
    if size <= limit:
        return
    length = len(text) - 2 * sum(part.count(b"%") for part in _pieces(text, piece))
    if is_base64:
        length -= sum(len(part) - len(part.translate(None, _BLANKS)) for part in _pieces(text, piece))
    padding = bytes(text[-_TAIL:]).translate(None, _BLANKS)[-2:].count(b"=")
    size = length * 3 // 4 - padding if is_base64 else length
    if size > limit:
        raise InputTooLarge(
            f"'{source.label}' is {megabytes(size)}; the limit is {megabytes(limit)} (OPENFAZE_MAX_PART_MB).",
            param=source.param,
        )
