"""Reads tables with different assumptions about which of their rows form the header, and finds the rows that may be
items."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import accumulate
from typing import Final, Literal, NamedTuple

from tasks.extraction.column_values import has_decimal_commas
from tasks.extraction.concepts import concepts_of
from tasks.extraction.decimal_signs import decimal_sign
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.likeness import LEAST_LIKENESS, SAME_CONCEPT, likeness_by_words, likeness_of_label
from tasks.extraction.passages import MAX_CHARS, passages_of_entry
from tasks.extraction.sum_rows import RowKind, further_items, is_figure, kinds_of_rows
from tasks.notation.cells import is_missing, looks_numeric
from tasks.notation.currencies import is_currency
from tasks.notation.dates import days_mentioned, find_days
from tasks.notation.order_of_days import is_order_shown, order_of
from tasks.precontext import Entry
from tasks.read_table import NO_CELL, ReadCell, ReadTable

MAX_HEADERS: Final = 15
"""The header is searched for among at most this many rows at the beginning of a table."""
MAX_HEADER_CELLS: Final = 5_000
"""The header is searched for in at most this many cells, but always in the first row. Wide tables have their header at
the top."""
MAX_READINGS: Final = 3
"""At most this many readings of a table's header, the likeliest by words, are compared with the fields by meaning, at 4
ms a text. The first reading is compared as well."""
MAX_PAIRS: Final = 5_000
"""At most this many pairs of a column in a request's tables and a field of its lists are compared, at 0.2 ms a pair.
Further tables count as text."""
TALLEST_HEADER: Final = 3
"""A header has at most this many rows."""
LONGEST_HEADER: Final = 60
"""A header cell has at most this many characters. A longer cell is text."""
MAX_HEADER_CHARS: Final = 500
"""At most this many characters of a header's cell are compared with fields. One cell of a header may be text."""
MAX_TURNED: Final = 40
"""A table with more rows than this has its items in rows."""
FEWEST_TURNED: Final = 2
"""The first column has to name at least this many fields of a list if each further column is an item."""
FEWEST_UNFOLDED: Final = 3
"""A matrix has at least this many columns of values. Two may be amounts of two kinds."""
MAX_UNFOLDED: Final = 2_000
"""A matrix has at most this many cells."""
LONGEST_COMMON: Final = 3
"""Cells of at most this many characters do not show that two tables have the same rows, because tables of different
rows have such cells in common. If a table has only such cells, they count."""
MAX_COMPARED_ROWS: Final = 200
"""At most this many rows of a table tell the form of its values."""
FEWEST_OF_FORM: Final = 2
"""At least this many cells of a column show the form of its values."""
_FIGURE_IN_WORDS = re.compile(
    r"(?P<before>[^\d.,]{0,20}?)\d[\d.,'’]*?(?:[.,](?P<decimals>\d\d?))?(?P<after>\s?[^\W\d_]\D{0,19}|\s?[€$£¥%])?"
)
"""Pattern of a cell with one figure, and perhaps words before or after it."""
_UNIT_IN_BRACKETS = re.compile(r"(?<=\S)\s*[(\[][^()\[\]]{1,12}[)\]]$")

Place = tuple[str, str]
"""The pointer and the text of a cell."""


