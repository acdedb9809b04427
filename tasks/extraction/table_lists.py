"""Fills lists of objects column by column from tables.

A column is assigned to a field by the meaning of its header, by the type of its cells, and by elimination. Each list
gets the table that answers most of its fields, and each table fills one list. Tables with the same header count as one.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from itertools import accumulate, islice, pairwise, product, takewhile
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from models.fair_executor import Slices, in_slices
from tasks.extraction.best_pairs import best_pairs
from tasks.extraction.column_values import (
    NO_VALUE,
    UNREADABLE,
    emptiest_value,
    has_decimal_commas_in_slices,
    has_ranges,
    is_read,
    values_of_column,
    values_of_column_in_slices,
)
from tasks.extraction.concepts import CONCEPTS, PHRASES, are_synonyms, concepts_of, may_be_same
from tasks.extraction.decimal_signs import decimal_sign
from tasks.extraction.features import Matrix, types_of, wants_iso
from tasks.extraction.fields import WantedField, may_be_copied
from tasks.extraction.folding import fold
from tasks.extraction.names import Names, names_of, spelt_out
from tasks.extraction.object_lists import MAX_ITEMS, MAX_WORDS, SUMS
from tasks.extraction.passages import MAX_CHARS, passages_of_entry
from tasks.extraction.probability import CELLS_AT_ONCE, CellOfField, worth_of
from tasks.extraction.sum_labels import goes_on_from_sum, is_carried
from tasks.notation.cells import is_missing, looks_numeric, moment
from tasks.notation.currencies import is_currency
from tasks.notation.dates import days_mentioned, find_days, find_days_in_slices, is_day_of_a_year, parse_day
from tasks.notation.order_of_days import order_of
from tasks.notation.words import WEEKDAYS
from tasks.precontext import Entry
from tasks.read_table import NO_CELL, ReadCell, ReadTable
from tasks.schema.paths import JsonPath

MAX_HEADERS = 15
"""The header is searched for among at most this many rows at the beginning of a table."""
MAX_HEADER_CELLS = 5_000
"""The header is searched for in at most this many cells, but always in the first row. Wide tables have their header at
the top."""
MAX_READINGS = 3
"""At most this many readings of a table's header, the likeliest by words, are compared with the fields by meaning, at 4
ms a text. The first reading is compared as well."""
MAX_EMBEDDED = 400
"""At most this many header texts are compared with the fields by meaning. Further texts are compared by words alone."""
MAX_COMPARED, FEWEST_COMPARED = 200, 20
"""The cells of at most `MAX_COMPARED` rows below a table's header are compared with the fields. If a request has many
tables, readings and fields, fewer rows are compared, but at least `FEWEST_COMPARED`."""
MAX_CELLS = 400_000
"""If the number of cells of all readings, times the number of different schemas of fields, is more than this, fewer
rows are compared. None of 36 documents needs more than 7,000."""
MAX_PAIRS = 5_000
"""At most this many pairs of a column in a request's tables and a field of its lists are compared, at 0.2 ms a pair.
Further tables count as text."""
TALLEST_HEADER = 3
"""A header has at most this many rows."""
LONGEST_HEADER = 60
"""A header cell has at most this many characters. A longer cell is text."""
MAX_HEADER_CHARS = 500
"""At most this many characters of a header's cell are compared with fields. One cell of a header may be text."""
SAME_NAME, SAME_CONCEPT, NEAR_CONCEPT, SIMILAR = 3.0, 2.0, 0.9, 1.5
"""A header weighs SAME_NAME for a field if it is a name of the field, SAME_CONCEPT if it has the field's concept,
NEAR_CONCEPT if it has only a weak concept of the field or a concept that may mean the same, and SIMILAR if it has the
same embedding. Words in common weigh up to 1."""
SYNONYM = 0.8
"""Weight of a synonym relative to the word itself."""
LEAST_COSINE = 0.45
"""A header and a field are alike in meaning if the cosine of their embeddings is at least this."""
LEAST_LIKENESS = 0.6
"""A header is assigned to a field only if its weight for the field is at least this."""
ABBREVIATED = 0.8
"""Weight of a header that consists of the initials of a field's name, or of consonants of its only word."""
SHORTEST_OF_CONSONANTS = 3
_SHORT_HEADERS = frozenset(("id", "no", "nr"))
"""Short words that are headers themselves, so they are not read as the initials of a field's name."""
LONGEST_ABBREVIATION = 4
"""An abbreviation has at most this many letters."""
_VOWELS = frozenset("aeiou")
LEAST_FIT = 0.75
"""At least this share of a column's cells must fit the field's type."""
LEAST_FIT_WITH_NULL = 0.5
"""If a field may be null and the header names it, at least this share of the cells must fit it: a text such as
`included` may be among amounts."""
MAX_GAPLESS_COLUMNS = 3
"""If a table has more columns than this, a row with one empty cell counts as full."""
LEAST_NAMED_SHARE, LEAST_NAMED_SHARE_IF_EXACT = 0.6, 0.3
"""Headers must name at least LEAST_NAMED_SHARE of a list's fields. LEAST_NAMED_SHARE_IF_EXACT suffices for an exact
table, for a table with columns for all core fields (`_in_order_from`) if there are more than two, and for a list that
only tables can fill."""
FEWEST_ANCHORS = 2
"""Columns beside and between named columns are assigned by their order (`_take_between`) only if headers name at least
this many columns."""
FEWEST_TELLING = 2
"""If at least this many columns have required values, a row in which all these columns are filled is an item, however
many other cells are empty. A single such column is enough if its field is not plain text."""
FEWEST_CHOICES, LEAST_CHOSEN = 4, 0.9
"""A table on a page without a header fills a list if a column has at least FEWEST_CHOICES cells, of which at least the
share LEAST_CHOSEN are values of the list's enum."""
FEWEST_FIGURES = 3
"""A word with at least this many figures in a section's heading counts as a number, such as the number of a delivery
note."""
FEWEST_PARTED = 2
"""The first row below a header is separated from it only if at least this many columns have their header and a figure
in one cell."""
FEWEST_IN_ORDER = 4
"""Once a header names one field of a list with at least this many core fields (`_in_order_from`), the order of these
fields alone may assign a table's columns."""
CELLS_OF_SUM = 2
"""A row that goes on from a sum has at most this many cells: its label and its amount."""
FEWEST_OF_FULL_ROW = 3
"""A full row with words in place of numbers is an item if at least this many columns answer fields."""
SHORTEST_WORD, LONGEST_WORDS = 3, 30
"""Words in place of a number have at least, and at most, this many characters."""
LEAST_READABLE = 0.9
"""A table found by the places of words must have at least this share of its required cells readable. If fewer are, it
was probably cut at the wrong places."""
ANSWERED_SHARE = 0.5
"""A table fills a list only if its columns answer more than this share of the list's fields."""


KIN_LETTERS = 5
"""The first cells of two headers are of one kind if they have this many last letters in common."""
_GROUPS = frozenset(
    fold(
        "group gruppe groupe grupo gruppo groep grupa grupp section sezione sección seccion abschnitt part parte partie"
    )
)
_UNIT_IN_BRACKETS = re.compile(r"(?<=\S)\s*[(\[][^()\[\]]{1,12}[)\]]$")
ROWS_AT_ONCE, COLUMNS_AT_ONCE = 64, 8
"""At most this many rows, or this many columns, are read in one step."""
SAME_ROWS_SHARE = 0.3
"""Two tables are readings of the same rows if one has more than this share of the other's cells."""
LONGEST_SHORT_DAY = 4
"""The short name of a weekday, such as `thur`, has at most this many letters."""
LONGEST_COMMON = 3
"""Cells of at most this many characters do not show that two tables have the same rows, because tables of different
rows have such cells in common. If a table has only such cells, they count."""
MAX_GROUPED = 5_000
"""At most this many tables are compared with others of the same header, in all groups together, at 0.4 ms a table. The
first group is always compared."""
RIVAL_SHARE = 0.6
"""A table competes with the best table for a list if its match is worth at least this share of the best match. Of the
competing tables, the one whose rows are worth most fills the list."""


