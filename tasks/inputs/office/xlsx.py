"""Workbooks as Markdown, through openpyxl, row by row."""

import warnings
from collections.abc import Iterator
from typing import Any
from zipfile import ZipFile

import openpyxl
from lxml import etree
from openpyxl.packaging.relationship import get_dependents, get_rels_path

from tasks.errors import InputTooLarge
from tasks.inputs.blob import Blob
from tasks.inputs.limits import MediaLimits
from tasks.inputs.office import drawing_text
from tasks.inputs.office.number_format import shown
from tasks.inputs.office.pictures import OfficePictures
from tasks.inputs.office.zip_bounds import packed
from tasks.inputs.text import markdown
from tasks.inputs.text.pictured_text import unread

_MAX_ROWS = 1_048_576
"""Of a sheet of Excel; openpyxl counts on to whatever number a row gives itself."""
_GAPS = 20
"""Places that may be walked for each cell that may be read: a row can have one cell, in column 16,384."""


def xlsx_to_markdown(members: dict[str, bytes], pictures: OfficePictures, limits: MediaLimits) -> str:
    """A heading for each sheet, then a table for each block of rows without an empty row in it, then the sheet's text
    boxes and pictures. Formulas by the value last calculated, numbers and dates as they are shown; of merged cells the
    first holds the value. Hidden sheets are named and left out.

    Raises InputTooLarge above `limits.cells`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what openpyxl does not keep when it saves
        file = packed(members)
        archive = ZipFile(file)
        workbook = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        counter = _Counter(pictures.blob, limits.cells)
        parts: list[str] = []
        for sheet in workbook.worksheets:
            name = markdown.one_line(sheet.title)
            if sheet.sheet_state != "visible":
                parts.append(f"## {name} (hidden, left out)")
                continue
            parts += [f"## {name}", *_blocks(sheet, counter), *_drawings(archive, sheet, pictures)]
    return "\n\n".join(filter(None, parts))


class _Counter:
    """Counts the cells of a workbook, and the empty places among them."""

    def __init__(self, blob: Blob, limit: int) -> None:
        self._blob = blob
        self._limit = limit
        self._cells = limit
        self._places = limit * _GAPS

    def count(self, row: int, filled: int) -> None:
        """A row of `row` places, of which `filled` are not empty. Raises InputTooLarge."""
        self._cells -= filled
        self._places -= row + 1
        if min(self._cells, self._places) < 0:
            raise InputTooLarge(
                f"'{self._blob.label}' has more than {self._limit} cells, or {self._limit * _GAPS} with the empty "
                "places between them; the limit is OPENFAZE_MAX_CELLS.",
                param=self._blob.param,
            )


def _blocks(sheet: Any, counter: _Counter) -> Iterator[str]:
    sheet.reset_dimensions()  # they are a claim
    block: list[dict[int, str]] = []
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number > _MAX_ROWS:
            raise ValueError("a row has a number that no sheet has")
        texts = {
            at: text
            for at, cell in enumerate(row)
            if cell.value is not None and (text := shown(cell.value, cell.number_format).strip())
        }
        counter.count(len(row), len(texts))
        if texts:
            block.append(texts)
        elif block:
            yield _table(block)
            block = []
    if block:
        yield _table(block)


def _table(block: list[dict[int, str]]) -> str:
    """A block that is one cell wide is lines of text."""
    left, right = min(map(min, block)), max(map(max, block))
    if left == right:
        return "\n".join(markdown.one_line(row[left]) for row in block)
    return markdown.table([row.get(at, "") for at in range(left, right + 1)] for row in block)


def _drawings(archive: ZipFile, sheet: Any, pictures: OfficePictures) -> Iterator[str]:
    """Text boxes and pictures, which openpyxl does not read together with rows."""
    for drawing in _related(archive, sheet._worksheet_path, "/drawing").values():
        root = etree.fromstring(archive.read(drawing), etree.XMLParser(resolve_entities=False, no_network=True))
        images = _related(archive, drawing, "/image")
        for anchor in root:
            yield "\n".join(drawing_text.paragraphs(anchor))
            for relationship, description in drawing_text.pictures(anchor):
                name = images.get(relationship)
                yield pictures.marked(archive.read(name), name, description) if name else unread("missing")


def _related(archive: ZipFile, name: str, kind: str) -> dict[str, str]:
    """The members that `name` refers to with a relationship of this kind, by the relationship."""
    path = get_rels_path(name)  # type: ignore[no-untyped-call]
    known = set(archive.namelist())
    if path not in known:
        return {}
    related = get_dependents(archive, path)
    return {str(one.Id): one.target for one in related if one.Type.endswith(kind) and one.target in known}
