"""Finds the main part of a page, without the menus and sidebars that its site repeats on every page."""

import copy
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

_INLINE_NAMES = (
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark meter nobr output "
    "progress q rp rt ruby s samp small span strike strong sub sup time tt u var wbr"
)
_INLINE = frozenset(_INLINE_NAMES.split()) | {"hi", "ref"}
"""Inline elements of HTML, and of the XML that trafilatura makes of it."""
_CELLS = frozenset({"td", "th", "cell"})
_CELL = "\x1f"
_LEAST_RECORDS = 3
_MAX_RECORDS = 1000
_STATE_NAMES = "odd even first last active current selected new hot sticky featured alt row-odd row-even"
_STATES = frozenset(_STATE_NAMES.split())
_BOILERPLATE_TAGS = frozenset({"nav", "footer", "aside", "menu", "dialog", "button", "select", "fieldset"})
_BOILERPLATE_ROLES = frozenset(
    {"navigation", "banner", "contentinfo", "complementary", "search", "dialog", "alertdialog", "menu", "menubar"}
)
_BOILERPLATE_WORDS = (
    "ad ads advert advertisement adsense banner breadcrumb breadcrumbs byline-share consent cookie cookies "
    "footer gdpr masthead menu nav navbar navigation newsletter pager pagination paginator popup promo "
    "recommended related share sharing sidebar skip social sponsor sponsored subscribe topbar toolbar toc "
    "trending widget"
)
_BOILERPLATE_WORD_SET = frozenset(_BOILERPLATE_WORDS.split())
"""Words in a class or id that mark content outside the main part."""
_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_MAX_SHARE = 0.5
"""A menu has at most this share of the text of the main part. A larger element is kept, even if its class names a
menu."""
_HINT_ATTRIBUTES = ("class", "id", "itemprop", "rel", "data-testid", "data-field", "aria-label", "title")
_MAX_LEAVES = 200
_MAX_TEXT = 5000


def text_of(element: HtmlElement) -> str:
    """Return the text with a line per paragraph, heading, list item and table row. Cells are separated by bars;
    preformatted text keeps its lines."""
    text = "".join(_text_runs(element))
    lines = []
    for line in text.split("\n"):
        if _CELL in line:
            cells = [" ".join(cell.split()) for cell in line.split(_CELL)]
            line = " | ".join(cells).strip(" |")
        line = line.rstrip()
        if line.strip():
            lines.append(line)
    return "\n".join(lines)


def _text_runs(root: HtmlElement) -> Iterator[str]:
    """Yield the text in document order. A stack of `(element, is_end)` avoids recursion."""
    stack: list[tuple[HtmlElement, bool]] = [(root, False)]
    pre = 0
    while stack:
        element, is_end = stack.pop()
        tag = element.tag
        is_block = tag not in _INLINE and tag not in _CELLS
        if is_end:
            pre -= _is_verbatim(element)
            if is_block:
                yield "\n"
            if element is not root:
                yield _collapse_spaces(element.tail, pre)
            continue
        pre += _is_verbatim(element)
        if tag in _CELLS:
            yield _CELL
        elif is_block:
            yield "\n"
        yield _collapse_spaces(element.text, pre)
        stack.append((element, True))
        stack.extend((child, False) for child in reversed(element) if isinstance(child.tag, str))


def _is_verbatim(element: HtmlElement) -> bool:
    """True for preformatted text. In HTML, `code` is inside `pre`; in trafilatura's XML, it is alone."""
    return element.tag == "pre" or (element.tag == "code" and "\n" in (element.text or ""))


def _collapse_spaces(text: str | None, pre: int) -> str:
    if not text or pre:
        return text or ""
    return re.sub(r"\s+", " ", text)


def size_of(text: str) -> int:
    """Count the characters that are not white space, as a measure of text in any script."""
    return len("".join(text.split()))


def size_within(element: HtmlElement) -> int:
    return size_of("".join(element.itertext()))


Record = Sequence[HtmlElement]
"""The elements of one post, product or row: one element, or several in sequence."""


@dataclass(frozen=True, slots=True)
class Records:
    parent: HtmlElement
    items: Sequence[Record]
    size: int


def largest_share(region: HtmlElement) -> float:
    """Return the share of the region's text that is in its largest group of records."""
    groups = record_groups(region)
    return groups[0].size / max(1, size_within(region)) if groups else 0.0


def record_groups(region: HtmlElement) -> list[Records]:
    """Return the groups of repeated elements that are not paragraphs, beginning with the group that has the most text.
    Groups may be nested."""
    found = [group for parent in region.iter() if len(parent) >= _LEAST_RECORDS for group in _record_groups_in(parent)]
    return sorted(found, key=lambda group: -group.size)


def _record_groups_in(parent: HtmlElement) -> Iterator[Records]:
    signatures: dict[str, list[int]] = {}
    children = [child for child in parent if isinstance(child.tag, str)]
    for index, child in enumerate(children):
        signatures.setdefault(_signature(child), []).append(index)
    for signature, places in signatures.items():
        if len(places) < _LEAST_RECORDS or not _can_repeat(signature):
            continue
        items = _split_records(children, places)
        rich = [item for item in items if sum(1 for element in item for _ in element.iter()) > 1]
        if len(rich) < _LEAST_RECORDS or 2 * len(rich) < len(items):
            continue
        yield Records(parent, items[:_MAX_RECORDS], sum(size_within(element) for item in items for element in item))
        return  # the first repeated kind begins the records; the other kinds are parts of them


