"""Finds the magnitude that a page states for all of its amounts: `All figures in EUR thousands`, `(in Tsd. EUR)`."""

import re
import tomllib
from pathlib import Path

from tasks.extraction.folding import without_accents
from tasks.matches_in_slices import matches_in_slices
from tasks.notation.currencies import ANY

_TABLE = tomllib.loads(Path(__file__).with_name("doubts.toml").read_text("utf-8"))["magnitudes"]


def _any_of(key: str) -> str:
    words = " ".join(_TABLE[key].split()).split(", ")
    return "|".join(sorted({one for word in words for one in (word, without_accents(word))}, key=len, reverse=True))


_IN = rf"(?:{_any_of('before')})"
_NAME = rf"(?:{_any_of('names')})(?!\w)\.?"
_SHORT = rf"(?:[kmt][ -]?(?:{ANY})|(?:{ANY})[ -]?[km])(?!\w)"
_CURRENCY = rf"(?:{ANY}|{_any_of('currencies')})"
_STATED = re.compile(
    rf"(?<!\w){_IN} (?:{_SHORT}|{_CURRENCY}[ -]{_NAME}|{_NAME}(?: (?:of|de|di|von|d'))? ?{_CURRENCY}(?!\w))"
    rf"|\((?:{_IN} )?(?:{_CURRENCY} )?(?:{_NAME}|{_SHORT})\)",
    re.IGNORECASE,
)


def states_magnitude(text: str) -> bool:
    """True if a text says in which magnitude its amounts are."""
    return any(found is not None for found in matches_in_slices(_STATED, text))
