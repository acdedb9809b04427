"""Reads the text layer of a PDF page, and determines whether it contains all text that is visible on the page."""

import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

import cv2
import numpy as np
import pypdfium2
from numpy.typing import NDArray

from models.normal_forms import normalized
from models.vision.text import Point, Quad, TextLine, Word
from tasks.inputs.pages import TextLayer
from tasks.inputs.pdf.form_fields import read_fields
from tasks.inputs.pdf.shown import (
    GLYPH_POINTS,
    Box,
    Outline,
    PageObjects,
    PageView,
    box_quad,
    drawn_annotations,
    shown_on,
)
from tasks.inputs.pdf.struck import struck_words
from tasks.inputs.pdf.words import PdfWord, read_words

_CELLS = 400
"""Number of cells along the page's longer side for comparing areas: 2 points each on A4."""
_SCANNED = 0.05
"""Hidden words are the OCR text of a picture if they cover at least this share of its area. A stamped number covers
less; a printed page covers three times as much."""
_UNREAD = 0.05
"""Pictures without text over them may cover at most this share of the page. Small logos cover less; a photo covers
more."""
_LEGIBLE = 10, 60
"""A picture can contain a line of text if its shorter side has at least the first number of points, and its longer side
the second. A smaller picture is a logo."""

Cells = NDArray[np.bool_]
"""Cells by row, from the bottom of the page, and column, from its left."""
_STRUCK = "~~"
"""Mark around text that is struck through, as in Markdown."""
_READ_SCRIPTS = "LATIN", "CJK", "HIRAGANA", "KATAKANA"
"""The scripts that OCR reads, as Unicode's names of their letters begin."""
_READABLE = 0.8
"""OCR reads a page if it reads the scripts of at least this share of the letters."""
_GARBAGE = 0.1
"""If more than this share of the glyphs has no known character, the layer is distrusted."""
_VOWELS = frozenset("aeiouy")
_LEAST_VOWELS = 0.2
_LEAST_LETTERS = 100
"""At least 20 % of a hundred Latin letters or more are vowels: 38 % in English, 35 % in Polish and Czech. Where each
letter is exchanged for the one 29 places before it, as in some damaged fonts, they are 15 %."""
_OUTLINES = 15
"""Contours outside the text may be drawn letters if there are at least this many. Two words have about this many; a
logo or a few symbols have fewer."""
_SHAPES = 5
"""Drawn letters are of at least this many shapes, in number of segments. The marks in a chart repeat two or three."""
_LINE_GAP = 0.8
"""Two words of one line are at most this far apart, in em, as in justified text. The limit is small, because columns
may be hardly further apart. Parts of a row that are not columns are joined again later."""
_BASELINE = 0.4
"""The baselines of the words of one line differ by at most this, in em. The baseline of a superscript differs by less,
and the next line's by 1 or more."""


class AreaGrid:
    """A grid of cells over a page for comparing areas."""

    def __init__(self, page: Box) -> None:
        self._page = page
        self.cell = max(page.right - page.left, page.top - page.bottom, 1.0) / _CELLS
        """Side of a cell in points."""
        self._shape = (
            max(1, math.ceil((page.top - page.bottom) / self.cell)),
            max(1, math.ceil((page.right - page.left) / self.cell)),
        )

    def cells(self, boxes: Iterable[Box]) -> Cells:
        """Return a mask of the cells that lie in any of `boxes`."""
        covered = np.zeros(self._shape, dtype=bool)
        for box in boxes:
            left, right = (max(0, round((x - self._page.left) / self.cell)) for x in (box.left, box.right))
            bottom, top = (max(0, round((y - self._page.bottom) / self.cell)) for y in (box.bottom, box.top))
            covered[bottom:top, left:right] = True
        return covered

    def at(self, point: Point) -> tuple[int, int]:
        """Return the index of the cell that contains `point`, or of the nearest one."""
        (x, y), (rows, columns) = point, self._shape
        row, column = int((y - self._page.bottom) / self.cell), int((x - self._page.left) / self.cell)
        return min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)


