"""Reads inputs as tables, and finds the series in them."""

import re
import warnings
from asyncio import to_thread
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, NamedTuple

from models.workers.pool import SMALL, Workers
from tasks.errors import InputError, InputTooLarge
from tasks.inputs import media_types
from tasks.inputs.decode import decode
from tasks.inputs.limits import MediaLimits
from tasks.inputs.loader import MediaLoader
from tasks.inputs.office.bounds import inflated, packed
from tasks.inputs.source import Blob, Origin, Source
from tasks.inputs.text.charset import looks_like_text
from tasks.inputs.text.text_file import json_depth
from tasks.series.columns import COLUMNS, Mentions, ObservedSeries, series_in
from tasks.series.formats import delimited_table, is_head, json_table
from tasks.series.grid import SeriesTable, TooManyCells, TooManyColumns, cell_of, check_size, table_of
from tasks.series.inline import SeriesMessage, message_of
from tasks.series.regular import LEAST_POINTS

_PROSE = frozenset(
    {"text/html", "text/markdown", media_types.DOCX, media_types.PPTX, media_types.EMAIL, media_types.MAILBOX}
)
"""Types in which text surrounds tables. Files of these types are read as Markdown."""
_READ = media_types.TEXTS | {media_types.DOCX, media_types.PPTX}
_DATA_URL = re.compile(r"\bdata:(?:text|application)/[\w.+-]+[;,][^\s\"'`<>()\[\]{}|]+", re.IGNORECASE)
_LONGEST_NAME = 40
"""An error names a column with at most this many characters."""


class SourceSeries(NamedTuple):
    """The series of one source that a request asks for."""

    series: list[ObservedSeries]
    column_names: list[str]
    """Names of columns, at most COLUMNS + 1, for an error about a source without series."""


def workbook_series(blob: Blob, limits: MediaLimits, words: str) -> SourceSeries:
    """Return the series that `words` ask for in an xlsx file. A formula has the value that was last calculated. Hidden
    sheets are left out.

    Raises InputError for a damaged file, `encrypted_document` and unsafe XML, and InputTooLarge for too many cells.
    """
    import openpyxl

    members = inflated(blob, limits)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about parts that openpyxl would lose when saving
            workbook = openpyxl.load_workbook(packed(members), read_only=True, data_only=True, keep_links=False)
            visible = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
            tables = [(sheet.title, table) for sheet in visible if (table := _table_of_sheet(sheet, limits.cells))]
    except (InputError, MemoryError):
        raise
    except TooManyCells as error:
        raise _too_large(blob, error) from error
    except Exception as error:  # openpyxl raises many types of exceptions for malformed parts
        raise blob.error(f"cannot be read as {blob.media_type}: it is damaged or incomplete.") from error
    return _series_of(tables, words)


def _table_of_sheet(sheet: Any, most_cells: int) -> SeriesTable | None:
    """Return the table of a sheet, without empty rows and columns. Raises TooManyCells."""
    sheet.reset_dimensions()  # the dimensions in a file may be wrong
    rows_of_cells = (
        {at: cell for at, value in enumerate(row) if (cell := cell_of(value)) is not None}
        for row in sheet.iter_rows(values_only=True)
    )
    found = [cells for cells in rows_of_cells if cells]
    # Titles above a table are narrower than the table.
    widest = max(map(len, found), default=0)
    start = next((index for index, cells in enumerate(found) if 2 * len(cells) > widest), 0)
    columns = sorted(set[int]().union(*found[start:]))
    check_size(len(found) - start, len(columns), most_cells)
    rows = [[cells.get(at) for at in columns] for cells in found[start:]]
    if not rows:
        return None
    head = [cell if isinstance(cell, str) else "" for cell in rows[0]]
    is_named = is_head(head) and all(cell is None or isinstance(cell, str) for cell in rows[0])
    return table_of(rows[1:] if is_named else rows, head if is_named else (), most_cells)


def _text_series(blob: Blob, limits: MediaLimits, words: str) -> SourceSeries:
    """Return the series that `words` ask for in a text, decoded as UTF-8. All of them are from one table, which
    `_observed_series` chooses. Raises InputTooLarge for too many cells."""
    text, limit = blob.data.decode(), limits.cells
    begins = text.lstrip("\ufeff \t\r\n")[:1]
    ways: Sequence[Callable[[str, int], SeriesTable | None]] = (delimited_table, _table_in_message)
    if blob.media_type in _PROSE:
        ways = (_table_in_message, delimited_table)
    elif begins in ("{", "[") and json_depth(text) <= limits.json_depth:
        ways = (json_table, *ways)
    if text.count("\n") > limit:
        raise _too_large(blob, TooManyCells(limit))
    tables: list[tuple[str, SeriesTable]] = []
    too_wide: TooManyColumns | None = None
    for way in ways:
        try:
            table = way(text, limit)
        except TooManyColumns as error:  # a line of many numbers is not a table but a list
            too_wide = error
        except TooManyCells as error:
            raise _too_large(blob, error) from error
        else:
            if table is not None:
                tables.append(("", table))
    if too_wide is not None and not tables:
        raise _too_large(blob, too_wide)
    return _series_of(tables, words)


