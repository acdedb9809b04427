"""The phrases that the rules look for, in a TOML file per language, and the patterns of attacks in code.

A file holds the rules of its language in the form of a `models.safety.text.matching.PhraseTable` and, under
`interpreter`, the phrases that ask for an attack on the code interpreter (the sandbox for scripts) or its host (S14).
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
    """Certainty that code with one of `patterns` is an attack, 0.6 to 0.98."""
    patterns: tuple[str, ...]
    taught: bool = False
    """True if harmless sentences, such as those of lessons and questions, mention the attack."""


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).with_name("phrases") / f"{name}.toml").read_text("utf-8"))


def _table(file: Mapping[str, Any]) -> PhraseTable:
    return PhraseTable(
        language=file["language"],
        words=file.get("words", {}),
        asking=file["asking"],
        asking_after=file.get("asking_after", ""),
        asked=_by_code(file.get("asked", {})),
        said=_by_code(file.get("said", {})),
        aside=file.get("aside", ""),
        unless=file.get("unless", {}),
        spaced=file.get("spaced", True),
    )


def _by_code(patterns: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {code: tuple(found) for code, found in patterns.items()}


def _request_rules(language: PhraseTable, section: Mapping[str, Any]) -> PhraseTable:
    """Return the rules for requests for an attack on the interpreter. They combine the phrases of `section` with
    the language's own words and ways of asking."""
    return replace(
        language,
        words={**language.words, **section.get("words", {})},
        asking="|".join(filter(None, (language.asking, section.get("asking")))),
        orders=language.spaced,
        asked={"S14": tuple(section["asked"])},
        said={"S14": tuple(section.get("said", ()))},
        unless={"": section["unless"]},
    )


_FILES = [_read(name) for name in _ORDER]
_CODE = _read("attacks")

RULES = tuple(_table(file) for file in _FILES)
"""The rules of S1 to S13, a table per language."""

ATTACK_REQUEST_RULES = tuple(
    _request_rules(language, file["interpreter"]) for language, file in zip(RULES, _FILES, strict=True)
)
"""The rules of S14 for requests in words, a table per language."""

PARTS: Mapping[str, str] = _CODE["parts"]
"""Pieces of the patterns of ATTACKS, by name."""

ATTACKS = tuple(
    Attack(row["kind"], row["score"], tuple(row["patterns"]), row.get("taught", False)) for row in _CODE["attacks"]
)
"""The attacks of S14 in code."""
