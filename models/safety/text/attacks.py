"""Finds attacks on an interpreter or its host in a piece of code, by patterns of flattened code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import re2

from models.safety.text.matching import PATTERN_BYTES, RULES_PER_SET, SET_BYTES, Pattern
from models.safety.text.phrasebook import ATTACKS, PARTS, Attack

_SPACES = re.compile(r"[ \t\f\v\xa0]+")

_LINES = re.compile(r" ?(?:\r?\n ?)+")

_AROUND_PUNCTUATION = re.compile(r" ?([()\[\]{}=|&;,:<>+*\"%!]) ?")

_BEFORE_A_DOT = re.compile(r" \. ?(?=\w)")

_QUOTES = str.maketrans("'`‘’“”", '""""""')


def flattened(code: str) -> str:
    """Return `code` without details that the patterns ignore. The line breaks are kept, and so are most spaces within
    strings."""
    code = _SPACES.sub(" ", code.lower().replace("\\\n", " ").translate(_QUOTES))
    return _BEFORE_A_DOT.sub(".", _AROUND_PUNCTUATION.sub(r"\1", _LINES.sub("\n", code)))


@dataclass(frozen=True, slots=True)
class FoundAttack:
    attack: Attack
    start: int
    end: int
    """Index after the attack in the flattened code; `start` and `end` count bytes."""


def attacks_in(code: bytes) -> Iterator[FoundAttack]:
    """Yield each match of each pattern in code that `flattened` has prepared. The work takes linear time."""
    for pattern_set, rules in _pattern_sets():
        for place in pattern_set.Match(code) or ():
            attack, pattern = rules[place]
            for found in _regex(pattern).finditer(code):
                yield FoundAttack(attack, *found.span())


@cache
def _pattern_sets() -> "list[tuple[Any, list[tuple[Attack, str]]]]":
    rules = [(attack, _expanded(pattern)) for attack in ATTACKS for pattern in attack.patterns]
    sets: list[tuple[Any, list[tuple[Attack, str]]]] = []
    for start in range(0, len(rules), RULES_PER_SET):
        pattern_set = re2.Set.SearchSet(_options(SET_BYTES))
        for _, pattern in rules[start : start + RULES_PER_SET]:
            pattern_set.Add(pattern)
        pattern_set.Compile()
        sets.append((pattern_set, rules[start : start + RULES_PER_SET]))
    return sets


def _expanded(pattern: str) -> str:
    for name, part in PARTS.items():
        pattern = pattern.replace(f"{{{name}}}", part)
    pattern = pattern.replace(r" \"", r" ?\"")  # flattened code has no space before a quote
    pattern = pattern.replace("{lines}", r"(?:[^\n]*\n){0,6}?[^\n]*")
    # The nearest end suffices, and is found without reading to the end of a long line.
    return pattern.replace(r"[^\n]*", r"[^\n]*?")


@cache
def _regex(pattern: str) -> Pattern:
    return re2.compile(pattern, _options(PATTERN_BYTES))


def _options(memory: int) -> Any:
    options = re2.Options()
    options.max_mem = memory
    options.log_errors = False
    return options
