"""Describes each proposed box and its surroundings by numbers. A box's width and height are in heights of a line of
text, and its position is in shares of the picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.vision.gui.regions import STEPS, Boxes, BoxMeans, BoxMethod, Floats, Proposals, area_of, intersection_area
from models.vision.gui.screen_view import ScreenView

_SIDES = 4
_EDGE_OFFSETS = (-3, -2, -1, 0, 1, 2)
"""Offsets from a side, in pixels, at which its border is searched for, because the proposals are only accurate to a few
pixels."""
_BOXES_AT_ONCE = 512
"""Number of boxes that are compared with all others at a time, which bounds the memory."""
_COPIED_FEATURES = np.r_[0:3, len(BoxMethod) + 8 : len(BoxMethod) + 8 + 10]
"""Indexes of the features that a box copies from the box around it: the size, and the appearance of the borders."""


class TextFeatures:
    """Features of the text in and around boxes."""

    def __init__(self, view: ScreenView, boxes: Boxes) -> None:
        self._view = view
        self._boxes = boxes
        self._places = np.array([piece.box for piece in view.pieces], np.float32).reshape(-1, 4)

    def features(self, made_of: NDArray[np.int64]) -> Floats:
        boxes, places = self._boxes, self._places
        return np.concatenate([self._inside(boxes, places), self._around(boxes, places), self._ink(made_of)], axis=1)

    def _inside(self, boxes: Boxes, places: Boxes) -> Floats:
        widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        if not len(places):
            return np.tile(np.array([0, 0, -1, -1, 0, 0, 0, 0, 0, 0], np.float32), (len(boxes), 1))
        common = intersection_area(boxes, places)
        own = area_of(places)
        inside = common > 0.6 * own
        count = inside.sum(axis=1)
        has_text = count > 0
        # For a box without text, the sides of the box stand for the sides of its text, so that no feature below is
        # infinite.
        left, top, right, bottom = (
            np.where(has_text, reduce(np.where(inside, places[None, :, side], nothing), axis=1), boxes[:, side])
            for side, (reduce, nothing) in enumerate(
                ((np.min, np.inf), (np.min, np.inf), (np.max, -np.inf), (np.max, -np.inf))
            )
        )
        letters = np.array([len(piece.text) for piece in self._view.pieces], np.float32)
        columns = [
            np.minimum(count, 12) / 4,
            common.sum(axis=1) / (widths * heights),
            np.where(has_text, (left - boxes[:, 0]) / heights, -1),
            np.where(has_text, (boxes[:, 2] - right) / heights, -1),
            np.where(has_text, ((left - boxes[:, 0]) - (boxes[:, 2] - right)) / widths, 0),
            np.where(has_text, (right - left) / widths, 0),
            np.where(has_text, (bottom - top) / heights, 0),
            np.where(has_text, ((top - boxes[:, 1]) - (boxes[:, 3] - bottom)) / heights, 0),
            np.log1p((inside * letters).sum(axis=1)) / 3,
            (common / own[None]).max(axis=1) * (count == 0),
        ]
        inside_features: Floats = np.clip(np.stack(columns, axis=1), -12, 12).astype(np.float32)
        return inside_features

    def _around(self, boxes: Boxes, places: Boxes) -> Floats:
        """Return the gaps to the nearest text on each side, and the numbers of texts in the same row and column. A gap
        is at most 6 line heights, and 6 if there is no text on this side. The gaps help to recognise tick boxes,
        because their labels are beside them."""
        no_gaps = np.full((len(boxes), 4), 6, np.float32)
        if not len(places):
            return np.concatenate([no_gaps, np.zeros((len(boxes), 2), np.float32)], axis=1)
        line = self._view.line
        x0, y0, x1, y1 = (boxes[:, side, None] for side in range(4))
        px0, py0, px1, py1 = (places[None, :, side] for side in range(4))
        level = (np.minimum(y1, py1) - np.maximum(y0, py0)) > 0.4 * np.minimum(y1 - y0, py1 - py0)
        above = (np.minimum(x1, px1) - np.maximum(x0, px0)) > 0.3 * np.minimum(x1 - x0, px1 - px0)
        gaps = []
        for fits, gap in ((level, px0 - x1), (level, x0 - px1), (above, y0 - py1), (above, py0 - y1)):
            gaps.append(np.where(fits & (gap > -0.3 * line), gap, np.inf).min(axis=1) / line)
        centres_y, heights = (y0 + y1) / 2, y1 - y0
        row = (np.abs((py0 + py1) / 2 - centres_y) < 0.3 * line) & level
        column = np.abs(px0 - x0) < 0.25 * line
        has_same_height = np.abs((py1 - py0) - heights) < 0.35 * line
        clipped_gaps = np.clip(np.stack(gaps, axis=1), -0.5, 6).astype(np.float32)
        counts = (
            np.stack([np.minimum(row.sum(axis=1), 10), np.minimum((column & has_same_height).sum(axis=1), 10)], axis=1)
            / 5
        )
        return np.concatenate([clipped_gaps, counts.astype(np.float32)], axis=1)

    def _ink(self, made_of: NDArray[np.int64]) -> Floats:
        """Return features of each box's text: its colour compared with that of the page's other texts, its size, and
        its position in its line."""
        pieces = self._view.pieces
        if not pieces:
            return np.zeros((len(self._boxes), 12), np.float32)
        inks = np.stack([piece.ink for piece in pieces])
        grounds = np.stack([piece.ground for piece in pieces])
        contrast = np.abs(inks - grounds).max(axis=1)
        usual = np.median(inks, axis=0)
        middles = ((self._places[:, :2] + self._places[:, 2:]) / 2).astype(np.float32)
        nearby = _nearest_others(middles, inks)
        heights = self._places[:, 3] - self._places[:, 1]
        rows = [
            inks.max(axis=1) - inks.min(axis=1),
            np.abs(inks - usual).max(axis=1),
            np.abs(inks - nearby).max(axis=1),
            contrast,
            np.abs(grounds - np.median(grounds, axis=0)).max(axis=1),
            inks[:, 2] - inks[:, 0],
        ]
        columns = [
            *(np.sign(row) * np.log1p(np.abs(row)) / 5 for row in rows),
            heights / self._view.line,
            np.array([piece.pieces_in_line for piece in pieces], np.float32).clip(0, 8) / 4,
            np.array([piece.share for piece in pieces], np.float32),
            np.array([_letter_share(piece.text) for piece in pieces], np.float32),
            np.array([len(piece.text.split()) for piece in pieces], np.float32).clip(0, 12) / 4,
            np.array([piece.text.rstrip().endswith((".", ",", ":", "…", "!", "?")) for piece in pieces], np.float32),
        ]
        described = np.stack(columns, axis=1).astype(np.float32)
        owner = made_of.copy()
        # A box that is not made of a text gets the text that overlaps it most.
        common = intersection_area(self._boxes, self._places)
        inside = common.argmax(axis=1)
        owner = np.where(owner >= 0, owner, np.where(common.max(axis=1) > 0, inside, -1))
        ink: Floats = np.where(owner[:, None] >= 0, described[owner], 0).astype(np.float32)
        return ink


@dataclass(frozen=True, slots=True)
class _Edges:
    """Shares of pixels with an edge, one channel for each item of STEPS."""

    right: BoxMeans
    below: BoxMeans


def border_features(view: ScreenView, boxes: Boxes) -> tuple[Floats, Floats]:
    """Return features of the boxes' borders and colours (how clear the sides are, how much the colours differ from the
    surroundings), and each box's fill, which is the median colour just inside its border."""
    x0, y0, x1, y1 = boxes.T
    widths, heights = x1 - x0, y1 - y0
    colours, grain = BoxMeans(view.image), _edges(view)
    inset = np.minimum(np.minimum(widths, heights) * 0.15, 3)
    strength = []
    for step in range(len(STEPS)):
        best = np.zeros((_SIDES, len(boxes)), np.float32)
        for reach in _EDGE_OFFSETS:
            # With `reach` -1, the left edge is between the last column of pixels before the box and the first column
            # inside. The other sides mirror it.
            sides = (
                (grain.right, x0 + reach, y0 + inset, x0 + reach + 1, y1 - inset),
                (grain.right, x1 - 1 - reach - 1, y0 + inset, x1 - 1 - reach, y1 - inset),
                (grain.below, x0 + inset, y0 + reach, x1 - inset, y0 + reach + 1),
                (grain.below, x0 + inset, y1 - 1 - reach - 1, x1 - inset, y1 - 1 - reach),
            )
            for side, (sums, *box) in enumerate(sides):
                best[side] = np.maximum(best[side], sums.means(*box)[:, step])
        strength += [best.min(axis=0), best.mean(axis=0)]
        if step == 1:
            strength += [best[2], best[3]]
    depth = np.clip(0.12 * np.minimum(widths, heights), 2, 5)
    inner = [
        colours.means(x0 + 2, y0 + 2, x0 + 2 + depth, y1 - 2),
        colours.means(x1 - 2 - depth, y0 + 2, x1 - 2, y1 - 2),
        colours.means(x0 + 2, y0 + 2, x1 - 2, y0 + 2 + depth),
        colours.means(x0 + 2, y1 - 2 - depth, x1 - 2, y1 - 2),
    ]
    outer = [
        colours.means(x0 - 4, y0, x0 - 2, y1),
        colours.means(x1 + 2, y0, x1 + 4, y1),
        colours.means(x0, y0 - 4, x1, y0 - 2),
        colours.means(x0, y1 + 2, x1, y1 + 4),
    ]
    fill = np.median(np.stack(inner), axis=0)
    outside = np.median(np.stack(outer), axis=0)
    steps = np.stack([np.abs(one - other).max(axis=1) for one, other in zip(inner, outer, strict=True)])
    corner = np.maximum(2, 0.12 * np.minimum(widths, heights))
    corners = [
        colours.means(left, top, left + corner, top + corner)
        for left, top in ((x0, y0), (x1 - corner, y0), (x0, y1 - corner), (x1 - corner, y1 - corner))
    ]
    rounded = np.stack([np.abs(one - outside).max(axis=1) - np.abs(one - fill).max(axis=1) for one in corners])
    ground = np.median(view.image[::8, ::8].reshape(-1, 3), axis=0)
    halves = [
        colours.means(x0 + 2, y0 + 2, (x0 + x1) / 2, y1 - 2),
        colours.means((x0 + x1) / 2, y0 + 2, x1 - 2, y1 - 2),
    ]
    third = widths / 3
    middle = colours.means(x0 + third, y0 + heights / 3, x1 - third, y1 - heights / 3)
    scaled = [
        steps.min(axis=0),
        steps.mean(axis=0),
        steps[3],
        rounded.mean(axis=0),
        fill.max(axis=1) - fill.min(axis=1),
        fill.mean(axis=1),
        np.abs(fill - ground).max(axis=1),
        np.abs(outside - ground).max(axis=1),
        np.abs(fill - outside).max(axis=1),
        fill.mean(axis=1) - outside.mean(axis=1),
        np.abs(halves[0] - halves[1]).max(axis=1),
        halves[0].mean(axis=1) - halves[1].mean(axis=1),
        np.abs(middle - fill).max(axis=1),
        middle.max(axis=1) - middle.min(axis=1),
    ]
    columns = [*strength, *(np.sign(one) * np.log1p(np.abs(one)) / 5 for one in scaled)]
    return np.stack(columns, axis=1).astype(np.float32), fill