@dataclass(slots=True)
class FilledList:
    rows: list[dict[str, Any]]
    cells: dict[JsonPath, CellOfField] = field(default_factory=dict)
    """The cell of each value, by the value's path."""
    missing: list[WantedField] = field(default_factory=list)
    """The fields that neither a column nor a section's heading answers."""
    is_exact: bool = True
    """False if the table's cells were found by the places of words."""
    is_cut: bool = False
    """True if there are more items than MAX_ITEMS."""
    is_ended: bool = False
    """True if further lines below the table are not items."""

    @property
    def is_named(self) -> bool:
        """True if the list is called like the heading above its table."""
        return any(cell.is_named for cell in self.cells.values())

    def worth(self) -> Slices[float]:
        return worth_of(self.cells.values())


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
    are_sums: Sequence[bool] = ()
    """True for each row of the table that is a sum of other rows, False for any other row."""

    @property
    def header(self) -> list[str]:
        return [forms[-1] if forms else "" for forms in self.forms]

    @cached_property
    def title(self) -> str:
        """The text of the header without spaces. Two readings of a header have the same title even if they divide it
        into different cells."""
        return "".join("".join(self.header).split())

    @cached_property
    def kin_title(self) -> tuple[str, ...]:
        """The header's cells, of the first one only the last letters: the same for `Core subjects` and `Other
        subjects`. Empty if the first cell or the rest of the header has no words."""
        first, *rest = ["".join(fold(text)) for text in self.header]
        return (first[-KIN_LETTERS:], *rest) if len(first) >= KIN_LETTERS and first.isalpha() and any(rest) else ()

    @cached_property
    def header_places(self) -> set[tuple[str, str]]:
        """The places and texts of the header's last row, for a table on a page."""
        header = self.table.rows[self.end - 1] if self.end > self.top else ()
        return {(cell.pointer, cell.text) for cell in header if "bounds" in cell.place}

    @cached_property
    def places(self) -> set[tuple[str, str]]:
        """The places and texts of the cells below the header. Short texts, such as ranks, are left out unless there are
        no others, because every table of a page may have them."""
        found = {(cell.pointer, cell.text) for row in _body(self) for cell in row if cell.text}
        return {place for place in found if len(place[1]) > LONGEST_COMMON} or found


def affordable_tables(tables: Sequence[tuple[Entry, ReadTable]], fields: int) -> list[tuple[Entry, ReadTable]]:
    """Return the first tables whose columns may be compared with this number of fields (`MAX_PAIRS`)."""
    pairs = accumulate(len(table.rows[0]) * fields for _, table in tables)
    return [one for one, used in zip(tables, pairs, strict=True) if used <= MAX_PAIRS]


def headed_tables(
    tables: Sequence[tuple[Entry, ReadTable]], fields: Sequence[WantedField]
) -> Slices[list[HeadedTable]]:
    """Return several readings of each table: those with the headers that are most likely by words, and one without a
    header."""
    likeness_of_text: dict[str, float] = {}

    def likeness_of_header(forms: Sequence[str]) -> float:
        return max((likeness_of_text[text] for text in forms), default=0.0)

    found: list[HeadedTable] = []
    days: dict[int, list[date]] = {}
    commas: dict[int, bool] = {}
    orders: dict[int, bool | None] = {}
    for entry, table in tables:
        table = yield from _without_carried_sums(table)
        if id(entry) not in days:
            passages = yield from passages_of_entry(entry)
            for passage in passages:
                yield from passage.prepare()
            text = "\n".join([passage.text for passage in passages])[:MAX_CHARS]
            days[id(entry)] = yield from days_mentioned(text)
            found_days = yield from find_days_in_slices(text)
            own_orders = {order_of(text[day.start : day.end], day) for day in found_days} - {None}
            orders[id(entry)] = own_orders.pop() if len(own_orders) == 1 else None
            commas[id(entry)] = (yield from decimal_sign(passages)) == ","
        yield
        table = _with_parted_header(table)
        likely = table.comma_likely or commas[id(entry)]
        table = replace(table, comma_likely=(yield from has_decimal_commas_in_slices(table.texts, likely=likely)))
        are_sums = yield from _find_sums(table)
        *headed, unheaded = yield from _readings(entry, table, days[id(entry)], orders[id(entry)], are_sums)
        for text in {text: None for reading in headed for forms in reading.forms for text in forms}:
            if text not in likeness_of_text:
                yield
                likeness_of_text[text] = max(likeness_by_words(reading.names, text) for reading in fields)
        scores = []
        for reading in headed:
            yield
            scores.append(sum(min(likeness_of_header(forms), SAME_CONCEPT) for forms in reading.forms))
        ranked = [headed[index] for index in sorted(range(len(headed)), key=lambda index: -scores[index])]
        kept = ranked[:MAX_READINGS] + [reading for reading in headed[:1] if reading not in ranked[:MAX_READINGS]]
        found += [*kept, unheaded]
    return found


def header_texts(readings: Sequence[HeadedTable]) -> Slices[list[str]]:
    """Return the header texts of tables, each text once."""
    found: dict[str, None] = {}
    for one in readings:
        yield
        found.update(dict.fromkeys(text for forms in one.forms for text in forms if text))
    return list(found)


def _find_sums(table: ReadTable) -> Slices[list[bool]]:
    """Return, for each row of the table, True if the row is a sum of other rows."""
    found: list[bool] = []
    at_once = _rows_at_once(table)
    for texts in table.texts:
        if len(found) % at_once == at_once - 1:
            yield
        found.append(is_total(texts))
    return found


