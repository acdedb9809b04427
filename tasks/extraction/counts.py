"""Names each number of a list of counts by the words behind it: `2 bedrooms, 1 bathroom`, `12 g protein, 30 g
carbohydrates`."""

import re
from collections.abc import Sequence
from typing import Final

from tasks.notation.currencies import is_currency

MAX_WORDS: Final = 60
"""A line with a list of counts has at most this many words."""
MAX_WORDS_OF_NAME: Final = 4
"""At most this many words behind a number name it."""
_COUNT = re.compile(r"\(?\d[\d.,]*")
_ENDS = (",", ";", "·", "•", "|")
_JOINING: Final = frozenset(("and", "und", "et", "y", "e", "en", "i", "och", "og", "&", "·", "•", "|"))
_LONGEST_ABBREVIATION: Final = 3
"""A word with at most this many letters before a point, as in `no.`, ends no sentence."""
_LONGEST_UNIT: Final = 3
"""The sign of a unit has at most this many letters."""


def name_of_count(texts: Sequence[str], start: int, stop: int) -> str | None:
    """Return the words of a line that name the number in its words `start` to `stop`, without a unit before them.

    Return None if the number does not begin a piece of the line, no other piece begins with a number, or no word is
    behind it. In these cases, the words before the number may name it.
    """
    if len(texts) > MAX_WORDS or not _begins_piece(texts, start):
        return None
    counts = [index for index, text in enumerate(texts) if _COUNT.fullmatch(text) and _begins_piece(texts, index)]
    if start not in counts or len(counts) < 2:
        return None
    name: list[str] = []
    for text in texts[stop:]:
        if text.casefold() in _JOINING:
            break
        name.append(text.rstrip(",;.·"))
        if _ends_piece(text):
            break
    if len(name) > 1 and (len(name[0]) <= _LONGEST_UNIT or is_currency(name[0])):
        name = name[1:]
    return " ".join(name[:MAX_WORDS_OF_NAME]) or None


def _begins_piece(texts: Sequence[str], index: int) -> bool:
    return not index or texts[index - 1].casefold() in _JOINING or _ends_piece(texts[index - 1])


def _ends_piece(text: str) -> bool:
    return text.endswith(_ENDS) or (text.endswith(".") and len(text) > _LONGEST_ABBREVIATION + 1)
