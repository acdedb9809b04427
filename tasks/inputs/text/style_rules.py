"""Finds the classes and ids to which the style sheets within a page give a style (`.note { display: none }`), and the
elements that other selectors name (`[data-note] { display: none }`)."""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
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
_MEDIA = re.compile(r"@media\b(?P<queries>.*)", re.IGNORECASE | re.DOTALL)
_CONTAINER = re.compile(r"@container\s*\(\s*min-width\s*:\s*(?P<size>\d{1,6})px\s*\)", re.IGNORECASE)
_LEAST_CONTAINER: Final = 100
"""Every container is taken to be at least this many pixels wide."""
_EVERYWHERE = re.compile(r"@layer\b.*|@supports\s+(?!not\b).*", re.IGNORECASE | re.DOTALL)
"""Pattern of rules around others that restrict nothing in a browser of today."""
_SCOPE = re.compile(r"@scope\s*\((?P<selectors>[^()]+)\)", re.IGNORECASE)
_SCREEN = re.compile(
    r"(?:only )?(?:all|screen)|\(?(?P<bound>min|max)-(?P<side>width|height):(?P<size>[\d.]+)(?P<unit>px|r?em)\)"
)
_SIZES: Final = {"width": 1280.0, "height": 800.0}
"""Size in pixels of the window for which the queries in `@media` are judged: a usual one on a desk."""
_EM: Final = 16.0
_CUSTOM = re.compile(r"(?<![\w-])(--[\w-]+)\s*:\s*([^;{}\"']{0,200})")
_VARIABLE = re.compile(r"var\(\s*(--[\w-]+)\s*(?:,([^()]{0,200}))?\)", re.IGNORECASE)
_MAX_NESTING: Final = 4
"""Custom properties that refer to others are replaced to this depth, and rules may be nested this deep."""
_SIMPLE = re.compile(r"(?P<tag>[a-z][\w-]*)?(?P<name>[.#][\w-]+)", re.IGNORECASE)
_NAME = re.compile(r"[.#][\w-]+")
_SELECTOR = re.compile(
    r"(?:[\w\s.#>*+~^$|-]|\[[^\]\"']{0,99}(?:(?:\"[^\"]{0,99}\"|'[^']{0,99}')[^\]\"']{0,9})?\]"
    r"|:(?:is|where|not|has)\(|[(),]"
    r"|:(?:root|empty|(?:first|last|only)-(?:child|of-type)|nth-(?:last-)?(?:child|of-type)\([\w\s+-]{1,20}\)))+",
    re.IGNORECASE,
)
"""Pattern of selectors that are compared with elements: names, attributes, tags, places, and what combines these. Other
selectors depend on what a user does."""
_NAMED = re.compile(r"[.#\[:]")
_AROUND = re.compile(r"[\w\])*]\s+(?=[\w.#\[:*])")
"""Pattern of the blank between an element and one within it."""
_OF_SIBLINGS, _OF_DESCENDANTS = re.compile(r"~|\+|-child|-of-type"), re.compile(r":has\(", re.IGNORECASE)
"""Patterns of selectors for which an element's siblings, or all elements within it, are looked at."""
_LONGEST_SELECTOR = 300
_LONGEST_NESTED: Final = 20_000
"""The selectors of a nested rule with those around it have at most about this many characters."""
_MOST_TRIED: Final = 100_000
"""A selector is compared with an element in at most this many ways: `.a b i` has as many as an element has pairs of
others around it."""
_SECONDS: Final = 2.0
"""Selectors are compared with the elements of a page for at most this long, for each style."""
_MOST_BLANKS: Final = 20
"""The `=` before the value of an attribute is searched for in this many characters."""
_MOST_AROUND: Final = 12
"""Rules with more others around them than this are not read."""
MAX_MATCHES = 500_000
"""Selectors and elements are compared at most this many times for each style, which takes two seconds."""


Judge = Callable[[str], object]