def _split_records(children: Sequence[HtmlElement], places: Sequence[int]) -> list[Record]:
    """Return the elements from each place to the next if the distances are equal, or else single elements."""
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
    """Return the tag and the classes that all records of a kind share, without numbers and states."""
    names = sorted(name.rstrip("0123456789-_") for name in element.get("class", "").split())
    return " ".join([str(element.tag), *[name for name in names if name not in _STATES]])


def main_part(root: HtmlElement) -> HtmlElement:
    """Return a copy of the main part: the `main` element, a sole `article` or the body, without menus, sidebars and
    footers."""
    body = copy.deepcopy(root.find("body"))
    explicit = [element for element in body.iter("main", "div", "section") if _is_main(element)]
    region = max(explicit, key=size_within, default=None)
    if region is None or not size_within(region):
        region = body
        articles = [element for element in body.iter("article") if element.getparent().tag != "article"]
        if len(articles) == 1 and size_within(articles[0]) > size_within(body) / 4:
            region = articles[0]
    _drop_boilerplate(region)
    return region


def has_main(root: HtmlElement) -> bool:
    """True if the page marks its main part."""
    return any(_is_main(element) for element in root.iter("main", "div", "section"))


def _is_main(element: HtmlElement) -> bool:
    return bool(element.tag == "main" or element.get("role", "").lower() == "main")


def _drop_boilerplate(region: HtmlElement) -> None:
    max_size = size_within(region) * _MAX_SHARE
    for element in list(region.iter()):
        if element is region or not isinstance(element.tag, str) or element.getparent() is None:
            continue
        if _is_boilerplate(element, region) and element.find(".//h1") is None and size_within(element) <= max_size:
            element.drop_tree()


def _is_boilerplate(element: HtmlElement, region: HtmlElement) -> bool:
    if element.tag in _BOILERPLATE_TAGS or element.get("role", "").lower() in _BOILERPLATE_ROLES:
        return True
    if element.tag == "header":  # a header of the page and not of an article
        ancestor_tags = {parent.tag for parent in element.iterancestors()}
        is_of_page = region.tag == "body" and element.getparent().tag in {"body", "div"}
        return is_of_page and ancestor_tags.isdisjoint({"article", "main", "section"})
    named = f"{element.get('class', '')} {element.get('id', '')}"
    return bool(named.strip()) and not _BOILERPLATE_WORD_SET.isdisjoint(part.lower() for part in _PARTS.findall(named))


@dataclass(frozen=True, slots=True)
class Leaf:
    text: str
    hints: frozenset[str]
    """Lower-case words of the attributes of the element and of the elements around it in the record, and of the
    column's heading."""
    tag: str
    url: str | None = None
    """Target of the link, or address of the picture."""
    machine: str | None = None
    """Machine-readable value, from the attribute `datetime` or `content`."""
    within: frozenset[str] = frozenset()
    """Tags around the leaf within its record."""


def leaves_of(record: Record, columns: Sequence[str] = ()) -> list[Leaf]:
    """Return the leaves of a record in order: its pieces of text, its pictures and its machine-readable values.
    `columns` are the column headings if the record is a table row."""
    found: list[Leaf] = []
    for element in record:
        cells = [cell for cell in element if cell.tag in {"td", "th"}] if element.tag == "tr" else []
        for index, part in enumerate(cells or [element]):
            head = columns[index] if cells and index < len(columns) else ""
            found += _iter_leaves(part, frozenset(_split_words(head)))
    return found[:_MAX_LEAVES]


def _iter_leaves(root: HtmlElement, above: frozenset[str]) -> Iterator[Leaf]:
    stack: list[tuple[HtmlElement | str, frozenset[str], frozenset[str], str | None]] = [
        (root, above, frozenset(), None)
    ]
    while stack:
        part, hints, ancestor_tags, link = stack.pop()
        if isinstance(part, str):
            yield Leaf(part, hints, "", link, within=ancestor_tags)
            continue
        hints = hints.union(*(_split_words(part.get(name) or "") for name in _HINT_ATTRIBUTES))
        ancestor_tags = ancestor_tags | {part.tag}
        inner = part.get("href") if part.tag == "a" else link
        text = _one_line_text(part.text)
        source = part.get("src") if part.tag == "img" else None
        machine = part.get("datetime") or part.get("content")
        if text or source or machine:
            yield Leaf(text, hints, part.tag, source or inner, machine, ancestor_tags)
        for child in reversed(part):
            tail = _one_line_text(child.tail)
            if tail:
                stack.append((tail, hints, ancestor_tags, inner))
            if isinstance(child.tag, str):
                stack.append((child, hints, ancestor_tags, inner))


def _one_line_text(text: str | None) -> str:
    return " ".join((text or "").split())[:_MAX_TEXT]


def _split_words(text: str) -> list[str]:
    return [part.lower() for part in _PARTS.findall(text)]
