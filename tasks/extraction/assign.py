"""Assigns the columns of a table to the fields of a list: by the likeness of header and field, by the type of the
cells, by the order of the columns, and by elimination.

The pairs whose headers name fields are chosen first, the best pair before the others. The columns between them and the
only column of a type follow.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final, NamedTuple

import numpy as np

from tasks.extraction.best_pairs import best_pairs
from tasks.extraction.column_values import UNREADABLE, is_plain_text, values_of_column
from tasks.extraction.features import Matrix, types_of, wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.likeness import (
    LEAST_LIKENESS,
    SAME_CONCEPT,
    SAME_NAME,
    likeness_by_words,
    likeness_of_label,
    names_another_text,
)
from tasks.extraction.names import names_of
from tasks.extraction.parts_of_cells import parts_of_columns
from tasks.extraction.row_headings import field_of_headings
from tasks.extraction.sum_rows import is_figure
from tasks.extraction.table_readings import HeadedTable, Place, places_of
from tasks.extraction.weights import weighted, weights_of
from tasks.notation.cells import is_missing, looks_numeric
from tasks.read_table import ReadCell
from tasks.schema.paths import JsonPath

MAX_COMPARED: Final = 200
FEWEST_COMPARED: Final = 20
"""The cells of at most MAX_COMPARED rows are compared with the fields; of fewer rows, but at least FEWEST_COMPARED, if
a request has many tables, readings and fields."""
MAX_CELLS: Final = 400_000
"""If the number of cells of all readings, times the number of different schemas of fields, is more than this, fewer
rows are compared. None of 36 documents needs more than 7,000."""
LEAST_FIT: Final = 0.75
"""At least this share of a column's cells must fit the field's type."""
LEAST_FIT_IF_NAMED: Final = 0.5
"""If the header names a field, at least this share of the cells must fit it: a text such as `included` may be among
amounts."""
ASSIGNED_SHARE: Final = 0.5
"""A table answers a list only if more than this share of the list's fields, or of the table's columns, is assigned."""
FEWEST_NAMED: Final = 2
"""Headers must name at least this many fields, or all fields of a smaller list."""
LEAST_NAMED_SHARE: Final = 0.6
"""Headers of a table that was found by the places of words must name at least this share of the fields that have to be
answered: those that may not be null and those that have a column."""
LEAST_NAMED_SHARE_IF_EXACT: Final = 0.3
"""Share of these fields that headers must name in an exact table, or in a table with a column for each of them, if they
are more than two."""


class TableFeatures(NamedTuple):
    """Features of a table whose columns are assigned to the fields of a list, or the weights of these features in the
    worth of the assignment."""

    named: float
    """Mean worth of the fields' columns that headers assign."""
    eliminated: float
    """Share of the fields with a column that no header assigned."""
    unused: float
    """Number of headers whose columns no field has."""
    header: float
    """Number of rows of the header."""
    above: float
    """Number of rows above the header."""
    bias: float = 1.0


WEIGHTS: Final = weights_of("table", TableFeatures)


Likeness = Mapping[tuple[JsonPath, str], float]
"""The likeness of each header with each field, by the field's path and the header's text."""
Column = tuple[str, ...]


class Assignment(NamedTuple):
    """An assignment of a table's columns to the fields of a list."""

    path: JsonPath
    reading: HeadedTable
    columns: Mapping[int, int]
    """Column of each field, by the field's index."""
    likeness: Matrix
    """Likeness of each column's header with each field, fields × columns."""
    worth: float
    only: frozenset[int] | None = None
    """Indices of the table's rows that may be items of the list, if it shares the table with other lists."""
    parts: Mapping[int, Sequence[ReadCell]] = {}
    """Cells of each field that has only parts of a column's cells, or the headings above the rows: one for each row of
    the reading's body, by the field's index."""

    @property
    def body(self) -> Sequence[Sequence[ReadCell]]:
        """The rows that may be items."""
        return [self.reading.body[at] for at in self._places_in_body]

    @property
    def answered(self) -> set[int]:
        """Indices of the fields that have a column, a part of one, or headings."""
        return self.columns.keys() | self.parts.keys()

    def part_cells(self) -> dict[int, list[ReadCell]]:
        """Return the cells of each field in `parts`, one for each row that may be an item."""
        return {index: [cells[at] for at in self._places_in_body] for index, cells in self.parts.items()}

    @property
    def _places_in_body(self) -> Sequence[int]:
        body = self.reading.body
        if self.only is None:
            return range(len(body))
        own = {id(self.reading.table.rows[at]) for at in self.only}
        return [at for at, row in enumerate(body) if id(row) in own]

    @property
    def places(self) -> set[Place]:
        """The places and texts of the cells that may be copied."""
        return self.reading.places if self.only is None else places_of(self.body)


