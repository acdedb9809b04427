"""Prefers amounts that agree by arithmetic: net and tax add up to the total, the tax is a rate of the net, and the
items of a list add up to the list's sum.

If amounts are printed next to each other, labels alone often do not show which amount belongs to which field. Amounts
that agree therefore get a bonus on their logits, which also raises their probability. If the most likely values of
several fields contradict each other, the probability of all these values is lowered.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from math import fsum
from typing import Final, Literal, NamedTuple

import numpy as np

from tasks.extraction.candidates import Candidates, CandidateSpan
from tasks.extraction.concepts import PHRASES, concepts_of_field
from tasks.extraction.features import LARGEST_AMOUNT, FieldText, Matrix
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.names import words_of_key
from tasks.extraction.own_words import is_form_of
from tasks.extraction.passages import Passage
from tasks.extraction.probability import FieldScores
from tasks.extraction.units import units_of
from tasks.extraction.values import number_of
from tasks.extraction.words_on_page import WordOnPage, rows_of

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
TAX_ERROR: Final = 0.011
"""The error of a tax is smaller than this, in units of the currency. It is larger than CENT because a tax may be
rounded line by line."""
RATED: Final = 8.0
"""Bonus on the logit of an amount beside the tax rate, or the letter of the rate, that the field's name states."""
LARGEST_RATE: Final = 50.0
IMPLAUSIBLE: Final = 10.0
"""Penalty on the logit of a tax that is more than LARGEST_RATE percent of the net."""
MAX_WORDS: Final = 5_000
"""Taxes by rate are searched for only on pages with at most this many words."""
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
_TOTALS = frozenset(word for (word, *rest), name in PHRASES.items() if name == "total" and not rest)
_AMOUNTS = frozenset(
    fold("amount sum betrag summe importe montant importo valor bedrag belopp beløb kwota wartość value credit")
)
_AMOUNT = re.compile(r"\d{1,3}(?:[.,' ]?\d{3})*[.,]\d{2}")
_LONGEST_AMOUNT = 40
"""An amount is searched for in at most this many characters at the beginning of a word, because the search takes
quadratic time."""
_PERCENT = re.compile(r"(\d{1,2}(?:[.,]\d{1,3})?)(%?)")
_RATE_AT_END = re.compile(r"([^\W\d_]{2,})_?(\d{1,2})")

_Part = Literal["rate", "net", "tax", "gross"]
_CONCEPTS: Final[Mapping[str, _Part]] = {"tax_rate": "rate", "net": "net", "tax": "tax", "total": "gross"}


def prefer_sums(logits: Matrix, texts: Mapping[int, FieldText], candidates: Candidates) -> None:
    """Prefer values that agree by arithmetic. `texts` has the number fields outside lists, by their row in `logits`."""
    numbers = _numbers(candidates)
    by_rate = {row: rated for row, text in texts.items() if (rated := _rate_in_name(text))}
    rates = [row for row, text in texts.items() if "percent" in units_of(text) and text.concepts & _CONCEPTS.keys()]
    concepts: dict[str, int] = {}
    for row, text in texts.items():
        if row not in by_rate and row not in rates and len(text.concepts) == 1 and not text.names.around:
            concepts.setdefault(next(iter(text.concepts)), row)
    if by_rate or rates or not {"tax", "net"}.isdisjoint(concepts):
        taxes = [one for passage in candidates.passages for one in taxes_by_rate(passage)]
        for row, rated in by_rate.items():
            _prefer_at_rate(logits[row], rated, taxes, candidates, numbers)
        if len(taxes) == 1:
            for index in numbers:
                logits[rates, index] += RATED * _states(candidates.spans[index], taxes[0], "rate")
        parts: tuple[_Part, ...] = ("tax", "net")
        for part in parts:
            if part in concepts and taxes and all(part in one.amounts for one in taxes):
                whole = sum(one.amounts[part] for one in taxes)
                places = [index for index, number in numbers.items() if abs(abs(number) - whole) < TAX_ERROR]
                logits[concepts[part], places] += AGREES
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


@dataclass(frozen=True, slots=True)
class TaxByRate:
    """The amounts that a page states for one tax rate."""

    passage: Passage
    rate: float
    code: str
    """Letter that stands for the rate on receipts; may be empty."""
    parts: Mapping[_Part, frozenset[int]]
    """Indices, in the passage, of the words of the rate and of each amount."""
    amounts: Mapping[_Part, float]
    """The rate, the tax and the net. The net may be computed instead of printed."""
    labels: Mapping[_Part, tuple[str, ...]]
    """Words before each amount, back to the previous amount of the row."""


def taxes_by_rate(passage: Passage) -> Iterator[TaxByRate]:
    """Yield the tax rates of a page, each from a row with the rate, its tax, and a net or gross amount that fits both.

    The net or gross amount may be in the row above.
    """
    if len(passage.words) > MAX_WORDS:
        return
    rows = rows_of(passage)
    for index, row in enumerate(rows):
        rates = [
            (word_index, rate)
            for word_index, word in enumerate(row)
            if (rate := _rate_of(passage, row, word_index)) is not None
        ]
        above = rows[index - 1] if index else []
        for word_index, rate in rates[:2]:
            if found := _tax_in(passage, row, word_index, rate, above):
                yield found
                break


def _rate_of(passage: Passage, row: Sequence[WordOnPage], index: int) -> float | None:
    text = passage.words[row[index].at].strip("():;=")
    found = _PERCENT.fullmatch(text)
    if found is None:
        return None
    is_percent = bool(found[2]) or (index + 1 < len(row) and passage.words[row[index + 1].at].startswith("%"))
    rate = float(found[1].replace(",", "."))
    # In the first column of a table of rates, a rate needs no percent sign.
    return rate if 0 < rate <= LARGEST_RATE and (is_percent or index == 0) else None


