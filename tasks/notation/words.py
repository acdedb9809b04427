"""Words for numbers, ordinal places and units of time, in several languages (words.toml). Months and weekdays are in
cldr.py."""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

_TABLE: Final[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
UNITS: Final[dict[str, str]] = _TABLE["units"]
"""Regular expression of the words for each unit of time, without groups, by the unit's English name."""


def _numbered(subject: str) -> dict[str, int]:
    return {word: int(number) for number, words in _TABLE[subject].items() for word in words.split(", ")}


NUMBERS: Final = _numbered("numbers")
MAGNITUDES_OF_MONEY: Final = _numbered("magnitudes_of_money")
PLACES: Final = _numbered("places")
"""Places in an order by their names: 1 is the first, -1 the last."""


def any_of(words: Iterable[str]) -> str:
    """Return a regular expression of `words` that tries the longest first. Common beginnings are written once, because
    each alternative of a pattern takes time."""
    by_first: defaultdict[str, list[str]] = defaultdict(list)
    for word in words:
        by_first[word[:1]].append(word[1:])
    is_end = by_first.pop("", None) is not None
    tried = [re.escape(first) + any_of(rest) for first, rest in by_first.items()]
    alone = len(tried) == 1 and not is_end
    return (tried[0] if alone else f"(?:{'|'.join(tried)}){'?' * is_end}") if tried else ""


def count_named(text: str, words: Mapping[str, int] = NUMBERS) -> int:
    """Return the count in `text`: digits, with or without separators, or one of `words`. Raises KeyError for any other
    text."""
    figures = text.replace(",", "").replace(".", "")
    return int(figures) if figures.isdecimal() else words[text.lower()]


def unit_named(word: str) -> str | None:
    """Return the English name of the unit of time that `word` means, or None if it means none."""
    return next((unit for unit, named in UNITS.items() if re.fullmatch(named, word, re.IGNORECASE)), None)
