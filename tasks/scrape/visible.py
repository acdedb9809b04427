"""Removes the invisible parts of a page, in which prompt injections and search-engine bait hide."""

from lxml.html import HtmlElement

from tasks.inputs.sight import Sight
from tasks.inputs.text.styles.elements import PageTree
from tasks.inputs.text.styles.sight import appearance_of

_TEXTLESS_NAMES = (
    "script style template noscript object embed applet iframe frame frameset svg math canvas audio video map "
    "datalist textarea"
)
_TEXTLESS = frozenset(_TEXTLESS_NAMES.split())
"""Elements whose content is not text of the page, or is not shown as text."""
_SCREEN_READERS = frozenset(
    {"sr-only", "visually-hidden", "visuallyhidden", "screen-reader-text", "screen-reader-only", "u-hiddenvisually"}
)
"""Classes by which frameworks mark text for screen readers only: Bootstrap, Tailwind, WordPress and others."""


def drop_unseen(root: HtmlElement) -> None:
    """Remove from `root` everything that a browser would not show, judged by elements, attributes, styles and the style
    sheets within the page. The effects of scripts and external style sheets are unknown."""
    for element in [element for element in root.iter() if _is_unseen(element)]:
        if element.getparent() is not None:
            element.drop_tree()
    tree = PageTree.of_lxml(root)  # keeps the elements alive, so that nothing else gets their identities
    appearance = appearance_of(tree)
    for element in [*root.iter("style")]:
        element.drop_tree()
    lengths: dict[Sight, int] = dict.fromkeys(Sight, 0)
    for element in root.iter():
        lengths[appearance.sights[id(element)]] += _own_length(element)
    if any(appearance.sights[id(one.source)] == Sight.UNSEEN for one in tree.elements if one.tag in ("html", "body")):
        return  # The page waits for a script that shows it.
    # A page that is faint for the most part is waiting for a script to fade it in.
    is_waiting = 2 * lengths[Sight.FAINT] >= sum(lengths.values()) - lengths[Sight.UNSEEN]
    for element in [*root.iter()]:
        sight = appearance.sights[id(element)]
        if id(element) in appearance.removed and element.getparent() is not None:
            element.drop_tree()
        elif sight == Sight.UNSEEN or (sight == Sight.FAINT and not is_waiting):
            element.text = None
            for child in element:
                child.tail = None


def _is_unseen(element: HtmlElement) -> bool:
    """True for elements without a text that is shown, and for those that are for screen readers only."""
    if not isinstance(element.tag, str) or (element.tag in _TEXTLESS and element.tag != "style"):
        return True
    get = element.get
    if get("aria-hidden", "").strip().lower() == "true" or (
        element.tag == "input" and get("type", "").lower() == "hidden"
    ):
        return True
    return not _SCREEN_READERS.isdisjoint(name.lower() for name in get("class", "").split())


def _own_length(element: HtmlElement) -> int:
    """Return the number of characters in an element itself, without those in the elements within it."""
    return sum(len(text.strip()) for text in (element.text, *(child.tail for child in element)) if text)
