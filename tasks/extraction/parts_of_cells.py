"""Finds columns whose cells hold the values of two fields: `120 - 150` for a lower and an upper limit, a period for
its first and its last day, `9 pcs` for a quantity and its unit, `3 COFFEE` for a quantity and a description, two lines
or two names in one cell."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Final, NamedTuple

from tasks.extraction.column_values import is_plain_text
from tasks.extraction.concepts import CONCEPTS
from tasks.extraction.features import HOURS_AND_MINUTES, Matrix, types_of, wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.likeness import LEAST_LIKENESS, likeness_by_words
from tasks.extraction.table_readings import HeadedTable
from tasks.notation.cells import is_missing, looks_numeric, moment
from tasks.notation.clock_times import written_clock
from tasks.notation.dates import is_day_of_a_year, parse_day
from tasks.read_table import NO_CELL, ReadCell

LEAST_DIVIDED: Final = 0.75
"""A column has two fields if at least this share of its cells has two parts."""
FEWEST_DIVIDED: Final = 2
"""At least this many cells show that a column has two fields."""
LONGEST: Final = 200
"""A cell with more characters than this has no parts."""
SHORTEST_ABBREVIATION: Final = 3
"""An abbreviation has at least this many letters."""
_TO: Final = re.compile(
    r"(?<!\s)\s++(?:[-–—~→]|to|until|till|bis|à|au|al|a|ad|do|tot|t/m|hasta|até|til)\s++|\s?[–—~→]\s?|(?<=[\d\w])-(?=\d)"
)
"""Signs and words between the two ends of a range."""
_LIMIT: Final = re.compile(r"(?P<sign>[<>≤≥])=?\s?(?P<figure>\d[\d.,]{0,20})")
"""A limit at one side."""
_WITH_UNIT: Final = re.compile(r"(?P<figure>[-+]?\d[\d.,]{0,20})\s?(?P<unit>[^\W\d_]\S{0,11})")
_COUNTED: Final = re.compile(r"(?P<count>\d{1,4})\s?[x×*]?\s(?P<rest>\D{0,6}[^\W\d_].*)")
Pair = tuple[str, str]


class PartsOfColumn(NamedTuple):
    """Two fields and the column whose cells hold the values of both."""

    column: int
    fields: tuple[int, int]
    cells: tuple[list[ReadCell], list[ReadCell]]
    """The part of each cell for each of the two fields."""


def parts_of_columns(
    reading: HeadedTable, fields: Sequence[WantedField], chosen: Mapping[int, int], by_header: Matrix
) -> Iterator[PartsOfColumn]:
    """Yield the columns that hold the values of two fields. `chosen` are the columns of the fields that headers
    name, by field; `by_header` is the likeness of each field with each header."""
    finder = _PartsFinder(reading, fields, chosen, by_header)
    taken: set[int] = set()
    for one in (*finder.ranges(), *finder.units(), *finder.counts(), *finder.labelled(), *finder.lines()):
        if taken.isdisjoint(one.fields):
            taken.update(one.fields)
            yield one


class _PartsFinder:
    def __init__(
        self, reading: HeadedTable, fields: Sequence[WantedField], chosen: Mapping[int, int], by_header: Matrix
    ) -> None:
        self._reading = reading
        self._fields = fields
        self._chosen = chosen
        self._by_header = by_header
        self._columns = range(len(reading.forms))
        self._without = [index for index in range(len(fields)) if index not in chosen]

    def ranges(self) -> Iterator[PartsOfColumn]:
        """Yield columns of ranges for two neighbouring fields of one type, neither of which has a column."""
        free = [column for column in self._columns if column not in self._chosen.values()]
        for first, last in pairwise(range(len(self._fields))):
            divide = _dividing(self._fields[first])
            if divide is None or divide is not _dividing(self._fields[last]) or {first, last} - {*self._without}:
                continue
            if divide is _limits and not _are_limits(self._fields[first], self._fields[last]):
                continue
            for column in free:
                if found := self._divided(column, divide):
                    yield PartsOfColumn(column, (first, last), found)
                    free.remove(column)
                    break

    def units(self) -> Iterator[PartsOfColumn]:
        """Yield columns of figures with units, for a number that has the column and a field for its unit: one of that
        name, or the next text of the list."""
        for index in [one for one in self._without if is_plain_text(self._fields[one])]:
            numbers = [one for one in self._chosen if types_of(self._fields[one].schema) & {"number", "integer"}]
            if "unit" not in self._fields[index].names.concepts:
                numbers = [one for one in numbers if one == index - 1]
            for one in sorted(numbers, key=lambda one: abs(one - index)):
                if found := self._divided(self._chosen[one], _figure_and_unit):
                    yield PartsOfColumn(self._chosen[one], (one, index), found)
                    break

    def counts(self) -> Iterator[PartsOfColumn]:
        """Yield columns of texts that begin with a number, for a quantity without a column and the field that has the
        column."""
        for index in self._without:
            if "quantity" not in self._fields[index].names.concepts:
                continue
            for text in [one for one in self._chosen if is_plain_text(self._fields[one])]:
                if found := self._divided(self._chosen[text], _count_and_text):
                    yield PartsOfColumn(self._chosen[text], (index, text), found)
                    break

    def labelled(self) -> Iterator[PartsOfColumn]:
        """Yield columns of texts that end with a value after its label, for a field of this name without a column."""
        for index in self._without:
            if not is_plain_text(self._fields[index]):
                continue
            for text in [one for one in self._chosen if is_plain_text(self._fields[one])]:
                label = self._common_label(self._chosen[text], self._fields[index])
                if label and (found := self._divided(self._chosen[text], partial(_at_label, label))):
                    yield PartsOfColumn(self._chosen[text], (text, index), found)
                    break

    def lines(self) -> Iterator[PartsOfColumn]:
        """Yield columns of cells of two lines whose header names two fields of texts."""
        for column in self._columns:
            named = [
                index
                for index, one in enumerate(self._fields)
                if is_plain_text(one)
                and self._by_header[index, column] >= LEAST_LIKENESS
                and self._chosen.get(index, column) == column
            ]
            named.sort(key=lambda index: -self._by_header[index, column])
            if len(named) < 2 or all(one in self._chosen for one in named[:2]):
                continue
            rows = [self._reading.lines_of(at, column) for at in range(len(self._reading.body))]
            divided = sum(len(lines) > 1 for lines in rows)
            if divided < max(FEWEST_DIVIDED, LEAST_DIVIDED * sum(map(bool, rows))):
                continue
            first, last = self._in_order_of_header(named[:2], column)
            upper = [lines[0] if lines else NO_CELL for lines in rows]
            lower = [_joined(lines[1:]) for lines in rows]
            yield PartsOfColumn(column, (first, last), (upper, lower))

    def _in_order_of_header(self, named: Sequence[int], column: int) -> tuple[int, int]:
        """Return two fields in the order in which a header names them, or else in the order of the schema."""
        words = max(self._reading.forms[column], key=len, default="").replace("/", " ").split()

        def place(index: int) -> tuple[float, int]:
            alike = [likeness_by_words(self._fields[index].names, word) for word in words]
            return (float(alike.index(max(alike))) if alike and max(alike) >= LEAST_LIKENESS else 0.5, index)

        first, last = sorted(named, key=place)
        return first, last

    def _divided(
        self, column: int, divide: Callable[[str], Pair | None]
    ) -> tuple[list[ReadCell], list[ReadCell]] | None:
        """Return the two parts of each cell of a column; None unless enough of its cells have two parts."""
        cells = [row[column] for row in self._reading.body]
        present = [cell.text for cell in cells if not is_missing(cell.text)]
        pairs = {text: divide(text) if len(text) <= LONGEST else None for text in present}
        divided = [pair for text in present if (pair := pairs[text]) is not None]
        are_two = sum(all(pair) for pair in divided)
        if are_two < FEWEST_DIVIDED or len(divided) < LEAST_DIVIDED * len(present):
            return None
        parts = [pairs.get(cell.text) for cell in cells]
        return (
            [_part(cell, pair[0] if pair else "") for cell, pair in zip(cells, parts, strict=True)],
            [_part(cell, pair[1] if pair else "") for cell, pair in zip(cells, parts, strict=True)],
        )

    def _common_label(self, column: int, field: WantedField) -> str:
        """Return the word before the last word of most cells, if it names the field."""
        texts = [row[column].text.split() for row in self._reading.body]
        words = Counter(text[-2] for text in texts if len(text) > 2)
        word, count = words.most_common(1)[0] if words else ("", 0)
        is_common = count >= LEAST_DIVIDED * sum(map(bool, texts))
        return (
            word
            if is_common and (_abbreviates(word, field) or likeness_by_words(field.names, word) >= LEAST_LIKENESS)
            else ""
        )


def _abbreviates(word: str, field: WantedField) -> bool:
    """True if a word with a point at its end begins a name of a field: `Cod.` of `codice`."""
    beginning = "".join(fold(word))
    is_abbreviation = word.endswith(".") and len(beginning) >= SHORTEST_ABBREVIATION
    return is_abbreviation and any(name.startswith(beginning) for name in field.names.joined)


def _part(cell: ReadCell, text: str) -> ReadCell:
    return cell._replace(text=text, source=cell.source or cell.text) if text else NO_CELL


def _joined(cells: Sequence[ReadCell]) -> ReadCell:
    return cells[0]._replace(text=" ".join([cell.text for cell in cells])) if cells else NO_CELL


def _dividing(field: WantedField) -> Callable[[str], Pair | None] | None:
    """Return the function that divides a range of a field's values; None for a field of other values. A text may be a
    day unless its name says something else."""
    kinds = {CONCEPTS[name].kind for name in field.names.concepts}
    if wants_iso(field.schema) or (is_plain_text(field) and kinds <= {"date"}):
        return _days
    if field.schema.get("format") in ("time", HOURS_AND_MINUTES):
        return _clocks
    return _limits if types_of(field.schema) & {"number", "integer"} else None


def _are_limits(first: WantedField, last: WantedField) -> bool:
    """True if two numbers may be the limits of one range: their names share a word, or neither is a known quantity."""
    share_word = any(not own.isdisjoint(other) for own in first.names.word_sets for other in last.names.word_sets)
    return share_word or not (first.names.concepts or last.names.concepts)


def _limits(text: str) -> Pair | None:
    if (limit := _LIMIT.fullmatch(text.strip())) is not None:
        return ("", limit["figure"]) if limit["sign"] in "<≤" else (limit["figure"], "")
    return _ends(text, _is_number)


def _is_number(text: str) -> bool:
    """True if a text is a number and not a part of a code such as `10-0012`."""
    return looks_numeric(text) and not (text[0] == "0" and text[1:2].isdigit())


def _days(text: str) -> Pair | None:
    return _ends(text, lambda end: parse_day(end) is not None or moment(end) is not None or is_day_of_a_year(end))


def _clocks(text: str) -> Pair | None:
    return _ends(text, lambda end: written_clock(end) is not None)


def _ends(text: str, is_end: Callable[[str], bool]) -> Pair | None:
    for sign in _TO.finditer(text):
        first, last = text[: sign.start()].strip(), text[sign.end() :].strip()
        if is_end(first) and is_end(last):
            return first, last
    return None


def _figure_and_unit(text: str) -> Pair | None:
    found = _WITH_UNIT.fullmatch(text.strip())
    return (found["figure"], found["unit"]) if found else None


def _count_and_text(text: str) -> Pair | None:
    found = _COUNTED.fullmatch(text.strip())
    return (found["count"], found["rest"]) if found else None


def _at_label(label: str, text: str) -> Pair | None:
    before, sign, after = text.rpartition(f" {label} ")
    return (before.strip(), after.strip()) if sign else None
