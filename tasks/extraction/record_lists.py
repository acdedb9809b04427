"""Fills lists of objects from runs of records: stretches of a text that repeat one pattern, such as entries of a log.

Each list is filled from the run whose values fit the list's fields best.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.boxes import box_of
from tasks.extraction.column_values import UNREADABLE, has_decimal_commas
from tasks.extraction.features import types_of, wants_iso
from tasks.extraction.fields import Fits, WantedField
from tasks.extraction.names import names_of
from tasks.extraction.object_lists import MAX_ITEMS
from tasks.extraction.passages import Passage, passages_to_search
from tasks.extraction.probability import CellOfField
from tasks.extraction.record_slots import (
    ListToFill,
    RecordFilling,
    RecordTemplate,
    SlotCell,
    fill_from,
    item_of,
    template_of,
)
from tasks.extraction.repeated_records import Run, runs_of
from tasks.extraction.table_lists import MAX_DATED, FilledList, is_plain_text
from tasks.extraction.words_on_page import WordOnPage, cell_of, place_words
from tasks.notation.dates import days_mentioned
from tasks.precontext import Entry
from tasks.read_table import NO_CELL, ReadCell
from tasks.schema.paths import JsonPath

LEAST: Final = 0.5
"""Least mean probability of the values of a list's records."""
FEWEST: Final = 3
"""Least number of records that fill a list if no heading above them names the list."""
BETTER: Final = 1.5
"""Least ratio between the worth of records and that of a table at which the records fill the list. It is above 1
because the end of a list is less certain in records than in a table."""
MAX_RUNS_READ: Final = 12
"""Number of runs whose values are read for each list, those with the best rough scores."""
MAX_COMPARED: Final = 5_000_000
"""Bound on the work of comparing runs with lists, which takes less than 2 s: the sum of fields × slots × records over
the compared runs. None of 90 documents needs more than 200,000."""
MAX_READ: Final = 1_000_000
"""Bound on the work of reading the values of runs, which takes 3 s: the sum of fields × slots × records over the runs
that are read. None of 90 documents needs more than 60,000."""


class RunOfList(NamedTuple):
    """A run of records in a precontext entry, with the assignment of the run's slots to the fields of a list."""

    entry: Entry
    filling: RecordFilling


def runs_for(
    read: Sequence[Entry], lists: Mapping[JsonPath, Sequence[WantedField]]
) -> Slices[dict[JsonPath, list[RunOfList]]]:
    """Return the runs of records that may fill each list, those with the best rough scores first."""
    found: dict[JsonPath, list[RunOfList]] = {path: [] for path in lists}
    names = {path: names_of(path, {"type": "array"}) for path in lists}
    wanted = {
        path: ListToFill(
            [one._replace(fits=_remembered(one.fits)) for one in fields],
            names[path],
            [other for at, other in names.items() if at != path],
        )
        for path, fields in lists.items()
    }
    likely: dict[JsonPath, list[tuple[float, RecordTemplate, Sequence[date], bool, Entry]]] = {
        path: [] for path in lists
    }
    passages = yield from passages_to_search(read)
    width = sum(map(len, lists.values()))
    compared = 0
    for passage in passages:
        if passage.codes:
            continue
        yield from place_words(passage)
        days = yield from days_mentioned(passage.text[:MAX_DATED])
        for run in runs_of(passage):
            if run is None:
                yield
                continue
            yield
            lists_of_run = {path: one for path, one in wanted.items() if _may_be_list(run, one)}
            if not lists_of_run:
                continue
            template = template_of(run)
            compared += width * template.size
            if compared > MAX_COMPARED:
                break
            yield
            figures = [slot for slot in template.slots if slot.kind in ("money", "decimal", "number")]
            comma = has_decimal_commas([slot.as_printed.texts for slot in figures], likely=False)
            for path, one in lists_of_run.items():
                rough = yield from fill_from(template, one, days, comma, is_rough=True)
                if rough is not None:
                    likely[path].append((rough.score, template, days, comma, read[passage.entry]))
            yield
    for own in likely.values():
        own.sort(key=lambda item: -item[0])
    spent = 0
    # The best run of each list is read before the second best of any, so that no list uses up the bound.
    for rank in range(MAX_RUNS_READ):
        for path, own in likely.items():
            yield
            if rank >= len(own):
                continue
            _, template, days_of_run, has_commas, entry = own[rank]
            spent += len(lists[path]) * template.size
            if spent > MAX_READ:
                return found
            filling = yield from fill_from(template, wanted[path], days_of_run, has_commas)
            if filling is not None:
                found[path].append(RunOfList(entry, filling))
    return found


