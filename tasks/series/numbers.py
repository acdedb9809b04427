"""Numbers as people and spreadsheets write them."""

import math
import re
from collections.abc import Iterable

_SPACES = "  \u00a0\u202f\u2009'’"
_DROPPED = str.maketrans({"−": "-", "–": "-", **dict.fromkeys(_SPACES)})
_AROUND = r"(?:[$€£¥₹₽%‰]|[A-Z]{3}|kr|zł)?"
_NUMBER = re.compile(rf"{_AROUND}([-+]?){_AROUND}((?:\d[\d.,]*|[.,]\d+)(?:[eE][-+]?\d{{1,3}})?){_AROUND}")
_LONGEST = 60
"""Characters that a cell with a number has at most."""
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:([.,])\d{3})(?:\1\d{3})*")
_MISSING = frozenset(
    {"", "-", "–", "—", ".", "..", "?", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "k.a.", "s/d"}
)


def is_missing(cell: str) -> bool:
    """Whether `cell` says that there is no value."""
    return cell.strip().lower() in _MISSING


def looks_numeric(cell: str) -> bool:
    """Whether `cell` is a number, whatever its signs mean."""
    return _digits(cell) is not None


def decimal_comma(cells: Iterable[str], *, likely: bool) -> bool:
    """Whether commas are decimal in these cells of one table: by the first that leaves no choice, else as is `likely`.

    `1.234,5`, `12,5` and `0,125` can only be read with a decimal comma, `1,234.5` and `12.5` only with a decimal point.
    """
    for cell in cells:
        found = _digits(cell)
        if found is None:
            continue
        digits = found[1].lower().partition("e")[0]
        comma, point = digits.rfind(","), digits.rfind(".")
        if comma >= 0 and point >= 0:
            return comma > point
        if comma < 0 and point < 0:
            continue
        if not _GROUPED.fullmatch(digits):
            return comma >= 0 and digits.count(",") == 1
        if digits.count(".") > 1 or digits.count(",") > 1:
            return point >= 0
    return likely


def number(cell: str, *, comma: bool) -> float | None:
    """The number that `cell` is, with a decimal comma or point; None for anything else, and for what is not finite.

    Signs of currencies and per cent are left out, parentheses are a minus. `50%` is 50.
    """
    found = _digits(cell)
    if found is None:
        return None
    sign, digits = found
    thousands, point = (".", ",") if comma else (",", ".")
    whole, has_point, decimals = digits.partition(point)
    if thousands in decimals or (thousands in whole and not _GROUPED.fullmatch(whole)):
        # As in `12.5` among decimal commas: not this notation, but a number all the same.
        whole, has_point, decimals = digits.replace(",", ".").partition(".")
    try:
        value = float(f"{sign}{whole.replace(thousands, '')}{'.' if has_point else ''}{decimals}")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _digits(cell: str) -> tuple[str, str] | None:
    """The sign, and the digits with their points and commas."""
    text = cell.strip()
    if not text or len(text) > _LONGEST:
        return None
    negative = text.startswith("(") and text.endswith(")")
    found = _NUMBER.fullmatch((text[1:-1] if negative else text).translate(_DROPPED))
    if found is None:
        return None
    return ("-" if negative else found[1]), found[2]
