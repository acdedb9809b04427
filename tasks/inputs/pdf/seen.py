"""Finds the characters of a PDF page's text layer that are seen on the page, and whether they are what is seen there.

The page is drawn with its text and without. Where the two pictures are equal, nobody sees a character, whatever the
reason: its colour, a clip path, an object above it, a layer that is switched off.
"""

import ctypes
import math
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from typing import Any

import cv2
import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from numpy.typing import NDArray

from models.vision.text import Image
from tasks.inputs.pdf.drawing import draw
from tasks.inputs.pdf.glyph_shapes import LEAST_HEIGHT, DrawnGlyphs
from tasks.inputs.pdf.loose_ink import Mask, Pixels, edges_in, numbers_beside
from tasks.inputs.pdf.shown import OpenTexts, PageView, address
from tasks.inputs.pdf.words import Glyph, PdfWord

_SECONDS = 2.0
"""All drawings of a page take at most this long. An ordinary page takes a hundredth of it."""
_MAX_PIXELS = 8_000_000
"""The page is drawn in its size at 144 DPI, but with at most this many pixels, which A0 has at one pixel per point."""
_CONTRAST = 16
"""Text is seen if it changes a pixel by at least this, of 255: the differences in red, green and blue weigh as much as
in brightness. Grey of 90 % on white changes it by 25, and of 95 % by 13."""
_CHANGE = 4
"""A pixel belongs to a glyph if the glyph changes it by at least this, of 255: also at its smoothed edges."""
_SHOWN = 0.15
"""A glyph is seen if the share of its width that is seen, times that of its height, is at least this. Less of it cannot
be recognised."""
_MARGIN = 2
"""Number of pixels by which what is drawn may exceed the box of its glyph."""
_LETTER_WIDTH = 3
_LETTER_AREA = 12
"""A letter has at least this many pixels along its shorter side, and in all."""
_STRIPS = 8
"""Number of strips into which a glyph's width and its height are divided to measure this."""
_OVERLAP = 0.05
"""A glyph lies over other texts if their boxes cover more than this share of its own."""
_MOST_BOXES = 100
"""Boxes over one pixel are counted up to this number, so that the sums over a page fit into 32 bits."""
_MAX_CROWD = 8.0
"""A glyph is not legible if more than this many other texts lie over it in the mean."""
_MAX_LAYERS = 8
"""Texts that lie over each other are drawn in at most this many layers."""

_MOST_COMPARISONS = 50_000_000
"""At most this many times, a glyph that cannot be drawn is compared with an object that may cover it, which takes
0.3 s."""

Flags = NDArray[np.bool_]
_Area = tuple[slice, slice]
"""The rows and the columns of a glyph's box in a picture."""


def seen_words(
    words: Sequence[PdfWord], texts: Iterable[object], page: pypdfium2.PdfPage, view: PageView, *, deadline: float
) -> list[PdfWord] | None:
    """Return the `words` of `page` without the glyphs that cannot be seen. Return None if drawing the page takes too
    long, if too many texts lie over each other, or if a word looks like another one.

    `texts` are all text objects of the page. Some have no words, as those that draw a word a second time.
    """
    if not words:
        return []
    deadline = min(deadline, time.thread_time() + _SECONDS)
    places = _Places(words, _small(view))
    size = places.view.width, places.view.height
    glyphs = [glyph for word in words for glyph in word.glyphs]
    drawn_by = np.array([glyph.drawn_by for glyph in glyphs])
    objects = {*map(address, texts), *drawn_by.tolist()} - {0}
    full = draw(page, *size, deadline=deadline)
    with _switched_off(objects):
        bare = draw(page, *size, deadline=deadline)
    if full is None or bare is None:
        return None
    stray = places.stray_ink(full, bare)
    if _has_letter(stray):
        return None
    for index in numbers_beside(edges_in(bare, _CONTRAST) | stray, words, places.view, places.centres):
        words[index].is_doubtful = True
    seen = places.changed(full, bare) | (drawn_by == 0)
    drawn = DrawnGlyphs(words, places.view)
    drawn.compare(_ink(full, bare), seen & (drawn_by != 0))
    # Where texts lie over each other, a hidden one has pixels of the others in its place. They are also drawn apart.
    layers = places.layers(drawn_by, seen)
    if layers is None:
        return None
    for layer in layers:
        with _switched_off(objects - layer):
            apart = draw(page, *size, deadline=deadline)
        if apart is None:
            return None
        in_layer = np.isin(drawn_by, list(layer))
        seen &= places.changed(apart, bare) | ~in_layer
        drawn.compare(_ink(apart, bare), seen & in_layer)
    if drawn.has_other_word(seen):
        return None
    for index in drawn.doubtful_words(seen):
        words[index].is_doubtful = True
    undrawn = [index for index in np.flatnonzero(~seen).tolist() if _lacks_font(glyphs[index])]
    if undrawn:
        open_texts = OpenTexts(page)
        if len(undrawn) * open_texts.covers > _MOST_COMPARISONS:
            return None
        behind = bare[places.centres]
        boxes = [word.box_of(glyph) for word in words for glyph in word.glyphs]
        for index in undrawn:
            is_open = (int(drawn_by[index]), boxes[index]) in open_texts
            seen[index] = is_open and _stands_out(glyphs[index], behind[index])
    return list(_only_seen(words, iter(seen.tolist())))


