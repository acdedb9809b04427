"""Blocks that repeat: the posts of a forum, the products of a shop, the rows of a table."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from tasks.scrape.blocks import size_within

_LEAST = 3
_MAX_RECORDS = 1000
_TABLE_PARTS = frozenset({"tbody", "thead", "tfoot"})

Record = Sequence[HtmlElement]
"""The elements of one post, product or row: one, or several that follow each other."""


@dataclass(frozen=True, slots=True)
class Records:
    parent: HtmlElement
    items: Sequence[Record]
    size: int


def largest_share(region: HtmlElement) -> float:
    """Of the text of `region`, what stands in its largest group of records."""
    groups = record_groups(region)
    return groups[0].size / max(1, size_within(region)) if groups else 0.0


def record_groups(region: HtmlElement) -> list[Records]:
    """The groups of `region` that are not paragraphs, those with the most text first. Groups may lie within others."""
    found = [group for parent in region.iter() if len(parent) >= _LEAST for group in _groups_in(parent)]
    return sorted(found, key=lambda group: -group.size)


def _groups_in(parent: HtmlElement) -> Iterator[Records]:
    signatures: dict[str, list[int]] = {}
    children = [child for child in parent if isinstance(child.tag, str)]
    for place, child in enumerate(children):
        signatures.setdefault(_signature(child), []).append(place)
    for signature, places in signatures.items():
        if len(places) < _LEAST or not _can_repeat(signature):
            continue
        items = _items(children, places)
        rich = [item for item in items if sum(1 for element in item for _ in element.iter()) > 1]
        if len(rich) < _LEAST or 2 * len(rich) < len(items):
            continue
        yield Records(parent, items[:_MAX_RECORDS], sum(size_within(element) for item in items for element in item))
        return  # the first kind that repeats begins the records; the others are parts of them


def _items(children: Sequence[HtmlElement], places: Sequence[int]) -> list[Record]:
    """From each place to the next, where what lies between is as regular; else the elements alone."""
    spans = {following - place for place, following in itertools.pairwise(places)}
    if len(spans) == 1 and (step := spans.pop()) > 1:
        return [children[place : place + step] for place in places]
    return [[children[place]] for place in places]


def _can_repeat(signature: str) -> bool:
    tag = signature.partition(" ")[0]
    return tag not in {"p", "br", "hr", "option", "script", "a", "span", "td", "th", "img", "pre", "code"} and not (
        len(tag) == 2 and tag[0] == "h" and tag[1].isdigit()
    )


def _signature(element: HtmlElement) -> str:
    """Tag and the classes that all records of a kind share: numbers and states in them differ."""
    names = sorted(name.rstrip("0123456789-_") for name in element.get("class", "").split())
    return " ".join([str(element.tag), *[name for name in names if name not in _STATES]])


_STATE_NAMES = "odd even first last active current selected new hot sticky featured alt row-odd row-even"
_STATES = frozenset(_STATE_NAMES.split())
