"""Assigns recognised text to the boxes of a screenshot."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.vision.gui.regions import Boxes, area_of, intersection_area
from models.vision.gui.text_pieces import TextPiece

_INSIDE_SHARE = 0.6
"""A piece of text belongs to an element if more than this share of it is inside the element."""

_TAKEN_SHARE = 0.4
"""A piece of text counts as a separate text unless at least this share of it is inside elements."""

_SLACK_PIXELS = 2
"""A part may extend beyond its line by at most this many pixels."""


def texts_in(places: Boxes, pieces: Sequence[TextPiece]) -> list[str]:
    """Return the text in each of `places`. A piece belongs to the smallest place in which it lies."""
    owned: list[list[TextPiece]] = [[] for _ in places]
    if len(places) and pieces:
        share, area = _shares(places, pieces), area_of(places)
        for piece, inside in zip(pieces, share > _INSIDE_SHARE, strict=True):
            if inside.any():
                owned[int(np.where(inside, area, np.inf).argmin())].append(piece)
    return [" ".join(piece.text for piece in _in_order(_without_parts(inside))) for inside in owned]


def texts_beside(places: Boxes, pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """Return the pieces of text that are in none of `places`: whole lines if possible, else their parts."""
    if not len(places):
        return _without_parts(pieces)
    taken = _shares(places, pieces).sum(axis=1) if pieces else np.zeros(0)
    return _without_parts([piece for piece, share in zip(pieces, taken, strict=True) if share < _TAKEN_SHARE])


def _shares(places: Boxes, pieces: Sequence[TextPiece]) -> NDArray[np.float32]:
    """Return the share of each piece's area that lies in each place, as an array of pieces × places."""
    boxes = np.array([piece.box for piece in pieces], np.float32)
    return (intersection_area(boxes, places) / np.maximum(area_of(boxes), 1)[:, None]).astype(np.float32)


def _without_parts(pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """Return `pieces` without the pieces that lie inside another piece. A line of two colours, for example, is among
    `pieces` as a whole and in parts."""
    kept: list[TextPiece] = []
    outer = np.zeros((4, len(pieces)))
    slack = np.array([-_SLACK_PIXELS, -_SLACK_PIXELS, _SLACK_PIXELS, _SLACK_PIXELS])
    for piece in sorted(pieces, key=lambda one: one.box[0] - one.box[2]):
        left, top, right, bottom = outer[:, : len(kept)]
        within = (left <= piece.box[0]) & (top <= piece.box[1]) & (right >= piece.box[2]) & (bottom >= piece.box[3])
        if not within.any():
            outer[:, len(kept)] = np.array(piece.box) + slack
            kept.append(piece)
    return kept


def _in_order(pieces: Sequence[TextPiece]) -> list[TextPiece]:
    """Return `pieces` line by line, each line from left to right."""
    if not pieces:
        return []
    text_height = float(np.median([piece.box[3] - piece.box[1] for piece in pieces])) or 1.0
    return sorted(pieces, key=lambda one: (round((one.box[1] + one.box[3]) / 2 / text_height), one.box[0]))