def _edges(view: ScreenView) -> _Edges:
    return _Edges(
        *(
            BoxMeans(np.stack([(one > step).astype(np.uint8) for step in STEPS], axis=2))
            for one in (view.right, view.below)
        )
    )


def texture_features(view: ScreenView, boxes: Boxes) -> Floats:
    """Return the shares of edges in parts of each box and beside it, with and without the edges of text."""
    x0, y0, x1, y1 = boxes.T
    widths, heights = x1 - x0, y1 - y0
    strongest = np.maximum(view.right, view.below)
    bare = strongest.copy()
    for piece in view.pieces:
        left, top, right, bottom = (max(0, round(side)) for side in piece.box)
        bare[top:bottom, left:right] = 0
    sums = BoxMeans(np.stack([strongest > 12, strongest > 40, bare > 12, bare > 40], axis=2).astype(np.uint8))
    side = np.minimum(heights, widths / 2)
    margin = np.minimum(4, 0.2 * np.minimum(widths, heights))
    a, b, c, d = x0 + margin, y0 + margin, x1 - margin, y1 - margin
    parts = [
        sums.means(a, b, c, d),
        sums.means(a, b, x0 + side, d)[:, 2:],
        sums.means(x1 - side, b, c, d)[:, 2:],
        sums.means(x0 + side, b, x1 - side, d)[:, 2:],
        sums.means(a, y0 + heights * 0.4, c, y1 - heights * 0.4)[:, :2],
        sums.means(x0 + widths * 0.4, b, x1 - widths * 0.4, d)[:, :2],
        sums.means(x0 - 6, y0 - 6, x1 + 6, y1 + 6)[:, :2],
        sums.means(x1 + 2, y0, x1 + 2 + heights, y1)[:, :1],
        sums.means(x0 - 2 - heights, y0, x0 - 2, y1)[:, :1],
    ]
    return np.concatenate(parts, axis=1)


