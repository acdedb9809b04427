"""Reads from the style sheets within a page which elements are hidden: `.note { display: none }`.

Only rules for a class, an id or a tag are known, with those that show the same element again (`.tab.active`). Rules for
a medium or a width, and rules about what is around an element, are left out: what they hide is somewhere shown.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from bs4 import BeautifulSoup, Tag

MAX_CHARS: Final = 500_000
"""At most this many characters of a page's style sheets are read."""
MAX_RULES: Final = 2_000
"""At most this many rules that hide or show elements are compared with the elements."""
MAX_CLASSES: Final = 50
"""At most this many classes of an element are compared."""

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_BRACES = re.compile(r"[{}]")
_SELECTOR = re.compile(r"(?P<tag>[a-z][\w-]{0,40})?(?P<names>(?:[.#][\w-]{1,100}){0,4})", re.IGNORECASE)
_NAME = re.compile(r"[.#][\w-]+")
_DECLARED = re.compile(
    r"(?:^|;)\s*(?P<property>display|visibility|text-decoration(?:-line)?)\s*:\s*(?P<value>[^;!]{1,60})", re.IGNORECASE
)
_HIDING: Final = {"display": "none", "visibility": "hidden"}


class _Rule(NamedTuple):
    tag: str
    names: frozenset[str]
    """Classes and ids, with their signs."""
    declared: dict[str, str]
    weight: tuple[int, int, int, int]
    """The numbers of ids, classes and tags, and the rule's place in the page: of two rules, the larger counts."""


class StyleRules:
    """The rules in the style sheets of a page that hide, show or strike through elements."""

    def __init__(self, soup: BeautifulSoup) -> None:
        self._rules_by_key: dict[str, list[_Rule]] = {}
        for rule in _rules_of(soup):
            key = min(rule.names, default=rule.tag)
            self._rules_by_key.setdefault(key, []).append(rule)

    def is_hidden(self, tag: Tag) -> bool:
        """True if the style of an element hides it. What hides an element around it is not considered."""
        declared = self._declared(tag)
        return any(declared.get(one) == value for one, value in _HIDING.items())

    def is_struck(self, tag: Tag) -> bool:
        """True if the style of an element strikes its text through."""
        return "line-through" in self._declared(tag).get("text-decoration", "")

    def _declared(self, tag: Tag) -> dict[str, str]:
        own = _declarations(str(tag.attrs.get("style") or ""))
        if not self._rules_by_key:
            return own
        classes: str | list[str] = tag.get("class") or []
        names = {f".{name}" for name in (classes.split() if isinstance(classes, str) else classes)[:MAX_CLASSES]}
        names |= {f"#{tag.attrs['id']}"} if tag.attrs.get("id") else set()
        keys = (*names, tag.name)
        matching = [
            rule
            for key in keys
            for rule in self._rules_by_key.get(key, ())
            if rule.names <= names and rule.tag in ("", tag.name)
        ]
        declared: dict[str, str] = {}
        for rule in sorted(matching, key=lambda rule: rule.weight):
            declared |= rule.declared
        return declared | own


def _rules_of(soup: BeautifulSoup) -> Iterator[_Rule]:
    left, count = MAX_CHARS, 0
    for sheet in soup.find_all("style"):
        if str(sheet.get("media") or "all").strip().casefold() not in ("all", "screen"):
            continue
        text = _COMMENT.sub(" ", sheet.get_text()[:left])
        left -= len(text)
        for selectors, body in _blocks_of(text):
            declared = _declarations(body)
            for selector in selectors.split(",") if declared else ():
                found = _SELECTOR.fullmatch(selector.strip())
                if found is None or not found[0]:
                    continue
                if count == MAX_RULES:
                    return
                names = frozenset(_NAME.findall(found["names"]))
                ids = sum(name.startswith("#") for name in names)
                tag = (found["tag"] or "").casefold()
                yield _Rule(tag, names, declared, (ids, len(names) - ids, int(bool(tag)), count))
                count += 1


def _blocks_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield the selectors and the declarations of each rule that is in no other block, such as that of a medium."""
    depth, start, selectors = 0, 0, ""
    for brace in _BRACES.finditer(text):
        if brace[0] == "{":
            if depth == 0:
                selectors = text[start : brace.start()].rpartition(";")[2]
                start = brace.end()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                if "@" not in selectors:
                    yield selectors, text[start : brace.start()]
                start = brace.end()


def _declarations(text: str) -> dict[str, str]:
    return {
        found["property"].casefold().removesuffix("-line"): found["value"].strip().casefold()
        for found in _DECLARED.finditer(text)
    }
