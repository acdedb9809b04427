"""Interprets words and signs that make a choice: yes and no, ticked boxes, and words that mean the same as a value of
an enum."""

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tasks.extraction.folding import fold

FILE: Final = Path(__file__).with_name("yes_and_no.toml")
_TABLE: Final[Mapping[str, Mapping[str, Any]]] = tomllib.loads(FILE.read_text("utf-8"))

Words = tuple[str, ...]
TICKED: Final = tuple(dict.fromkeys(_TABLE["boxes"]["ticked"].replace("( )", "").split()))
EMPTY: Final = ("[ ]", "( )", *(sign for sign in _TABLE["boxes"]["empty"].split() if sign not in "[]()"), "[]", "()")
_BOXES: Final = {**dict.fromkeys(TICKED, True), **dict.fromkeys(EMPTY, False)}
_CELLS: Final = {sign: answer == "yes" for answer, signs in _TABLE["cells"].items() for sign in signs.split()}
_MEANINGS: dict[Words, set[int]] = {}
"""Indices of the synonym groups that contain a phrase, by phrase."""


def words_of(text: str) -> Words:
    """Return the normalised words of a text without accents, because OCR and schema keys often lack them: `Não` →
    nao."""
    return tuple(_without_accents(word) for word in fold(text.replace("_", " ")))


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    letters = unicodedata.normalize("NFD", word.replace("ł", "l"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _phrases(listed: str) -> Iterator[Words]:
    return (words_of(phrase) for phrase in listed.split(","))


_ANSWERS: Final = {words: answer == "yes" for answer, listed in _TABLE["answers"].items() for words in _phrases(listed)}
DENIALS: Final = frozenset(_phrases(_TABLE["denials"]["before"]))
_HARMLESS: Final = tuple(_phrases(_TABLE["harmless"]["values"]))
for _number, _meaning in enumerate(_TABLE["choices"]["meanings"]):
    for _words in _phrases(_meaning):
        _MEANINGS.setdefault(_words, set()).add(_number)


def answer_of(text: str, *, is_cell: bool = True) -> bool | None:
    """Return the answer if the whole text is a yes or a no: `Yes`, `nein`, `☒`; else None.

    Signs around the words do not matter: `Yes.` The text of a cell (`is_cell`) may also be a single sign or character:
    `x`.
    """
    bare = text.strip()
    if (sign := _BOXES.get(bare, _CELLS.get(bare) if is_cell else None)) is not None:
        return sign
    return _ANSWERS.get(words_of(bare))


def mean_the_same(one: Words, other: Words) -> bool:
    """True if two choices have the same spelling, apart from case, accents and signs, or are known to mean the same."""
    if not (one and other):
        return False
    return one == other or not _MEANINGS.get(one, set()).isdisjoint(_MEANINGS.get(other, ()))


def choice_of(text: str, values: Sequence[Any]) -> Any:
    """Return the value of an enum that `text` as a whole means; None if it means none or several."""
    said = words_of(text)
    # OCR may split a word.
    spelt = [value for value in values if isinstance(value, str) and "".join(words_of(value)) == "".join(said)]
    if not said or spelt:
        return spelt[0] if spelt else None
    meant = [value for value in values if isinstance(value, str) and mean_the_same(words_of(value), said)]
    if len(meant) == 1:
        return meant[0]
    answer = _ANSWERS.get(said)
    same = [value for value in values if isinstance(value, str) and answer is not None and answer_of(value) is answer]
    return same[0] if len(same) == 1 else None


def most_harmless(values: Sequence[Any]) -> Any:
    """Return the value of an enum that claims least, such as `unknown` or `other`, or else the first value."""
    spelt = {words_of(value): value for value in reversed(values) if isinstance(value, str)}
    return next((spelt[words] for words in _HARMLESS if words in spelt), values[0])
