"""Compares a printed word with a word of a field's name."""

from typing import Final

from rapidfuzz.fuzz import ratio

from tasks.extraction.concepts import are_synonyms
from tasks.extraction.folding import look_alike

LEAST_RATIO: Final = 85
"""A word counts as a misread one if its ratio by rapidfuzz, from 0 to 100, is at least this."""
SYNONYM: Final = 0.8
"""Weight of a synonym relative to the word itself."""


def word_likeness(printed: str, word: str, forms: tuple[str, str] | None = None) -> float:
    """Return how well a printed word means the same as a word of a name, from 0 to 1: it may be longer, misread or a
    synonym. `forms` are the `look_alike` forms of both, if the caller knows them."""
    if printed == word or (len(word) > 3 and printed.startswith(word)):
        return 1.0
    if len(word) > 4 and abs(len(printed) - len(word)) < 2:
        printed_form, word_form = forms or (look_alike(printed), look_alike(word))
        if ratio(printed_form, word_form, score_cutoff=LEAST_RATIO) >= LEAST_RATIO:
            return 1.0
    return SYNONYM if are_synonyms(printed, word) else 0.0
