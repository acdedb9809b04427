"""Decodes text files, and inserts the text of pictures into texts."""

import codecs
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import AnyStr

import numpy as np
from charset_normalizer import from_bytes

from tasks.inputs.limits import MediaLimits, megabytes
from tasks.inputs.media_types import SUPPORTED
from tasks.inputs.source import Blob
from tasks.inputs.text.xml_entities import declares_entities

_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
"""Characters before and after a picture's number. They are Unicode noncharacters, which are reserved for internal use.
A text that itself contains them can only refer to its own pictures."""
_PICTURE_MARK = re.compile(f"{_OPEN}([0-9]{{1,9}}){_CLOSE}")
_GOES_ON = re.compile(r"[ \t]*\S")
_BLANK_LINES = "\n\n\n"
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"
_CHARSET = re.compile(r"(utf|iso|latin|windows|cp|koi8|mac|big5|gb|euc|shift|ascii|us-)[\w-]*", re.ASCII)
"""Names of the web's charsets. Python knows other names, but some decode in quadratic time (punycode), and some are not
charsets."""
_WIDE = re.compile(r"(utf-?(?:16|32))-?([lb]e)?")
_JAPANESE = b"\x1b$"
"""Escape sequence before Japanese characters in ISO-2022-JP, whose bytes are all ASCII."""
_MENDED = 0.01
"""A text counts as UTF-8 if at most this share of its characters above ASCII are broken. If it has a different
encoding, nearly all of them are broken."""
_ABOVE_ASCII = bytes(range(128, 256))
_HIGH = re.compile(rb"[\x80-\xff]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]{3,}")
_LETTER_OR_DIGIT = re.compile(rb"[0-9A-Za-z]")
_SIGN_IN_WORD = re.compile(r"[¡-©«¬®-³¶¸¹»-¿](?<=[^\W\d_].)(?=[^\W\d_])")
"""Signs within words that result if letters of other encodings are decoded as cp1252, as in "z³oty". The sign comes
first in the pattern, because a single character is found twenty times as fast as what comes before it."""
_DETECTABLE = [
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp866", "cp874"),
    *("iso8859_2", "iso8859_5", "iso8859_7", "koi8_r", "koi8_u"),
    *("cp932", "euc_jp", "gb18030", "big5hkscs", "cp949"),
]
"""Encodings of the web (WHATWG Encoding, 4.2). The detector knows others, but confuses them: old Japanese sets with
KOI8-R, and mainframe code pages with any short text."""
_PIECE = 16_384
"""Number of bytes that are decoded, or characters that are searched, in one call, within which no other thread runs."""
_PAUSE_S = 1e-4
_MAX_PLACES = 10_000
"""Pictures are inserted in at most this many places of a text. Each takes two microseconds of the event loop."""
_MAX_REPEATED = 1_000_000
"""A file may show a picture of 50,000 letters as often as it has characters."""
_SAMPLE = 16_384
"""Number of bytes that are examined to detect an encoding. More bytes take more time and hardly improve the result."""
_DECLARED = re.compile(rb"\s*<\?xml[^>]*\sencoding\s*=\s*[\"']([\w.-]{1,40})[\"']")
_BLOCK = 1 << 20
_BYTES_PER_CHARACTER = 4
"""No encoding of a text has more bytes for each of its characters: UTF-32 has as many."""


@dataclass(frozen=True, slots=True)
class PicturePlace:
    offset: int
    """Number of characters of the text before the picture."""
    number: int
    """Number of the page that shows the picture. A picture that a file shows twice has two places."""


def mark(number: int) -> str:
    """Return the mark of picture `number`, which `without_marks` finds."""
    return f"{_OPEN}{number}{_CLOSE}"


def unread_note(why: str) -> str:
    """Return the note for a picture that cannot be read."""
    return f"[picture not read: {why}]"


