"""Tells apart the stages of a paper's sum: `Subtotal 300.00`, `Net after discount 270.00`, `Total 324.00`, `Deposit
-100.00`, `Balance 224.00`.

The network takes a subtotal for a net amount, and an amount due for a total, because on most papers they are the same.
Where a paper prints several of these amounts, each field gets the one of its own stage.
"""

import tomllib
from collections import deque
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

import numpy as np

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.concepts import concepts_of
from tasks.extraction.features import LARGEST_AMOUNT, FieldText, Matrix
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.opposites import OPPOSITE
from tasks.extraction.second_choices import SECOND_CHOICE, avoid_if_answered
from tasks.extraction.values import number_of

REMAINS: Final = 4.0
"""Bonus on the logit of an amount that is what a deposit leaves of the total."""
CENT: Final = 0.006
"""The error of a remainder is smaller than this, in units of the currency."""
_LONGEST_LABEL: Final = 80
"""A label has at most this many characters."""

_NEAR: Final = 6
"""The sum of the items is one of this many amounts before a discount, and the net amount one of this many after it."""

_Stage = Literal["subtotal", "net", "total", "paid", "due", "discount", ""]


def _phrases() -> Mapping[str, frozenset[tuple[str, ...]]]:
    table: Mapping[str, str] = tomllib.loads(Path(__file__).with_name("stages_of_sums.toml").read_text("utf-8"))
    return {
        name: frozenset(_plain(fold(phrase)) for phrase in " ".join(text.split()).split(", "))
        for name, text in table.items()
    }


def _plain(words: list[str]) -> tuple[str, ...]:
    return tuple(map(without_accents, words))


_PHRASES: Final = _phrases()
_OF_PAGES: Final = frozenset(
    _plain(fold("page pages seite blatt pagina página strona strony sida from to of von auf de la van naar na z till"))
)
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
def is_carried(label: str) -> bool:
    """True if a label says that a sum goes on to the next page, or comes from the last one: `Carried forward to
    page 2`."""
    words = _plain(fold(label)) if len(label) <= _LONGEST_LABEL else ()
    return tuple(word for word in words if word not in _OF_PAGES and not word.isdigit()) in _PHRASES["carried"]


@lru_cache(maxsize=4096)
def stage_of(label: str) -> _Stage:
    """Return the stage of a sum that a label names; an empty text if it names none."""
    words = tuple(fold(label))
    plain = _plain([*words])
    if _says(plain, "subtotal") and not _says(plain, "reduced"):
        return "subtotal"
    concepts = concepts_of(words)
    # A "net à régler" is due.
    if "deposit" not in concepts and _says(plain, "due"):
        return "due"
    if "net" in concepts:
        return "net"
    if not concepts.isdisjoint(("deposit", "paid")) or _says(plain, "paid"):
        return "paid"
    if "total" in concepts:
        return "total"
    return "discount" if "discount" in concepts and not part_of_amount(label) else ""


@lru_cache(maxsize=4096)
def part_of_amount(label: str) -> tuple[str, ...]:
    """Return the words of a label for what the amount leaves out or includes, which the amount is not: "discount" in
    `Total after discount`. Return no words if the label does not name an amount before them."""
    words = tuple(fold(label))
    plain = _plain([*words])
    for start in range(1, len(words)):
        for size in range(1, min(_LONGEST_PHRASE, len(words) - start) + 1):
            if plain[start : start + size] in _PHRASES["joining"]:
                is_amount = _says(plain[:start], "amounts") and not any(map(str.isdigit, "".join(words[:start])))
                return words[start + size :] if is_amount else ()
    return ()


