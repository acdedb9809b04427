"""The pieces that a record is made of, each with all that tells what it is."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from tasks.scrape.records import Record

_HINTED = ("class", "id", "itemprop", "rel", "data-testid", "data-field", "aria-label", "title")
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MAX_LEAVES = 200
_MAX_TEXT = 5000


@dataclass(frozen=True, slots=True)
class Leaf:
    text: str
    hints: frozenset[str]
    """Words of its own and its nearest parents' attributes, and of the head of its column, lower case."""
    tag: str
    url: str | None = None
    """Where it leads, or the address of the picture that it is."""
    machine: str | None = None
    """What it says to machines: `datetime`, `content`, `value`."""
    within: frozenset[str] = frozenset()
    """The tags around it, in the record."""


def leaves_of(record: Record, columns: Sequence[str] = ()) -> list[Leaf]:
    """In order. `columns` are the heads of the columns where the record is a row of a table."""
    found: list[Leaf] = []
    for element in record:
        cells = [cell for cell in element if cell.tag in {"td", "th"}] if element.tag == "tr" else []
        for place, part in enumerate(cells or [element]):
            head = columns[place] if cells and place < len(columns) else ""
            found += _leaves(part, frozenset(_words(head)))
    return found[:_MAX_LEAVES]


def _leaves(root: HtmlElement, above: frozenset[str]) -> Iterator[Leaf]:
    stack: list[tuple[HtmlElement | str, frozenset[str], frozenset[str], str | None]] = [
        (root, above, frozenset(), None)
    ]
    while stack:
        part, hints, within, link = stack.pop()
        if isinstance(part, str):
            yield Leaf(part, hints, "", link, within=within)
            continue
        hints, within = hints | _hints(part), within | {part.tag}
        inner = part.get("href") if part.tag == "a" else link
        text = _text(part.text)
        source = part.get("src") if part.tag == "img" else None
        machine = part.get("datetime") or part.get("content")
        if text or source or machine:
            yield Leaf(text, hints, part.tag, source or inner, machine, within)
        for child in reversed(part):
            tail = _text(child.tail)
            if tail:
                stack.append((tail, hints, within, inner))
            if isinstance(child.tag, str):
                stack.append((child, hints, within, inner))


def _text(text: str | None) -> str:
    return " ".join((text or "").split())[:_MAX_TEXT]


def _hints(element: HtmlElement) -> frozenset[str]:
    return frozenset(word for name in _HINTED for word in _words(element.get(name) or ""))


def _words(text: str) -> list[str]:
    return [part.lower() for part in _PARTS.findall(text)]