def without_marks(marked: str) -> tuple[str, tuple[PicturePlace, ...]]:
    """Return the text with its marks removed but their lines kept, and the places of the first _MAX_PLACES marks."""
    pieces, end, length = [], 0, 0
    places: list[PicturePlace] = []
    for found in _PICTURE_MARK.finditer(marked):
        pieces.append(marked[end : found.start()])
        length += found.start() - end
        end = found.end()
        if len(places) < _MAX_PLACES:
            places.append(PicturePlace(length, int(found[1])))
    pieces.append(marked[end:])
    return "".join(pieces), tuple(places)


def with_pictures(text: str, places: Sequence[PicturePlace], readings: Mapping[int, str]) -> str:
    """Insert the text that was read in each picture at the picture's place. A single line, or a text in a table, is
    inserted within the line. Any other text becomes a paragraph. Pictures without text are left out, and so are
    repeated pictures after _MAX_REPEATED characters of them."""
    if not places:
        return text
    pieces: list[str] = []
    inserted: set[int] = set()
    repeats_left = _MAX_REPEATED
    end, line = 0, ""  # `line` is the first character of the current line, which shows if it is a table's row
    for place in places:
        piece = text[end : place.offset]
        line = (line + piece).rpartition("\n")[2].lstrip()[:1]
        end = max(end, place.offset)
        reading = readings.get(place.number, "").strip()
        if place.number in inserted:
            repeats_left -= len(reading)
            reading = reading if repeats_left >= 0 else ""
        inserted.add(place.number)
        goes_on = _GOES_ON.match(text, end) is not None
        if not reading:
            pieces.append(piece.rstrip(" "))
        elif line == "|" or "\n" not in reading:
            gap = " " if line and not piece.endswith(" ") else ""
            pieces += [piece, gap, " ".join(reading.split("\n")), " " if text[end : end + 1].strip() else ""]
            line = line or reading[:1]
        else:
            pieces += [piece.rstrip(" "), "\n\n" if line else "", reading, "\n\n" if goes_on else ""]
            line = "" if goes_on else reading[:1]
    pieces.append(text[end:])
    inserted_text = "".join(pieces)
    # Replacing is several times as fast as a regular expression, during which no other thread would run.
    while _BLANK_LINES in inserted_text:
        inserted_text = inserted_text.replace(_BLANK_LINES, "\n\n")
    return inserted_text.strip("\n")


_MAX_FILL = 200_000
"""At most this many empty cells are added to the rows of a table, or of several ones that share a budget."""


class EmptyCells:
    """Budget of the empty cells that are added to tables."""

    def __init__(self) -> None:
        self._left = _MAX_FILL

    def take(self, count: int) -> bool:
        """Return True if `count` cells may be added, and subtract them from the budget."""
        if count > self._left:
            return False
        self._left -= count
        return True


def table(rows: Iterable[Sequence[str]], empty: EmptyCells | None = None) -> str:
    """Return `rows` as a pipe table of the widest row's width, with the first row as its heading; "" if there are no
    rows.

    Shorter rows are filled with empty cells. If these would be more than the budget `empty` has, by default
    `_MAX_FILL`, only the heading is filled: other rows may end early (GitHub Flavored Markdown, 4.10).
    """
    rows = list(rows)
    width = max(map(len, rows), default=0)
    if not width:
        return ""
    filled = width if (empty or EmptyCells()).take(width * len(rows) - sum(map(len, rows))) else 0
    head, *body = [_table_row([*row, *[""] * (filled - len(row))]) for row in rows]
    heading = head if filled else _table_row([*rows[0], *[""] * (width - len(rows[0]))])
    return "\n".join([heading, _table_row(["---"] * width), *body])


def one_line(text: str) -> str:
    """Return `text` with each run of white space replaced by a space."""
    return " ".join(text.split())


def cell(text: str) -> str:
    """Escape `text` for a cell of a table."""
    return one_line(text).replace("|", "\\|") if text else ""


def _table_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(map(cell, cells)) + " |"


