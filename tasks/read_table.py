"""A table that was read from an input of any kind: a picture, a PDF, a spreadsheet, a delimited text, a document or a
web page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class ReadCell(NamedTuple):
    """A cell's text and its place in the result of the task that read it."""

    text: str
    pointer: str = ""
    """JSON pointer (RFC 6901) to the line, or to the text, in which the cell begins."""
    place: Mapping[str, Any] = {}
    """Known details of the cell's place: its `bounds`, `page` and `url`, and the engine's `confidence`."""
    row_span: int = 1
    col_span: int = 1
    source: str = ""
    """The text as the source has it, if it differs from `text`: because `text` is only a part of it, or has a sign that
    the column implies."""
    lines: Sequence[str] = ()
    """The printed lines of the text, if there are several and they are known."""


MAX_HEADING_CHARS = 500
"""A table keeps at most this many characters of the line above it."""
NO_CELL = ReadCell("")
"""A place without a cell, or a place that a spanning cell covers."""


@dataclass(frozen=True, slots=True)
class ReadTable:
    rows: Sequence[Sequence[ReadCell]]
    """The cells of each row. All rows have the same length. A spanning cell is listed at its first row and column."""
    heading: str = ""
    """The last line of text above the table, cut after MAX_HEADING_CHARS characters."""
    comma_likely: bool = False
    """True if commas are probably decimal signs, because other characters separate the cells."""
    is_exact: bool = True
    """False if cells were found by the places of words. A column may then be split in two, and lines from outside the
    table may be among its rows."""
    header: int = 0
    """Number of rows that form the header; 0 if unknown. Each line of text in the header's cells is a separate row."""
    with_more: frozenset[int] = frozenset()
    """Columns of which lines below the cells were left out that may belong to them."""
    texts: Sequence[Sequence[str]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "heading", self.heading[:MAX_HEADING_CHARS])
        object.__setattr__(self, "texts", [[cell.text for cell in row] for row in self.rows])
