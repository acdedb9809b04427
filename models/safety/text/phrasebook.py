"""The phrases that the rules look for, in a TOML file per language, and the patterns of attacks in code.

A file holds the rules of its language in the form of a `models.safety.text.matching.PhraseTable` and, under
`interpreter`, the phrases that ask for an attack on the interpreter or its host (S14).
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from models.safety.text.matching import PhraseTable

_ORDER = (
    *("english", "spanish", "french", "german", "portuguese", "italian", "dutch", "polish", "russian", "turkish"),
    *("chinese", "japanese", "arabic", "hindi"),
)


@dataclass(frozen=True, slots=True)
class Attack:
    kind: str
    """Name of the kind of attack in a word or two, for explanations."""
    score: float
    """Certainty that such code is an attack, 0.6 to 0.98."""
    patterns: tuple[str, ...]
    taught: bool = False
    """True if harmless sentences, such as those of lessons and questions, mention the attack."""


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).with_name("phrases") / f"{name}.toml").read_text("utf-8"))


def _table(row: Mapping[str, Any]) -> PhraseTable:
    return PhraseTable(
        language=row["language"],
        words=row.get("words", {}),
        asking=row["asking"],
        asking_after=row.get("asking_after", ""),
        asked=_by_code(row.get("asked", {})),
        said=_by_code(row.get("said", {})),
        aside=row.get("aside", ""),
        unless=row.get("unless", {}),
        spaced=row.get("spaced", True),
    )


def _by_code(patterns: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {code: tuple(found) for code, found in patterns.items()}


def _requests(language: PhraseTable, row: Mapping[str, Any]) -> PhraseTable:
    """Return the rules for requests for an attack on the interpreter. They combine the phrases of `row` with the
    language's own words and ways of asking."""
    return replace(
        language,
        words={**language.words, **row.get("words", {})},
        asking="|".join(filter(None, (language.asking, row.get("asking")))),
        orders=language.spaced,
        asked={"S14": tuple(row["asked"])},
        said={"S14": tuple(row.get("said", ()))},
        unless={"": row["unless"]},
    )


_ROWS = [_read(name) for name in _ORDER]
_CODE = _read("attacks")

LANGUAGES = tuple(_table(row) for row in _ROWS)
"""The rules of S1 to S13, a table per language."""

REQUESTS = tuple(_requests(language, row["interpreter"]) for language, row in zip(LANGUAGES, _ROWS, strict=True))
"""The rules of S14 for requests in words, a table per language."""

PARTS: Mapping[str, str] = _CODE["parts"]
"""Pieces of the patterns of ATTACKS, by name."""

ATTACKS = tuple(
    Attack(row["kind"], row["score"], tuple(row["patterns"]), row.get("taught", False)) for row in _CODE["attacks"]
)
"""The attacks of S14 in code."""