def neighbour_features(boxes: Boxes, copied: Floats, fill: Floats, line: float) -> Floats:
    """Return features of each box's neighbours: the numbers of similar boxes in its row and column, of boxes of its
    size, of boxes inside it and of boxes around it, and the appearance of the smallest box around it."""
    size, middle = boxes[:, 2:] - boxes[:, :2], (boxes[:, :2] + boxes[:, 2:]) / 2
    area = area_of(boxes)
    columns = []
    for first in range(0, len(boxes), _BOXES_AT_ONCE):
        part = slice(first, first + _BOXES_AT_ONCE)
        common = intersection_area(boxes[part], boxes)
        same_height = np.abs(size[part, None, 1] - size[None, :, 1]) < 0.12 * size[part, None, 1] + 1
        same_width = np.abs(size[part, None, 0] - size[None, :, 0]) < 0.12 * size[part, None, 0] + 1
        row = (np.abs(middle[part, None, 1] - middle[None, :, 1]) < 0.15 * line) & same_height & (common == 0)
        column = (np.abs(boxes[part, None, 0] - boxes[None, :, 0]) < 0.15 * line) & same_height & (common == 0)
        twin = same_width & same_height & (common == 0)
        is_within = (common > 0.9 * area[None]) & (area[None] < 0.7 * area[part, None])
        is_around = (common > 0.9 * area[part, None]) & (area[None] > 1.3 * area[part, None])
        smallest = np.where(is_around, area[None], np.inf).argmin(axis=1)
        has: NDArray[np.bool_] = np.any(is_around, axis=1)
        wrapped = np.where(has[:, None], copied[smallest], 0)
        ratio = np.where(has, np.log2(area[part] / area[smallest]), -12)
        place = np.where(has[:, None], (boxes[part, :2] - boxes[smallest, :2]) / np.maximum(size[smallest], 1), 0)
        unlike = np.where(has, np.log1p(np.abs(fill[part] - fill[smallest]).max(axis=1)) / 5, 0)
        columns.append(
            np.concatenate(
                [
                    np.minimum(
                        np.stack([one.sum(axis=1) for one in (row, column, twin, is_within, is_around)], axis=1), 16
                    )
                    / 4,
                    np.stack([np.maximum(ratio, -12), unlike], axis=1),
                    place,
                    wrapped,
                ],
                axis=1,
            )
        )
    return np.concatenate(columns).astype(np.float32)


