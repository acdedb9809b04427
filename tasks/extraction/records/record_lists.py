"""Fills lists of objects, each from the run of records whose values fit the list's fields best."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.assign import is_plain_text
from tasks.extraction.column_values import is_read
from tasks.extraction.decimal_signs import decimal_sign
from tasks.extraction.features import types_of, wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.names import names_of
from tasks.extraction.object_lists import MAX_ITEMS
from tasks.extraction.passages import MAX_CHARS, passages_to_search
from tasks.extraction.probability import CellOfField
from tasks.extraction.records.fillings import RecordFilling, find_filling, item_of
from tasks.extraction.records.list_fields import NUMBERS, FieldOfList, ListToFill
from tasks.extraction.records.repeated_records import runs_of
from tasks.extraction.records.runs import Run
from tasks.extraction.records.templates import RecordTemplate, template_of
from tasks.extraction.table_lists import FilledList
from tasks.extraction.words_on_page import cell_with, place_words
from tasks.notation.dates import days_mentioned
from tasks.precontext import Entry
from tasks.read_table import NO_CELL
from tasks.schema.paths import JsonPath

LEAST_PROBABILITY: Final = 0.5
"""Least mean probability of the values of a run that fills a list."""
LEAST_OF_FULL: Final = 0.35
"""Least mean probability of the values of a full run, which has slots for nearly all fields of its list."""
FULL: Final = 0.75
"""A run is full only if it has slots for at least this share of the list's fields."""
FEW_FIELDS: Final = 3
"""A run is full only if the list has at least this many fields. Many pages have runs with a text and a number, which
fill two fields."""
FEWEST_RECORDS: Final = 3
"""Least number of records that fill a list if no heading above them names the list."""
CLEARLY_MORE: Final = 1.5
"""Records fill a list instead of a table if their worth is more than this many times the worth of the table. The factor
is above 1, because the end of a list is less certain in records than in a table."""
LARGEST_OVERLAP: Final = 0.25
"""Largest share of a run's words that may fill other lists."""
MAX_RUNS_READ: Final = 12
"""Largest number of runs whose values are read for each list. The runs with the best rough scores are read."""
MAX_COMPARED: Final = 1_000_000
"""Bound on the work of comparing runs with lists, which takes some 0.5 s: the sum of fields × slots × records over the
compared runs. None of 90 documents needs more than 200,000."""
MAX_READ: Final = 300_000
"""Bound on the work of reading the values of runs, which takes 1 s: the sum of fields × slots × records over the runs
that are read. None of 90 documents needs more than 60,000."""


class LikelyRun(NamedTuple):
    """A run of records that may fill a list, before its values are read."""

    rough_score: float
    template: RecordTemplate
    entry: Entry


class RunOfList(NamedTuple):
    """A run of records that may fill a list, with the values that it would give the list."""

    entry: Entry
    """The entry of the precontext in which the run was found."""
    filling: RecordFilling


def fill_from_records(
    read: Sequence[Entry], lists: Mapping[JsonPath, Sequence[WantedField]]
) -> Slices[dict[JsonPath, FilledList]]:
    """Fill lists from runs of records in the order of the runs' scores.

    A run is left out if more than a quarter of its words already fill other lists.
    """
    if not lists:
        return {}
    runs_by_list = yield from runs_for(read, lists)
    ranked = [(path, run) for path, runs in runs_by_list.items() for run in runs]
    ranked.sort(key=lambda item: -item[1].filling.score)
    filled_lists: dict[JsonPath, FilledList] = {}
    used: set[tuple[int, int]] = set()
    for path, run in ranked:
        is_full = len(lists[path]) >= FEW_FIELDS and run.filling.features.filled >= FULL
        least = LEAST_OF_FULL if is_full else LEAST_PROBABILITY
        is_likely = run.filling.mean_probability >= least and _may_fill(run.filling, lists[path])
        if path in filled_lists or not is_likely:
            continue
        words = _words_of(run.filling)
        if len(words & used) > LARGEST_OVERLAP * len(words):
            continue
        filled = filled_list(run, path, lists[path])
        if filled.rows:
            used |= words
            filled_lists[path] = filled
        yield
    return filled_lists


def runs_for(
    read: Sequence[Entry], lists: Mapping[JsonPath, Sequence[WantedField]]
) -> Slices[dict[JsonPath, list[RunOfList]]]:
    """Return the runs of records that may fill each list, those with the best rough scores first."""
    wanted_lists = yield from _lists_to_fill(lists)
    likely_runs = yield from _likely_runs(read, wanted_lists)
    runs: dict[JsonPath, list[RunOfList]] = {path: [] for path in lists}
    spent = 0
    # The best run of each list is read before the second best run of any list, so that no list uses up the bound.
    for rank in range(MAX_RUNS_READ):
        for path, likely in likely_runs.items():
            yield
            if rank >= len(likely):
                continue
            template = likely[rank].template
            spent += len(lists[path]) * template.size
            if spent > MAX_READ:
                return runs
            filling = yield from find_filling(template, wanted_lists[path])
            if filling is not None:
                runs[path].append(RunOfList(likely[rank].entry, filling))
    return runs


