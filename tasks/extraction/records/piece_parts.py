"""Cuts a piece into parts that may be separate values: a period into its beginning and its end, a measure into its
figure and its unit."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from tasks.extraction.line_pieces import ends_of

_SEPARATORS: Final = ("–", "—", "-", " bis ", " to ", " à ", " a ", " do ", " tot ", ":")
"""Signs and words between the two halves of a score or of two times. They are tried in this order."""


class PiecePart(NamedTuple):
    name: str
    """`first`, `last`, `figure` or `unit`."""
    text: str


@lru_cache(maxsize=4096)
def parts_of(kind: str, text: str) -> Sequence[PiecePart]:
    """Return the parts of a piece that may be separate values."""
    if kind == "period":
        first, last = ends_of(text)
        return [PiecePart("first", first), *_part("last", last)]
    if kind in ("times", "score"):
        first, last = _halves(text)
        return [*_part("first", first), *_part("last", last)]
    if kind in ("number", "decimal"):
        return [PiecePart("figure", text)]
    if kind in ("measure", "money"):
        figure = "".join(character for character in text if character in "0123456789.,'’ -–−½/").strip(" /")
        return [*_part("figure", figure if figure.strip(" -/") else ""), *_part("unit", unit_text(text))]
    return []


def _part(name: str, text: str) -> Sequence[PiecePart]:
    """Return a part in a list; an empty list if the part has no text."""
    return [PiecePart(name, text)] if text else []


def unit_text(text: str) -> str:
    """Return the unit of a measure or an amount."""
    return text.strip("0123456789.,'’ -–−+<>≤≥~½")


def _halves(text: str) -> tuple[str, str]:
    """Return the texts before and after the separator; two empty texts if there is none."""
    for separator in _SEPARATORS:
        first, found, last = text.partition(separator)
        if found and last.strip() and any(map(str.isdigit, first)):
            return first.strip(), last.strip()
    return "", ""
