"""Rectangles around the words of a passage."""

from collections.abc import Sequence

from tasks.extraction.passages import Passage
from tasks.result import CORNERS, Bounds, Box, bounds_of


def box_of(passage: Passage, words: Sequence[int]) -> Box | None:
    """Return the upright rectangle around `words` on the page as it is read, after any rotation: in pixels if the words
    have bounds, else in cells of the text's grid."""
    boxes = [box for word in words if (box := _box_of_word(passage, word)) is not None]
    return hull_of(boxes) if boxes else source_box_of(passage, words)


def source_box_of(passage: Passage, words: Sequence[int]) -> Box | None:
    """Return the upright rectangle around `words` in the source file, before any rotation: in pixels if the words have
    bounds, else in cells of the text's grid."""
    found = [bounds for word in words if (bounds := bounds_of_word(passage, word)) is not None]
    if not found:
        return hull_of([passage.grid[word] for word in words]) if words and passage.grid else None
    corners = [bounds[corner] for bounds in found for corner in CORNERS]
    xs, ys = [corner["x"] for corner in corners], [corner["y"] for corner in corners]
    return min(xs), min(ys), max(xs), max(ys)


def hull_of(boxes: Sequence[Box]) -> Box:
    """Return the smallest rectangle around one or more rectangles."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _box_of_word(passage: Passage, word: int) -> Box | None:
    index = passage.line_at(word)
    boxes = passage.lines[index].boxes
    return boxes[word - passage.line_words(index).start] if boxes else None


def bounds_of_word(passage: Passage, word: int) -> Bounds | None:
    index = passage.line_at(word)
    line = passage.lines[index]
    if line.bounds:
        return line.bounds[word - passage.line_words(index).start]
    whole: Bounds | None = line.place.get("bounds")
    return whole


def same_row(first: Box, second: Box) -> bool:
    """True if the boxes overlap vertically by more than half of the height of the less tall box."""
    overlap = min(first[3], second[3]) - max(first[1], second[1])
    return overlap > 0.5 * min(first[3] - first[1], second[3] - second[1])


def bounds_of_words(passage: Passage, words: Sequence[int]) -> Bounds | None:
    """Return the bounds of words: the quadrilateral from the first to the last word if they share a line, else the
    upright rectangle around them."""
    hull = source_box_of(passage, words)
    first, last = bounds_of_word(passage, words[0]), bounds_of_word(passage, words[-1])
    if hull is None or first is None or last is None or first is last:
        return first
    left, top, right, bottom = hull
    if passage.line_at(words[0]) == passage.line_at(words[-1]):
        corners = (first["top_left"], last["top_right"], last["bottom_right"], first["bottom_left"])
        a, b, c, d = [(corner["x"], corner["y"]) for corner in corners]
        return bounds_of((a, b, c, d), right, bottom)
    return bounds_of(((left, top), (right, top), (right, bottom), (left, bottom)), right, bottom)


def confidence_of_words(passage: Passage, words: Sequence[int]) -> float | None:
    """Return the engine's mean confidence in `words`, or None if it states none."""
    measured = []
    for word in words:
        index = passage.line_at(word)
        line = passage.lines[index]
        if line.confidences:
            measured.append(line.confidences[word - passage.line_words(index).start])
        elif "confidence" in line.place:
            measured.append(line.place["confidence"])
    return sum(measured) / len(measured) if measured else None
