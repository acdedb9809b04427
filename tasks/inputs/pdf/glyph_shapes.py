"""Judges whether the glyphs of a PDF page look like the characters that the file gives for them.

A file names the character of each glyph (`ToUnicode`, `ActualText`), and may name another one than the glyph shows.
Each figure and each Latin letter is therefore compared with the figures and letters of the standard fonts of PDF. A
glyph that looks more like another one is disputed.

Of the figures and letters of 250 fonts, in 6 to 14 points, 0.1 % and 0.3 % are disputed, most of them in decorative
fonts. Of figures that stand for another figure, 97 % are.
"""

import ctypes
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from models.normal_forms import normalized
from tasks.inputs.pdf.drawing import SCALE, draw
from tasks.inputs.pdf.shown import PageView
from tasks.inputs.pdf.words import Glyph, PdfWord, read_words

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
_PITCH = 30, 40
"""Distances of letters and of lines, in points, on the page of samples."""

Shapes = NDArray[np.float32]
"""Shapes of glyphs in rows. Each has the mean 0 and the length 1, so that products are correlations."""


def glyph_corners(words: Sequence[PdfWord], view: PageView) -> NDArray[np.float32]:
    """Return the upper left, the upper right and the lower left corner of each glyph in pixels: an array of glyphs x 3
    x 2."""
    counts = [len(word.glyphs) for word in words]
    dx, dy = np.repeat([word.direction for word in words], counts, axis=0).T
    left, right = np.array([glyph.u for word in words for glyph in word.glyphs]).T
    low, high = np.array([glyph.v for word in words for glyph in word.glyphs]).T
    corners = ((left, high), (right, high), (left, low))
    pixels = [view.pixel(u * dx - v * dy, u * dy + v * dx) for u, v in corners]
    return np.array(pixels, np.float32).transpose(2, 0, 1)


def disputed_glyphs(
    words: Sequence[PdfWord], corners: NDArray[np.float32], ink: NDArray[np.uint8], chosen: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.bool_]]]:
    """Yield indices of `chosen` glyphs with a flag for each: True if it does not look like its character. Glyphs other
    than figures and Latin letters are left out.

    `corners` are the upper left, upper right and lower left corner of each glyph in pixels of the picture `ink`, which
    shows how much darker or brighter each pixel is made by the glyphs.
    """
    samples = _samples()
    own = np.array([number for word in words for number in _numbers(word)], np.intp)
    figures_alone = np.array([_figures_like(glyph.text) for word in words for glyph in word.glyphs])
    several = own == _SEVERAL
    widths, heights = (np.linalg.norm(corners[:, side] - corners[:, 0], axis=1) for side in (1, 2))
    several |= (own >= 0) & (own < len(_FIGURES)) & (own != 1) & (widths < _SQUEEZED * heights)
    several |= (own == 1) & (widths < _SQUEEZED_ONE * heights)
    is_low = np.array([_is_low(word, glyph) for word in words for glyph in word.glyphs]) & (own >= 0)
    is_low &= own < len(_FIGURES)
    several |= is_low
    centres = (corners[:, 1] + corners[:, 2]) / 2
    is_in_picture = ((centres >= 0) & (centres < ink.shape[1::-1])).all(axis=1)
    compared = np.flatnonzero(chosen & (own != _OTHER) & ((heights >= LEAST_HEIGHT) | is_low) & is_in_picture)
    for start in range(0, len(compared), _AT_ONCE):
        glyphs = compared[start : start + _AT_ONCE]
        likeness = samples.likeness(_shapes(ink, corners[glyphs]))
        flags = _is_disputed(own[glyphs], likeness)
        is_sign = own[glyphs] == _SIGN
        flags[is_sign] = _shows_figure(likeness[is_sign], figures_alone[glyphs][is_sign])
        yield glyphs, several[glyphs] | flags


def _is_low(word: PdfWord, glyph: Glyph) -> bool:
    return glyph.v[1] - glyph.v[0] < _LOW * (word.v[1] - word.v[0])


def has_disputed_word(words: Iterable[PdfWord], disputed: NDArray[np.bool_]) -> bool:
    """True if a figure of any word is disputed, or many letters of it. `disputed` has a flag for each glyph."""
    start = 0
    for word in words:
        flags = disputed[start : start + len(word.glyphs)]
        start += len(word.glyphs)
        if _SOFT_HYPHEN_BY_FIGURE.search("".join(glyph.text for glyph in word.glyphs)):
            return True
        if not flags.any():
            continue
        numbers = np.array(_numbers(word))
        is_letter = numbers >= len(_FIGURES)
        count, share = _LETTERS
        is_code = bool(((numbers >= 0) & ~is_letter).any())
        if flags[~is_letter].any() or is_code or flags.sum() >= max(count, share * is_letter.sum()):
            return True
    return False