def describe_boxes(view: ScreenView, proposals: Proposals) -> Floats:
    """Return the features of all proposals, N × features. The order of the boxes does not change their features."""
    boxes = proposals.boxes
    height, width = view.image.shape[:2]
    borders, fill = border_features(view, boxes)
    columns = [
        _shape_features(boxes, view.line, width, height),
        np.eye(len(BoxMethod), dtype=np.float32)[proposals.methods],
        borders,
        texture_features(view, boxes),
        TextFeatures(view, boxes).features(proposals.pieces),
    ]
    own = np.concatenate(columns, axis=1)
    return np.concatenate(
        [own, neighbour_features(boxes, own[:, _COPIED_FEATURES], fill, view.line), _page_features(view, len(boxes))],
        axis=1,
    )


def _shape_features(boxes: Boxes, line: float, width: int, height: int) -> Floats:
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    columns = [
        np.log2(widths / line + 0.05),
        np.log2(heights / line + 0.05),
        np.log2((widths + 1) / (heights + 1)),
        widths / width,
        heights / height,
        boxes[:, 0] / width,
        boxes[:, 1] / height,
        (width - boxes[:, 2]) / width,
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _page_features(view: ScreenView, count: int) -> Floats:
    """Return features of the whole picture, repeated for each box. They distinguish photos, which have no flat areas,
    from screens, which are nearly all flat."""
    strongest = np.maximum(view.right, view.below)
    flat = float((strongest <= 2).mean())
    sharp = float((strongest > 60).mean())
    dark = float(np.median(view.image[::8, ::8])) / 255
    busy = min(4.0, len(view.pieces) / (strongest.size / 40_000))
    return np.tile(np.array([flat, sharp * 5, dark, busy], np.float32), (count, 1))


def _letter_share(text: str) -> float:
    """Return the share of letters in a text. Prices and dates have few."""
    return sum(letter.isalpha() for letter in text) / max(1, len(text))


def _nearest_others(centres: Floats, inks: Floats) -> Floats:
    """Return, for each piece, the median ink of the five pieces nearest to it."""
    distances = ((centres[:, None] - centres[None]) ** 2 * np.array([0.3, 1], np.float32)).sum(axis=2)
    order = np.argsort(distances, axis=1, kind="stable")[:, 1:6]
    if order.shape[1] == 0:
        return inks
    nearby: Floats = np.median(inks[order], axis=1).astype(np.float32)
    return nearby
