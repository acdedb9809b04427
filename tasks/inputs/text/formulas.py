"""Writes the formulas of a page (MathML) in a line, with signs in the place of what browsers draw above each other."""

import re

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

_SIGNS = {
    "mfrac": ("/",),
    "msup": ("^",),
    "msub": ("_",),
    "msubsup": ("_", "^"),
    **dict.fromkeys(("mroot", "munder", "mover", "munderover", "mmultiscripts", "mtr"), (" ",)),
}
"""Signs between the parts of elements that browsers do not draw side by side. The last one is before all further
parts."""
_TEXT = re.compile(r"\S")
_SIMPLE = re.compile(r"^\s*+[\w.,]*+\s*+")


def write_in_line(soup: BeautifulSoup) -> None:
    """Put signs between the parts of fractions, powers and the like, and parts of several terms in parentheses."""
    for formula in soup.find_all([*_SIGNS]):
        signs = _SIGNS[formula.name]
        parts = [part for part in formula.contents if isinstance(part, Tag)]
        for index, part in enumerate(parts):
            if signs != (" ",) and not _is_simple(part):
                part.insert(0, NavigableString("("))
                part.append(NavigableString(")"))
            if index > 0:
                part.insert(0, NavigableString(signs[min(index, len(signs)) - 1]))


def _is_simple(part: Tag) -> bool:
    """True for a part that is a single number or name."""
    is_leaf = len(part.contents) == 1 and isinstance(part.contents[0], NavigableString)
    texts = part.contents if is_leaf else part.find_all(string=_TEXT, limit=2)
    return len(texts) < 2 and all(_SIMPLE.fullmatch(str(text)) for text in texts)
