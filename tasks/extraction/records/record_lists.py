"""Fills lists of objects, each from the run of records whose columns fit the list's fields best."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from statistics import median
from typing import Any, Final, NamedTuple

from tasks.extraction.column_values import is_plain_text, is_read
from tasks.extraction.concepts import PHRASES
from tasks.extraction.decimal_signs import decimal_sign
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import folded_words
from tasks.extraction.names import names_of
from tasks.extraction.object_lists import MAX_ITEMS
from tasks.extraction.passages import MAX_CHARS, passages_to_search
from tasks.extraction.probability import CHOICE, CellOfField
from tasks.extraction.records.columns import (
    OF_MARK,
    Column,
    ColumnCell,
    ColumnPlace,
    RecordTable,
    join_pieces,
    read_table,
    record_table,
)
from tasks.extraction.records.fields import (
    NAMED,
    TEXT_KINDS,
    WEIGHTS,
    ListToFill,
    Match,
    MatchFeatures,
    Reading,
    matches_of,
    values_for,
)
from tasks.extraction.records.pieces import Piece
from tasks.extraction.records.repetition import Record, RecordOutline, Run, outline_of, runs_of
from tasks.extraction.sum_rows import is_sum_row
from tasks.extraction.table_lists import FilledList, item_of
from tasks.extraction.table_readings import Place
from tasks.extraction.weights import logistic, weighted, weights_of
from tasks.notation.dates import days_mentioned
from tasks.precontext import Entry
from tasks.read_table import NO_CELL, ReadCell
from tasks.schema.paths import JsonPath

FULL, FEW_FIELDS = 0.75, 3
"""A run is full if it has columns for at least the share FULL of the list's fields, and these are at least FEW_FIELDS.
Many pages have runs with a text and a number, which fill two fields."""
FEWEST_RECORDS: Final = 3
"""Least number of records that fill a list if no heading above them names the list."""
LARGEST_OVERLAP: Final = 0.25
"""Largest share of a run's words that may fill other lists."""
MAX_RUNS_READ: Final = 8
"""Largest number of runs whose columns are read for each list. The runs with the best outlines are read."""
MAX_COMPARED: Final = 2_000_000
"""Bound on the work of comparing outlines with lists: the sum of fields × pieces over the compared runs. None of 90
documents needs more than 200,000."""
MAX_READ: Final = 300_000
"""Bound on the work of reading the columns of runs: the sum of fields × columns × records over the runs that are
read."""
LEAST_SCORE, MAX_SCORE_COUNTED = -1.0, 4.0
"""Least score of a column that may fill a field, and the largest that counts in the score of a run."""
LARGEST_CLASH: Final = 0.25
"""A column may fill a field only if other fields have its pieces in at most this share of the column's records."""
EQUAL: Final = 0.3
"""Two fields may exchange their columns only if this lowers the sum of their claims by at most this."""
FULL_ENOUGH: Final = 0.6
"""Least number of values of an item, as a share of the values of a typical record."""
MAX_LINES_COUNTED: Final = 8
"""Largest number of lines of a record that counts in the score of a run."""
_TYPICAL_MATCH: Final = MatchFeatures(
    **(dict.fromkeys(MatchFeatures._fields, 0.0) | {"readable": 1.0, "order": 0.5, "bias": 1.0})
)
"""Features of a match that an outline does not tell: its pieces are taken to be readable, and to stand anywhere."""
_PARTS: Final[Mapping[str, Sequence[str]]] = {
    "period": ("period.first", "period.last"),
    "number": ("figure",),
    "decimal": ("figure",),
    "measure": ("figure", "measure.unit"),
    "money": ("figure", "money.unit"),
}
"""Parts of pieces that may fill fields, by the kind of the piece."""
_EXTENDED_KINDS: Final = TEXT_KINDS | {"number", "code", "measure"}
"""Kinds of columns that may be the middle of a longer text."""
_SEPARATE_KINDS: Final = frozenset(("period", "date", "email", "uri", "phone", "money", "times", "score"))
"""Kinds of pieces that are never part of a longer text."""


