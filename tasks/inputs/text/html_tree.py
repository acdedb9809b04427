"""Parses HTML into the tree that browsers build from it (HTML, 13.2.6).

libxml2 follows no standard: it lets `<p/>` close the element, ends unclosed formatting with its paragraph, and leaves
`main` in the head of a page that opens no `body`. A page could hide a text from browsers in this way, or from openfaze.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import Enum, auto
from typing import NamedTuple

from lxml import html as lxml_html
from lxml.html import HtmlElement
from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from tasks.inputs.text.xml_characters import markup_without_forbidden, without_forbidden

_DEEPEST = 512
"""At most this many elements are open at once, as in Chromium. The standard's algorithm searches through them at most
tags, and would take quadratic time."""
_MOST_REOPENED = 500_000
"""Number of tags times number of open formatting elements, at most: the standard's algorithm may open all of them again
at each tag."""
_NEVER_OPEN_NAMES = (
    "area base br col embed hr img input link meta param source track wbr "
    "html head body p li dt dd option thead tbody tfoot tr td th colgroup caption"
)
_NEVER_OPEN = frozenset(_NEVER_OPEN_NAMES.split())
"""Elements that have no end, or whose end tags are often left out because the next one's start ends them."""
_LISTS = frozenset(("dir", "dl", "menu", "ol", "ul"))
_ITEMS = {"li": "li", "dt": "dd", "dd": "dd"}
"""Elements that the start of another one with the same value ends, unless a list begins between them."""
_FORMATTING_NAMES = "a b big code em font i nobr s small strike strong tt u"
_FORMATTING = frozenset(_FORMATTING_NAMES.split())
_TAG = re.compile(
    r"<!--(?:.*?-->|.*)|<(script|style)\b(?:.*?</\1|.*)|<(?P<end>/?)(?P<name>[a-z][^\s/>]*)", re.IGNORECASE | re.DOTALL
)
"""Matches a tag, a comment, or a script or style sheet."""
_MOST_ATTRIBUTES = 500
"""An element has at most this many attributes, each of which the parser compares with all the others."""
_ATTRIBUTE = r"""(?:[\s/]*+(?:=[^\s/>=]*+|[^\s/>=]++)(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+)"""
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_MANY_ATTRIBUTES = re.compile(rf"<[a-zA-Z][^\s/>]*+{_ATTRIBUTE}{{{_MOST_ATTRIBUTES + 1}}}")
_OUTERMOST = re.compile(rf"<(?:html|body)(?=[\s/])({_ATTRIBUTE}*+)", re.IGNORECASE)
"""Matches a tag whose attributes the parser adds to those of the page's one element of this name."""
_BEFORE_DOCTYPE = r"(?:\ufeff|\s|<\?[^>]*>|<!--(?!-?>)(?:(?!--!?>).)*+-->)*+"
_STANDARD_DOCTYPE = re.compile(
    rf"{_BEFORE_DOCTYPE}<!doctype\s+html(?:\s+SYSTEM\s*\"about:legacy-compat\"|\s+PUBLIC\s*\"\""
    r"|\s+PUBLIC\s*\"-//W3C//DTD "
    r"(?:(?:XHTML 1\.[01](?: Strict| Transitional| Frameset)?|HTML 4\.01)//EN\"(?:\s*\"https?://www\.w3\.org/[^\">]*\")?"
    r"|HTML 4\.01 (?:Transitional|Frameset)//EN\"\s*\"https?://www\.w3\.org/[^\">]*\"))?\s*>",
    re.IGNORECASE | re.DOTALL,
)
_OLD_DOCTYPE = re.compile(
    rf"{_BEFORE_DOCTYPE}<!doctype\s+html\s+PUBLIC\s*\"-//W3C//DTD HTML "
    r"(?:4\.0 (?:Transitional|Frameset)//EN\"\s*(?:\"[^\">]*\")?"
    r"|4\.01 (?:Transitional|Frameset)//EN\"|3\.2(?: Final)?//EN\")\s*>",
    re.IGNORECASE | re.DOTALL,
)
"""Pattern of a document type with which browsers draw a page as without one."""
_NO_NAME = re.compile(r"[\s&<>/\"'{}]")


class TreeEventKind(Enum):
    START = auto()
    END = auto()
    TEXT = auto()
    COMMENT = auto()
    DOCTYPE = auto()


class TreeEvent(NamedTuple):
    kind: TreeEventKind
    text: str
    """The name of an element, or a text."""
    attributes: Mapping[str, str] = {}


def lxml_tree_of(html: str) -> HtmlElement:
    """Parse HTML into the `html` element, which always has `head` and `body`, without comments."""
    html = markup_without_forbidden(html.encode(errors="replace").decode())
    parser = lxml_html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    if is_affordable(html):
        return _lxml_tree(html, parser)
    root = lxml_html.document_fromstring(html.encode(), parser=parser)
    for position, part in enumerate(("head", "body")):
        if root.find(part) is None:
            root.insert(position, root.makeelement(part))
    return root


