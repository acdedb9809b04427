"""Recall and precision of detected elements."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from models.vision.gui.elements import INTERACTIVE, GuiElement
from training.gui.truth import TrueElement, iou

ENOUGH = 0.5
"""Least overlap (intersection over union) of a box that counts as right."""


@dataclass(slots=True)
class Scores:
    """Counts over all pages, by type."""

    true: Counter[str] = field(default_factory=Counter)
    hit: Counter[str] = field(default_factory=Counter)
    """True elements that were detected as interactive, whatever the type."""
    typed: Counter[str] = field(default_factory=Counter)
    """True elements that were detected with the right type."""
    found: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    """Elements detected as interactive that are interactive, whatever their true type."""
    right_typed: Counter[str] = field(default_factory=Counter)

    def add(self, truth: Sequence[TrueElement], found: Sequence[GuiElement]) -> None:
        """Add a page. Elements are paired one to one, the best pairs first. Texts and pictures do not count, and
        neither does an icon that is detected on a picture that cannot be clicked."""
        wanted = [one for one in truth if one.interactive]
        offered = [one for one in found if one.type in INTERACTIVE]
        pairs = dict(_pairs([one.box for one in wanted], [one.box for one in offered]))
        taken = {place: number for number, place in pairs.items()}
        for number, true in enumerate(wanted):
            self.true[true.type] += 1
            if number in pairs:
                self.hit[true.type] += 1
                self.typed[true.type] += offered[pairs[number]].type == true.type
        idle = [one.box for one in truth if one.type in ("icon", "image") and not one.interactive]
        for place, one in enumerate(offered):
            if place not in taken and one.type == "icon" and any(iou(one.box, box) >= ENOUGH for box in idle):
                continue
            self.found[one.type] += 1
            self.right[one.type] += place in taken
            self.right_typed[one.type] += place in taken and wanted[taken[place]].type == one.type

    @property
    def recall(self) -> float:
        return self.hit.total() / max(1, self.true.total())

    @property
    def precision(self) -> float:
        return self.right.total() / max(1, self.found.total())

    @property
    def typed_recall(self) -> float:
        """Share of the true elements that were detected with the right type."""
        return self.typed.total() / max(1, self.true.total())

    def table(self) -> Iterable[str]:
        """Yield the rows of a Markdown table."""
        yield "| type | elements | found | with the right type | precision |"
        yield "|---|---:|---:|---:|---:|"
        for kind in INTERACTIVE:
            if count := self.true[kind]:
                shares = (self.hit[kind] / count, self.typed[kind] / count)
                precision = self.right[kind] / max(1, self.found[kind])
                yield f"| `{kind}` | {count} | {shares[0]:.2f} | {shares[1]:.2f} | {precision:.2f} |"
        total = (self.recall, self.typed_recall, self.precision)
        yield f"| all | {self.true.total()} | {total[0]:.2f} | {total[1]:.2f} | {total[2]:.2f} |"


def _pairs(true: Sequence[tuple[float, ...]], found: Sequence[tuple[float, ...]]) -> Iterable[tuple[int, int]]:
    """Yield the index of a true box and that of the detected box with which it is paired."""
    if not true or not found:
        return
    alike = np.array([[iou(one, other) for other in found] for one in true])  # type: ignore[arg-type]
    while alike.max() >= ENOUGH:
        number, place = np.unravel_index(int(alike.argmax()), alike.shape)
        yield int(number), int(place)
        alike[number, :] = alike[:, place] = 0