class StyledNames:
    """The classes and ids to which a page's style sheets always give one style, and those to which a rule gives another
    style. Names include their signs: `.note`, `#total`."""

    def __init__(self, css: str, style: Judge, other: Judge) -> None:
        """`style` and `other` are true for declarations, without white space and in lower case, of these styles."""
        self._styled: set[tuple[str, str]] = set()
        """Pairs of tag and name. The tag is empty if the rule applies to any element."""
        self._otherwise: set[str] = set()
        self._selectors: list[str] = []
        """Selectors that give the style, apart from names alone."""
        self._other_selectors: list[str] = []
        others: dict[str, bool] = {}
        """Selectors of the rules that give another style, with True for those that no other rule overrides."""
        for selectors, declarations, is_always in _rules_of(_NOT_RULES.sub(_kept_string, css[:MAX_CHARS])):
            declared = without_spaces(declarations)
            if is_always and style(declared) and not other(declared):
                for selector in _stripped(selectors):
                    if not others.get(selector, True):
                        del others[selector]  # of two rules with one selector, the later one counts
                    if found := _SIMPLE.fullmatch(selector):
                        self._styled.add(((found["tag"] or "").lower(), found["name"]))
                    else:
                        self._selectors.append(selector)
            elif other(declared):
                others.update((selector, "!important" in declared) for selector in _stripped(selectors))
        self._otherwise.update(name for selector in others for name in _NAME.findall(selector))
        self._other_selectors += others

    def __bool__(self) -> bool:
        return bool(self._styled)

    def find_in(self, soup: BeautifulSoup) -> frozenset[int]:
        """Return the identities of the elements to which selectors other than names give the style, and no rule another
        one. A rule for all elements of a tag counts as another one only beside such a rule."""
        if not self._selectors:
            return frozenset()
        costs = _Costs(soup)
        budget = MAX_MATCHES
        deadline = time.thread_time() + _SECONDS
        found: dict[int, tuple[Tag, bool]] = {}
        for pattern in filter(costs.are_bounded, _compiled(self._selectors)):
            budget -= costs.of(pattern.pattern)
            if budget < 0:
                break
            is_named = _NAMED.search(pattern.pattern) is not None
            for element in costs.elements:
                if time.thread_time() > deadline:
                    return frozenset()
                if pattern.match(element):
                    found[id(element)] = element, is_named or found.get(id(element), (element, False))[1]
        others = list(filter(costs.are_bounded, _compiled(self._other_selectors)))
        if len(found) * sum(map(costs.each, (one.pattern for one in others))) > MAX_MATCHES:
            return frozenset()
        named = [one for one in others if _NAMED.search(one.pattern)]
        sure: set[int] = set()
        for key, (element, is_named) in found.items():
            if time.thread_time() > deadline:
                return frozenset()
            if not any(one.match(element) for one in (named if is_named else others)):
                sure.add(key)
        return frozenset(sure)

    def is_other(self, names: Collection[str]) -> bool:
        """True if a rule may give the other style to an element with one of these names, which include their signs."""
        return not self._otherwise.isdisjoint(names)

    def apply_to(self, tag: str, element_id: str, classes: Collection[str]) -> bool:
        """True if an element has the style for certain: one of its names has the style, and none of them has the other
        style in any rule."""
        names = {f".{name}" for name in classes} | {f"#{element_id}"}
        has_style = any((one, name) in self._styled for one in ("", tag) for name in names)
        return has_style and names.isdisjoint(self._otherwise)


