"""Fills lists of objects from tables: chooses the table of each list, and turns its rows into items.

Each list gets the table that answers most of its fields, and each table fills one list. Tables with the same header
count as one.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from statistics import median
from typing import Any, Final

import numpy as np

from tasks.extraction.assign import Assignment, ComparedColumns, Likeness, assign
from tasks.extraction.column_values import (
    NO_VALUE,
    emptiest_value,
    is_mostly_absent,
    is_plain_text,
    is_read,
    values_of_column,
)
from tasks.extraction.concepts import CONCEPTS
from tasks.extraction.examples import Example, taught_names
from tasks.extraction.extractor import Extractor
from tasks.extraction.features import types_of, wants_iso
from tasks.extraction.fields import MAX_FIELDS, WantedField
from tasks.extraction.headed_rows import tables_on_pages
from tasks.extraction.likeness import LEAST_LIKENESS, likeness_of_label
from tasks.extraction.names import names_of
from tasks.extraction.object_lists import MAX_ITEMS
from tasks.extraction.passages import passages_to_search
from tasks.extraction.probability import CHOICE, CellOfField, with_agreement, worth_of
from tasks.extraction.shared_tables import divided_rows
from tasks.extraction.table_readings import (
    HeadedTable,
    Place,
    affordable_tables,
    headed_tables,
    header_texts,
    transposed,
    unfolded,
)
from tasks.extraction.written_tables import tables_in
from tasks.notation.cells import looks_numeric
from tasks.precontext import Entry
from tasks.read_table import NO_CELL, ReadCell
from tasks.schema.paths import JsonPath

MAX_EMBEDDED: Final = 400
"""At most this many header texts are compared with the fields by meaning. Further texts are compared by words alone."""
SAME_ROWS_SHARE: Final = 0.3
"""Two tables are readings of the same rows if one has more than this share of the other's cells."""
MAX_GROUPED: Final = 500
"""At most this many tables with the same header are read as one."""
FEWEST_DEMANDED: Final = 3
"""Tables with different headers are parts of one list only if at least this many fields must have a value. A name and
an amount are in many tables."""
WHOLE_SHARE: Final = 0.4
"""A table that answers all fields which must have a value is a further part of a list if its assignment is worth at
least this share of the best one."""
ANSWERED: Final = 0.5
ANSWERED_ON_PAGE: Final = 0.6
"""A row answers at least this share of the fields that a typical row of its table answers, or else all fields that must
have a value. Any other row is a note, or continues the row above."""
WIDE: Final = 3
"""If at least this many other columns answer fields, one of their cells may be empty in a row that counts as full."""
FEWEST_TELLING: Final = 2
"""If at least this many columns must have a value, a row in which all these columns are filled is an item, however many
other cells are empty. A single such column is enough if its field is not plain text."""
LEAST_READABLE: Final = 0.9
"""A table found by the places of words must have at least this share of its required cells readable. If fewer are, it
was probably cut at the wrong places."""
CENT: Final = 0.006
"""The error of a sum is smaller than this, in units of the currency."""
FEWEST_COLUMNS: Final = 3
"""An exact table of at least this many columns shows that the other tables of its document are exact, too, so none is
searched for by the places of words."""


@dataclass(slots=True)
class ComparedTables:
    """The tables that were compared with lists. They are recorded only for a request that asks why a field has its
    value."""

    readings: Sequence[HeadedTable] = ()
    assignments: Sequence[Assignment] = ()
    """The best assignment of each table to each list that it may answer."""


