"""The phrases by which requests are recognised, in several languages (phrases.toml)."""

import re
import tomllib
from functools import cache
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
