"""What a search engine is to the `web_search` task: a question in, links out."""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from tasks.wording.freshness import Freshness

LIMIT_S = 8.0
"""Seconds that a provider may take to answer."""

UNREACHABLE_S = 30.0
BLOCKED_S = 300.0
REFUSED_S = 600.0
"""Seconds that a provider rests after a first failure: it may be back at once, minds how often it is asked, or does
not know our key."""

_MAX_TITLE = 300
_MAX_DESCRIPTION = 1000
_MAX_URL = 2000
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_UNSEEN = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """One link of an answer. All of it is what somebody else wrote."""

    title: str
    url: str
    """http or https."""
    description: str


class SearchFailed(Exception):
    """No answer. `reason` continues a sentence that begins with the provider's name; it is public: neither the query
    nor an address is in it. The provider rests for `rest_s` seconds, 0 where only this query failed."""

    def __init__(self, reason: str, rest_s: float = UNREACHABLE_S) -> None:
        super().__init__(reason)
        self.reason = reason
        self.rest_s = rest_s


class SearchProvider(Protocol):
    @property
    def name(self) -> str:
        """As OPENFAZE_SEARCH_PROVIDER has it."""

    async def search(self, query: str, site: str | None, freshness: Freshness | None, count: int) -> list[Hit]:
        """At most `count`, best first, from `site` (a host and those below it) and as new as `freshness` wants, as far
        as the provider can tell. Raises SearchFailed."""

    async def close(self) -> None: ...


def hits_of(items: object, *, title: str, url: str, description: str, count: int) -> list[Hit]:
    """The first `count` links of an answer's list, in whose objects the parts have these names. What is none is left
    out. Raises SearchFailed where there is no list."""
    if not isinstance(items, Sequence) or isinstance(items, str):
        raise SearchFailed("answered in a form that is not known here")
    found = (_hit(item, title, url, description) for item in items if isinstance(item, Mapping))
    return [hit for hit in found if hit is not None][:count]


def _hit(item: Mapping[str, Any], title: str, url: str, description: str) -> Hit | None:
    link = item.get(url)
    if not isinstance(link, str) or not _is_link(link):
        return None
    return Hit(plain(item.get(title), _MAX_TITLE) or link, link, plain(item.get(description), _MAX_DESCRIPTION))


def plain(text: object, limit: int) -> str:
    """One line without markup, of at most `limit` characters."""
    if not isinstance(text, str):
        return ""
    shown = html.unescape(_TAG.sub("", text[: 4 * limit]))
    line = _UNSEEN.sub(" ", shown).strip()
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _is_link(url: str) -> bool:
    if len(url) > _MAX_URL or _UNSEEN.search(url):
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no port
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return False
