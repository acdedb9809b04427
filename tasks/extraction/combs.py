"""Joins characters that are printed in the cells of a comb, as on forms with one letter per cell."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Final

from tasks.result import Bounds, Box, SourceLine

FEWEST: Final = 4
"""A comb has at least this many characters. Its words may be one fewer than that, because two characters may be read as
one word."""
SINGLE: Final = 0.6
"""At least this share of a comb's words are single characters."""
EVEN: Final = 0.7
"""At least this share of the distances between a comb's characters are whole numbers of cells."""
LONGEST: Final = 3
"""At most this many characters in neighbouring cells may have been read as one word."""
LAST_IN_ORDER: Final = "G"
"""An ascending series counts as categories or a scale, and not as a word, if it ends at this character or an earlier
one."""
WIDEST_CELL: Final = 2.0
"""A cell of a comb is at most this wide, in heights of the line. The columns of a table are wider."""
REGULAR: Final = 0.3
"""The distance between two characters may differ from a whole number of cells by at most this, in widths of a cell."""
EMPTY: Final = 1.6
"""Two characters have an empty cell between them if they are at least this far apart, in widths of a cell."""


def join_combs(lines: Sequence[SourceLine]) -> list[SourceLine]:
    """Return the lines, with the characters of combs joined into words."""
    return [_joined(line) for line in lines]


def _joined(line: SourceLine) -> SourceLine:
    if len(line.words) < FEWEST - 1 or len(line.bounds) != len(line.words):
        return line
    boxes = _boxes(line)
    combs = {begin: end for begin, end in _runs(line.words) if _is_comb(line.words[begin:end], boxes[begin:end])}
    if not combs:
        return line
    # Each word of the joined line: index of its first word, index after its last word, and by how much its box is
    # widened.
    words: list[tuple[int, int, float]] = []
    position = 0
    while position < len(line.words):
        end = combs.get(position, position + 1)
        words += (
            _words_of(line.words[position:end], boxes[position:end], position)
            if position in combs
            else [(position, end, 0.0)]
        )
        position = end
    # Boxes are set even on an upright page, whose words have only bounds, because the box of a comb's word is wider
    # than its bounds.
    return replace(
        line,
        words=tuple(_word(line.words[begin:end]) for begin, end, _ in words),
        bounds=tuple(_around(line.bounds[begin], line.bounds[end - 1]) for begin, end, _ in words),
        confidences=tuple(min(line.confidences[begin:end]) for begin, end, _ in words) if line.confidences else (),
        boxes=tuple(_hull(boxes[begin:end], round(margin)) for begin, end, margin in words),
    )


def _runs(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the start and the end of each run of words that may be characters in cells: capitals and digits."""
    begin = 0
    for index in range(len(words) + 1):
        if index == len(words) or len(words[index]) > LONGEST or not words[index].isalnum() or words[index].islower():
            # A short word before single characters is a label: `No 7 4`.
            while begin < index and len(words[begin]) > 1:
                begin += 1
            if sum(map(len, words[begin:index])) >= FEWEST:
                yield begin, index
            begin = index + 1


def _is_comb(words: Sequence[str], boxes: Sequence[Box]) -> bool:
    # The categories of a licence (A B C D) and the digits of a scale also form rows of single characters.
    if len(words) < FEWEST - 1 or (list(words) == sorted(set(words)) and words[-1] <= LAST_IN_ORDER):
        return False
    if sum(len(word) == 1 for word in words) < SINGLE * len(words):
        return False
    cells = _cells_between(words, boxes)
    even = sum(abs(one - round(one)) <= REGULAR and one >= 1 - REGULAR for one in cells)
    height = max(1, max(box[3] for box in boxes) - min(box[1] for box in boxes))
    return even >= EVEN * len(cells) and _pitch(words, boxes) <= WIDEST_CELL * height


def _words_of(words: Sequence[str], boxes: Sequence[Box], first: int) -> list[tuple[int, int, float]]:
    """Return the words of a comb, which empty cells separate."""
    ends = [index + 1 for index, cells in enumerate(_cells_between(words, boxes)) if cells >= EMPTY]
    margin = _pitch(words, boxes) / 4
    return [(first + begin, first + end, margin) for begin, end in pairwise([0, *ends, len(words)])]


def _pitch(words: Sequence[str], boxes: Sequence[Box]) -> float:
    """Return the width of a cell: the usual distance between characters that were read separately."""
    middles = [(box[0] + box[2]) / 2 for box in boxes]
    steps = [(after - before) for before, after in pairwise(middles)]
    single = [one for one, (this, that) in zip(steps, pairwise(words), strict=True) if len(this) == len(that) == 1]
    return max(1.0, median(single or steps))


def _cells_between(words: Sequence[str], boxes: Sequence[Box]) -> list[float]:
    """Return, for each pair of neighbouring words, the distance from the last character of the first to the first
    character of the second, in cells.

    Characters that were read as one word take a cell each.
    """
    pitch = _pitch(words, boxes)
    middles = [(box[0] + box[2]) / 2 for box in boxes]
    return [
        (after - before) / pitch - (len(one) + len(other) - 2) / 2
        for (before, after), (one, other) in zip(pairwise(middles), pairwise(words), strict=True)
    ]


def _boxes(line: SourceLine) -> Sequence[Box]:
    return line.boxes or [
        (one["top_left"]["x"], one["top_left"]["y"], one["bottom_right"]["x"], one["bottom_right"]["y"])
        for one in line.bounds
    ]


def _hull(boxes: Sequence[Box], margin: int) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts) - margin, min(tops), max(rights) + margin, max(bottoms)


def _around(first: Bounds, last: Bounds) -> Bounds:
    """Return bounds that reach from the first to the last word."""
    return {
        **first,
        "top_right": last["top_right"],
        "bottom_right": last["bottom_right"],
        "width": last["top_right"]["x"] - first["top_left"]["x"],
    }


def _word(parts: Sequence[str]) -> str:
    """Return the word in consecutive cells. A zero among letters becomes an O."""
    word = "".join(_letters(parts))
    rest = word.replace("0", "")
    return word.replace("0", "O") if len(rest) > 1 and rest.isalpha() else word


def _letters(parts: Sequence[str]) -> Iterator[str]:
    for part in parts:
        # OCR may read the line between two cells as a character.
        yield part.strip("|") or part
