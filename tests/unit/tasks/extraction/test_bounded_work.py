"""The work that one request's extraction causes is bounded, and done in slices between which others have turns."""

import gc
import weakref
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.embedding.embedder import DIMENSIONS
from models.extraction.network import ExtractionNetwork, FieldInputs, SpanInputs
from models.fair_executor import FairExecutor, Slices, all_of
from tasks import result as result_module
from tasks.extraction import candidates as candidates_module
from tasks.extraction import choice as choice_module
from tasks.extraction import (
    column_values,
    decisions,
    examples,
    matching,
    table_lists,
    text_lists,
    units,
    words_on_page,
    written_tables,
)
from tasks.extraction import evidence as evidence_module
from tasks.extraction import extractor as extractor_module
from tasks.extraction.affinity import affinity
from tasks.extraction.candidates import MAX_WORDS_OF_BLOCK, SPANS_AT_ONCE, find_candidates
from tasks.extraction.choice import choose_values
from tasks.extraction.claims import LabelClaims
from tasks.extraction.decisions import decide
from tasks.extraction.evidence import find_evidence
from tasks.extraction.examples import learn, prefer_examples
from tasks.extraction.extractor import Extractor
from tasks.extraction.features import (
    LABEL_FEATURES,
    Strings,
    field_text,
    kinds_of,
    label_matches,
    meanings_of,
    span_features,
)
from tasks.extraction.fields import FormField, WantedField
from tasks.extraction.filling import copy_fields
from tasks.extraction.headed_rows import tables_on_pages
from tasks.extraction.labelled_values import WORDS_AT_ONCE as LABELLED_AT_ONCE
from tasks.extraction.labelled_values import layout_of
from tasks.extraction.matching import MAX_OCCURRENCES, find_matches
from tasks.extraction.names import Names, names_of
from tasks.extraction.object_lists import MAX_ITEMS, read_object_list
from tasks.extraction.passages import (
    CHARS_AT_ONCE,
    LINES_AT_ONCE,
    MAX_CHARS,
    MAX_LINES,
    Passage,
    passages_of,
    passages_of_entry,
    passages_to_search,
)
from tasks.extraction.probability import CHARS_OF_SPAN, CHARS_OF_VALUES, CellOfField, FieldScores
from tasks.extraction.records import record_lists, repetition
from tasks.extraction.records.record_lists import fillings_of
from tasks.extraction.records.repetition import runs_of
from tasks.extraction.rules import separate_rivals
from tasks.extraction.table_lists import (
    MAX_HEADER_CELLS,
    MAX_HEADER_CHARS,
    FilledList,
    fill_lists,
    headed_tables,
    header_texts,
    mark_twins,
)
from tasks.extraction.units import prefer_units, units_after
from tasks.extraction.values import ValueForm
from tasks.extraction.whole_results import TaskResults
from tasks.extraction.words_on_page import MAX_ROWS, WORDS_AT_ONCE, place_words, rows_by_column, rows_of
from tasks.extraction.written_tables import MAX_TABLE_LINES, ROWS_AT_ONCE, tables_in
from tasks.notation.currencies import find_currencies
from tasks.notation.dates import DAYS_AT_ONCE, days_mentioned, find_days, find_lone_days_in_slices
from tasks.notation.numbers import NUMBERS_AT_ONCE, find_numbers, find_numbers_in_slices
from tasks.read_table import MAX_HEADING_CHARS, ReadCell, ReadTable
from tasks.result import SourceLine
from tests.entries import entry_of
from tests.filling import extractor
from tests.turns import calls_of, calls_of_slices
from tests.unit.tasks.extraction.test_evidence import ocr

FIELDS = [
    WantedField(
        (name,), {"type": "string"}, names_of((name,), {"type": "string"}), lambda value: isinstance(value, str)
    )
    for name in (f"label{number}" for number in range(40))
]
TEXT = entry_of("scraper", {"text": "\n".join(f"Label{number}: value {number}, and more" for number in range(100))})


def slices_of(work: Slices[Any]) -> int:
    return sum(1 for _ in work)


