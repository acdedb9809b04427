"""Finds figures that stand side by side in a page's markup, but perhaps apart as its styles draw them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

_END_OF_NUMBER = re.compile(r".?\d|\d[.,']", re.DOTALL)
_START_OF_NUMBER = re.compile(r"[.,']?\d")
_BETWEEN_NAMES = "button canvas embed iframe img input math meter object progress select sub svg textarea video audio"
_BETWEEN = frozenset(_BETWEEN_NAMES.split())
"""Elements that are drawn between the texts around them, or beside their line."""
_DEEPEST = 120
"""Texts with more elements between them are not compared."""


def joined_numbers(soup: BeautifulSoup, boxed: Set[int], hidden: Set[int]) -> list[NavigableString]:
    """Return the texts that may belong to one number, or not, by the styles of the elements between them. `boxed` are
    the identities of the elements with a place of their own, `hidden` of those whose texts a reader may not see."""
    found: list[NavigableString] = []
    before: NavigableString | None = None
    is_apart = False
    for node in soup.descendants:
        if isinstance(node, Tag):
            is_apart |= node.name in _BETWEEN
            before = None if node.name == "br" else before
        elif isinstance(node, NavigableString) and not isinstance(node, PreformattedString) and node:
            if id(node.parent) in hidden:
                is_apart = True
                continue
            if before is not None and node in (".", ",", "'"):
                is_apart |= _is_divided(before, node, boxed)
                continue
            if before is not None and _may_join(before, node) and (is_apart or _is_divided(before, node, boxed)):
                found += [before, node]
            before, is_apart = node, False
    return found


def _may_join(before: str, after: str) -> bool:
    return _END_OF_NUMBER.fullmatch(before[-2:]) is not None and _START_OF_NUMBER.match(after) is not None


def _is_divided(before: NavigableString, after: NavigableString, boxed: Set[int]) -> bool:
    """True if one of the elements that end or begin between two texts is in `boxed`, or stands above the line."""
    inner, outer = [*_around(before)], [*_around(after)]
    if max(len(inner), len(outer)) > _DEEPEST:
        return True
    common = {id(one) for one in inner} & {id(one) for one in outer}
    return any(id(one) in boxed or one.name in _BETWEEN for one in (*inner, *outer) if id(one) not in common)


def _around(text: NavigableString) -> Iterator[Tag]:
    """Yield the innermost elements around a text, one more than are compared at most."""
    tag = text.parent
    for _ in range(_DEEPEST + 1):
        if tag is None:
            return
        yield tag
        tag = tag.parent