@dataclass(eq=False)
class HeadedTable:
    """A table with one assumption about which of its rows form the header."""

    entry: Entry
    table: ReadTable
    top: int
    end: int
    """Index of the header's first row, and of the first row below it. Both are equal if there is no header."""
    forms: list[tuple[str, ...]]
    """Possible texts of each column's header: the cell alone, and with the cells above it."""
    known_days: Sequence[date] = ()
    """Days in the text around the table."""
    days_first: bool | None = None
    """True if the text has the day before the month in days such as `03/04/05`, False if the month before the day, None
    if it does not show the order."""

    @property
    def has_header(self) -> bool:
        return self.end > self.top

    @property
    def header(self) -> list[str]:
        return [forms[-1] if forms else "" for forms in self.forms]

    @cached_property
    def title(self) -> str:
        """The text of the header without spaces. Two readings of a header have the same title even if they divide it
        into different cells."""
        return "".join("".join(self.header).split())

    @cached_property
    def body(self) -> list[Sequence[ReadCell]]:
        """The rows below the header that may be items. Repeated headers, rows of a single cell in a wider table, sums
        and what goes on from them are left out, and so is what is below the sums of a page, unless there are further
        sections of items."""
        return self._rows_by_kind[0]

    @cached_property
    def sums(self) -> list[Sequence[ReadCell]]:
        """The rows below items that sum them."""
        return self._rows_by_kind[1]

    def lines_of(self, at: int, column: int) -> list[ReadCell]:
        """Return the printed lines of a cell of the body, with those of the rows below it that have no other cell."""
        cell = self.body[at][column]
        lines = [cell._replace(text=text, source=cell.text, lines=()) for text in cell.lines] or [cell]
        return [line for line in lines if line.text] + self._lines_below[at].get(column, [])

    @cached_property
    def _lines_below(self) -> list[dict[int, list[ReadCell]]]:
        """The cells of the rows of one cell below each row of the body, by column."""
        numbers = {id(row): number for number, row in enumerate(self.body)}
        found: list[dict[int, list[ReadCell]]] = [{} for _ in self.body]
        number = -1
        for row in self.table.rows[self.end :]:
            filled = [column for column, cell in enumerate(row) if cell.text]
            if len(filled) != 1:
                number = numbers.get(id(row), -1)
            elif number >= 0:
                found[number].setdefault(filled[0], []).append(row[filled[0]])
        return found

    @cached_property
    def sections(self) -> list[ReadCell]:
        """The heading above each row of the body: a row of a single cell at the beginning. A cell without a text
        stands for no heading, and so for all rows if the first one has none.

        Notes are left out: if most of these rows are in capitals, the others are notes, and so is a row that begins
        with a sign or ends a sentence.
        """
        items = {id(row) for row in self.body}
        rows = self.table.rows[self.end :]
        headings = [row[0] if is_heading_row(row) else None for row in rows]
        are_capitals = [heading.text.isupper() for heading in headings if heading is not None]
        is_in_capitals = 2 * sum(are_capitals) > len(are_capitals)
        last, found = NO_CELL, list[ReadCell]()
        for heading, row in zip(headings, rows, strict=True):
            if heading is not None and heading.text.isupper() >= is_in_capitals:
                last = heading
            if id(row) in items:
                found.append(last)
        return found if found and found[0].text else [NO_CELL] * len(self.body)

    @property
    def left_out(self) -> list[tuple[Sequence[ReadCell], str]]:
        """The rows below the header that cannot be items by their form, each with the reason."""
        taken = {id(row) for row in self.body}
        kinds = {id(row): kind for row, kind in self._rows_with_kinds}
        reasons = {"item": "below the sums", "sum": "a sum", "carried": "a carried sum", "below": "below a sum"}
        return [
            (row, reasons[kinds[id(row)]] if id(row) in kinds else "the header again, or a single cell")
            for row in self.table.rows[self.end :]
            if id(row) not in taken
        ]

    @cached_property
    def _rows_with_kinds(self) -> list[tuple[Sequence[ReadCell], RowKind]]:
        """The rows below the header with the kind of each, without repeated headers and rows of a single cell."""
        header = self.table.texts[self.end - 1] if self.has_header else None
        least = min(2, len(self.forms) - 1)
        own = [(row, [cell.text for cell in row]) for row in self.table.rows[self.end :]]
        own = [(row, texts) for row, texts in own if texts != header and sum(map(bool, texts)) >= least]
        kinds = kinds_of_rows([texts for _, texts in own], comma=self.table.comma_likely)
        return [(row, kind) for (row, _), kind in zip(own, kinds, strict=True)]

    @cached_property
    def _rows_by_kind(self) -> tuple[list[Sequence[ReadCell]], list[Sequence[ReadCell]]]:
        own = self._rows_with_kinds
        kinds = [kind for _, kind in own]
        first = next((at for at, kind in enumerate(kinds) if kind == "sum" and "item" in kinds[:at]), len(own))
        items = {at for at, kind in enumerate(kinds) if kind == "item" and (self.table.is_exact or at < first)}
        further = further_items([[cell.text for cell in row] for row, _ in own], kinds, first)
        body = [row for at, (row, _) in enumerate(own) if at in items | further]
        # Sums among the items are those of a section. What sums all items is below them.
        below = first if self.table.is_exact else max(further, default=first)
        sums = [row for row, kind in own[below:] if kind == "sum"]
        return body, sums

    @cached_property
    def places(self) -> set[Place]:
        """The places and texts of the cells below the header."""
        return places_of(self.body)


