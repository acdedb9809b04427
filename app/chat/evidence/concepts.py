"""What a label says that the value beside it is: `TOTAL SALES (INCLUSIVE OF GST) :` is a total, `Total GST` a tax."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from app.chat.evidence.passages import fold, look_alike

FILE = Path(__file__).with_name("labels.toml")

Kind = Literal["amount", "count", "date", "time", "number", "text"]

_NOTHING = "nothing"
_LITTLE = frozenset(fold("of the a an and in on de la le du des der die das di do da e et y und s"))
_INCLUDING = frozenset(fold("incl including inclusive inc inkl inklusive with"))
_EXCLUDING = frozenset(fold("excl excluding exclusive exc exkl exklusive before without excluded wo"))


@dataclass(frozen=True, slots=True)
class Concept:
    name: str
    kind: Kind
    weak: bool
    also: frozenset[str]
    """Names of concepts that may be the same."""


@dataclass(frozen=True, slots=True)
class _Table:
    concepts: dict[str, Concept]
    phrases: dict[tuple[str, ...], str]
    """The concept of each name, by its tokens."""
    longest: int
    likely: dict[str, frozenset[str]]
    """The concepts that a single token may mean."""
    misread: dict[str, str]
    """Tokens of names by what OCR cannot tell from them."""
    of_lines: dict[str, str]
    """Concepts by the tokens that make the figures in their line a part of it."""


@cache
def _table() -> _Table:
    concepts: dict[str, Concept] = {}
    phrases: dict[tuple[str, ...], str] = {}
    likely: dict[str, frozenset[str]] = {}
    of_lines: dict[str, str] = {}
    for name, row in tomllib.loads(FILE.read_text("utf-8")).items():
        words, hints = (list(map(fold, filter(None, row.get(key, "").split(",")))) for key in ("words", "hints"))
        also = frozenset(filter(None, map(str.strip, row.get("also", "").split(","))))
        concepts[name] = Concept(name, row["kind"], row.get("weak", False), also)
        phrases |= {tuple(tokens): name for tokens in words}
        of_lines |= dict.fromkeys(fold(row.get("lines", "")), name)
        for tokens in (*words, *hints):
            if name != _NOTHING and len(tokens) == 1:
                likely[tokens[0]] = likely.get(tokens[0], frozenset()) | {name}
    known = {token for phrase in phrases for token in phrase} | _INCLUDING | _EXCLUDING
    misread = {look_alike(token): token for token in sorted(known) if len(token) > 3}
    return _Table(concepts, phrases, max(map(len, phrases)), likely, misread, of_lines)


def concept(name: str) -> Concept:
    return _table().concepts[name]


def is_name(tokens: tuple[str, ...]) -> bool:
    """Whether these folded words are a label's from the table, whole."""
    return tokens in _table().phrases


def may_mean_much(token: str) -> bool:
    """Whether labels of many fields have this token: a name, a number, an amount."""
    return any(_table().concepts[name].weak or not is_name((token,)) for name in _table().likely.get(token, ()))


def line_of(token: str) -> str | None:
    """The concept that a bare figure belongs to in a line with this token."""
    return _table().of_lines.get(token)


def are_synonyms(one: str, other: str) -> bool:
    """Whether two tokens may be names of the same thing."""
    likely = _table().likely
    return not likely.get(one, frozenset()).isdisjoint(likely.get(other, frozenset()))


@lru_cache(maxsize=4096)
def concepts_of(tokens: tuple[str, ...]) -> frozenset[str]:
    """The concepts that a label of these folded words names: none that it only includes, weak ones only alone."""
    table = _table()
    known = [table.misread.get(look_alike(token), token) for token in tokens]
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
    strong = {name for name in found if not table.concepts[name].weak}
    return frozenset(strong or set(found) - {_NOTHING})


def _longest_name(tokens: Sequence[str], at: int) -> tuple[int, str]:
    table = _table()
    for size in range(min(table.longest, len(tokens) - at), 0, -1):
        name = table.phrases.get(tuple(tokens[at : at + size]))
        if name is not None:
            return size, name
    return 0, ""


def _word_before(tokens: Sequence[str], at: int) -> str:
    while at and (tokens[at - 1] in _LITTLE or tokens[at - 1].isdecimal()):
        at -= 1
    return tokens[at - 1] if at else ""


def may_be_same(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether labels of these different concepts may stand beside the same value."""
    return any(not concept(name).also.isdisjoint(other) for name in one) or any(
        not concept(name).also.isdisjoint(one) for name in other
    )
