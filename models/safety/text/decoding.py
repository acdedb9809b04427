"""Replaces encoded parts of a text by the text that is hidden in them."""

import base64
import binascii
import codecs
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from models.safety.text.known_words import is_readable

Decode = Callable[[str], str | None]
"""Function that returns the printable text that one run encodes; None if the run encodes no text."""

_MAX_BYTES = 1 << 20
"""At most this many bytes of one run are decoded."""

_BASE64 = re.compile(
    r"(?<![\w+/=])(?:[\w+/\-]{40,100}\r?\n)*(?:[\w+/\-]{12,}={0,2}|[\w+/\-]{6,11}={1,2})(?![\w+/=])", re.ASCII
)

_BASE32 = re.compile(r"(?<![0-9A-Za-z=])(?:[A-Z2-7]{16,}|[a-z2-7]{16,})={0,6}(?![0-9A-Za-z=])")

_HEX = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"(?:0[xX][0-9a-fA-F]{2}[\s,;]{0,3}){3,}"
    r"|(?:[0-9a-fA-F]{2}[ :,\-]){3,}[0-9a-fA-F]{2}"
    r"|(?:0[xX])?(?:[0-9a-fA-F]{2}){4,}"
    r")(?![0-9A-Za-z])"
)

_BINARY = re.compile(r"(?<![0-9A-Za-z])[01]{8}(?:[\s,;]{0,2}[01]{8}){2,}(?![0-9A-Za-z])")

PERCENT = re.compile(r"(?<![^\s%])[^\s%]*(?:%[0-9a-fA-F]{2}[^\s%]*)+")
"""Pattern of runs between white space that contain an escape. A run is decoded as a whole: if only the spaces of a text
are escaped, the escapes alone mean nothing."""

_ESCAPE = re.compile(
    r"(?:\\u\{[0-9a-fA-F]{1,6}\}|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\[0-3][0-7]{2})+"
)

_ONE_ESCAPE = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([0-7]{3}))"
)

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});?")

_TAG_IN_A_WORD = re.compile(
    r"(?<=[^\W_])(?:</?(?:a|b|em|font|i|mark|s|small|span|strong|sub|sup|u|wbr)(?:\s[^<>]{0,80})?>|<!--[^<>]{0,80}-->)+"
    r"(?=[^\W_])",
    re.IGNORECASE,
)

_DOT = "[.·•]"

_DASH = "[\\-–—−_]"

_MORSE = re.compile(
    rf"(?<![\w.\-])(?:{_DOT}|{_DASH}){{1,6}}(?:(?: {{1,3}}|\s?[/|]\s?)(?:{_DOT}|{_DASH}){{1,6}}){{3,}}(?![\w.\-])"
)

_WHITE_SPACE = str.maketrans("\n\r\t", "   ")

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

_CODES = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
)

MORSE_LETTERS = dict(zip(_CODES.split(), _LETTERS, strict=True))


def _text_of(data: bytes) -> str | None:
    """Return `data` decoded as UTF-8, or as UTF-16, in which PowerShell encodes its commands."""
    is_utf_16 = len(data) >= 6 and len(data) % 2 == 0 and data[1::2].count(0) * 4 > len(data)
    try:
        return _printable(data.decode("utf-16-le") if is_utf_16 else _utf_8(data))
    except UnicodeDecodeError:
        return None


def _utf_8(data: bytes) -> str:
    """Return `data` decoded. Incomplete characters at both ends are dropped, because only a part of a long run is
    decoded."""
    start = next((index for index, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0)
    return codecs.utf_8_decode(data[start:])[0]


def _printable(text: str) -> str | None:
    return text if text.translate(_WHITE_SPACE).isprintable() else None


def _from_base64(run: str) -> str | None:
    joined = re.sub(r"[\s=]", "", run).replace("-", "+").replace("_", "/")[:_MAX_BYTES]
    try:
        return _text_of(base64.b64decode(joined + "=" * (-len(joined) % 4), validate=True))
    except binascii.Error:
        return None


def _from_base32(run: str) -> str | None:
    joined = run.rstrip("=")[:_MAX_BYTES]
    try:
        return _text_of(base64.b32decode(joined + "=" * (-len(joined) % 8), casefold=True))
    except binascii.Error:
        return None


def _from_hex(run: str) -> str | None:
    digits = re.sub(r"0[xX]|[^0-9a-fA-F]", "", run)[:_MAX_BYTES]
    return _text_of(bytes.fromhex(digits)) if len(digits) % 2 == 0 else None


def _from_binary(run: str) -> str | None:
    digits = re.sub(r"[^01]", "", run)[:_MAX_BYTES]
    return _text_of(bytes(int(digits[start : start + 8], 2) for start in range(0, len(digits), 8)))


def _from_percent(run: str) -> str | None:
    # In form data, a plus sign stands for a space.
    return _text_of(unquote_to_bytes(run.replace("+", " "))[:_MAX_BYTES])


def _from_escapes(run: str) -> str | None:
    units = bytearray()
    for brace, four, eight, byte, octal in _ONE_ESCAPE.findall(run):
        code = int(brace or four or eight or byte, 16) if not octal else int(octal, 8)
        if code > 0x10FFFF:
            return None
        units += chr(code).encode("utf-16-le", "surrogatepass")
    return _printable(units.decode("utf-16-le", "replace"))


def _from_morse(run: str) -> str | None:
    code = re.sub(_DASH, "-", re.sub(_DOT, ".", run))
    words = [
        [MORSE_LETTERS.get(letter, "?") for letter in word.split()] for word in re.split(r"\s*[/|]\s*| {2,}", code)
    ]
    text = " ".join(map("".join, words))
    return None if "?" in text else text


@dataclass(frozen=True, slots=True)
class Encoding:
    name: str
    run: re.Pattern[str]
    decode: Decode
    by_letter: bool = False
    """True if single letters of a word may be encoded. Otherwise, a run counts only if it decodes to readable text."""


ENCODINGS = (
    Encoding("base64", _BASE64, _from_base64),
    Encoding("base32", _BASE32, _from_base32),
    Encoding("hex", _HEX, _from_hex),
    Encoding("url", PERCENT, _from_percent, by_letter=True),
    Encoding("html", _ENTITY, html.unescape, by_letter=True),
    Encoding("escapes", _ESCAPE, _from_escapes, by_letter=True),
    Encoding("binary", _BINARY, _from_binary),
    Encoding("morse", _MORSE, _from_morse),
)


def decoded(text: str, encoding: Encoding, read: Callable[[str], str]) -> str:
    """Return `text` with each run of `encoding` replaced by its decoded text as `read` returns it. A run that encodes
    no text is left unchanged. The work takes linear time."""

    def replaced(run: re.Match[str]) -> str:
        found = encoding.decode(run[0])
        if found is None:
            return run[0]
        decoded = read(found)
        return decoded if encoding.by_letter or is_readable(decoded) else run[0]

    if encoding.name == "html":
        text = _TAG_IN_A_WORD.sub("", text)
    return encoding.run.sub(replaced, text)