def is_heading_row(row: Sequence[ReadCell]) -> bool:
    """True if a row has nothing but a short text in its first cell that may be a heading."""
    text = row[0].text
    is_alone = bool(text) and not any(cell.text for cell in row[1:])
    return (
        is_alone and len(text) <= LONGEST_HEADER and text[0].isalnum() and text[-1] not in ".;," and not is_figure(text)
    )


def places_of(rows: Sequence[Sequence[ReadCell]]) -> set[Place]:
    """Return the places and texts of the cells in rows. Short texts, such as ranks, are left out unless there are no
    others, because every table of a page may have them."""
    found = {(cell.pointer, cell.text) for row in rows for cell in row if cell.text}
    return {place for place in found if len(place[1]) > LONGEST_COMMON} or found


def affordable_tables(tables: Sequence[tuple[Entry, ReadTable]], fields: int) -> list[tuple[Entry, ReadTable]]:
    """Return the first tables whose columns may be compared with this number of fields (`MAX_PAIRS`)."""
    pairs = accumulate(len(table.rows[0]) * fields for _, table in tables)
    return [one for one, used in zip(tables, pairs, strict=True) if used <= MAX_PAIRS]


def transposed(table: ReadTable, lists: Iterable[Sequence[WantedField]]) -> ReadTable | None:
    """Return a table with rows and columns exchanged, if its first column rather than a row at its beginning names the
    fields of a list, so that each further column is an item; None for any other table."""
    if not 2 <= len(table.rows) <= MAX_TURNED or table.header > 1:
        return None
    beginnings = [row[0] for row in table.texts]
    tops = table.texts[:MAX_HEADERS]
    for fields in lists:
        named = _count_named(beginnings, fields)
        if named >= FEWEST_TURNED and named > max(_count_named(row, fields) for row in tops):
            return ReadTable([*zip(*table.rows, strict=True)], table.heading, table.comma_likely, table.is_exact)
    return None


def unfolded(table: ReadTable, lists: Iterable[Sequence[WantedField]]) -> ReadTable | None:
    """Return a table with a row for each cell of a matrix, such as prices by size or hours by weekday, if the items of
    a list are cells of `table`: the texts at the beginning of its row, the header of its column, and its value. None
    for any other table.

    The list has two fields more than the table has columns of texts, and no header of the other columns is the name of
    a field or of anything else that is known."""
    if table.header > 1 or len(table.rows) < 2:
        return None
    header, *rows = table.rows
    figures = [
        column
        for column, head in enumerate(header)
        if head.text
        and all(is_missing(row[column].text) or looks_numeric(row[column].text) for row in rows)
        and any(row[column].text for row in rows)
    ]
    texts = [column for column in range(len(header)) if column not in figures]
    heads = [header[column].text for column in figures]
    if not texts or len(figures) < FEWEST_UNFOLDED or len(rows) * len(figures) > MAX_UNFOLDED:
        return None
    is_asked = any(len(fields) == len(texts) + 2 and not _count_named(heads, fields) for fields in lists)
    if not is_asked or any(concepts_of(tuple(fold(head))) for head in heads):
        return None
    cells = [
        [*(row[at] for at in texts), header[column], row[column]]
        for row in rows
        for column in figures
        if not is_missing(row[column].text)
    ]
    first = [*(header[at] for at in texts), NO_CELL, NO_CELL]
    return ReadTable([first, *cells], table.heading, table.comma_likely, table.is_exact, header=1)


