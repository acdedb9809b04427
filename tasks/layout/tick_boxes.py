"""Finds boxes and circles that are drawn to be ticked, and determines which are ticked.

A box has four straight sides about as long as a letter is high, and a circle is round. Ink inside means that it is
ticked, be it a tick, a cross, a dot or a pen stroke. A cell with a letter in it is not such a box, and neither are
cells side by side.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import pi

import numpy as np
from numpy.typing import NDArray

from models.vision.text import Quad, TextLine, Word
from tasks.layout.components import components_of
from tasks.layout.upright import UprightInk

_SIGN = "[口回図囗凶区冈网因囧困田□■▢▣☐☑☒⊠⊡○◯●◉◎⦿•©®✓✔✗✘✕√]"
BOX_READ_AS = re.compile(rf"{_SIGN}|[\[\]|](?=[^\W\d_])|[OoXxVvDQ0](?=[A-ZÀ-Þ][a-zà-ÿ])")
"""Pattern of a first character that OCR reads in place of a box or a circle: `□Yes`, `口Yes`, `XYes`, `]yes`."""
ENDS_AS_BOX = re.compile(rf".*{_SIGN}")
"""Pattern of a text with such a character at its end."""
_MISREAD_BOX = re.compile(rf"{_SIGN}+|[\[(|][ xXvV{_SIGN[1:-1]}]?[\])|]?|[OoQ0DXxVv/\\]")
"""Pattern of a word that OCR reads in place of a box."""
MAX_BOXES = 400
"""Largest number of boxes and circles of a page. A dense form has a hundred."""
SIZES = 0.45, 0.75, 1.3
"""Smallest sides of small, usual and large boxes, in line heights."""
SPREAD = 1.8
"""Largest side of the boxes of one size, as a multiple of their smallest side."""
_STRAIGHT_SHARE = 0.6
"""At least this share of a side must be straight. The rest may be round corners."""
_MAX_STROKES = 6_000
"""At most this many short strokes in each direction are compared, beginning at the top."""
_MAX_CONTOURS = 60_000
"""Circles are searched for only in a picture with at most this many contours. A dense page has 15,000; a texture has
more."""
_MAX_CIRCLES = 2_000
"""At most this many circles, round letters among them, are compared, beginning at the top. A dense page has some 500
round letters."""
_MAX_SQUARES = 2_000
"""At most this many boxes of one size are compared, beginning at the top."""
_MAX_BELOW = 8
"""A stroke is the upper side of a box with one of this many strokes below it."""
_FRAME_SHARE = 0.2
"""At least this share of a box's width and height is left out at each edge, because it may belong to the frame."""
_TICK_INK = 0.05
"""A box is ticked only if at least this share of its inside, without the frame, is ink."""
_TICK_SIZE = 0.35
"""A tick has at least this width or height, as a share of the inside. Anything smaller is a speck."""
_LEAST_ROUNDNESS = 0.8
"""A circle has at least this roundness (4π × area / perimeter²)."""
_DOT_INK = 0.08
"""A circle is ticked if at least this share of its inside is ink."""
_SIZE_DIFFERENCE = 0.18
"""Circles belong together only if their sizes differ by at most this share."""
_COVERED_SHARE = 0.9
"""If boxes of a known size are searched for, at least this share of a side must be ink."""
_MARGIN_WIDTH, _MARGIN_INK = 0.3, 0.35
"""Width of the margin around a box, as a share of the box's side, and largest share of ink in this margin."""
_MAX_SIZES = 4
"""At most this many sizes of a page's boxes are searched for."""


@dataclass(frozen=True, slots=True)
class TickBox:
    quad: Quad
    """Place in pixels of the source."""
    is_ticked: bool


@dataclass(frozen=True, slots=True)
class _BoxOutline:
    left: float
    top: float
    right: float
    bottom: float
    is_ticked: bool
    thick: float = 0.0
    """Thickness of the frame."""

    @property
    def size(self) -> float:
        return (self.right - self.left + self.bottom - self.top) / 2


