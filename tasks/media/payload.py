"""From a data URL or base64 to bytes, never more of them than the limit."""

import binascii
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import pybase64

from tasks.errors import InputError, InputTooLarge
from tasks.media.limits import megabytes
from tasks.media.source import Source

_BLANK = "\r\n\t "


@dataclass(frozen=True, slots=True)
class Payload:
    data: bytes
    media_type: str | None
    """As the data URL declares it, without parameters."""
    charset: str | None


def decode_payload(source: Source, *, limit: int) -> Payload:
    """The bytes of `source.payload`.

    The size is known from the length of the text, so nothing is decoded above `limit` bytes. Line breaks inside
    base64 and missing padding are accepted, as many clients send them; any other foreign character is not.

    Raises InputError, InputTooLarge.
    """
    text = source.payload or ""
    if text[:5].lower() != "data:":
        complaint = f"'{source.param}' is neither a URL, a data URL nor valid base64."
        return Payload(_base64(text, source, limit, complaint), None, None)

    head, _, body = text[5:].partition(",")
    media_type, *parameters = (part.strip() for part in head.lower().split(";"))
    charset = next((part.removeprefix("charset=") for part in parameters if part.startswith("charset=")), None)
    if "base64" in parameters:
        if "%" in body:
            body = unquote_to_bytes(body).decode("latin-1")
        data = _base64(body, source, limit, "invalid base64 payload in data URI")
    else:
        _check_size(len(body) - 2 * body.count("%"), source, limit)
        data = unquote_to_bytes(body)
    return Payload(data, media_type or None, charset)


def _base64(text: str, source: Source, limit: int, complaint: str) -> bytes:
    length = len(text) - sum(text.count(blank) for blank in _BLANK)
    _check_size(length * 3 // 4 - text[-3:].count("="), source, limit)
    if length != len(text):
        text = "".join(text.split())
    try:
        return pybase64.b64decode(text + "=" * (-length % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(complaint, param=source.param) from error


def _check_size(size: int, source: Source, limit: int) -> None:
    if size > limit:
        raise InputTooLarge(
            f"'{source.label}' is {megabytes(size)}; the limit is {megabytes(limit)} (OPENFAZE_MAX_PART_MB).",
            param=source.param,
        )