def is_comparable(word: PdfWord, view: PageView) -> bool:
    """True if the word is large enough to be compared with what is drawn, in a picture of the page of at most
    _MAX_PIXELS; and for a word without letters and figures."""
    heights = [glyph.v[1] - glyph.v[0] for glyph in word.glyphs if glyph.text.isalnum()]
    if not heights:
        return True
    small = _small(view)
    return math.dist(small.pixel(0, 0), small.pixel(*word.point(0, max(heights)))) >= LEAST_HEIGHT


def _small(view: PageView) -> PageView:
    """Return the view of the picture in which glyphs are looked for."""
    scale = min(1.0, math.sqrt(_MAX_PIXELS / (view.width * view.height)))
    return replace(view, width=math.ceil(view.width * scale), height=math.ceil(view.height * scale))


class _Places:
    """The places of glyphs in a picture of the page."""

    def __init__(self, words: Sequence[PdfWord], view: PageView) -> None:
        self.view = view
        counts = [len(word.glyphs) for word in words]
        dx, dy = np.repeat([word.direction for word in words], counts, axis=0).T
        u = np.array([glyph.u for word in words for glyph in word.glyphs]).T
        v = np.array([glyph.v for word in words for glyph in word.glyphs]).T
        x, y = zip(*(view.pixel(a * dx - b * dy, a * dy + b * dx) for a in u for b in v), strict=True)
        self._x = np.array([np.min(x, axis=0), np.max(x, axis=0)])
        self._y = np.array([np.min(y, axis=0), np.max(y, axis=0)])
        drawn_by = np.array([glyph.drawn_by for word in words for glyph in word.glyphs])
        begins = np.ones(len(drawn_by), dtype=bool)
        begins[1:] = drawn_by[1:] != drawn_by[:-1]
        begins[np.cumsum(counts[:-1], dtype=int)] = True
        self._runs = np.cumsum(begins) - 1
        """Number of each glyph's run: the glyphs of a word that follow each other and are drawn by one object."""

    def stray_ink(self, one: Image, other: Image) -> Mask:
        """Return a mask of what only one of two pictures shows, and that is in the place of no glyph."""
        ink = _ink(one, other) >= _CONTRAST
        left, top = (np.floor(axis[0]).astype(int) - _MARGIN for axis in (self._x, self._y))
        right, bottom = (np.ceil(axis[1]).astype(int) + _MARGIN for axis in (self._x, self._y))
        height, width = ink.shape
        for edges in zip(top.clip(0), bottom.clip(0, height), left.clip(0), right.clip(0, width), strict=True):
            first, last, start, end = edges
            ink[first:last, start:end] = False
        return np.asarray(ink.view(np.uint8))

    @property
    def centres(self) -> Pixels:
        """The rows and the columns of the pixels in the middle of the glyphs."""
        x, y = self._x.mean(axis=0), self._y.mean(axis=0)
        rows, columns = np.clip(y, 0, self.view.height - 1), np.clip(x, 0, self.view.width - 1)
        return rows.astype(np.intp), columns.astype(np.intp)

    def changed(self, one: Image, other: Image) -> Flags:
        """Return, for each glyph, True if it is seen in only one of two pictures."""
        change = _ink(one, other)
        # All pixels that a glyph touches: drawing is smoothed, and a full stop may be smaller than a pixel.
        x_edges, y_edges = (np.stack([np.floor(axis[0]), np.ceil(axis[1])]) for axis in (self._x, self._y))
        x, y = _strips(x_edges, self.view.width, 1), _strips(y_edges, self.view.height, 1)
        strong = _sums(_integral((change >= _CONTRAST).view(np.uint8)), x, y)[0] > 0
        stands_out = np.isin(self._runs, self._runs[strong])
        changed = _integral((change >= _CHANGE).view(np.uint8))
        across = _sums(changed, _strips(x_edges, self.view.width, _STRIPS), y)
        along = _sums(changed, x, _strips(y_edges, self.view.height, _STRIPS))
        share = (across > 0).mean(axis=0) * (along > 0).mean(axis=0)
        return np.asarray(stands_out & (share >= _SHOWN))

    def _crowd(self) -> NDArray[np.float64]:
        """Return the mean number of boxes of other texts that cover the box of each glyph."""
        x, y = _strips(self._x, self.view.width, 1), _strips(self._y, self.view.height, 1)
        edges = np.zeros((self.view.height + 1, self.view.width + 1), np.float32)
        for (columns,), (rows,), sign in ((x[0], y[0], 1), (x[1], y[0], -1), (x[0], y[1], -1), (x[1], y[1], 1)):
            np.add.at(edges, (rows, columns), sign)
        boxes = np.minimum(cv2.integral(edges, sdepth=cv2.CV_32F)[1:-1, 1:-1], _MOST_BOXES).astype(np.uint8)
        (((left,), (right,)), ((top,), (bottom,))) = x, y
        area = (right - left) * (bottom - top)
        covered = _sums(_integral(boxes), x, y)[0] - area
        # Neighbours in a word may overlap, and the letters of a ligature have one box.
        for step in (1, 2):
            width = np.minimum(right[step:], right[:-step]) - np.maximum(left[step:], left[:-step])
            height = np.minimum(bottom[step:], bottom[:-step]) - np.maximum(top[step:], top[:-step])
            is_own = (self._runs[step:] == self._runs[:-step]) & (width > 0) & (height > 0)
            covered[step:] -= is_own * width * height
            covered[:-step] -= is_own * width * height
        return np.asarray(covered / area)

    def layers(self, drawn_by: NDArray[np.int64], glyphs: Flags) -> list[set[int]] | None:
        """Return the objects of those of these glyphs that lie over other texts, in layers: hardly any glyph of a layer
        lies over one of another object. Return None if there would be more than `_MAX_LAYERS`."""
        crowd = self._crowd()
        chosen = np.flatnonzero(glyphs & (crowd > _OVERLAP))
        if (crowd > _MAX_LAYERS).any():
            return None
        x, y = _strips(self._x, self.view.width, 1), _strips(self._y, self.view.height, 1)
        edges = np.concatenate([x[:, 0, chosen], y[:, 0, chosen]]).tolist()
        areas: defaultdict[int, list[_Area]] = defaultdict(list)
        for owner, left, right, top, bottom in zip(drawn_by[chosen].tolist(), *edges, strict=True):
            areas[owner].append((slice(top, bottom), slice(left, right)))
        layers: list[_Layer] = []
        for owner, places in areas.items():
            layer = next((layer for layer in layers if layer.has_room(places)), None)
            if layer is None:
                if len(layers) == _MAX_LAYERS:
                    return None
                layers.append(layer := _Layer(self.view))
            layer.add(owner, places)
        return [layer.objects for layer in layers]


