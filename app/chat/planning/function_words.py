"""Words that name nothing, such as those with which questions begin."""

import tomllib
from itertools import dropwhile
from pathlib import Path
from typing import Final

FUNCTION_WORDS: Final = frozenset(
    word
    for words in tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8")).values()
    for word in words.split()
)
"""Words of questions and orders that name nothing, in all languages."""


def without_function_words(text: str) -> str:
    """Return a question without the words at its beginning that name nothing: "What is the …"."""
    return " ".join(dropwhile(lambda word: word.lower() in FUNCTION_WORDS, text.split())) or text
