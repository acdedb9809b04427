"""What the head learns from: unsafe prompts by code, and harmless texts that look like them."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HARMLESS = Path(__file__).parent
ATTRIBUTION = (
    "Trained on prompts of the MLCommons AILuminate v1.0 demo prompt set (mlcommons/ailuminate, Apache-2.0), of which "
    "none is contained, and on texts that are openfaze's own (training/guard, Apache-2.0)."
)


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    code: str | None
    """None: harmless."""
    group: str
    """A theme: variants and translations of it are never on both sides of a split."""
    language: str
    source: str
    """The file that it is from, or `unsafe`."""

    @property
    def unsafe(self) -> bool:
        return self.code is not None


def examples(prompts: Path) -> list[Example]:
    """Those of `prompts`, a CSV file with the columns `code` and `prompt`, and the harmless ones beside this module.
    A text that is there twice counts once."""
    found = {example.text: example for example in [*_unsafe(prompts), *_harmless()]}
    return list(found.values())


def _unsafe(prompts: Path) -> Iterator[Example]:
    with prompts.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file)):
            yield Example(row["prompt"], row["code"], f"unsafe {number}", "en", "unsafe")


def _harmless() -> Iterator[Example]:
    for path in sorted(HARMLESS.rglob("*.jsonl")):
        source = path.relative_to(HARMLESS).with_suffix("").as_posix()
        for line in path.read_text(encoding="utf-8").splitlines():
            fields = json.loads(line)
            # Files that share a theme name it alike.
            yield Example(fields["text"], None, fields["group"], fields["language"], source)
