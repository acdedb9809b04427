"""A large picture in tiles that overlap, along one axis."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile along one axis."""

    seen: slice
    """What the tile covers, its overlap included, in the picture."""
    kept: slice
    """The part of the picture whose result comes from this tile."""
    inside: slice
    """`kept`, counted from the start of `seen`."""


def tiles(length: int, *, side: int, overlap: int) -> Iterator[Tile]:
    """Equal tiles of at most `side` pixels that see `overlap` pixels of their neighbours on either side."""
    count = 1 if length <= side else -(-length // (side - 2 * overlap))
    for index in range(count):
        start, stop = length * index // count, length * (index + 1) // count
        first, last = max(0, start - overlap), min(length, stop + overlap)
        yield Tile(slice(first, last), slice(start, stop), slice(start - first, stop - first))
