"""Words that name nothing, such as those with which questions begin."""

import tomllib
from itertools import dropwhile
from pathlib import Path
from typing import Final

from app.chat.trim import words

FUNCTION_WORDS: Final = frozenset(
    word
    for words in tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")).values()
    for word in words.split()
)
"""Words of questions and orders that name nothing, in all languages."""

_FOLDED: Final = frozenset(form for word in FUNCTION_WORDS for form in words(word))


def content_words(text: str) -> list[str]:
    """Return the words of a text that name something, as `words` returns them."""
    return [word for word in words(text) if word not in _FOLDED]


def without_function_words(text: str) -> str:
    """Return a question without the words at its beginning that name nothing: "What is the …"."""
    return " ".join(dropwhile(lambda word: word.lower() in FUNCTION_WORDS, text.split())) or text
