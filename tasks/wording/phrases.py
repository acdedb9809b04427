"""The phrases by which requests are recognised, in several languages (phrases.toml)."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Final

_TABLE: Final = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text("utf-8"))
PHRASES: Final[dict[str, dict[str, str]]] = {
    subject: {name: phrase if isinstance(phrase, str) else "|".join(phrase) for name, phrase in table.items()}
    for subject, table in _TABLE.items()
}
"""Regular expressions without groups, and lists of words, by subject and name."""


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a compiled constant expression that ignores case. It is compiled at its first use, because compiling all
    expressions would take a tenth of the server's start-up time."""
    return re.compile(pattern, re.IGNORECASE)


@dataclass(frozen=True)
class Phrasebook:
    """Regular expressions by which subjects are recognised, in upper or lower case."""

    phrases: Mapping[str, Sequence[str]]
    """Regular expressions by subject, one per language. A subject is recognised if one of its expressions matches."""

    @cached_property
    def wholes(self) -> Mapping[str, str]:
        """Alternation of all phrases, for `compiled`, by subject."""
        return {subject: "|".join(phrases) for subject, phrases in self.phrases.items()}

    def speaks_of(self, text: str, *subjects: str) -> bool:
        """True if the text matches a phrase of any of the subjects."""
        return any(compiled(self.wholes[subject]).search(text) for subject in subjects)
