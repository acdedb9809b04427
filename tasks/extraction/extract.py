"""Fills the fields of a schema with whole results of specialists, and with values copied from the texts that were
read."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from tasks.extraction.choice import ChosenValue, choose_values, text_list_at
from tasks.extraction.column_values import NO_VALUE, emptiest_value
from tasks.extraction.decisions import Decision, decide
from tasks.extraction.examples import Example, taught_names
from tasks.extraction.extractor import Extractor
from tasks.extraction.features import types_of
from tasks.extraction.fields import (
    MAX_FIELDS,
    NESTING,
    Fits,
    FormField,
    WantedField,
    choice_lists_of,
    column_path,
    count_left_out,
    fields_of,
    is_choice,
    lists_of,
    may_be_copied,
    remembered,
    text_lists_of,
    with_nesting,
    without_items,
)
from tasks.extraction.front_page import AUTHORS, LIKELY, TITLE, authors_as_objects, read_front_page
from tasks.extraction.headed_rows import tables_on_pages
from tasks.extraction.likeness import likeness_by_words
from tasks.extraction.names import Names, names_of
from tasks.extraction.object_lists import ObjectList, PrintedText, printed_text, read_object_list
from tasks.extraction.passages import is_text, passages_to_search
from tasks.extraction.probability import (
    FieldScores,
    ValuePlace,
    in_doubt,
    probability_of_cell,
)
from tasks.extraction.records.record_lists import better_of, fill_from_records
from tasks.extraction.specialist_lists import SpecialistList, specialist_lists
from tasks.extraction.sums import columns_of, lists_against_sums, prefer_sums_of_lists
from tasks.extraction.table_lists import MAX_EMBEDDED, FilledList, fill_lists
from tasks.extraction.table_readings import HeadedTable, affordable_tables, headed_tables, header_texts
from tasks.extraction.text_lists import ListItem, TextList, as_text, named_list
from tasks.extraction.values import with_contact_form, with_form
from tasks.extraction.whole_results import TaskResults, values_from_results
from tasks.extraction.written_tables import tables_in
from tasks.precontext import Entry
from tasks.schema.checker import SchemaChecker, prepared_checker
from tasks.schema.paths import JsonPath, pointer_of
from tasks.schema.remainder import LEFT_OUT

NAMED_LIST = 0.8
"""Probability of a list of texts that is below or beside its name, if the network preferred a different place or found
fewer items there."""

_LACKING = "Nothing was copied for these fields of {path}: {names}."
_AGAINST_SUM = "The items of {path} do not add up to the sum that is printed with them."
FEWEST_COLUMNS = 3
"""An exact table of at least this many columns shows that the other tables of its document are exact, too, so none is
searched for by the places of words."""


@dataclass(frozen=True, slots=True)
class CopiedFields:
    """The fields of an answer that no LLM has to write."""

    values: Mapping[JsonPath, Any]
    """Value of each field by its path; LEFT_OUT for a field that the answer lacks."""
    scored: FieldScores | None = None
    """The extractor's scores, or None if the extractor did not run."""
    tables: Mapping[JsonPath, FilledList] = field(default_factory=dict)
    """The lists that were filled from tables, by path."""
    warnings: Sequence[str] = ()
    """Warnings for the client, such as fields that no column of a table answers."""
    decided: Mapping[JsonPath, Decision] = field(default_factory=dict)
    """Booleans and enums that printed marks or words decide, by path."""
    improbable: Mapping[JsonPath, Any] = field(default_factory=dict)
    """Most likely values, by path, of fields that must have a value by the schema, although the texts probably do not
    answer them. These values are not in `values`."""
    from_results: Collection[JsonPath] = ()
    """Paths of the lists that specialists' results fill, perhaps with no items."""

    @property
    def likeliest(self) -> dict[JsonPath, Any]:
        """Return the copied values, and the improbable ones of fields that must have one."""
        return {path: value for path, value in self.values.items() if value is not LEFT_OUT} | {**self.improbable}

    @property
    def can_place(self) -> bool:
        return self.scored is not None or bool(self.tables)

    def place(self, path: JsonPath, value: Any, *, copied: bool = True) -> ValuePlace | None:
        """Return the place of a value: its cell, if it was copied from a table or from records, or else its most likely
        place."""
        index = next((number for number, step in enumerate(path) if isinstance(step, int)), len(path))
        if path[:index] in self.values and (inside := without_items(path[index + 1 :])):
            path = (*path[: index + 1], *column_path((), inside))
        cell = next((one.cells[path] for one in self.tables.values() if path in one.cells), None) if copied else None
        if cell is not None:
            chance = probability_of_cell(cell)
            return ValuePlace(chance, cell.entry, cell.cell.pointer, copied=True, cell=cell)
        return self.scored.place(path, value, copied=copied) if self.scored else None

    @property
    def document(self) -> Entry | None:
        """Return the request's own text if values were copied from it, or else None."""
        cells = (cell for one in self.tables.values() for cell in one.cells.values())
        own = next((cell.entry for cell in cells if not is_text(cell.entry)), None)
        return own or (self.scored.document if self.scored else None)


