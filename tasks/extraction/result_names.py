"""Knows what fields are called that hold the whole text of a specialist, or a text that somebody has to write."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tasks.extraction.folding import fold
from tasks.extraction.names import Names

FILE = Path(__file__).with_name("result_names.toml")


@dataclass(frozen=True, slots=True)
class ResultNames:
    """Names of fields, each as its words, by what the fields hold."""

    results: tuple[tuple[str, str | None, frozenset[tuple[str, ...]]], ...]
    """Task, key in its result (None for the result's text), and names of fields, for each kind of whole result."""
    text: frozenset[tuple[str, ...]]
    outcome: frozenset[tuple[str, ...]]
    markdown: frozenset[tuple[str, ...]]
    prose: frozenset[str]
    """Words of names, where the others are whole names."""


@cache
def result_names() -> ResultNames:
    table = tomllib.loads(FILE.read_text("utf-8"))

    def names(row: Mapping[str, str]) -> frozenset[tuple[str, ...]]:
        return frozenset(tuple(fold(name)) for name in row["names"].split(","))

    return ResultNames(
        tuple((row["task"], row.get("key"), names(row)) for row in table["results"]),
        names(table["text"]),
        names(table["outcome"]),
        names(table["markdown"]),
        frozenset(fold(table["prose"]["words"])),
    )


def names_a_result(names: Names) -> bool:
    """True if a field with these names is for the whole text of a specialist, even one that did not run."""
    known = result_names()
    whole = known.text.union(known.outcome, known.markdown, *(own for _, _, own in known.results))
    return not whole.isdisjoint(names.own)


def names_prose(names: Names) -> bool:
    """True if a field with these names is for a text that somebody has to write: a summary, a reason."""
    prose = result_names().prose
    return any(not prose.isdisjoint(name) for name in names.own)
