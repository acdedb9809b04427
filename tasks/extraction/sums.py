"""Prefers amounts that agree by arithmetic: net and tax add up to the total, and the items of a list add up to the
list's sum.

If amounts are printed next to each other, labels alone often do not show which amount belongs to which field. Amounts
that agree therefore get a bonus on their logits, which also raises their probability. If the most likely values of
several fields contradict each other, the probability of all these values is lowered.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from math import fsum
from typing import Any, Final, NamedTuple

import numpy as np

from tasks.extraction.candidates import Candidates
from tasks.extraction.concepts import PHRASES, concepts_of, concepts_of_field
from tasks.extraction.features import LARGEST_AMOUNT, FieldText, Matrix
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.names import words_of_key
from tasks.extraction.probability import FieldScores
from tasks.extraction.units import units_of
from tasks.extraction.values import number_of
from tasks.schema.paths import JsonPath

AGREES: Final = 4.0
"""Bonus on the logits of values that agree with the values of other fields."""
ITEM_PENALTY: Final = 8.0
"""Penalty on the logits of a list's figures for the fields that ask for the list's sum, if the sum is printed."""
CONTRADICTION_FACTOR: Final = 0.7
"""Factor on the logits of fields whose most likely values contradict each other. The factor lowers the probabilities
and keeps their order."""
LEAST_PROBABILITY: Final = 0.5
"""The most likely values of fields count as a contradiction only if each of them has at least this probability."""
MAX_VALUES: Final = 5
"""At most this many values of each field are tried in sums, the most likely first."""
MAX_TERMS: Final = 3
"""At most this many terms of a relation are tried in addition to its total and its first term."""
UNLIKELY: Final = 8.0
"""Values that agree are preferred to the most likely values if the sum of their log-probabilities is at most this much
lower."""
MISSING: Final = 1.0
"""A term that is not on the page lowers the score of a sum by this much. The score is a sum of log-probabilities."""
CENT: Final = 0.006
"""The error of a sum is smaller than this, in units of the currency."""
LARGEST_RATE: Final = 50.0
IMPLAUSIBLE: Final = 10.0
"""Penalty on the logit of a tax that is more than LARGEST_RATE percent of the net."""
FEWEST: Final = 2
"""A column has a sum only if it has at least this many figures. With fewer, the sum may be a coincidence."""


class Relation(NamedTuple):
    """A sum that amounts obey: `total` = `first` + all of `plus` − all of `minus`. Each term is the concept of a
    field."""

    total: str
    first: str
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()


RELATIONS: Final = (
    Relation("total", "net", ("tax", "shipping", "service", "tip"), ("discount",)),
    Relation("net_pay", "gross_pay", (), ("deductions",)),
    Relation("closing_balance", "opening_balance", ("debit_amount", "fee", "interest"), ("credit_amount",)),
    Relation("closing_balance", "opening_balance", ("credit_amount",), ("debit_amount", "fee")),
    Relation("change", "cash", (), ("total",)),
    Relation("balance", "total", (), ("deposit", "paid")),
)
_SUMS = frozenset(("total", "net"))
_FURTHER = frozenset(("tax", "shipping", "service", "tip", "fee", "discount", "rounding", "deposit", "paid"))
"""Concepts of amounts that are added to the sum of a list, or subtracted from it, to give a total."""
_TOTALS = frozenset(word for (word, *rest), name in PHRASES.items() if name == "total" and not rest)
_AMOUNTS = frozenset(
    fold("amount sum betrag summe importe montant importo valor bedrag belopp beløb kwota wartość value credit")
)


def prefer_sums(logits: Matrix, texts: Mapping[int, FieldText], candidates: Candidates) -> None:
    """Prefer values that agree by arithmetic. `texts` has the number fields outside lists, by their row in `logits`."""
    numbers = _numbers(candidates)
    concepts: dict[str, int] = {}
    for row, text in texts.items():
        if "percent" not in units_of(text) and len(text.concepts) == 1 and not text.names.around:
            concepts.setdefault(next(iter(text.concepts)), row)
    if "tax" in concepts and "total" in concepts:
        _doubt_large_taxes(logits, concepts["tax"], concepts["total"], numbers)
    values: dict[int, dict[float, tuple[float, list[int]]]] = {}
    for relation in RELATIONS:
        if relation.total not in concepts or relation.first not in concepts:
            continue
        terms = [(concepts[one], 1) for one in relation.plus if one in concepts]
        terms += [(concepts[one], -1) for one in relation.minus if one in concepts]
        rows = [concepts[relation.total], concepts[relation.first], *(row for row, _ in terms[:MAX_TERMS])]
        if terms:
            for row in rows:
                if row not in values:
                    values[row] = _likeliest(logits[row], numbers)
            _agree(logits, rows, [sign for _, sign in terms[:MAX_TERMS]], values)


def _doubt_large_taxes(logits: Matrix, tax: int, total: int, numbers: Mapping[int, float]) -> None:
    """Lower the logits of amounts that are too large to be the tax in the most likely total.

    Without this, the total itself is often taken for the tax, because its label says that the tax is included.
    """
    best = max(numbers, key=lambda index: logits[total, index], default=None)
    if best is None:
        return
    largest_tax = abs(numbers[best]) * LARGEST_RATE / (100 + LARGEST_RATE)
    logits[tax, [index for index, number in numbers.items() if abs(number) > largest_tax + CENT]] -= IMPLAUSIBLE


def columns_of(lists: Iterable[Sequence[Mapping[str, Any]]]) -> dict[str, list[float]]:
    """Return the numbers of each field of lists of objects, by the field's name. Of fields with the same name in
    several lists, the first counts."""
    found: dict[str, list[float]] = {}
    for rows in lists:
        for name in dict.fromkeys(name for row in rows for name in row):
            cells = [row.get(name) for row in rows]
            numbers = [cell for cell in cells if isinstance(cell, int | float) and not isinstance(cell, bool)]
            found.setdefault(name, [float(number) for number in numbers if abs(number) <= LARGEST_AMOUNT])
    return found


def prefer_sums_of_lists(scored: FieldScores, columns: Mapping[str, Sequence[float]]) -> FieldScores:
    """Prefer the sum of a list's column to the list's own figures, for the fields that ask for a total.

    `columns` has the figures of each column by the column's name. If fields have a word such as `gross` in common with
    the column's name, only these fields ask for the column's sum. If the sum is already the most likely value of some
    fields, only these fields get the bonus. The other fields may be the total with tax, which is a different amount.
    """
    totals = {row: one for row, one in enumerate(scored.fields) if not one.in_list and _is_total(one)}
    sums = {name: abs(fsum(column)) for name, column in columns.items() if len(column) >= FEWEST and fsum(column)}
    if not sums or not totals:
        return scored
    numbers = _numbers(scored.candidates)
    logits = scored.logits.copy()
    figures = {round(abs(figure), 2) for column in columns.values() for figure in column}
    item_places = [index for index, number in numbers.items() if round(abs(number), 2) in figures]
    named = {name: [row for row, one in totals.items() if _shares_word(one, name)] for name in sums}
    for name, whole in sums.items():
        places = [index for index, number in numbers.items() if abs(abs(number) - whole) < CENT]
        other_rows = {row for other_name, rows in named.items() if other_name != name for row in rows}
        rows = named[name] or [row for row, one in totals.items() if row not in other_rows and _is_sum_of(one, name)]
        if not places or not rows:
            continue
        likely = [row for row in rows if int(scored.logits[row, list(numbers)].argmax()) in _order(places, numbers)]
        logits[np.ix_(likely or rows, places)] += AGREES
        logits[np.ix_(rows, [index for index in item_places if index not in places])] -= ITEM_PENALTY
    return replace(scored, logits=logits)


def lists_against_sums(
    scored: FieldScores, lists: Mapping[JsonPath, Sequence[Mapping[str, Any]]], values: Mapping[JsonPath, Any]
) -> set[JsonPath]:
    """Return the paths of the lists whose figures do not add up to the total in `values` that asks for their sum.

    A total may be the sum with tax or shipping, less a discount, if the page prints such an amount with its label. A
    list of which the page prints any sum is right.
    """
    totals = [one for one in scored.fields if not one.in_list and _is_total(one)]
    numbers = _numbers(scored.candidates)
    printed = {round(abs(number), 2) for number in numbers.values()}
    spans = scored.candidates.spans
    further = [
        abs(number)
        for index, number in numbers.items()
        if not _FURTHER.isdisjoint(concepts_of(tuple(fold(spans[index].label))))
    ]

    def agrees(column: Sequence[float], amounts: Sequence[float]) -> bool:
        whole = round(abs(fsum(column)), 2)
        rests = [abs(abs(amount) - whole) for amount in amounts]
        near = CENT * len(column)
        return whole in printed or any(abs(rest - other) < near for rest in rests for other in (0.0, *further))

    # One column of a list adds up to a total; the others, and other lists, may be prices of a piece.
    asked: dict[JsonPath, set[JsonPath]] = {}
    added: set[JsonPath] = set()
    for path, rows in lists.items():
        for name, column in columns_of([rows]).items():
            own = [one for one in totals if _shares_word(one, name)] or [one for one in totals if _is_sum_of(one, name)]
            amounts = {one.path: values[one.path] for one in own if isinstance(values.get(one.path), int | float)}
            if len(column) >= FEWEST and amounts:
                asked.setdefault(path, set()).update(amounts)
                if agrees(column, list(amounts.values())):
                    added |= {path, *amounts}
    return {path for path, amounts in asked.items() if path not in added and amounts.isdisjoint(added)}


def _order(places: Iterable[int], numbers: Mapping[int, float]) -> set[int]:
    """Return the positions of the candidates `places` among the candidates that are numbers."""
    order = {index: position for position, index in enumerate(numbers)}
    return {order[index] for index in places}


def _is_sum_of(field: WantedField, column: str) -> bool:
    """True if a field may be the sum of a column that has no word in common with it: the field is a sum of money, and
    the column contains amounts of money."""
    words = words_of_key(column)
    is_amount = bool(concepts_of_field(words) & _SUMS) or not _AMOUNTS.isdisjoint(words)
    return is_amount and bool(field.names.concepts & _SUMS)


def _shares_word(field: WantedField, column: str) -> bool:
    """True if a field and a column have a word in common that shows which amounts are meant, such as `gross` or
    `hours`."""
    own = {word for name in field.names.own for word in name}
    return bool((own & set(words_of_key(column))) - _AMOUNTS - _TOTALS)


def _is_total(field: WantedField) -> bool:
    is_number = not {"number", "integer"}.isdisjoint(np.atleast_1d(field.schema.get("type", "")).tolist())
    words = {word for name in field.names.own for word in name}
    return is_number and (bool(field.names.concepts & _SUMS) or bool(words & _TOTALS))


def _numbers(candidates: Candidates) -> dict[int, float]:
    found = ((index, number_of(span)) for index, span in enumerate(candidates.spans))
    return {index: float(number) for index, number in found if number is not None and abs(number) <= LARGEST_AMOUNT}


def _likeliest(logits: Matrix, numbers: Mapping[int, float]) -> dict[float, tuple[float, list[int]]]:
    """Return the absolute values of the page's numbers, the most likely first, each with its log-probability and the
    indices of its candidates."""
    places: dict[float, list[int]] = {}
    for index, number in numbers.items():
        places.setdefault(round(abs(number), 2), []).append(index)
    log_total = float(np.logaddexp.reduce(logits))
    found = {
        value: (float(np.logaddexp.reduce(logits[own])) - log_total, own) for value, own in places.items() if value > 0
    }
    return {value: found[value] for value in sorted(found, key=lambda value: (-found[value][0], value))}


def _agree(
    logits: Matrix,
    rows: Sequence[int],
    signs: Sequence[int],
    values: Mapping[int, Mapping[float, tuple[float, list[int]]]],
) -> None:
    """Prefer the most likely values for which the relation between the rows holds. The first row is the total.

    If the relation holds for no values, and the most likely value of each row is probable, the values of these rows
    become less probable.
    """
    possible_values = [values[row] for row in rows]
    if not possible_values[0] or not possible_values[1]:
        return
    best: tuple[float, tuple[float, ...]] | None = None
    for combination in _combinations(possible_values, signs):
        chance = sum(
            one[value][0] if value else -MISSING for one, value in zip(possible_values, combination, strict=True)
        )
        if best is None or chance > best[0]:
            best = chance, combination
    surest = [max(chance for chance, _ in one.values()) if one else 0.0 for one in possible_values]
    if best is not None and best[0] >= sum(surest) - UNLIKELY:
        for row, one, value in zip(rows, possible_values, best[1], strict=True):
            if value:
                logits[row, one[value][1]] += AGREES
    elif best is None and all(
        one and chance > np.log(LEAST_PROBABILITY) for one, chance in zip(possible_values, surest, strict=True)
    ):
        logits[rows] *= CONTRADICTION_FACTOR


def _combinations(
    known: Sequence[Mapping[float, tuple[float, list[int]]]], signs: Sequence[int]
) -> Iterator[tuple[float, ...]]:
    """Yield combinations of values for which the relation holds: the first value is the total of the others.

    All values except one are among the most likely values of their fields. The relation determines the remaining value,
    which must be printed, too. A value of 0 stands for a term that is not on the page.
    """
    factors = (-1, 1, *signs)
    for unknown in range(len(known)):
        options = [
            [*islice(one, MAX_VALUES), *([0.0] if index > 1 else [])]
            for index, one in enumerate(known)
            if index != unknown
        ]
        for others in product(*options):
            values = [*others[:unknown], 0.0, *others[unknown:]]
            rest = sum(factor * value for factor, value in zip(factors, values, strict=True))
            values[unknown] = round(-factors[unknown] * rest, 2) + 0.0
            printed = [value for value in values if value]
            if values[unknown] in known[unknown] and any(values[2:]) and len(set(printed)) == len(printed):
                yield tuple(values)