@dataclass(slots=True)
class FilledList:
    rows: list[dict[str, Any]]
    cells: dict[JsonPath, CellOfField] = field(default_factory=dict)
    """The cell of each value, by the value's path."""
    missing: list[WantedField] = field(default_factory=list)
    """The fields that no column answers."""
    is_exact: bool = True
    """False if the table's cells were found by the places of words."""
    is_cut: bool = False
    """True if there are more items than MAX_ITEMS."""
    left_out: int = 0
    """Number of rows that are as full as items but were not taken."""
    contradicts_sum: bool = False
    """True if a sum of the items is printed, and is not the sum of their values."""

    unread: dict[str, list[int]] = field(default_factory=dict)
    """Indices of the items without a number or a day that the schema demands, by the name of the field, if other items
    have one."""

    @property
    def is_named(self) -> bool:
        """True if the list is called like the heading above its table."""
        return any(cell.is_named for cell in self.cells.values())

    @property
    def places(self) -> set[Place]:
        """The places and texts of the cells with values."""
        return {(cell.cell.pointer, cell.cell.text) for cell in self.cells.values() if cell.is_read}

    def worth(self) -> float:
        return worth_of(self.cells.values())

    def compared_with(self, others: Collection[Sequence[Mapping[str, Any]]]) -> "FilledList":
        """Return the list with how it agrees with `others`, its rows by other ways to fill it."""
        return replace(self, cells=with_agreement(self.cells, self.rows, others))

    def append(
        self,
        path: JsonPath,
        fields: Sequence[WantedField],
        item: Mapping[int, Any],
        cells: Mapping[int, CellOfField],
    ) -> None:
        """Append an item to the list at `path`. `item` has its values and `cells` their places, by the index of the
        field."""
        number = len(self.rows)
        for index, cell in cells.items():
            wanted = fields[index]
            self.cells[(*path, number, wanted.path[-1])] = cell
            if not cell.is_read and wanted not in self.missing and _is_demanded(wanted) and not is_plain_text(wanted):
                self.unread.setdefault(str(wanted.path[-1]), []).append(number)
        self.rows.append({str(fields[index].path[-1]): value for index, value in item.items()})

    def against_sum(self) -> "FilledList":
        """Return the list as one that contradicts a sum, with its cells in doubt."""
        cells = {path: cell._replace(is_in_doubt=True) for path, cell in self.cells.items()}
        return replace(self, contradicts_sum=True, cells=cells)


def with_taught_names(
    lists: Mapping[JsonPath, Sequence[WantedField]], examples: Sequence[Example]
) -> Mapping[JsonPath, Sequence[WantedField]]:
    """Return the fields of lists. If a column in the tables of an example contains most of the values of a field, its
    header is added to the names of that field."""
    for one in examples if lists else ():
        tables = _readings_of_tables(one.entries, lists)
        lists = {
            path: [field._replace(names=taught_names(field, tables, one.answer)) for field in fields]
            for path, fields in lists.items()
        }
    return lists


def fill_from_tables(
    read: Sequence[Entry],
    lists: Mapping[JsonPath, Sequence[WantedField]],
    extractor: Extractor | None,
    compared_tables: ComparedTables | None = None,
) -> tuple[dict[JsonPath, FilledList], bool]:
    """Fill lists of objects from the tables that were read. The second result is True if there are tables.

    `compared_tables` records the tables and their assignments. Raises ModelError.
    """
    readings = _readings_of_tables(read, lists) if lists else []
    if not readings:
        return {}, False
    fields = [one for columns in lists.values() for one in columns]
    headers = header_texts(readings)
    likeness = {(one.path, head): likeness_of_label(one.names, head) for one in fields for head in headers}
    embedded = [head for head in headers if any(map(str.isalpha, head))][:MAX_EMBEDDED]
    if extractor is not None and embedded:
        meanings = extractor.likeness_of_headers(fields, embedded)
        for (row, one), (index, head) in product(enumerate(fields), enumerate(embedded)):
            likeness[one.path, head] += float(meanings[row, index])
    return fill_lists(readings, lists, likeness, compared_tables), True


