"""The phrases that the rules look for, a TOML file a language, and what attacks look like in code.

A file has the rules of its language, as a `models.safety.text.matching.PhraseTable` takes them, and under `interpreter`
the phrases that ask for an attack on the interpreter or its host (S14).
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
    """In a word or two, as an explanation names it."""
    score: float
    """0.6 to 0.98: how sure it is that code like that is an attack."""
    patterns: tuple[str, ...]
    taught: bool = False
    """Lessons and questions name it in a sentence, where it does no harm."""


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
        unless=row.get("unless", {}),
        spaced=row.get("spaced", True),
    )


def _by_code(patterns: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {code: tuple(found) for code, found in patterns.items()}


def _requests(language: PhraseTable, row: Mapping[str, Any]) -> PhraseTable:
    """What asks for an attack on the interpreter, with the language's own words and ways of asking, and more."""
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
"""The rules of S1 to S13."""

REQUESTS = tuple(_requests(language, row["interpreter"]) for language, row in zip(LANGUAGES, _ROWS, strict=True))
"""The rules of S14, where it is asked for in words."""

PARTS: Mapping[str, str] = _CODE["parts"]
"""Pieces of the patterns of ATTACKS, by name."""

ATTACKS = tuple(
    Attack(row["kind"], row["score"], tuple(row["patterns"]), row.get("taught", False)) for row in _CODE["attacks"]
)
"""The attacks of S14, in code."""