def _ink(one: Image, other: Image) -> NDArray[np.uint8]:
    """Return by how much each pixel of one picture is darker or brighter than in the other."""
    return np.asarray(cv2.cvtColor(cv2.absdiff(one, other), cv2.COLOR_RGB2GRAY))


def _has_letter(ink: Mask) -> bool:
    """True if a part of `ink` is as large as a letter, such as the drawing of a blank, and does not touch the edges of
    the page."""
    if not ink.any():
        return False
    height, width = ink.shape
    _, _, sizes, _ = cv2.connectedComponentsWithStats(ink)
    left, top, across, down, area = sizes[1:].T
    is_whole = (left > 0) & (top > 0) & (left + across < width) & (top + down < height)
    shorter, longer = np.minimum(across, down), np.maximum(across, down)
    is_letter = is_whole & (shorter >= _LETTER_WIDTH) & (longer >= LEAST_HEIGHT) & (area >= _LETTER_AREA)
    return bool(is_letter.any())


class _Layer:
    """Text objects that hardly lie over each other."""

    def __init__(self, view: PageView) -> None:
        self.objects: set[int] = set()
        self._painted = np.zeros((view.height, view.width), dtype=bool)

    def has_room(self, areas: Iterable[_Area]) -> bool:
        """True if there is hardly anything in any of these areas."""
        return all(self._painted[area].mean() <= _OVERLAP for area in areas)

    def add(self, owner: int, areas: Iterable[_Area]) -> None:
        """Add an object that draws glyphs in these areas."""
        self.objects.add(owner)
        for area in areas:
            self._painted[area] = True


