"""The languages that speech engines know, by code and by the names that people write, from languages.toml."""

import tomllib
from pathlib import Path

_NAMES: dict[str, str] = tomllib.loads(Path(__file__).with_name("languages.toml").read_text("utf-8"))

CODE_OF = {name: code for code, names in _NAMES.items() for name in names.split()}
"""ISO 639-1 (639-3 for Cantonese) by a name in lower case: English ones, a language's own, and its neighbours'. Russian
ones lack the ending."""

CODES = frozenset(_NAMES)


def language_code(name: str) -> str | None:
    """The code of a language by its code, with or without a region (`pt-BR`), or by a name; None for others."""
    plain = name.strip().lower()
    code = plain.replace("_", "-").partition("-")[0]
    return code if code in CODES else CODE_OF.get(plain)


def language_name(code: str) -> str:
    """In English; the code itself where its language has no name here."""
    return _NAMES[code].partition(" ")[0].title() if code in _NAMES else code
