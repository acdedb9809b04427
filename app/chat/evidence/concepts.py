"""What a label says that the value beside it is: `TOTAL SALES (INCLUSIVE OF GST) :` is a total, `Total GST` a tax."""

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from app.chat.evidence.passages import fold, look_alike

FILE = Path(__file__).with_name("labels.toml")

MANY = 5
"""Names that end with a word that others are likely to end with."""

Kind = Literal["amount", "count", "date", "time", "number", "text"]

_NOTHING = "nothing"
_LITTLE = frozenset(fold("of the a an and in on de la le du des der die das di do da e et y und s"))
_INCLUDING = frozenset(fold("incl including inclusive inc inkl inklusive with"))
_EXCLUDING = frozenset(fold("excl excluding exclusive exc exkl exklusive before without excluded wo"))


@dataclass(frozen=True, slots=True)
class Concept:
    kind: Kind
    weak: bool
    also: frozenset[str]
    """Names of concepts that may be the same."""
    party: str = ""
    """Whom the lines below such a label belong to."""


_ROWS: Mapping[str, Mapping[str, Any]] = tomllib.loads(FILE.read_text("utf-8"))


def _listed(name: str, key: str) -> list[tuple[str, ...]]:
    """The tokens of each phrase."""
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
PHRASES = {tokens: name for name in _ROWS for tokens in _listed(name, "words")}
"""The concept of each name that a label may be, by its tokens."""
LABEL_WORDS = frozenset(token for phrase in PHRASES for token in phrase)
LAST_WORDS = frozenset(
    word for word, count in Counter(phrase[-1] for phrase in PHRASES if len(phrase) > 1).items() if count >= MANY
)
"""`number`, `date`: what names of several things end with."""
OF_LINES = frozenset(token for row in _ROWS.values() for token in fold(row.get("lines", "")))
"""The tokens that make the bare figures in their line a part of something."""
_BY_FIRST: dict[str, list[tuple[str, ...]]] = {}
"""The phrases by the token that they begin with, the longest first."""
for _phrase in sorted(PHRASES, key=len, reverse=True):
    _BY_FIRST.setdefault(_phrase[0], []).append(_phrase)
_LIKELY: dict[str, set[str]] = {}
"""The concepts that a single token may mean."""
for _name in _ROWS.keys() - {_NOTHING}:
    for _tokens in (*_listed(_name, "words"), *_listed(_name, "hints")):
        if len(_tokens) == 1:
            _LIKELY.setdefault(_tokens[0], set()).add(_name)
_MISREAD = {
    look_alike(token): token
    for token in sorted({token for phrase in PHRASES for token in phrase} | _INCLUDING | _EXCLUDING)
    if len(token) > 3
}
"""Tokens of names by what OCR cannot tell from them."""


def may_mean_much(token: str) -> bool:
    """Whether labels of many fields have this token: a name, a number, an amount."""
    return any(CONCEPTS[name].weak or (token,) not in PHRASES for name in _LIKELY.get(token, ()))


def are_synonyms(one: str, other: str) -> bool:
    """Whether two tokens may be names of the same thing."""
    return not _LIKELY.get(one, set()).isdisjoint(_LIKELY.get(other, set()))


@lru_cache(maxsize=4096)
def concepts_of(tokens: tuple[str, ...]) -> frozenset[str]:
    """The concepts that a label of these folded words names: none that it only includes, weak ones only alone."""
    known = [_MISREAD.get(look_alike(token), token) for token in tokens]
    found: list[str] = []
    at, excluded = 0, False
    while at < len(known):
        size, name = _longest_name(known, at)
        if size == 0:
            at += 1
            continue
        beside = {_word_before(known, at), *known[at + size : at + size + 1]}
        if name == "tax" and not beside.isdisjoint(_INCLUDING):
            pass
        elif name == "tax" and not beside.isdisjoint(_EXCLUDING):
            excluded = True
        else:
            found.append(name)
        at += size
    if excluded:
        found = ["net" if name == "total" else name for name in found] or ["net"]
    strong = {name for name in found if not CONCEPTS[name].weak}
    return frozenset(strong or set(found) - {_NOTHING})


def _longest_name(tokens: Sequence[str], at: int) -> tuple[int, str]:
    for phrase in _BY_FIRST.get(tokens[at], ()):
        if tuple(tokens[at : at + len(phrase)]) == phrase:
            return len(phrase), PHRASES[phrase]
    return 0, ""


def _word_before(tokens: Sequence[str], at: int) -> str:
    while at and (tokens[at - 1] in _LITTLE or tokens[at - 1].isdecimal()):
        at -= 1
    return tokens[at - 1] if at else ""


def may_be_same(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether labels of these different concepts may stand beside the same value."""
    return any(that in CONCEPTS[this].also or this in CONCEPTS[that].also for this in one for that in other)
