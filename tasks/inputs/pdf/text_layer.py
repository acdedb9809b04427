"""The text layer of a PDF page: what it says, and whether that is all that one sees on the page."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import pypdfium2

from models.vision.text import Quad, TextLine, Word
from tasks.inputs.pages import TextLayer
from tasks.inputs.pdf.annotations import has_drawn_annotations, typed_notes
from tasks.inputs.pdf.covered import uncovered
from tasks.inputs.pdf.geometry import PageView
from tasks.inputs.pdf.shown import Shown, shown_on
from tasks.inputs.pdf.unread import Cells, Grid, Pictures
from tasks.inputs.pdf.words import PdfWord, read_words

_GARBAGE = 0.1
"""Share of glyphs without a known character above which nothing of the layer is believed."""
_OUTLINES = 15
"""Contours outside the text that may be drawn letters: two words, more than a logo or a few symbols have."""
_LINE_GAP = 0.8
"""Em between two words of one line, as justified text has at most. Columns may be hardly further apart, and parts
of a row are joined again where they are none."""
_BASELINE = 0.4
"""Em by which words of one line may stand above each other: superscripts do, the next line is at 1 or more."""


def read_text_layer(page: pypdfium2.PdfPage, width: int, height: int) -> TextLayer:
    """The text layer of `page` in pixels of its picture of `width` x `height`.

    Text outside the displayed part is dropped, and so is text that is not drawn, unless it is what a scanner read
    in the picture of the page.
    """
    view = PageView.of(page, width, height)
    notes = typed_notes(page, view)
    shown = shown_on(page)
    words = [word for word in read_words(page) if view.box.contains(word.box.centre)]
    words = uncovered(words, shown, page)
    glyphs = sum(len(word.glyphs) for word in words)
    if not glyphs or sum(word.unmapped for word in words) > _GARBAGE * glyphs:
        return TextLayer(tuple(notes))

    grid = Grid(view.box)
    pictures = Pictures([box.clipped(view.box) for box in shown.pictures], grid)
    visible, hidden = ([word for word in words if word.visible is seen] for seen in (True, False))
    read = pictures.read_as([word.box for word in hidden])
    scanned = [word for word, is_read in zip(hidden, read, strict=True) if is_read]
    known = [word for word in (*visible, *scanned) if not word.unmapped]
    text = grid.cells(word.box.grown(word.em) for word in known)
    complete = (
        bool(known)
        and all(word.unmapped in (0, len(word.glyphs)) for word in visible)
        and not pictures.are_unread(text)
        and not _has_outlined_text(shown, text, grid, view)
        and not has_drawn_annotations(page)
    )
    # What a scanner read is good enough to spare a reading, but not to be preferred to one.
    kept = known if complete else [word for word in known if word.visible]
    return TextLayer((*(_line(line, view) for line in _lines(kept)), *notes), complete)


def _has_outlined_text(shown: Shown, text: Cells, grid: Grid, view: PageView) -> bool:
    centres = [box.centre for box in shown.outlines]
    outside = [view.box.contains(centre) and not text[grid.at(centre)] for centre in centres]
    return sum(outside) >= _OUTLINES


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
