"""Lays out a page: merges its text layer with what was read in its picture, and finds the order of its lines, its
rulings and its boxes.

The functions take and return plain values, so that a worker process can run them on a page with very many words.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.vision.page_geometry import PageGeometry
from models.vision.text import Image, PageText, Quad, Ruling, TextLine
from tasks.inputs.pages import TextLayer
from tasks.layout.lines import line_of
from tasks.layout.rulings import rulings_in, skew_of
from tasks.layout.tick_boxes import tick_boxes_in
from tasks.layout.ticked_lines import UprightBox, lines_with_ticks
from tasks.layout.upright import UprightGrey, UprightInk
from tasks.ocr_result import PageLayout, PageSection, page_section
from tasks.wording.page_range import OcrOptions

_WORDS_AT_ONCE = 16
"""Number of recognised words that are compared with all words of the text layer at a time, which bounds the memory."""


@dataclass(frozen=True, slots=True)
class PageContent:
    """A page before it is laid out."""

    place: int
    """Number of the page among those of all documents."""
    width: int
    height: int
    timestamp: float | None
    """Time of a video's frame in seconds."""
    layer: TextLayer
    picture: Image | None
    """The page's picture, if it is read or searched."""
    read: PageText
    """Lines that were read in the picture."""
    is_searched: bool
    """True if the picture is searched for boxes."""


class LaidOutPage(NamedTuple):
    page: PageSection
    layout: PageLayout
    words: int
    """Number of words of the page."""


def lay_out(page: PageContent, options: OcrOptions) -> LaidOutPage:
    """Return the page with its layout, without codes."""
    layer = page.layer
    if layer.if_confirmed is not None and _confirms(page.read, layer, layer.if_confirmed):
        layer = layer.if_confirmed
    known_fields = [one.quad for one in layer.fields if one.is_read]
    read = _where(page.read, lambda corners: ~_are_in(corners, known_fields))
    if layer.unread is not None:
        unread = [*layer.unread, *(one.quad for one in layer.fields if not one.is_read)]
        read = _where(read, lambda corners: _are_in(corners, unread))
    lines = combined(layer.lines, read)
    known_boxes = [UprightBox(one.quad, one.is_ticked, 1.0) for one in layer.fields if one.is_ticked is not None]
    lines = lines_with_ticks(lines, known_boxes) if known_boxes else lines
    geometry = PageGeometry.of_lines(lines)
    grey = None if page.picture is None else UprightGrey(page.picture, geometry)
    rulings: Sequence[Ruling] = layer.rulings
    if grey is not None and not layer.complete:
        # Searching for ruled lines takes up to a third of a second on a large scan.
        rulings = rulings_in(grey, lines) if options.needs_tables else ()
    section = page_section(lines, page.place, page.width, page.height, page.timestamp, geometry)
    boxes = []
    if grey is not None and page.is_searched:
        found = tick_boxes_in(UprightInk.of_grey(grey, skew_of(lines)[1]), lines)
        is_known = _are_in(_corners([box.quad for box in found]), [one.quad for one in layer.fields])
        boxes = [box for box, is_field in zip(found, is_known, strict=True) if not is_field]
    words = sum(len(line["words"]) for line in section["lines"])
    return LaidOutPage(section, PageLayout(rulings, geometry, (), boxes, page.read.is_illegible), words)


def _confirms(read: Iterable[TextLine], layer: TextLayer, doubted: TextLayer) -> bool:
    """True if OCR reads most of those words alike that are in `doubted` alone. Only readings of as many characters are
    compared, because OCR may join words or cut them."""
    known = {word for line in layer.lines for word in line.words}
    readings = [word for line in read for word in line.words if len(word.text) > 1]
    corners = _corners([one.quad for one in readings])
    alike: list[bool] = []
    for word in (word for line in doubted.lines for word in line.words if word not in known):
        texts = [readings[index].text for index in np.flatnonzero(_are_in(corners, [word.quad]))]
        alike += [text == word.text for text in texts if len(text) == len(word.text)]
    return 2 * sum(alike) > len(alike)


