"""Decodes texts by the labels of the web (WHATWG Encoding), and detects the encoding of texts that declare none.

A label means the encoding that programs use under this name, which often has more characters than the standard it is
named after: `iso-8859-1` is windows-1252, `shift_jis` is CP932, `gb2312` is GB18030.
"""

import codecs
import re
from functools import lru_cache

import webencodings
from chardetng_py.detector import EncodingDetector

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
_HIGH = re.compile(rb"[\x80-\xff]")
_ASCII_LABELS = frozenset(("ascii", "us-ascii", "ansi_x3.4-1968", "iso646-us"))
"""Labels of mails that say nothing about the bytes above ASCII, which their senders' programs overlooked."""
_OTHER_LABEL = re.compile(r"(?:cp|ibm|ms|mac)[\w-]*|utf-?(?:16|32)(?:-?[lb]e)?", re.ASCII)
"""Labels that are not of the web, but of old programs. Python knows still others, but some decode in quadratic time
(punycode), and some are not charsets."""
_JAPANESE_LABEL = re.compile(r"_?(?:cs)?iso-?2022-?jp.*|cp5022[0-2]")
_SUPERSETS = {"gbk": "gb18030", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_ISO_2022_JP = "iso2022_jp_ext"
_VENDORED = "euc_jp", _ISO_2022_JP, "gb18030"
_ESCAPE_TO_JAPANESE = b"\x1b$"
_UNMARKED = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_WESTERN = "cp1252"
_EASTERN_LATIN = ("cp1250", "cp1257", "cp1258", "iso8859-2", "iso8859-4")
_EASTERN = frozenset("ŠšŽž")
"""Letters that cp1252 has, but no Western language."""
_SIGN_IN_WORD = re.compile(r"(?<=[^\W\d_])[¡-©«¬®-³¶¸¹»-¿](?=[^\W\d_])")
"""Signs within words that result if letters of other encodings are decoded as cp1252, as in "z³oty"."""
_FEW_BROKEN = 0.01
"""A text counts as UTF-8 if at most this share of its characters above ASCII are broken. If it has a different
encoding, nearly all of them are broken."""
_MOST_BROKEN = 0.5
"""A declared charset is believed if at most this share of the characters above ASCII are broken."""
_SAMPLE = 1 << 20
"""Number of bytes that are examined to detect an encoding, from the first one above ASCII; they take 0.1 s."""
_BEFORE = 64
"""The sample begins this many bytes earlier, because languages differ by the letters before a letter."""
_HEAD = 16_384
_REPLACED = "openfaze-replaced"
"""Name under which `_replace_broken` is registered as a handler of decoding errors."""


def looks_like_text(data: bytes) -> bool:
    """True if `data` has a byte order mark, or if its first `_HEAD` bytes have only characters that text may have."""
    head = data[:_HEAD]
    return head.startswith(tuple(mark for mark, _ in _BYTE_ORDER_MARKS)) or not _has_controls(head)


def decode(data: bytes, label: str | None = None) -> str | None:
    """Return the text of `data`, or None if it is binary.

    The encoding is that of the byte order mark, UTF-8 if it fits, the one that `label` declares, or the detected one.
    Characters that it lacks become U+FFFD.
    """
    marked = next((codec for mark, codec in _BYTE_ORDER_MARKS if data.startswith(mark)), None)
    if marked is not None and (text := _decoded(data, marked, _FEW_BROKEN)) is not None:
        return text
    codec = codec_of(label)
    if _has_controls(data[:_HEAD]) or b"\0" in data:
        text = _decoded(data, codec, 0) if codec in _UNMARKED else None
        return text if text and not _has_controls(text[:_HEAD].encode(errors="replace")) else None
    if data.isascii():
        # A single byte is found ten times as fast as two, and few texts have it.
        is_japanese = codec == _ISO_2022_JP or (_ESCAPE_TO_JAPANESE[:1] in data and _ESCAPE_TO_JAPANESE in data)
        text = _decoded(data, _ISO_2022_JP, _MOST_BROKEN) if is_japanese else None
        return data.decode("ascii") if text is None else text
    for name, most_broken in (("utf-8", _FEW_BROKEN), (codec, _MOST_BROKEN)):
        if name is not None and (text := _decoded(data, name, most_broken)) is not None:
            return text
    return _decoded(data, _detected(data), 1)


def codec_of(label: str | None) -> str | None:
    """Return Python's name of the encoding that a label declares; None for one that is not known, or says nothing."""
    label = (label or "").strip(" \t\r\n\"'").lower()
    if label in _ASCII_LABELS:
        return None
    if _JAPANESE_LABEL.fullmatch(label):
        return _ISO_2022_JP
    known = webencodings.lookup(label)
    name = known.codec_info.name if known is not None and known.name != "replacement" else label.removeprefix("x-")
    try:
        name = codecs.lookup(name).name if known is not None or _OTHER_LABEL.fullmatch(name) else ""
    except LookupError:
        return None
    return _SUPERSETS.get(name, name) or None


def _has_controls(data: bytes) -> bool:
    return len(data.translate(None, _CONTROLS)) != len(data)


def _decoded(data: bytes, codec: str, most_broken: float) -> str | None:
    """Decode `data`; None if more than a share of `most_broken` of the characters above ASCII are broken."""
    text = data.decode(codec, _REPLACED if codec in _VENDORED else "replace")
    return text if _is_believed(text, most_broken) else None


def _is_believed(text: str, most_broken: float) -> bool:
    broken = text.count("\ufffd")
    return not broken or broken <= most_broken * (len(text) - len(text.encode("ascii", "ignore")))


def _detected(data: bytes) -> str:
    """Return Python's name of the encoding that `data` most likely has."""
    first = _HIGH.search(data)
    sample = data[max(0, first.start() - _BEFORE) if first else 0 :][:_SAMPLE]
    detector = EncodingDetector()
    detector.feed(sample, last=len(sample) < _SAMPLE)
    codec = codec_of(detector.guess(tld=None, allow_utf8=False)) or _WESTERN
    if codec not in _EASTERN_LATIN:
        return codec
    # A single letter does not distinguish languages, and most texts in Latin script are Western.
    western, other = (sample.decode(one, "replace") for one in (_WESTERN, codec))
    differing = sum(one != letter or one in _EASTERN for one, letter in zip(western, other, strict=False))
    return _WESTERN if differing < 2 and not _SIGN_IN_WORD.search(western) else codec


def _replace_broken(error: UnicodeError) -> tuple[str, int]:
    """Replace bytes that Python's codec does not know by the character that vendors have there, or by U+FFFD."""
    assert isinstance(error, UnicodeDecodeError)
    if error.encoding == "gb18030":
        return "€" if error.object[error.start] == 0x80 else "\ufffd", error.end
    character = _vendor_character(error.object[error.start : error.start + 2])
    return (character, error.start + 2) if character else ("\ufffd", error.end)


@lru_cache(maxsize=4096)
def _vendor_character(pair: bytes) -> str:
    """Return the character of CP932 for two bytes of JIS X 0208, whose place in Shift JIS follows from them (JIS X
    0208:1997, annex 1)."""
    row, cell, *_ = *(byte & 0x7F for byte in pair), 0, 0
    if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
        return ""
    first = (row + 1) // 2 + (0x70 if row <= 0x5E else 0xB0)
    second = cell + (0x7E if row % 2 == 0 else 0x1F if cell < 0x60 else 0x20)
    text = bytes((first, second)).decode("cp932", "ignore")
    return text if len(text) == 1 and not text.isascii() else ""


codecs.register_error(_REPLACED, _replace_broken)
