"""The words before a number that name the kind of number."""

import re
from functools import cache

LONGEST = 64
"""A label is searched for in this many characters before a number."""

_BETWEEN_LABEL_AND_NUMBER = r"[\s:=#.,\-–—_*|()\[\]\"'“”‘’/>：]"

_UP_TO_NUMBER = (
    rf"{_BETWEEN_LABEL_AND_NUMBER}*(?:(?:no|nr|nº|n°|numbers?|nummer|num[eé]ro|número|code|id|is|are|was|ist|lautet|est|es|è|é|card|at|on)"
    rf"{_BETWEEN_LABEL_AND_NUMBER}+|(?:号码|號碼|番号|号|是|为|為|は|번호|는|은){_BETWEEN_LABEL_AND_NUMBER}*){{0,3}}\Z"
)

_LETTER = r"A-Za-z\u00c0-\u024f\u0400-\u04ff"
"""Latin and Cyrillic letters, in whose languages spaces separate words. In some other scripts, words follow each other
directly, or an article is attached to them."""


@cache
def label(words: str) -> re.Pattern[str]:
    """Return a pattern that finds one of `words` (a pattern, in any case) at the end of the text before a number."""
    return re.compile(rf"(?<![{_LETTER}\d])(?:{words})(?![{_LETTER}]){_UP_TO_NUMBER}", re.IGNORECASE)
