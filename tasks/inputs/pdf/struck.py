"""Finds the words of a PDF page that are struck through, by a line of the page or by an annotation."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

import pypdfium2

from models.vision.text import Ruling
from tasks.inputs.pdf.shown import Box, struck_out
from tasks.inputs.pdf.words import PdfWord

_MIDDLE = 0.2, 0.75
"""A line strikes a word through if it passes between these shares of the height of the word's glyphs, from below."""
_WIDTH = 0.8
"""A line strikes a word through if it passes at least this share of its width. Lines that are longer on both sides than
_OVERHANG separate or fill in."""
_OVERHANG = 1.0
"""The first and the last word of a struck text end at most this many em from the ends of the line."""
_LEVEL = 0.5
"""The ends of a line that is level differ by at most this many points in height."""


def struck_words(words: Sequence[PdfWord], rulings: Sequence[Ruling], page: pypdfium2.PdfPage) -> set[int]:
    """Return the indices of the words that are struck through. Only words that run from left to right are compared with
    lines."""
    marked = struck_out(page)
    struck = set(_words_in(words, marked)) if marked else set()
    return struck | set(_words_under(words, rulings))


def _words_in(words: Sequence[PdfWord], boxes: Sequence[Box]) -> Iterator[int]:
    for index, word in enumerate(words):
        centre = word.box.centre
        if any(box.contains(centre) for box in boxes):
            yield index


def _words_under(words: Sequence[PdfWord], rulings: Sequence[Ruling]) -> Iterator[int]:
    level = sorted(
        (start[1], *sorted((start[0], end[0]))) for start, end in rulings if abs(start[1] - end[1]) <= _LEVEL
    )
    heights = [line[0] for line in level]
    by_line: dict[int, list[int]] = {}
    for index, word in enumerate(words):
        if word.direction[0] <= 0 or word.direction[1] or not any(one.isalnum() for one in word.text):
            continue
        box = word.box
        low, high = (box.bottom + share * (box.top - box.bottom) for share in _MIDDLE)
        for line in range(bisect_left(heights, low), bisect_left(heights, high)):
            _, left, right = level[line]
            if min(right, box.right) - max(left, box.left) >= _WIDTH * (box.right - box.left):
                by_line.setdefault(line, []).append(index)
    for line, indices in by_line.items():
        _, left, right = level[line]
        em = max(words[index].em for index in indices)
        first = min(words[index].box.left for index in indices)
        last = max(words[index].box.right for index in indices)
        if first - left <= _OVERHANG * em and right - last <= _OVERHANG * em:
            yield from indices