def _strips(extents: NDArray[np.float64], size: int, count: int) -> NDArray[np.intp]:
    """Divide `extents` into `count` strips of whole pixels, of at least one. Return the first pixel of each and the one
    after its last: an array of 2 x `count` x glyphs."""
    start, end = extents
    edges = start + (end - start) * (np.arange(count + 1) / count)[:, None]
    first = np.clip(np.round(edges[:-1]), 0, size - 1)
    return np.stack([first, np.clip(np.round(edges[1:]), first + 1, size)]).astype(np.intp)


def _integral(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    return np.asarray(cv2.integral(pixels))


def _sums(integral: NDArray[Any], x: NDArray[np.intp], y: NDArray[np.intp]) -> NDArray[Any]:
    """Return the sums of the pixels within the columns `x` and the rows `y` (`_strips`), of which `integral` has the
    sums from the upper left corner."""
    (left, right), (top, bottom) = x, y
    return np.asarray(integral[bottom, right] - integral[top, right] - integral[bottom, left] + integral[top, left])


@contextmanager
def _switched_off(objects: Iterable[int]) -> Iterator[None]:
    """Leave these objects out of what is drawn meanwhile."""
    handles = [_object(address) for address in objects]
    try:
        for handle in handles:
            pdfium.FPDFPageObj_SetIsActive(handle, False)
        yield
    finally:
        for handle in handles:
            pdfium.FPDFPageObj_SetIsActive(handle, True)


def _object(address: int) -> object:
    return ctypes.cast(address, pdfium.FPDF_PAGEOBJECT)


def _lacks_font(glyph: Glyph) -> bool:
    """True if nothing is drawn because the glyph's font is neither in the file nor on this machine. Viewers on other
    machines show it."""
    font = glyph.drawn_by and pdfium.FPDFTextObj_GetFont(_object(glyph.drawn_by))
    if not font or pdfium.FPDFFont_GetIsEmbedded(font) != 0:
        return False
    return not glyph.text or not pdfium.FPDFFont_GetGlyphPath(font, ord(glyph.text[0]), 12)


def _stands_out(glyph: Glyph, behind: NDArray[np.uint8]) -> bool:
    """True if the colour of `glyph` is not that of the pixel `behind` it."""
    *colour, alpha = (ctypes.c_uint() for _ in range(4))
    pdfium.FPDFPageObj_GetFillColor(_object(glyph.drawn_by), *colour, alpha)
    own = np.array([[[one.value for one in colour]]], np.uint8)
    return bool(cv2.cvtColor(cv2.absdiff(own, behind.reshape(own.shape)), cv2.COLOR_RGB2GRAY)[0, 0] >= _CONTRAST)


def _only_seen(words: Iterable[PdfWord], seen: Iterator[bool]) -> Iterator[PdfWord]:
    """Yield the words with only the glyphs that are seen. Parts between which glyphs are left out are words of their
    own."""
    for word in words:
        flags = [next(seen) for _ in word.glyphs]
        if all(flags):
            yield word
            continue
        for is_seen, part in groupby(zip(flags, word.glyphs, strict=True), key=lambda pair: pair[0]):
            if is_seen:
                yield word.of(glyph for _, glyph in part)