def _count_named(texts: Sequence[str], fields: Sequence[WantedField]) -> int:
    """Return the number of fields that texts name."""
    short = [text for text in texts if text and len(text) <= LONGEST_HEADER]
    return sum(any(likeness_by_words(one.names, text) >= LEAST_LIKENESS for text in short) for one in fields)


def headed_tables(tables: Sequence[tuple[Entry, ReadTable]], fields: Sequence[WantedField]) -> list[HeadedTable]:
    """Return several readings of each table: those with the headers that are most likely by words, and one without a
    header."""
    likeness: dict[str, float] = {}

    def likeness_of(forms: Sequence[str]) -> float:
        for text in forms:
            if text not in likeness:
                likeness[text] = max(likeness_of_label(one.names, text) for one in fields)
        return min(max((likeness[text] for text in forms), default=0.0), SAME_CONCEPT)

    found: list[HeadedTable] = []
    notations: dict[int, _TableNotation] = {}
    for entry, table in tables:
        notation = notations.get(id(entry)) or notations.setdefault(id(entry), _notation_of(entry))
        likely = table.comma_likely or notation.has_decimal_commas
        table = replace(table, comma_likely=has_decimal_commas(table.texts, likely=likely))
        headed = [HeadedTable(entry, table, *one, notation.days, notation.days_first) for one in _headers(table)]
        ranked = sorted(headed, key=lambda reading: -sum(map(likeness_of, reading.forms)))[:MAX_READINGS]
        ranked += [reading for reading in headed[:1] if reading not in ranked]
        first = next((index for index, row in enumerate(table.texts) if sum(map(bool, row)) > 1), 0)
        without = [()] * len(table.rows[0])
        found += [*ranked, HeadedTable(entry, table, first, first, [*without], notation.days, notation.days_first)]
    return found


@dataclass(frozen=True, slots=True)
class _TableNotation:
    """The notation of numbers and days in a document."""

    days: list[date]
    days_first: bool | None
    has_decimal_commas: bool


def _notation_of(entry: Entry) -> _TableNotation:
    passages = passages_of_entry(entry)
    text = "\n".join([passage.text for passage in passages])[:MAX_CHARS]
    orders = {order_of(text[day.start : day.end], day) for day in find_days(text)} - {None}
    # Where no day shows the order, the currency or the language of the text may.
    shown = orders.pop() if len(orders) == 1 else True if not orders and is_order_shown((), [text]) else None
    return _TableNotation(days_mentioned(text), shown, decimal_sign(passages) == ",")


def header_texts(readings: Sequence[HeadedTable]) -> list[str]:
    """Return the header texts of tables, each text once."""
    return list(dict.fromkeys(text for one in readings for forms in one.forms for text in forms if text))