def _rows_at_once(table: ReadTable) -> int:
    """Return the number of a table's rows that are read in one step: of wide tables, a single one."""
    return max(1, min(ROWS_AT_ONCE, CELLS_AT_ONCE // len(table.rows[0])))


def _without_carried_sums(table: ReadTable) -> Slices[ReadTable]:
    """Return a table without the sums that are carried to the next page. On a page with two columns, such a sum
    remains, because it divides the rows as any other sum does."""
    if not table.is_exact and len(table.rows[0]) <= CELLS_OF_SUM:
        return table
    rows: list[Sequence[ReadCell]] = []
    at_once = _rows_at_once(table)
    for index, row in enumerate(table.rows):
        if index % at_once == at_once - 1:
            yield
        if index < table.header or not is_carried_forward([cell.text for cell in row]):
            rows.append(row)
    return replace(table, rows=rows) if rows and len(rows) < len(table.rows) else table


def _readings(
    entry: Entry, table: ReadTable, days: Sequence[date], days_first: bool | None, are_sums: Sequence[bool]
) -> Slices[list[HeadedTable]]:
    """Return the readings of a table with a header, and as the last one that without a header."""
    width = len(table.rows[0])
    texts = table.texts
    most = min(MAX_HEADERS, len(texts) - 1, max(1, MAX_HEADER_CELLS // width))
    found = []
    if table.header:
        most = 0
        forms = _forms(table.rows[: table.header], width, rows_are_lines=True)
        found.append(HeadedTable(entry, table, 0, table.header, forms, days, days_first, are_sums=are_sums))
    may_be_header = [False] * most
    for index, row in enumerate(texts[:most]):
        may_be_header[index] = yield from _may_be_header(row)
    last_rows = [-1] * width
    if most and not table.is_exact:
        at_once = _rows_at_once(table)
        for index, row in enumerate(texts):
            if index % at_once == at_once - 1:
                yield
            last_rows = [index if text else last for text, last in zip(row, last_rows, strict=True)]
    for end in range(1, most + 1):
        for top in range(end - 1, max(-1, end - 1 - TALLEST_HEADER), -1):
            yield
            # A row of days below another row may be the last row of a header.
            if not may_be_header[top] and not (0 < top == end - 1 and _are_days(texts[top])):
                break
            if sum(map(bool, texts[end - 1])) + sum(map(bool, texts[top])) <= 2:
                continue
            forms = _forms(table.rows[top:end], width)
            forms = forms if table.is_exact else _above_cells(forms, last_rows, end)
            found.append(HeadedTable(entry, table, top, end, forms, days, days_first, are_sums=are_sums))
    first = next((index for index, row in enumerate(texts) if sum(map(bool, row)) > 1), 0)
    return [*found, HeadedTable(entry, table, first, first, [()] * width, days, days_first, are_sums=are_sums)]


def _with_parted_header(table: ReadTable) -> ReadTable:
    """Return a table with its first row split into two, if OCR read the header and the row below it as one row: `Date
    03.08.`, `Amount 86,42`.

    The header of a column of figures or days ends where a figure or a day begins, and the header of a column of texts
    ends with a known name.
    """
    with_figures = sum(any(map(str.isdigit, cell.text)) for cell in table.rows[0])
    if table.is_exact or len(table.rows) < 3 or with_figures < FEWEST_PARTED:
        return table
    columns = [[row[index].text for row in table.rows[1:] if row[index].text] for index in range(len(table.rows[0]))]
    is_figure_column = [2 * sum(map(_is_figure, column)) > len(column) for column in columns]
    parted = [_part(cell, is_figure=own) for cell, own in zip(table.rows[0], is_figure_column, strict=True)]
    figures = [bool(rest.text) for (name, rest), own in zip(parted, is_figure_column, strict=True) if own and name.text]
    if len(figures) < FEWEST_PARTED or not all(figures):
        return table
    return replace(table, rows=[[name for name, _ in parted], [rest for _, rest in parted], *table.rows[1:]])


def _part(cell: ReadCell, *, is_figure: bool) -> tuple[ReadCell, ReadCell]:
    """Return the header and the first cell of a column that were read as one cell."""
    words = cell.text.split() if len(cell.text) <= 2 * LONGEST_HEADER else []
    sizes = range(1, len(words)) if is_figure else range(len(words) - 1, 0, -1)
    for size in sizes:
        name, rest = " ".join(words[:size]), " ".join(words[size:])
        if _is_figure(rest) if is_figure else tuple(fold(name)) in PHRASES:
            return cell._replace(text=name, source=cell.text), cell._replace(text=rest, source=cell.text)
    return cell, NO_CELL


def _is_figure(text: str) -> bool:
    return looks_numeric(text) or moment(text) is not None or is_day_of_a_year(text)


def _may_be_header(row: Sequence[str]) -> Slices[bool]:
    filled = [cell for cell in row if cell]
    # A year or an hour may be the header of a column, but most headers are words. Several days are the header of
    # results by day.
    short = [cell for cell in filled if len(cell) <= LONGEST_HEADER]
    are_figures = yield from in_slices(_is_figure, short)
    words = [cell for cell, is_figure in zip(short, are_figures, strict=True) if not is_figure]
    parsed = yield from in_slices(parse_day, short)
    days = [cell for cell, day in zip(short, parsed, strict=True) if day]
    return 2 * len(words) > len(filled) - (len(days) if _are_days(days) and len(words) > 1 else 0)


def _are_days(row: Sequence[str]) -> bool:
    """True if a row has different days and nothing else, in order or in reverse order."""
    days = [(day.readings[0] if (day := parse_day(cell)) else None) for cell in row if cell]
    known = [day for day in days if day is not None]
    return len(known) == len(days) == len({*known}) > 1 and known in (sorted(known), sorted(known, reverse=True))


def _forms(rows: Sequence[Sequence[ReadCell]], width: int, *, rows_are_lines: bool = False) -> list[tuple[str, ...]]:
    """Return the possible header texts of each column. A cell in an upper row extends to the right until the next cell
    of its row. If the rows are the lines of header cells, cells do not extend, and each line alone may name its
    column."""
    found: list[tuple[str, ...]] = []
    texts = [[cell.text[:MAX_HEADER_CHARS] for cell in row] for row in rows]
    reached = [_reaching(row) for row in texts[:-1]]
    for index in range(width):
        lines = [row[index] for row in texts]
        own = lines[-1]
        above = [group[index] for group in reached] if own and not rows_are_lines else lines[:-1]
        whole = " ".join(dict.fromkeys(filter(None, [*above, own])))
        found.append(tuple(dict.fromkeys(filter(None, (*_shorter(own), *(lines if rows_are_lines else [own]), whole)))))
    return found


def _above_cells(forms: Sequence[tuple[str, ...]], last_rows: Sequence[int], end: int) -> list[tuple[str, ...]]:
    """Return the header texts, with the headers of empty columns moved to a neighbouring column that has cells but no
    header. Such columns occur because the numbers of a wide column are at its right, but its header may be at its left
    or in its middle.

    `last_rows` has, for each column, the index of the last row with a text. The header ends before row `end`.
    """
    moved = list(forms)
    for column, own in enumerate(forms):
        if not own or last_rows[column] >= end:
            continue
        neighbours = [index for index in (column + 1, column - 1) if 0 <= index < len(forms)]
        free = next((index for index in neighbours if not moved[index] and last_rows[index] >= end), None)
        if free is not None:
            moved[column], moved[free] = (), own
    return moved


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


def likeness_by_words(wanted: Names, head: str) -> float:
    """Return how well a header matches a field by its words and by the table of concepts."""
    header = _header_words(head)
    if not header.words:
        return 0.0
    if header.words in wanted.own or header.joined in wanted.joined:
        return SAME_NAME
    if header.weekdays and header.weekdays in map(_weekdays_in, wanted.own):
        return SAME_NAME
    concepts, own_concepts = header.concepts, wanted.concepts
    by_concepts = 0.0
    common = concepts & own_concepts
    if any(not CONCEPTS[name].weak for name in common):
        by_concepts = SAME_CONCEPT - 0.3 * (len(concepts | own_concepts) - 1)
    elif common or (concepts and own_concepts and may_be_same(concepts, own_concepts)):
        by_concepts = NEAR_CONCEPT
    by_words = max((_share_of_words(header.spelt_out, own) for own in wanted.word_sets), default=0.0)
    joined = header.joined
    prefix_shares = [
        min(len(joined), len(key)) / max(len(joined), len(key))
        for key in wanted.joined
        if len(key) > 2 and len(joined) > 2 and (key.startswith(joined) or joined.startswith(key))
    ]
    if len(joined) <= LONGEST_ABBREVIATION:
        by_words = max(by_words, *(_likeness_of_abbreviation(head, own) for own in wanted.own), 0.0)
    return by_concepts + max(by_words, *prefix_shares, 0.0)


class _HeaderWords(NamedTuple):
    """The words of a header, as they are compared with the names of many fields."""

    words: tuple[str, ...]
    joined: str
    weekdays: set[int]
    concepts: frozenset[str]
    spelt_out: frozenset[str]


@lru_cache(maxsize=1024)
def _header_words(head: str) -> _HeaderWords:
    words = tuple(fold(head))
    concepts = concepts_of(words) if len(words) <= 2 * MAX_WORDS else frozenset[str]()
    return _HeaderWords(words, "".join(words), _weekdays_in(words), concepts, frozenset(spelt_out(words)))


def _likeness_of_abbreviation(head: str, name: Sequence[str]) -> float:
    """Return how likely a header of one word abbreviates a name. It may be the initials of the name's words (`GD` for
    goal difference), or consonants of the name's only word (`Pts` for points). Initials that are a known header
    themselves do not count."""
    letters = head.rstrip(".")
    abbreviation = letters.casefold()
    if not (1 < len(abbreviation) <= LONGEST_ABBREVIATION and abbreviation.isascii() and abbreviation.isalpha()):
        return 0.0
    if letters.isupper() and abbreviation == "".join(word[:1] for word in name):
        return 0.0 if abbreviation in _SHORT_HEADERS or concepts_of((abbreviation,)) else ABBREVIATED
    if len(name) != 1 or len(abbreviation) < SHORTEST_OF_CONSONANTS or not _VOWELS.isdisjoint(abbreviation[1:]):
        return 0.0
    remaining_letters = iter(name[0])
    is_within = all(letter in remaining_letters for letter in abbreviation)
    return ABBREVIATED if is_within and (abbreviation[0], abbreviation[-1]) == (name[0][0], name[0][-1]) else 0.0


def _weekdays_in(words: Sequence[str]) -> set[int]:
    """Return the numbers of the weekdays that words name, in full, in short or in the plural. Short names count only if
    every word names a weekday, because `do` and `sat` are other words, too."""
    days = {word: WEEKDAYS.get(word) or WEEKDAYS.get(word.removesuffix("s")) for word in words[:MAX_WORDS]}
    is_short = all(days.values())
    return {day for word, day in days.items() if day and (is_short or len(word) > LONGEST_SHORT_DAY)}


def likeness_by_meaning(matches: Matrix) -> Matrix:
    """Return how well headers match fields by their meanings, given the result of `label_matches`."""
    cosines = np.maximum(matches[:, :, 4], matches[:, :, 10])
    is_nearest = matches[:, :, 6] >= 0
    letters = np.sqrt(matches[:, :, 8] * matches[:, :, 9])
    found: Matrix = np.maximum(np.where(cosines >= LEAST_COSINE, SIMILAR * cosines, 0.0), letters)
    return found + 0.1 * is_nearest * (cosines >= LEAST_COSINE)


def _share_of_words(head_words: Collection[str], name_words: Collection[str]) -> float:
    """Return the share of words that a header and a name have in common. Synonyms count nearly as much as equal
    words."""
    words = frozenset(name_words)
    equal = words.intersection(head_words)
    synonyms = sum(any(are_synonyms(word, other) for other in head_words) for word in words - equal)
    # The words are counted before they are weighed, because a sum of weights depends on the order of the words.
    return (len(equal) + SYNONYM * synonyms) / max(len(words), len(head_words))


def fill_lists(
    readings: Sequence[HeadedTable],
    lists: Mapping[JsonPath, Sequence[WantedField]],
    likeness: Mapping[tuple[JsonPath, str], float],
) -> Slices[dict[JsonPath, FilledList]]:
    """Fill each list from the table that answers it best. `likeness` is the weight of a header for a field, by the
    field's path and the header's text."""
    compared = _ComparedColumns(readings, lists)
    matches: list[_Match] = []
    for path, fields in lists.items():
        likeliest: dict[int, _Match] = {}
        for reading in readings:
            yield
            match = yield from _match(reading, path, fields, likeness, compared)
            key = id(reading.table)
            if match is not None and (key not in likeliest or match.worth > likeliest[key].worth):
                likeliest[key] = match
        matches += _without_spanned(likeliest.values())
    most_columns: dict[int, int] = {}
    for match in matches:
        key = id(match.reading.table)
        most_columns[key] = max(most_columns.get(key, 0), len(match.columns))
    # A table belongs to the list of which it answers most fields, unless that list is filled from another table.
    is_own = {id(match): len(match.columns) == most_columns[id(match.reading.table)] for match in matches}
    matches.sort(key=lambda one: (not is_own[id(one)], -one.worth))
    order = {id(reading.table): index for index, reading in enumerate(readings)}
    found: dict[JsonPath, FilledList] = {}
    used: set[tuple[str, str]] = set()
    for match in matches:
        yield
        if match.path in found or _is_used(match, used):
            continue
        rivals = []
        for one in matches:
            yield
            # A match always competes, too. A wide table may have a negative worth, which is less than a share of it.
            if one is match or (
                one.path == match.path
                and is_own[id(one)] == is_own[id(match)]
                and one.worth >= RIVAL_SHARE * match.worth
                and not _is_used(one, used)
            ):
                rivals.append(one)
        groups = yield from _groups_of(rivals, matches, used, order)
        # A group may contain another reading of the same table, cut at the wrong places, so each table is tried alone,
        # too.
        alone = {id(group[0]) for group in groups if len(group) == 1}
        groups += [[one] for one in rivals if id(one) not in alone]
        best, best_worth = None, -np.inf
        for group in groups:
            filled = yield from _filled(group, lists[match.path])
            if filled is not None and (worth := (yield from filled.worth())) > best_worth:  # the first of equals
                best, best_worth = filled, worth
        if best is not None:
            used |= {(cell.cell.pointer, cell.cell.text) for cell in best.cells.values() if cell.is_read}
            found[match.path] = best
    return found


def _without_spanned(matches: Collection["_Match"]) -> Iterator["_Match"]:
    """Yield the matches of a list. If two tables have the same header and only one has cells that span rows, the other
    is left out: only rulings show that a cell spans rows, so the other is a worse reading of the same table."""
    spanning = [
        any(cell.row_span > 1 for row in match.reading.table.rows[match.reading.end :] for cell in row)
        for match in matches
    ]
    spanning_places = {
        place for match, spans in zip(matches, spanning, strict=True) if spans for place in match.reading.header_places
    }
    for match, spans in zip(matches, spanning, strict=True):
        places = match.reading.header_places
        if spans or 2 * len(places & spanning_places) <= len(places):
            yield match


def _groups_of(
    rivals: Sequence["_Match"],
    matches: Sequence["_Match"],
    used: Collection[tuple[str, str]],
    order: Mapping[int, int],
) -> Slices[list[list["_Match"]]]:
    """Return the groups of tables with the same header that contain one of `rivals`, each group once. Beside a table
    whose header no other has, tables are in its group if only the beginnings of their headers differ.

    If no table has several readings, all tables with the same header are one group. Otherwise, each rival has a group
    of its own. Once all groups together would have more than MAX_GROUPED tables, the remaining rivals get no group.
    """
    by_header: dict[str, list[_Match]] = {}
    by_kin: dict[tuple[str, ...], list[_Match]] = {}
    for one in sorted(matches, key=lambda one: order[id(one.reading.table)]):
        yield
        has_header = one.reading.end > one.reading.top
        if has_header and one.path == rivals[0].path and not _is_used(one, used):
            by_header.setdefault(one.reading.title, []).append(one)
            by_kin.setdefault(one.reading.kin_title, []).append(one)
    groups: list[list[_Match]] = []
    grouped: set[int] = set()
    looked_at = 0
    for match in rivals:
        if id(match) in grouped:
            continue
        alike = by_header.get(match.reading.title, []) if match.reading.end > match.reading.top else []
        if len(alike) == 1 and match.reading.kin_title:
            alike = by_kin[match.reading.kin_title]
        looked_at += len(alike)
        if groups and looked_at > MAX_GROUPED:
            continue
        group = yield from _with_same_header(match, alike)
        groups.append(sorted(group, key=lambda one: order[id(one.reading.table)]))
        if len(group) == len(alike):
            grouped.update(map(id, group))
    return groups


def _with_same_header(match: "_Match", alike: Sequence["_Match"]) -> Slices[list["_Match"]]:
    """Return `match` and each match of `alike` whose table is not another reading of a table already returned."""
    found, own = [match], set(match.reading.places)
    headers: dict[tuple[str, str], list[_Match]] = {place: [match] for place in match.reading.header_places}
    for other in alike:
        yield
        if other is match or _is_used(other, own) or _has_header_of_one(other, headers):
            continue
        found.append(other)
        own |= other.reading.places
        for place in other.reading.header_places:
            headers.setdefault(place, []).append(other)
    return found


def _has_header_of_one(match: "_Match", headers: Mapping[tuple[str, str], Sequence["_Match"]]) -> bool:
    """True if a table of a page was found below the same printed header as one of the other tables, so both are
    readings of one table. `headers` has the other matches by the places of their headers."""
    own = match.reading.header_places
    others = {id(other): other for place in own for other in headers.get(place, ())}
    return any(
        2 * len(own & other.reading.header_places) > min(len(own), len(other.reading.header_places))
        for other in others.values()
    )


def _is_used(match: "_Match", used: Collection[tuple[str, str]]) -> bool:
    """True if many of a table's cells are already used by a reading of the same rows."""
    own = match.reading.places
    return sum(place in used for place in own) > SAME_ROWS_SHARE * len(own)


class _Match(NamedTuple):
    """An assignment of a table's columns to the fields of a list."""

    path: JsonPath
    reading: HeadedTable
    columns: Mapping[int, int]
    """Column of each field, by the field's index."""
    likeness: Matrix
    """Weight of each column's header for each field, fields × columns."""
    worth: float


class _ComparedColumns:
    """The columns of readings, and the shares of their cells that have a value for a field. Lists of one request often
    have equal fields, and equal columns are compared only once with fields of equal schemas."""

    def __init__(self, readings: Sequence[HeadedTable], lists: Mapping[JsonPath, Sequence[WantedField]]) -> None:
        self._schemas = {
            one.path: json.dumps(one.schema, sort_keys=True) for fields in lists.values() for one in fields
        }
        cells = sum(len(reading.forms) * min(MAX_COMPARED, len(reading.table.rows)) for reading in readings)
        cells *= len(set(self._schemas.values()))
        self._rows = max(FEWEST_COMPARED, MAX_COMPARED * MAX_CELLS // max(MAX_CELLS, cells))
        self._columns: dict[int, list[tuple[str, ...]]] = {}
        self._have_no_words: dict[tuple[str, ...], bool] = {}
        self._shares: dict[tuple[str, bool, int, tuple[str, ...]], float] = {}

    def of(self, reading: HeadedTable) -> list[tuple[str, ...]]:
        """Return the columns of a reading's first rows below the header; none if there are no such rows."""
        if id(reading) not in self._columns:
            body = [[cell.text for cell in row] for row in islice(_body(reading), self._rows)]
            self._columns[id(reading)] = list(zip(*body, strict=True))
        return self._columns[id(reading)]

    def has_no_words(self, column: tuple[str, ...]) -> bool:
        if column not in self._have_no_words:
            self._have_no_words[column] = _has_no_words(column)
        return self._have_no_words[column]

    def fit(self, reading: HeadedTable, column: tuple[str, ...], field: WantedField) -> float:
        """Return the share of a column's values that a field can take; LEAST_FIT if the column has no values."""
        comma, days = reading.table.comma_likely, reading.known_days
        key = self._schemas[field.path], comma, id(days), column
        if key not in self._shares:
            values = values_of_column(column, field, comma_likely=comma, known_days=days)
            present = [value for cell, value in zip(column, values, strict=True) if not is_missing(cell)]
            read = sum(value is not UNREADABLE for value in present)
            self._shares[key] = read / len(present) if present else LEAST_FIT
        return self._shares[key]


def _match(
    reading: HeadedTable,
    path: JsonPath,
    fields: Sequence[WantedField],
    likeness: Mapping[tuple[JsonPath, str], float],
    compared: _ComparedColumns,
) -> Slices[_Match | None]:
    width = len(reading.forms)
    columns = compared.of(reading)
    if not columns:
        return None
    likeness_by_field: list[list[float]] = []
    for one in fields:
        yield
        likeness_by_field.append(
            [max((likeness.get((one.path, text), 0.0) for text in forms), default=0.0) for forms in reading.forms]
        )
    header_likeness = np.array(likeness_by_field).reshape(len(fields), width)
    has_header = reading.end > reading.top
    likely_count = int((header_likeness.max(axis=1) >= LEAST_LIKENESS).sum())
    core = [
        index
        for index, one in enumerate(fields)
        if not one.fits(None) or header_likeness[index].max() >= LEAST_LIKENESS
    ]
    may_be_in_order = width >= len(core) and likely_count > 0
    if has_header and likely_count <= ANSWERED_SHARE * len(fields) - 1 and not may_be_in_order:
        return None
    shares: list[float] = []
    for one, cells in product(fields, columns):
        if len(shares) % COLUMNS_AT_ONCE == 0:
            yield
        shares.append(compared.fit(reading, cells, one))
    fit = np.array(shares).reshape(len(fields), width)
    if not has_header:
        if not (reading.table.is_exact or _has_column_of_choices(fields, columns, fit)):
            return None
        return _in_order(reading, path, fields, columns, fit)
    have_no_words = [compared.has_no_words(column) for column in columns]
    yield
    is_foreign = np.outer([is_plain_text(one) for one in fields], have_no_words)
    may_be_null = np.array([[one.fits(None)] for one in fields])
    least_fit = np.where(may_be_null & (header_likeness >= SAME_CONCEPT), LEAST_FIT_WITH_NULL, LEAST_FIT)
    # A header such as `unit price` contains the name of a field for units, but a column of figures holds no units.
    foreign = np.array([[np.inf if "unit" in one.names.concepts else SAME_CONCEPT] for one in fields])
    worth = np.where(
        (header_likeness >= np.where(is_foreign, foreign, LEAST_LIKENESS)) & (fit >= least_fit),
        header_likeness * fit,
        0.0,
    )
    # If two columns fit a field equally well, their order decides.
    field_indices, column_indices = np.indices(worth.shape)
    worth -= np.where(worth > 0, 0.01 * np.abs(field_indices / max(1, len(fields)) - column_indices / width), 0.0)
    pairs = yield from best_pairs(worth)
    column_by_field = {index: column for index, column in pairs if worth[index, column] > 0}
    by_header = len(column_by_field)
    first_column = _in_order_from(column_by_field, core, fields, columns, fit)
    if first_column is not None:
        column_by_field |= {index: first_column + offset for offset, index in enumerate(core)}
    elif by_header >= FEWEST_ANCHORS:
        _take_between(column_by_field, fields, columns, fit)
    for index, column in column_by_field.items():
        # A column assigned by the order of columns has the least weight with which a header is assigned.
        header_likeness[index, column] = max(header_likeness[index, column], LEAST_LIKENESS)
    # The headings of sections, if there are any, answer a field of texts without a column.
    headings = (
        _section_field(column_by_field, fields) if len(column_by_field) > 2 and _begins_with_heading(reading) else []
    )
    wanted = [index for index in range(len(fields)) if index not in headings]
    _take_left_over(column_by_field, wanted, fields, columns, fit)
    # Without a table, the extractor fills only lists of texts and numbers. For any other list, a table with few named
    # fields is better than none.
    is_whole = by_header > 0 and len(core) > 2 and all(index in column_by_field for index in core)
    needed_share = (
        LEAST_NAMED_SHARE_IF_EXACT
        if reading.table.is_exact or is_whole or _only_by_table(fields)
        else LEAST_NAMED_SHARE
    )
    if first_column is not None:
        needed_share = 0.0
    if len(column_by_field) <= ANSWERED_SHARE * len(fields) or by_header < needed_share * len(fields):
        return None
    total = float(sum(worth[index, column] for index, column in column_by_field.items())) + 0.2 * (
        len(column_by_field) - by_header
    )
    header_count = sum(any(forms) for forms in reading.forms)
    total = total / len(fields) - 0.02 * max(0, header_count - len(column_by_field))
    total -= 0.03 * (reading.end - reading.top) + 0.01 * reading.top
    return _Match(path, reading, column_by_field, header_likeness, total)


def is_plain_text(field: WantedField) -> bool:
    return (
        types_of(field.schema) - {"null"} == {"string"} and "enum" not in field.schema and not wants_iso(field.schema)
    )


def means_group(field: WantedField) -> bool:
    """True if a field asks for the group or the section of an item."""
    words = {word for own in field.names.own[:1] for word in own}
    return "category" in field.names.concepts or bool(words & _GROUPS)


def _has_no_words(column: Sequence[str]) -> bool:
    """True if all cells of a column are numbers or days."""
    return all(_is_figure(cell) for cell in column if not is_missing(cell))


def _only_by_table(fields: Sequence[WantedField]) -> bool:
    return not all(may_be_copied(one.schema, one.names) for one in fields)


def _body(reading: HeadedTable, *, with_sections: bool = False) -> Iterator[Sequence[ReadCell]]:
    """Yield the rows below the header that may be items. Sums, repeated headers and all rows below the sums of a page
    are left out. In a table of more than two columns, rows of a single cell are left out, too, unless `with_sections`
    asks for the headings of sections."""
    header = reading.table.texts[reading.end - 1] if reading.end > reading.top else None
    has_begun = False
    least = 1 if with_sections else min(2, len(reading.forms) - 1)
    rows_and_sums = zip(reading.table.rows, reading.are_sums, strict=True)
    for row, is_sum in islice(rows_and_sums, reading.end, None):
        texts = [cell.text for cell in row]
        if is_sum:
            if not reading.table.is_exact and has_begun:
                return  # Rows below the sums of a page are not items.
        elif texts != header and sum(map(bool, texts)) >= least:
            has_begun = True
            yield row


def _in_order(
    reading: HeadedTable, path: JsonPath, fields: Sequence[WantedField], columns: Sequence[Sequence[str]], fit: Matrix
) -> _Match | None:
    """Match a table without a header, by assigning its columns to the fields in order. Return None unless there is a
    column for each field, enough cells of each column fit, and the first row has digits if all fields ask for texts."""
    if len(fields) != len(columns) or not bool((fit.diagonal() >= LEAST_FIT).all()):
        return None
    telling_fields = [one for one in fields if types_of(one.schema) - {"null"} != {"string"} or wants_iso(one.schema)]
    first = [column[0] for column in columns]
    has_figures = any(any(map(str.isdigit, cell)) for cell in first)
    if not (telling_fields or has_figures or _has_column_of_choices(fields, columns, fit)):
        return None
    column_by_field = {index: index for index in range(len(fields))}
    return _Match(path, reading, column_by_field, np.zeros_like(fit), 0.1)


def _has_column_of_choices(fields: Sequence[WantedField], columns: Sequence[Sequence[str]], fit: Matrix) -> bool:
    """True if a table without a header has the values of an enum in the enum's place, such as the marks beside the
    subjects in a school report. There must be at least FEWEST_CHOICES cells, with more than one value."""
    if len(fields) != len(columns):
        return False
    for index, (one, column) in enumerate(zip(fields, columns, strict=True)):
        present = [cell for cell in column if not is_missing(cell)]
        if "enum" in one.schema and fit[index, index] >= LEAST_CHOSEN and len(present) >= FEWEST_CHOICES:
            return len(set(present)) > 1
    return False


def _take_left_over(
    column_by_field: dict[int, int],
    wanted: Sequence[int],
    fields: Sequence[WantedField],
    columns: Sequence[Sequence[str]],
    fit: Matrix,
) -> None:
    """Assign remaining columns to `wanted` fields without a column, the most restrictive types of fields first. A field
    gets a column if no other remaining column fits its type, and no other field of an equally restrictive type fits
    one. Of several columns that fit a day, the first is taken."""

    def pickiness(index: int) -> int:
        schema = fields[index].schema
        types = types_of(schema)
        if "enum" in schema or "boolean" in types or wants_iso(schema):
            return 0
        return 1 if types & {"number", "integer"} else 2

    has_words: dict[int, bool] = {}
    """True for each column that has names or other texts, and not only signs, numbers, days or ranges."""

    def is_own(index: int, column: int) -> bool:
        present = [cell for cell in columns[column] if not is_missing(cell)]
        if not present or fit[index, column] < LEAST_FIT:
            return False
        if pickiness(index) == 1:
            # A column of numbers after words, such as `Thu 17`, is not the count that a field without a header wants.
            return 2 * sum(cell[:1].isalpha() and not looks_numeric(cell) for cell in present) <= len(present)
        if pickiness(index) == 2 and column not in has_words:
            is_text = any(map(_has_letters, present)) and not _has_no_words(present)
            has_words[column] = is_text and not has_ranges([(cell,) for cell in present])
        return pickiness(index) != 2 or has_words[column]

    open_fields = sorted((index for index in wanted if index not in column_by_field), key=pickiness)
    for kind in (0, 1, 2):
        for index in [one for one in open_fields if pickiness(one) == kind]:
            free_columns = [
                column
                for column in range(len(columns))
                if column not in column_by_field.values() and is_own(index, column)
            ]
            rivals = [
                other
                for other in open_fields
                if other not in column_by_field and other != index and pickiness(other) == kind
            ]
            rivals = [other for other in rivals if any(fit[other, column] >= LEAST_FIT for column in free_columns)]
            # Of several columns of dates, the first one states when something happened.
            if (len(free_columns) == 1 or (free_columns and wants_iso(fields[index].schema))) and not rivals:
                column_by_field[index] = free_columns[0]


def _in_order_from(
    column_by_field: Mapping[int, int],
    core: Sequence[int],
    fields: Sequence[WantedField],
    columns: Sequence[Sequence[str]],
    fit: Matrix,
) -> int | None:
    """Return the first of consecutive columns that answer the `core` fields in their order; None if there are no such
    columns. The core fields are those that may not be null and those that a header names.

    Columns that a header assigns must be in the places of their fields. There must be columns of texts and columns of
    figures, each where the fields ask for them.
    """
    firsts = {column - core.index(index) for index, column in column_by_field.items()}
    first = min(firsts, default=-1)
    if len(firsts) != 1 or len(core) < FEWEST_IN_ORDER or not 0 <= first <= len(columns) - len(core):
        return None
    has_words = [not _has_no_words(columns[first + offset]) for offset in range(len(core))]
    texts = [is_plain_text(fields[index]) for index in core]
    fits = all(fit[index, first + offset] >= LEAST_FIT for offset, index in enumerate(core))
    return first if fits and has_words == texts and 0 < sum(texts) < len(texts) else None


def _take_between(
    column_by_field: dict[int, int], fields: Sequence[WantedField], columns: Sequence[Sequence[str]], fit: Matrix
) -> None:
    """Assign columns to fields in order wherever two neighbouring assignments have as many columns as fields between
    them. The two edges of the table count as assignments.

    Nothing is assigned if the columns that are already assigned are not in the order of their fields.
    """
    anchors = sorted(column_by_field.items())
    if any(other[1] < one[1] for one, other in pairwise(anchors)):
        return
    for (field_before, column_before), (field_after, column_after) in pairwise(
        [(-1, -1), *anchors, (len(fields), len(columns))]
    ):
        if column_after - column_before == field_after - field_before:
            between = zip(range(field_before + 1, field_after), range(column_before + 1, column_after), strict=True)
            column_by_field |= {
                index: column
                for index, column in between
                if fit[index, column] >= LEAST_FIT and not all(map(is_missing, columns[column]))
            }


def is_total(row: Sequence[str]) -> bool:
    """True if a row is a sum of other rows. Either its first text, or all texts before its first number, are the label
    of a sum, or it has an empty cell and its first text means a sum."""
    filled = [cell for cell in row if cell]
    words = tuple(fold(filled[0])) if filled else ()
    texts = islice(takewhile(lambda cell: not looks_numeric(cell), filled), MAX_WORDS + 1)
    label = tuple(fold(" ".join(texts)))
    if len(filled) > 1 and (PHRASES.get(words) in SUMS or PHRASES.get(label) in SUMS):
        return True
    if len(row) > MAX_GAPLESS_COLUMNS and row.count("") <= 1 and any(map(_has_words, filled[1:])):
        return False  # A full row with words after the first cell is an item, such as `Total protein` with its unit.
    return "" in row and 0 < len(words) <= MAX_WORDS and not concepts_of(words).isdisjoint(SUMS)


def is_carried_forward(row: Sequence[str]) -> bool:
    """True if a row has nothing but a sum of the rows above it, or of those on the last page, for the next page."""
    label, *rest = [cell for cell in row if cell] or [""]
    return bool(rest) and not any(map(_has_words, rest)) and is_carried(label)


def _has_words(cell: str) -> bool:
    return any(map(str.isalpha, cell)) and not looks_numeric(cell) and not is_currency(cell)


def _filled(matches: Sequence[_Match], fields: Sequence[WantedField]) -> Slices[FilledList | None]:
    last = matches[-1].reading.table
    found = FilledList([], is_exact=matches[0].reading.table.is_exact, is_ended=last.is_ended)
    for match in matches:
        yield
        if found.is_cut:
            break
        if not (yield from _append(found, match, fields)):
            return None
    if not found.rows or (not matches[0].reading.table.is_exact and _read_share(found, fields) < LEAST_READABLE):
        return None
    if len(found.rows) == 1:
        found.cells = {path: cell._replace(is_only=True) for path, cell in found.cells.items()}
    return found


def _read_share(found: FilledList, fields: Sequence[WantedField]) -> float:
    demanded = {str(one.path[-1]) for one in _demanded(fields)} - {str(one.path[-1]) for one in found.missing}
    cells = [cell.is_read for path, cell in found.cells.items() if path[-1] in demanded]
    return sum(cells) / len(cells) if cells else 1.0


def _demanded(fields: Sequence[WantedField]) -> list[WantedField]:
    """Return the fields that may not be null and are not lists."""
    return [one for one in fields if not one.fits(None) and "array" not in types_of(one.schema)]


def _append(found: FilledList, match: _Match, fields: Sequence[WantedField]) -> Slices[bool]:
    """Append the rows of a table to a list. Return False if a field without a value may be neither empty nor left
    out."""
    reading, column_by_field = match.reading, match.columns
    header = reading.header
    names = names_of(match.path, {"type": "array"})
    is_named = likeness_by_words(names, reading.table.heading) >= LEAST_LIKENESS
    body = [*_body(reading, with_sections=True)]
    rows_and_sections = [
        (row, section)
        for row, section in zip(body, _sections(body, column_by_field), strict=True)
        if sum(bool(cell.text) for cell in row) >= min(2, len(row) - 1)
    ]
    below = reading.table.rows[reading.end :]
    sums_above = accumulate(reading.are_sums[reading.end :])
    part_of = {id(row): row_index for row, row_index in zip(below, sums_above, strict=True)}
    parts = [part_of[id(row)] for row, _ in rows_and_sections]
    rows = [list(row) for row, _ in rows_and_sections]
    yield
    yield from _fill_down(rows, parts, column_by_field, fields, is_exact=reading.table.is_exact)
    section_cells = _cells_of_sections([section for _, section in rows_and_sections], column_by_field, fields)
    cells_of_fields = {index: [row[column] for row in rows] for index, column in column_by_field.items()}
    values: dict[int, list[Any]] = {}
    are_measured = has_ranges([[cell.text for cell in row] for row in rows])
    for index, cells in (cells_of_fields | section_cells).items():
        yield
        values[index] = yield from values_of_column_in_slices(
            [cell.text for cell in cells],
            fields[index],
            comma_likely=reading.table.comma_likely,
            known_days=reading.known_days,
            has_ranges=are_measured,
            days_first=reading.days_first,
        )
    answered = [
        sum(values[index][row_index] not in (None, UNREADABLE) for index in column_by_field)
        for row_index in range(len(rows))
    ]
    typical = median(answered) if answered else 0
    telling_fields = [index for index in column_by_field if not fields[index].fits(None)]
    demanded = [index for index in telling_fields if fields[index] in _demanded(fields)]
    are_telling = len(demanded) >= FEWEST_TELLING or any(not is_plain_text(fields[index]) for index in demanded)
    missing = [one for index, one in enumerate(fields) if index not in values]
    if not found.rows:
        found.missing = missing
    complete = [row_index for row_index, part in enumerate(parts) if not part]
    full = [
        index
        for index in telling_fields
        if complete
        and not is_plain_text(fields[index])
        and all(is_read(values[index][row_index]) for row_index in complete)
    ]
    below_items = yield from _below_items(rows, parts, width=len(header))
    for row_index, row in enumerate(rows):
        if row_index % ROWS_AT_ONCE == 0:
            yield
        if row_index in below_items:
            continue
        if parts[row_index] and not all(is_read(values[index][row_index]) for index in full):
            continue  # a tax or a payment below a sum lacks what every item has
        least_share = _least_answered_share(reading.table)
        known_count = sum(is_read(values[index][row_index]) for index in telling_fields)
        is_whole = are_telling and all(is_read(values[index][row_index]) for index in demanded)
        is_whole = is_whole or _says_words(
            row, {index: values[index][row_index] for index in column_by_field}, column_by_field, fields, header
        )
        if (answered[row_index] < least_share * typical and not is_whole) or (telling_fields and not known_count):
            continue  # a note, or a line that continues the row above
        if len(found.rows) >= MAX_ITEMS:
            found.is_cut = True
            break
        item: dict[str, Any] = {}
        for index, one in enumerate(fields):
            path = (*one.path[:-1], len(found.rows), one.path[-1])
            cell = NO_CELL
            value: Any = None
            if index in column_by_field:
                value, cell = values[index][row_index], row[column_by_field[index]]
            elif index in section_cells:
                value, cell = values[index][row_index], section_cells[index][row_index]
            read_value = value
            if not is_read(value):
                value = emptiest_value(one)
                if value is NO_VALUE or (value is not None and one.may_be_left_out):
                    if not one.may_be_left_out:
                        return False
                    continue
            column = column_by_field.get(index)
            item[str(one.path[-1])] = value
            likeness = float(match.likeness[index, column]) if column is not None else 0.0
            if index in section_cells:
                likeness = LEAST_LIKENESS
            head = header[column] if column is not None else ""
            found.cells[path] = CellOfField(
                reading.entry,
                cell,
                head,
                likeness,
                len(column_by_field) / len(fields),
                is_read=is_read(read_value),
                is_text=is_plain_text(one),
                found_in="file" if reading.table.is_exact else "page",
                is_named=is_named,
            )
        found.rows.append(item)
    return True


def _below_items(rows: Sequence[Sequence[ReadCell]], parts: Sequence[int], *, width: int) -> Slices[set[int]]:
    """Return the indices of the rows below a sum that go on from it: taxes, payments and what remains to be paid.

    If the rows above the first sum fill more than two columns, these are rows with nothing but a label and a figure in
    the last column, unless an item that fills more follows. If they fill two, all rows below the sum have to be
    labelled as stages of it, because the items of such a table may go on below a partial sum and look the same. `parts`
    has the number of sums above each row, `width` the number of columns that the table has on paper.
    """
    filled: list[list[int]] = []
    for index, row in enumerate(rows):
        if index % ROWS_AT_ONCE == 0:
            yield
        filled.append([column for column, cell in enumerate(row[:width]) if cell.text])
    items = [columns for columns, part in zip(filled, parts, strict=True) if not part]
    below = [index for index, part in enumerate(parts) if part and filled[index]]
    if not items or not below:
        return set()
    if median(map(len, items)) > CELLS_OF_SUM:
        last = max(max(columns, default=0) for columns in items)
        fuller = max((index for index in below if len(filled[index]) > CELLS_OF_SUM), default=-1)
        return {
            index
            for index in below
            if len(filled[index]) <= CELLS_OF_SUM
            and filled[index][-1] == last
            and (index > fuller or goes_on_from_sum(rows[index][filled[index][0]].text))
        }
    for index in below:
        if index % ROWS_AT_ONCE == 0:
            yield
        if not goes_on_from_sum(rows[index][filled[index][0]].text):
            return set()
    return set(below)


def _says_words(
    row: Sequence[ReadCell],
    values: Mapping[int, Any],
    column_by_field: Mapping[int, int],
    fields: Sequence[WantedField],
    header: Sequence[str],
) -> bool:
    """True if a row has a name and is full, but has words in place of numbers: `Medical expenses`, `unlimited`,
    `none`. The names of columns and units do not count."""
    cells = {index: row[column].text for index, column in column_by_field.items()}
    words = [index for index, value in values.items() if not is_read(value)]
    if len(cells) < FEWEST_OF_FULL_ROW or not all(cells.values()) or len(words) == len(cells):
        return False
    return all(
        types_of(fields[index].schema) & {"number", "integer"}
        and fields[index].fits(None)
        and SHORTEST_WORD <= len(cells[index]) <= LONGEST_WORDS
        and any(map(str.isalpha, cells[index]))
        and not is_currency(cells[index])
        and set(fold(cells[index])).isdisjoint(fold(header[column_by_field[index]]))
        for index in words
    )


def mark_twins(
    lists: Mapping[JsonPath, FilledList], wanted: Mapping[JsonPath, Sequence[WantedField]]
) -> Slices[Mapping[JsonPath, FilledList]]:
    """Return the lists. If another list of the schema asks for at least half of a list's fields, the cells of this list
    are marked (`has_twin`)."""
    marked = dict(lists)
    for path, found in lists.items():
        other_fields = [own for other, own in wanted.items() if other != path]
        if any(
            2 * sum(_is_among_fields(one, own) for one in wanted[path]) >= len(wanted[path]) for own in other_fields
        ):
            cells: dict[JsonPath, CellOfField] = {}
            for cell_path, cell in found.cells.items():
                if len(cells) % CELLS_AT_ONCE == 0:
                    yield
                cells[cell_path] = cell._replace(has_twin=True)
            marked[path] = replace(found, cells=cells)
    return marked


def _is_among_fields(field: WantedField, other_fields: Sequence[WantedField]) -> bool:
    return any(
        field.names.concepts & other.names.concepts or field.names.own[0] in other.names.own for other in other_fields
    )


def _least_answered_share(table: ReadTable) -> float:
    """Return how many fields a row must answer to be an item, as a share of the typical number."""
    return 0.5 if table.is_exact else LEAST_NAMED_SHARE


def _sections(rows: Sequence[Sequence[ReadCell]], column_by_field: Mapping[int, int]) -> list[ReadCell | None]:
    """Return, for each row, the last heading above it, if the table begins with one and fills more than two fields.

    A heading is a row with a single cell, in the column of the first heading. It is in capitals if the first heading
    is, and does not end with a full stop.
    """
    found: list[ReadCell | None] = []
    section: ReadCell | None = None
    first = _single_cell(rows[0]) if rows and len(column_by_field) > 2 else None
    for row in rows:
        own = _single_cell(row)
        if first is not None and own is not None and own[0] == first[0]:
            is_like_first = own[1].text.isupper() or not first[1].text.isupper()
            section = own[1] if is_like_first and not own[1].text.endswith(".") else section
        found.append(section)
    return found


def _begins_with_heading(reading: HeadedTable) -> bool:
    first = next(_body(reading, with_sections=True), ())
    return _single_cell(first) is not None


def _single_cell(row: Sequence[ReadCell]) -> tuple[int, ReadCell] | None:
    filled = [(index, cell) for index, cell in enumerate(row) if cell.text]
    return filled[0] if len(filled) == 1 else None


def _cells_of_sections(
    sections: Sequence[ReadCell | None], column_by_field: Mapping[int, int], fields: Sequence[WantedField]
) -> dict[int, list[ReadCell]]:
    """Return, for each field that the headings of sections answer, the cell of each row: a day for a field of days, and
    the heading for a text.

    If the heading also gives the day, its only number of several figures is the text: `4711` of `Delivery note 4711 of
    4 March 2025`.
    """
    days_of_sections = {id(one): list(find_days(one.text)) for one in sections if one is not None}
    days = [
        index for index, one in enumerate(fields) if index not in column_by_field and one.schema.get("format") == "date"
    ]
    days = days if len(days) == 1 and all(len(own) == 1 for own in days_of_sections.values()) else []
    found: dict[int, list[ReadCell]] = {}
    for index in [*days, *_section_field(column_by_field, fields)] if days_of_sections else ():
        cells = found[index] = []
        for section in sections:
            text = section.text if section is not None else ""
            if section is not None and days:
                day = days_of_sections[id(section)][0]
                rest = f"{text[: day.start]} {text[day.end :]}"
                numbers = [word for word in rest.split() if sum(map(str.isdigit, word)) >= FEWEST_FIGURES]
                text = text[day.start : day.end] if index in days else numbers[0] if len(numbers) == 1 else rest.strip()
            cells.append(section._replace(text=text, source=section.text) if section is not None else NO_CELL)
    return found


def _section_field(column_by_field: Mapping[int, int], fields: Sequence[WantedField]) -> list[int]:
    """Return the index of the only text field without a column, or else of the only such field that means a group of
    rows, or else of the only one that must have a text. The result is empty if there is none of these."""
    left = [index for index, one in enumerate(fields) if index not in column_by_field and is_plain_text(one)]
    groups = [index for index in left if means_group(fields[index])]
    if len(left) > 1 and len(groups) == 1:
        return groups
    demanded = [index for index in left if not fields[index].fits(None)]
    return left if len(left) == 1 else demanded if len(demanded) == 1 else []


def _has_letters(text: str) -> bool:
    return any(map(str.isalnum, text))


def _fill_down(
    rows: Sequence[list[ReadCell]],
    parts: Sequence[int],
    column_by_field: Mapping[int, int],
    fields: Sequence[WantedField],
    *,
    is_exact: bool,
) -> Slices[None]:
    """Repeat each cell in all rows that it spans. For fields that may not be null, some cells are also repeated in the
    empty cells below them: days in the first column, because statements print a day once for several rows. In exact
    tables, texts of all columns are repeated, too, and numbers of the first column that are neither amounts nor counts.

    Converters of web pages and office documents leave cells empty if a cell above spans them. Beyond its span, a cell
    is repeated only in rows whose other cells are filled; in a wide table, one of them may be empty. No cell is
    repeated across a sum; sums separate the `parts` of the rows.
    """

    def has_other_cells(row: Sequence[ReadCell], column: int) -> bool:
        other_texts = [row[other].text for other in column_by_field.values() if other != column]
        return other_texts.count("") <= (len(other_texts) >= MAX_GAPLESS_COLUMNS)

    for index, column in column_by_field.items():
        yield
        kinds = {CONCEPTS[name].kind for name in fields[index].names.concepts}
        types = types_of(fields[index].schema)
        is_position = column == 0 and "number" not in types and kinds.isdisjoint(("amount", "count"))
        may_span = "string" in types or is_position
        is_day = column == 0 and wants_iso(fields[index].schema)
        may_repeat = (is_exact or is_day) and may_span and not fields[index].fits(None)
        spans = 0
        above: ReadCell | None = None
        part = 0
        for row, own in zip(rows, parts, strict=True):
            above, part = above if own == part else None, own
            cell = row[column]
            if cell.text:
                # A mark of a value, such as an arrow, says nothing about the values below, unless its cell spans them.
                above = cell if _has_letters(cell.text) or cell.row_span > 1 else None
                spans = cell.row_span - 1
            elif above is not None and (spans > 0 or (may_repeat and has_other_cells(row, column))):
                row[column] = above
                spans -= 1