class ComparedColumns:
    """The columns of readings, and the shares of their cells that have a value for a field. Lists of one request often
    have equal fields, and equal columns are compared only once with fields of equal schemas."""

    def __init__(self, readings: Sequence[HeadedTable], lists: Mapping[JsonPath, Sequence[WantedField]]) -> None:
        self._schemas = {
            one.path: json.dumps(one.schema, sort_keys=True) for fields in lists.values() for one in fields
        }
        cells = sum(len(reading.forms) * min(MAX_COMPARED, len(reading.table.rows)) for reading in readings)
        cells *= len(set(self._schemas.values()))
        self._rows = max(FEWEST_COMPARED, MAX_COMPARED * MAX_CELLS // max(MAX_CELLS, cells))
        self._shares: dict[tuple[str, bool, int, Column], float] = {}
        self.is_single_table = len({id(reading.table) for reading in readings}) == 1

    def of(self, reading: HeadedTable) -> list[Column]:
        """Return the columns of a reading's first rows that may be items; none if there are no such rows."""
        return list(zip(*([cell.text for cell in row] for row in reading.body[: self._rows]), strict=True))

    def fit(self, reading: HeadedTable, column: Column, field: WantedField) -> float:
        """Return the share of a column's values that a field can take; LEAST_FIT if the column has no values."""
        comma, days = reading.table.comma_likely, reading.known_days
        key = self._schemas[field.path], comma, id(days), column
        if key not in self._shares:
            values = values_of_column(column, field, comma_likely=comma, known_days=days)
            present = [value for cell, value in zip(column, values, strict=True) if not is_missing(cell)]
            read = sum(value is not UNREADABLE for value in present)
            self._shares[key] = read / len(present) if present else LEAST_FIT
        return self._shares[key]


def assign(
    reading: HeadedTable,
    path: JsonPath,
    fields: Sequence[WantedField],
    likeness: Likeness,
    compared: ComparedColumns,
) -> Assignment | None:
    """Return the best assignment of a table's columns to the fields of the list at `path`, or None if the table does
    not answer the list."""
    columns = compared.of(reading)
    if not columns:
        return None
    by_header: Matrix = np.array(
        [
            [max((likeness.get((one.path, text), 0.0) for text in forms), default=0.0) for forms in reading.forms]
            for one in fields
        ]
    ).reshape(len(fields), len(columns))
    _name_amounts_by_list(by_header, reading, path, fields)
    if reading.has_header and not (by_header >= LEAST_LIKENESS).any():
        return None
    if not reading.has_header:
        return _in_order(reading, path, fields, columns, compared)
    fit: Matrix = np.array([[compared.fit(reading, cells, one) for cells in columns] for one in fields]).reshape(
        len(fields), len(columns)
    )
    worth = _worth_of_names(by_header, fit, fields, columns)
    foreign: Matrix = np.array(
        [[any(names_another_text(one.names, text) for text in forms) for forms in reading.forms] for one in fields]
    ).reshape(len(fields), len(columns))
    chosen = _named_columns(worth, foreign, columns, fit)
    named = len(chosen)
    if named < FEWEST_NAMED and not _is_told_from_rows(reading, fields, columns, chosen):
        return None
    parts: dict[int, Sequence[ReadCell]] = {}
    for part in parts_of_columns(reading, fields, chosen, by_header):
        chosen |= dict.fromkeys(part.fields, part.column)
        parts |= zip(part.fields, part.cells, strict=True)
    headings = field_of_headings(fields, chosen, reading)
    _take_between(chosen, headings, columns, fit)
    parts |= headings
    _take_left_over(chosen, parts, fields, columns, np.where(foreign, 0.0, fit))
    _take_left_over(chosen, parts, fields, columns, fit)
    for index, column in chosen.items():
        # A column assigned by the order of columns has the least weight with which a header is assigned.
        by_header[index, column] = max(by_header[index, column], LEAST_LIKENESS)
    if not _answers(reading, fields, chosen, named + len(headings), headings):
        return None
    features = TableFeatures(
        named=float(sum(worth[index, column] for index, column in chosen.items())) / len(fields),
        eliminated=(len(chosen) - named) / len(fields),
        unused=max(0, sum(map(bool, reading.forms)) - len(chosen)),
        header=reading.end - reading.top,
        above=reading.top,
    )
    return Assignment(path, reading, chosen, by_header, weighted(WEIGHTS, features), parts=parts)


def _name_amounts_by_list(
    by_header: Matrix, reading: HeadedTable, path: JsonPath, fields: Sequence[WantedField]
) -> None:
    """Let a header that names the list name the only number of its items, too: an account has the amounts of
    `payments` below `Payments`."""
    numbers = [index for index, one in enumerate(fields) if types_of(one.schema) & {"number", "integer"}]
    if len(numbers) == 1:
        names = names_of(path, {"type": "array"})
        for column, forms in enumerate(reading.forms):
            alike = max((likeness_by_words(names, text) for text in forms), default=0.0)
            if alike >= SAME_CONCEPT:
                by_header[numbers[0], column] = max(by_header[numbers[0], column], alike)


def _worth_of_names(by_header: Matrix, fit: Matrix, fields: Sequence[WantedField], columns: Sequence[Column]) -> Matrix:
    """Return the worth of each pair of a field and a column whose header names it; 0 for all other pairs."""
    is_foreign = np.outer([is_plain_text(one) for one in fields], [*map(_has_no_words, columns)])
    # A header such as `unit price` contains the name of a field for units, but a column of figures holds no units.
    foreign = np.array([[np.inf if "unit" in one.names.concepts else SAME_CONCEPT] for one in fields])
    least_fit = np.where(by_header >= SAME_CONCEPT, LEAST_FIT_IF_NAMED, LEAST_FIT)
    is_named = (by_header >= np.where(is_foreign, foreign, LEAST_LIKENESS)) & (fit >= least_fit)
    # If two columns fit a field equally well, their order decides.
    field_indices, column_indices = np.indices(by_header.shape)
    order = np.abs(field_indices / max(1, len(fields)) - column_indices / len(columns))
    worth: Matrix = np.where(is_named, by_header * fit - 0.01 * order, 0.0)
    return worth


def _named_columns(worth: Matrix, foreign: Matrix, columns: Sequence[Column], fit: Matrix) -> dict[int, int]:
    """Return the columns of the fields that headers name. A header that names another text (`foreign`) gives its
    column to a field only if no other column is left that the field could have: below `Ordered by` and `Article`, the
    customer is not the article, however alike the meanings are."""
    chosen = {index: column for index, column in best_pairs(worth) if worth[index, column] > 0}
    free = [one for one in range(len(columns)) if one not in chosen.values() and _has_letters(columns[one])]
    return {
        index: column
        for index, column in chosen.items()
        if not (
            foreign[index, column] and any(fit[index, one] >= LEAST_FIT and not foreign[index, one] for one in free)
        )
    }


def _is_told_from_rows(
    reading: HeadedTable, fields: Sequence[WantedField], columns: Sequence[Column], chosen: Mapping[int, int]
) -> bool:
    """True if a header that names a single field is certainly no item: it names the field in words, or it is above
    figures. By its meaning alone, `French` names a language as well as `Language` does. The only field of a list has to
    be named exactly."""
    least = LEAST_LIKENESS if len(fields) > 1 else SAME_NAME
    by_words = any(
        likeness_of_label(fields[index].names, text) >= least
        for index, column in chosen.items()
        for text in reading.forms[column]
    )
    return by_words or any(
        len(fields) > 1
        and _has_no_words(column)
        and not all(map(is_missing, column))
        and bool(forms)
        and not is_figure(forms[-1])
        for column, forms in zip(columns, reading.forms, strict=True)
    )


def _answers(
    reading: HeadedTable,
    fields: Sequence[WantedField],
    chosen: Mapping[int, int],
    named: int,
    headings: Collection[int],
) -> bool:
    """True if a table with these columns, and with headings that answer the fields `headings`, answers the list.
    Fields that may be null do not count unless they have a column, so that they cost no rows."""
    filled = sum(map(bool, reading.forms))
    is_enough = len(chosen) > ASSIGNED_SHARE * len(fields) or (
        reading.table.is_exact and len(chosen) > ASSIGNED_SHARE * filled and len(chosen) >= FEWEST_NAMED
    )
    needed = [index for index, one in enumerate(fields) if index in chosen or not one.fits(None)]
    is_whole = len(needed) > FEWEST_NAMED and all(index in chosen or index in headings for index in needed)
    least = LEAST_NAMED_SHARE_IF_EXACT if reading.table.is_exact or is_whole else LEAST_NAMED_SHARE
    return is_enough and named >= max(1, least * len(needed))


def _has_letters(column: Column) -> bool:
    """True if most cells of a column have letters."""
    present = [cell for cell in column if not is_missing(cell)]
    return 2 * sum(any(map(str.isalpha, cell)) for cell in present) > len(present)


def _has_no_words(column: Column) -> bool:
    """True if all cells of a column are numbers or days."""
    return all(is_figure(cell) for cell in column if not is_missing(cell))


def _in_order(
    reading: HeadedTable,
    path: JsonPath,
    fields: Sequence[WantedField],
    columns: Sequence[Column],
    compared: ComparedColumns,
) -> Assignment | None:
    """Assign the columns of an exact table without a header to the fields in their order. Return None unless there is a
    column for each field and enough cells of each column fit. If all columns are texts, the heading above the table has
    to name the list or a field, or there has to be no other table, and the first row may not look like a header.

    If the cells of the first row do not fit, although others do, they are the header, in words that name no field.
    """
    if not reading.table.is_exact or len(fields) != len(columns):
        return None
    pairs = [*zip(fields, columns, strict=True)]
    is_headed = len(columns[0]) > 2 and min(compared.fit(reading, column[:1], one) for one, column in pairs) < LEAST_FIT
    if min(compared.fit(reading, column[is_headed:], one) for one, column in pairs) < LEAST_FIT:
        return None
    if is_headed:
        reading = replace(reading, end=reading.end + 1)
    elif all(map(is_plain_text, fields)) and not any(any(map(str.isdigit, column[0])) for column in columns):
        names = [names_of(path, {"type": "array"}), *(one.names for one in fields)]
        is_named = any(likeness_of_label(one, reading.table.heading) >= LEAST_LIKENESS for one in names)
        has_digits = [[any(map(str.isdigit, cell)) for cell in column] for column in columns]
        unlike = sum(not first and 2 * sum(rest) > len(rest) for first, *rest in has_digits)
        if not (is_named or compared.is_single_table) or 2 * unlike > len(columns):
            return None
    likeness: Matrix = np.zeros((len(fields), len(columns)), np.float32)
    return Assignment(path, reading, {index: index for index in range(len(fields))}, likeness, 0.1)


def _take_between(chosen: dict[int, int], answered: Collection[int], columns: Sequence[Column], fit: Matrix) -> None:
    """Assign columns to the fields that no other cells answer (`answered`), in order, wherever two neighbouring
    assignments have as many columns as fields between them. The two edges of the table count as assignments.

    Nothing is assigned if the columns that are already assigned are not in the order of their fields.
    """
    without_heading = [index for index in range(len(fit)) if index not in answered]
    anchors = [(at, chosen[index]) for at, index in enumerate(without_heading) if index in chosen]
    if len(anchors) < FEWEST_NAMED or any(other[1] < one[1] for one, other in pairwise(anchors)):
        return
    for (field_before, column_before), (field_after, column_after) in pairwise(
        [(-1, -1), *anchors, (len(without_heading), len(columns))]
    ):
        if column_after - column_before == field_after - field_before:
            between = zip(range(field_before + 1, field_after), range(column_before + 1, column_after), strict=True)
            chosen |= {
                index: column
                for index, column in ((without_heading[at], column) for at, column in between)
                if fit[index, column] >= LEAST_FIT and not all(map(is_missing, columns[column]))
            }


def _take_left_over(
    chosen: dict[int, int],
    answered: Collection[int],
    fields: Sequence[WantedField],
    columns: Sequence[Column],
    fit: Matrix,
) -> None:
    """Assign remaining columns to fields without a column or other cells that answer them (`answered`), the most
    restrictive types of fields first. A field gets a column if no other remaining column fits its type, and no other
    field of an equally restrictive type fits one; a number that may be null does not compete with one that may not. Of
    several columns that fit a day, the first is taken: it states when something happened."""

    def suits(index: int, column: int) -> bool:
        present = [cell for cell in columns[column] if not is_missing(cell)]
        if not present or fit[index, column] < LEAST_FIT:
            return False
        if _pickiness(fields[index]) == 1:
            # A column of numbers after words, such as `Thu 17`, is not the count that a field without a header wants.
            return 2 * sum(cell[:1].isalpha() and not looks_numeric(cell) for cell in present) <= len(present)
        has_words = any(any(map(str.isalnum, cell)) for cell in present) and not _has_no_words(tuple(present))
        return _pickiness(fields[index]) < 1 or has_words

    for kind in (0, 1, 2):
        left = [one for one in range(len(fields)) if one not in chosen and one not in answered]
        for index in [one for one in left if _pickiness(fields[one]) == kind]:
            free = [one for one in range(len(columns)) if one not in chosen.values() and suits(index, one)]
            rivals = [
                other
                for other in left
                if other != index
                and other not in chosen
                and (kind != 1 or fields[index].fits(None) or not fields[other].fits(None))
                and _pickiness(fields[other]) == kind
                and any(fit[other, column] >= LEAST_FIT for column in free)
            ]
            if not rivals and (len(free) == 1 or (free and wants_iso(fields[index].schema))):
                chosen[index] = free[0]


def _pickiness(field: WantedField) -> int:
    """Return how few texts the type of a field accepts: 0 for the fewest, 2 for any text."""
    types: Any = types_of(field.schema)
    if "enum" in field.schema or "boolean" in types or wants_iso(field.schema):
        return 0
    return 1 if types & {"number", "integer"} else 2
