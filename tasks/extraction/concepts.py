"""Finds concepts in the names of labels and fields: `TOTAL SALES (INCLUSIVE OF GST) :` is a total, `Total GST` is a
tax."""

import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from typing import Any, Literal

from tasks.extraction.folding import fold, look_alike, without_accents

FILE = Path(__file__).with_name("concepts.toml")

FEWEST_KNOWN_NAMES = 5
"""If at least this many known names have the same last word, other texts with this last word are probably names,
too."""

Kind = Literal["amount", "count", "date", "time", "number", "text"]

LONGEST_NAME = 8
"""At most this many words of a field's name are looked up together."""
MAX_TURNED = 4
"""The words of a field's name may be in any order if there are at most this many."""

_NOTHING = "nothing"
"""Concept of texts that look like names of fields but are not, such as `tax invoice`."""
_FUNCTION_WORDS = frozenset(fold("of the a an and in on de la le du des der die das di do da e et y und s"))
_OF_WORDS = frozenset(("of", "the", "de", "du", "del", "la"))
_JOINING = frozenset(
    fold("of the de du des del della dell dello di da do dos das d l la le el het van von der zur zum")
)
"""Words inside a name that the keys of schemas leave out: `lieu_naissance` for `lieu de naissance`."""
_NUMBER_ABBREVIATIONS = frozenset(("no", "nr", "num", "nbr"))
_INCLUDING = frozenset(
    fold(
        "incl including inclusive inc inkl inklusive with included enthalten compris comprise inclus incluse inclusa "
        "incluso incluido incluida incluído incluída inbegrepen inclusief"
    )
)
_EXCLUDING = frozenset(fold("excl excluding exclusive exc exkl exklusive before without excluded wo"))
_ROWS: Mapping[str, Mapping[str, Any]] = tomllib.loads(FILE.read_text("utf-8"))
WORDS_OF_ADDRESSES = frozenset(token for row in _ROWS.values() for token in fold(row.get("lines", "")))
"""Tokens of addresses, such as `street`. They show that a number in the same line is part of an address."""
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_FIELDS: dict[str, str] = {}
"""Concept by the name of a field."""
_PHRASES_BY_TOKEN: dict[str, list[tuple[str, ...]]] = {}
"""Phrases by their first token, the longest first."""
_CONCEPTS_BY_TOKEN: dict[str, set[str]] = {}
"""Concepts that a single token may mean, by token."""
_LONGEST_PHRASE = 3
"""Names of concepts that are searched for in a text have at most this many words."""


@dataclass(frozen=True, slots=True)
class Concept:
    kind: Kind
    weak: bool
    also: frozenset[str]
    """Names of other concepts that may mean the same value."""
    party: str = ""
    """Party that owns the lines below a label for this concept; empty if the concept names no party."""


def _phrases_of(name: str, key: str) -> list[tuple[str, ...]]:
    """Return the tokens of each phrase that the row of a concept has under `key`."""
    return [tuple(fold(phrase)) for phrase in _ROWS[name].get(key, "").split(",") if phrase]


CONCEPTS = {
    name: Concept(
        row["kind"],
        row.get("weak", False),
        frozenset(row["also"].split(", ") if "also" in row else ()),
        row.get("party", ""),
    )
    for name, row in _ROWS.items()
}
PHRASES = {tokens: name for name in _ROWS for tokens in _phrases_of(name, "words")}
"""Concept of each label, by the label's tokens. English names come first."""
LAST_WORDS = frozenset(
    word
    for word, count in Counter(phrase[-1] for phrase in PHRASES if len(phrase) > 1).items()
    if count >= FEWEST_KNOWN_NAMES
)
"""Last words that many different names share: `number`, `date`."""


def _without_accents(text: str) -> str:
    """Return the text without accents, with umlauts spelt out, because keys of schemas are written without them."""
    return without_accents(text.translate(_UMLAUTS))


for _phrase, _name in PHRASES.items():
    # Authors of schemas write `straße` as `strasse`, and `größe` as `groesse` or `grosse`.
    _FIELDS[without_accents(" ".join(_phrase))] = _FIELDS[_without_accents(" ".join(_phrase))] = _name
# Authors of schemas leave function words out: `lieu_naissance`, `data_nascita`, `numero_permis`.
_WITHOUT_JOINING: dict[str, set[str]] = {}
for _said, _name in _FIELDS.items():
    _kept = " ".join(_word for _word in _said.split() if _word not in _JOINING)
    if _kept != _said and " " in _kept:
        _WITHOUT_JOINING.setdefault(_kept, set()).add(_name)
for _kept, _names in _WITHOUT_JOINING.items():
    if len(_names) == 1:
        _FIELDS.setdefault(_kept, *_names)
FIELD_WORDS = frozenset(" ".join(_FIELDS).split())
for _phrase in sorted(PHRASES, key=len, reverse=True):
    _PHRASES_BY_TOKEN.setdefault(_phrase[0], []).append(_phrase)
for _name in _ROWS.keys() - {_NOTHING}:
    for _tokens in (*_phrases_of(_name, "words"), *_phrases_of(_name, "hints")):
        if len(_tokens) == 1:
            _CONCEPTS_BY_TOKEN.setdefault(_tokens[0], set()).add(_name)
_MISREAD = {
    look_alike(token): token
    for token in sorted({token for phrase in PHRASES for token in phrase} | _INCLUDING | _EXCLUDING)
    if len(token) > 3
}
"""Tokens of names by their `look_alike` form, which is the same for misread letters."""


