"""Finds the words of a PDF page that can be seen, by drawing the page without its text and with it.

The reason why a word cannot be seen does not matter: it may be covered, clipped away, on a layer that is switched off,
or of the colour of what lies behind it.
"""

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce
from itertools import chain
from operator import or_

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from models.vision.text import Image
from tasks.inputs.pdf.drawing import draw
from tasks.inputs.pdf.shown import Box, PageView
from tasks.inputs.pdf.words import PdfWord, address

_MAX_PIXELS = 8_000_000
"""The page is drawn in its size at 144 DPI, but with at most this many pixels, which A0 has at one pixel per point."""
_WEIGHTS = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a visible difference of colours (ITU-R BT.601)."""
_CONTRAST = 16
"""Text is seen where it changes the page's colour by at least this, of 255. #F0F0F0 on white changes it by 15."""
_LEAST_SEEN = 0.2
"""A word is seen if more than this share of its length and of its height is."""
_BANDS = 5
"""Number of parts of a word's height that are looked at."""
_AROUND = 1
"""A glyph is drawn up to this many pixels beside its box, because PDFium places it on whole pixels."""
_MAX_LAYERS = 8
"""Words that overlap are drawn apart, in at most this many drawings."""
_MAX_OVERLAP = 50
"""The boxes of the words of a page have at most this many times its area, which bounds the time for comparing them.
Words of an ordinary page have less than its area."""
_SECONDS = 2.0
"""All drawings of a page take at most this long. An ordinary page takes a hundredth of it."""

Mask = NDArray[np.bool_]


def seen_words(
    words: Sequence[PdfWord], texts: Iterable[object], page: pypdfium2.PdfPage, view: PageView, *, deadline: float
) -> list[PdfWord] | None:
    """Return those of `words` that can be seen on `page`. Return None if drawing it takes too long, or if too many of
    them overlap.

    `texts` are all text objects of the page. Some have no words, as those that draw a word a second time.
    """
    if not words:
        return []
    deadline = min(deadline, time.thread_time() + _SECONDS)
    view = _small(view)
    layers = _layers(words, view)
    if layers is None:
        return None
    objects = {address(item): item for item in chain(texts, *(word.drawn_by for word in words))}
    parts = _Parts(words, view)
    try:
        _show(objects.values(), is_shown=False)
        bare = draw(page, view.width, view.height, deadline=deadline)
        for layer in range(max(layers.values(), default=-1) + 1):
            members = [item for key, item in objects.items() if layers.get(key) == layer]
            _show(members, is_shown=True)
            drawn = draw(page, view.width, view.height, deadline=deadline)
            _show(members, is_shown=False)
            if bare is None or drawn is None:
                return None
            parts.add(
                _is_changed(bare, drawn),
                np.array([any(layers.get(address(item)) == layer for item in word.drawn_by) for word in words]),
            )
    finally:
        _show(objects.values(), is_shown=True)
    # Text whose font is missing here cannot be looked for; at least it has a colour.
    return [
        word
        for word, is_seen in zip(words, parts.are_seen(), strict=True)
        if is_seen or not word.drawn_by or (word.lacks_font and not word.is_white)
    ]


def _small(view: PageView) -> PageView:
    """Return the view of the picture in which words are looked for."""
    scale = min(1.0, math.sqrt(_MAX_PIXELS / (view.width * view.height)))
    return replace(view, width=math.ceil(view.width * scale), height=math.ceil(view.height * scale))


def _show(objects: Iterable[object], *, is_shown: bool) -> None:
    for item in objects:
        pdfium.FPDFPageObj_SetIsActive(item, is_shown)


def _is_changed(bare: Image, drawn: Image) -> Mask:
    """Return a mask of the pixels whose colours differ visibly."""
    difference = cv2.absdiff(bare, drawn).astype(np.float32)
    return np.asarray(cv2.transform(difference * difference, np.array([_WEIGHTS], np.float32)) >= _CONTRAST**2)


