"""Removes the invisible parts of a page, in which prompt injections and search-engine bait hide."""

import re
from collections.abc import Iterator

from lxml.html import HtmlElement

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
    r"|color:transparent"
    # positions far outside the window, and areas cut to a point
    r"|(?:left|right|top|bottom|text-indent|margin-(?:left|right|top)):-\d{3,}(?:\.\d+)?(?:px|em|rem|pt|vw|vh|%)"
    r"|(?:left|top|text-indent|margin-left):\d{4,}px"
    r"|(?<!-)clip:rect\((?:0|1px)"
    r"|clip-path:(?:inset\((?:50|100)%|circle\(0|polygon\(00)"
    r"|transform:scale\(0(?:\.0+)?[,)]"
)
"""Declarations that hide an element, in a style without white space."""
_FAINT = re.compile(r"(?<!-)opacity:(?:0?\.0\d*|0)(?:;|!|$)")
_SHOWN = re.compile(r"display:(?!none)|visibility:visible")
_SCREEN_READERS = frozenset(
    {"sr-only", "visually-hidden", "visuallyhidden", "screen-reader-text", "screen-reader-only", "u-hiddenvisually"}
)
"""Classes by which frameworks mark text for screen readers only: Bootstrap, Tailwind, WordPress and others."""
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_BRACE = re.compile(r"[{}]")
_SIMPLE = re.compile(r"(?:[a-z][\w-]*)?([.#])([\w-]+)", re.IGNORECASE)
_NAMED = re.compile(r"([.#])([\w-]+)")
_MAX_CSS = 500_000
"""At most this many characters of a page's own style sheets are read."""

Names = frozenset[tuple[str, str]]
"""Selectors of classes and ids, as `(".", class)` and `("#", id)`."""


def drop_unseen(root: HtmlElement) -> None:
    """Remove from `root` everything that a browser would not show, judged by elements, attributes, styles and simple
    rules of the page's own style sheets. The effects of scripts and external style sheets are unknown."""
    hiding = _hidden_names(root)
    unseen = [element for element in root.iter() if _is_unseen(element, hiding)]
    for element in unseen:
        _drop(element)
    _drop_faint(root)


def _drop(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()


def _is_unseen(element: HtmlElement, hiding: Names) -> bool:
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
    if hiding and (("#", get("id", "")) in hiding or any((".", name) in hiding for name in classes)):
        return True
    style = get("style")
    return bool(style and _HIDDEN.search(_without_spaces(style)))


def _drop_faint(root: HtmlElement) -> None:
    """Remove transparent elements, unless they make up most of the page, which is then waiting for a script to fade it
    in."""
    faint = [element for element in root.iter() if _FAINT.search(_without_spaces(element.get("style", "")))]
    faint = [element for element in faint if element.tag not in _ALWAYS_VISIBLE]
    # An element inside a faint one is counted with it.
    within = set(faint)
    outer = [element for element in faint if within.isdisjoint(element.iterancestors())]
    if outer and 2 * sum(_text_length(element) for element in outer) < _text_length(root):
        for element in outer:
            _drop(element)


def _text_length(element: HtmlElement) -> int:
    return sum(len(text.strip()) for text in element.itertext())


def _without_spaces(style: str) -> str:
    return "".join(style.split()).lower()


def _hidden_names(root: HtmlElement) -> Names:
    """Return the classes and ids that the page's style sheets hide and never show under another condition."""
    css = "\n".join(style.text or "" for style in root.iter("style"))[:_MAX_CSS]
    hidden: set[tuple[str, str]] = set()
    shown: set[tuple[str, str]] = set()
    for selectors, declarations, always in _css_rules(_CSS_COMMENT.sub("", css)):
        style = _without_spaces(declarations)
        if always and _HIDDEN.search(style):
            simple = (_SIMPLE.fullmatch(selector.strip()) for selector in selectors.split(","))
            hidden.update((match[1], match[2]) for match in simple if match)
        elif _SHOWN.search(style):
            shown.update(_NAMED.findall(selectors))
    return frozenset(hidden - shown)


def _css_rules(css: str) -> Iterator[tuple[str, str, bool]]:
    """Yield selectors and declarations, with True if they always apply and not only for print or small screens
    (`@media`)."""
    enclosing: list[str] = []
    end = 0
    for brace in _BRACE.finditer(css):
        text_before, end = css[end : brace.start()], brace.end()
        if brace[0] == "{":
            enclosing.append(text_before.rpartition(";")[2].strip())
        elif enclosing:
            selectors = enclosing.pop()
            if not selectors.startswith("@"):
                yield selectors, text_before, not enclosing
