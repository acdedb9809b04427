"""Tables of thousands of columns, and other long lines, are read in short steps."""

from models.fair_executor import all_of
from tasks.extraction import decisions
from tasks.extraction.candidates import MAX_LABELLED_CHARS, MAX_SPAN_CHARS, find_candidates
from tasks.extraction.fields import WantedField
from tasks.extraction.names import names_of
from tasks.extraction.passages import passages_to_search
from tasks.extraction.table_lists import fill_lists, headed_tables
from tasks.extraction.written_tables import tables_in
from tasks.extraction.yes_and_no import EnumValues, answer_of, is_left_open
from tests.conftest import each_case
from tests.entries import entry_of
from tests.turns import calls_of, calls_of_slices

MOST_CALLS = 25_000
"""Largest number of functions that a slice may call, which take some milliseconds."""


@each_case("delimiter", ["|", ",", "\t"])
def test_rows_of_many_columns_are_read_a_few_at_a_time(delimiter: str) -> None:
    edge = "|" if delimiter == "|" else ""
    row = edge + delimiter.join(["12"] * 1_000) + edge
    entry = entry_of("scraper", {"text": "\n".join([row] * 100)})
    assert max(calls_of_slices(tables_in([entry]))) < MOST_CALLS
    [(_, table)] = all_of(tables_in([entry]))
    assert (len(table.rows), len(table.rows[0])) == (100, 1_000)


@each_case(("columns", "rows"), [(8, 300), (80, 60)])
def test_columns_aligned_by_spaces_are_found_in_slices(columns: int, rows: int) -> None:
    text = "\n".join("     ".join(f"{column}.{row}".ljust(7) for column in range(columns)) for row in range(rows))
    entry = entry_of("scraper", {"text": text})
    assert max(calls_of_slices(tables_in([entry]))) < MOST_CALLS
    tables = [table for _, table in all_of(tables_in([entry]))]
    assert (sum(len(table.rows) for table in tables), len(tables[0].rows[0])) == (rows, columns)


def test_a_row_of_thousands_of_cells_is_no_value_as_a_whole() -> None:
    text = "\n".join("|" + "Total:|12|" * 2_000 for _ in range(8))
    [passage] = all_of(passages_to_search([entry_of("scraper", {"text": text})]))
    candidates = all_of(find_candidates([passage]))
    assert candidates.spans
    for span in candidates.spans:
        assert len(span.text) <= (MAX_LABELLED_CHARS if span.has_colon else MAX_SPAN_CHARS)


def test_a_long_text_behind_a_label_is_a_candidate() -> None:
    text = "We delivered the thing. " * 230
    passages = all_of(passages_to_search([entry_of("scraper", {"text": f"Description: {text}\nTotal: 20"})]))
    candidates = all_of(find_candidates(passages))
    assert text.strip().rstrip(".") in {span.text for span in candidates.spans if span.has_colon}


def test_a_long_text_means_no_choice_without_being_read() -> None:
    enum = EnumValues(["red", "green"])
    text = "yes a " * 10_000
    assert calls_of(lambda: (enum.meant_by(text), answer_of(text), is_left_open(text))) < 100
    assert (enum.meant_by("red " + "." * 100), answer_of("Yes " + "." * 100)) == ("red", True)


def test_the_words_of_a_text_are_compared_with_choices_in_slices() -> None:
    [passage] = all_of(passages_to_search([entry_of("scraper", {"text": "a1 b " * 20_000})]))
    printed = decisions._printed(EnumValues(["red", "green"]), [passage])
    assert max(calls_of_slices(printed)) < MOST_CALLS


def test_the_columns_of_a_long_table_are_read_one_at_a_time() -> None:
    names = [f"column{index}" for index in range(20)]
    rows = "\n".join(";".join(f"w{row}" for _ in names) for row in range(2_000))
    entry = entry_of("scraper", {"text": ";".join(names) + "\n" + rows})
    fields = [
        WantedField((name,), {"type": "string"}, names_of((name,), {"type": "string"}), lambda value: value is not None)
        for name in names
    ]
    readings = all_of(headed_tables(all_of(tables_in([entry])), fields))
    likeness = {(one.path, head): float(one.path[0] == head) for one in fields for head in names}
    all_of(fill_lists(readings, {("list",): fields}, likeness))
    *calls, _weighing = calls_of_slices(fill_lists(readings, {("list",): fields}, likeness))
    assert max(calls) < 4 * MOST_CALLS
