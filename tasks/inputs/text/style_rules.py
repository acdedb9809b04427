"""Finds the classes and ids to which the style sheets within a page give a style (`.note { display: none }`), and the
elements that other selectors name (`[data-note] { display: none }`)."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bs4 import BeautifulSoup, Tag
    from soupsieve import SoupSieve

MAX_CHARS: Final = 500_000
"""At most this many characters of a page's style sheets are read."""

_NOT_RULES = re.compile(r"/\*.*?(?:\*/|\Z)|\"[^\"\n]{0,500}\"|'[^'\n]{0,500}'", re.DOTALL)
"""Pattern of comments and strings, which may have braces in them."""
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})\s?|(.))")
_BRACE = re.compile(r"[{}]")
_EVERYWHERE = re.compile(r"@media\s+(?:all|screen)|@layer\b.*|@supports\s+(?!not\b).*", re.IGNORECASE)
"""Pattern of rules around others that restrict nothing on a screen."""
_SIMPLE = re.compile(r"(?P<tag>[a-z][\w-]*)?(?P<name>[.#][\w-]+)", re.IGNORECASE)
_NAME = re.compile(r"[.#][\w-]+")
_SELECTOR = re.compile(
    r"(?=[^.#\[:]*[.#\[:])(?:[\w\s.#>*+^$|-]|\[[^\]\"']{0,99}(?:(?:\"[^\"]{0,99}\"|'[^']{0,99}')[^\]\"']{0,9})?\]"
    r"|:(?:is|where|not)\(|[(),])+",
    re.IGNORECASE,
)
"""Pattern of selectors that are compared with elements: names, attributes, tags, and what combines these. Others depend
on what a user does, take quadratic time, or name no more than tags."""
_LONGEST_SELECTOR = 300
MAX_MATCHES = 500_000
"""Selectors and elements are compared at most this many times for each style, which takes two seconds."""


class StyledNames:
    """The classes and ids to which a page's style sheets always give one style, and those to which a rule gives another
    style. Names include their signs: `.note`, `#total`."""

    def __init__(self, css: str, style: re.Pattern[str], other: re.Pattern[str]) -> None:
        """`style` and `other` are patterns of declarations without white space, in lower case."""
        self._styled: set[tuple[str, str]] = set()
        """Pairs of tag and name. The tag is empty if the rule applies to any element."""
        self._otherwise: set[str] = set()
        self._selectors: list[str] = []
        """Selectors that give the style, apart from names alone."""
        self._other_selectors: list[str] = []
        for selectors, declarations, is_always in _rules_of(_NOT_RULES.sub(_kept_string, css[:MAX_CHARS])):
            declared = without_spaces(declarations)
            if is_always and style.search(declared) and not other.search(declared):
                for selector in map(str.strip, _split_selectors(selectors)):
                    if found := _SIMPLE.fullmatch(selector):
                        self._styled.add(((found["tag"] or "").lower(), found["name"]))
                    else:
                        self._selectors.append(selector)
            elif other.search(declared):
                self._otherwise.update(_NAME.findall(selectors))
                self._other_selectors += _split_selectors(selectors)

    def __bool__(self) -> bool:
        return bool(self._styled)

    def find_in(self, soup: BeautifulSoup) -> frozenset[int]:
        """Return the identities of the elements to which selectors other than names give the style, and no rule another
        one. A rule for all elements of a tag does not count as another one."""
        if not self._selectors:
            return frozenset()
        elements = soup.find_all(True)
        budget = MAX_MATCHES
        found: dict[int, Tag] = {}
        for pattern in _compiled(self._selectors):
            budget -= len(elements)
            if budget < 0:
                break
            found.update((id(element), element) for element in pattern.select(soup))
        others = list(_compiled(self._other_selectors))
        if len(found) * len(others) > MAX_MATCHES:
            return frozenset()
        return frozenset(key for key, element in found.items() if not any(one.match(element) for one in others))

    def is_other(self, names: Collection[str]) -> bool:
        """True if a rule may give the other style to an element with one of these names, which include their signs."""
        return not self._otherwise.isdisjoint(names)

    def apply_to(self, tag: str, element_id: str, classes: Collection[str]) -> bool:
        """True if an element has the style for certain: one of its names has the style, and none of them has the other
        style in any rule."""
        names = {f".{name}" for name in classes} | {f"#{element_id}"}
        has_style = any((one, name) in self._styled for one in ("", tag) for name in names)
        return has_style and names.isdisjoint(self._otherwise)


def _kept_string(found: re.Match[str]) -> str:
    """Return a string that is the value of an attribute in a selector; a space for other strings and comments."""
    is_value = found.string[: found.start()].rstrip()[-1:] == "=" if found[0][0] in "\"'" else False
    return found[0] if is_value and _BRACE.search(found[0]) is None else " "


def _split_selectors(selectors: str) -> list[str]:
    """Split a list of selectors at its commas, except for those within brackets."""
    parts, depth = [""], 0
    for piece in re.split(r"([(),\[\]])", selectors):
        depth += (piece in ("(", "[")) - (piece in (")", "]"))
        if piece == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _compiled(selectors: Sequence[str]) -> Iterator[SoupSieve]:
    # Imported late, because the server's process reads no pages.
    import soupsieve

    for selector in dict.fromkeys(selectors):
        if len(selector) <= _LONGEST_SELECTOR and _SELECTOR.fullmatch(selector):
            try:
                yield soupsieve.compile(selector)
            except (soupsieve.SelectorSyntaxError, ValueError, NotImplementedError):
                continue


def without_spaces(declarations: str) -> str:
    """Return declarations in lower case, without white space and comments, and with their escapes replaced."""
    if "/*" in declarations:
        declarations = _COMMENT.sub("", declarations)
    if "\\" in declarations:
        declarations = _ESCAPE.sub(_unescaped, declarations)
    return "".join(declarations.split()).lower()


def _unescaped(escape: re.Match[str]) -> str:
    code = int(escape[1], 16) if escape[1] else ord(escape[2])
    return chr(code) if 0 < code <= sys.maxunicode else ""


def _rules_of(css: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the selectors and the declarations of each rule, and True if the rule always applies. A rule within
    another one (`@media`) applies only in some cases, such as printing or small windows."""
    enclosing: list[str] = []
    end = 0
    for brace in _BRACE.finditer(css):
        text_before, end = css[end : brace.start()], brace.end()
        if brace[0] == "{":
            enclosing.append(text_before.rpartition(";")[2].strip())
        elif enclosing:
            selectors = enclosing.pop()
            if not selectors.startswith("@"):
                yield selectors, text_before, all(map(_EVERYWHERE.fullmatch, enclosing))