class RunFeatures(NamedTuple):
    """Features of a run whose records are the items of a list, or the weights of these features in the run's score."""

    scores: float
    """Mean score of the fields' matches, as a share of MAX_SCORE_COUNTED; 0 for a field without a column."""
    heading: float
    """Likeness of the headings above the run and the list's name, from 0 to 1; -1 if they name another list."""
    filled: float
    """Share of the fields that have a column."""
    regularity: float
    """Regularity of the records, from 0 to 1 (`RecordTable`)."""
    log_count: float
    """Logarithm of the number of items, up to 2."""
    apart: float
    """Gaps above records compared with the gaps within records, from -1 to 1 (`Run`)."""
    single: float
    """1 if there is only one item."""
    explained: float
    """Share of the items' pieces that fill fields. An outline tells no feature below this one."""
    full: float = 0.0
    """Share of the items' values that are read, among the required fields or, if there is none, all."""
    labels: float = 0.0
    """Share of the items' texts that look like labels."""
    typed: float = 0.0
    """Number of columns whose kind is not a text, as a share of the number of fields."""
    lines: float = 0.0
    """Mean number of lines of a record, as a share of MAX_LINES_COUNTED."""
    item_share: float = 0.0
    """Share of the records that are items."""
    bias: float = 1.0


RUN_WEIGHTS: Final = weights_of("run", RunFeatures)


class ValueFeatures(NamedTuple):
    """Features of a value, or the weights of these features in the logistic regression for its probability."""

    run_score: float
    """A tenth of the score of the run."""
    match_score: float
    """A quarter of the score of the field's match."""
    regularity: float
    heading: float
    log_count: float
    bias: float = 1.0


VALUE_WEIGHTS: Final = weights_of("value", ValueFeatures)


class RecordFilling(NamedTuple):
    """The values that records give the fields of a list. Fields are named by their index in the list."""

    entry: Entry
    table: RecordTable
    columns: Mapping[int, Column]
    """The column of each field that has one."""
    values: Mapping[int, Sequence[Any]]
    """The value of each record for each field that has a column."""
    match_scores: Mapping[int, float]
    items: Sequence[int]
    """Indices of the records that are items of the list."""
    features: RunFeatures

    @property
    def score(self) -> float:
        """Score of the records as the items of the list."""
        return weighted(RUN_WEIGHTS, self.features)

    def probability(self, field: int) -> float:
        """Return the calibrated probability that a value of a field is right."""
        return logistic(weighted(VALUE_WEIGHTS, self.value_features(field)))

    def value_features(self, field: int) -> ValueFeatures:
        """Return the features of the values of a field."""
        given = self.features
        return ValueFeatures(
            self.score / 10, self.match_scores[field] / 4, given.regularity, given.heading, given.log_count
        )

    @property
    def mean_probability(self) -> float:
        return sum(map(self.probability, self.columns)) / len(self.columns)

    @property
    def words(self) -> set[tuple[int, int]]:
        """The words in the columns, each with the identity of its passage."""
        passage = id(self.table.run.passage)
        cells = [cell for column in self.columns.values() for cell in column.cells if cell]
        return {(passage, word) for cell in cells for word in cell.words}


def fill_from_records(
    read: Sequence[Entry],
    lists: Mapping[JsonPath, Sequence[WantedField]],
    compared_runs: list[tuple[JsonPath, RecordFilling]] | None = None,
) -> dict[JsonPath, FilledList]:
    """Fill lists from runs of records in the order of the runs' scores. `compared_runs` records the runs in this order.

    A run is left out if more than a quarter of its words already fill other lists.
    """
    if not lists:
        return {}
    ranked = [(path, run) for path, runs in fillings_of(read, lists).items() for run in runs]
    ranked.sort(key=lambda item: -item[1].score)
    if compared_runs is not None:
        compared_runs += ranked
    filled_lists: dict[JsonPath, FilledList] = {}
    used: set[tuple[int, int]] = set()
    for path, filling in ranked:
        if path in filled_lists or filling.mean_probability < least_probability(filling, lists[path]):
            continue
        if len(filling.items) < FEWEST_RECORDS and filling.features.heading <= 0:
            continue
        words = filling.words
        if len(words & used) > LARGEST_OVERLAP * len(words):
            continue
        filled = filled_list(filling, path, lists[path])
        if filled.rows:
            used |= words
            filled_lists[path] = filled
    return filled_lists


def least_probability(filling: RecordFilling, fields: Sequence[WantedField]) -> float:
    """Return the mean probability that the values of a run must have to fill the list of `fields`."""
    is_full = len(fields) >= FEW_FIELDS and filling.features.filled >= FULL
    return CHOICE.least_of_full if is_full else CHOICE.least_probability