def copy_fields(
    schema: Mapping[str, Any],
    results: TaskResults,
    read: Sequence[Entry],
    extractor: Extractor | None,
    examples: Sequence[Example] = (),
) -> CopiedFields:
    """Copy the fields of `schema` from `results` and the texts in `read`. Places where `examples` have the fields are
    preferred. Raises ModelError."""
    checker, listed = _lists_to_fill(schema)
    found = specialist_lists(schema, checker, results)
    listed = {path: fields for path, fields in listed.items() if path not in found}
    for one in examples if listed else ():
        listed = _with_taught_names(one, listed)
    tables, readings = _from_tables(read, listed, extractor) if listed else ({}, [])
    form = _FormToFill.of(schema, checker, results, read, listed, tables, found)
    if form is None:
        return CopiedFields({})
    scored = _scored(form, extractor, examples)
    filled = better_of(tables, fill_from_records(read, listed))
    form = replace(form, tables={**filled, **authors_as_objects(read, listed)})
    copied = form.filled(scored)
    empty = [path for path in listed if readings and copied.values.get(path) == []]
    warnings = [*copied.warnings, *_warnings(copied.tables, empty, form.beyond)]
    lacking = {path: ", ".join(one.unanswered) for path, one in found.items() if one.items and one.unanswered}
    warnings += [_LACKING.format(path=pointer_of(path), names=names) for path, names in lacking.items()]
    return replace(copied, from_results=found, warnings=warnings)


def _lists_to_fill(
    schema: Mapping[str, Any],
) -> tuple[SchemaChecker, dict[JsonPath, list[WantedField]]]:
    """Return the checker of `schema`, and the fields of its lists of objects by the path of their list."""
    checker = prepared_checker(schema)
    listed: dict[JsonPath, list[WantedField]] = {}
    for path, columns in lists_of(schema).items():
        listed[path] = [_in_list(path, one, checker) for one in columns]
    return checker, listed


def _with_taught_names(
    example: Example, lists: Mapping[JsonPath, Sequence[WantedField]]
) -> dict[JsonPath, list[WantedField]]:
    """Return the fields of lists. If a column in the tables of an example contains most of the values of a field, its
    header is added to the names of that field."""
    tables = tables_for(example.entries, lists)
    taught: dict[JsonPath, list[WantedField]] = {path: [] for path in lists}
    for path, fields in lists.items():
        for one in fields:
            taught[path].append(one._replace(names=taught_names(one, tables, example.answer)))
    return taught


def tables_for(read: Sequence[Entry], lists: Mapping[JsonPath, Sequence[WantedField]]) -> list[HeadedTable]:
    fields = [one for columns in lists.values() for one in columns]
    tables = tables_in(read)
    # Commas in two lines of a letter make a table of two columns, too.
    exact = {id(entry) for entry, table in tables if table.is_exact and len(table.rows[0]) >= FEWEST_COLUMNS}
    wanted = list(lists.values())[:MAX_FIELDS]
    passages = passages_to_search(read)
    found = tables_on_pages([one for one in passages if id(read[one.entry]) not in exact], wanted)
    tables_with_entries = [*((read[passage.entry], table) for passage, table in found), *tables]
    return headed_tables(affordable_tables(tables_with_entries, len(fields)), fields)


