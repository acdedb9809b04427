"""A text that knows where the pictures of its file stand in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
"""Noncharacters: Unicode keeps them free for such marks. A text that holds them can at most name its own pictures."""
_MARK = re.compile(f"{_OPEN}([0-9]{{1,9}}){_CLOSE}")
_GOES_ON = re.compile(r"[ \t]*\S")
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class PicturePlace:
    offset: int
    """Characters of the text before it."""
    number: int
    """Of the page that shows the picture. One that a file shows twice has two places."""


def mark(number: int) -> str:
    """Stands for picture `number` until `without_marks` finds it."""
    return f"{_OPEN}{number}{_CLOSE}"


def unread(why: str) -> str:
    """Stands for a picture that is there and cannot be read."""
    return f"[picture not read: {why}]"


def without_marks(marked: str) -> tuple[str, tuple[PicturePlace, ...]]:
    """The text without its marks, though with the lines they stood on, and where they stood."""
    pieces, places, end, length = [], [], 0, 0
    for found in _MARK.finditer(marked):
        pieces.append(marked[end : found.start()])
        length += found.start() - end
        end = found.end()
        places.append(PicturePlace(length, int(found[1])))
    pieces.append(marked[end:])
    return "".join(pieces), tuple(places)


def with_pictures(text: str, places: Sequence[PicturePlace], readings: Mapping[int, str]) -> str:
    """`text` with what was read in its pictures, each at its place: within a line where there is but a line of it or
    a table is to be kept, else as a paragraph. Of a picture without a reading nothing is left."""
    if not places:
        return text
    pieces: list[str] = []
    end, line = 0, ""  # the line so far, or as much of it as tells what it is
    for place in places:
        piece = text[end : place.offset]
        line = (line + piece).rpartition("\n")[2].lstrip()[:1]
        end = max(end, place.offset)
        reading = readings.get(place.number, "").strip()
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
    return _BLANK_LINES.sub("\n\n", "".join(pieces)).strip("\n")
