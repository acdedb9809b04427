"""Collects the names of a field: the words of its key, its title and a short description, with abbreviations spelt
out."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from tasks.extraction.concepts import FIELD_WORDS, LAST_WORDS, PHRASES, concepts_of_field
from tasks.extraction.folding import fold

LONGEST_NAME = 8
"""A description counts as a name if it has at most this many words. A longer description is an explanation."""

MAX_CHARS = 200
"""At most this many characters of a key are compared with texts. A longer title or description is not a name."""
MAX_WORDS = 32
"""At most this many words of a key are compared with texts."""

SHORTEST_PART = 3
"""A word is recognised as a part of two words written together only if it has at least this many letters."""
LONGEST_PAIR = 40
"""Two words written together have at most this many letters. Longer texts are not split, because every cut is tried."""

LONG_KEY = 12
"""A key with this many letters tells the field without the object around it."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_ABBREVIATIONS: Mapping[str, str] = tomllib.loads(Path(__file__).with_name("abbreviations.toml").read_text("utf-8"))


@lru_cache(maxsize=1024)
def words_of_key(key: str) -> tuple[str, ...]:
    """Return the first words of a key, which are compared with texts: `invoiceNumber`, `invoice_number` → invoice,
    number."""
    return tuple(fold(_CAMEL.sub(" ", key[:MAX_CHARS]).replace("_", " "))[:MAX_WORDS])


def spelt_out(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words with abbreviations spelt out: `cust`, `addr` → customer, address; `duedate` → due, date."""
    if tuple(words) in PHRASES:
        return tuple(words)
    return tuple(
        part
        for word in words
        for part in (
            _ABBREVIATIONS.get(word, "").split() or ((word,) if word in FIELD_WORDS else _split_compound(word))
        )
    )


def _split_compound(word: str) -> Sequence[str]:
    """Return the two words that are written together in `word`, or `word` alone if it cannot be split."""
    if len(word) > LONGEST_PAIR:
        return (word,)
    cuts = range(SHORTEST_PART, len(word) - SHORTEST_PART + 1)
    parts = ((word[:cut], word[cut:]) for cut in cuts)
    return next((part for part in parts if part[0] in FIELD_WORDS and part[1] in LAST_WORDS), (word,))


@dataclass(frozen=True)
class Names:
    """The names of a field, and of the object around it. What comparisons need of them is kept, because a field is
    compared with every header of a table."""

    own: tuple[tuple[str, ...], ...] = ()
    """Words of each name: the key spelt out, the key as written, the title, a short description."""
    around: tuple[str, ...] = ()
    """Words of the key of the object that contains the field, spelt out."""

    @cached_property
    def concepts(self) -> frozenset[str]:
        """Concepts of the first name that means a concept; empty if none of the names does."""
        return next(filter(None, (concepts_of_field(name, self.around) for name in self.own)), frozenset())

    @cached_property
    def word_sets(self) -> tuple[frozenset[str], ...]:
        """The words of each name that has any."""
        return tuple(frozenset(name) for name in self.own if name)

    @cached_property
    def phrase(self) -> str:
        """Words of the field's key, after those of the key of the object around the field. If the field's key is long,
        the object's words are left out."""
        words = " ".join(self.own[0]) if self.own else ""
        return f"{' '.join(self.around)} {words}".strip() if len(words) < LONG_KEY else words

    @cached_property
    def joined(self) -> tuple[str, ...]:
        """The names with their words written together, each once."""
        return tuple(dict.fromkeys(map("".join, self.own)))


def names_of(path: Sequence[str | int], schema: Mapping[str, Any]) -> Names:
    """Return the names of the field at `path` of an answer. The title and the description in `schema` may be names,
    too."""
    keys = [step for step in path if isinstance(step, str)]
    if not keys:
        return Names()
    texts = [text for word in ("title", "description") if isinstance(text := schema.get(word), str)]
    short = [words_of_key(text) for text in texts if len(text) <= MAX_CHARS]
    short_names = [words for words in short if 0 < len(words) <= LONGEST_NAME]
    key = words_of_key(keys[-1])
    own = tuple(dict.fromkeys([spelt_out(key), key, *short_names]))
    return Names(own, spelt_out(words_of_key(keys[-2])) if len(keys) > 1 else ())
