"""Removes the invisible parts of a page, in which prompt injections and search-engine bait hide."""

import re

from lxml.html import HtmlElement

from tasks.inputs.text.style_rules import StyledNames, without_spaces
from tasks.inputs.text.unseen_styles import FAINT, OUTSIDE

_TEXTLESS_NAMES = (
    "script style template noscript object embed applet iframe frame frameset svg math canvas audio video map "
    "datalist textarea"
)
_TEXTLESS = frozenset(_TEXTLESS_NAMES.split())
"""Elements whose content is not text of the page, or is not shown as text."""
_ALWAYS_VISIBLE = frozenset({"html", "body", "head"})
"""Elements that many pages hide until their scripts have run."""
_HIDDEN = re.compile(
    r"display:none"
    r"|visibility:(?:hidden|collapse)"
    r"|font-size:0(?:\.0+)?(?:px|em|rem|pt|%)?(?:;|!|$)"
    rf"|color:transparent|{OUTSIDE}"
)
"""Declarations that hide an element, in a style without white space."""
_SHOWN = re.compile(r"display:(?!none)|visibility:visible")
_SCREEN_READERS = frozenset(
    {"sr-only", "visually-hidden", "visuallyhidden", "screen-reader-text", "screen-reader-only", "u-hiddenvisually"}
)
"""Classes by which frameworks mark text for screen readers only: Bootstrap, Tailwind, WordPress and others."""


def drop_unseen(root: HtmlElement) -> None:
    """Remove from `root` everything that a browser would not show, judged by elements, attributes, styles and simple
    rules of the page's own style sheets. The effects of scripts and external style sheets are unknown."""
    hiding = StyledNames("\n".join(style.text or "" for style in root.iter("style")), _HIDDEN.search, _SHOWN.search)
    unseen = [element for element in root.iter() if _is_unseen(element, hiding)]
    for element in unseen:
        _drop(element)
    _drop_faint(root)


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _is_unseen(element: HtmlElement, hiding: StyledNames) -> bool:
    tag = element.tag
    if not isinstance(tag, str) or tag in _TEXTLESS:
        return True
    if tag in _ALWAYS_VISIBLE or not element.attrib:
        return tag == "dialog"
    get = element.get
    if get("hidden") is not None or get("aria-hidden", "").strip().lower() == "true":
        return True
    if (tag == "input" and get("type", "").lower() == "hidden") or (tag == "dialog" and get("open") is None):
        return True
    classes = get("class", "").split()
    if not _SCREEN_READERS.isdisjoint(name.lower() for name in classes):
        return True
    if hiding and hiding.apply_to(tag, get("id", ""), classes):
        return True
    style = get("style")
    return bool(style and _HIDDEN.search(without_spaces(style)))


def _drop_faint(root: HtmlElement) -> None:
    """Remove nearly transparent elements, unless they make up most of the page, which is then waiting for a script to
    fade it in."""
    faint = [element for element in root.iter() if FAINT.search(without_spaces(element.get("style", "")))]
    faint = [element for element in faint if element.tag not in _ALWAYS_VISIBLE]
    # An element inside a faint one is counted with it.
    within = set(faint)
    outer = [element for element in faint if within.isdisjoint(element.iterancestors())]
    if outer and 2 * sum(_text_length(element) for element in outer) < _text_length(root):
        for element in outer:
            _drop(element)


def _text_length(element: HtmlElement) -> int:
    return sum(len(text.strip()) for text in element.itertext())