class _Costs:
    """Numbers of elements that are looked at when a selector is compared with all elements of a page."""

    def __init__(self, soup: BeautifulSoup) -> None:
        self.elements: list[Tag] = soup.find_all(True)
        children: Counter[int] = Counter()
        depths: dict[int, int] = {}
        for element in self.elements:
            children[id(element.parent)] += 1
            depths[id(element)] = depths.get(id(element.parent), 0) + 1
        self._elements = children.total()
        self._siblings = sum(count * count for count in children.values())
        self._descendants = sum(depths.values())
        self._deepest, self._most_children = (max(one.values(), default=0) for one in (depths, children))

    def are_bounded(self, pattern: SoupSieve) -> bool:
        """True if a selector is compared with an element in at most _MOST_TRIED ways."""
        ways = self._deepest ** len(_AROUND.findall(pattern.pattern)) if self._deepest > 1 else 1
        siblings = pattern.pattern.count("~") - pattern.pattern.count("~=")
        return bool(ways * max(1, self._most_children) ** siblings <= _MOST_TRIED)

    def of(self, selector: str) -> int:
        cost = self._elements
        cost += self._siblings if _OF_SIBLINGS.search(selector) else 0
        return cost + (self._descendants if _OF_DESCENDANTS.search(selector) else 0)

    def each(self, selector: str) -> int:
        """Return the mean number for one element."""
        return -(-self.of(selector) // max(1, self._elements))


class CustomProperties:
    """The custom properties of a page (`--hide: none`) that have the same value everywhere."""

    def __init__(self, css: str) -> None:
        """`css` has the page's style sheets, and the declarations of elements."""
        values: dict[str, set[str]] = {}
        for name, value in _CUSTOM.findall(css[:MAX_CHARS]):
            values.setdefault(name, set()).add(value.strip())
        self._values = {name: next(iter(found)) for name, found in values.items() if len(found) == 1}
        self._ambiguous = values.keys() - self._values.keys()
        self._left = 2 * MAX_CHARS
        """Number of characters that may still be written, for all rules and declarations of the page."""

    def replace_in(self, css: str) -> str:
        """Return rules or declarations with the values of properties (`var(--hide)`), or the default ones."""
        for _ in range(_MAX_NESTING):
            if self._left < len(css):
                break
            replaced = _VARIABLE.sub(self._value_of, css)
            self._left -= len(replaced)
            if replaced == css:
                break
            css = replaced
        return css

    def _value_of(self, variable: re.Match[str]) -> str:
        if variable[1] in self._ambiguous:
            return variable[0]
        value = self._values.get(variable[1], variable[2])
        return value or ""


def _kept_string(found: re.Match[str]) -> str:
    """Return a string that is the value of an attribute in a selector; a space for other strings and comments."""
    before = found.string[max(0, found.start() - _MOST_BLANKS) : found.start()].rstrip()
    is_value = found[0][0] in "\"'" and before.endswith("=")
    return found[0] if is_value and _BRACE.search(found[0]) is None else " "


def _stripped(selectors: str) -> list[str]:
    return [selector.strip() for selector in _split_selectors(selectors)]


def _split_selectors(selectors: str) -> list[str]:
    """Split a list of selectors at its commas, except for those within brackets."""
    parts: list[list[str]] = [[]]
    depth = 0
    for piece in re.split(r"([(),\[\]])", selectors):
        depth += (piece in ("(", "[")) - (piece in (")", "]"))
        if piece == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(piece)
    return ["".join(part) for part in parts]


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


def _letter_of(escape: re.Match[str]) -> str:
    """Return the letter or figure for an escape in a selector. Other signs stay escaped, as in `.w-1\\.5`."""
    sign = _unescaped(escape)
    return sign if sign.isalnum() or sign in ("-", "_") else escape[0]


def _unescaped(escape: re.Match[str]) -> str:
    code = int(escape[1], 16) if escape[1] else ord(escape[2])
    return chr(code) if 0 < code <= sys.maxunicode else ""


def _rules_of(css: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the selectors and the declarations of each rule, and True if the rule applies on a screen. The selectors of
    a rule within another one name elements within those of the other, or refer to them (`&`)."""
    enclosing: list[tuple[str, list[str]]] = []
    end = 0
    for brace in _BRACE.finditer(css):
        text_before, end = css[end : brace.start()], brace.end()
        if brace[0] == "{":
            declarations, _, selectors = text_before.rpartition(";")
            if enclosing:
                enclosing[-1][1].append(declarations)
            enclosing.append((selectors.strip(), []))
        elif enclosing:
            selectors, parts = enclosing.pop()
            if "\\" in selectors:
                selectors = _ESCAPE.sub(_letter_of, selectors)
            if len(enclosing) > _MOST_AROUND:
                continue
            outer = [one for one, _ in enclosing]
            declared = ";".join([*parts, text_before])
            if selectors.startswith("@"):
                # The declarations of `@media` within a rule are those of the rule.
                outer, selectors = [*outer, selectors], "&"
                if not declared.strip(" \t\r\n;") or all(map(_is_condition, outer)):
                    continue
            if named := _within(outer, selectors):
                yield named, declared, all(map(_applies, filter(_is_condition, outer)))


def _is_condition(enclosing: str) -> bool:
    return enclosing.startswith("@") and not _SCOPE.fullmatch(enclosing)


def _within(outer: Sequence[str], selectors: str) -> str:
    """Return the selectors of a rule together with those of the rules around it; "" if these are too
    many or too long."""
    around = [
        scope["selectors"] if (scope := _SCOPE.fullmatch(one)) else one for one in outer if not _is_condition(one)
    ]
    if len(around) > _MAX_NESTING or sum(map(len, around)) > _LONGEST_SELECTOR:
        return ""
    for one in reversed(around):
        if len(selectors) + selectors.count("&") * len(one) > _LONGEST_NESTED:
            return ""
        parts = _stripped(selectors)
        parent = f":is({one})" if "," in one else one
        selectors = ", ".join(part.replace("&", parent) if "&" in part else f"{parent} {part}" for part in parts)
    return selectors


def _applies(condition: str) -> bool:
    """True if a rule such as `@media` or `@supports` applies on the screen of a desk."""
    if media := _MEDIA.fullmatch(condition):
        return any(map(_is_met, media["queries"].split(",")))
    if container := _CONTAINER.fullmatch(condition):
        return float(container["size"]) <= _LEAST_CONTAINER
    return _EVERYWHERE.fullmatch(condition) is not None


def _is_met(query: str) -> bool:
    parts = [" ".join(part.split()).replace(": ", ":") for part in re.split(r"\band\b", query.lower())]
    return all(map(_is_part_met, parts))


def _is_part_met(part: str) -> bool:
    found = _SCREEN.fullmatch(part)
    if found is None or found["bound"] is None:
        return found is not None
    try:
        size = float(found["size"]) * (1.0 if found["unit"] == "px" else _EM)
    except ValueError:
        return False
    own = _SIZES[found["side"]]
    return size <= own if found["bound"] == "min" else own <= size
