"""Items of the sentences of a paragraph."""

from tasks.extraction.passages import passages_to_search
from tasks.extraction.records.repetition import MAX_CHARS_OF_SENTENCES, runs_of
from tests.entries import entry_of


def most_records(text: str) -> int:
    """The number of records of the longest run in a text."""
    [passage] = passages_to_search([entry_of("scraper", {"text": text})])
    return max(len(run.records) for run in runs_of(passage))


def test_items_are_searched_for_in_a_paragraph_and_not_in_words_of_any_length() -> None:
    assert most_records("Guests: Ann Smith, Bob Miller, Carl Jones") == 3
    assert most_records(f"Guests: Ann Smith, Bob Miller, {'Carl' * (MAX_CHARS_OF_SENTENCES // 4)}") == 1
