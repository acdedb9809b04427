"""The words of a text and their parts, as the trained head counts them."""

import itertools
import re
import unicodedata
from collections.abc import Iterator

from models.safety.text.characters import without_heaps

_WORD = re.compile(r"[^\W\d_]{2,}")
_PARTS = (3, 4, 5)
"""Characters of a part of a word: parts tell "trafficking" from "traffic", and still know "traffickers"."""
_LONGEST = 24
"""Characters of a word that count: no word is longer, but a hash may be."""


def terms_of(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The words and neighbouring pairs of words, and the parts of words, each once; case, accents, figures and
    punctuation do not count. A part that begins or ends a word has a space there."""
    words = [word[:_LONGEST] for word in _WORD.findall(_plain(text))]
    pairs = map(" ".join, itertools.pairwise(words))
    return frozenset([*words, *pairs]), frozenset(part for word in frozenset(words) for part in _parts(word))


def _plain(text: str) -> str:
    """Apostrophes go, so that "don't" is one word however it is written."""
    decomposed = unicodedata.normalize("NFKD", without_heaps(text.lower()))
    if not decomposed.isascii():
        decomposed = "".join(character for character in decomposed if not unicodedata.combining(character))
    return decomposed.replace("'", "").replace("’", "")


def _parts(word: str) -> Iterator[str]:
    bounded = f" {word} "
    for length in _PARTS:
        for start in range(len(bounded) - length + 1):
            yield bounded[start : start + length]
