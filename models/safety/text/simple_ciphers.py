"""Decodes passages that are written in ROT13 or backwards, if the result consists of known words."""

import re
import string
from collections.abc import Callable
from enum import Enum, auto

from models.safety.text.known_words import KNOWN_WORDS, TELLING_WORDS

_WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")

_ROT13 = str.maketrans(
    string.ascii_letters,
    "".join(half[13:] + half[:13] for half in (string.ascii_lowercase, string.ascii_uppercase)),
)

_FEWEST_WORDS = 3
"""A decoded passage must contain at least this many known words of three letters or more, unless one of them is a
telling word."""

_FEWEST_LETTERS = 4
"""A decoded word with at least this many letters is unlikely to be a coincidence."""

_COINCIDENTAL_WORDS = frozenset({"bats", "crei", "dica", "lana", "snug", "tool"})
"""Ordinary words that happen to become telling words when they are decoded."""


def rot13(text: str) -> str | None:
    """Return `text` with its passages in ROT13 decoded; None if it has none."""
    return _decode_passages(text, _rot13, _rot13)


def reversed_(text: str) -> str | None:
    """Return `text` with its backward passages reversed, once as a whole and once word by word; None if it has none."""
    return _decode_passages(text, _backwards, _both_ways)


def _decode_passages(text: str, word: Callable[[str], str], passage: Callable[[str], str]) -> str | None:
    pieces: list[str] = []
    end = 0
    for start, stop in _passages(text, word):
        pieces += [text[end:start], passage(text[start:stop])]
        end = stop
    return "".join([*pieces, text[end:]]) if pieces else None


def _passages(text: str, decode: Callable[[str], str]) -> list[tuple[int, int]]:
    """Return the start and the end of each passage whose words are known after `decode` has decoded them, but not as
    written. A passage may contain a few other words."""
    kinds = {word: _kind(word.casefold(), decode) for word in set(_WORD.findall(text))}
    if not {_Kind.ENCODED, _Kind.TELLING} & set(kinds.values()):
        return []
    found: list[tuple[int, int]] = []
    passage: _EncodedPassage | None = None
    for word in _WORD.finditer(text):
        kind = kinds[word[0]]
        if kind in (_Kind.ENCODED, _Kind.TELLING):
            passage = passage or _EncodedPassage(word.start())
            passage.add(kind, word)
        elif passage and not passage.continues_after(kind):
            found += passage.found
            passage = None
    return found + (passage.found if passage else [])


class _Kind(Enum):
    KNOWN_AS_WRITTEN = auto()
    """A word that is known as written."""
    ENCODED = auto()
    """A word that is known only when decoded."""
    TELLING = auto()
    """A word that is telling when decoded, and that is not a coincidence."""
    UNKNOWN = auto()
    SHORT = auto()
    """A word of fewer than three letters. Decoded, it may be another word, like `on` and `no`."""


class _EncodedPassage:
    def __init__(self, start: int) -> None:
        self._start = start
        self._stop = start
        self._hits = 0
        self._long = False
        self._telling = False
        self._balance = 0

    def add(self, kind: _Kind, word: re.Match[str]) -> None:
        self._stop = word.end()
        self._hits += 1
        self._long |= len(word[0]) >= _FEWEST_LETTERS
        self._telling |= kind is _Kind.TELLING
        self._balance = min(self._balance + 2, 8)

    def continues_after(self, kind: _Kind) -> bool:
        """Count a word that is not part of the passage. Return True if the passage may still continue after it."""
        self._balance -= {_Kind.KNOWN_AS_WRITTEN: 2, _Kind.UNKNOWN: 1}.get(kind, 0)
        return self._balance > 0

    @property
    def found(self) -> list[tuple[int, int]]:
        enough = self._telling or (self._long and self._hits >= _FEWEST_WORDS)
        return [(self._start, self._stop)] if enough else []


def _kind(word: str, decode: Callable[[str], str]) -> _Kind:
    if len(word) < 3:
        return _Kind.SHORT
    if word in KNOWN_WORDS:
        return _Kind.KNOWN_AS_WRITTEN
    other = decode(word)
    if other not in KNOWN_WORDS or word in _COINCIDENTAL_WORDS:
        return _Kind.UNKNOWN
    return _Kind.TELLING if len(word) >= _FEWEST_LETTERS and other in TELLING_WORDS else _Kind.ENCODED


def _both_ways(passage: str) -> str:
    return f"{_backwards(passage)}\n{_WORD.sub(lambda word: _backwards(word[0]), passage)}"


def _backwards(text: str) -> str:
    return text[::-1]


def _rot13(text: str) -> str:
    return text.translate(_ROT13)
