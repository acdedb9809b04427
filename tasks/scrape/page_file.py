"""A fetched page where it is read: in a decode process, that a hostile page can cost no more than its time limit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lxml.html import HtmlElement

from tasks.inputs import media_types
from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits
from tasks.scrape.blocks import size_within
from tasks.scrape.extract import read_page
from tasks.scrape.feed import is_feed, read_feed
from tasks.scrape.main_part import main_part
from tasks.scrape.matching import Match, Row, match_records
from tasks.scrape.page import Page
from tasks.scrape.parsing import parsed

_SCRIPT = re.compile(r"|module|(?:text|application)/(?:x-)?(?:java|ecma)script\d*(?:\.\d+)?", re.IGNORECASE)
"""Types of what a browser runs: others are data, such as JSON-LD, or templates."""
_LITTLE = 400
"""Characters of text that a page which waits for its scripts may show: a name, a menu, "Loading …"."""
_NEARLY_NOTHING = 40
_ROOTS = frozenset({"root", "app", "__next", "__nuxt", "___gatsby", "svelte", "app-root", "main-app", "react-root"})
"""Ids of the element that React, Vue, Next, Nuxt, Gatsby and others fill."""
_NEEDS_SCRIPTS = re.compile(r"java\s?script", re.IGNORECASE)
_UNREAD = frozenset({"script", "style", "noscript", "template"})


@dataclass(frozen=True, slots=True)
class Reading:
    page: Page
    match: Match | None
    """Of the fields that were asked for, what the structure of the page tells."""
    has_scripts: bool
    """Which have not run."""
    waits: bool
    """Whether what the page says seems to be theirs to write."""


class PageFile:
    """An HTML page or a feed. A session's class (see `tasks.inputs.sessions`)."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._limits = limits

    def read(self, url: str, fields: Sequence[str] = ()) -> Reading:
        """`url` is where the bytes came from. Raises as `extract_page` and `read_feed`."""
        if self._blob.media_type != media_types.HTML and is_feed(self._blob.data):
            page, entries = read_feed(self._blob, self._limits, url)
            rows: list[Row] = [{field: entry.get(_ENTRY.get(field, field)) for field in fields} for entry in entries]
            missing = frozenset(field for field in fields if not any(row[field] for row in rows))
            match = Match(rows, missing) if len(missing) < len(fields) else None
            return Reading(page, match, has_scripts=False, waits=False)
        root = parsed(self._blob, self._limits)
        has_scripts, asks = _has_scripts(root), _asks_for_scripts(root)
        page = read_page(root, url)
        match = match_records(main_part(root), fields) if fields else None
        return Reading(page, match, has_scripts, has_scripts and (asks or not page.text))

    def close(self) -> None:
        """Nothing is held."""


_ENTRY = {"link": "url", "headline": "title", "name": "title", "published": "date", "description": "summary"}
"""What else the parts of a feed's entry are called."""


def _has_scripts(root: HtmlElement) -> bool:
    return any(_SCRIPT.fullmatch(script.get("type", "").partition(";")[0].strip()) for script in root.iter("script"))


def _asks_for_scripts(root: HtmlElement) -> bool:
    """Whether `root`, as it was sent, shows little, and says that it needs scripts or has what they are to fill."""
    body = root.find("body")
    shown = size_within(body) - sum(size_within(element) for element in body.iter() if element.tag in _UNREAD)
    if shown > _LITTLE:
        return False
    wanted = any(_NEEDS_SCRIPTS.search("".join(element.itertext())) for element in root.iter("noscript"))
    return wanted or any(_is_to_be_filled(element) for element in body.iter())


def _is_to_be_filled(element: HtmlElement) -> bool:
    return (element.get("id", "") in _ROOTS or "-" in str(element.tag)) and size_within(element) <= _NEARLY_NOTHING
