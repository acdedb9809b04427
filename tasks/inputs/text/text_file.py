"""Bytes of a text-like file to text."""

import codecs
import re

from charset_normalizer import from_bytes

from tasks.errors import InputTooLarge
from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits
from tasks.inputs.media_types import SUPPORTED

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
_CHARSET = re.compile(r"(utf|iso|latin|windows|cp|koi8|mac|big5|gb|euc|shift|ascii|us-)[\w-]*", re.ASCII)
"""Charsets of the web. Python knows others that decode in quadratic time (punycode) or are no charsets."""
_WIDE = re.compile(r"(utf-?(?:16|32))-?([lb]e)?")
_JAPANESE = b"\x1b$"
"""The escape that begins Japanese characters in ISO-2022-JP, whose bytes are all ASCII."""
_MENDED = 0.01
"""Share of the characters above ASCII that may be broken in UTF-8: in another encoding nearly all of them are."""
_ABOVE_ASCII = bytes(range(128, 256))
_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]{3,}")
_LETTER_OR_DIGIT = re.compile(rb"[0-9A-Za-z]")
_SIGN_IN_WORD = re.compile(r"(?<=[^\W\d_])[¡-©«¬®-³¶¸¹»-¿](?=[^\W\d_])")
"""What cp1252 makes of the letters of other encodings, as in "z³oty"."""
_DETECTABLE = [
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp866", "cp874"),
    *("iso8859_2", "iso8859_5", "iso8859_7", "koi8_r", "koi8_u"),
    *("cp932", "euc_jp", "gb18030", "big5hkscs", "cp949"),
]
"""Encodings of the web (WHATWG Encoding, 4.2). The detector knows many more and falls for them: old Japanese sets
for KOI8-R, mainframe code pages for anything short."""
_SAMPLE = 16_384
"""Bytes that are looked at to tell an encoding: a detector's time grows with them, its answer hardly does."""


def decode_text(blob: Blob, limits: MediaLimits) -> str:
    """The text of `blob`: by its byte order mark, as UTF-8, by its declared charset, as cp1252 where that makes
    sense, else by the detected charset.

    Raises InputError (`unsupported_media_type`) when it is not text, InputTooLarge above `limits.text_chars`.
    """
    text = _marked(blob.data) or _unmarked(blob.data, blob.charset)
    if text is None:
        raise blob.error(f"is binary data of an unknown type. Supported: {SUPPORTED}.", code="unsupported_media_type")
    if len(text) > limits.text_chars:
        raise InputTooLarge(
            f"'{blob.label}' has {len(text)} characters; the limit is {limits.text_chars} (OPENFAZE_MAX_TEXT_CHARS).",
            param=blob.param,
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
    declared = charset if charset and _CHARSET.fullmatch(charset) else None
    plain = looks_like_text(data) and b"\0" not in data
    if plain and (text := _japanese(data) or _decoded(data, "utf-8")):
        return text
    if wide := _WIDE.fullmatch(declared or ""):
        text = _decoded(data, wide[1] + (wide[2] or "le"))
        return text if text and looks_like_text(text.encode()) else None
    return _mended(data) or _decoded(data, declared) or _western(data) or _detected(data) if plain else None


def _japanese(data: bytes) -> str | None:
    return _decoded(data, "iso2022_jp_ext") if _JAPANESE in data and data.isascii() else None


def _decoded(data: bytes, encoding: str | None) -> str | None:
    try:
        return data.decode(encoding) if encoding else None
    except (UnicodeDecodeError, LookupError):
        return None


def _mended(data: bytes) -> str | None:
    """`data` as UTF-8 with a few broken characters, which come out as U+FFFD."""
    text = data.decode("utf-8", errors="replace")
    above = len(text) - len(data.translate(None, _ABOVE_ASCII))
    return text if text.count("\ufffd") <= _MENDED * above else None


def _western(data: bytes) -> str | None:
    """`data` as cp1252, the default of the web, if it could be: letters above ASCII stand by ones and twos between
    letters of ASCII. A detector is no help here: French, Spanish and Swedish all look Polish to it."""
    sample = _sample(data)
    high, foreign = len(_HIGH.findall(sample)), sum(map(len, _HIGH_RUN.findall(sample)))
    if 3 * foreign > high or high >= len(_LETTER_OR_DIGIT.findall(sample)):
        return None
    text = _decoded(data, "cp1252")
    return text if text is not None and not _SIGN_IN_WORD.search(text) else None


def _detected(data: bytes) -> str | None:
    guess = from_bytes(_sample(data), cp_isolation=_DETECTABLE).best()
    return data.decode(guess.encoding, errors="replace") if guess else None


def _sample(data: bytes) -> bytes:
    """A part of `data` round its first character above ASCII."""
    first = _HIGH.search(data)
    start = max(0, (first.start() if first else 0) - _SAMPLE // 4)
    return data[start : start + _SAMPLE]