def _readings_of_tables(read: Sequence[Entry], lists: Mapping[JsonPath, Sequence[WantedField]]) -> list[HeadedTable]:
    fields = [one for columns in lists.values() for one in columns]
    tables = tables_in(read)
    # Commas in two lines of a letter make a table of two columns, too.
    exact = {id(entry) for entry, table in tables if table.is_exact and len(table.rows[0]) >= FEWEST_COLUMNS}
    passages = [one for one in passages_to_search(read) if not (one.is_data or id(read[one.entry]) in exact)]
    on_pages = tables_on_pages(passages, list(lists.values())[:MAX_FIELDS])
    all_tables = [*((read[passage.entry], table) for passage, table in on_pages), *tables]
    all_tables += [
        (entry, other)
        for entry, table in all_tables
        for other in (transposed(table, lists.values()), unfolded(table, lists.values()))
        if other is not None
    ]
    return headed_tables(affordable_tables(all_tables, len(fields)), fields)


def fill_lists(
    readings: Sequence[HeadedTable],
    lists: Mapping[JsonPath, Sequence[WantedField]],
    likeness: Likeness,
    compared_tables: ComparedTables | None = None,
) -> dict[JsonPath, FilledList]:
    """Fill each list from the tables that answer it best."""
    compared = ComparedColumns(readings, lists)
    found = [
        one
        for path, fields in lists.items()
        for reading in readings
        if (one := assign(reading, path, fields, likeness, compared)) is not None
    ]
    best: dict[tuple[JsonPath, int], Assignment] = {}
    for one in found:
        key = one.path, id(one.reading.table)
        if key not in best or one.worth > best[key].worth:
            best[key] = one
    best = _with_divided_rows(best, lists)
    if compared_tables is not None:
        compared_tables.readings = readings
        compared_tables.assignments = [*best.values()]
    most_columns: dict[int, int] = {}
    for (_, table), one in best.items():
        most_columns[table] = max(most_columns.get(table, 0), len(one.columns))
    # A table belongs to the list of which it answers most fields, unless that list is filled from another table.
    own = [one for (_, table), one in best.items() if one.only is not None or len(one.columns) == most_columns[table]]
    others = [one for one in best.values() if one not in own]
    wanted_most: dict[int, float] = {}
    for (_, table), one in best.items():
        wanted_most[table] = max(one.worth, wanted_most.get(table, one.worth))
    filled: dict[JsonPath, FilledList] = {}
    used: set[Place] = set()
    for group in (own, others):
        for one in sorted(group, key=lambda one: -one.worth):
            if one.path not in filled and not _is_used(one.places, used):
                rivals = [
                    other
                    for other in group
                    if other.path == one.path
                    and (other is one or other.worth >= CHOICE.rival_share * one.worth)
                    and not _is_used(other.places, used)
                ]
                free = [other for other in best.values() if other.path == one.path and not _is_used(other.places, used)]
                unwanted = [other for other in free if other.worth >= wanted_most[id(other.reading.table)]]
                rows = _best_rows(rivals, free, unwanted, lists[one.path])
                if rows is not None:
                    filled[one.path] = rows
                    used |= rows.places
    return filled


def _with_divided_rows(
    best: Mapping[tuple[JsonPath, int], Assignment], lists: Mapping[JsonPath, Sequence[WantedField]]
) -> dict[tuple[JsonPath, int], Assignment]:
    """Return the assignments, with the rows that belong to each list where several lists share a table."""
    found = dict(best)
    by_table: dict[int, list[Assignment]] = {}
    for (_, table), one in best.items():
        if all(index in one.columns for index, wanted in enumerate(lists[one.path]) if _is_demanded(wanted)):
            by_table.setdefault(table, []).append(one)
    for table, sharing in by_table.items():
        for path, only in divided_rows(sharing, lists).items():
            found[path, table] = found[path, table]._replace(only=only)
    return found


def _best_rows(
    rivals: Sequence[Assignment],
    free: Sequence[Assignment],
    unwanted: Sequence[Assignment],
    fields: Sequence[WantedField],
) -> FilledList | None:
    """Return the rows that are worth most: of one of the competing tables, of all tables with its header, or of all
    tables that answer the list as well and that no other list wants more (`unwanted`)."""
    groups = [[one] for one in rivals]
    by_title = {one.reading.title: one for one in reversed(rivals) if one.reading.has_header}
    groups += [alike for one in by_title.values() if len(alike := _with_same_header(one, free)) > 1]
    if len(united := _united(rivals, unwanted, fields)) > 1:
        groups.append(united)
    best, best_worth = None, -np.inf
    for group in groups:
        rows = filled_from(group, fields)
        if rows is not None and (worth := rows.worth()) > best_worth:  # the first of equals
            best, best_worth = rows, worth
    return best