def test_of_long_lines_no_more_is_searched_than_of_many_lines() -> None:
    for text in ("ab1 Total " * 60_000, "\n".join(["ab1 Total " * 8] * 7_500), "a" * 600_000 + " b"):
        for passage in all_of(passages_to_search([entry_of("scraper", {"text": text})])):
            assert sum(len(line.written) for line in passage.lines) <= MAX_CHARS


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that are made of texts, in order."""
    lines: list[str] = []

    def counted(*args: Any, **kwargs: Any) -> SourceLine:
        lines.append(kwargs["written"])
        return SourceLine(*args, **kwargs)

    monkeypatch.setattr(result_module, "SourceLine", counted)
    return lines


@pytest.mark.deep
def test_of_a_long_text_only_the_lines_that_are_searched_are_made_and_only_once(made: list[str]) -> None:
    entry = entry_of("scraper", {"text": "a\n" * 400_000})
    assert slices_of(passages_to_search([entry])) >= MAX_CHARS // CHARS_AT_ONCE
    assert len(made) <= MAX_CHARS // 2 + 1
    del made[:]
    [passage] = all_of(passages_to_search([entry]))
    assert (len(passage.lines), made) == (MAX_CHARS // 2, [])


def test_the_passages_of_an_entry_go_with_it() -> None:
    entry = entry_of("scraper", {"text": "a"})
    [passage] = all_of(passages_to_search([entry]))
    assert all_of(passages_to_search([entry])) == [passage]
    known = weakref.ref(passage)
    del passage
    assert known() is not None
    del entry
    gc.collect()
    assert known() is None


@pytest.mark.deep
def test_of_a_long_text_no_more_lines_are_compared_with_an_answer_or_are_rows_of_a_table(made: list[str]) -> None:
    entry = entry_of("scraper", {"text": "a,b\n" * 400_000})
    assert slices_of(find_evidence({"a": "zzz"}, [entry], None, most_chars=10_000_000)) > MAX_LINES // CHARS_AT_ONCE
    assert len(made) <= MAX_LINES + 1
    del made[:]
    [(_, table)] = all_of(tables_in([entry]))
    assert len(table.rows) <= len(made) <= MAX_TABLE_LINES + 1


@pytest.mark.deep
def test_what_readers_of_a_text_need_is_computed_in_slices_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Total 5 on 1/2/2024\n" * 10_000
    [passage] = all_of(passages_to_search([entry_of("scraper", {"text": text})]))
    lines, words = len(passage.lines), len(passage.words)
    # The text and the grid, the numbers, and the days.
    assert slices_of(passage.prepare()) > 2 * lines / LINES_AT_ONCE + len(passage.numbers) / LINES_AT_ONCE
    assert len(passage.days) == lines
    assert {passage.text[day.start : day.end] for day in passage.days} == {"1/2/2024"}
    assert slices_of(place_words(passage)) > 3 * words / WORDS_AT_ONCE
    assert slices_of(place_words(passage)) == 0
    monkeypatch.setattr(words_on_page, "box_of", None)
    assert len(rows_of(passage)) == lines
    assert sum(map(len, rows_by_column(passage))) == MAX_ROWS


def test_a_wide_row_does_not_make_all_rows_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "|" + "a|" * 4_000 + "\n" + "|a|b|\n" * 400
    cells: list[int] = []

    def counted(rows: list[list[ReadCell]], *args: Any) -> ReadTable:
        cells.append(sum(map(len, rows)))
        return ReadTable(rows, *args)

    monkeypatch.setattr(written_tables, "MAX_CELLS", 5_000)
    monkeypatch.setattr(written_tables, "ReadTable", counted)
    assert all_of(tables_in([entry_of("scraper", {"text": text})])) == []
    assert max(cells, default=0) < 10_000


def test_a_long_table_in_a_text_is_read_in_slices() -> None:
    rows = "name;count\n" + "bread;3\n" * 20_000
    entry = entry_of("scraper", {"text": rows})
    assert slices_of(tables_in([entry])) > 20_000 // ROWS_AT_ONCE
    [(_, table)] = all_of(tables_in([entry]))
    assert len(table.rows) == 20_001


@pytest.mark.deep
def test_a_long_table_is_compared_with_the_fields_in_slices_and_by_its_first_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = entry_of("scraper", {"text": "name;price\n" + "\n".join(f"Item {row};{row}.50" for row in range(5000))})
    fields = [
        WantedField((name,), schema, names_of((name,), schema), lambda value: value is not None)
        for name, schema in (("name", {"type": "string"}), ("price", {"type": "number"}))
    ]
    tables = all_of(tables_in([entry]))
    least = 5000 // table_lists.ROWS_AT_ONCE + 10_000 // column_values.CELLS_AT_ONCE
    assert slices_of(headed_tables(tables, fields)) > least
    readings = all_of(headed_tables(tables, fields))
    looked_at: list[Sequence[str]] = []
    monkeypatch.setattr(table_lists, "is_total", lambda texts: bool(looked_at.append(texts)))
    likeness = {(one.path, head): 1.0 for one in fields for head in one.path}
    filling = fill_lists(readings, {("list",): fields}, likeness)
    for _ in readings:
        next(filling)
    assert len(looked_at) < 5000, "the readings are compared"
    assert len(all_of(filling)[("list",)].rows) == MAX_ITEMS


def calls_to_fill(count: int) -> list[int]:
    """The calls in each slice of filling a list from `count` tables with the same header."""
    rows = (f"| name | price |\n|---|---|\n| Bread {n} | {n}.50 |\n| Other {n} | {n}.75 |" for n in range(count))
    entry = entry_of("scraper", {"text": "\n\n".join(rows)})
    fields = [
        WantedField((name,), schema, names_of((name,), schema), lambda value: value is not None)
        for name, schema in (("name", {"type": "string"}), ("price", {"type": "number"}))
    ]
    readings = all_of(headed_tables(all_of(tables_in([entry])), fields))
    likeness = {(one.path, head): 1.0 for one in fields for head in one.path}
    assert len(all_of(fill_lists(readings, {("list",): fields}, likeness))[("list",)].rows) == 2 * count
    return calls_of_slices(fill_lists(readings, {("list",): fields}, likeness))


def test_many_tables_with_the_same_header_fill_a_list_in_slices_and_in_work_that_grows_with_their_number() -> None:
    few, many = calls_to_fill(20), calls_to_fill(80)
    assert sum(many) < 6 * sum(few)
    assert 20 * max(many) < sum(many)


def test_the_header_of_a_wide_table_is_searched_for_in_slices_and_among_few_cells() -> None:
    width = 1200
    rows = [";".join(f"w{column} of {row}" for column in range(width)) for row in range(17)]
    [(entry, table)] = all_of(
        tables_in([entry_of("scraper", {"text": "\n".join([*rows, *[";".join("5" * width)] * 3])})])
    )
    fields = [WantedField(("total",), {"type": "string"}, names_of(("total",), {"type": "string"}), bool)]
    calls = calls_of_slices(headed_tables([(entry, table)], fields))
    assert 50 * max(calls) < sum(calls)
    readings = all_of(headed_tables([(entry, table)], fields))
    assert all(one.end * width <= MAX_HEADER_CELLS for one in readings)
    texts = calls_of_slices(header_texts(readings))
    assert len(texts) > len(readings)


def test_of_long_headers_and_of_a_long_line_above_a_table_only_the_beginning_is_compared() -> None:
    heading = "-".join(["word"] * 10_000)
    rows = "|---|---|---|\n| Bread | 1 | 1.50 |\n| Butter | 2 | 2.75 |"
    text = f"{heading}\n| name | count | price {'((.' * 10_000} |\n{rows}"
    [(entry, table)] = all_of(tables_in([entry_of("scraper", {"text": text})]))
    assert len(table.heading) == MAX_HEADING_CHARS
    name = WantedField(("name",), {"type": "string"}, names_of(("name",), {"type": "string"}), bool)
    [first, *_] = all_of(headed_tables([(entry, table)], [name]))
    assert [len(head) for head in first.header] == [len("name"), len("count"), MAX_HEADER_CHARS]


@pytest.mark.deep
def test_the_headers_of_a_wide_table_are_compared_with_many_fields_in_slices() -> None:
    heads = [f"column {number}" for number in range(40)]
    rows = "\n".join(";".join(f"{head} {row}" for head in heads) for row in range(3))
    entry = entry_of("scraper", {"text": f"{';'.join(heads)}\n{rows}"})
    fields = [WantedField((name,), {"type": "string"}, names_of((name,), {"type": "string"}), bool) for name in heads]
    tables = all_of(tables_in([entry]))
    calls = calls_of_slices(headed_tables(tables, fields))
    assert 10 * max(calls) < sum(calls)
    readings = all_of(headed_tables(tables, fields))
    likeness = {(one.path, head): float(one.path == (head,)) for one in fields for head in heads}
    calls = calls_of_slices(fill_lists(readings, {("list",): fields}, likeness))
    assert 10 * max(calls) < sum(calls)


def test_the_rows_of_a_page_are_searched_for_labels_in_slices() -> None:
    [passage] = passages_of([ocr(*["Total: 9.00"] * 100)])
    assert slices_of(layout_of(passage)) >= 100


@pytest.mark.deep
def test_a_line_of_many_words_is_read_in_slices() -> None:
    """Evidence is searched for in lines as they are written, however long."""
    [passage] = passages_of([entry_of("scraper", {"text": "total of the thing " * 10_000})])
    assert len(passage.lines) == 1
    all_of(passage.prepare())
    assert max(calls_of_slices(layout_of(passage))) < 25 * LABELLED_AT_ONCE
    [short] = all_of(passages_to_search([entry_of("scraper", {"text": "thing " * 30_000})]))
    all_of(short.prepare())
    assert max(calls_of_slices(layout_of(short))) < 50 * LABELLED_AT_ONCE
    assert max(calls_of_slices(place_words(short))) < 25 * WORDS_AT_ONCE


def test_a_text_without_currencies_is_searched_in_many_short_calls() -> None:
    assert calls_of(lambda: list(find_currencies("a " * 100_000))) > 100
    assert [one.code for one in find_currencies(f"{'a ' * 5_000}3 EUR {'a ' * 5_000}RM 2")] == ["EUR", "MYR"]


def test_what_rules_need_of_all_candidates_is_computed_in_slices() -> None:
    candidates = all_of(find_candidates(passages_of([TEXT])))
    assert slices_of(units_after(candidates)) > len(candidates.spans) // SPANS_AT_ONCE


def test_no_field_searches_the_texts_of_all_candidates_for_money_again(monkeypatch: pytest.MonkeyPatch) -> None:
    candidates = all_of(find_candidates(passages_of([entry_of("scraper", {"text": "12 kg for 5.00 EUR"})])))
    after = all_of(units_after(candidates))
    logits = np.zeros(len(candidates.spans) + 1, np.float32)
    monkeypatch.setattr(units, "_IS_MONEY", None)
    schema = {"type": "number"}
    prefer_units(logits, field_text(schema, names_of(("weight_kg",), schema)), after)
    assert logits[:-1].min() < 0 < logits[:-1].max()


def test_the_values_of_all_candidates_are_found_in_slices_and_once() -> None:
    candidates = all_of(find_candidates(passages_of([TEXT])))
    field = WantedField(("total",), {"type": "number"}, names_of(("total",), {}), lambda value: value is not None)
    scores = FieldScores(candidates, [field], np.zeros((1, len(candidates.spans) + 1), np.float32))
    chars = sum(len(span.text) + CHARS_OF_SPAN for span in candidates.spans)
    assert slices_of(scores.index_values()) >= chars // (2 * CHARS_OF_VALUES)
    assert slices_of(scores.index_values()) == 0


@pytest.mark.deep
@pytest.mark.parametrize("sign", [" ", "\t"], ids=["words", "columns"])
def test_a_row_of_figures_behind_a_label_is_read_in_time_that_grows_with_its_length(sign: str) -> None:
    """Quadratic, it would take many minutes, longer than a test may."""
    [passage] = passages_of([entry_of("scraper", {"text": "total: " + f"9{sign}" * 80_000})])
    pairs = all_of(layout_of(passage)).pair_of
    assert {len(pair.values) for pair in pairs.values()} == {80_000}


def test_a_line_of_many_words_is_searched_as_several() -> None:
    words = [str(number) for number in range(2_500)]
    [passage] = all_of(passages_to_search([entry_of("scraper", {"text": "\t".join(words) + "\nTotal: 9"})]))
    assert [len(line.words) for line in passage.lines] == [1_000, 1_000, 500, 2]
    assert passage.words == [*words, "Total:", "9"]
    assert passage.lines[1].written == "\t".join(words[1_000:2_000])
    said = "He said so. " * 400
    [passage] = all_of(passages_to_search([entry_of("scraper", {"text": said})]))
    assert {line.words[-1] for line in passage.lines} == {"so."}


def test_the_words_of_candidates_grow_with_the_length_of_a_line() -> None:
    def words_of(count: int) -> int:
        line = "x: " + ", ".join(f"i{number}" for number in range(count))
        candidates = all_of(find_candidates(all_of(passages_to_search([entry_of("scraper", {"text": line})]))))
        return sum(len(span.words) for span in candidates.spans)

    assert words_of(1_999) < 3 * words_of(999)
    assert words_of(4_999) < 6 * words_of(999)


async def test_a_list_of_texts_that_is_cut_is_named_in_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {"type": "object", "properties": {"skills": {"type": "array", "items": {"type": "string"}}}}
    entry = entry_of("scraper", {"text": "Skills: Python, Go, Rust, Java"})
    for most, warnings in ((4, []), (3, ["Only the first 3 items of /skills were copied."])):
        monkeypatch.setattr(text_lists, "MAX_TEXTS", most)
        copied = await copy_fields(schema, TaskResults([], False), [entry], extractor())
        assert copied.values["skills",] == ["Python", "Go", "Rust", "Java"][:most]
        assert copied.warnings == warnings


def test_a_block_has_no_more_words_than_a_paragraph() -> None:
    lines = ["x: " + " ".join(f"i{number}" for number in range(60))] * 20
    [passage] = all_of(passages_to_search([entry_of("scraper", {"text": "\n".join(lines)})]))
    sizes = {len(span.words) for span in all_of(find_candidates([passage])).spans if span.kind == "block"}
    assert sizes
    assert max(sizes) <= MAX_WORDS_OF_BLOCK


def test_many_lists_do_not_multiply_the_work_on_many_records(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"Item {number}, 12.03.2025: {number % 9} pcs, {number}.50 EUR\n" for number in range(300))
    entry = entry_of("scraper", {"text": rows})
    named = {"item": "string", "date": "string", "pieces": "integer", "price": "number"}
    fields = [
        WantedField((name,), {"type": kind}, names_of((name,), {"type": kind}), lambda value: value is not None)
        for name, kind in named.items()
    ]
    lists = {(f"list{number}",): fields for number in range(10)}
    monkeypatch.setattr(record_lists, "MAX_READ", 25_000)
    assert sum(map(len, fillings_of([entry], lists).values())) <= 10


def test_no_more_runs_are_looked_for_than_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"# Part {number}\nName: a\nPrice: 3 EUR\n\n" for number in range(100))
    [passage] = all_of(passages_to_search([entry_of("scraper", {"text": rows})]))
    monkeypatch.setattr(repetition, "MAX_RUNS", 2)
    assert len([*runs_of(passage)]) == 2


async def test_many_fields_are_looked_for_in_fewer_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extractor_module, "MAX_SCORES", 4_000)
    extractor = Extractor(ExtractionNetwork(), None, FairExecutor("tests"))
    for count in (10, 40):
        scored = await extractor.score([TEXT], FIELDS[:count])
        assert len(scored.candidates.spans) == 4_000 // count


def test_the_cells_of_a_list_are_judged_in_slices() -> None:
    cell = CellOfField(entry_of("scraper", {"text": "1"}), ReadCell("1"), "Total", 1.0)
    cells = {("items", row, "total"): cell for row in range(5_000)}
    filled = FilledList([], cells)
    assert slices_of(filled.worth()) >= 10
    names = names_of(("total",), {"type": "number"})
    fields = [WantedField(("items", "total"), {"type": "number"}, names, lambda _: True)]
    lists = {("items",): fields, ("others",): fields}
    assert slices_of(mark_twins({("items",): filled}, lists)) >= 10
    assert all(one.has_twin for one in all_of(mark_twins({("items",): filled}, lists))["items",].cells.values())


def test_the_words_of_a_line_are_looked_at_once_for_all_its_matches() -> None:
    [passage] = passages_of([ocr("Total " + "paid for it " * 300 + "12 13")])
    names = names_of(("total",), {"type": "number"})
    first, second = (affinity(passage, [len(passage.words) - place], names) for place in (2, 1))
    assert first == second > 0
    assert calls_of(lambda: affinity(passage, [len(passage.words) - 1], names)) < 300


def test_each_field_is_a_slice_of_the_matches_and_several_of_the_scores() -> None:
    candidates = all_of(find_candidates(passages_of([ocr("Total: 9.00", "Date: 1/2/2024")])))
    strings = Strings()
    spans = all_of(span_features(candidates, strings))
    texts = [field_text(one.schema, one.names) for one in FIELDS]
    network = ExtractionNetwork()
    vectors = np.zeros((len(strings.texts), 384), np.float32)
    names = np.zeros((len(texts), 2, 384), np.float32)
    assert slices_of(label_matches(texts, strings, vectors, names, meanings_of(network.meanings))) >= len(texts)
    matches = np.zeros((len(texts), len(strings.texts) + 1, LABEL_FEATURES), np.float32)
    kinds = np.array([(*field.types, *kinds_of(field)) for field in texts], np.float32)
    pieces = SpanInputs(spans.still, spans.labels, spans.texts, vectors)
    assert slices_of(network.scores(pieces, FieldInputs(kinds, names[:, 1], matches))) >= 5 * len(texts)


def test_each_field_is_a_slice_of_the_choice() -> None:
    candidates = all_of(find_candidates(passages_of([ocr("Total: 9.00", "Date: 1/2/2024")])))
    logits = np.zeros((len(FIELDS), len(candidates.spans) + 1), np.float32)
    choice = choose_values(FieldScores(candidates, FIELDS, logits))
    assert isinstance(choice, Generator)
    assert slices_of(choice) >= len(FIELDS)


def test_booleans_and_enums_are_decided_in_slices() -> None:
    [passage] = passages_of([ocr(*[f"[x] choice{number}" for number in range(300)])])
    choice = {"enum": [f"choice{number}" for number in range(300)]}
    fields = {(f"kind{at}",): (FormField((f"kind{at}",), choice), names_of((f"kind{at}",), choice)) for at in range(9)}
    assert slices_of(decide(fields, {}, [ocr()], [passage], None)) > 9 * 300 // SPANS_AT_ONCE


def test_no_longer_choice_is_looked_for_where_a_choice_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[int] = []
    monkeypatch.setattr(decisions, "_has_words_at", lambda texts, at, words: bool(reads.append(at)))
    [passage] = passages_of([ocr("kind of thing")])
    choice = {"enum": [f"kind number{number}" for number in range(300)]}
    fields = {("word",): (FormField(("word",), choice), names_of(("word",), choice))}
    assert all_of(decide(fields, {}, [ocr()], [passage], None)) == {}
    assert len(reads) == 300


def test_each_match_is_a_slice_of_the_evidence() -> None:
    entry = entry_of("scraper", {"text": "name of thing: x\n" * 100})
    value = {f"name{number}": "x" for number in range(10)}
    assert slices_of(find_evidence(value, [entry], None, most_chars=1_000_000)) >= 10 * MAX_OCCURRENCES


def test_each_field_is_a_slice_of_the_description_of_the_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    described: Counter[int] = Counter()
    slices_before = [0]
    describe = evidence_module._describe

    def counted(*given: Any) -> Any:
        described[slices_before[0]] += 1
        return describe(*given)

    monkeypatch.setattr(evidence_module, "_describe", counted)
    entry = entry_of("scraper", {"text": "name of thing: x\n"})
    slices = find_evidence({f"name{number}": "x" for number in range(10)}, [entry], None, most_chars=1_000_000)
    for slices_before[0], _ in enumerate(slices, 1):
        pass
    assert list(described.values()) == [1] * 10


def test_a_scattered_text_is_looked_for_around_its_rarest_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["thing of the name and others"] * 2_000
    lines[1_500] = "thing of the name and more"
    [passage] = passages_of([ocr(*lines)])
    [match] = find_matches("more name and of thing", [passage])
    assert {passage.line_at(word) for word in match.words} <= set(range(1_495, 1_506))
    looked_at: list[int] = []
    monkeypatch.setattr(passage, "line_words", lambda line: looked_at.append(line) or range(0))
    assert find_matches("more name and of thing", [passage]) == []
    assert set(looked_at) == set(range(1_495, 1_506))


def test_a_misread_text_is_found_beside_pieces_that_stand_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "MAX_HITS", 20)
    [passage] = passages_of([ocr(*["thing of the name"] * 200, "thing Quarterhouse 12")])
    [match] = find_matches("thinq Quarterhause", [passage])
    assert (match.kind, passage.line_at(match.words[0])) == ("fuzzy", 200)


def test_of_more_tokens_than_may_be_embedded_labels_and_short_lines_are() -> None:
    strings = Strings()
    for text in ("谢谢" * 40, "Total", "Date of issue", "Name"):
        strings.place(text)
    assert all_of(strings.most_telling({2}, 86)) == [0, 1, 2, 3]
    assert all_of(strings.most_telling({2}, 80)) == [1, 2, 3]
    assert all_of(strings.most_telling({2}, 4)) == [1, 2]
    assert all_of(strings.most_telling({2}, 3)) == [2]


class CountingEmbedder:
    """Embedding engine that only counts the characters of the texts. Implements Embedder."""

    def __init__(self) -> None:
        self.characters = 0

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.characters += sum(map(len, texts))
        return np.zeros((len(texts), DIMENSIONS), np.float32)


@pytest.mark.deep
@pytest.mark.parametrize("count", [10, 4_000])
async def test_a_line_of_thousands_of_items_is_embedded_in_part_with_a_warning(count: int) -> None:
    embedder = CountingEmbedder()
    executor = FairExecutor("tests")
    text = ", ".join(f"Item {number}" for number in range(count))
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    copied = await copy_fields(
        schema,
        TaskResults(has_text=True),
        [entry_of("scraper", {"text": text})],
        Extractor(ExtractionNetwork(), embedder, executor),
    )
    await executor.close()
    assert embedder.characters < 5 * extractor_module.MAX_TOKENS
    assert any("by their words" in one and "too many tokens" in one for one in copied.warnings) == (count > 10)


def test_fields_whose_schemas_take_the_same_values_have_one_form() -> None:
    same = [{"type": "string", "description": text} for text in ("one", "another")]
    assert len({ValueForm.of(one, Names()) for one in same}) == 1
    others = [{"type": "string", "format": "date"}, {"type": "number"}, {"type": "string", "enum": ["1", "2"]}]
    assert len({ValueForm.of(one, Names()) for one in [*same, *others]}) == 4


def test_a_value_of_an_example_is_folded_once_and_not_for_each_span(monkeypatch: pytest.MonkeyPatch) -> None:
    folded: list[Any] = []
    monkeypatch.setattr(examples, "key_of", lambda value: folded.append(value) or value)
    candidates = all_of(find_candidates(passages_of([TEXT])))
    scored = FieldScores(candidates, FIELDS, np.zeros((len(FIELDS), 1 + len(candidates.spans)), np.float32))
    all_of(learn(scored, {"label0": "a long value " * 1000}))
    assert folded.count("a long value " * 1000) == 1


def test_examples_are_learned_and_compared_in_slices() -> None:
    candidates = all_of(find_candidates(passages_of([TEXT])))
    logits = np.zeros((len(FIELDS), 1 + len(candidates.spans)), np.float32)
    scored = FieldScores(candidates, FIELDS, logits)
    answer = {f"label{number}": f"value {number}" for number in range(40)}
    assert slices_of(learn(scored, answer)) > len(FIELDS)
    lessons = [all_of(learn(scored, answer))] * 3
    assert slices_of(prefer_examples(logits, FIELDS, candidates, lessons)) >= 3 * len(FIELDS)


def test_of_a_row_of_dates_no_more_are_described_than_are_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    described: list[int] = []
    words_between = Passage.words_between

    def counted(passage: Passage, start: int, end: int) -> Any:
        described.append(start)
        return words_between(passage, start, end)

    monkeypatch.setattr(Passage, "words_between", counted)
    [passage] = passages_of([entry_of("scraper", {"text": "1/2/2003 " * 5_000})])
    found = find_candidates([passage], 100)
    assert slices_of(found) > 3
    assert len(described) < 1_000


def test_a_list_of_objects_is_read_in_slices() -> None:
    candidates = all_of(find_candidates(passages_of([TEXT])))
    fields = [one._replace(path=("list", *one.path), in_list=True) for one in FIELDS[:3]]
    logits = np.zeros((3, len(candidates.spans) + 1), np.float32)
    logits[:, :-1] = 9
    assert slices_of(read_object_list(FieldScores(candidates, fields, logits), ("list",))) > 20


def test_each_field_is_a_slice_of_the_comparison_with_its_rivals() -> None:
    candidates = all_of(find_candidates(passages_of([TEXT])))
    texts = dict(enumerate(field_text(one.schema, one.names) for one in FIELDS))
    logits = np.zeros((len(FIELDS), len(candidates.spans) + 1), np.float32)
    assert slices_of(separate_rivals(logits, texts, candidates)) >= 2 * len(FIELDS)


def test_a_field_is_compared_again_only_once_its_place_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    candidates = all_of(find_candidates(passages_of([TEXT])))
    logits = np.zeros((len(FIELDS), len(candidates.spans) + 1), np.float32)
    lines = [at for at, span in enumerate(candidates.spans) if span.kind == "line"]
    for row in range(len(FIELDS)):
        logits[row, lines[row]] = 20
    compared: list[Any] = []
    left = choice_module._Option.probability_left
    monkeypatch.setattr(
        choice_module._Option, "probability_left", lambda one, taken: compared.append(one) or left(one, taken)
    )
    chosen = all_of(choose_values(FieldScores(candidates, FIELDS, logits)))
    assert [one.value for one in chosen.values()] == [candidates.spans[at].text for at in lines[: len(FIELDS)]]
    assert len(compared) < 2 * len(FIELDS) * choice_module.MAX_VALUES


@pytest.mark.deep
def test_what_an_answer_is_compared_with_is_computed_in_slices_and_once() -> None:
    text = "Total: ab1 5 on 1/2/2024\n" * 8_000
    [passage] = all_of(passages_to_search([entry_of("scraper", {"text": text})]))
    assert slices_of(passage.prepare_to_match()) > 2 * len(passage.words) / LINES_AT_ONCE
    assert slices_of(passage.prepare_to_match()) == 0
    claims = LabelClaims([passage])
    assert slices_of(claims.read_all()) >= len(passage.lines)
    assert slices_of(claims.read_all()) == 0


def test_figures_within_words_are_looked_at_in_slices() -> None:
    assert slices_of(find_numbers_in_slices("ab1 " * 9_000)) >= 9_000 // NUMBERS_AT_ONCE
    assert all_of(find_numbers_in_slices("ab1 5 ")) == list(find_numbers("ab1 5 "))


def test_the_days_of_a_text_without_days_are_looked_for_in_slices() -> None:
    assert slices_of(days_mentioned("once upon a time " * 5_000)) > 50
    assert all_of(days_mentioned("in 5/2021, and " + "x" * 9_000)) == [date(2021, 5, 15)]


def test_the_passages_of_an_entry_are_found_whatever_its_index() -> None:
    one, other = (entry_of("scraper", {"text": text}) for text in "ab")
    _, known = all_of(passages_to_search([one, other]))
    assert all_of(passages_of_entry(other)) == [known]


def test_boxes_are_compared_in_slices() -> None:
    [passage] = passages_of([ocr(*["a b"] * 1_000)])
    assert slices_of(candidates_module.nearest_boxes(np.zeros((1_000, 4), np.float32))) > 1_000 // 100
    assert len(all_of(find_candidates([passage])).segments) > 0


def test_days_without_a_year_are_found_in_slices_even_if_all_of_them_are_parts_of_known_days() -> None:
    text = " ".join(f"{1 + number % 28} May 2026;" for number in range(20 * DAYS_AT_ONCE))
    assert slices_of(find_lone_days_in_slices(text, list(find_days(text)))) >= 20


def test_no_step_compares_a_line_with_many_lists() -> None:
    text = "\n".join("  ".join(f"word{row} of{row}" for row in range(20)) for _ in range(5))
    [passage] = all_of(passages_to_search([entry_of("scraper", {"text": text})]))
    all_of(place_words(passage))
    lists = [FIELDS] * 20
    assert max(calls_of_slices(tables_on_pages([passage], lists))) < 150_000


def test_beyond_the_bound_on_records_no_further_text_is_cut_into_records(monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[Passage] = []

    def counted(passage: Passage) -> Iterator[Any]:
        cut.append(passage)
        yield from runs_of(passage)

    monkeypatch.setattr(record_lists, "runs_of", counted)
    monkeypatch.setattr(record_lists, "MAX_COMPARED", 1)
    text = "\n".join(f"Name{row}, {row} kg" for row in range(20))
    entries = [entry_of("scraper", {"text": text}) for _ in range(3)]
    fillings_of(entries, {("rows",): FIELDS[:2]})
    assert len(cut) == 1