def tick_boxes_in(page: UprightInk, lines: Sequence[TextLine]) -> list[TickBox]:
    """Return the boxes and circles to be ticked on `page`, from top to bottom. The page's text is given by `lines`."""
    import cv2

    ink, height = page.ink, page.line_height
    words = [word for line in page.geometry.upright_lines(lines) for word in line.words]
    circles = _outside_words(_circles(ink, height), words, page)
    # Letters that look like boxes are left out before boxes of the same sizes are searched for, because that search
    # takes the most time.
    turned = cv2.transpose(ink)
    squares: list[_BoxOutline] = []
    for size in SIZES:
        squares += _squares(ink, turned, size * height)
    squares = _outside_words(squares, words, page)
    squares = _without_doubles(squares)
    found = [*squares, *_outside_words(list(_squares_like(ink, squares)), words, page), *_among_circles(circles)]
    found = [one for one in found if _stands_free(ink, one)]
    found = sorted(_without_doubles(found), key=lambda one: (one.top, one.left))[:MAX_BOXES]
    quads = page.source_quads([(one.left, one.top, one.right, one.bottom) for one in found])
    return [TickBox(quad, one.is_ticked) for quad, one in zip(quads, found, strict=True)]


def _strokes(ink: NDArray[np.uint8], smallest: float) -> NDArray[np.float64]:
    """Return left end, level, right end and thickness of the short dark strokes that run to the right, sorted by
    level."""
    import cv2

    least, max_spread = _STRAIGHT_SHARE * smallest, SPREAD * smallest
    reach = max(4, int(least))
    rows = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((1, reach), np.uint8))
    # A stroke that is not quite level is in pieces, one in each row of pixels.
    rows = cv2.morphologyEx(rows, cv2.MORPH_CLOSE, np.ones((2, 3), np.uint8))
    boxes, centres = components_of(rows)
    width, thickness = boxes[:, cv2.CC_STAT_WIDTH], boxes[:, cv2.CC_STAT_HEIGHT]
    kept = np.flatnonzero((width >= least) & (width <= 1.1 * max_spread) & (thickness <= np.maximum(3.0, 0.45 * width)))
    left, levels = boxes[kept, cv2.CC_STAT_LEFT], centres[kept, 1]
    found = np.stack([left, levels, left + width[kept], thickness[kept]], axis=1).astype(np.float64)
    return found[np.argsort(found[:, 1], kind="stable")[:_MAX_STROKES]]


def _squares(ink: NDArray[np.uint8], turned: NDArray[np.uint8], smallest: float) -> list[_BoxOutline]:
    """Return the boxes with four straight sides, each at least `smallest` long. `turned` is `ink` with its axes
    exchanged."""
    found: list[_BoxOutline] = []
    across = _strokes(ink, smallest)
    down = _strokes(turned, smallest) if len(across) >= 2 else across
    if len(down) < 2:
        return found
    largest = SPREAD * smallest
    levels, places = across[:, 1], down[:, 1]
    for index, (start, level, end, thick) in enumerate(across.tolist()):
        width = end - start
        low, high = np.searchsorted(levels, (level + max(smallest, 0.75 * width), level + min(largest, 1.8 * width)))
        below = across[max(low, index + 1) : high]
        has_same_ends = (np.abs(below[:, 0] - start) <= 0.3 * width) & (np.abs(below[:, 2] - end) <= 0.3 * width)
        for other_start, other_level, other_end, _ in below[has_same_ends][:_MAX_BELOW].tolist():
            side = other_level - level
            sides = [
                _side_at(down, places, edge, side, level, other_level)
                for edge in (min(start, other_start), max(end, other_end))
            ]
            left, right = sides
            if left is None or right is None or not 0.75 * side <= right - left <= 1.33 * side:
                continue
            is_ticked, half = _is_ticked(ink, left, level, right, other_level, thick), thick / 2
            found.append(_BoxOutline(left - half, level - half, right + half, other_level + half, is_ticked, thick))
            break
        if len(found) == _MAX_SQUARES:
            break
    return found


def _side_at(
    down: NDArray[np.float64], places: NDArray[np.float64], edge: float, side: float, top: float, bottom: float
) -> float | None:
    """Return the position of a vertical stroke near `edge` that runs most of the way from `top` to `bottom`."""
    low, high = np.searchsorted(places, (edge - 0.25 * side, edge + 0.25 * side))
    nearby = down[low:high]
    shared = np.minimum(nearby[:, 2], bottom) - np.maximum(nearby[:, 0], top)
    # A side that continues beyond the box is a line of a table.
    fits = (shared >= _STRAIGHT_SHARE * side) & (nearby[:, 2] - nearby[:, 0] <= 1.3 * side)
    return float(nearby[fits][np.abs(nearby[fits][:, 1] - edge).argmin(), 1]) if fits.any() else None


