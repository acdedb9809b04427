"""The text layer of a PDF page: what it says, and whether that is all that one sees on the page."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import pypdfium2

from models.vision.text import Quad, TextLine, Word
from tasks.media.document import TextLayer
from tasks.media.pdf_geometry import Box, PageView
from tasks.media.pdf_pictures import has_drawn_annotations, picture_boxes, unread_share
from tasks.media.pdf_words import PdfWord, read_words

_GARBAGE = 0.1
"""Share of glyphs without a known character above which nothing of the layer is believed."""
_UNREAD = 0.05
"""Share of the page that pictures without text over them may cover: a logo, not a scan or a screenshot."""
_SCANNED = 0.25
"""Share of the pictures that hidden words must span to count as their text: a stamped number does not."""
_LINE_GAP = 1.5
"""Em between two words of one line. Columns and table cells lie further apart."""
_BASELINE = 0.4
"""Em by which words of one line may stand above each other: superscripts do, the next line is at 1 or more."""


def read_text_layer(page: pypdfium2.PdfPage, width: int, height: int) -> TextLayer:
    """The text layer of `page` in pixels of its picture of `width` x `height`.

    Text outside the displayed part is dropped, and so is text that is not drawn, unless it is what a scanner read
    in the picture of the page.
    """
    view = PageView.of(page, width, height)
    words = [word for word in read_words(page) if view.box.contains(word.box.centre)]
    glyphs = sum(len(word.glyphs) for word in words)
    if not glyphs or sum(word.unmapped for word in words) > _GARBAGE * glyphs:
        return TextLayer()

    pictures = [box.clipped(view.box) for box in picture_boxes(page)]
    visible = [word for word in words if word.visible]
    scanned = _read_in(pictures, [word for word in words if not word.visible])
    known = [word for word in (*visible, *scanned) if not word.unmapped]
    text = [word.box.grown(word.em) for word in known]
    complete = (
        bool(known)
        and all(word.unmapped in (0, len(word.glyphs)) for word in visible)
        and (bool(scanned) or unread_share(view.box, pictures, text) <= _UNREAD)
        and not has_drawn_annotations(page)
    )
    return TextLayer(tuple(_line(line, view) for line in _lines(known)), complete)


def _read_in(pictures: Sequence[Box], hidden: Sequence[PdfWord]) -> Sequence[PdfWord]:
    """Those `hidden` words that are what was read in `pictures`: they span a good part of them, or none is."""
    if not pictures or not hidden:
        return ()
    seen = Box.around(corner for box in pictures for corner in box.corners)
    hidden = [word for word in hidden if seen.contains(word.box.centre)]
    span = Box.around(corner for word in hidden for corner in word.box.corners) if hidden else None
    return hidden if span and span.area >= _SCANNED * seen.area else ()


def _lines(words: Iterable[PdfWord]) -> Iterator[list[PdfWord]]:
    """Words that stand side by side. Geometry decides: the order of the content may be any."""

    def degrees(word: PdfWord) -> tuple[int, int]:
        return round(word.direction[0] * 30), round(word.direction[1] * 30)

    for _, turned in groupby(sorted(words, key=degrees), key=degrees):
        rows: list[list[PdfWord]] = []
        for word in sorted(turned, key=lambda word: -word.baseline):
            if rows and rows[-1][0].baseline - word.baseline <= _BASELINE * max(rows[-1][0].em, word.em):
                rows[-1].append(word)
            else:
                rows.append([word])
        for row in rows:
            yield from _split(sorted(row, key=lambda word: word.u))


def _split(row: Sequence[PdfWord]) -> Iterator[list[PdfWord]]:
    line: list[PdfWord] = []
    for word in row:
        if line and word.u[0] - line[-1].u[1] > _LINE_GAP * max(word.em, line[-1].em):
            yield line
            line = []
        line.append(word)
    yield line


def _line(words: list[PdfWord], view: PageView) -> TextLine:
    first = words[0]
    u = min(word.u[0] for word in words), max(word.u[1] for word in words)
    v = min(word.v[0] for word in words), max(word.v[1] for word in words)
    if _is_right_to_left("".join(word.text for word in words)):
        words = words[::-1]
    read = tuple(Word(word.text, _quad(word, word.u, word.v, view), 1.0) for word in words)
    return TextLine(read, _quad(first, u, v, view))


def _quad(word: PdfWord, u: tuple[float, float], v: tuple[float, float], view: PageView) -> Quad:
    start, end = u
    low, high = v
    top_left, top_right = view.pixel(*word.point(start, high)), view.pixel(*word.point(end, high))
    return top_left, top_right, view.pixel(*word.point(end, low)), view.pixel(*word.point(start, low))


def _is_right_to_left(text: str) -> bool:
    kinds = [unicodedata.bidirectional(character) for character in text]
    return sum(kind in {"R", "AL"} for kind in kinds) > kinds.count("L")
