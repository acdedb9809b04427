"""Training texts of the head: three published sets, generated contrasts, and harmless texts of our own."""

import csv
import json
import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training.guard.contrasts import contrasts
from training.guard.requests import requests

HARMLESS = Path(__file__).parent
SETS = ("prompts", "moderation", "xstest")
"""Names of CSV files with the column `prompt` or `text`, and optionally `code`. The column `unsafe` may be missing if
all texts are unsafe."""
MADE = "contrasts"
REQUESTS = "requests"
"""Name of the generated ordinary requests."""
TRADES = "trades"
"""Name of the lines of trades, and of the harmful requests with the same words. Only the gate learns from them."""
_TRADES_HELD_OUT = 5
"""A fifth of the lines of trades, chosen by a hash of the text, is for measuring only."""
ATTRIBUTION = (
    "Trained on prompts of the MLCommons AILuminate v1.0 demo prompt set (mlcommons/ailuminate, Apache-2.0), texts of "
    "OpenAI's moderation evaluation set (openai/moderation-api-release, MIT) and prompts of XSTest "
    "(paul-rottger/exaggerated-safety, CC-BY-4.0), of which none is contained, and on texts that are openfaze's own "
    "(training/guard, Apache-2.0)."
)


@dataclass(frozen=True, slots=True)
class LabelledText:
    text: str
    unsafe: bool
    code: str | None
    """Code of the hazard of an unsafe text, if its set states one."""
    group: str
    """Theme of the text: variants and translations of a theme are never on both sides of a split."""
    language: str
    source: str
    """Name of the file with the text."""


def examples(sets: Path) -> list[LabelledText]:
    """Return the texts of the sets in the folder `sets` and the texts beside this module.

    A text in both counts once, as a text of its set.
    """
    found = {example.text: example for example in [*_ordinary(), *_harmless(), *_made(), *_published(sets)]}
    return list(found.values())


def trades(*, held_out: bool) -> list[LabelledText]:
    """Return the lines of trades, and the harmful requests with the same words: those to learn from, or the others."""
    return [one for one in _trades() if (zlib.crc32(one.text.encode()) % _TRADES_HELD_OUT == 0) == held_out]


def _trades() -> Iterator[LabelledText]:
    for name, is_unsafe in (("trades", False), ("misuse", True)):
        tables = tomllib.loads((HARMLESS / f"{name}.toml").read_text(encoding="utf-8"))
        for theme, languages in tables.items():
            for language, lines in languages.items():
                for line in lines.strip().splitlines():
                    group = line if is_unsafe else theme
                    yield LabelledText(line, is_unsafe, theme if is_unsafe else None, group, language, TRADES)


def _published(sets: Path) -> Iterator[LabelledText]:
    for name in SETS:
        with (sets / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            for number, row in enumerate(csv.DictReader(file)):
                text = row.get("prompt") or row["text"]
                unsafe = row.get("unsafe", "1") == "1"
                yield LabelledText(text, unsafe, row.get("code") or None, f"{name} {number}", "en", name)


def _made() -> Iterator[LabelledText]:
    for text, code, theme in contrasts():
        yield LabelledText(text, code is not None, code, f"{MADE} {theme}", "en", MADE)


def _ordinary() -> Iterator[LabelledText]:
    for text, language, frame in requests():
        yield LabelledText(text, False, None, f"{REQUESTS} {frame}", language, REQUESTS)


def _harmless() -> Iterator[LabelledText]:
    for path in sorted(HARMLESS.rglob("*.jsonl")):
        source = path.relative_to(HARMLESS).with_suffix("").as_posix()
        for line in path.read_text(encoding="utf-8").splitlines():
            fields = json.loads(line)
            # Files with a common theme use the same name for it.
            yield LabelledText(fields["text"], False, None, fields["group"], fields["language"], source)
