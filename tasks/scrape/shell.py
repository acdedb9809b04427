"""Pages that are empty until their scripts have run."""

import re

from lxml.html import HtmlElement

from tasks.scrape.blocks import size_of, size_within

_LITTLE = 400
"""Characters of text that a page which waits for its scripts may show: a name, a menu, "Loading …"."""
_NEARLY_NOTHING = 40
_ROOTS = frozenset({"root", "app", "__next", "__nuxt", "___gatsby", "svelte", "app-root", "main-app", "react-root"})
"""Ids of the element that React, Vue, Next, Nuxt, Gatsby and others fill."""
_NEEDS_SCRIPTS = re.compile(r"java\s?script", re.IGNORECASE)
_UNREAD = frozenset({"script", "style", "noscript", "template"})


def is_shell(root: HtmlElement) -> bool:
    """Whether `root`, as it was sent, says next to nothing but has scripts that would."""
    body = root.find("body")
    if not any(script.get("src") or size_of(script.text or "") > _LITTLE for script in root.iter("script")):
        return False
    shown = _shown(body)
    if shown > _LITTLE:
        return False
    wanted = any(_NEEDS_SCRIPTS.search("".join(element.itertext())) for element in root.iter("noscript"))
    return wanted or shown <= _NEARLY_NOTHING or any(_waits(element) for element in body.iter())


def _shown(body: HtmlElement) -> int:
    return size_within(body) - sum(size_within(element) for element in body.iter() if element.tag in _UNREAD)


def _waits(element: HtmlElement) -> bool:
    """For a script to fill it."""
    return (element.get("id", "") in _ROOTS or "-" in str(element.tag)) and size_within(element) <= _NEARLY_NOTHING
