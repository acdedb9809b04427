"""Words for months, weekdays, numbers, ordinal places and units of time, in several languages (words.toml)."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

_TABLE: Final[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
UNITS: Final[dict[str, str]] = _TABLE["units"]
"""Regular expression of the words for each unit of time, without groups, by the unit's English name."""


def _numbered(subject: str) -> dict[str, int]:
    return {word: int(number) for number, words in _TABLE[subject].items() for word in words.split(", ")}


MONTHS: Final = _numbered("months")
"""Number of each month, 1 to 12, by its names and short forms."""
_MONTHS_OF_LANGUAGES: Final[dict[str, int]] = {
    word: int(number)
    for number, words in tomllib.loads(Path(__file__).with_name("months.toml").read_text("utf-8"))["months"].items()
    for word in " ".join(words.split()).split(", ")
}
MONTHS_OF_ALL: Final = {**_MONTHS_OF_LANGUAGES, **MONTHS}
"""Number of each month by its names in all languages that are known. The patterns of days in running text do not list
them, because they are many."""
WEEKDAYS: Final = _numbered("weekdays")
"""Number of each day of the week, 1 for Monday to 7 for Sunday, by its names and short forms."""
NUMBERS: Final = _numbered("numbers")
MAGNITUDES: Final = _numbered("magnitudes")
MAGNITUDES_OF_MONEY: Final = _numbered("magnitudes_of_money")
PLACES: Final = _numbered("places")
"""Places in an order by their names: 1 is the first, -1 the last."""


def any_of(words: Iterable[str]) -> str:
    """Return a regular expression of `words` that tries the longest first."""
    return "|".join(sorted(words, key=len, reverse=True))


def count_named(text: str, words: Mapping[str, int] = NUMBERS) -> int:
    """Return the count in `text`: digits, with or without separators, or one of `words`. Raises KeyError for any other
    text."""
    figures = text.replace(",", "").replace(".", "")
    return int(figures) if figures.isdecimal() else words[text.lower()]


def month_named(name: str) -> int:
    """Return the number of the month, 1 to 12, or 0 for a word that is not a month."""
    return MONTHS_OF_ALL.get(name.lower().rstrip("."), 0)


def unit_named(word: str) -> str | None:
    """Return the English name of the unit of time that `word` means, or None if it means none."""
    return next((unit for unit, named in UNITS.items() if re.fullmatch(named, word, re.IGNORECASE)), None)