def is_common_token(token: str) -> bool:
    """True if this token is in the labels of many fields and says little about any of them, such as `name` or
    `number`."""
    return any(CONCEPTS[name].weak or (token,) not in PHRASES for name in _CONCEPTS_BY_TOKEN.get(token, ()))


def are_synonyms(first: str, second: str) -> bool:
    """True if two tokens may be names of the same concept."""
    concepts = _CONCEPTS_BY_TOKEN.get(first)
    return concepts is not None and not concepts.isdisjoint(_CONCEPTS_BY_TOKEN.get(second, ()))


@lru_cache(maxsize=4096)
def concepts_of(tokens: tuple[str, ...]) -> frozenset[str]:
    """Return the concepts that a label names, given its folded words.

    A tax that the label calls included or excluded does not count, and a total without tax is a net amount. Weak
    concepts count only if there are no others.
    """
    known = [_MISREAD.get(look_alike(token), token) for token in tokens]
    return _strongest(_find_names(known, _longest_of_label))


@lru_cache(maxsize=4096)
def concepts_of_field(tokens: tuple[str, ...], around: tuple[str, ...] = ()) -> frozenset[str]:
    """Return the concepts of a field, given the folded words of its name and those of the name of the object `around`
    it.

    The whole name decides if it is known, with the object's name (`invoice.number`) or without it. Otherwise, the known
    names that it contains decide. A single word that is not a label by itself counts only at the end, or if the name
    contains nothing else that is known: `landline` decides in `purchaser_landline`, but `link` does not in
    `link_price`.
    """
    plain = tuple(map(_without_accents, tokens))
    for whole in ((*map(_without_accents, around), *plain), plain) if around else (plain,):
        if name := _concept_of_whole_name(whole):
            return frozenset({name} - {_NOTHING})
    found = _find_names(plain, _longest_of_field)
    printed = [
        (name, first, end)
        for name, first, end in found
        if end - first > 1 or end == len(plain) or (plain[first],) in PHRASES
    ]
    return _strongest(printed or found)


def _concept_of_whole_name(tokens: tuple[str, ...]) -> str:
    """Return the concept that has these words as its name. The words may be in any order, in the plural, or written
    together.

    The result is empty if the name is unknown or ambiguous.
    """
    words = tuple(word for word in tokens if word not in _OF_WORDS)
    if not 0 < len(words) <= LONGEST_NAME:
        return ""
    if len(words) == 1 and words[0] not in FIELD_WORDS:
        [word] = words
        cut = {name for index in range(2, len(word) - 1) if (name := _FIELDS.get(f"{word[:index]} {word[index:]}"))}
        return _single(cut) or _FIELDS.get(_singular(word), "")
    numbered = (*words[:-1], "number") if words[-1] in _NUMBER_ABBREVIATIONS else words
    for form in (tokens, words, numbered, tuple(map(_singular, tokens))):
        if name := _FIELDS.get(" ".join(form)):
            return name
    if len(words) > MAX_TURNED:
        return ""
    return _single({name for turned in permutations(numbered) if (name := _FIELDS.get(" ".join(turned)))})


def _single(names: Collection[str]) -> str:
    return next(iter(names)) if len(names) == 1 else ""


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _strongest(found: Collection[tuple[str, int, int]]) -> frozenset[str]:
    names = {name for name, *_ in found}
    strong = {name for name in names if not CONCEPTS[name].weak}
    return frozenset(strong or names - {_NOTHING})


def _find_names(
    known: Sequence[str], longest: Callable[[Sequence[str], int], tuple[int, str]]
) -> list[tuple[str, int, int]]:
    """Return the known names in these words, each with its start and end. A tax that is called included or excluded
    does not count, and a total without tax is a net amount."""
    found: list[tuple[str, int, int]] = []
    position, excluded = 0, False
    while position < len(known):
        size, name = longest(known, position)
        if size == 0:
            position += 1
            continue
        neighbours = {_word_before(known, position), *known[position + size : position + size + 1]}
        if name == "tax" and not neighbours.isdisjoint(_INCLUDING):
            pass
        elif name == "tax" and not neighbours.isdisjoint(_EXCLUDING):
            excluded = True
        else:
            found.append((name, position, position + size))
        position += size
    if excluded:
        nets = [("net" if name == "total" else name, begin, end) for name, begin, end in found]
        return nets or [("net", 0, len(known))]
    return found


def _longest_of_label(tokens: Sequence[str], start: int) -> tuple[int, str]:
    for phrase in _PHRASES_BY_TOKEN.get(tokens[start], ()):
        if tuple(tokens[start : start + len(phrase)]) == phrase:
            return len(phrase), PHRASES[phrase]
    return 0, ""


def _longest_of_field(tokens: Sequence[str], position: int) -> tuple[int, str]:
    for size in range(min(LONGEST_NAME, len(tokens) - position), 0, -1):
        if name := _FIELDS.get(" ".join(tokens[position : position + size])):
            return size, name
    return 0, ""


def _word_before(tokens: Sequence[str], index: int) -> str:
    while index and (tokens[index - 1] in _FUNCTION_WORDS or tokens[index - 1].isdecimal()):
        index -= 1
    return tokens[index - 1] if index else ""


def may_be_same(first: frozenset[str], second: frozenset[str]) -> bool:
    """True if a label for a concept of `first` and a label for a concept of `second` may be printed beside the same
    value."""
    return any(that in CONCEPTS[this].also or this in CONCEPTS[that].also for this in first for that in second)