class RecordsForList(NamedTuple):
    """Records that may be the items of a list."""

    path: JsonPath
    table: RecordTable
    wanted: ListToFill
    reading: Reading
    entry: Entry


def fillings_of(
    read: Sequence[Entry], lists: Mapping[JsonPath, Sequence[WantedField]]
) -> dict[JsonPath, list[RecordFilling]]:
    """Return the runs of records that may fill each list, those with the best outlines first."""
    found: dict[JsonPath, list[RecordFilling]] = {path: [] for path in lists}
    for path, table, wanted, reading, entry in likely_records(read, lists):
        filling = find_filling(table, wanted, reading, entry)
        if filling is not None:
            found[path].append(filling)
    return found


def likely_records(read: Sequence[Entry], lists: Mapping[JsonPath, Sequence[WantedField]]) -> Iterator[RecordsForList]:
    """Yield the runs of records whose outlines suit a list best, with their columns."""
    names = {path: names_of(path, {"type": "array"}) for path in lists}
    wanted_lists = {
        path: ListToFill(fields, names[path], [other for other_path, other in names.items() if other_path != path])
        for path, fields in lists.items()
    }
    likely: dict[JsonPath, list[tuple[float, Run, Reading, Entry]]] = {path: [] for path in lists}
    compared = 0
    for passage in passages_to_search(read):
        if compared > MAX_COMPARED:
            break
        if passage.is_data:
            continue
        is_comma = decimal_sign([passage]) == ","
        reading = Reading(days_mentioned(passage.text[:MAX_CHARS]), is_comma)
        for run in runs_of(passage):
            headings = {path: wanted.heading_likeness(run) for path, wanted in wanted_lists.items()}
            likely_lists = [path for path in lists if len(run.records) >= FEWEST_RECORDS or headings[path] > 0]
            if not likely_lists:
                continue
            outline = outline_of(run)
            for path in likely_lists:
                score = _score_of_outline(run, outline, wanted_lists[path], headings[path])
                likely[path].append((score, run, reading, read[passage.entry]))
                compared += len(lists[path]) * len(outline.counts)
            if compared > MAX_COMPARED:
                break
    tables: dict[int, RecordTable] = {}
    spent = 0
    for runs in likely.values():
        runs.sort(key=lambda one: -one[0])
    # The best run of each list is read before the second best run of any list, so that no list uses up the bound.
    for rank in range(MAX_RUNS_READ):
        for path, wanted in wanted_lists.items():
            if rank >= len(likely[path]):
                continue
            _, run, reading, entry = likely[path][rank]
            table = tables.setdefault(id(run), tables.get(id(run)) or record_table(run))
            spent += len(wanted.fields) * table.size
            if spent > MAX_READ:
                return
            yield RecordsForList(path, table, wanted, reading, entry)


def _score_of_outline(run: Run, outline: RecordOutline, wanted: ListToFill, heading: float) -> float:
    """Return a rough score of a run for a list: by the kinds and labels of the pieces that most records have."""
    count = len(run.records)
    offers = []
    for (kind, label, number), having in outline.counts.items():
        likenesses = wanted.likenesses(label)
        for part in (kind, *_PARTS.get(kind, ())):
            for index, field in enumerate(wanted.fields):
                weight = field.kind_weights.get(part, 0.0)
                if weight > 0 or likenesses[index] >= 1:
                    features = _TYPICAL_MATCH._replace(
                        label=likenesses[index],
                        kind=weight,
                        foreign_label=float(bool(label) and likenesses[index] < NAMED),
                        coverage=having / count,
                    )
                    offers.append((weighted(WEIGHTS, features), index, (kind, label, number), part))
    offers.sort(key=lambda offer: -offer[0])
    chosen: dict[int, float] = {}
    taken: dict[tuple[str, str, int], set[str]] = {}
    for score, index, key, part in offers:
        parts = taken.setdefault(key, set())
        if index in chosen or part in parts or (parts and (part == key[0] or key[0] in parts)):
            continue
        chosen[index] = score
        parts.add(part)
    field_count = len(wanted.fields)
    explained = sum(bool(parts) * outline.counts[key] for key, parts in taken.items()) / max(
        1, sum(outline.counts.values())
    )
    return weighted(
        RUN_WEIGHTS,
        RunFeatures(
            scores=sum(min(score, MAX_SCORE_COUNTED) for score in chosen.values()) / field_count / MAX_SCORE_COUNTED,
            heading=heading,
            filled=len(chosen) / field_count,
            regularity=outline.regularity,
            log_count=min(math.log(count), 2.0),
            apart=run.apart,
            single=float(count == 1),
            explained=explained,
        ),
    )


