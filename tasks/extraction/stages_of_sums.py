"""Tells apart the stages of a paper's sum: `Subtotal 300.00`, `Net after discount 270.00`, `Total 324.00`, `Deposit
-100.00`, `Balance 224.00`.

The network takes a subtotal for a net amount, and an amount due for a total, because on most papers they are the same.
Where a paper prints several of these amounts, each field gets the one of its own stage.
"""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.concepts import concepts_of
from tasks.extraction.features import LARGEST_AMOUNT, FieldText, Matrix
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.second_choices import SECOND_CHOICE, avoid_if_answered
from tasks.extraction.values import number_of

REMAINS: Final = 4.0
"""Bonus on the logit of an amount that is what a deposit leaves of the total."""
CENT: Final = 0.006
"""The error of a remainder is smaller than this, in units of the currency."""
_LONGEST_LABEL: Final = 80
"""A label has at most this many characters."""

_Stage = Literal["subtotal", "net", "total", "paid", "due", ""]


def _phrases() -> Mapping[str, frozenset[tuple[str, ...]]]:
    table: Mapping[str, str] = tomllib.loads(Path(__file__).with_name("stages_of_sums.toml").read_text("utf-8"))
    return {
        name: frozenset(_plain(fold(phrase)) for phrase in " ".join(text.split()).split(", "))
        for name, text in table.items()
    }


def _plain(words: list[str]) -> tuple[str, ...]:
    return tuple(map(without_accents, words))


_PHRASES: Final = _phrases()
_LONGEST_PHRASE: Final = max(len(phrase) for phrases in _PHRASES.values() for phrase in phrases)


def _says(words: tuple[str, ...], name: str) -> bool:
    """True if `words` contain one of the phrases that the table has under `name`."""
    known = _PHRASES[name]
    return any(
        words[start : start + size] in known
        for start in range(len(words))
        for size in range(1, min(_LONGEST_PHRASE, len(words) - start) + 1)
    )


@lru_cache(maxsize=4096)
def stage_of(label: str) -> _Stage:
    """Return the stage of a sum that a label names; an empty text if it names none."""
    words = tuple(fold(label))
    plain = _plain([*words])
    if _says(plain, "subtotal") and not _says(plain, "reduced"):
        return "subtotal"
    concepts = concepts_of(words)
    if "net" in concepts:
        return "net"
    if "deposit" not in concepts and _says(plain, "due"):
        return "due"
    if not concepts.isdisjoint(("deposit", "paid")):
        return "paid"
    return "total" if "total" in concepts else ""


class StagesOfSums:
    """The amounts of all candidates, by their stages. They have to be read (`read`) before a field is compared."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._subtotals: dict[int, float] = {}
        self._nets: dict[int, float] = {}
        """Subtotals and net amounts by the index of their span."""
        self._totals: list[int] = []
        """Indices of the spans with a total of which a printed remainder is due."""
        self._remainders: list[int] = []
        self._doubtful_totals: list[int] = []
        """Indices of the spans with a total of which a part is paid. What remains is not printed."""

    def read(self) -> Slices[None]:
        candidates = self._candidates
        amounts: list[tuple[int, CandidateSpan, _Stage, float]] = []
        for index, (span, labels) in enumerate(zip(candidates.spans, candidates.labels_beside, strict=True)):
            if index % SPANS_AT_ONCE == 0:
                yield
            if span.kind != "number" or (number := number_of(span)) is None or abs(number) > LARGEST_AMOUNT:
                continue
            label = span.label or labels.get("left") or labels.get("above") or ""
            stage = stage_of(label) if len(label) <= _LONGEST_LABEL else ""
            if stage:
                amounts.append((index, span, stage, abs(float(number))))
        self._subtotals = {index: amount for index, _, stage, amount in amounts if stage == "subtotal"}
        self._nets = {index: amount for index, _, stage, amount in amounts if stage == "net"}
        yield
        self._find_remainders(amounts)

    def _find_remainders(self, amounts: list[tuple[int, CandidateSpan, _Stage, float]]) -> None:
        """Find the totals below which a part is paid, with or without a line for the remainder."""
        totals: dict[float, float | None] = {}
        """The remainder of each total; None if it is not printed."""
        total, paid, last_word, is_due = 0.0, 0.0, -1, False
        for _, span, stage, amount in amounts:
            if stage in ("total", "due"):
                if paid and abs(amount - (total - paid)) < CENT:
                    totals[total] = amount
                elif not (paid and amount == total):
                    total, paid, is_due = amount, 0.0, stage == "due"
            elif stage == "paid" and 0 < amount < total - paid and span.words[0] > last_word:
                paid += amount
                last_word = span.words[-1]
                if not is_due:
                    totals.setdefault(total, None)
        for index, _, stage, amount in amounts:
            if stage in ("total", "due") and amount in totals:
                (self._doubtful_totals if totals[amount] is None else self._totals).append(index)
            elif stage == "due" and amount in totals.values():
                self._remainders.append(index)

    def prefer(self, logits: Matrix, field: FieldText) -> frozenset[int]:
        """Lower the logits of amounts that are of another stage than the field's. Return the amounts that may be of
        another stage."""
        if not field.is_number or field.concepts.isdisjoint(("net", "total", "balance")):
            return frozenset()
        names = [_plain([*name]) for name in field.names.own]
        is_reduced = _says(_plain(fold(field.full)), "reduced")
        if any(_says(name, "subtotal") for name in names) and not is_reduced:
            if len(set(self._subtotals.values())) == 1:
                avoid_if_answered(logits, _others(self._nets, self._subtotals))
        elif "net" in field.concepts and is_reduced:
            avoid_if_answered(logits, _others(self._subtotals, self._nets))
        elif any(_says(name, "due") for name in names):
            logits[self._totals] -= SECOND_CHOICE
            logits[self._remainders] += REMAINS
            return frozenset(self._doubtful_totals)
        elif "total" in field.concepts:
            avoid_if_answered(logits, self._remainders)
        return frozenset()


def _others(amounts: Mapping[int, float], rivals: Mapping[int, float]) -> list[int]:
    """Return the indices of amounts that none of the rivals equals; none if there are no rivals."""
    known = set(rivals.values())
    return [index for index, amount in amounts.items() if known and amount not in known]
