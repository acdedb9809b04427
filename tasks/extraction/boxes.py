"""Rectangles around the words of a passage."""

from collections.abc import Sequence

from tasks.extraction.passages import Box, Passage
from tasks.result import CORNERS, Bounds


def box_of(passage: Passage, words: Sequence[int]) -> Box | None:
    """Return the upright rectangle around `words`: in pixels if they have bounds, or else on the grid of their text."""
    found = [bounds for word in words if (bounds := bounds_of_word(passage, word)) is not None]
    if not found:
        return _hull([passage.grid[word] for word in words]) if words and passage.grid else None
    corners = [bounds[corner] for bounds in found for corner in CORNERS]
    xs, ys = [corner["x"] for corner in corners], [corner["y"] for corner in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _hull(boxes: Sequence[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def bounds_of_word(passage: Passage, word: int) -> Bounds | None:
    index = passage.line_at(word)
    line = passage.lines[index]
    if line.bounds:
        return line.bounds[word - passage.line_words(index).start]
    whole: Bounds | None = line.place.get("bounds")
    return whole


def same_row(one: Box, other: Box) -> bool:
    """True if more than half of the height of the less high box is beside the other box."""
    overlap = min(one[3], other[3]) - max(one[1], other[1])
    return overlap > 0.5 * min(one[3] - one[1], other[3] - other[1])
