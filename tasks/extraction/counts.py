"""Names each number of a list of counts by the words after it: `2 bedrooms, 1 bathroom`, `12 g protein, 30 g
carbohydrates`, `2 rooms for 3 adults`."""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Final

from tasks.extraction.folding import fold
from tasks.notation.currencies import is_currency

MAX_WORDS: Final = 60
"""A line with a list of counts has at most this many words."""
MAX_WORDS_OF_NAME: Final = 4
"""At most this many words after a number name it."""
_COUNT = re.compile(r"\(?\d[\d.,]*")
_ENDS = (",", ";", "·", "•", "|")
_JOINING: Final = frozenset(("and", "und", "et", "y", "e", "en", "i", "och", "og", "&", "·", "•", "|"))
PREPOSITIONS: Final = frozenset(
    fold(
        "for with in of at on per by plus für mit zu von auf pro bei pour avec dans de sur par à para con por a di da"
        " com em voor met op van dla z w na för med av på i"
    )
)
_LONGEST_ABBREVIATION: Final = 3
"""A word with at most this many letters before a point, as in `no.`, ends no sentence."""
_MAX_WORDS_OF_SINGLE_NAME: Final = 2
"""At most this many words name a number that is the only count of its line."""
_LONGEST_UNIT: Final = 3
"""The sign of a unit has at most this many letters."""


def name_of_count(texts: Sequence[str], start: int, stop: int) -> str | None:
    """Return the words of a line that name the number in its words `start` to `stop`, without a unit or currency before
    them.

    Return None if the line has more than MAX_WORDS words, or if the number does not begin a piece of the line or has no
    word after it. The only count of a line must be a whole piece, such as `(12 reviews)`. If the result is None, the
    words before the number may name it.

    A number and its noun begin a piece wherever they are if a preposition or an `and` joins them to the next count: `We
    confirm 2 rooms for 3 adults`, `Packed in 3 cartons and 1 pallet`.
    """
    if len(texts) > MAX_WORDS:
        return None
    counts = [index for index, text in enumerate(texts) if _COUNT.fullmatch(text)]
    joined = {index for index in counts if _is_joined(texts, index, PREPOSITIONS)}
    coordinated = {index for index in counts if _is_joined(texts, index, _JOINING)}
    begun = {index for index in counts if _begins_piece(texts, index) or index in joined or texts[index][0] == "("}
    begun |= {before for before, index in pairwise(counts) if index in joined or index in coordinated}
    if start not in begun:
        return None
    name: list[str] = []
    is_in_brackets = texts[start].startswith("(")
    for index, text in enumerate(texts[stop:], stop):
        if text.casefold() in _JOINING or index + 1 in joined:
            break
        name.append(text.rstrip(",;.·" + ")" * is_in_brackets))
        if _ends_piece(text) or (is_in_brackets and text.endswith(")")):
            break
    if len(begun) < 2 and not (
        0 < len(name) <= _MAX_WORDS_OF_SINGLE_NAME and _is_closed(texts, start, stop, len(name))
    ):
        return None
    if len(name) > 1 and (len(name[0]) <= _LONGEST_UNIT or is_currency(name[0])):
        name = name[1:]
    return " ".join(name[:MAX_WORDS_OF_NAME]) or None


def _is_closed(texts: Sequence[str], start: int, stop: int, many: int) -> bool:
    """True if a number and the `many` words after it are a whole piece, as in `- 3 rooms, balcony` and `(164
    reviews)`."""
    last = texts[stop + many - 1]
    if texts[start].startswith("("):
        return last.endswith((")", "),"))
    words = texts[stop : stop + many]
    # The words after a house number are the name of a street: `12 Main St, Rome`.
    is_name = many > 1 and all(text[:1].isupper() for text in words)
    return (
        _is_first(texts, start)
        and last.endswith(",")
        and not is_name
        and all(_is_word(text.rstrip(",")) for text in words)
    )


def _is_joined(texts: Sequence[str], index: int, by: Collection[str]) -> bool:
    """True if one of the words `by` joins a number and the noun after it to another number and its nouns: the 3 of `2
    rooms for 3 adults`."""
    before = next((one for one in range(index - 2, -1, -1) if not _is_word(texts[one])), index)
    return (
        0 <= before < index - 2
        and index - 2 - before <= MAX_WORDS_OF_NAME
        and _COUNT.fullmatch(texts[before]) is not None
        and texts[index - 1].casefold() in by
        and texts[before + 1].casefold() not in PREPOSITIONS
        and index + 1 < len(texts)
        and _is_word(texts[index + 1].rstrip(",;.·:!?)"))
        and texts[index + 1].casefold() not in PREPOSITIONS
    )


def _is_word(text: str) -> bool:
    return text.replace("-", "").replace("'", "").isalpha()


def _begins_piece(texts: Sequence[str], index: int) -> bool:
    return _is_first(texts, index) or texts[index - 1].casefold() in _JOINING or _ends_piece(texts[index - 1])


def _is_first(texts: Sequence[str], index: int) -> bool:
    """True for the first word of a line, with or without a bullet before it."""
    return not index or (index == 1 and not any(map(str.isalnum, texts[0])))


def _ends_piece(text: str) -> bool:
    return text.endswith(_ENDS) or (text.endswith(".") and len(text) > _LONGEST_ABBREVIATION + 1)
