"""The words before a number that say what kind of number it is."""

import re
from functools import cache

LONGEST = 64
"""Characters before a number that are looked at."""

_BETWEEN = r"[\s:=#.,\-–—_*|()\[\]\"'“”‘’/>：]"

_GOES_ON = (
    rf"{_BETWEEN}*(?:(?:no|nr|nº|n°|numbers?|nummer|num[eé]ro|número|code|id|is|are|was|ist|lautet|est|es|è|é|card|at|on)"
    rf"{_BETWEEN}+|(?:号码|號碼|番号|号|是|为|為|は|번호|는|은){_BETWEEN}*){{0,3}}\Z"
)

_LETTER = r"A-Za-z\u00c0-\u024f\u0400-\u04ff"
"""Letters of scripts that part words. Others go on without a space, or begin a word with an article."""


@cache
def label(words: str) -> re.Pattern[str]:
    """Finds one of `words` (a pattern) at the end of what stands before a number, in any case."""
    return re.compile(rf"(?<![{_LETTER}\d])(?:{words})(?![{_LETTER}]){_GOES_ON}", re.IGNORECASE)
