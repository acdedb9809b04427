"""Represents the elements of a page as selectors need them: with their neighbours and their places among these."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from bs4 import BeautifulSoup
    from lxml.html import HtmlElement

_BLANK: Final = re.compile(r"[ \t\n\f\r]+")
"""Pattern of what divides the names of classes. Other blanks are parts of names."""


def divided(names: str) -> frozenset[str]:
    """Return the names in an attribute that browsers divide at blanks."""
    return frozenset(_BLANK.split(names)) - {""}


@dataclass(slots=True, eq=False)
class Element:
    source: Any
    """The element in the parser's tree, which this object keeps alive."""
    tag: str
    parent: Element | None
    attributes: dict[str, str]
    element_id: str
    classes: frozenset[str]
    text: str
    """The text in the element itself, without that of the elements within it."""
    children: list[Element] = field(default_factory=list)
    index: int = 0
    """Number of elements before this one in its parent."""
    type_index: int = 0
    """Number of elements of the same tag before this one in its parent."""
    types: Counter[str] = field(default_factory=Counter)
    """Numbers of the children by their tags."""

    is_inert: bool = False
    """True within an element whose content takes no part in the page."""
    length: int = 0
    """Number of characters of text in the element and those within it."""

    @property
    def is_empty(self) -> bool:
        return not (self.text or self.children)

    @property
    def siblings(self) -> list[Element]:
        """The elements in the parent of this one, which is one of them."""
        return self.parent.children if self.parent is not None else [self]

    def ancestors(self) -> Iterator[Element]:
        """Yield the elements around this one, the nearest first."""
        parent = self.parent
        while parent is not None:
            yield parent
            parent = parent.parent

    def descendants(self) -> Iterator[Element]:
        left = [*self.children]
        while left:
            one = left.pop()
            yield one
            left += one.children


class PageTree(NamedTuple):
    """The elements of a page."""

    elements: Sequence[Element]
    """All elements, each after the one around it, in the order of the page."""
    ignores_case: bool
    """True on a page without a document type, on which letters of ids and classes count as small ones ("quirks
    mode")."""

    @classmethod
    def of_soup(cls, soup: BeautifulSoup) -> PageTree:
        # Imported late, because the server's process reads no pages.
        from bs4 import Comment, Doctype, Tag

        ignores_case = not any(isinstance(one, Doctype) for one in soup.contents)
        tags = (
            (
                tag,
                tag.parent,
                tag.name,
                tag.attrs,
                "".join([str(one) for one in tag.contents if not isinstance(one, (Comment, Tag))]),
            )
            for tag in soup.find_all(True)
        )
        return cls(_linked(tags, ignores_case), ignores_case)

    @classmethod
    def of_lxml(cls, root: HtmlElement) -> PageTree:
        ignores_case = not root.getroottree().docinfo.doctype
        tags = (
            (
                one,
                one.getparent(),
                one.tag,
                one.attrib,
                "".join([one.text or "", *(child.tail or "" for child in one)]),
            )
            for one in root.iter()
            if isinstance(one.tag, str)
        )
        return cls(_linked(tags, ignores_case), ignores_case)


def _linked(tags: Iterable[tuple[Any, Any, str, Mapping[str, Any], str]], ignores_case: bool) -> list[Element]:
    found: dict[int, Element] = {}
    for source, around, name, attrs, text in tags:
        attributes = {
            str(key).lower(): " ".join(value) if isinstance(value, list) else str(value) for key, value in attrs.items()
        }
        element_id, classes = attributes.get("id", ""), attributes.get("class", "")
        if ignores_case:
            element_id, classes = element_id.lower(), classes.lower()
        parent = found.get(id(around))
        element = Element(source, name.lower(), parent, attributes, element_id, divided(classes), text)
        element.is_inert = element.tag in ("noscript", "template") or (parent is not None and parent.is_inert)
        if parent is not None:
            element.index = len(parent.children)
            element.type_index = parent.types[element.tag]
            parent.types[element.tag] += 1
            parent.children.append(element)
        found[id(source)] = element
    elements = [*found.values()]
    for one in reversed(elements):
        one.length += len(one.text.strip())
        if one.parent is not None:
            one.parent.length += one.length
    return elements
