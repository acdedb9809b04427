"""Defines a run: a sequence of records of the same form that stand below or beside each other."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tasks.extraction.line_pieces import PiecedLine, cut_line
from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import WordOnPage

MAX_RECORDS: Final = 200
"""Largest number of records of a run. Further records are left out."""
MAX_LINES: Final = 1_500
"""Largest number of lines of a passage in which records are searched for."""
MAX_LINES_OF_RECORD: Final = 14
FAR: Final = 5.0
"""Largest gap above a record of a run, in heights of a line. A wider gap ends the run."""


class LineSign(NamedTuple):
    """A property that lines at the beginning of records have in common, such as a bullet."""

    name: str
    value: str = ""
    """Text or kind of piece that the lines have in common; empty if the name says it all."""


class RunSign(NamedTuple):
    """The way in which the beginnings of a run's records were found."""

    line: LineSign
    lines_above: int
    """Number of lines of each record above the line with the sign."""
    has_cuts: bool
    """True if headings end records."""


@dataclass(slots=True)
class Run:
    passage: Passage
    records: list[list[PiecedLine]]
    sign: RunSign | None = None
    """The sign by which the records were found, if they were found in the lines of a column; None if they were found in
    a sentence."""
    apart: float = 0.0
    """Mean gap above records minus the mean gap within records, in heights of a line, from -1 to 1."""
    headings: Sequence[str] = field(default_factory=list)
    """Texts above the run that may be its headings, the nearest one first."""
    sections: Sequence[PiecedLine | None] = field(default_factory=list)
    """The heading above each record; empty if no heading stands between records."""
    above: PiecedLine | None = None
    """The line above the first record."""

    @property
    def lines(self) -> int:
        """Number of lines of all records."""
        return sum(map(len, self.records))


def cut_lines(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> Generator[None, None, list[PiecedLine]]:
    """Cut rows into pieces, with a slice of work for each."""
    lines = []
    for row in rows:
        lines.append(cut_line(passage, row))
        yield
    return lines