class StagesOfSums:
    """The amounts of all candidates, by their stages. They have to be read (`read`) before a field is compared."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._subtotals: dict[int, float] = {}
        self._before_discounts: list[int] = []
        """Indices of the spans with the only amount from which a discount leaves the net amount."""
        self._nets: dict[int, float] = {}
        """Subtotals and net amounts by the index of their span."""
        self._totals: list[int] = []
        """Indices of the spans with a total of which a printed remainder is due."""
        self._remainders: list[int] = []
        self._doubtful_totals: list[int] = []
        """Indices of the spans with a total of which a part is paid. What remains is not printed."""
        self._by_part: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        """Indices of the spans with an amount, by their label and what the amount leaves out or includes."""

    def read(self) -> Slices[None]:
        candidates = self._candidates
        amounts: list[tuple[int, CandidateSpan, _Stage, float]] = []
        latest: deque[_Amount] = deque(maxlen=2 * _NEAR)
        before_discounts: dict[int, float] = {}
        for index, (span, labels) in enumerate(zip(candidates.spans, candidates.labels_beside, strict=True)):
            if index % SPANS_AT_ONCE == 0:
                yield
            if span.kind != "number" or (number := number_of(span)) is None or abs(number) > LARGEST_AMOUNT:
                continue
            label = span.label or labels.get("left") or labels.get("above") or ""
            is_label = len(label) <= _LONGEST_LABEL
            stage = stage_of(label) if is_label else ""
            amount = abs(float(number))
            if is_label and (part := part_of_amount(label)):
                self._by_part.setdefault((label, part), []).append(index)
            if stage:
                amounts.append((index, span, stage, amount))
            if stage == "net":
                before_discounts.update(_before_discount(latest, amount))
            latest.append(_Amount(index, stage, amount))
        self._subtotals = {index: amount for index, _, stage, amount in amounts if stage == "subtotal"}
        # The sum of the items has many names. Where no known one is printed, a discount below it shows which it is.
        sums_of_items = set(before_discounts.values())
        if len(sums_of_items) == 1 and sums_of_items.issuperset(self._subtotals.values()):
            self._subtotals |= before_discounts
            self._before_discounts = [*before_discounts]
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
            elif stage == "paid" and 0 < amount <= total - paid + CENT and span.words[0] > last_word:
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
        if field.is_number:
            self._avoid_parts(logits, field)
        if not field.is_number or field.concepts.isdisjoint(("net", "total", "balance")):
            return frozenset()
        names = [_plain([*name]) for name in field.names.own]
        is_reduced = _says(_plain(fold(field.full)), "reduced")
        if any(_says(name, "subtotal") for name in names) and not is_reduced:
            if len(set(self._subtotals.values())) == 1:
                nets = _others(self._nets, self._subtotals)
                if nets and self._before_discounts:
                    best = logits[nets].max()
                    logits[self._before_discounts] = np.maximum(logits[self._before_discounts], best)
                avoid_if_answered(logits, nets)
        elif "net" in field.concepts and is_reduced:
            avoid_if_answered(logits, _others(self._subtotals, self._nets))
        elif any(_says(name, "due") for name in names):
            logits[self._totals] -= SECOND_CHOICE
            logits[self._remainders] += REMAINS
            return frozenset(self._doubtful_totals)
        elif "total" in field.concepts:
            avoid_if_answered(logits, self._remainders)
        return frozenset()

    def _avoid_parts(self, logits: Matrix, field: FieldText) -> None:
        """Lower the logits of amounts that leave out or include what the field asks for."""
        names = [_plain([*name]) for name in field.names.own]
        if not self._by_part or any(_says(name, "joining") for name in names):
            return
        for (label, part), places in self._by_part.items():
            is_part = not field.concepts.isdisjoint(concepts_of(part)) or _plain([*part]) in names
            if is_part and field.concepts.isdisjoint(concepts_of(_words_before(label, part))):
                logits[places] -= OPPOSITE


class _Amount(NamedTuple):
    place: int
    stage: _Stage
    amount: float


def _before_discount(latest: Collection[_Amount], net: float) -> Mapping[int, float]:
    """Return the amounts from which a discount leaves the `net` amount after it, by the index of their span."""
    amounts = [*latest]
    return {
        one.place: one.amount
        for at, discount in enumerate(amounts)
        if discount.stage == "discount" and len(amounts) - at <= _NEAR and 0 < discount.amount < net
        for one in amounts[max(0, at - _NEAR) : at]
        if abs(one.amount - discount.amount - net) < CENT
    }


def _words_before(label: str, part: tuple[str, ...]) -> tuple[str, ...]:
    words = tuple(fold(label))
    return words[: len(words) - len(part)]


def _others(amounts: Mapping[int, float], rivals: Mapping[int, float]) -> list[int]:
    """Return the indices of amounts that none of the rivals equals; none if there are no rivals."""
    known = set(rivals.values())
    return [index for index, amount in amounts.items() if known and amount not in known]
