"""Divides numbers of which a part is drawn above or below the line, such as the mark of a note behind an amount."""

from collections.abc import Iterable

from lxml.etree import _Element

from tasks.inputs.office.drawings import mark_unsure
from tasks.markdown_text import UNSURE

_LEAST = 0.15
"""The share of its size by which text is shifted at least for a reader to see it."""
_BESIDE = 1.0
"""The share of its size by which text is shifted at least to be drawn beside its line."""


def divide(pieces: Iterable[tuple[_Element, float]]) -> None:
    """Divide the numbers in the texts of a paragraph where one of two texts is shifted.

    Each text comes with the share of its size by which it is raised, and an element without text is a break. A figure
    raised behind a number is written as in HTML (`10^2`); text with other shifts is marked as unsure.
    """
    last, last_shift = None, 0.0
    for piece, shift in pieces:
        if abs(shift) >= _BESIDE:
            mark_unsure([piece])
        if last is not None and abs(shift - last_shift) >= _LEAST and _meet(last, piece):
            is_raised = shift > 0 and abs(last_shift) < _LEAST
            piece.text = ("^" if is_raised else " ") + (piece.text or "")
            piece.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
            if not is_raised:
                mark_unsure([last, piece])
        last, last_shift = piece, shift


def _meet(before: _Element, after: _Element) -> bool:
    """True if one text ends in a figure, and the other begins with one."""
    first, second = ((one.text or "").replace(UNSURE, "") for one in (before, after))
    return first[-1:].isdigit() and second[:1].isdigit()