class Pictures:
    """The pictures of a page. Pictures that touch count as one, because scanners cut pages into strips."""

    def __init__(self, boxes: Sequence[Box], grid: AreaGrid) -> None:
        self._grid = grid
        shown = grid.cells(boxes).astype(np.uint8)
        _, self._at, self._places, _ = cv2.connectedComponentsWithStats(shown)
        # For each cell, `self._at` has the number of its picture, or 0 if there is none.
        self._sizes = self._count(shown > 0)
        self._read = np.zeros(len(self._sizes), dtype=bool)

    def read_as(self, hidden: Sequence[Box]) -> list[bool]:
        """Find the pictures in which the `hidden` words were recognised. Return, for each word, True if it belongs to
        such a picture."""
        under = self._count(self._grid.cells(hidden))
        self._read = (under > 0) & (under >= _SCANNED * self._sizes)
        return [bool(self._read[self._at[self._grid.at(word.centre)]]) for word in hidden]

    def are_unread(self, text: Cells) -> bool:
        """True if the pictures may contain more text than the hidden words and `text`."""
        unread = (self._at > 0) & ~self._read[self._at] & ~text
        if unread.mean() > _UNREAD:
            return True
        sides = self._grid.cell * np.sort(self._places[:, (cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH)], axis=1)
        legible = (sides[:, 0] >= _LEGIBLE[0]) & (sides[:, 1] >= _LEGIBLE[1])
        return bool((legible & (2 * self._count(unread) > self._sizes)).any())

    def _count(self, cells: Cells) -> NDArray[np.intp]:
        """Return the number of `cells` in each picture, by the picture's number. Number 0, the area without pictures,
        always has 0."""
        counts = np.bincount(self._at[cells], minlength=len(self._places))
        counts[0] = 0
        return counts


def read_text_layer(page: pypdfium2.PdfPage, width: int, height: int) -> TextLayer:
    """Read the text layer of `page` in pixels of its picture of `width` x `height`.

    Text outside the displayed part is dropped, and so is hidden text, unless it is the OCR text of a scanned picture in
    a script that OCR does not read here. What is read of a page that shows more is added where there are pictures,
    outlined letters, annotations, unknown characters or fields, and nowhere else.
    """
    view = PageView.of(page, width, height)
    shown = shown_on(page)
    words = [word for word in read_words(page) if view.box.contains(word.box.centre)]
    is_doubted = _share_read(words) >= _READABLE and _is_no_language(words)
    layer = _layer_of([] if is_doubted else words, page, shown, view)
    if layer.complete or not (is_doubted or any(word.unmapped for word in words)):
        return layer
    words = [word for word in read_words(page, by_code=True) if view.box.contains(word.box.centre)]
    return replace(layer, if_confirmed=_layer_of(words, page, shown, view))


def _layer_of(words: Sequence[PdfWord], page: pypdfium2.PdfPage, shown: PageObjects, view: PageView) -> TextLayer:
    """Return the text layer of `page` that has these `words`."""
    typed, fields = read_fields(page, view)
    if not words:
        return TextLayer(tuple(typed), fields=fields)

    is_readable = _share_read(words) >= _READABLE
    grid = AreaGrid(view.box)
    pictures = Pictures([box.clipped(view.box) for box in shown.pictures], grid)
    visible, hidden = ([word for word in words if word.visible is seen] for seen in (True, False))
    if _share_read(hidden) >= _READABLE:
        hidden = []
    for index in struck_words(visible, shown.rulings, page):
        visible[index].is_struck = True
    read = pictures.read_as([word.box for word in hidden])
    scanned = [word for word, is_read in zip(hidden, read, strict=True) if is_read]
    # Where OCR reads nothing, it could not add the characters that are not known.
    known = [word for word in (*visible, *scanned) if not word.unmapped or (word.text and not is_readable)]
    text = grid.cells(word.box.grown(word.em) for word in known)
    outlined = _outlined_text([one for one in shown.outlines if view.box.contains(one.box.centre)], text, grid)
    drawn = drawn_annotations(page)
    complete = (
        bool(known)
        and (not is_readable or all(word.unmapped in (0, len(word.glyphs)) for word in visible))
        and not pictures.are_unread(text)
        and not outlined
        and not drawn
    )
    unread: tuple[Quad, ...] | None = None
    if known:
        unknown = [word.box.grown(word.em) for word in visible if word.unmapped]
        boxes = () if complete else (*shown.pictures, *outlined, *drawn, *unknown)
        unread = tuple(box_quad(box, view) for box in boxes)
    # Where OCR runs, its own text is preferred.
    kept = known if complete else [word for word in known if word.visible]
    rulings = [(view.pixel(*start), view.pixel(*end)) for start, end in shown.rulings] if complete else ()
    lines = (*(_text_line(line, view) for line in _group_lines(kept)), *typed)
    return TextLayer(lines, complete, tuple(rulings), shown.has_drawings, fields, unread)