def _is_ticked(ink: NDArray[np.uint8], left: float, top: float, right: float, bottom: float, thick: float) -> bool:
    rim_x = max(2.0, 0.6 * thick + 1, _FRAME_SHARE * (right - left))
    rim_y = max(2.0, 0.6 * thick + 1, _FRAME_SHARE * (bottom - top))
    inside = ink[round(top + rim_y) : round(bottom - rim_y) + 1, round(left + rim_x) : round(right - rim_x) + 1] > 0
    if not inside.size or inside.mean() < _TICK_INK:
        return False
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    height_share = (rows[-1] - rows[0] + 1) / inside.shape[0]
    width_share = (columns[-1] - columns[0] + 1) / inside.shape[1]
    return bool(max(height_share, width_share) >= _TICK_SIZE)


def _squares_like(ink: NDArray[np.uint8], squares: Sequence[_BoxOutline]) -> Iterator[_BoxOutline]:
    """Yield the boxes that have the size of an empty box of the page, even if something is drawn over them. Such a box
    has ink along all four sides. Unlike in a table, none of its sides continues beyond the box. A box that is ink all
    over counts as ticked."""
    import cv2

    sizes: list[tuple[int, float]] = []
    for one in squares:
        side = round(one.size - one.thick)
        if not one.is_ticked and len(sizes) < _MAX_SIZES and all(abs(side - known) > 1 for known, _ in sizes):
            sizes.append((side, one.thick))
    # Ink is thickened by a pixel, because the lengths of sides are rounded.
    thick_ink = (cv2.dilate(ink, np.ones((3, 3), np.uint8)) > 0).astype(np.float32)
    for side, thick in sizes:
        rows, columns = (
            cv2.boxFilter(thick_ink, -1, shape, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
            for shape in ((side, 1), (1, side))
        )
        inner_height, inner_width = ink.shape[0] - 2 * side, ink.shape[1] - 2 * side
        if min(inner_height, inner_width) <= side:
            continue
        inner = (slice(side, inner_height), slice(side, inner_width))
        forward = (slice(2 * side, inner_height + side), slice(2 * side, inner_width + side))
        backward = (slice(0, inner_height - side), slice(0, inner_width - side))
        least = np.minimum.reduce(
            [rows[inner], rows[forward[0], inner[1]], columns[inner], columns[inner[0], forward[1]]]
        )
        beyond = np.maximum.reduce(
            [
                rows[inner[0], forward[1]],
                rows[inner[0], backward[1]],
                columns[forward[0], inner[1]],
                columns[backward[0], inner[1]],
            ]
        )
        fits = np.where((least >= _COVERED_SHARE) & (beyond < _COVERED_SHARE), np.uint8(255), np.uint8(0))
        _, centres = components_of(fits)
        for x, y in centres[: MAX_BOXES - 1].tolist():
            left, top, half = x + side, y + side, thick / 2
            is_ticked = _is_ticked(ink, left, top, left + side, top + side, thick)
            yield _BoxOutline(left - half, top - half, left + side + half, top + side + half, is_ticked, thick)


def _circles(ink: NDArray[np.uint8], height: float) -> list[_BoxOutline]:
    """Return the circles. Round letters are among them."""
    import cv2

    contours, tree = cv2.findContours(ink, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if len(contours) > _MAX_CONTOURS:
        return []
    found: list[_BoxOutline] = []
    with_holes = np.flatnonzero((tree[0][:, 2] >= 0) & (tree[0][:, 3] < 0)).tolist() if contours else ()
    for index in with_holes:
        contour, child = contours[index], int(tree[0][index][2])
        left, top, width, bounding_height = cv2.boundingRect(contour)
        size = (width + bounding_height) / 2
        if not SIZES[0] * height <= size <= SPREAD * SIZES[-1] * height:
            continue
        if abs(width - bounding_height) > 0.15 * size or not _is_round(contour):
            continue
        holes = []
        while child >= 0:
            holes.append(contours[child])
            child = int(tree[0][child][0])
        hole = max(holes, key=cv2.contourArea)
        x, y, across, down = cv2.boundingRect(hole)
        if min(across, down) < 0.6 * size:
            if len(holes) == 1:
                continue
            # The strokes of a cross or a tick divide the inside into several holes.
            x, y, across, down = left, top, width, bounding_height
        rim = 0.2 if len(holes) == 1 else 0.3
        inside = ink[
            round(y + rim * down) : round(y + down - rim * down) + 1,
            round(x + rim * across) : round(x + across - rim * across) + 1,
        ]
        ticked = bool((inside > 0).mean() >= _DOT_INK)
        if ticked or (_is_round(hole) and len(holes) == 1):
            found.append(_BoxOutline(left, top, left + width, top + bounding_height, ticked))
    return sorted(found, key=lambda one: one.top)[:_MAX_CIRCLES]


def _stands_free(ink: NDArray[np.uint8], outline: _BoxOutline) -> bool:
    """True if there is little ink around a box, so that it is neither part of a dark area nor one of several cells."""
    margin = _MARGIN_WIDTH * outline.size
    top, left = max(0, round(outline.top - margin)), max(0, round(outline.left - margin))
    area = ink[top : round(outline.bottom + margin) + 1, left : round(outline.right + margin) + 1] > 0
    begin_y, begin_x = round(outline.top) - top, round(outline.left) - left
    own = area[
        begin_y : begin_y + round(outline.bottom - outline.top) + 1,
        begin_x : begin_x + round(outline.right - outline.left) + 1,
    ]
    return bool(area.sum() - own.sum() <= _MARGIN_INK * (area.size - own.size))


def _is_round(contour: NDArray[np.int32]) -> bool:
    import cv2

    circumference = cv2.arcLength(contour, closed=True)
    return bool(circumference and 4 * pi * cv2.contourArea(contour) / circumference**2 >= _LEAST_ROUNDNESS)


def _among_circles(found: Sequence[_BoxOutline]) -> list[_BoxOutline]:
    """Return the circles for which there is another circle of this size, and at least one ticked circle of this size.
    An `O` alone is a letter."""
    sizes, ticked = np.array([one.size for one in found]), np.array([one.is_ticked for one in found], np.bool_)
    kept = []
    for one in found:
        is_same_size = np.abs(sizes - one.size) <= _SIZE_DIFFERENCE * one.size
        if is_same_size.sum() >= 2 and (is_same_size & ticked).any():
            kept.append(one)
    return kept


def _outside_words(found: Sequence[_BoxOutline], words: Sequence[Word], page: UprightInk) -> list[_BoxOutline]:
    """Return the boxes that are not letters: those outside words, and those that OCR may have read as the first or the
    last character of a word."""
    if not words:
        return list(found)
    quads = page.pixels([word.quad for word in words])
    left, top = quads.min(axis=1).T
    right, bottom = quads.max(axis=1).T
    kept = []
    for one in found:
        x, y = (one.left + one.right) / 2, (one.top + one.bottom) / 2
        at = np.flatnonzero((left < x) & (x < right) & (top < y) & (y < bottom)).tolist()
        if all(
            _may_be_box(words[index], is_first=x < left[index] + one.size, is_last=x > right[index] - one.size)
            for index in at
        ):
            kept.append(one)
    return kept


def _may_be_box(word: Word, *, is_first: bool, is_last: bool) -> bool:
    """True if OCR may have read a box as the first or the last character of a word, or as all of it.

    A text that the file itself contains has the confidence 1, and none of its letters is a misread box. Only an x or a
    v may be a cross or a tick in a box.
    """
    text = word.text
    if word.confidence == 1 and text.isalnum():
        return text in ("x", "X", "v", "V")
    return bool(
        _MISREAD_BOX.fullmatch(text)
        or (is_first and BOX_READ_AS.match(text))
        or (is_last and ENDS_AS_BOX.fullmatch(text))
    )


def _without_doubles(found: Sequence[_BoxOutline]) -> list[_BoxOutline]:
    """Return the boxes without those that overlie another one, such as the inner edge of a thick frame."""
    kept: list[_BoxOutline] = []
    edges = np.zeros((4, len(found)))
    for one in sorted(found, key=lambda one: -one.size):
        x, y = (one.left + one.right) / 2, (one.top + one.bottom) / 2
        left, top, right, bottom = edges[:, : len(kept)]
        if not ((left <= x) & (x <= right) & (top <= y) & (y <= bottom)).any():
            edges[:, len(kept)] = one.left, one.top, one.right, one.bottom
            kept.append(one)
    return kept
