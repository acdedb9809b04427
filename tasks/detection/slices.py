"""Searching a picture piece by piece, for what is too small or too narrow to be seen in the whole."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.vision.detection.boxes import suppressed
from models.vision.detection.detector import Detection, Detector
from models.vision.text import Image

_OVERLAP = 0.25
"""Of a slice's side with the next one: what is smaller lies whole in one of them."""
_LONG = 2.0
"""Proportions of a picture beyond which a square network sees everything too narrow."""
_MOST_SLICES, _MOST_OF_PANORAMA = 8, 64
"""About so many along a side, not counting that they overlap: a picture may be millions of pixels long."""
_SCALES = (1.0, 2.0)
"""Sides of slices, in those of the network: both find what the other one does not."""
_WIDE = 1.5
"""Proportions of a panorama's slices: a bus lies whole in them."""
_SAME = 0.5
"""Intersection of two boxes of a label, as a part of the smaller, above which they are one object (SAHI's default)."""
_EDGE = 2.0
"""Pixels from an inner edge of its slice within which a box is taken for a part of something."""


@dataclass(frozen=True, slots=True)
class Slice:
    left: int
    top: int
    right: int
    bottom: int


def slices_of(width: int, height: int, side: int, *, small: bool) -> list[Slice]:
    """The slices in which a picture of `width` × `height` is searched besides the whole of it, for a network that sees
    `side` pixels; none where that would show no more.

    A panorama is cut across its length; with `small`, any picture into squares of about `side` and of twice that.
    """
    shorter, longer = min(width, height), max(width, height)
    if small:
        least = -(-longer // _MOST_SLICES)
        sides = {max(round(side * scale), least) for scale in _SCALES}
        return [piece for length in sorted(sides) if length < longer for piece in _cut(width, height, length, length)]
    if longer <= max(_LONG * shorter, side):
        return []
    length = max(round(_WIDE * shorter), side, -(-longer // _MOST_OF_PANORAMA))
    return _cut(width, height, min(width, length), min(height, length))


def _cut(width: int, height: int, across: int, down: int) -> list[Slice]:
    """Slices of `across` × `down` that cover the picture."""
    return [
        Slice(left, top, min(left + across, width), min(top + down, height))
        for top in _starts(height, down)
        for left in _starts(width, across)
    ]


def _starts(length: int, piece: int) -> list[int]:
    """Where slices begin along a side: evenly, overlapping by at least _OVERLAP."""
    if length <= piece:
        return [0]
    count = -(-(length - piece) // round(piece * (1 - _OVERLAP))) + 1
    return [round(index * (length - piece) / (count - 1)) for index in range(count)]


async def detect_in_slices(
    detector: Detector,
    image: Image,
    slices: Sequence[Slice],
    *,
    labels: Sequence[str] | None = None,
    masks: bool = False,
    wait: bool = False,
) -> list[Detection]:
    """What the whole picture and its slices show, each object once. Raises as `Detector.detect`."""
    height, width = image.shape[:2]
    found = await detector.detect(image, labels=labels, masks=masks, wait=wait)
    if not slices:
        return found
    # The first call is refused if the engine is overloaded; the rest of the work waits its turn.
    parts = await asyncio.gather(
        *(
            detector.detect(
                image[piece.top : piece.bottom, piece.left : piece.right],
                labels=labels,
                masks=masks,
                wait=True,
            )
            for piece in slices
        )
    )
    for piece, part in zip(slices, parts, strict=True):
        moved = [one.moved(piece.left, piece.top) for one in part]
        found += [one for one in moved if not _is_cut_off(one, piece, width, height)]
    return await asyncio.to_thread(_merged, found)


def _is_cut_off(one: Detection, piece: Slice, width: int, height: int) -> bool:
    """Whether it ends where the slice ends but the picture goes on; the neighbour, or the whole picture, shows it."""
    left, top, right, bottom = one.box
    return (
        (piece.left > 0 and left < piece.left + _EDGE)
        or (piece.top > 0 and top < piece.top + _EDGE)
        or (piece.right < width and right > piece.right - _EDGE)
        or (piece.bottom < height and bottom > piece.bottom - _EDGE)
    )


def _merged(found: Sequence[Detection]) -> list[Detection]:
    if not found:
        return []
    numbers = {label: number for number, label in enumerate(dict.fromkeys(one.label for one in found))}
    kept = suppressed(
        np.array([one.box for one in found], np.float32),
        np.array([one.score for one in found], np.float32),
        np.array([numbers[one.label] for one in found]),
        most=_SAME,
        of_smaller=True,
    )
    return [found[index] for index in kept]
