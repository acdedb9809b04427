"""Tables of thousands of columns, and other long lines, are read in short steps."""

from models.fair_executor import all_of
from tasks.extraction import decisions
from tasks.extraction.candidates import MAX_LABELLED_CHARS, MAX_SPAN_CHARS, find_candidates
from tasks.extraction.passages import passages_to_search
from tasks.extraction.yes_and_no import EnumValues, answer_of, is_left_open
from tests.entries import entry_of
from tests.turns import calls_of, calls_of_slices

MOST_CALLS = 25_000
"""Largest number of functions that a slice may call, which take some milliseconds."""


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