def decode_text(blob: Blob, limits: MediaLimits) -> str:
    """Decode the text of `blob` by the first encoding that fits: that of its byte order mark, ISO-2022-JP, UTF-8, its
    declared charset, cp1252 if that is plausible, or the detected charset.

    Raises InputError (`unsupported_media_type`) if the bytes are not text, and InputTooLarge above `limits.text_chars`.
    """
    if len(blob.data) > _BYTES_PER_CHARACTER * limits.text_chars:
        size, most = megabytes(len(blob.data)), f"{limits.text_chars} characters (OPENFAZE_MAX_TEXT_CHARS)"
        raise blob.too_large(f"is a text of {size}; the limit is {most}.")
    text = _decode_by_mark(blob.data) or _decode_without_mark(blob.data, blob.charset)
    if text is None:
        raise blob.error(f"is binary data of an unknown type. Supported: {SUPPORTED}.", code="unsupported_media_type")
    check_length(len(text), blob, limits)
    return text


def check_length(length: int, blob: Blob, limits: MediaLimits) -> None:
    """Raise InputTooLarge for a `length` above `limits.text_chars`."""
    if length > limits.text_chars:
        raise blob.too_large(f"has {length} characters; the limit is {limits.text_chars} (OPENFAZE_MAX_TEXT_CHARS).")


def looks_like_text(data: bytes) -> bool:
    """True if `data` has a byte order mark, or if its first `_SAMPLE` bytes have only characters that text may have."""
    head = data[:_SAMPLE]
    return head.startswith(tuple(mark for mark, _ in _BYTE_ORDER_MARKS)) or len(head.translate(None, _CONTROLS)) == len(
        head
    )


def _decode_by_mark(data: bytes) -> str | None:
    return _decode_or_none(
        data, next((encoding for mark, encoding in _BYTE_ORDER_MARKS if data.startswith(mark)), None)
    )


def _decode_without_mark(data: bytes, charset: str | None) -> str | None:
    declared = charset if charset and _CHARSET.fullmatch(charset) else None
    plain = looks_like_text(data) and b"\0" not in data
    if plain and (text := _decode_japanese(data) or _decode_or_none(data, "utf-8")):
        return text
    if is_wide := _WIDE.fullmatch(declared or ""):
        text = _decode_or_none(data, is_wide[1] + (is_wide[2] or "le"))
        return text if text and looks_like_text(text.encode()) else None
    return (
        _decode_mended(data) or _decode_or_none(data, declared) or _decode_western(data) or _decode_detected(data)
        if plain
        else None
    )


def _decode_japanese(data: bytes) -> str | None:
    # A single byte is found ten times as fast as two, and few texts have it.
    is_japanese = _JAPANESE[:1] in data and _JAPANESE in data and data.isascii()
    return _decode_or_none(data, "iso2022_jp_ext") if is_japanese else None


def _decode_or_none(data: bytes, encoding: str | None) -> str | None:
    try:
        return _decode_in_pieces(data, encoding) if encoding else None
    except (UnicodeDecodeError, LookupError):
        return None


def _decode_in_pieces(data: bytes, encoding: str, errors: str = "strict") -> str:
    """Decode `data` in pieces, because a byte that an encoding lacks takes a quarter of a microsecond, which for ten
    million of them is seconds.

    Raises LookupError for an unknown encoding, and UnicodeDecodeError.
    """
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    pieces = [decoder.decode(data[start : start + _PIECE]) for start in _starts(len(data))]
    return "".join((*pieces, decoder.decode(b"", final=True)))


def _starts(length: int) -> Iterator[int]:
    """Yield the beginnings of the pieces of a text, and pause between them. A thread that never waits would take
    Python's lock from the event loop again and again: beside texts of 9.9 MB, detection took twice as long."""
    for start in range(0, length, _PIECE):
        if start:
            time.sleep(_PAUSE_S)
        yield start


def _decode_mended(data: bytes) -> str | None:
    """Decode `data` as UTF-8. A few broken characters become U+FFFD."""
    text = _decode_in_pieces(data, "utf-8", errors="replace")
    above = len(text) - len(data.translate(None, _ABOVE_ASCII))
    return text if text.count("\ufffd") <= _MENDED * above else None


