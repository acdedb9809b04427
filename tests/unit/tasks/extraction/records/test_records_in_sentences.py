"""Records in the sentences of a paragraph."""

from models.fair_executor import all_of
from tasks.extraction.line_pieces import cut_line
from tasks.extraction.passages import passages_to_search
from tasks.extraction.records.records_in_sentences import MAX_CHARS, runs_in_sentences
from tasks.extraction.words_on_page import rows_in_columns
from tests.entries import entry_of


def runs(text: str) -> int:
    """The number of runs of items in a paragraph of one line."""
    [passage] = all_of(passages_to_search([entry_of("scraper", {"text": text})]))
    lines = [cut_line(passage, row) for row in rows_in_columns(passage)]
    return sum(run is not None for run in runs_in_sentences(passage, lines))


def test_items_are_searched_for_in_a_paragraph_and_not_in_words_of_any_length() -> None:
    assert runs("Guests: Ann Smith, Bob Miller, Carl Jones") == 1
    assert runs(f"Guests: Ann Smith, Bob Miller, {'Carl' * (MAX_CHARS // 4)}") == 0
