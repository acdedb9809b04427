"""What the head learns from: three published sets, made contrasts, and harmless texts of our own."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training.guard.contrasts import contrasts

HARMLESS = Path(__file__).parent
SETS = ("prompts", "moderation", "xstest")
"""Each a CSV file with the columns `prompt` or `text`, `code` where it has one, and `unsafe` unless all of it is."""
MADE = "contrasts"
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
    """What an unsafe one breaks, where its set says which."""
    group: str
    """A theme: variants and translations of it are never on both sides of a split."""
    language: str
    source: str
    """The file that it is from."""


def examples(sets: Path) -> list[LabelledText]:
    """The texts of the sets in the folder `sets`, and those beside this module. A text that is there twice counts
    once, as that of the set."""
    found = {example.text: example for example in [*_harmless(), *_made(), *_published(sets)]}
    return list(found.values())


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


def _harmless() -> Iterator[LabelledText]:
    for path in sorted(HARMLESS.rglob("*.jsonl")):
        source = path.relative_to(HARMLESS).with_suffix("").as_posix()
        for line in path.read_text(encoding="utf-8").splitlines():
            fields = json.loads(line)
            # Files that share a theme name it alike.
            yield LabelledText(fields["text"], False, None, fields["group"], fields["language"], source)