def find_filling(table: RecordTable, wanted: ListToFill, reading: Reading, entry: Entry) -> RecordFilling | None:
    """Fill a list from the columns of records. Return None if no column suits a field, if a required number or day has
    no column, or if no record is an item of the list."""
    matches = matches_of(table, wanted, reading)
    chosen = assign_columns(matches, table)
    required = [index for index, field in enumerate(wanted.fields) if field.is_figure and field.is_required]
    if not chosen or any(index not in chosen for index in required):
        return None
    values = {index: matches[index, column].values for index, column in chosen.items()}
    scores = {index: matches[index, column].score for index, column in chosen.items()}
    items = _items(table.run, wanted, values)
    if not items:
        return None
    columns = {index: table.columns[column] for index, column in chosen.items()}
    extended = _extended(table.run, wanted, columns)
    for index, column in extended.items():
        if column is not columns[index]:
            values[index] = values_for(wanted.fields[index], column, reading)
    features = _features(table, wanted, extended, values, scores, items)
    return RecordFilling(entry, table, extended, values, scores, items, features)


def assign_columns(matches: Mapping[tuple[int, int], Match], table: RecordTable) -> dict[int, int]:
    """Choose a column for each field, so that no piece of a record fills two fields. Return the index of each field's
    column by the index of the field.

    The matches with the best scores are chosen first. A field that is left without a column may then take the column of
    another field for which there is another column.
    """
    ranked = sorted(
        (pair for pair in matches if matches[pair].score >= LEAST_SCORE), key=lambda pair: -matches[pair].score
    )
    clashes: dict[tuple[int, int], bool] = {}
    chosen: dict[int, int] = {}

    def clashes_with(column: int, fields: Collection[int]) -> list[int]:
        # Fields, of those given, whose columns have the pieces of a column.
        for field in fields:
            if (column, chosen[field]) not in clashes:
                clashes[column, chosen[field]] = have_same_pieces(table.columns[column], table.columns[chosen[field]])
        return [field for field in fields if clashes[column, chosen[field]]]

    for field, column in ranked:
        if field not in chosen and not clashes_with(column, chosen):
            chosen[field] = column
    for field in sorted({field for field, _ in ranked} - chosen.keys()):
        best, exchange = 0.0, {}
        for column in (own for one, own in ranked if one == field):
            holders = clashes_with(column, chosen)
            if len(holders) != 1:
                continue
            [holder] = holders
            others = chosen.keys() - {holder}
            for other in (own for one, own in ranked if one == holder and own != column):
                gain = matches[field, column].score + matches[holder, other].score
                gain -= matches[holder, chosen[holder]].score
                is_free = not have_same_pieces(table.columns[other], table.columns[column])
                if gain > best and is_free and not clashes_with(other, others):
                    best, exchange = gain, {field: column, holder: other}
                    break
        chosen |= exchange
    _put_in_order(chosen, matches, table.columns)
    return dict(sorted(chosen.items()))


def have_same_pieces(column: Column, other: Column) -> bool:
    """True if more than LARGEST_CLASH of the cells of a column have pieces that the other column has, too, in whole or
    the same part of them."""
    if column.part and other.part and column.part != other.part:
        return False
    pairs = zip(column.cells, other.cells, strict=True)
    common = sum(bool(cell and own and not cell.pieces.isdisjoint(own.pieces)) for cell, own in pairs)
    return common > LARGEST_CLASH * column.count


def _put_in_order(chosen: dict[int, int], matches: Mapping[tuple[int, int], Match], columns: Sequence[Column]) -> None:
    """Exchange the columns of two fields if this puts columns of one kind in the order of the fields, and lowers the
    claims by at most EQUAL."""
    for first, second in combinations(sorted(chosen), 2):
        one, other = chosen[first], chosen[second]
        if columns[one].kind != columns[other].kind or columns[one].order <= columns[other].order:
            continue
        exchanged = [matches.get((first, other)), matches.get((second, one))]
        claim = matches[first, one].claim + matches[second, other].claim
        if None not in exchanged and sum(match.claim for match in exchanged if match) >= claim - EQUAL:
            chosen[first], chosen[second] = other, one


