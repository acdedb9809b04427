"""The pages that a search found: fetched politely, and read where a hostile one can do no harm."""

import asyncio
from dataclasses import dataclass

import structlog

from models.base import ModelError
from tasks.errors import InputError, Overloaded
from tasks.inputs import media_types
from tasks.inputs.blob import Blob
from tasks.inputs.fetch.politeness import Politeness
from tasks.inputs.limits import MB, MediaLimits
from tasks.inputs.media_types import media_type_named
from tasks.inputs.sessions import Sessions
from tasks.inputs.sniff import sniff
from tasks.scrape.page_file import PageFile

log = structlog.get_logger(__name__)

FETCH_S = 3.0
"""Seconds that a page may take to come, its host's robots.txt and our turn there included."""
READ_S = 10.0
"""Seconds that reading it may take: most need 50 ms, the first one seconds, while its reader starts."""
_MAX_BYTES = 4 * MB


@dataclass(frozen=True, slots=True)
class ResultPages:
    politeness: Politeness
    sessions: Sessions
    limits: MediaLimits

    async def main_text(self, url: str) -> str:
        """What the page at `url` is about, "" where it cannot be had: closed to robots, not there, too slow, too large,
        or no HTML. A search is not worse for a page that is missing. Follows nothing that stands on it."""
        try:
            return await self._read(url)
        except (InputError, ModelError, Overloaded, TimeoutError) as error:
            log.info("search_page_unread", error=type(error).__name__, code=getattr(error, "code", None))
            return ""

    async def _read(self, url: str) -> str:
        async with asyncio.timeout(FETCH_S):
            # Whoever asks is not known here, and what is kept for one caller may not show in another's timing.
            fetched = await self.politeness.fetch(url, max_bytes=_MAX_BYTES, fresh=True)
        declared = media_type_named(fetched.media_type) or media_types.HTML
        if (sniff(fetched.data, text=True) or declared) != media_types.HTML:
            return ""
        blob = Blob(fetched.data, media_types.HTML, None, "web_search", fetched.charset)
        async with asyncio.timeout(READ_S):
            session = await self.sessions.open(PageFile, blob, self.limits)
            try:
                return (await session.run(PageFile.read, fetched.url)).page.text
            finally:
                await session.close()
