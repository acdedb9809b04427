"""Judges whether the glyphs of a PDF page look like the characters that the file gives for them.

A file names the character of each glyph (`ToUnicode`, `ActualText`), and may name another one than the glyph shows.
Each figure and each Latin letter is therefore compared with the figures and letters of the standard fonts of PDF. A
glyph that looks more like another one is disputed.

Of the figures and letters of 250 fonts, in 6 to 14 points, 0.1 % and 0.3 % are disputed, most of them in decorative
fonts. Of figures that stand for another figure, 97 % are. No point, comma or other mark in the numbers of 151 fonts is
disputed; of marks that stand for another one, 99 % are.
"""

import ctypes
import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, Self

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from models.normal_forms import normalized
from tasks.inputs.pdf.drawing import SCALE, draw
from tasks.inputs.pdf.shown import PageView
from tasks.inputs.pdf.words import PdfWord, read_words

_SIDE = 12
"""A shape has this many rows and columns."""
_SAMPLES = 2
"""Each cell of a shape is the mean of this many samples along each side."""
_AT_ONCE = 1_000
"""Number of glyphs that are compared at a time, which takes 20 ms."""

LEAST_HEIGHT = 5.0
"""Glyphs lower than this many pixels are not compared. Text of 3 pt is this high at 144 DPI."""
_FIGURES = "0123456789"
_CHARACTERS = _FIGURES + "abcdefghijklmnopqrstuvwxyz"
"""Capital letters count as their small letters."""
_MARKS = ".,:;'-+"
"""Marks in numbers. They are recognised by their place beside the figures, too."""
_MARKS_OF = {
    **{mark: mark for mark in _MARKS},
    **dict.fromkeys("\u2018\u2019\u2032\u00b4", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
}
"""Marks by the characters that look like them."""
_MARK_PLACE = -0.35, 1.05
"""A mark lies within this range above the baseline, as shares of the height of the figures."""
_MARK_MARGIN = 0.03
"""A mark is doubtful if its likeness to another mark is this much greater than to its own."""
_ALIKE_MARKS = (":;",)
_ALIKE = ("0o", "1iltjfr", "5s", "2z", "gq9yj", "nh", "adeo")
"""Characters that look alike in some fonts once they have the same width and height."""
_FIGURE_MARGIN, _LETTER_MARGIN = 0.15, 0.2
"""A figure is disputed if its likeness (the correlation) to another figure is this much greater than to its own; a
letter, if the likeness to any other character is."""
_LEAST_LIKENESS = 0.3
"""A figure whose likeness to its own is less than this is disputed, too: a point has none to any."""
_LETTERS = 2, 0.5
"""A word is disputed if this many of its letters are, and this share of them; or if one figure or sign is. A word with
figures is a code, of which one letter suffices."""
_LETTER_LIKENESS = 0.83
"""A letter of another alphabet, or one with an accent, is doubtful if its likeness to a plain Latin letter is greater
than this. Those that look alike in print mostly have more, and others less."""
_SQUEEZED, _SQUEEZED_ONE = 0.12, 0.05
"""A figure is disputed if its width is less than this share of its height, and the figure 1 if it is less than the
second. Figures of condensed fonts have 0.3."""
_LOW = 0.4
"""A figure is disputed if it is lower than this share of its word. Lowercase figures have 0.6."""
_SIGN_LIKENESS = 0.85
"""A sign is disputed if its likeness to a figure is greater than this. Of the signs of fonts, only those in _LOOKALIKES
have more."""
_LOOKALIKES = {
    "|": "14",
    "]": "13",
    "[": "1",
    "}": "1",
    "{": "1",
    "°": "0",
    "º": "0",
    "©": "0",
    "®": "0",
    '"': "0",
    "?": "7",
}
"""Signs that look like some figures in some fonts once they have the same width and height."""
_SOFT_HYPHEN_BY_FIGURE = re.compile(r"\d\u00ad|\u00ad\d")
"""Pattern of a soft hyphen beside a figure. It is not a part of a word's text, whatever is drawn for it."""
_LIGATURES = frozenset({"ff", "fi", "fl", "ffi", "ffl", "ft", "st", "ct"})
"""Glyphs that show several letters."""

_FONTS = tuple(
    f"{family}{style}"
    for family, styles in (
        ("Helvetica", ("", "-Bold", "-Oblique", "-BoldOblique")),
        ("Times", ("-Roman", "-Bold", "-Italic", "-BoldItalic")),
        ("Courier", ("", "-Bold", "-Oblique", "-BoldOblique")),
    )
    for style in styles
)
"""PDFium has these fonts built in."""
_SIZES = 10, 24
"""Sizes of the fonts in points. Small letters are drawn with other weights."""
_MARK_SIZES = 6, 9, 14
_PHASES = 3
"""Marks are drawn in this many positions between pixels: a point is hardly larger than one."""
_PITCH = 30, 40
"""Distances of letters and of lines, in points, on the page of samples."""

Shapes = NDArray[np.float32]
"""Shapes of glyphs in rows. Each has the mean 0 and the length 1, so that products are correlations."""


class DrawnGlyphs:
    """The glyphs of words, which are compared with what is drawn for them."""

    def __init__(self, words: Sequence[PdfWord], view: PageView) -> None:
        self._words = words
        self._texts = [glyph.text for word in words for glyph in word.glyphs]
        self._counts = np.array([len(word.glyphs) for word in words])
        self._starts = np.cumsum(self._counts) - self._counts
        self._own = np.array([number for word in words for number in _numbers(word)], np.intp)
        self._is_figure = (self._own >= 0) & (self._own < len(_FIGURES))
        self._is_letter = self._own >= len(_FIGURES)
        has_figure, has_letter = (self._in_words(flags) > 0 for flags in (self._is_figure, self._is_letter))
        self._has_figure = has_figure
        is_foreign = self._own == _FOREIGN
        self._is_mostly_latin = bool(self._is_letter.sum() >= is_foreign.sum())
        self._is_mixed = has_letter | (has_figure & self._is_mostly_latin)
        """True for the words in which one letter of another alphabet raises doubts."""
        self._is_foreign = is_foreign & (self._is_mostly_latin | self._each(has_letter))
        self._is_accented = (self._own == _ACCENTED) & self._each(has_figure)
        self._is_mark = np.array([text in _MARKS_OF for text in self._texts]) & self._beside_figures()
        self._is_format = np.array([text != "" and unicodedata.category(text[0]) == "Cf" for text in self._texts])
        self._is_format &= self._each(has_figure)
        self._corners, self._places = _corners(words, view), _corners(words, view, _mark_range)
        widths, heights = (np.linalg.norm(self._corners[:, side] - self._corners[:, 0], axis=1) for side in (1, 2))
        extents = np.array([glyph.v for word in words for glyph in word.glyphs])
        is_low = self._is_figure & (
            np.ptp(extents, axis=1) < _LOW * self._each([word.v[1] - word.v[0] for word in words])
        )
        squeezed = np.where(self._own == 1, _SQUEEZED_ONE, _SQUEEZED)
        self._is_wrong = (self._own == _SEVERAL) | is_low | (self._is_figure & (widths < squeezed * heights))
        """True for the glyphs that are disputed whatever is drawn for them."""
        self._is_large = (heights >= LEAST_HEIGHT) | is_low
        self._is_compared = self._is_figure | self._is_letter | self._is_foreign | self._is_accented
        self._is_compared |= np.isin(self._own, (_SEVERAL, _SIGN))
        self._disputed, self._doubtful = np.zeros((2, len(self._own)), dtype=bool)

    def compare(self, ink: NDArray[np.uint8], chosen: NDArray[np.bool_]) -> None:
        """Compare the `chosen` glyphs with the picture `ink`, which shows how much darker or brighter each pixel is
        made by the glyphs. The result replaces that of an earlier comparison."""
        centres = (self._corners[:, 1] + self._corners[:, 2]) / 2
        chosen = chosen & ((centres >= 0) & (centres < ink.shape[1::-1])).all(axis=1)
        self._doubtful[chosen] = self._is_format[chosen]
        for glyphs in _portions(chosen & self._is_compared & self._is_large):
            likeness = _samples().characters.likeness(_shapes(ink, self._corners[glyphs]))
            is_other = (self._own[glyphs] == _FOREIGN) | (self._own[glyphs] == _ACCENTED)
            self._doubtful[glyphs] |= is_other & (likeness[:, len(_FIGURES) :].max(axis=1) > _LETTER_LIKENESS)
            self._disputed[glyphs] = self._is_wrong[glyphs] | (~is_other & self._looks_other(glyphs, likeness))
        for glyphs in _portions(chosen & self._is_mark):
            own = np.array([_MARKS.index(_MARKS_OF[self._texts[glyph]]) for glyph in glyphs])
            likeness = _samples().marks.likeness(_shapes(ink, self._places[glyphs]))
            self._doubtful[glyphs] |= _margin(own, likeness, _alike(_MARKS, _ALIKE_MARKS)) > _MARK_MARGIN

    def _looks_other(self, glyphs: NDArray[np.intp], likeness: NDArray[np.float32]) -> NDArray[np.bool_]:
        own = self._own[glyphs]
        flags = _is_disputed(own, likeness)
        is_sign = own == _SIGN
        figures_alone = np.array([_figures_like(self._texts[glyph]) for glyph in glyphs[is_sign]], bool)
        flags[is_sign] = _shows_figure(likeness[is_sign], figures_alone.reshape(-1, len(_FIGURES)))
        return flags

    def has_other_word(self, seen: NDArray[np.bool_]) -> bool:
        """True if a `seen` figure or sign of any word is disputed, or many letters of it."""
        disputed = self._disputed & seen
        wrong_letters = self._in_words(disputed & self._is_letter)
        count, share = _LETTERS
        is_other = self._in_words(disputed & ~self._is_letter) > 0
        is_other |= self._has_figure & (wrong_letters > 0)
        is_other |= wrong_letters >= np.maximum(count, share * self._in_words(self._is_letter))
        return bool(is_other.any()) or any(map(_has_soft_hyphen_by_figure, self._words))

    def doubtful_words(self, seen: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return the indices of the words that may be others, because a `seen` mark of a number looks like another one,
        or a letter other than a plain Latin one looks like one: all such letters of a word, or one of a word with plain
        letters or figures."""
        doubtful = self._doubtful & seen
        foreign = self._in_words(doubtful & self._is_foreign)
        is_doubtful = self._in_words(doubtful & ~self._is_foreign) > 0
        is_doubtful |= (foreign > 0) & (self._is_mixed | (foreign == self._in_words(self._is_foreign)))
        return np.flatnonzero(is_doubtful)

    def _beside_figures(self) -> NDArray[np.bool_]:
        """Return, for each glyph, True if it comes directly before or after a figure of its word."""
        word = self._each(np.arange(len(self._words)))
        follow = word[1:] == word[:-1]
        is_beside = np.zeros(len(word), dtype=bool)
        is_beside[1:] |= follow & self._is_figure[:-1]
        is_beside[:-1] |= follow & self._is_figure[1:]
        return is_beside

    def _in_words(self, flags: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return how many glyphs of each word are flagged."""
        return np.asarray(np.add.reduceat(flags.astype(np.intp), self._starts))

    def _each(self, of_words: NDArray[Any] | list[float]) -> NDArray[Any]:
        """Return what is given of words for each of their glyphs."""
        return np.repeat(of_words, self._counts)


def _corners(
    words: Sequence[PdfWord], view: PageView, range_of: Callable[[PdfWord], tuple[float, float]] | None = None
) -> NDArray[np.float32]:
    """Return the upper left, the upper right and the lower left corner of each glyph in pixels: an array of glyphs x 3
    x 2. `range_of` gives the extent across the text that is taken in place of the glyphs' own."""
    counts = [len(word.glyphs) for word in words]
    dx, dy = np.repeat([word.direction for word in words], counts, axis=0).T
    left, right = np.array([glyph.u for word in words for glyph in word.glyphs]).T
    if range_of:
        low, high = np.repeat([range_of(word) for word in words], counts, axis=0).T
    else:
        low, high = np.array([glyph.v for word in words for glyph in word.glyphs]).T
    corners = ((left, high), (right, high), (left, low))
    pixels = [view.pixel(u * dx - v * dy, u * dy + v * dx) for u, v in corners]
    return np.array(pixels, np.float32).transpose(2, 0, 1)


def _mark_range(word: PdfWord) -> tuple[float, float]:
    """Return the range across the text in which the marks of a number are."""
    height = max((glyph.v[1] - glyph.v[0] for glyph in word.glyphs if glyph.text.isdecimal()), default=word.em)
    low, high = _MARK_PLACE
    return word.baseline + low * height, word.baseline + high * height


def _portions(flags: NDArray[np.bool_]) -> Iterator[NDArray[np.intp]]:
    """Yield the indices of the flagged glyphs, _AT_ONCE at a time."""
    glyphs = np.flatnonzero(flags)
    for start in range(0, len(glyphs), _AT_ONCE):
        yield glyphs[start : start + _AT_ONCE]


def _has_soft_hyphen_by_figure(word: PdfWord) -> bool:
    return bool(_SOFT_HYPHEN_BY_FIGURE.search("".join(glyph.text for glyph in word.glyphs)))


_OTHER, _SEVERAL, _SIGN, _FOREIGN, _ACCENTED = -1, -2, -3, -4, -5
"""Numbers of a glyph that is not compared, of one that stands for several characters with a figure among them, of a
sign, a blank or a glyph without a character, of a letter of another alphabet, and of a Latin letter with an
accent."""
_SIGNS = ("P", "S", "Z", "C", "M")
"""Beginnings of Unicode's categories of signs, blanks, marks and format characters."""


def _numbers(word: PdfWord) -> list[int]:
    """Return the number of each glyph of a word in `_CHARACTERS`."""
    numbers = [_number(glyph.text) for glyph in word.glyphs]
    places = [(glyph.u, glyph.v) for glyph in word.glyphs]
    start = 0
    for end in range(1, len(places) + 1):
        if end < len(places) and places[end] == places[start]:
            continue
        if end - start > 1:
            text = "".join(glyph.text for glyph in word.glyphs[start:end])
            if text in _LIGATURES:
                numbers[start:end] = [_OTHER] * (end - start)
            elif any(0 <= number < len(_FIGURES) for number in numbers[start:end]):
                numbers[start:end] = [_SEVERAL] * (end - start)
        start = end
    return numbers


@cache
def _number(text: str) -> int:
    folded = normalized("NFKC", text).lower()
    if len(folded) == 1 and folded in _CHARACTERS:
        return _CHARACTERS.index(folded)
    if not text or (len(text) == 1 and unicodedata.category(text).startswith(_SIGNS)):
        return _SIGN
    # Alphabets with small and capital letters are those whose letters look like Latin ones.
    if len(text) > 1 or text.lower() == text.upper():
        return _OTHER
    return _ACCENTED if unicodedata.name(text, "").startswith("LATIN ") else _FOREIGN


@cache
def _figures_like(sign: str) -> tuple[bool, ...]:
    """Return, for each figure, True if the sign may look like it."""
    return tuple(figure in _LOOKALIKES.get(sign, "") for figure in _FIGURES)


def _shows_figure(likeness: NDArray[np.float32], alike: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray((np.where(alike, -1, likeness[:, : len(_FIGURES)]) > _SIGN_LIKENESS).any(axis=1))


def _is_disputed(own: NDArray[np.intp], likeness: NDArray[np.float32]) -> NDArray[np.bool_]:
    figures = likeness[:, : len(_FIGURES)]
    own_figure = likeness[np.arange(len(own)), own]
    is_figure = own < len(_FIGURES)
    margin = np.where(is_figure, figures.max(axis=1) - own_figure, _margin(own, likeness, _alike(_CHARACTERS, _ALIKE)))
    is_other = margin > np.where(is_figure, _FIGURE_MARGIN, _LETTER_MARGIN)
    return np.asarray(is_other | (is_figure & (own_figure < _LEAST_LIKENESS)))


def _margin(own: NDArray[np.intp], likeness: NDArray[np.float32], alike: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return by how much the likeness of each shape to any character is greater than to its own, or one alike."""
    return np.asarray(likeness.max(axis=1) - np.where(alike[own], likeness, -1).max(axis=1))


@cache
def _alike(characters: str, groups: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return, for each pair of characters, True if they are the same or look alike."""
    alike = np.eye(len(characters), dtype=bool)
    for group in groups:
        members = [characters.index(character) for character in group]
        alike[np.ix_(members, members)] = True
    return alike


def _shapes(ink: NDArray[np.uint8], corners: NDArray[np.float32]) -> Shapes:
    """Return the shape of the glyph between each three `corners`, which are those of `_corners`."""
    steps = ((np.arange(_SAMPLES * _SIDE) + 0.5) / (_SAMPLES * _SIDE)).astype(np.float32)
    start, across, down = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    # In a picture, the middle of the first pixel is 0.
    x, y = (
        start[:, axis, None, None]
        + down[:, axis, None, None] * steps[:, None]
        + across[:, axis, None, None] * steps
        - 0.5
        for axis in (0, 1)
    )
    # `remap` takes at most 32,766 rows: one for each glyph.
    flat = (len(corners), -1)
    sampled = cv2.remap(ink, x.reshape(flat), y.reshape(flat), cv2.INTER_LINEAR)
    cells = sampled.reshape(-1, _SIDE, _SAMPLES, _SIDE, _SAMPLES).mean(axis=(2, 4), dtype=np.float32)
    shapes = cells.reshape(len(corners), _SIDE * _SIDE)
    shapes -= shapes.mean(axis=1, keepdims=True)
    return np.asarray(shapes / np.maximum(np.linalg.norm(shapes, axis=1, keepdims=True), 1e-6))


class _Samples(NamedTuple):
    """Shapes of characters in the standard fonts."""

    shapes: Shapes
    """Shapes in the order of their characters."""
    starts: list[int]
    """Index of the first shape of each character."""

    @classmethod
    def of(cls, numbers: NDArray[np.intp], ink: NDArray[np.uint8], corners: NDArray[np.float32]) -> Self:
        """Return the samples of characters of these numbers, which are drawn between these corners."""
        order = np.argsort(numbers, kind="stable")
        starts = np.searchsorted(numbers[order], np.arange(numbers.max() + 1))
        return cls(_shapes(ink, corners[order]), starts.tolist())

    def likeness(self, shapes: Shapes) -> NDArray[np.float32]:
        """Return the likeness of each shape to each of the characters: the correlation with the nearest sample."""
        return np.asarray(np.maximum.reduceat(shapes @ self.shapes.T, self.starts, axis=1))


class _AllSamples(NamedTuple):
    characters: _Samples
    """Figures and letters, each within its own box."""
    marks: _Samples
    """Marks, each in its place beside a figure."""


@cache
def _samples() -> _AllSamples:
    """Draw the figures, the letters and the marks of the standard fonts, which takes 0.1 s."""
    characters, ink, view = _drawn(_CHARACTERS + _CHARACTERS[len(_FIGURES) :].upper(), _SIZES)
    numbers = np.array([_number(word.text) for word in characters])
    own = _Samples.of(numbers, ink, _corners(characters, view))
    marked, ink, view = _drawn([f"0{mark}" for mark in _MARKS], _MARK_SIZES, phases=_PHASES)
    numbers = np.array([_MARKS.index(word.text[1]) for word in marked])
    return _AllSamples(own, _Samples.of(numbers, ink, _corners(marked, view, _mark_range)[1::2]))


def _drawn(
    texts: Sequence[str], sizes: Sequence[float], *, phases: int = 1
) -> tuple[list[PdfWord], NDArray[np.uint8], PageView]:
    """Draw each of the texts in all standard fonts, in these sizes and in `phases` positions between pixels. Return the
    words, their ink and the view of its picture."""
    rows = [(font, size, phase / phases / SCALE) for font in _FONTS for size in sizes for phase in range(phases)]
    across, up = _PITCH
    with _new_page((len(texts) + 1) * across, (len(rows) + 1) * up) as (pdf, page):
        for row, (font_name, size, shift) in enumerate(rows, start=1):
            font = pdfium.FPDFText_LoadStandardFont(pdf, font_name.encode())
            for column, text in enumerate(texts):
                drawn = pdfium.FPDFPageObj_CreateTextObj(pdf, font, size)
                pdfium.FPDFText_SetText(drawn, (ctypes.c_ushort * 3)(*map(ord, text), 0))
                x, y = column * across + across / 2, row * up
                pdfium.FPDFPageObj_Transform(drawn, 1, 0, 0, 1, x + shift, y + shift)
                pdfium.FPDFPage_InsertObject(page, drawn)
        pdfium.FPDFPage_GenerateContent(page)
        width, height = (round(SCALE * points) for points in page.get_size())
        picture = draw(page, width, height, deadline=math.inf)
        words = read_words(page)
        view = PageView.of(page, width, height)
    assert picture is not None
    return words, 255 - cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), view


@contextmanager
def _new_page(width: float, height: float) -> Iterator[tuple[pypdfium2.PdfDocument, pypdfium2.PdfPage]]:
    pdf = pypdfium2.PdfDocument.new()
    try:
        page = pdf.new_page(width, height)
        try:
            yield pdf, page
        finally:
            page.close()
    finally:
        pdf.close()