def _items(run: Run, wanted: ListToFill, values: Mapping[int, Sequence[Any]]) -> list[int]:
    """Return the indices of the records that are items of a list. `values` has the values of all records, by field."""
    numbers = range(len(run.records))
    required = [column for index, column in values.items() if wanted.fields[index].is_required]
    counts = [sum(is_read(column[number]) for column in values.values()) for number in numbers]
    counts_of_required = [sum(is_read(column[number]) for column in required) for number in numbers]
    sections = run.sections or [None] * len(run.records)
    likely = [
        number
        for number in numbers
        if counts[number] > 0
        and 2 * counts_of_required[number] >= len(required)
        and not ((section := sections[number]) and wanted.has_other_topic(section.text))
    ]
    typical_count = median([counts[number] for number in likely] or [0])
    full = {number for number in likely if counts[number] >= FULL_ENOUGH * typical_count}
    if required and all(record[0].mark for record in run.records):
        # A numbered or bulleted record with few values is an item, too, if it has all required values.
        full |= {number for number in likely if counts_of_required[number] == len(required)}
    end = _end_of_items(run.records, first=min(likely, default=0))
    return [number for number in likely if number < end and number in full]


def _end_of_items(records: Sequence[Record], *, first: int) -> int:
    """Return the number of records before the first sum below the first line of the first item, whose index is `first`.
    A sum that is not the first line of its record ends the list after that record."""
    return min(
        (
            number + (at > 0)
            for number, record in enumerate(records)
            for at, line in enumerate(record)
            if (number, at) > (first, 0) and _is_total(line.text)
        ),
        default=len(records),
    )


@lru_cache(maxsize=1024)
def _is_total(line: str) -> bool:
    return is_sum_row(line.split("\t"))


def _features(
    table: RecordTable,
    wanted: ListToFill,
    columns: Mapping[int, Column],
    values: Mapping[int, Sequence[Any]],
    scores: Mapping[int, float],
    items: Sequence[int],
) -> RunFeatures:
    run, field_count = table.run, len(wanted.fields)
    texts = [cell.text for column in columns.values() for number in items if (cell := column.cells[number])]
    required = [column for index, column in values.items() if wanted.fields[index].is_required] or [*values.values()]
    count_of_read = sum(is_read(column[number]) for column in required for number in items)
    used = sum(
        len({place for column in columns.values() if (cell := column.cells[number]) for place in cell.pieces})
        for number in items
    )
    pieces = sum(len(line.pieces) + bool(line.mark) for number in items for line in run.records[number])
    lines = sum(map(len, run.records)) / len(run.records)
    return RunFeatures(
        scores=sum(min(score, MAX_SCORE_COUNTED) for score in scores.values()) / field_count / MAX_SCORE_COUNTED,
        heading=wanted.heading_likeness(run),
        filled=len(columns) / field_count,
        regularity=table.regularity,
        log_count=min(math.log(len(items)), 2.0),
        apart=run.apart,
        single=float(len(items) == 1),
        explained=min(1.0, used / max(1, pieces)),
        full=count_of_read / len(required) / len(items),
        labels=sum(folded_words(text) in PHRASES or text.endswith(":") for text in texts) / max(1, len(texts)),
        typed=sum("text" not in column.kind for column in columns.values()) / field_count,
        lines=min(lines, MAX_LINES_COUNTED) / MAX_LINES_COUNTED,
        item_share=len(items) / len(run.records),
    )


def _extended(run: Run, wanted: ListToFill, columns: Mapping[int, Column]) -> dict[int, Column]:
    """Return the column of each field, those of free text extended by neighbouring pieces that no other field takes,
    such as `Mill Road` by the `7` after it."""
    taken: list[set[ColumnPlace]] = [
        {place for column in columns.values() if (cell := column.cells[number]) for place in cell.pieces}
        for number in range(len(run.records))
    ]
    extended = dict(columns)
    for index, column in columns.items():
        has_text = column.kind == "text" or not any(
            "text" in other.kind and other.pieces == column.pieces for other in columns.values() if other is not column
        )
        if not (wanted.fields[index].is_free_text and column.kind in _EXTENDED_KINDS and has_text):
            continue
        cells = [
            _extended_cell(record, cell, own, is_text=column.kind == "text") if cell else None
            for record, cell, own in zip(run.records, column.cells, taken, strict=True)
        ]
        if cells != column.cells:
            extended[index] = replace(column, cells=cells)
    return extended