def _scored(form: "_FormToFill", extractor: Extractor | None, examples: Sequence[Example]) -> FieldScores | None:
    if extractor is None or not (form.wanted and form.read):
        return None
    return extractor.score(form.read, form.wanted, examples)


def _from_tables(
    read: Sequence[Entry], lists: Mapping[JsonPath, Sequence[WantedField]], extractor: Extractor | None
) -> tuple[dict[JsonPath, FilledList], Sequence[HeadedTable]]:
    """Fill lists of objects from the tables that were read. The second result are the readings of these tables.

    Raises ModelError.
    """
    fields = [one for columns in lists.values() for one in columns]

    readings = tables_for(read, lists)
    if not readings:
        return {}, []
    headers = header_texts(readings)
    embedded = headers[:MAX_EMBEDDED]
    meanings = extractor.likeness_of_headers(fields, embedded) if extractor is not None and embedded else None

    likeness = {(one.path, head): likeness_by_words(one.names, head) for one in fields for head in headers}
    if meanings is not None:
        for (row, one), (index, head) in product(enumerate(fields), enumerate(embedded)):
            likeness[one.path, head] += float(meanings[row, index])
    return fill_lists(readings, lists, likeness), readings


def ways_to_fill(
    schema: Mapping[str, Any], read: Sequence[Entry], extractor: Extractor
) -> list[Mapping[JsonPath, FilledList | ObjectList]]:
    """Return the lists of `schema` filled in each way: from tables, from records, and by the network. Raises
    ModelError."""
    checker, listed = _lists_to_fill(schema)
    form = _FormToFill.of(schema, checker, TaskResults(), read, listed, {}, {})
    if form is None or not listed:
        return []
    tables, _ = _from_tables(read, listed, extractor)
    records = fill_from_records(read, listed)
    scored = extractor.score(form.read, form.wanted)
    network = {path: read_object_list(scored, path) for path in form.lists}
    return [tables, records, network]


