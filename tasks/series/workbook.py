"""The sheets of a workbook as tables, with the values themselves instead of how they are shown."""

import datetime as dt
import math
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import openpyxl

from tasks.errors import InputError, InputTooLarge
from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits
from tasks.inputs.office.zip_bounds import inflated, packed
from tasks.series.delimited import is_head
from tasks.series.table import Cell, Table, table_of

_GAPS = 20
"""Places that may be walked for each cell that may be read: a row can have one cell, far to the right."""


class WorkbookTables:
    """An opened xlsx file, for a decode process. Formulas by the value last calculated; hidden sheets are left out.

    Raises InputError: damaged, `encrypted_document`, XML that is not safe; InputTooLarge: it holds too much.
    """

    def __init__(self, blob: Blob, limits: MediaLimits) -> None:
        members = inflated(blob, limits)
        self._blob = blob
        self._places = limits.cells * _GAPS
        self._cells = limits.cells
        self._limit = limits.cells
        try:
            self._tables = list(self._read(members))
        except (InputError, MemoryError):
            raise
        except Exception as error:  # openpyxl raises whatever comes of parts that are not as they should be
            raise blob.error(f"cannot be read as {blob.media_type}: it is damaged or incomplete.") from error

    def tables(self) -> list[tuple[str, Table]]:
        """The name of each sheet, and what is in it."""
        return self._tables

    def close(self) -> None:
        """Nothing is held but the cells."""

    def _read(self, members: dict[str, bytes]) -> Iterator[tuple[str, Table]]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what openpyxl does not keep when it saves
            workbook = openpyxl.load_workbook(packed(members), read_only=True, data_only=True, keep_links=False)
            for sheet in workbook.worksheets:
                if sheet.sheet_state == "visible" and (table := self._sheet(sheet)) is not None:
                    yield sheet.title, table

    def _sheet(self, sheet: Any) -> Table | None:
        sheet.reset_dimensions()  # they are a claim
        rows: list[list[Cell]] = []
        for row in sheet.iter_rows(values_only=True):
            cells = [_cell(value) for value in row]
            self._count(cells)
            if any(cell is not None for cell in cells):
                rows.append(cells)
        # Titles above a table are narrower than it is.
        widest = max((_filled(row) for row in rows), default=0)
        start = next((at for at, row in enumerate(rows) if 2 * _filled(row) > widest), 0)
        rows = rows[start:]
        if not rows:
            return None
        texts = [cell if isinstance(cell, str) else "" for cell in rows[0]]
        named = is_head(texts) and all(cell is None or isinstance(cell, str) for cell in rows[0])
        return table_of(rows[1:] if named else rows, texts if named else ())

    def _count(self, cells: Sequence[Cell]) -> None:
        self._cells -= _filled(cells)
        self._places -= len(cells) + 1
        if min(self._cells, self._places) < 0:
            raise InputTooLarge(
                f"'{self._blob.label}' has more than {self._limit} cells, the limit (OPENFAZE_MAX_CELLS).",
                param=self._blob.param,
            )


def _filled(cells: Sequence[Cell]) -> int:
    return sum(cell is not None for cell in cells)


def _cell(value: object) -> Cell:
    match value:
        case bool():
            return None
        case dt.datetime():
            return value.replace(tzinfo=None)
        case dt.date():
            return dt.datetime(value.year, value.month, value.day)
        case float():
            return value if math.isfinite(value) else None
        case int() | str():
            return value
    return None
