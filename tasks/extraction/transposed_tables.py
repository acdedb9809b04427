"""Transposes tables whose columns are the items: days of a forecast, samples, instalments, models that are compared.

The first column of such a table has the names of fields, and each other column is an item.
"""

import tomllib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

from models.fair_executor import Slices
from tasks.extraction.concepts import PHRASES
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.table_lists import LONGEST_HEADER, TALLEST_HEADER, likeness_by_words
from tasks.read_table import ReadCell, ReadTable

MAX_ROWS = 60
"""A table is transposed only if it has at most this many rows, each of which becomes a column, and at most this many
columns."""
MAX_COMPARED = 20_000
"""At most this many pairs of a text and a field are compared, at 0.05 ms a pair. Further tables are not transposed."""
NAMED = 0.5
"""A text may name a field if its weight is at least this. `fill_lists` decides by meaning, too."""
FEWEST_NAMES = 2
"""A table is transposed only if the first cells of at least this many rows name fields."""
FEWEST_COLUMNS = 3
"""A table is transposed only if it has at least this many columns. If it has two, the second one has the values of a
form."""
_HEADINGS: Final[Mapping[str, str]] = tomllib.loads(
    Path(__file__).with_name("transposed_tables.toml").read_text("utf-8")
)["headings"]
_OF_COLUMNS: Final = frozenset(word for words in _HEADINGS.values() for word in fold(words))
"""Words of headings that say what a column has. A column is not an item if its heading has no other words."""


class Transposer:
    """Finds and transposes the tables of a request whose first column names fields of a list."""

    def __init__(self, lists: Sequence[Sequence[WantedField]]) -> None:
        self._lists = lists
        self._known: dict[str, list[bool]] = {}

    def of(self, table: ReadTable) -> Slices[ReadTable | None]:
        """Return the table with its rows as columns, or None if its columns are not items. Its first column must name
        more fields of a list than any of its top rows does. No other column may have a heading that names a field or
        says what the column has, and labels and values must not alternate as in a form."""
        width = len(table.rows[0])
        if not FEWEST_COLUMNS <= width <= MAX_ROWS or len(table.rows) > MAX_ROWS or table.of_list is not None:
            return None
        first = next((at for at in range(width) if any(row[at].text for row in table.rows)), 0)
        rows = [row[first:] for row in table.rows if any(cell.text for cell in row[first:])]
        columns = list(zip(*rows, strict=True))
        if len(columns) < FEWEST_COLUMNS:
            return None
        named = yield from self._named([cell.text for cell in columns[0]])
        if named < FEWEST_NAMES:
            return None
        for row in rows[:TALLEST_HEADER]:
            if (yield from self._named([cell.text for cell in row])) >= named:
                return None
        headings = [cell.text for cell in rows[0][1:] if cell.col_span == 1 and len(cell.text) <= LONGEST_HEADER]
        if any(words and _OF_COLUMNS.issuperset(words) for words in map(fold, headings)):
            return None
        if (yield from self._named(headings)):
            return None
        # In a form, labels and values alternate.
        most = 0
        for column in columns[1:]:
            yield
            most = max(most, _known_phrases(column))
        if most >= FEWEST_NAMES and 2 * most >= _known_phrases(columns[0]):
            return None
        turned = [[_turned(cell) for cell in column] for column in columns]
        turned[0] = _with_names_above(rows)
        filled = [row for row in turned[1:] if any(cell.text for cell in row)]
        if len(filled) < FEWEST_COLUMNS - 1:
            return None
        return ReadTable([turned[0], *filled], table.heading, table.comma_likely, table.is_exact, header=1)

    def _named(self, texts: Sequence[str]) -> Slices[int]:
        """Return how many different texts name fields of a list, for the list with the most such texts."""
        counts = [0] * len(self._lists)
        for text in dict.fromkeys(texts):
            yield
            if text:
                counts = [count + names for count, names in zip(counts, self._names(text), strict=True)]
        return max(counts, default=0)

    def _names(self, text: str) -> list[bool]:
        """Return, for each list, whether a text names one of its fields."""
        if len(text) > LONGEST_HEADER or not any(map(str.isalpha, text)):
            return [False] * len(self._lists)
        if text not in self._known:
            if len(self._known) * sum(map(len, self._lists)) > MAX_COMPARED:
                return [False] * len(self._lists)
            self._known[text] = [any(likeness_by_words(one.names, text) >= NAMED for one in own) for own in self._lists]
        return self._known[text]


def _known_phrases(column: Sequence[ReadCell]) -> int:
    return sum(tuple(fold(cell.text)) in PHRASES for cell in column if len(cell.text) <= LONGEST_HEADER)


def _turned(cell: ReadCell) -> ReadCell:
    return cell._replace(row_span=cell.col_span, col_span=cell.row_span)


def _with_names_above(rows: Sequence[Sequence[ReadCell]]) -> list[ReadCell]:
    """Return the names of the rows. A row without a name gets the name in the row above it if that name's cell spans
    the row's texts: `Sample` above the numbers of samples."""
    names = [_turned(row[0]) for row in rows]
    for at, (above, row) in enumerate(pairwise(rows), 1):
        first = next((place for place, cell in enumerate(row) if cell.text), 0)
        if first and above[first].col_span >= len(row) - first > 1:
            names[at] = _turned(above[first])._replace(row_span=1, col_span=1)
    return names
