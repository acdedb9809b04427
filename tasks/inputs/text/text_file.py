"""Decodes text files, and inserts the text of pictures into texts."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tasks.inputs.limits import MediaLimits, megabytes
from tasks.inputs.media_types import SUPPORTED
from tasks.inputs.source import Blob
from tasks.inputs.text import charset

_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
"""Characters before and after a picture's number. They are Unicode noncharacters, which are reserved for internal use.
A text that itself contains them can only refer to its own pictures."""
_PICTURE_MARK = re.compile(f"{_OPEN}([0-9]{{1,9}}){_CLOSE}")
_GOES_ON = re.compile(r"[ \t]*\S")
_BLANK_LINES = "\n\n\n"
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


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return `rows` as a pipe table of the widest row's width, with the first row as its heading; "" if there are no
    rows. Shorter rows are filled with empty cells."""
    rows = list(rows)
    width = max(map(len, rows), default=0)
    if not width:
        return ""
    head, *body = [_table_row([*row, *[""] * (width - len(row))]) for row in rows]
    return "\n".join([head, _table_row(["---"] * width), *body])


def one_line(text: str) -> str:
    """Return `text` with each run of white space replaced by a space."""
    return " ".join(text.split())


def cell(text: str) -> str:
    """Escape `text` for a cell of a table."""
    return one_line(text).replace("|", "\\|") if text else ""


def _table_row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(map(cell, cells)) + " |"


def decode_text(blob: Blob, limits: MediaLimits) -> str:
    """Decode the text of `blob` by its declared or detected charset.

    Raises InputError (`unsupported_media_type`) if the bytes are not text, and InputTooLarge above `limits.text_chars`.
    """
    if len(blob.data) > _BYTES_PER_CHARACTER * limits.text_chars:
        size, most = megabytes(len(blob.data)), f"{limits.text_chars} characters"
        raise blob.too_large(f"is a text of {size}; the limit is {most}.")
    text = charset.decode(blob.data, blob.charset)
    if text is None:
        raise blob.error(f"is binary data of an unknown type. Supported: {SUPPORTED}.", code="unsupported_media_type")
    check_length(len(text), blob, limits)
    return text


def check_length(length: int, blob: Blob, limits: MediaLimits) -> None:
    """Raise InputTooLarge for a `length` above `limits.text_chars`."""
    if length > limits.text_chars:
        raise blob.too_large(f"has {length} characters; the limit is {limits.text_chars}.")


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

    Raises what `decode_text` raises, and InputError for JSON deeper than `limits.json_depth`.
    """
    head = blob.data[:_SAMPLE]
    if blob.media_type == "application/xml" and not blob.charset and (declared := _DECLARED.match(head)):
        blob = replace(blob, charset=declared[1].decode("ascii"))
    text = decode_text(blob, limits)
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
