"""Removes the hidden parts of a page, in which prompt injections and search-engine bait hide."""

from lxml.html import HtmlElement

from tasks.inputs.text.page_styles import Effect, PageStyles

_TEXTLESS_NAMES = (
    "script style template noscript object embed applet iframe frame frameset svg math canvas audio video map "
    "datalist textarea"
)
_TEXTLESS = frozenset(_TEXTLESS_NAMES.split())
"""Elements whose content is not text of the page, or is not shown as text."""
_ALWAYS_VISIBLE = frozenset({"html", "body", "head"})
"""Elements that many pages hide until their scripts have run."""
_SCREEN_READERS = frozenset(
    {"sr-only", "visually-hidden", "visuallyhidden", "screen-reader-text", "screen-reader-only", "u-hiddenvisually"}
)
"""Classes by which frameworks mark text for screen readers only: Bootstrap, Tailwind, WordPress and others."""


def drop_unseen(root: HtmlElement) -> None:
    """Remove from `root` what a browser does not show, judged by elements, attributes, styles and the style sheets
    within the page, and turn a `span` that a style makes a block or a cell into a block. The effects of scripts and
    external style sheets are unknown."""
    sheets = [(style.text or "", dict(style.attrib)) for style in root.iter("style")]
    styles = PageStyles(sheets, has_scripts=next(root.iter("script"), None) is not None)
    unseen = [element for element in root.iter() if _is_unseen(element, styles)]
    for span in root.iter("span"):
        if styles.effects_on("span", span.attrib, span.get("class", "").split()).get(Effect.APART):
            span.tag = "div"
    for element in unseen:
        if element.getparent() is not None:
            element.drop_tree()


def _is_unseen(element: HtmlElement, styles: PageStyles) -> bool:
    """True for elements without a text that is shown, and for those that are for screen readers only."""
    tag = element.tag
    if not isinstance(tag, str) or tag in _TEXTLESS:
        return True
    if tag in _ALWAYS_VISIBLE:
        return False
    get, classes = element.get, element.get("class", "").split()
    if get("hidden") is not None or get("aria-hidden", "").strip().lower() == "true":
        return True
    if (tag == "input" and get("type", "").lower() == "hidden") or (tag == "dialog" and get("open") is None):
        return True
    if not _SCREEN_READERS.isdisjoint(name.lower() for name in classes):
        return True
    effects = styles.effects_on(tag, element.attrib, classes)
    return any(effects.get(one) for one in (Effect.NOT_DISPLAYED, Effect.INVISIBLE, Effect.ZERO_SIZE))
