"""Fills the fields of a schema with values that are given, and with values copied from the texts that were read.

There are six steps:

1. Read (`passages`): the texts become lines and words with places.
2. Structure (`table_lists`, `records`): tables and records that repeat are found, and fill lists of objects.
3. Candidates (`candidates`, `page_reading`): the spans of the texts that may be values.
4. Score (`extractor`): the network and the encoder of pages score each candidate for each field, and rules correct the
   scores.
5. Assign (`choice`, `object_lists`, `text_lists`, `decisions`): each field gets the likeliest value, and each list the
   filling that is worth most.
6. Judge (`probability`, `sums`): lists that contradict printed sums are doubted, and warnings say what is lacking.
   `evidence` describes the place of each value, with the calibrated probability that it is right.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from tasks.extraction.choice import ChosenValue, choose_values
from tasks.extraction.column_values import emptiest_value
from tasks.extraction.conversions import conversions_of
from tasks.extraction.copied_fields import CopiedFields
from tasks.extraction.decisions import decide
from tasks.extraction.examples import Example
from tasks.extraction.extractor import Extractor
from tasks.extraction.fields import MAX_FIELDS, NESTING, WantedField, with_nesting
from tasks.extraction.fields_to_fill import FieldsToFill, fields_to_fill, lists_to_fill
from tasks.extraction.given_values import GivenValues
from tasks.extraction.object_lists import ObjectList, PrintedText, printed_text, read_object_list
from tasks.extraction.passages import passages_to_search
from tasks.extraction.probability import FieldScores, in_doubt
from tasks.extraction.records.record_lists import better_of, fill_from_records
from tasks.extraction.sums import columns_of, lists_against_sums, prefer_sums_of_lists
from tasks.extraction.table_lists import FilledList, fill_from_tables, with_taught_names
from tasks.extraction.text_lists import TextList, named_list
from tasks.extraction.trace import Trace
from tasks.precontext import Entry
from tasks.schema.paths import JsonPath, pointer_of
from tasks.schema.remainder import LEFT_OUT

MAX_ITEMS_NAMED: Final = 5
"""A warning names at most this many items of a list."""
_LACKING = "Nothing was copied for these fields of {path}: {names}."
_AGAINST_SUM = "The items of {path} do not add up to the sum that is printed with them."


def copy_fields(
    schema: Mapping[str, Any],
    given: GivenValues,
    read: Sequence[Entry],
    extractor: Extractor | None,
    examples: Sequence[Example] = (),
    trace: Trace | None = None,
) -> CopiedFields:
    """Copy the fields of `schema` that are not `given` from the texts in `read`. Places where `examples` have the
    fields are preferred. `trace` records what the steps do. Raises ModelError."""
    checker, all_lists = lists_to_fill(schema)
    lists = with_taught_names({path: one for path, one in all_lists.items() if path not in given.lists}, examples)
    # Structure.
    tables, were_tables_read = fill_from_tables(read, lists, extractor, trace.tables if trace else None)
    several = _of_several_fields(lists)
    exact = {path for path, one in tables.items() if one.is_exact}
    to_fill = fields_to_fill(schema, checker, given, lists, exact | (lists.keys() - several.keys()))
    if to_fill is None:
        return CopiedFields({})
    records = fill_from_records(read, several, trace.runs if trace else None)
    # Candidates, and the score of each candidate for each field.
    steps = trace.steps if trace else None
    scored = extractor.score(read, to_fill.wanted, examples, steps) if extractor and to_fill.wanted and read else None
    items = {path: read_object_list(scored, path) for path in to_fill.lists} if scored else {}
    tables, records, items = _compared(tables, records, items)
    copied = _assign(to_fill, read, better_of(tables, records), items, scored, trace)
    lacking = {path: ", ".join(one.unanswered) for path, one in given.lists.items() if one.items and one.unanswered}
    unanswered = [path for path in lists if were_tables_read and copied.values.get(path) == []]
    warnings = [*copied.warnings, *_warnings(copied.tables, unanswered, to_fill.beyond)]
    warnings += [_LACKING.format(path=pointer_of(path), names=names) for path, names in lacking.items()]
    if trace is not None:
        trace.lists = lists
    return replace(copied, from_results=given.lists, warnings=warnings)


def ways_to_fill(
    schema: Mapping[str, Any], read: Sequence[Entry], extractor: Extractor
) -> list[Mapping[JsonPath, FilledList | ObjectList]]:
    """Return the lists of `schema` filled in each way: from tables, from records, and by the network. Raises
    ModelError."""
    checker, lists = lists_to_fill(schema)
    several = _of_several_fields(lists)
    to_fill = fields_to_fill(schema, checker, GivenValues(), lists, lists.keys() - several.keys())
    if to_fill is None or not lists:
        return []
    tables, _ = fill_from_tables(read, lists, extractor)
    scored = extractor.score(read, to_fill.wanted)
    network = {path: read_object_list(scored, path) for path in to_fill.lists}
    return [*_compared(tables, fill_from_records(read, several), network)]


def _of_several_fields(lists: Mapping[JsonPath, Sequence[WantedField]]) -> dict[JsonPath, Sequence[WantedField]]:
    """Return the lists whose items have several fields. Single values repeat everywhere, so only the header of a table
    shows that they are the items of a list."""
    return {path: fields for path, fields in lists.items() if len(fields) > 1}


def _compared(
    tables: Mapping[JsonPath, FilledList], records: Mapping[JsonPath, FilledList], items: Mapping[JsonPath, ObjectList]
) -> tuple[dict[JsonPath, FilledList], dict[JsonPath, FilledList], dict[JsonPath, ObjectList]]:
    """Return the lists filled in each way, with how far the ways agree."""

    def rows(ways: Sequence[Mapping[JsonPath, FilledList | ObjectList]], path: JsonPath) -> list[list[dict[str, Any]]]:
        return [way[path].rows for way in ways if path in way]

    return (
        {path: one.compared_with(rows((records, items), path)) for path, one in tables.items()},
        {path: one.compared_with(rows((tables, items), path)) for path, one in records.items()},
        {path: one.compared_with(rows((tables, records), path)) for path, one in items.items()},
    )


def _assign(
    to_fill: FieldsToFill,
    read: Sequence[Entry],
    filled: Mapping[JsonPath, FilledList],
    found: Mapping[JsonPath, ObjectList],
    scored: FieldScores | None,
    trace: Trace | None,
) -> CopiedFields:
    """Return the fields with their chosen values. `filled` are the lists that tables or records fill, and `found` those
    of the network."""
    passages = scored.candidates.passages if scored else passages_to_search(read)
    decided = decide(to_fill.choices, to_fill.choice_lists, read, passages, scored)
    values, tables, improbable = {**to_fill.values}, filled, dict[JsonPath, Any]()
    texts: Mapping[JsonPath, TextList] = {}
    against_sums: Collection[JsonPath] = ()
    if scored:
        items = _lists_of_network(found, read, filled, scored, trace)
        tables = {path: one for path, one in tables.items() if path not in items}
        values |= {path: _rows(to_fill, path, one) for path, one in items.items()}
        cells = {at: cell for one in items.values() for at, cell in one.cells.items()}
        rows = {path: one.rows for path, one in (items | tables).items()}
        scored = prefer_sums_of_lists(replace(scored, cells=cells), columns_of(rows.values()))
        if trace is not None:
            trace.steps.reached("prefer_sums_of_lists", scored.logits)
        choices = choose_values(scored, to_fill.choices)
        texts = _lists_of_texts(to_fill, scored)
        scored = replace(scored, lists=texts)
        values |= _text_lists(to_fill, texts)
        singles, improbable = _single_values(to_fill, choices)
        values |= singles
        decided = {**conversions_of(scored, choices), **decided}
        against_sums = lists_against_sums(scored, rows, singles)
        scored = replace(scored, cells=in_doubt(scored.cells, against_sums))
        tables |= {path: tables[path].against_sum() for path in against_sums if path in tables}
    values |= {path: one.value for path, one in decided.items() if path in to_fill.choices}
    for path in to_fill.choice_lists:
        if ticked := [one.value for at, one in decided.items() if at[:-1] == path]:
            values[path] = ticked
    values |= {path: one.rows for path, one in tables.items()}
    values |= {path: [*map(with_nesting, values[path])] for path in to_fill.listed if values.get(path)}
    lacking = [*_lacking(to_fill, {path for path in to_fill.lists if path not in tables and values.get(path)})]
    cut = [path for path, one in tables.items() if one.is_cut]
    lacking += [f"Only the first {len(values[path]):,} items of {pointer_of(path)} were copied." for path in cut]
    lacking += [_AGAINST_SUM.format(path=pointer_of(path)) for path in against_sums if path not in tables]
    if scored and scored.by_words_alone:
        lacking.append(
            f"{scored.by_words_alone:,} labels and lines were compared with the fields by their words, not by "
            "their meaning, because together they have too many tokens."
        )
    return CopiedFields(values, scored, tables, lacking, decided, improbable)


def _lists_of_network(
    found: Mapping[JsonPath, ObjectList],
    read: Sequence[Entry],
    filled: Mapping[JsonPath, FilledList],
    scored: FieldScores,
    trace: Trace | None,
) -> dict[JsonPath, ObjectList]:
    """Return the lists that the network fills better than tables and records do."""
    if trace is not None:
        trace.by_network = found
    index_of = {id(entry): index for index, entry in enumerate(read)}
    tables = {
        path: {
            (index_of.get(id(cell.entry), -1), cell.cell.pointer, cell.cell.text)
            for cell in one.cells.values()
            if cell.is_read
        }
        for path, one in filled.items()
    }
    better: dict[JsonPath, ObjectList] = {}
    used: set[PrintedText] = set()
    # A printed item is only in the list that is worth most.
    for path in sorted(found, key=lambda path: -found[path].worth()):
        worth = found[path].worth()
        in_tables = [own for other, own in tables.items() if other != path and filled[other].worth() > worth]
        one = found[path].without_places(scored, used.union(*in_tables))
        used |= {printed_text(scored, cell) for cell in one.cells.values()}
        if _is_better(one, path, filled):
            better[path] = one
    return better


def _lists_of_texts(to_fill: FieldsToFill, scored: FieldScores) -> dict[JsonPath, TextList]:
    """Return the lists of texts that are printed below or beside their names."""
    names = {one.path: one.names for one in to_fill.wanted}
    lists: dict[JsonPath, TextList] = {}
    for path, fits in to_fill.texts.items():
        passages = scored.candidates.passages
        named = (TextList(passage, named_list(passage, names[path])) for passage in passages)
        found = next((one for one in named if one.items), None)
        if found and fits(found.texts):
            lists[path] = found
    return lists


def _text_lists(to_fill: FieldsToFill, found: Mapping[JsonPath, TextList]) -> dict[JsonPath, Any]:
    """Return the lists of texts: those in `found`, and null or an empty list for the others. A list that was not
    found and may be neither null nor empty is left out."""
    texts: dict[JsonPath, Any] = {}
    empty_values: tuple[Any, ...] = (None, [])
    for path, fits in to_fill.texts.items():
        value = found[path].texts if path in found else next(filter(fits, empty_values), LEFT_OUT)
        if value is not LEFT_OUT:
            texts[path] = value
    return texts


def _single_values(
    to_fill: FieldsToFill, choices: Mapping[JsonPath, ChosenValue]
) -> tuple[dict[JsonPath, Any], dict[JsonPath, Any]]:
    """Return the values of single fields, and those that only the schema demands, although probably nothing answers
    their fields."""
    values: dict[JsonPath, Any] = {}
    improbable: dict[JsonPath, Any] = {}
    for one in to_fill.wanted:
        choice = choices.get(one.path)
        if choice is None or one.path in to_fill.texts:
            continue
        if choice.is_demanded:
            improbable[one.path] = choice.value
        elif choice.value is not None or one.fits(None):
            values[one.path] = choice.value
        elif one.may_be_left_out:
            values[one.path] = LEFT_OUT
    return values, improbable


def _lacking(to_fill: FieldsToFill, filled: Collection[JsonPath]) -> Iterator[str]:
    for path, fields in to_fill.lists.items():
        if fields and path in filled:
            names = ", ".join(map(_printed, fields))
            yield _LACKING.format(path=pointer_of(path), names=names)


def _is_better(found: ObjectList, path: JsonPath, filled: Mapping[JsonPath, FilledList]) -> bool:
    """True if the objects that the network found are worth more than the rows from the list's table or records. If
    nothing fills the list yet, the objects must be worth more than 0. If there are other tables, and this list is
    called like the heading above its own, an object must be worth more than a row, for further objects may be rows
    of the others."""
    worth = found.worth()
    table = filled.get(path)
    least = 0.0 if table is None else table.worth()
    has_others = table is not None and table.is_named and len(filled) > 1
    if table is not None and has_others and len(found.rows) > len(table.rows):
        worth *= len(table.rows) / len(found.rows)
    return worth > least


def _rows(to_fill: FieldsToFill, path: JsonPath, found: ObjectList) -> list[dict[str, Any]]:
    """Return the rows of a list. Fields that cannot be copied get the emptiest value that their schema permits."""
    empty = {str(one.path[-1]): emptiest_value(one) for one in to_fill.lists[path] if not one.may_be_left_out}
    return [row | empty for row in found.rows]


def _warnings(tables: Mapping[JsonPath, FilledList], empty: Sequence[JsonPath], beyond: int) -> Iterator[str]:
    if beyond:
        searched = (
            f"the first {MAX_FIELDS} fields of the schema and the first {MAX_FIELDS} fields of objects in its lists"
        )
        yield f"Only {searched} were searched for; {beyond} others were not."
    for path in empty:
        yield f"A table was read, but its columns answer no field of {pointer_of(path)}, which is empty."
    for path, filled in tables.items():
        if filled.missing:
            yield _LACKING.format(path=pointer_of(path), names=", ".join(map(_printed, filled.missing)))
        if filled.left_out:
            seen = filled.left_out + len(filled.rows)
            yield f"{seen:,} rows were seen for {pointer_of(path)}, and {len(filled.rows):,} of them were taken."
        if filled.contradicts_sum:
            yield _AGAINST_SUM.format(path=pointer_of(path))
        for name, items in filled.unread.items():
            named = f"{len(items):,} of {len(filled.rows):,} items of {pointer_of(path)}"
            first = ", ".join([pointer_of((*path, item, _printed_name(name))) for item in items[:MAX_ITEMS_NAMED]])
            more = ", …" if len(items) > MAX_ITEMS_NAMED else ""
            yield f"{named} have no {_printed_name(name)}, which must have a value: {first}{more}"


def _printed(field: WantedField) -> str:
    return _printed_name(str(field.path[-1]))


def _printed_name(name: str) -> str:
    return name.replace(NESTING, ".")
