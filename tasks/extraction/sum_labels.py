"""Recognises labels in tables that do not name items: sums carried to the next page, and what follows a sum."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Final

from tasks.extraction.concepts import concepts_of
from tasks.extraction.folding import fold, without_accents

LONGEST_LABEL: Final = 80
"""A label has at most this many characters."""
STAGES: Final = frozenset(("net", "tax", "total", "discount", "deposit", "paid", "balance", "rounding"))
"""Concepts of a tax, a payment, what remains to be paid, and other amounts below a sum."""
_TABLE: Final = tomllib.loads(Path(__file__).with_name("sum_labels.toml").read_text("utf-8"))


def _words_of(label: str) -> tuple[str, ...]:
    return tuple(map(without_accents, fold(label)))


_CARRIED: Final = frozenset(map(_words_of, _TABLE["carried"].split(",")))
_OF_PAGES: Final = frozenset(_words_of(_TABLE["of_pages"]))


@lru_cache(maxsize=4096)
def is_carried(label: str) -> bool:
    """True if a label says that a sum goes on to the next page, or comes from the last one: `Carried forward to
    page 2`."""
    words = _words_of(label) if len(label) <= LONGEST_LABEL else ()
    return tuple(word for word in words if word not in _OF_PAGES and not word.isdigit()) in _CARRIED


def goes_on_from_sum(label: str) -> bool:
    """True if a label names a tax, a payment or another amount that goes on from a sum."""
    return len(label) <= LONGEST_LABEL and not concepts_of(tuple(fold(label))).isdisjoint(STAGES)
