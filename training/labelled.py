"""Reads the labelled rows of a folder, a file a language, holds one in some out, and counts how often a model is right
for those. The fits of wishes, of asked names and of orders share it.

A row is held out by a hash of its text: the same ones whatever is added, and never chosen by hand.
"""

import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

ALL = "all"
"""Name of the share of all rows beside those of the languages."""
_BYTE = 127


@dataclass(frozen=True, slots=True)
class LabelledRow:
    """A text of a language. A subclass adds what the text is labelled with."""

    text: str
    language: str
    held_out: ClassVar[int] = 5
    """One row in this many is held out."""

    @property
    def key(self) -> object:
        """Value that two rows share if they say the same. Texts that differ only in capitals and spaces do."""
        return self.folded_text

    @property
    def folded_text(self) -> str:
        return " ".join(self.text.lower().split())

    @property
    def is_held_out(self) -> bool:
        return zlib.crc32(self.folded_text.encode()) % self.held_out == 0

    def drawn(self, one_in: int) -> int:
        """Return a number below `one_in` that says whether some use takes this row. It comes from the reversed text,
        because the hash of the text says whether the row is held out."""
        return zlib.crc32(self.text.encode()[::-1]) % one_in


Row = TypeVar("Row", bound=LabelledRow)


def read_rows(
    folder: Path, row_of: Callable[[Mapping[str, Any], str], Row], labels_of: Callable[[Row], object]
) -> list[Row]:
    """Return the rows of all languages, each once.

    `row_of` makes one of the JSON of a line and the language, and raises ValueError for wrong labels. Raises ValueError
    that names all rows that it refuses, those that are in their file already, and those with other labels than in
    another file: "Hej" is a greeting in Polish and in Swedish.
    """
    found: dict[object, Row] = {}
    wrong = []
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
            try:
                row = row_of(json.loads(line), file.stem)
            except ValueError as error:
                wrong.append(f"{file.name}:{number} {error}")
                continue
            first = found.setdefault(row.key, row)
            if first is not row and (first.language == row.language or labels_of(first) != labels_of(row)):
                wrong.append(f"{file.name}:{number} {row.text[:60]!r} is in {first.language}.jsonl already")
    if wrong:
        raise ValueError("\n".join(wrong))
    return list(found.values())


def shares(outcomes: Iterable[tuple[LabelledRow, bool]]) -> dict[str, tuple[int, float]]:
    """Return the count of rows and the share of right ones, for ALL and by language. An outcome is a row, and whether a
    model is right for it."""
    right: dict[str, list[bool]] = defaultdict(list)
    for row, is_right in outcomes:
        for name in (ALL, row.language):
            right[name].append(is_right)
    return {name: (len(ones), float(np.mean(ones))) for name, ones in sorted(right.items())}


def print_shares(title: str, outcomes: Iterable[tuple[LabelledRow, bool]]) -> None:
    print(f"{title}:", "  ".join(f"{name} {share:.1%}" for name, (_, share) in shares(outcomes).items()))


def in_bytes(weights: NDArray[Any], axis: int | None = None) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return weights as whole numbers of a byte, and the scale to multiply them with: one for all, or with `axis` one
    for each row across it."""
    scale = np.abs(weights).max(axis, keepdims=axis is not None) / _BYTE
    scale = np.where(scale == 0, 1, scale).astype(np.float32)
    return np.rint(weights / scale).astype(np.int8), scale