def _headers(table: ReadTable) -> list[tuple[int, int, list[tuple[str, ...]]]]:
    """Return the possible headers of a table: the header's first row, the row after its last one, and its forms. The
    unit that the cells of a column print is one of the column's forms, too."""
    texts = table.texts
    values = _forms_of_columns(texts)
    units = _units_of_columns(values)

    def with_units(forms: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
        return [(unit, *own) if unit and own else own for unit, own in zip(units, forms, strict=True)]

    if table.header:
        return [(0, table.header, with_units(_forms(table.rows[: table.header], rows_are_lines=True)))]
    most = min(MAX_HEADERS, len(texts) - 1, max(1, MAX_HEADER_CELLS // len(texts[0])))
    may_be_header = [_may_be_header(row) and not _has_values(row, values) for row in texts[:most]]
    found = []
    for end in range(1, most + 1):
        for top in range(end - 1, max(-1, end - 1 - TALLEST_HEADER), -1):
            if not may_be_header[top]:
                break
            if sum(map(bool, texts[end - 1])) + sum(map(bool, texts[top])) > 2:
                found.append((top, end, with_units(_forms(table.rows[top:end]))))
    return found


def _may_be_header(row: Sequence[str]) -> bool:
    # A year or an hour may be the header of a column, but most headers are words.
    filled = [cell for cell in row if cell]
    return 2 * sum(len(cell) <= LONGEST_HEADER and not is_figure(cell) for cell in filled) > len(filled)


class _ValueForm(NamedTuple):
    """The form of a cell with one figure, by which values differ from headers."""

    kind: Literal["decimal", "money", "measure", "labelled"]
    words: str
    """The decimals as zeros, or the unit or the label of the figure."""


def _form_of_value(cell: str) -> _ValueForm | None:
    """Return the form of a figure with decimals, a unit or a label, such as `1,250.00`, `54 sqm` and `Flat 1`; None for
    other texts, for a day, and for a whole number, which may be a header: a year, an hour, a rank."""
    is_day = is_figure(cell) and not looks_numeric(cell)
    if is_day or len(cell) > LONGEST_HEADER or (found := _FIGURE_IN_WORDS.fullmatch(cell)) is None:
        return None
    before, decimals, after = ((found[name] or "").strip() for name in ("before", "decimals", "after"))
    if any(map(is_currency, (before, after))):
        return _ValueForm("money", "")
    if before or after:
        return _ValueForm("labelled", before) if before else _ValueForm("measure", after)
    return _ValueForm("decimal", "0" * len(decimals)) if decimals else None


def _forms_of_columns(rows: Sequence[Sequence[str]]) -> list[list[_ValueForm | None]]:
    return [[_form_of_value(cell) for cell in column if cell] for column in zip(*rows[:MAX_COMPARED_ROWS], strict=True)]


def _has_values(row: Sequence[str], columns: Sequence[Sequence[_ValueForm | None]]) -> bool:
    """True if a cell of a row has the form of most values of its column, so that the row is not a header."""
    for cell, forms in zip(row, columns, strict=True):
        own = _form_of_value(cell)
        if own is not None:
            alike = sum(one is not None and (one == own or one.kind == own.kind == "measure") for one in forms)
            if alike >= FEWEST_OF_FORM and 2 * alike > len(forms):
                return True
    return False


def _units_of_columns(columns: Sequence[Sequence[_ValueForm | None]]) -> list[str]:
    """Return the unit or the label that most cells of each column print with their figures; empty if there is none."""
    found = []
    for forms in columns:
        counts = Counter(one.words for one in forms if one is not None and one.kind in ("measure", "labelled"))
        words, count = counts.most_common(1)[0] if counts else ("", 0)
        found.append(words if count >= FEWEST_OF_FORM and 2 * count > len(forms) else "")
    return found


def _forms(rows: Sequence[Sequence[ReadCell]], *, rows_are_lines: bool = False) -> list[tuple[str, ...]]:
    """Return the possible header texts of each column. A cell in an upper row extends to the right until the next cell
    of its row. If the rows are the lines of header cells, cells do not extend, and each line alone may name its
    column."""
    texts = [[cell.text[:MAX_HEADER_CHARS] for cell in row] for row in rows]
    reached = [_reaching(row) for row in texts[:-1]]
    found: list[tuple[str, ...]] = []
    for index, lines in enumerate(zip(*texts, strict=True)):
        own = lines[-1]
        above = [row[index] for row in reached] if own and not rows_are_lines else lines[:-1]
        whole = " ".join(dict.fromkeys(filter(None, [*above, own])))
        lines_of_cell = rows[-1][index].lines
        alone = (*_shorter(own), *lines_of_cell, *(lines if rows_are_lines else [own]))
        found.append(tuple(dict.fromkeys(filter(None, (*alone, whole)))))
    return found


def _shorter(head: str) -> list[str]:
    """Return a header without the unit in brackets at its end, and the two names that a slash separates: `Sum insured`
    and `limit` of `Sum insured / limit (EUR)`."""
    bare = _UNIT_IN_BRACKETS.sub("", head)
    names = [name.strip() for name in bare.split("/")]
    are_names = len(names) == 2 and all(sum(map(str.isalpha, name)) > 2 for name in names)
    return [*([bare] if bare != head else []), *(names if are_names else [])]


def _reaching(row: Sequence[str]) -> list[str]:
    texts: list[str] = []
    for text in row:
        texts.append(text or (texts[-1] if texts else ""))
    return texts