def _tax_in(
    passage: Passage, row: Sequence[WordOnPage], index: int, rate: float, above: Sequence[WordOnPage]
) -> TaxByRate | None:
    amounts = [(word, value) for n, word in enumerate(row) if n != index and (value := _amount(passage, word))]
    higher = [(word, value) for word in above if (value := _amount(passage, word))]
    for tax, tax_amount in amounts:
        for base, base_amount in [*amounts, *higher]:
            is_net = abs(base_amount * rate / 100 - tax_amount) < TAX_ERROR
            is_gross = abs(base_amount * rate / (100 + rate) - tax_amount) < TAX_ERROR
            if base is tax or tax_amount >= base_amount or not (is_net or is_gross):
                continue
            parts: dict[_Part, frozenset[int]] = {
                "rate": frozenset((row[index].at,)),
                "tax": frozenset((tax.at,)),
                "net" if is_net else "gross": frozenset((base.at,)),
            }
            third = base_amount + tax_amount if is_net else base_amount - tax_amount
            values: dict[_Part, float] = {"rate": rate, "tax": tax_amount, "net": base_amount if is_net else third}
            for word, value in amounts:
                if abs(value - third) < TAX_ERROR and word is not tax and word is not base:
                    parts["gross" if is_net else "net"] = frozenset((word.at,))
            labels = {part: _words_before(passage, row, words) for part, words in parts.items()}
            return TaxByRate(passage, rate, _code_in(passage, row), parts, values, labels)
    return None


def _amount(passage: Passage, word: WordOnPage) -> float | None:
    text = passage.words[word.at].strip("€$£=:")
    if not _AMOUNT.fullmatch(text):
        return None
    return float(re.sub(r"[.,' ]", "", text[:-3]) + "." + text[-2:])


def _words_before(passage: Passage, row: Sequence[WordOnPage], words: frozenset[int]) -> tuple[str, ...]:
    """Return the words before an amount, back to the previous amount of the row. Numbers are left out."""
    found: list[str] = []
    for word in row:
        if word.at in words:
            break
        text = passage.words[word.at]
        found = (
            []
            if _AMOUNT.search(text[:_LONGEST_AMOUNT])
            else [*found, *(one for one in fold(text) if not one.isdigit())]
        )
    return tuple(found)


def _code_in(passage: Passage, row: Sequence[WordOnPage]) -> str:
    """Return the only word of a single letter in the row; empty if there is no such word, or more than one."""
    letters = [bare for word in row if len(bare := passage.words[word.at].strip("=:.()")) == 1 and bare.isalpha()]
    return letters[0].casefold() if len(letters) == 1 else ""


class _RateInName(NamedTuple):
    """A tax rate in a field's name, as in `vat_19_amount` or `tax_a`, with the amount that the field asks for."""

    rate: float | None
    """Rate in percent; None if the name states a letter instead."""
    code: str
    """Letter of the rate; may be empty."""
    part: _Part | None
    """The amount that the field asks for; None if the name does not show it."""
    words: tuple[str, ...]
    """Words of the name without the rate."""


def _rate_in_name(text: FieldText) -> _RateInName | None:
    for name in text.names.own:
        words = (*text.names.around, *name)
        bare: list[str] = []
        rate: float | None = None
        code = ""
        for word in words:
            if found := _RATE_AT_END.fullmatch(word):
                bare.append(found[1])
                rate = float(found[2])
            elif word.isdigit() and len(word) <= 2 and bare:
                rate = float(word)
            elif len(word) == 1 and word.isalpha() and bare:
                code = word
            else:
                bare.append(word)
        own_words = tuple(word for word in bare if word not in text.names.around) or tuple(bare)
        name_concepts = text.concepts | concepts_of_field(tuple(bare)) | concepts_of_field(own_words)
        context_concepts = concepts_of_field(tuple(word for word in text.names.around if len(word) > 1))
        is_tax = bool((name_concepts | context_concepts) & _CONCEPTS.keys())
        if rate is not None or (code and is_tax):
            own_concepts = concepts_of_field(own_words)
            possible_parts = [
                _CONCEPTS[one]
                for found_concepts in (own_concepts, name_concepts)
                for one in ("tax_rate", "net", "tax")
                if one in found_concepts
            ]
            return _RateInName(rate, code, possible_parts[0] if possible_parts else None, own_words)
    return None


def _prefer_at_rate(
    logits: Matrix, rated: _RateInName, taxes: Sequence[TaxByRate], candidates: Candidates, numbers: Mapping[int, float]
) -> None:
    own = [one for one in taxes if (one.rate == rated.rate if rated.rate is not None else one.code == rated.code)]
    if len(own) != 1:
        return
    [tax] = own
    part = rated.part or _part_by_label(rated.words, tax)
    if part is None:
        return
    for index in numbers:
        if _states(candidates.spans[index], tax, part):
            logits[index] += RATED


def _part_by_label(words: Sequence[str], tax: TaxByRate) -> _Part | None:
    """Return the amount whose label shares a word with the field's name; None if there is no such label."""
    for part, label in tax.labels.items():
        if part != "rate" and any(is_form_of(one, other) for one in words for other in label):
            return part
    return None


def _states(span: CandidateSpan, tax: TaxByRate, part: _Part) -> bool:
    words = tax.parts.get(part, frozenset())
    return span.passage is tax.passage and not words.isdisjoint(span.words) and len(span.words) <= len(words) + 1