def _decode_western(data: bytes) -> str | None:
    """Decode `data` as cp1252, the default of the web, if that is plausible: most letters above ASCII occur singly or
    in pairs, there are more ASCII letters and digits than letters above ASCII, and there are no signs within words. The
    detector is not used here, because it takes French, Spanish and Swedish for Polish."""
    sample = _sample_around_high(data)
    high_count, foreign = len(_HIGH.findall(sample)), sum(map(len, _HIGH_RUN.findall(sample)))
    if 3 * foreign > high_count or high_count >= len(_LETTER_OR_DIGIT.findall(sample)):
        return None
    text = _decode_or_none(data, "cp1252")
    return text if text is not None and not _search(_SIGN_IN_WORD, text) else None


def _search(pattern: re.Pattern[AnyStr], text: AnyStr) -> re.Match[AnyStr] | None:
    """Search in pieces for a pattern that looks at most one character ahead."""
    found = (pattern.search(text, start, start + _PIECE + 1) for start in _starts(len(text)))
    return next(filter(None, found), None)


def _decode_detected(data: bytes) -> str | None:
    guess = from_bytes(_sample_around_high(data), cp_isolation=_DETECTABLE).best()
    return _decode_in_pieces(data, guess.encoding, errors="replace") if guess else None


def _sample_around_high(data: bytes) -> bytes:
    """Return a part of `data` around its first character above ASCII."""
    first = _search(_HIGH, data)
    start = max(0, (first.start() if first else 0) - _SAMPLE // 4)
    return data[start : start + _SAMPLE]


_COMMENT = re.compile(
    r"^[ ]{0,3}(`{3,}|~{3,})[^\n]*\n.*?(?:^[ ]{0,3}\1|\Z)|`[^`\n]*`|<!--.*?(?:-->|(?P<endless>\Z))",
    re.DOTALL | re.MULTILINE,
)
"""Pattern of comments in Markdown, and of code, in which there are none."""
_STEPS = np.zeros(256, np.int8)
_STEPS[[*b"[{"]] = 1
_STEPS[[*b"]}"]] = -1


def read_text(blob: Blob, limits: MediaLimits) -> str:
    """Read the text of `blob`, which need not be well-formed, because logs and truncated files are read as well.
    Comments in Markdown are left out.

    Raises what `decode_text` raises, and InputError for JSON deeper than `limits.json_depth` and for XML that declares
    entities.
    """
    head = blob.data[:_SAMPLE]
    if blob.media_type == "application/xml" and not blob.charset and (declared := _DECLARED.match(head)):
        blob = replace(blob, charset=declared[1].decode("ascii"))
    text = decode_text(blob, limits)
    if blob.media_type == "application/xml" and declares_entities(text):
        raise blob.error("declares XML entities, which are not expanded: send it without them.")
    if blob.media_type == "application/json" and json_depth(text) > limits.json_depth:
        raise blob.error(f"has lists or objects more than {limits.json_depth} deep, the limit.")
    if blob.media_type == "text/markdown":
        return _without_comments(text)
    return text


def _without_comments(markdown: str) -> str:
    def kept(found: re.Match[str]) -> str:
        is_comment = found[0].startswith("<") and found["endless"] is None
        return "" if is_comment else found[0]

    return _COMMENT.sub(kept, markdown)


def json_depth(text: str) -> int:
    """Return the depth of the lists and objects in a JSON text, without recursion; it takes 10 ms per megabyte."""
    data = text.encode(errors="replace")
    if b"\\" in data:  # escapes occur only in strings; without them every quote opens or closes a string
        data = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    quoted, depth, deepest = np.uint8(0), 0, 0
    for start in range(0, len(data), _BLOCK):
        block = np.frombuffer(data, np.uint8, min(_BLOCK, len(data) - start), start)
        inside = np.bitwise_xor.accumulate((block == ord('"')).astype(np.uint8)) ^ quoted
        depths = np.cumsum(np.where(inside, 0, _STEPS[block]), dtype=np.int64) + depth
        quoted, depth, deepest = inside[-1], int(depths[-1]), max(deepest, int(depths.max()))
    return deepest
