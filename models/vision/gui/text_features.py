"""Computes features of boxes that describe the text in and around them."""

import numpy as np
from numpy.typing import NDArray

from models.vision.gui.regions import Boxes, Floats, area_of, intersection_area
from models.vision.gui.screen_view import ScreenView


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
