"""Finds the magnitude that a page or a column states for its amounts: `All figures in EUR thousands`, `(Tsd. EUR)`."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

from models.fair_executor import Slices
from tasks.extraction.folding import without_accents
from tasks.matches_in_slices import matches_in_slices
from tasks.notation.currencies import ANY

_TABLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))


def _any_of(key: str) -> str:
    words = " ".join(_TABLE[key].split()).split(", ")
    return "|".join(sorted({one for word in words for one in (word, without_accents(word))}, key=len, reverse=True))


_IN = rf"(?:{_any_of('before')})"
_NAME = rf"(?:{_any_of('names')})(?!\w)\.?"
_SHORT = rf"(?:[kmt][ -]?(?:{ANY})|(?:{ANY})[ -]?[km])(?!\w)"
_CURRENCY = rf"(?:{ANY}|{_any_of('currencies')})"
_BESIDE_CURRENCY = rf"(?:{_NAME}|(?:{_any_of('beside_currency')})(?!\w))"
_OF_CURRENCY = (
    rf"(?:{_SHORT}|{_CURRENCY}[ -]?{_BESIDE_CURRENCY}"
    rf"|(?:{_BESIDE_CURRENCY}(?: (?:of|de|di|von|d'))?|{_any_of('before_currency')}) ?{_CURRENCY}(?!\w))"
)
_STATED = re.compile(rf"(?<!\w){_IN} {_OF_CURRENCY}|\((?:{_IN} )?(?:{_OF_CURRENCY}|{_NAME})\)", re.IGNORECASE)

_IN_HEADER = re.compile(rf"(?<!\w)(?:{_OF_CURRENCY})|(?:(?<!\w){_IN} |[(\[,] ?){_NAME}", re.IGNORECASE)


def magnitude_in_header(header: str) -> str:
    """Return the words of a header that state the magnitude of the column's numbers, as in `Revenue, $m`; empty if
    there are none."""
    found = _IN_HEADER.search(header)
    return found[0] if found else ""


def states_magnitude(texts: Iterable[str]) -> Slices[bool]:
    """Return True if one of the texts states the magnitude of its amounts."""
    for text in texts:
        for found in matches_in_slices(_STATED, text):
            if found is not None:
                return True
            yield
    return False