def _layers(words: Sequence[PdfWord], view: PageView) -> dict[int, int] | None:
    """Distribute the text objects over drawings in which their words do not overlap.

    Return the number of the drawing by the object's address. Return None if there would be too many drawings.
    """
    groups: dict[int, list[Box]] = {}
    for word in words:
        if word.drawn_by:
            groups.setdefault(address(word.drawn_by[0]), []).append(_pixel_box(word, view))
    taken = np.zeros((view.height, view.width), np.uint8)
    left = _MAX_OVERLAP * taken.size
    layers: dict[int, int] = {}
    for key, boxes in groups.items():
        around = [taken[_rows_and_columns(box.grown(_AROUND))] for box in boxes]
        left -= sum(pixels.size for pixels in around)
        used = reduce(or_, (int(np.bitwise_or.reduce(pixels, axis=None)) for pixels in around)) if left >= 0 else ~0
        layer = next((layer for layer in range(_MAX_LAYERS) if not used >> layer & 1), None)
        if layer is None:
            return None
        layers[key] = layer
        for box in boxes:
            taken[_rows_and_columns(box)] |= 1 << layer
    for word in words:
        for item in word.drawn_by[1:]:
            layers.setdefault(address(item), layers[address(word.drawn_by[0])])
    return layers


def _pixel_box(word: PdfWord, view: PageView) -> Box:
    """Return a word's box in pixels, y growing downwards."""
    return Box.around(view.pixel(*corner) for corner in word.box.corners)


def _rows_and_columns(box: Box) -> tuple[slice, slice]:
    # Negative numbers would count from the end.
    left, upper, right, lower = (max(0, side) for side in box)
    return slice(math.floor(upper), math.ceil(lower)), slice(math.floor(left), math.ceil(right))


class _Parts:
    """The parts into which the words are cut along their text, one for each glyph, and across it."""

    def __init__(self, words: Sequence[PdfWord], view: PageView) -> None:
        glyphs = np.array([len(word.glyphs) for word in words])
        blank = np.array([word.blank for word in words])
        self._drawn: NDArray[np.float64] = (glyphs - blank) / glyphs
        self._along = _Cut(words, view, glyphs, along=True)
        self._across = _Cut(words, view, np.full(len(words), _BANDS), along=False)

    def add(self, changed: Mask, words: Mask) -> None:
        """Count what `changed` shows of some of the words."""
        sums = cv2.integral(changed.astype(np.uint8))
        for cut in (self._along, self._across):
            cut.add(sums, words)

    def are_seen(self) -> Mask:
        return (self._along.shares() > _LEAST_SEEN * self._drawn) & (self._across.shares() > _LEAST_SEEN)


class _Cut:
    """Words cut into parts of equal size in one direction."""

    def __init__(self, words: Sequence[PdfWord], view: PageView, counts: NDArray[np.intp], *, along: bool) -> None:
        self._counts = counts
        self._starts = np.cumsum(counts) - counts
        self._word = np.repeat(np.arange(len(words)), counts)
        index = np.arange(len(self._word)) - self._starts[self._word]
        extents = np.array([(word.u, word.v) for word in words])[self._word]
        cut, whole = (extents[:, 0], extents[:, 1]) if along else (extents[:, 1], extents[:, 0])
        step = (cut[:, 1] - cut[:, 0]) / counts[self._word]
        edges = cut[:, 0] + index * step, cut[:, 0] + (index + 1) * step
        dx, dy = np.array([word.direction for word in words])[self._word].T
        pixels = []
        for edge in edges:
            for side in whole.T:
                u, v = (edge, side) if along else (side, edge)
                pixels.append(view.pixel(u * dx - v * dy, u * dy + v * dx))
        xs, ys = (np.array(values) for values in zip(*pixels, strict=True))
        self._x = _whole_pixels(xs, view.width)
        self._y = _whole_pixels(ys, view.height)
        self._seen = np.zeros(len(self._word), bool)

    def add(self, sums: NDArray[np.int32], words: Mask) -> None:
        (x0, x1), (y0, y1) = self._x, self._y
        count = sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]
        self._seen |= (count > 0) & words[self._word]

    def shares(self) -> NDArray[np.float64]:
        return np.add.reduceat(self._seen, self._starts, dtype=np.float64) / self._counts


def _whole_pixels(values: NDArray[np.float64], size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first pixel of each column of `values`, and the one after the last, within a picture of `size`."""
    start = np.clip(np.floor(values.min(axis=0) - _AROUND), 0, size).astype(np.intp)
    end = np.clip(np.ceil(values.max(axis=0) + _AROUND), 0, size).astype(np.intp)
    return start, np.maximum(start, end)