def combined(layer: Sequence[TextLine], read: Sequence[TextLine]) -> list[TextLine]:
    """Merge a page's text layer with the lines that OCR recognised in its picture.

    A recognised word is dropped if its middle is in a word of the layer, or if words of the layer at the same height,
    along its own direction, cover at least half of its width. The layer is the exact text; OCR can misread.
    """
    if not layer:
        return list(read)
    typed = _corners([word.quad for line in layer for word in line.words])
    return [*layer, *_where(read, lambda corners: _find_uncovered(corners, typed))]


def _find_uncovered(read: NDArray[np.float64], typed: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each recognised word if the layer does not cover it. Words are given by their corners."""
    uncovered = np.ones(len(read), np.bool_)
    for start in range(0, len(read), _WORDS_AT_ONCE):
        part = slice(start, start + _WORDS_AT_ONCE)
        uncovered[part] = ~_are_covered(read[part], typed)
    return uncovered


def _are_covered(read: NDArray[np.float64], typed: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each `read` word if `typed` ones cover it."""
    along = read[:, 1] - read[:, 0]
    along[~along.any(axis=1)] = 1, 0
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    left, top, right, bottom = _box_edges(read, along)[:, :, None]
    # The words of the layer as seen from each of the others, which may run in another direction.
    typed_left, typed_top, typed_right, typed_bottom = _box_edges(typed[None], along[:, None])
    middle, typed_middle = (top + bottom) / 2, (typed_top + typed_bottom) / 2
    centre = (left + right) / 2
    holds_middle = (typed_left <= centre) & (centre <= typed_right) & (typed_top <= middle) & (middle <= typed_bottom)
    # The middle of one box must lie within the height of the other. Equal heights cannot be required, because boxes of
    # the layer are tight, while boxes of a detector are generous.
    level = ((typed_top <= middle) & (middle <= typed_bottom)) | ((top <= typed_middle) & (typed_middle <= bottom))
    shared = np.minimum(right, typed_right) - np.maximum(left, typed_left)
    covered = np.where(level, shared.clip(min=0), 0).sum(axis=1)
    are_covered: NDArray[np.bool_] = (2 * covered >= (right - left)[:, 0]) | holds_middle.any(axis=1)
    return are_covered


def _corners(quads: Sequence[Quad]) -> NDArray[np.float64]:
    """Return the corners of words as an array of n × 4 × 2."""
    return np.array(quads, np.float64).reshape(-1, 4, 2)


def _box_edges(corners: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the left, top, right and bottom edges of the boxes around `corners` whose sides run `along` unit vectors
    and across them."""
    x, y = corners[..., 0], corners[..., 1]
    dx, dy = along[..., :1], along[..., 1:]
    u, v = x * dx + y * dy, y * dx - x * dy
    return np.stack([u.min(axis=-1), v.min(axis=-1), u.max(axis=-1), v.max(axis=-1)])


def _where(lines: Sequence[TextLine], are_kept: Callable[[NDArray[np.float64]], NDArray[np.bool_]]) -> list[TextLine]:
    """Return the lines with the words for whose corners `are_kept` is True, and without those that have none."""
    kept = iter(are_kept(_corners([word.quad for line in lines for word in line.words])))
    rest = [[word for word in line.words if next(kept)] for line in lines]
    return [
        line if len(words) == len(line.words) else line_of(words)
        for line, words in zip(lines, rest, strict=True)
        if words
    ]


def _are_in(corners: NDArray[np.float64], places: Iterable[Quad]) -> NDArray[np.bool_]:
    """Return for each word or box, given by its corners, if its centre is in one of `places`."""
    x, y = corners.mean(axis=1).T
    are_in = np.zeros(len(corners), np.bool_)
    for place in places:
        (left, top), (right, bottom) = np.min(place, axis=0), np.max(place, axis=0)
        are_in |= (left <= x) & (x <= right) & (top <= y) & (y <= bottom)
    return are_in
