"""Lays out a page: merges its text layer with what was read in its picture, and finds the order of its lines, its
rulings and its boxes.

The functions take and return plain values, so that a worker process can run them on a page with very many words.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.vision.page_geometry import PageGeometry
from models.vision.text import Image, PageText, Quad, Ruling, TextLine, Word
from tasks.inputs.pages import PdfField, TextLayer
from tasks.layout.lines import line_of
from tasks.layout.rulings import rulings_in, skew_of
from tasks.layout.tick_boxes import tick_boxes_in
from tasks.layout.ticked_lines import UprightBox, lines_with_ticks
from tasks.layout.upright import UprightGrey, UprightInk
from tasks.ocr_result import PageLayout, PageSection, page_section
from tasks.wording.page_range import OcrOptions

_WORDS_AT_ONCE = 64
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
    lines = combined(layer.lines, _outside_fields(page.read, layer.fields))
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
        is_known = _are_in([box.quad for box in found], layer.fields)
        boxes = [box for box, is_field in zip(found, is_known, strict=True) if not is_field]
    words = sum(len(line["words"]) for line in section["lines"])
    return LaidOutPage(section, PageLayout(rulings, geometry, (), boxes, page.read.is_illegible), words)


def combined(layer: Sequence[TextLine], read: Sequence[TextLine]) -> list[TextLine]:
    """Merge a page's text layer with the lines that OCR recognised in its picture.

    A recognised word is dropped if words of the layer at the same height cover at least half of its width. The layer is
    the exact text; OCR can misread.
    """
    if not layer:
        return list(read)
    words = [word for line in read for word in line.words]
    lacking = iter(_find_uncovered(words, [word for line in layer for word in line.words]))
    rest = [[word for word in line.words if next(lacking)] for line in read]
    parts = zip(read, rest, strict=True)
    return [*layer, *(line if len(kept) == len(line.words) else line_of(kept) for line, kept in parts if kept)]


def _find_uncovered(words: Sequence[Word], layer: Sequence[Word]) -> NDArray[np.bool_]:
    """Return for each recognised word if the layer does not cover it."""
    read, typed = _box_edges(words), _box_edges(layer)
    uncovered = np.ones(len(words), np.bool_)
    for start in range(0, len(words), _WORDS_AT_ONCE):
        boxes = read[:, start : start + _WORDS_AT_ONCE]
        uncovered[start : start + _WORDS_AT_ONCE] = 2 * _covered_width(boxes, typed) < boxes[2] - boxes[0]
    return uncovered


def _covered_width(read: NDArray[np.float64], typed: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much of each `read` box's width `typed` boxes at the same height cover, in pixels."""
    left, top, right, bottom = read[:, :, None]
    typed_left, typed_top, typed_right, typed_bottom = typed[:, None, :]
    middle, typed_middle = (top + bottom) / 2, (typed_top + typed_bottom) / 2
    # The middle of one box must lie within the height of the other. Equal heights cannot be required, because boxes of
    # the layer are tight, while boxes of a detector are generous.
    level = ((typed_top <= middle) & (middle <= typed_bottom)) | ((top <= typed_middle) & (typed_middle <= bottom))
    shared = np.minimum(right, typed_right) - np.maximum(left, typed_left)
    covered: NDArray[np.float64] = np.where(level, shared.clip(min=0), 0).sum(axis=1)
    return covered


def _box_edges(words: Sequence[Word]) -> NDArray[np.float64]:
    """Return the left, top, right and bottom edges of the words' upright bounding boxes, as an array of 4 × n."""
    corners = np.array([word.quad for word in words], np.float64).reshape(-1, 4, 2)
    return np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1).T


def _outside_fields(read: Iterable[TextLine], fields: Sequence[PdfField]) -> list[TextLine]:
    """Return the lines without the words in fields of a form whose text is known from the file."""
    read = list(read)
    are_known = iter(
        _are_in([word.quad for line in read for word in line.words], [one for one in fields if one.is_read])
    )
    rest = [[word for word in line.words if not next(are_known)] for line in read]
    return [
        line if len(kept) == len(line.words) else line_of(kept) for line, kept in zip(read, rest, strict=True) if kept
    ]


def _are_in(quads: Sequence[Quad], fields: Sequence[PdfField]) -> NDArray[np.bool_]:
    """Return for each quad if its centre is in the place of a field."""
    x, y = np.array(quads, np.float64).reshape(-1, 4, 2).mean(axis=1).T
    are_in = np.zeros(len(quads), np.bool_)
    for field in fields:
        (left, top), (right, bottom) = np.min(field.quad, axis=0), np.max(field.quad, axis=0)
        are_in |= (left <= x) & (x <= right) & (top <= y) & (y <= bottom)
    return are_in