def _united(
    rivals: Sequence[Assignment], unwanted: Sequence[Assignment], fields: Sequence[WantedField]
) -> list[Assignment]:
    """Return the assignments of all tables that answer all fields which must have a value, each printed row once, in
    reading order: a list may stand in several tables with headers of their own. The heading of each table has to answer
    a field, because other tables of a paper may have such columns, too."""
    best = max(rivals, key=lambda one: one.worth)
    found: list[Assignment] = []
    places: set[Place] = set()
    demanded = {index for index, one in enumerate(fields) if _is_demanded(one)}
    if len(demanded) < FEWEST_DEMANDED:
        return []
    for one in sorted(unwanted, key=lambda one: -one.worth):
        has_heading = bool(one.parts.keys() - one.columns.keys())
        is_alike = has_heading and one.reading.has_header and one.reading.table.is_exact == best.reading.table.is_exact
        is_as_good = one.worth >= WHOLE_SHARE * best.worth and demanded <= one.answered
        if is_alike and is_as_good and not _is_used(one.places, places) and len(found) < MAX_GROUPED:
            found.append(one)
            places |= one.places
    return sorted(found, key=unwanted.index)


def _with_same_header(one: Assignment, free: Sequence[Assignment]) -> list[Assignment]:
    """Return the assignments of all tables with the header of `one`, each printed row once, in reading order."""
    found: list[Assignment] = []
    places: set[Place] = set()
    for other in free:
        if other.reading.title == one.reading.title and not _is_used(other.places, places) and len(found) < MAX_GROUPED:
            found.append(other)
            places |= other.places
    return found


def _is_used(own: Collection[Place], used: Collection[Place]) -> bool:
    """True if many of a table's cells are already used by a reading of the same rows."""
    return sum(place in used for place in own) > SAME_ROWS_SHARE * len(own)


def filled_from(assignments: Sequence[Assignment], fields: Sequence[WantedField]) -> FilledList | None:
    """Return a list with the rows of the assigned tables as items; None if it has no items, or if a field without a
    column may be neither empty nor left out."""
    tables = [one.reading.table for one in assignments]
    assigned = {index for one in assignments for index in one.answered}
    found = FilledList([], is_exact=tables[0].is_exact)
    found.missing = [one for index, one in enumerate(fields) if index not in assigned]
    for one in assignments:
        _append(found, one, fields)
    if not found.rows or (not found.is_exact and _read_share(found, fields) < LEAST_READABLE):
        return None
    if len(found.rows) == 1 or found.left_out or found.contradicts_sum:
        is_in_doubt = bool(found.left_out) or found.contradicts_sum
        found.cells = {
            path: cell._replace(is_only=len(found.rows) == 1, is_in_doubt=is_in_doubt or cell.is_in_doubt)
            for path, cell in found.cells.items()
        }
    return found


def _read_share(found: FilledList, fields: Sequence[WantedField]) -> float:
    demanded = {str(one.path[-1]) for one in fields if _is_demanded(one) and one not in found.missing}
    cells = [cell.is_read for path, cell in found.cells.items() if path[-1] in demanded]
    return sum(cells) / len(cells) if cells else 1.0


def _is_demanded(one: WantedField) -> bool:
    """True if a field may not be null and is not a list."""
    return not one.fits(None) and "array" not in types_of(one.schema)