def _remembered(fits: Fits) -> Fits:
    """Return a check that remembers its answers: many runs have the same texts."""
    known: dict[tuple[type, Any], bool] = {}

    def check(value: Any) -> bool:
        if isinstance(value, list):
            return fits(value)
        key = type(value), value
        if key not in known:
            known[key] = fits(value)
        return known[key]

    return check


def fill_from_records(
    read: Sequence[Entry], lists: Mapping[JsonPath, Sequence[WantedField]]
) -> Slices[dict[JsonPath, FilledList]]:
    """Fill lists from runs of records in the order of the runs' scores.

    A run is left out if more than a quarter of its words already fill other lists.
    """
    if not lists:
        return {}
    runs = yield from runs_for(read, lists)
    every = [(one.filling.score, path, one) for path, own in runs.items() for one in own]
    every.sort(key=lambda item: -item[0])
    found: dict[JsonPath, FilledList] = {}
    used: set[tuple[int, int]] = set()
    for _, path, one in every:
        if path in found or one.filling.mean < LEAST or not _is_list(one.filling, lists[path]):
            continue
        passage = one.filling.template.run.passage
        own = {
            (id(passage), word)
            for slot in one.filling.slots.values()
            for cell in slot.cells
            if cell
            for word in cell.words
        }
        if 4 * len(own & used) > len(own):
            continue
        filled = filled_list(one, path, lists[path])
        if filled.rows:
            used |= own
            found[path] = filled
        yield
    return found


def _may_be_list(run: Run, wanted: ListToFill) -> bool:
    """True if there are many records, or if they are below a heading that names the list."""
    return len(run.records) >= FEWEST or wanted.heading_of(run) > 0


def _is_list(filling: RecordFilling, fields: Sequence[WantedField]) -> bool:
    """True if a run of records may fill a list: it has at least `FEWEST` records or a heading that names the list, and
    a slot for each required number and day."""
    is_named = filling.of_run["heading"] > 0
    must = [at for at, one in enumerate(fields) if _is_figure(one) and not one.fits(None)]
    return (len(filling.kept) >= FEWEST or is_named) and all(at in filling.slots for at in must)


def _is_figure(one: WantedField) -> bool:
    return bool(types_of(one.schema) & {"number", "integer"}) or wants_iso(one.schema)


def filled_list(one: RunOfList, path: JsonPath, fields: Sequence[WantedField]) -> FilledList:
    """Return a list with one row for each record of a run that is kept."""
    filling = one.filling
    passage = filling.template.run.passage
    found = FilledList([], is_exact=False)
    found.missing = [field for at, field in enumerate(fields) if at not in filling.slots]
    for number in filling.kept:
        item = item_of(filling, fields, number)
        if item is None or len(found.rows) >= MAX_ITEMS:
            continue
        row = len(found.rows)
        for at, field in enumerate(fields):
            if at not in item:
                continue
            cell = filling.slots[at].cells[number] if at in filling.slots else None
            is_read = cell is not None and filling.values[at][number] not in (None, UNREADABLE)
            read = _cell(passage, cell) if cell is not None else NO_CELL
            found.cells[(*path, row, field.path[-1])] = CellOfField(
                one.entry,
                read,
                " ".join(field.names.own[0]),
                1.0,
                1.0,
                answered=len(filling.slots) / len(fields),
                is_read=is_read,
                is_text=is_plain_text(field),
                is_only=len(filling.kept) == 1,
                found_in="records",
                chance=filling.chance(at) if is_read else 0.0,
                is_named=filling.of_run["heading"] > 0,
            )
        found.rows.append({str(fields[at].path[-1]): value for at, value in item.items()})
    return found


def _cell(passage: Passage, cell: SlotCell) -> ReadCell:
    placed = [WordOnPage(word, box) for word in cell.words if (box := box_of(passage, [word])) is not None]
    return cell_of(passage, placed)._replace(text=cell.text) if placed else ReadCell(cell.text)


def better_of(
    tables: Mapping[JsonPath, FilledList], records: Mapping[JsonPath, FilledList]
) -> dict[JsonPath, FilledList]:
    """Return each list as the table fills it, or as the records fill it if that is worth clearly more."""
    found = {**records, **tables}
    for path in tables.keys() & records.keys():
        # A table of a file, such as a spreadsheet, rarely lacks rows: records replace it only if they have more rows.
        if tables[path].is_exact and len(records[path].rows) <= len(tables[path].rows):
            continue
        if records[path].worth > BETTER * tables[path].worth:
            found[path] = records[path]
    return found
