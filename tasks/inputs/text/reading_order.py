"""Finds numbers that browsers draw in another order than that of their characters (Unicode, Annex 9)."""

import re
from itertools import pairwise

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

_INLINE_NAMES = (
    "a abbr b bdi bdo big cite code data del em font i ins kbd label mark "
    "q s samp small span strong sub sup time tt u var"
)
_INLINE = frozenset(_INLINE_NAMES.split())
_TO_THE_LEFT = re.compile("[\u200f\u061c\u202b\u2067]")
"""Pattern of the invisible characters that let text run from right to left."""
_OVERRIDES = re.compile("[\u202d\u202e]")
"""Pattern of the invisible characters that let all text run in one direction, whatever it is."""
_LETTERS_TO_THE_LEFT = re.compile("[\u0590-\u060b\u060d-\u061b\u061d-\u08ff\ufb1d-\ufdcf\ufdf0-\ufdff\ufe70-\ufeff]")
"""Pattern of letters of Hebrew, Arabic and similar scripts. Who reads these reads the numbers among them from right to
left, too."""
_GAP = re.compile(r"(?<=\d)\W+(?=\d)")
_WITHIN_NUMBER = frozenset(".,:/+-\xa0")
"""Characters that join the digits beside them to one number, which keeps its order."""
_LETTER_MARK = "\u061c"
"""An invisible character that counts as an Arabic letter. Signs behind it divide numbers."""
_SIGNS = frozenset("+-")


def reordered_texts(soup: BeautifulSoup) -> list[NavigableString]:
    """Return the texts with several numbers in a row that run from right to left, though no letter shows this to a
    reader."""
    directions: dict[int, str] = {}
    blocks: dict[int, Tag] = {}
    texts: dict[int, list[NavigableString]] = {}
    for tag in soup.find_all(True):
        stated = str(tag.get("dir") or "").lower()
        around = directions.get(id(tag.parent), "ltr")
        directions[id(tag)] = stated if stated in ("ltr", "rtl", "auto") else around
        block = blocks.get(id(tag.parent), tag) if tag.name in _INLINE else tag
        blocks[id(tag)] = block
    for text in soup.find_all(string=True):
        if id(text.parent) in blocks:
            texts.setdefault(id(blocks[id(text.parent)]), []).append(text)
    return [text for some in texts.values() if _is_reordered(some, directions) for text in some]


def _is_reordered(texts: list[NavigableString], directions: dict[int, str]) -> bool:
    """True for the texts of a block of which some numbers are drawn in another order."""
    line = "".join(texts)
    if _OVERRIDES.search(line):
        return True
    if not _TO_THE_LEFT.search(line) and all(directions[id(text.parent)] != "rtl" for text in texts):
        return False
    if _LETTERS_TO_THE_LEFT.search(line):
        return False
    # Elements within the line, such as pictures, may divide a number.
    is_divided = any(before[-1:].isdigit() and after[:1].isdigit() for before, after in pairwise(texts))
    gaps = (gap[0] for gap in _GAP.finditer(line))
    joining = _WITHIN_NUMBER - _SIGNS if _LETTER_MARK in line else _WITHIN_NUMBER
    return is_divided or any(len(gap) > 1 or gap not in joining for gap in gaps)
