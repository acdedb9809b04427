"""From inputs to tables."""

from asyncio import to_thread
from collections.abc import Callable, Sequence
from dataclasses import replace

from tasks.errors import InputTooLarge
from tasks.inputs import media_types
from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.sessions import Sessions
from tasks.inputs.source import Source
from tasks.inputs.text.structured_text import json_depth
from tasks.inputs.text.text_file import looks_like_text
from tasks.series.delimited import delimited_table
from tasks.series.inline import message_of
from tasks.series.structured import json_table
from tasks.series.table import Table
from tasks.series.workbook import WorkbookTables

_PROSE = frozenset({"text/html", "text/markdown", media_types.DOCX, media_types.PPTX})
"""Types in which text stands around a table; as Markdown, whatever they are."""
_READ = media_types.TEXTS | {media_types.DOCX, media_types.PPTX}


class TableReader:
    """Reads sources as tables. Workbooks are opened by `sessions`, the rest by `loader`."""

    def __init__(self, loader: MediaLoader, sessions: Sessions) -> None:
        self._loader = loader
        self._sessions = sessions

    @property
    def limits(self) -> MediaLimits:
        return self._loader.limits

    async def read(self, source: Source) -> list[tuple[str, Table]]:
        """What may be tables, with their names where they have some, the likeliest first.

        Raises InputError: as the loader does, and `unsupported_media_type`; InputTooLarge above `limits.cells`.
        """
        blob = await self._loader.load(source)
        if blob.media_type == media_types.XLSX:
            return await self._sheets(blob)
        if blob.media_type not in _READ and _may_be_text(blob):
            blob = replace(blob, media_type="text/plain")
        if blob.media_type not in _READ:
            raise blob.error(
                f"is {blob.media_type}, which holds no series: task 'forecast' reads CSV, TSV, JSON, XLSX and text",
                code="unsupported_media_type",
            )
        async with await self._loader.open_blob(blob) as document:
            text = document.text or ""
        return [("", table) for table in await to_thread(self._tables, text, blob)]

    async def _sheets(self, blob: Blob) -> list[tuple[str, Table]]:
        session = await self._sessions.open(WorkbookTables, blob, self.limits)
        try:
            return await session.run(WorkbookTables.tables)
        finally:
            await session.close()

    def _tables(self, text: str, blob: Blob) -> list[Table]:
        limit = self.limits.cells
        begins = text.lstrip("\ufeff \t\r\n")[:1]
        ways: Sequence[Callable[[str], Table | None]] = (delimited_table, _within)
        if blob.media_type in _PROSE:
            ways = (_within, delimited_table)
        elif begins in ("{", "[") and json_depth(text) <= self.limits.json_depth:
            ways = (json_table, *ways)
        if text.count("\n") > limit:
            raise _too_large(blob, limit)
        found = [table for way in ways if (table := way(text)) is not None]
        if any(len(table.columns) * len(table.columns[0].cells) > limit for table in found if table.columns):
            raise _too_large(blob, limit)
        return found


def _may_be_text(blob: Blob) -> bool:
    """Whether a file of a type that nothing here reads is text all the same: servers call CSV many names."""
    kind = blob.media_type.partition("/")[0]
    return kind in ("application", "text") and blob.media_type != media_types.PDF and looks_like_text(blob.data)


def _within(text: str) -> Table | None:
    return message_of(text).table


def _too_large(blob: Blob, limit: int) -> InputTooLarge:
    return InputTooLarge(
        f"'{blob.label}' has more than {limit} cells, the limit (OPENFAZE_MAX_CELLS).", param=blob.param
    )