def _append(found: FilledList, assignment: Assignment, fields: Sequence[WantedField]) -> None:
    """Append the rows of a table that are items to a list."""
    reading, columns = assignment.reading, assignment.columns
    rows = [*_spread(assignment, fields)]
    cells = {index: [row[column] for row in rows] for index, column in columns.items()} | assignment.part_cells()
    values = {
        index: values_of_column(
            [cell.text for cell in own],
            fields[index],
            comma_likely=reading.table.comma_likely,
            known_days=reading.known_days,
            days_first=reading.days_first,
        )
        for index, own in cells.items()
    }
    kept = [*_items(assignment, rows, cells, values, fields)]
    full = median([sum(bool(cell.text) for cell in row) for row in rows] or [0])
    taken = []
    for at in kept:
        if len(found.rows) >= MAX_ITEMS:
            found.is_cut = True
            break
        item = item_of(fields, {index: own[at] for index, own in values.items()})
        if item is None:
            continue
        taken.append(at)
        places = {
            index: (cells[index][at], is_read(values[index][at])) if index in cells else (NO_CELL, False)
            for index in item
        }
        own = {
            index: _cell(assignment, cell, index, fields, is_value=is_value)
            for index, (cell, is_value) in places.items()
        }
        found.append(assignment.path, fields, item, own)
    if not found.is_cut:
        lost = set(range(len(rows))) - {*taken}
        found.left_out += sum(sum(bool(cell.text) for cell in rows[at]) >= full for at in lost)
    numbers = {
        index: [own[at] for at in taken if is_read(own[at])]
        for index, own in values.items()
        if types_of(fields[index].schema) & {"number", "integer"} and index not in assignment.parts
    }
    found.contradicts_sum |= not _agrees_with_sums(reading, columns, fields, numbers)


def _spread(assignment: Assignment, fields: Sequence[WantedField]) -> Iterator[list[ReadCell]]:
    """Yield the rows that may be items, with each cell repeated in all rows that it spans. For a field that must have a
    value, some cells are also repeated in the empty cells below them (`_may_span`) if the rest of the row is filled:
    converters of documents leave cells empty that a cell above spans, and statements print a day once for several
    rows."""
    reading, columns = assignment.reading, assignment.columns
    may_repeat = {
        column
        for index, column in columns.items()
        if index not in assignment.parts
        and not fields[index].fits(None)
        and _may_span(fields[index], column, is_exact=reading.table.is_exact)
    }
    above: dict[int, tuple[ReadCell, int]] = {}
    items = {id(row) for row in assignment.body}
    for row in reading.table.rows[reading.end :]:
        filled = [column for column, cell in enumerate(row) if cell.text]
        if id(row) not in items:
            if len(filled) == 1 and filled[0] in may_repeat:
                # A heading in the column itself.
                above[filled[0]] = row[filled[0]], 0
            continue
        own = [*row]
        for column, cell in enumerate(row):
            last, rows_left = above.get(column, (NO_CELL, 0))
            others = [row[other].text for other in columns.values() if other != column]
            is_full = len(others) > 0 and others.count("") <= (len(others) >= WIDE)
            if cell.text:
                above[column] = cell, cell.row_span - 1
            elif rows_left > 0 or (column in may_repeat and is_full):
                own[column] = last
                above[column] = last, rows_left - 1
        yield own


def _may_span(one: WantedField, column: int, *, is_exact: bool) -> bool:
    """True if a cell may stand for the empty cells below it: a day in the first column, and in an exact table also a
    text, or a number of the first column that is neither an amount nor a count."""
    if column == 0 and wants_iso(one.schema):
        return True
    kinds = {CONCEPTS[name].kind for name in one.names.concepts}
    is_position = column == 0 and kinds.isdisjoint(("amount", "count")) and "number" not in types_of(one.schema)
    return is_exact and ("string" in types_of(one.schema) or is_position)


