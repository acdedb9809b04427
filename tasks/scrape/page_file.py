"""A fetched page where it is read: in a decode process, that a hostile page can cost no more than its time limit."""

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.media import media_types
from tasks.media.blob import Blob
from tasks.media.limits import MediaLimits
from tasks.scrape.extract import read_page
from tasks.scrape.feed import is_feed, read_feed
from tasks.scrape.main_part import main_part
from tasks.scrape.matching import Match, Row, match_records
from tasks.scrape.page import Page
from tasks.scrape.parsing import parsed
from tasks.scrape.shell import is_shell


@dataclass(frozen=True, slots=True)
class Reading:
    page: Page
    match: Match | None
    """Of the fields that were asked for, what the structure of the page tells."""
    is_shell: bool


class PageFile:
    """An HTML page or a feed. A session's class (see `tasks.media.sessions`)."""

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        self._blob = blob
        self._limits = limits

    def read(self, url: str, fields: Sequence[str] = ()) -> Reading:
        """`url` is where the bytes came from. Raises as `extract_page` and `read_feed`."""
        if self._blob.media_type != media_types.HTML and is_feed(self._blob.data):
            page, entries = read_feed(self._blob, self._limits, url)
            rows: list[Row] = [{field: entry.get(_ENTRY.get(field, field)) for field in fields} for entry in entries]
            missing = frozenset(field for field in fields if not any(row[field] for row in rows))
            return Reading(page, Match(rows, missing) if len(missing) < len(fields) else None, is_shell=False)
        root = parsed(self._blob, self._limits)
        shell = is_shell(root)
        page = read_page(root, url)
        match = match_records(main_part(root), fields) if fields and not shell else None
        return Reading(page, match, shell)

    def close(self) -> None:
        """Nothing is held."""


_ENTRY = {"link": "url", "headline": "title", "name": "title", "published": "date", "description": "summary"}
"""What else the parts of a feed's entry are called."""