_OTHER, _SEVERAL, _SIGN = -1, -2, -3
"""Numbers of a glyph that is neither a figure nor a Latin letter nor a sign, of one that stands for several characters
with a figure among them, and of a sign, a blank or a glyph without a character."""
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
    return _SIGN if not text or (len(text) == 1 and unicodedata.category(text).startswith(_SIGNS)) else _OTHER


@cache
def _figures_like(sign: str) -> tuple[bool, ...]:
    """Return, for each figure, True if the sign may look like it."""
    return tuple(figure in _LOOKALIKES.get(sign, "") for figure in _FIGURES)


def _shows_figure(likeness: NDArray[np.float32], alike: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray((np.where(alike, -1, likeness[:, : len(_FIGURES)]) > _SIGN_LIKENESS).any(axis=1))


def _is_disputed(own: NDArray[np.intp], likeness: NDArray[np.float32]) -> NDArray[np.bool_]:
    figures = likeness[:, : len(_FIGURES)]
    own_figure = likeness[np.arange(len(own)), own]
    own_letter = np.where(_alike()[own], likeness, -1).max(axis=1)
    is_figure = own < len(_FIGURES)
    margin = np.where(is_figure, figures.max(axis=1) - own_figure, likeness.max(axis=1) - own_letter)
    is_other = margin > np.where(is_figure, _FIGURE_MARGIN, _LETTER_MARGIN)
    return np.asarray(is_other | (is_figure & (own_figure < _LEAST_LIKENESS)))


@cache
def _alike() -> NDArray[np.bool_]:
    """Return, for each pair of characters, True if they are the same or look alike."""
    alike = np.eye(len(_CHARACTERS), dtype=bool)
    for group in _ALIKE:
        members = [_CHARACTERS.index(character) for character in group]
        alike[np.ix_(members, members)] = True
    return alike


def _shapes(ink: NDArray[np.uint8], corners: NDArray[np.float32]) -> Shapes:
    """Return the shape of the glyph between each three `corners`, which are those of `disputed_glyphs`."""
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
    """Shapes of the figures and letters of the standard fonts."""

    shapes: Shapes
    """Shapes in the order of their characters."""
    starts: list[int]
    """Index of the first shape of each character."""

    def likeness(self, shapes: Shapes) -> NDArray[np.float32]:
        """Return the likeness of each shape to each of the characters: the correlation with the nearest sample."""
        return np.asarray(np.maximum.reduceat(shapes @ self.shapes.T, self.starts, axis=1))


@cache
def _samples() -> _Samples:
    """Draw the figures and letters of the standard fonts, which takes 0.1 s."""
    characters = _CHARACTERS + _CHARACTERS[len(_FIGURES) :].upper()
    rows = [(font, size) for font in _FONTS for size in _SIZES]
    across, up = _PITCH
    with _new_page((len(characters) + 1) * across, (len(rows) + 1) * up) as (pdf, page):
        for row, (font_name, size) in enumerate(rows, start=1):
            font = pdfium.FPDFText_LoadStandardFont(pdf, font_name.encode())
            for column, character in enumerate(characters):
                text = pdfium.FPDFPageObj_CreateTextObj(pdf, font, size)
                pdfium.FPDFText_SetText(text, (ctypes.c_ushort * 2)(ord(character), 0))
                pdfium.FPDFPageObj_Transform(text, 1, 0, 0, 1, column * across + across / 2, row * up)
                pdfium.FPDFPage_InsertObject(page, text)
        pdfium.FPDFPage_GenerateContent(page)
        width, height = (round(SCALE * points) for points in page.get_size())
        picture = draw(page, width, height, deadline=math.inf)
        words = read_words(page)
        corners = glyph_corners(words, PageView.of(page, width, height))
    assert picture is not None
    numbers = np.array([_number(word.text) for word in words])
    order = np.argsort(numbers, kind="stable")
    shapes = _shapes(255 - cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), corners[order])
    return _Samples(shapes, np.searchsorted(numbers[order], np.arange(len(_CHARACTERS))).tolist())


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