def _lxml_tree(html: str, parser: lxml_html.HTMLParser) -> HtmlElement:
    root: HtmlElement | None = None
    prolog = b""
    around: list[HtmlElement] = []
    for event in tree_events(html):
        match event.kind:
            case TreeEventKind.DOCTYPE:
                prolog = b"<!doctype html>"
            case TreeEventKind.START if root is None:
                root = lxml_html.document_fromstring(prolog + b"<html></html>", parser=parser)
                root.clear()
                around.append(root)
                _set_attributes(root, event.attributes)
            case TreeEventKind.START:
                name = "span" if _NO_NAME.search(event.text) else event.text
                element = parser.makeelement(name)
                _set_attributes(element, event.attributes)
                around[-1].append(element)
                around.append(element)
            case TreeEventKind.END:
                around.pop()
            case TreeEventKind.TEXT:
                text = without_forbidden(event.text)
                if len(around[-1]):
                    around[-1][-1].tail = (around[-1][-1].tail or "") + text
                else:
                    around[-1].text = (around[-1].text or "") + text
    assert root is not None  # The standard tree always has it.
    return root


def _set_attributes(element: HtmlElement, attributes: Mapping[str, str]) -> None:
    for name, value in attributes.items():
        if not _NO_NAME.search(name):
            element.set(without_forbidden(name), without_forbidden(value))


def tree_events(html: str) -> Iterator[TreeEvent]:
    """Yield the parts of the standard tree in the order of the page. As in a browser that runs scripts, the content of
    `noscript` is a text. A document type of old pages counts as none."""
    # With its events, the parser searches a list again for its selected option at each option.
    parser = LexborHTMLParser(html, options=LexborDocumentOptions.WO_EVENTS, scripting=True)
    root = parser.root
    assert root is not None
    assert root.parent is not None
    open_names: list[str] = []
    node = root.parent.first_child
    while node is not None:
        name = node.tag
        inner = None
        if node.is_element_node and name is not None:
            name = name.lower()
            yield TreeEvent(
                TreeEventKind.START, name, {key.lower(): value or "" for key, value in node.attributes.items()}
            )
            inner = node.first_child
            if inner is not None:
                open_names.append(name)
            else:
                yield TreeEvent(TreeEventKind.END, name)
        elif node.is_text_node:
            yield TreeEvent(TreeEventKind.TEXT, node.text_content or "")
        elif node.is_comment_node:
            yield TreeEvent(TreeEventKind.COMMENT, node.comment_content or "")
        elif name == "-doctype" and not _OLD_DOCTYPE.match(html):
            yield TreeEvent(TreeEventKind.DOCTYPE, "html")
        while inner is None and node is not None and node.next is None and open_names:
            yield TreeEvent(TreeEventKind.END, open_names.pop())
            node = node.parent
        node = inner or (node.next if node is not None else None)


def has_standard_doctype(html: str) -> bool:
    """True if a page certainly has a document type with which letters of classes count as they are."""
    return _STANDARD_DOCTYPE.match(html) is not None


def is_affordable(html: str) -> bool:
    """True if the standard tree can be built in linear time, as far as the tags show: they are not nested deeply."""
    open_tags: Counter[str] = Counter()
    open_items: list[str] = []
    """Kinds of the open items, and "" for each open list, from the outermost to the innermost."""
    depth = deepest = formatting = most_formatting = tags = 0
    for tag in _TAG.finditer(html):
        name = (tag["name"] or "").lower()
        tags += 1
        if name in _ITEMS and not tag["end"]:
            kind = _ITEMS[name]
            around = open_items[-1] if open_items else ""
            depth += bool(around) and around != kind
            if around != kind:
                open_items.append(kind)
        elif name in _ITEMS and open_items and open_items[-1] == _ITEMS[name]:
            open_items.pop()
        if not name or name in _NEVER_OPEN or (tag["end"] and not open_tags[name]):
            deepest = max(deepest, depth)
            continue
        if name in _LISTS and not tag["end"]:
            open_items.append("")
        elif name in _LISTS:
            while open_items and open_items.pop():
                pass
        change = -1 if tag["end"] else 1
        open_tags[name] += change
        depth += change
        formatting += change * (name in _FORMATTING)
        deepest, most_formatting = max(deepest, depth), max(most_formatting, formatting)
    if _MANY_ATTRIBUTES.search(html) or _attributes_of_outermost(html) > _MOST_ATTRIBUTES:
        return False
    return deepest <= _DEEPEST and most_formatting * tags <= _MOST_REOPENED


def _attributes_of_outermost(html: str) -> int:
    return sum(len(_ATTRIBUTES.findall(tag[1])) for tag in _OUTERMOST.finditer(html))