@dataclass(frozen=True, slots=True)
class _FormToFill:
    values: Mapping[JsonPath, Any]
    """Values from whole results of specialists and from the schema itself, by path."""
    wanted: Sequence[WantedField]
    """Fields that the extractor searches for."""
    lists: Mapping[JsonPath, Sequence[WantedField]]
    """Fields for which nothing can be copied, by the path of the list of objects that has them. Only lists that also
    have wanted fields are here."""
    tables: Mapping[JsonPath, FilledList]
    """The lists that were filled from tables, by path."""
    listed: Collection[JsonPath]
    """The paths of all lists of objects."""
    texts: Mapping[JsonPath, Fits]
    """Wanted lists of texts, by path, each with the check of a value against its schema."""
    choices: Mapping[JsonPath, tuple[FormField, Names]]
    """Booleans and enums of words, by path."""
    choice_lists: Mapping[JsonPath, tuple[Sequence[str], Names]]
    """The lists of choices, by path, each with the values of its items."""
    read: Sequence[Entry]
    """Entries in which fields are searched for."""
    beyond: int
    """Number of fields and of columns of lists that exceed the bound and are not searched for."""

    @classmethod
    def of(
        cls,
        schema: Mapping[str, Any],
        checker: SchemaChecker,
        results: TaskResults,
        read: Sequence[Entry],
        listed: Mapping[JsonPath, Sequence[WantedField]],
        tables: Mapping[JsonPath, FilledList],
        found: Mapping[JsonPath, SpecialistList],
    ) -> "_FormToFill | None":
        """Find the fields that can be filled in, or return None if the schema has none.

        `checker` is that of `schema`. `listed` are the fields of the lists of objects. `tables` are the lists among
        these that have already been filled. `found` are the lists that results fill.
        """
        fields = fields_of(schema)
        texts = [one for one in text_lists_of(schema) if one.path not in found]
        choice_lists = [(one, allowed) for one, allowed in choice_lists_of(schema) if one.path not in found]
        if not (fields or listed or texts or choice_lists or found):
            return None
        names = {one.path: names_of(one.path, one.schema) for one in fields}
        values: dict[JsonPath, Any] = {path: one.items for path, one in found.items()}
        wanted = []
        choices: dict[JsonPath, tuple[FormField, Names]] = {}
        for one in fields:
            fits = checker.of_part(one.schema).accepts
            if "const" in one.schema:
                values[one.path] = one.schema["const"]
                continue
            result_values = values_from_results(one.schema, names[one.path], results, list(names.values()))
            value = next(filter(fits, result_values), LEFT_OUT)
            if value is not LEFT_OUT:
                values[one.path] = value
            elif may_be_copied(one.schema, names[one.path]):
                own_schema = with_contact_form(with_form(one.schema, names[one.path]), names[one.path])
                wanted.append(WantedField(one.path, own_schema, names[one.path], fits, not one.is_required))
            elif is_choice(one.schema):
                choices[one.path] = one, names[one.path]
                wanted.append(WantedField(one.path, as_text(one.schema), names[one.path], _is_text, True))
        lists: dict[JsonPath, Sequence[WantedField]] = {}
        fields_left, beyond = MAX_FIELDS, count_left_out(schema)
        for path, columns in listed.items():
            copied = [one for one in columns if may_be_copied(one.schema, one.names)]
            not_copied = [one for one in columns if one not in copied]
            may_be_empty = all(emptiest_value(one) is not NO_VALUE or one.may_be_left_out for one in not_copied)
            # The network does not search for a list that an exact table fills, because such a table is the whole list.
            # In a table that was found by the places of words, cells may be torn apart.
            if len(copied) > len(not_copied) and may_be_empty and not (path in tables and tables[path].is_exact):
                fields_left -= len(copied)
                if fields_left < 0:
                    beyond += len(copied)
                    continue
                lists[path] = not_copied
                wanted += copied
        text_fits: dict[JsonPath, Fits] = {}
        for one in texts:
            named, own_schema = names_of(one.path, one.schema), as_text(one.schema)
            if may_be_copied(own_schema, named):
                text_fits[one.path] = checker.of_part(one.schema).accepts
                wanted.append(WantedField(one.path, own_schema, named, _is_text, may_be_left_out=True))
        choice_values = {one.path: (allowed, names_of(one.path, one.schema)) for one, allowed in choice_lists}
        return cls(
            values=values,
            wanted=wanted,
            lists=lists,
            tables=tables,
            listed=listed,
            texts=text_fits,
            choices=choices,
            choice_lists=choice_values,
            read=read,
            beyond=beyond,
        )

    def _text_lists(self, found: Mapping[JsonPath, TextList]) -> dict[JsonPath, Any]:
        """Return the lists of texts: those in `found`, and null or an empty list for the others. A list that was not
        found and may be neither null nor empty is left out."""
        texts: dict[JsonPath, Any] = {}
        empty_values: tuple[Any, ...] = (None, [])
        for path, fits in self.texts.items():
            value = found[path].texts if path in found else next(filter(fits, empty_values), LEFT_OUT)
            if value is not LEFT_OUT:
                texts[path] = value
        return texts

    def filled(self, scored: FieldScores | None) -> CopiedFields:
        """Return the fields with their chosen values."""
        passages = scored.candidates.passages if scored else passages_to_search(self.read)
        decided = decide(self.choices, self.choice_lists, self.read, passages, scored)
        values, tables, improbable = {**self.values}, self.tables, dict[JsonPath, Any]()
        texts: Mapping[JsonPath, TextList] = {}
        against_sums: Collection[JsonPath] = ()
        if scored:
            items = self._lists_of_network(scored)
            tables = {path: one for path, one in tables.items() if path not in items}
            values |= {path: self._rows(path, one) for path, one in items.items()}
            cells = {at: cell for one in items.values() for at, cell in one.cells.items()}
            rows = {path: one.rows for path, one in (items | tables).items()}
            scored = prefer_sums_of_lists(replace(scored, cells=cells), columns_of(rows.values()))
            choices = choose_values(scored, self.choices)
            printed, authors = self._from_front_page(scored, choices)
            decided |= printed
            texts = {**self._lists_of_texts(scored, choices), **authors}
            scored = replace(scored, lists=texts)
            values |= self._text_lists(texts)
            singles, improbable = self._single_values(choices)
            values |= singles
            values |= {path: one.value for path, one in printed.items() if path[:-1] not in authors}
            improbable = {path: value for path, value in improbable.items() if path not in printed}
            against_sums = lists_against_sums(scored, rows, singles)
            scored = replace(scored, cells=in_doubt(scored.cells, against_sums))
            tables |= {path: tables[path].against_sum() for path in against_sums if path in tables}
        values |= {path: one.value for path, one in decided.items() if path in self.choices}
        for path in self.choice_lists:
            if ticked := [one.value for at, one in decided.items() if at[:-1] == path]:
                values[path] = ticked
        values |= {path: one.rows for path, one in tables.items()}
        values |= {path: [*map(with_nesting, values[path])] for path in self.listed if values.get(path)}
        lacking = [*self._lacking({path for path in self.lists if path not in tables and values.get(path)})]
        cut = [path for lists in (texts, tables) for path, one in lists.items() if one.is_cut]
        lacking += [f"Only the first {len(values[path]):,} items of {pointer_of(path)} were copied." for path in cut]
        lacking += [_AGAINST_SUM.format(path=pointer_of(path)) for path in against_sums if path not in tables]
        if scored and scored.by_words_alone:
            lacking.append(
                f"{scored.by_words_alone:,} labels and lines were compared with the fields by their words, not by "
                "their meaning, because together they have too many tokens."
            )
        return CopiedFields(values, scored, tables, lacking, decided, improbable)

    def _lists_of_network(self, scored: FieldScores) -> dict[JsonPath, ObjectList]:
        """Return the lists that the network fills better than tables and records do."""
        found = {path: read_object_list(scored, path) for path in self.lists}
        index_of = {id(entry): index for index, entry in enumerate(self.read)}
        tables = {
            path: {
                (index_of.get(id(cell.entry), -1), cell.cell.pointer, cell.cell.text)
                for cell in one.cells.values()
                if cell.is_read
            }
            for path, one in self.tables.items()
        }
        better: dict[JsonPath, ObjectList] = {}
        used: set[PrintedText] = set()
        # A printed item is only in the list that is worth most.
        for path in sorted(found, key=lambda path: -found[path].worth()):
            worth = found[path].worth()
            in_tables = [own for other, own in tables.items() if other != path and self.tables[other].worth() > worth]
            one = found[path].without_places(scored, used.union(*in_tables))
            used |= {printed_text(scored, cell) for cell in one.cells.values()}
            if self._is_better(one, path):
                better[path] = one
        return better

    def _lists_of_texts(self, scored: FieldScores, choices: Mapping[JsonPath, ChosenValue]) -> dict[JsonPath, TextList]:
        """Return the lists of texts, each from beside its name, or else from the place that was chosen for it."""
        lists: dict[JsonPath, TextList] = {}
        for path, fits in self.texts.items():
            found = text_list_at(scored, choices[path])
            found = self._named_list(scored, path, found) or found
            if found and found.items and fits(found.texts):
                lists[path] = found
        return lists

    def _single_values(
        self, choices: Mapping[JsonPath, ChosenValue]
    ) -> tuple[dict[JsonPath, Any], dict[JsonPath, Any]]:
        """Return the values of single fields, and those that only the schema demands, although probably nothing answers
        their fields."""
        values: dict[JsonPath, Any] = {}
        improbable: dict[JsonPath, Any] = {}
        for one in self.wanted:
            choice = choices.get(one.path)
            if choice is None or one.path in self.texts:
                continue
            if choice.is_demanded:
                improbable[one.path] = choice.value
            elif choice.value is not None or one.fits(None):
                values[one.path] = choice.value
            elif one.may_be_left_out:
                values[one.path] = LEFT_OUT
        return values, improbable

    def _from_front_page(
        self, scored: FieldScores, choices: Mapping[JsonPath, ChosenValue]
    ) -> tuple[dict[JsonPath, Decision], dict[JsonPath, TextList]]:
        """Return the title and the authors of a paper for the texts, and the lists of texts, that ask for them, by
        path. Fields that a label names are left out. The large lines are the title if the schema asks for authors, too,
        or if the network chose a part of them."""
        labels = frozenset(scored.candidates.labels)
        wanted = [one for one in self.wanted if not one.in_list and types_of(one.schema) == {"string"}]
        titles, authors = (
            [one.path for one in wanted if not names.isdisjoint(one.names.own) and names.isdisjoint(labels)]
            for names in (TITLE, AUTHORS)
        )
        page = read_front_page(scored.candidates.passages) if titles or authors else None
        if page is None:
            return {}, {}
        entry = self.read[page.passage.entry]

        def decision(*items: ListItem) -> Decision:
            words = tuple(word for one in items for word in one.words)
            return Decision(", ".join(one.text for one in items), LIKELY, page.passage, words, entry)

        titles = [path for path in titles if (page.authors and authors) or str(choices[path].value) in page.title.text]
        found = {path: decision(page.title) for path in titles if path not in self.texts}
        authors = authors if page.authors else []
        found |= {path: decision(*page.authors) for path in authors if path not in self.texts}
        lists = {path: TextList(page.passage, page.authors, LIKELY) for path in authors if path in self.texts}
        items = {(*path, index): decision(one) for path in lists for index, one in enumerate(page.authors)}
        return found | items, lists

    def _named_list(self, scored: FieldScores, path: JsonPath, found: TextList | None) -> TextList | None:
        """Return the list that is printed below or beside its name. The result is None if there is no such list. It is
        also None if `found` has words of this list and enough items: at least two, or one if the list that is printed
        there has only one item."""
        names = next(one.names for one in self.wanted if one.path == path)
        for passage in scored.candidates.passages:
            if items := named_list(passage, names):
                own = {word for item in items for word in item.words}
                has_same_words = (
                    found is not None
                    and found.passage is passage
                    and any(not own.isdisjoint(item.words) for item in found.items)
                )
                is_whole = has_same_words and found is not None and len(found.items) >= min(2, len(items))
                return None if is_whole else TextList(passage, items, NAMED_LIST)
        return None

    def _lacking(self, filled: Collection[JsonPath]) -> Iterator[str]:
        for path, fields in self.lists.items():
            if fields and path in filled:
                names = ", ".join(map(_printed, fields))
                yield _LACKING.format(path=pointer_of(path), names=names)

    def _is_better(self, found: ObjectList, path: JsonPath) -> bool:
        """True if the objects that the network found are worth more than the rows from the list's table or records. If
        nothing fills the list yet, the objects must be worth more than 0. If there are other tables, and this list is
        called like the heading above its own, an object must be worth more than a row, for further objects may be rows
        of the others."""
        worth = found.worth()
        table = self.tables.get(path)
        least = 0.0 if table is None else table.worth()
        has_others = table is not None and table.is_named and len(self.tables) > 1
        if table is not None and has_others and len(found.rows) > len(table.rows):
            worth *= len(table.rows) / len(found.rows)
        return worth > least

    def _rows(self, path: JsonPath, found: ObjectList) -> list[dict[str, Any]]:
        """Return the rows of a list. Fields that cannot be copied get the emptiest value that their schema permits."""
        empty = {str(one.path[-1]): emptiest_value(one) for one in self.lists[path] if not one.may_be_left_out}
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
        for name, count in filled.unread.items():
            named = f"{count:,} of {len(filled.rows):,} items of {pointer_of(path)}"
            yield f"{named} have no {_printed_name(name)}, which must have a value."


def _in_list(list_path: JsonPath, field: FormField, checker: SchemaChecker) -> WantedField:
    names, path = names_of(field.path, field.schema), column_path(list_path, field.path)
    fits = remembered(checker.of_part(field.schema).accepts)
    return WantedField(path, with_form(field.schema, names), names, fits, not field.is_required, True)


def _printed(field: WantedField) -> str:
    return _printed_name(str(field.path[-1]))


def _printed_name(name: str) -> str:
    return name.replace(NESTING, ".")


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