InlineSeries = tuple[SeriesMessage, list[ObservedSeries]]
"""A message without its table, and the series of the table."""


async def read_inline_series(text: str) -> InlineSeries:
    """Separate a short message into words and series, without the limits of a server."""
    return _message_series(_blob_of_message(text), MediaLimits())


def _blob_of_message(text: str) -> Blob:
    return Blob(text.encode("utf-8", "replace"), "text/plain", "The text", "messages")


def _data_urls_in(text: str) -> list[Source]:
    """Return the data URLs of tables and texts in a message, as sources."""
    return [Source(Origin("messages"), payload=url.rstrip(".,;:!?")) for url in _DATA_URL.findall(text)]


class SeriesReader:
    """Reads the series of sources. The workers of `loader` open workbooks and larger texts and find their series,
    because this may take seconds."""

    def __init__(self, loader: MediaLoader) -> None:
        self._loader = loader

    @property
    def limits(self) -> MediaLimits:
        return self._loader.limits

    @property
    def workers(self) -> Workers:
        return self._loader.workers

    async def message(self, text: str, names: str = "") -> InlineSeries:
        """Separate a message into words and a table, and return the message without the table, and the table's series
        that `names` name. The table may be in a data URL.

        Raises what `read` raises for a data URL, and InputTooLarge above `limits.cells`.
        """
        if embedded := _data_urls_in(text):
            message = await to_thread(message_of, text, self.limits.cells, has_sources=True)
            return message, [one for source in embedded for one in (await self.read(source, names)).series]
        blob = _blob_of_message(text)
        if len(text) <= SMALL:
            return await to_thread(_message_series, blob, self.limits, names)
        return await decode(self.workers, blob, _message_series, blob, self.limits, names)

    async def read(self, source: Source, words: str) -> SourceSeries:
        """Return the series of a source that `words` ask for.

        Raises the errors of the loader, InputError (`unsupported_media_type`), and InputTooLarge above `limits.cells`.
        """
        blob = await self._loader.load(source)
        if blob.media_type == media_types.XLSX:
            return await decode(self.workers, blob, workbook_series, blob, self.limits, words)
        if blob.media_type not in _READ and _may_be_text(blob):
            blob = replace(blob, media_type="text/plain")
        if blob.media_type not in _READ:
            raise blob.error(
                f"is {blob.media_type}, which holds no series: task 'forecast' reads CSV, TSV, JSON, XLSX and text",
                code="unsupported_media_type",
            )
        async with await self._loader.open_blob(blob) as document:
            text = document.text or ""
        decoded = replace(blob, data=text.encode("utf-8", "replace"))
        if len(text) <= SMALL:
            return await to_thread(_text_series, decoded, self.limits, words)
        return await decode(self.workers, blob, _text_series, decoded, self.limits, words)


def _message_series(blob: Blob, limits: MediaLimits, names: str = "") -> InlineSeries:
    """Separate a message, decoded as UTF-8, into words and the series that `names`, or else its words, name. Raises
    InputTooLarge for too many cells."""
    try:
        message = message_of(blob.data.decode(), limits.cells)
    except TooManyCells as error:
        raise InputTooLarge(f"The table in the text {error}", param=blob.param) from error
    tables = [] if message.table is None else [("", message.table)]
    return replace(message, table=None), _observed_series(tables, names or message.words)


def _series_of(tables: Sequence[tuple[str, SeriesTable]], words: str) -> SourceSeries:
    names = (column.name.strip()[:_LONGEST_NAME] for _, table in tables for column in table.columns)
    return SourceSeries(_observed_series(tables, words), list(islice(filter(None, names), COLUMNS + 1)))


def _may_be_text(blob: Blob) -> bool:
    """True if a file of an unsupported type is text, because servers send CSV under many types."""
    kind = blob.media_type.partition("/")[0]
    return kind in ("application", "text") and blob.media_type != media_types.PDF and looks_like_text(blob.data)


def _table_in_message(text: str, most_cells: int) -> SeriesTable | None:
    return message_of(text, most_cells).table


def _too_large(blob: Blob, error: TooManyCells) -> InputTooLarge:
    return InputTooLarge(f"'{blob.label}' {error}", param=blob.param)


def _observed_series(tables: Sequence[tuple[str, SeriesTable]], words: str) -> list[ObservedSeries]:
    """Return the series of one table: the first table with a series that is long enough, or else the first table with
    any series. If `words` name tables, only those tables are considered."""
    mentions = Mentions(words)
    named = [pair for pair in tables if pair[0] in mentions]
    by_table = [series_in(table, mentions) for _, table in named or tables]
    enough = [series for series in by_table if any(one.count >= LEAST_POINTS for one in series)]
    return next(filter(None, [*enough, *by_table]), [])