def _share_read(words: Sequence[PdfWord]) -> float:
    """Return the share of the letters whose scripts OCR reads."""
    letters = [one for word in words for glyph in word.glyphs for one in glyph if one.isalpha()]
    are_read = sum(unicodedata.name(letter, "").startswith(_READ_SCRIPTS) for letter in letters)
    return are_read / len(letters) if letters else 1.0


def _is_no_language(words: Sequence[PdfWord]) -> bool:
    """True if what the file says of its characters is wrong: many have none, or the letters are not those of words."""
    glyphs = [glyph for word in words for glyph in word.glyphs]
    if glyphs.count("") > _GARBAGE * len(glyphs):
        return True
    # Units and codes, which charts repeat in each cell, are not words of a language.
    texts = {word.text for word in words if not any(one.isdecimal() for one in word.text)}
    latin = [one for one in normalized("NFKD", "".join(texts)).lower() if "a" <= one <= "z"]
    return len(latin) >= _LEAST_LETTERS and sum(one in _VOWELS for one in latin) < _LEAST_VOWELS * len(latin)


def _outlined_text(outlines: Sequence[Outline], text: Cells, grid: AreaGrid) -> list[Box]:
    """Return the place in which letters may be drawn as contours, outside of the text."""
    outside = [one for one in outlines if not text[grid.at(one.box.centre)]]
    if len(outside) < _OUTLINES or len({one.segments for one in outside}) < _SHAPES:
        return []
    # Straight letters, which look like frames and bars, may stand at the ends.
    return [Box.around(corner for one in outside for corner in one.box.corners).grown(GLYPH_POINTS[1])]


def _group_lines(words: Iterable[PdfWord]) -> Iterator[list[PdfWord]]:
    """Group words into lines by geometry, because the content may be in any order."""

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
            yield from _split_row(sorted(row, key=lambda word: word.u))


def _split_row(row: Sequence[PdfWord]) -> Iterator[list[PdfWord]]:
    line: list[PdfWord] = []
    for word in row:
        if line and word.u[0] - line[-1].u[1] > _LINE_GAP * max(word.em, line[-1].em):
            yield line
            line = []
        line.append(word)
    yield line


def _text_line(words: list[PdfWord], view: PageView) -> TextLine:
    first = words[0]
    u = min(word.u[0] for word in words), max(word.u[1] for word in words)
    v = min(word.v[0] for word in words), max(word.v[1] for word in words)
    if _is_right_to_left("".join(word.text for word in words)):
        words = words[::-1]
    texts = [f"{_STRUCK * is_first}{word.text}{_STRUCK * is_last}" for word, is_first, is_last in _struck_runs(words)]
    read = tuple(
        Word(text, _words_quad(word, word.u, word.v, view), 1.0) for word, text in zip(words, texts, strict=True)
    )
    return TextLine(read, _words_quad(first, u, v, view))


def _struck_runs(words: Sequence[PdfWord]) -> Iterator[tuple[PdfWord, bool, bool]]:
    """Yield each word with two flags: True if a struck text begins with it, and True if one ends with it."""
    for is_struck, run in groupby(words, key=lambda word: word.is_struck):
        members = list(run)
        for index, word in enumerate(members):
            yield word, is_struck and index == 0, is_struck and index == len(members) - 1


def _words_quad(word: PdfWord, u: tuple[float, float], v: tuple[float, float], view: PageView) -> Quad:
    start, end = u
    low, high = v
    top_left, top_right = view.pixel(*word.point(start, high)), view.pixel(*word.point(end, high))
    return top_left, top_right, view.pixel(*word.point(end, low)), view.pixel(*word.point(start, low))


def _is_right_to_left(text: str) -> bool:
    kinds = [unicodedata.bidirectional(character) for character in text]
    return sum(kind in {"R", "AL"} for kind in kinds) > kinds.count("L")