def _extended_cell(record: Record, cell: ColumnCell, taken: set[ColumnPlace], *, is_text: bool) -> ColumnCell:
    """Return a cell with the pieces after it and, if the column has texts, the pieces before it. They become taken."""
    places = sorted(cell.pieces)
    number, first, last = places[0].line, places[0].piece, places[-1].piece
    if number < 0 or first == OF_MARK:
        return cell
    pieces = record[number].pieces

    def is_part(piece: Piece, neighbour: Piece, at: int) -> bool:
        is_other = piece.kind in _SEPARATE_KINDS or piece.in_brackets != neighbour.in_brackets
        is_labelled = piece.label and piece.sign != ""
        return not (is_other or is_labelled or ColumnPlace(number, at) in taken)

    while (
        last + 1 < len(pieces)
        and pieces[last + 1].sign in (("", "comma") if is_text else ("",))
        and is_part(pieces[last + 1], pieces[last], last + 1)
    ):
        last += 1
    while (
        is_text
        and first > 0
        and not (pieces[first].sign or pieces[first].label)
        and is_part(pieces[first - 1], pieces[first], first - 1)
    ):
        first -= 1
    if last - first + 1 == len(places):
        return cell
    longer = join_pieces(record[number], number, range(first, last + 1))
    taken |= longer.pieces
    return longer


def filled_list(filling: RecordFilling, path: JsonPath, fields: Sequence[WantedField]) -> FilledList:
    """Return a list with one row for each record of a run that is an item."""
    filled = FilledList([], is_exact=False)
    filled.missing = [field for index, field in enumerate(fields) if index not in filling.columns]
    table = read_table(filling.table, [*filling.columns.values()])
    column_of = {index: column for column, index in enumerate(filling.columns)}
    for number in filling.items:
        item = item_of(fields, {index: values[number] for index, values in filling.values.items()})
        if item is None:
            continue
        if len(filled.rows) >= MAX_ITEMS:
            filled.is_cut = True
            break
        row = table.rows[table.header + number]
        cells = {index: row[column_of[index]] if index in column_of else NO_CELL for index in item}
        own = {index: _cell_of_field(filling, cell, number, fields, index) for index, cell in cells.items()}
        filled.append(path, fields, item, own)
    return filled


def _cell_of_field(
    filling: RecordFilling, cell: ReadCell, number: int, fields: Sequence[WantedField], index: int
) -> CellOfField:
    """Return the cell of a record from which a field is filled. `number` is the index of the record, and `index` that
    of the field."""
    field = fields[index]
    has_value = cell is not NO_CELL and is_read(filling.values[index][number])
    return CellOfField(
        filling.entry,
        cell,
        filling.columns[index].label if index in filling.columns else "",
        1.0,
        answered=len(filling.columns) / len(fields),
        is_read=has_value,
        is_text=is_plain_text(field),
        is_only=len(filling.items) == 1,
        found_in="records",
        chance=filling.probability(index) if has_value else 0.0,
        is_named=filling.features.heading > 0,
    )


def better_of(
    tables: Mapping[JsonPath, FilledList], records: Mapping[JsonPath, FilledList]
) -> dict[JsonPath, FilledList]:
    """Return each list with the rows of its table, or with the rows of records if there is no table or if the records
    are worth clearly more."""
    better = {**records, **tables}
    for path in tables.keys() & records.keys():
        table, from_records = tables[path], records[path]
        # A table of a file, such as a spreadsheet, rarely lacks rows: records replace it only if they have more rows.
        # Below the end of a table on a page, records would go on with lines that are not items.
        has_more_rows = len(from_records.rows) > len(table.rows)
        is_whole = table.is_exact and not has_more_rows
        others = {place for other, one in tables.items() if other != path for place in one.places}
        if is_whole or _has_places(from_records, others - table.places):
            continue
        if from_records.worth() > CHOICE.clearly_more * table.worth():
            better[path] = from_records
    return better


def _has_places(one: FilledList, places: Collection[Place]) -> bool:
    """True if many of a list's cells are in other lists, too."""
    return sum(place in places for place in one.places) > LARGEST_OVERLAP * len(one.places)
