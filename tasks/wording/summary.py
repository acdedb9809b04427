"""The length of a summary, by the words of a request."""

from tasks.notation.words import NUMBERS, any_of, count_named
from tasks.wording.phrases import PHRASES, compiled

_COUNTED = rf"\b(?P<count>\d{{1,2}}|{any_of(NUMBERS)})[ -](?:\w+ )?(?:{PHRASES['summary']['sentences']})"
MOST_SENTENCES = 20
"""A summary has at most this many sentences."""


def most_sentences_in(words: str) -> int | None:
    """Return the number of sentences or points that `words` ask for; None if they give none."""
    found = compiled(_COUNTED).search(words)
    return found and max(1, min(count_named(found["count"], NUMBERS), MOST_SENTENCES))