def _lists_to_fill(lists: Mapping[JsonPath, Sequence[WantedField]]) -> Slices[dict[JsonPath, ListToFill]]:
    names = {path: names_of(path, {"type": "array"}) for path in lists}
    wanted_lists: dict[JsonPath, ListToFill] = {}
    for path, fields in lists.items():
        own = []
        for one in fields:
            yield
            own.append(FieldOfList.of(one))
        names_of_others = [other_names for other_path, other_names in names.items() if other_path != path]
        wanted_lists[path] = ListToFill(own, names[path], names_of_others)
    return wanted_lists


def _likely_runs(
    read: Sequence[Entry], wanted_lists: Mapping[JsonPath, ListToFill]
) -> Slices[Mapping[JsonPath, Sequence[LikelyRun]]]:
    """Return the runs that may fill each list, those with the best rough scores first."""
    likely_runs: dict[JsonPath, list[LikelyRun]] = {path: [] for path in wanted_lists}
    passages = yield from passages_to_search(read)
    field_count = sum(len(wanted.fields) for wanted in wanted_lists.values())
    compared = 0
    for passage in passages:
        if compared > MAX_COMPARED:
            break
        yield from place_words(passage)
        days = yield from days_mentioned(passage.text[:MAX_CHARS])
        comma_likely = (yield from decimal_sign([passage])) == ","
        for run in runs_of(passage):
            yield
            if run is None:
                continue
            lists_of_run = [path for path, wanted in wanted_lists.items() if _may_be_list(run, wanted)]
            if not lists_of_run:
                continue
            template = yield from template_of(run, days, comma_likely=comma_likely)
            compared += field_count * template.size
            if compared > MAX_COMPARED:
                break
            yield
            for path in lists_of_run:
                rough = yield from find_filling(template, wanted_lists[path], is_rough=True)
                if rough is not None:
                    likely_runs[path].append(LikelyRun(rough.score, template, read[passage.entry]))
            yield
    for likely in likely_runs.values():
        likely.sort(key=lambda run: -run.rough_score)
    return likely_runs


def _may_be_list(run: Run, wanted: ListToFill) -> bool:
    """True if there are at least `FEWEST_RECORDS` records, or if they are below a heading that names the list."""
    return len(run.records) >= FEWEST_RECORDS or wanted.heading_likeness(run) > 0


def _may_fill(filling: RecordFilling, fields: Sequence[WantedField]) -> bool:
    """True if a run of records may fill a list: it has at least `FEWEST_RECORDS` items or a heading that names the
    list, and a slot for each required number and day."""
    is_named = filling.features.heading > 0
    required = [index for index, field in enumerate(fields) if _is_figure(field) and not field.fits(None)]
    return (len(filling.items) >= FEWEST_RECORDS or is_named) and all(index in filling.slots for index in required)


def _is_figure(field: WantedField) -> bool:
    """True if a field's values are numbers or days."""
    return bool(types_of(field.schema) & NUMBERS) or wants_iso(field.schema)


def _words_of(filling: RecordFilling) -> set[tuple[int, int]]:
    """Return the words in the slots of a filling, each with the identity of its passage."""
    passage = id(filling.template.run.passage)
    cells = [cell for slot in filling.slots.values() for cell in slot.cells if cell]
    return {(passage, word) for cell in cells for word in cell.words}


def filled_list(run: RunOfList, path: JsonPath, fields: Sequence[WantedField]) -> FilledList:
    """Return a list with one row for each record of a run that is an item."""
    filling = run.filling
    filled = FilledList([], is_exact=False)
    filled.missing = [field for index, field in enumerate(fields) if index not in filling.slots]
    for number in filling.items:
        item = item_of(filling, fields, number)
        if item is None:
            continue
        if len(filled.rows) >= MAX_ITEMS:
            filled.is_cut = True
            break
        for index in item:
            cell_path = (*path, len(filled.rows), fields[index].path[-1])
            filled.cells[cell_path] = _cell_of_field(run, number, fields, index)
        filled.rows.append({str(fields[index].path[-1]): value for index, value in item.items()})
    return filled


def _cell_of_field(run: RunOfList, number: int, fields: Sequence[WantedField], index: int) -> CellOfField:
    """Return the cell of a record from which a field is filled. `number` is the index of the record, and `index` that
    of the field."""
    filling, field = run.filling, fields[index]
    cell = filling.slots[index].cells[number] if index in filling.slots else None
    has_value = cell is not None and is_read(filling.values[index][number])
    return CellOfField(
        run.entry,
        cell_with(filling.template.run.passage, cell.words, cell.text) if cell is not None else NO_CELL,
        " ".join(field.names.own[0]),
        1.0,
        answered=len(filling.slots) / len(fields),
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
        is_whole = has_more_rows if table.is_ended else table.is_exact and not has_more_rows
        if not is_whole and from_records.worth() > CLEARLY_MORE * table.worth():
            better[path] = from_records
    return better
