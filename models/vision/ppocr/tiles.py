"""Divides a large picture into overlapping tiles along one axis."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile along one axis."""

    seen: slice
    """Extent of the tile in the picture, including its overlap."""
    kept: slice
    """Part of the picture whose result comes from this tile."""
    inside: slice
    """Position of `kept` inside the tile."""


def tiles(length: int, *, side: int, overlap: int) -> Iterator[Tile]:
    """Yield equal tiles of at most `side` pixels. Each includes `overlap` pixels of its neighbours on either side."""
    count = 1 if length <= side else -(-length // (side - 2 * overlap))
    for index in range(count):
        start, stop = length * index // count, length * (index + 1) // count
        first, last = max(0, start - overlap), min(length, stop + overlap)
        yield Tile(slice(first, last), slice(start, stop), slice(start - first, stop - first))