def _items(
    assignment: Assignment,
    rows: Sequence[Sequence[ReadCell]],
    cells: Mapping[int, Sequence[ReadCell]],
    values: Mapping[int, Sequence[Any]],
    fields: Sequence[WantedField],
) -> Iterator[int]:
    """Yield the indices of the rows that are items."""
    is_exact = assignment.reading.table.is_exact
    # A heading above the rows says nothing about a single row.
    columns = assignment.columns
    numbers = [
        own
        for index, own in values.items()
        if _is_demanded(fields[index]) and types_of(fields[index].schema) & {"number", "integer"}
        if is_mostly_absent(own) or _has_counterpart(rows, columns, own)
    ]
    # In an exact table, a text in place of a number makes no row a note.
    answered = [
        sum(bool(cells[index][at].text) if is_exact else is_read(values[index][at]) for index in columns)
        for at in range(len(rows))
    ]
    least = (ANSWERED if is_exact else ANSWERED_ON_PAGE) * (median(answered) if answered else 0)
    telling = [index for index in columns if not fields[index].fits(None)]
    demanded = [index for index in telling if _is_demanded(fields[index])]
    are_telling = len(demanded) >= FEWEST_TELLING or any(not is_plain_text(fields[index]) for index in demanded)
    for at in range(len(rows)):
        is_whole = are_telling and all(is_read(values[index][at]) for index in demanded)
        is_known = not telling or any(is_read(values[index][at]) for index in telling)
        has_numbers = all(own[at] is not None for own in numbers)
        if is_known and has_numbers and (answered[at] >= least or is_whole):
            yield at


def _has_counterpart(rows: Sequence[Sequence[ReadCell]], columns: Mapping[int, int], values: Sequence[Any]) -> bool:
    """True if the rows without a number, and no others, have one in another column that answers no field: the credits
    beside the debits."""
    absent = [value is None for value in values]
    free = set(range(len(rows[0]))) - {*columns.values()} if rows else set()
    return any(absent) and any(
        all(
            (looks_numeric(row[column].text) if lacks else not row[column].text)
            for row, lacks in zip(rows, absent, strict=True)
        )
        for column in free
    )


def item_of(fields: Sequence[WantedField], values: Mapping[int, Any]) -> dict[int, Any] | None:
    """Return the values of an item, by field, with the emptiest value for a field without one; None if such a field may
    be neither empty nor left out."""
    item: dict[int, Any] = {}
    for index, one in enumerate(fields):
        value = values.get(index)
        if not is_read(value):
            value = emptiest_value(one)
            if value is NO_VALUE and not one.may_be_left_out:
                return None
            if value is NO_VALUE or (value is not None and one.may_be_left_out):
                continue
        item[index] = value
    return item


def _cell(
    assignment: Assignment, cell: ReadCell, index: int, fields: Sequence[WantedField], *, is_value: bool
) -> CellOfField:
    reading, column = assignment.reading, assignment.columns.get(index)
    names = names_of(assignment.path, {"type": "array"})
    needed = sum(at in assignment.answered or not one.fits(None) for at, one in enumerate(fields))
    return CellOfField(
        reading.entry,
        cell,
        reading.header[column] if column is not None else "",
        float(assignment.likeness[index, column]) if column is not None else 0.0,
        answered=len(assignment.answered) / needed,
        is_read=is_value,
        is_text=is_plain_text(fields[index]),
        found_in="file" if reading.table.is_exact else "page",
        is_named=likeness_of_label(names, reading.table.heading) >= LEAST_LIKENESS,
        # Other tables of a page may have a column of the same name as the only field of a list.
        is_in_doubt=column in reading.table.with_more or (len(fields) == 1 and not reading.table.is_exact),
    )


def _agrees_with_sums(
    reading: HeadedTable,
    columns: Mapping[int, int],
    fields: Sequence[WantedField],
    taken: Mapping[int, Sequence[float]],
) -> bool:
    """True unless the table has sums of columns of numbers, and none of them is the sum of the numbers taken. `taken`
    has the numbers of each field."""
    agreeing = []
    for index, numbers in taken.items():
        cells = [row[columns[index]].text for row in reading.sums]
        sums = values_of_column(cells, fields[index], comma_likely=reading.table.comma_likely)
        if any(map(is_read, sums)):
            error = CENT * max(1, len(numbers))
            agreeing.append(any(is_read(one) and abs(sum(numbers) - one) < error for one in sums))
    return not agreeing or any(agreeing)
