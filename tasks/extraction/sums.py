"""Prefers amounts that agree: net and tax add up to the total, a rate of the net is the tax, and the items of a list
add up to its sum.

Labels alone do not suffice if amounts are printed next to each other. If the values of several fields agree by
arithmetic, their places are preferred, which also makes them more certain. If the most certain values contradict each
other, all of them become less certain.
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
"""Bonus on the logits of values that agree with those of other fields."""
CONTRADICTED: Final = 0.7
"""Factor on the differences of the logits if the most certain values contradict each other. Their order stays the
same."""
SURE: Final = 0.5
"""Least probability of a value that may contradict others."""
MOST_VALUES: Final = 5
"""Number of values of each field, the most likely first, that are tried in sums."""
MOST_TERMS: Final = 3
"""Largest number of further terms of a relation that are tried."""
UNLIKELY: Final = 8.0
"""Largest loss of log-odds, compared with the most likely values, at which values that agree are taken instead."""
MISSING: Final = 1.0
"""Cost of a term that is not on the page, as log-odds."""
CENT: Final = 0.006
"""Largest error of a sum."""
OF_RATE: Final = 0.011
"""Largest error of a tax, because it may be rounded line by line."""
RATED: Final = 8.0
"""Bonus on the logits of the amount beside the rate, or the letter of the rate, that the field's name states."""
LARGEST_RATE: Final = 50.0
IMPLAUSIBLE: Final = 10.0
"""Penalty on the logits of a tax that is more than LARGEST_RATE of the net."""
MOST_WORDS: Final = 5_000
"""Largest number of words of a page on which taxes by rate are searched for."""
FEWEST: Final = 2
"""Least number of items whose sum is not a coincidence."""


class Relation(NamedTuple):
    """A sum of amounts, given by the concepts of the fields."""

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
_PERCENT = re.compile(r"(\d{1,2}(?:[.,]\d{1,3})?)(%?)")
_RATE_AT_END = re.compile(r"([^\W\d_]{2,})_?(\d{1,2})")

_Part = Literal["rate", "net", "tax", "gross"]
_CONCEPTS: Final[Mapping[str, _Part]] = {"tax_rate": "rate", "net": "net", "tax": "tax", "total": "gross"}


def prefer_sums(logits: Matrix, texts: Mapping[int, FieldText], candidates: Candidates) -> None:
    """Prefer values that agree. `texts` has the number fields outside lists, by their rows."""
    numbers = _numbers(candidates)
    by_rate = {row: rated for row, text in texts.items() if (rated := _rated(text))}
    rates = [row for row, text in texts.items() if "percent" in units_of(text) and text.concepts & _CONCEPTS.keys()]
    concepts: dict[str, int] = {}
    for row, text in texts.items():
        if row not in by_rate and row not in rates and len(text.concepts) == 1 and not text.names.around:
            concepts.setdefault(next(iter(text.concepts)), row)
    if by_rate or rates or not {"tax", "net"}.isdisjoint(concepts):
        taxes = [one for passage in candidates.passages for one in taxes_by_rate(passage)]
        for row, rated in by_rate.items():
            _prefer_rated(logits[row], rated, taxes, candidates, numbers)
        if len(taxes) == 1:
            for at in numbers:
                logits[rates, at] += RATED * _is_printed(candidates.spans[at], taxes[0], "rate")
        parts: tuple[_Part, ...] = ("tax", "net")
        for part in parts:
            if part in concepts and taxes and all(part in one.amounts for one in taxes):
                whole = sum(one.amounts[part] for one in taxes)
                told = [at for at, number in numbers.items() if abs(abs(number) - whole) < OF_RATE]
                logits[concepts[part], told] += AGREES
    if "tax" in concepts and "total" in concepts:
        _doubt_large_taxes(logits, concepts["tax"], concepts["total"], numbers)
    values: dict[int, dict[float, tuple[float, list[int]]]] = {}
    for relation in RELATIONS:
        if relation.total not in concepts or relation.first not in concepts:
            continue
        terms = [(concepts[one], 1) for one in relation.plus if one in concepts]
        terms += [(concepts[one], -1) for one in relation.minus if one in concepts]
        rows = [concepts[relation.total], concepts[relation.first], *(row for row, _ in terms[:MOST_TERMS])]
        if terms:
            for row in rows:
                if row not in values:
                    values[row] = _likeliest(logits[row], numbers)
            _agree(logits, rows, [sign for _, sign in terms[:MOST_TERMS]], values)


def _doubt_large_taxes(logits: Matrix, tax: int, total: int, numbers: Mapping[int, float]) -> None:
    """Lower the logits of amounts for a tax that no rate can yield. The label of a total often says that it includes
    the tax."""
    best = max(numbers, key=lambda at: logits[total, at], default=None)
    if best is None:
        return
    most = abs(numbers[best]) * LARGEST_RATE / (100 + LARGEST_RATE)
    logits[tax, [at for at, number in numbers.items() if abs(number) > most + CENT]] -= IMPLAUSIBLE


def prefer_sums_of_lists(scored: FieldScores, columns: Mapping[str, Sequence[float]]) -> FieldScores:
    """Prefer the sums of columns, given by the columns' names, for the fields that ask for a total.

    If a sum is already the most likely value of one of these fields, it is not the value of another: one is without
    tax, the other includes it.
    """
    totals = {row: one for row, one in enumerate(scored.fields) if not one.in_list and _is_total(one)}
    sums = {name: abs(fsum(column)) for name, column in columns.items() if len(column) >= FEWEST and fsum(column)}
    if not sums or not totals:
        return scored
    numbers = _numbers(scored.candidates)
    logits = scored.logits.copy()
    for name, whole in sums.items():
        told = [at for at, number in numbers.items() if abs(abs(number) - whole) < CENT]
        rows = [row for row, one in totals.items() if _is_sum_of(one, name)]
        if told and rows:
            said = [row for row in rows if int(scored.logits[row, list(numbers)].argmax()) in _places(told, numbers)]
            logits[np.ix_(said or rows, told)] += AGREES
    return replace(scored, logits=logits)


def _places(told: Iterable[int], numbers: Mapping[int, float]) -> set[int]:
    order = {at: place for place, at in enumerate(numbers)}
    return {order[at] for at in told}


def _is_sum_of(field: WantedField, column: str) -> bool:
    """True if a field may be the sum of a column: of amounts, or of the things that its own name states."""
    words = words_of_key(column)
    own = {word for name in field.names.own for word in name}
    is_amount = bool(concepts_of_field(words) & _SUMS) or not _AMOUNTS.isdisjoint(words)
    return is_amount if field.names.concepts & _SUMS else not own.isdisjoint(words)


def _is_total(field: WantedField) -> bool:
    is_number = not {"number", "integer"}.isdisjoint(np.atleast_1d(field.schema.get("type", "")).tolist())
    words = {word for name in field.names.own for word in name}
    return is_number and (bool(field.names.concepts & _SUMS) or bool(words & _TOTALS))


def _numbers(candidates: Candidates) -> dict[int, float]:
    found = ((at, number_of(span)) for at, span in enumerate(candidates.spans))
    return {at: float(number) for at, number in found if number is not None and abs(number) <= LARGEST_AMOUNT}


def _likeliest(logits: Matrix, numbers: Mapping[int, float]) -> dict[float, tuple[float, list[int]]]:
    """Return the absolute values on the page, the most likely first, with their log-probabilities and places."""
    places: dict[float, list[int]] = {}
    for at, number in numbers.items():
        places.setdefault(round(abs(number), 2), []).append(at)
    every = float(np.logaddexp.reduce(logits))
    found = {
        value: (float(np.logaddexp.reduce(logits[own])) - every, own) for value, own in places.items() if value > 0
    }
    return {value: found[value] for value in sorted(found, key=lambda value: (-found[value][0], value))}


def _agree(
    logits: Matrix,
    rows: Sequence[int],
    signs: Sequence[int],
    values: Mapping[int, Mapping[float, tuple[float, list[int]]]],
) -> None:
    """Prefer the most likely values among which the first is the sum of the others."""
    known = [values[row] for row in rows]
    if not known[0] or not known[1]:
        return
    best: tuple[float, tuple[float, ...]] | None = None
    for combination in _combinations(known, signs):
        chance = sum(one[value][0] if value else -MISSING for one, value in zip(known, combination, strict=True))
        if best is None or chance > best[0]:
            best = chance, combination
    surest = [max(chance for chance, _ in one.values()) if one else 0.0 for one in known]
    if best is not None and best[0] >= sum(surest) - UNLIKELY:
        for row, one, value in zip(rows, known, best[1], strict=True):
            if value:
                logits[row, one[value][1]] += AGREES
    elif best is None and all(one and chance > np.log(SURE) for one, chance in zip(known, surest, strict=True)):
        logits[rows] *= CONTRADICTED


def _combinations(
    known: Sequence[Mapping[float, tuple[float, list[int]]]], signs: Sequence[int]
) -> Iterator[tuple[float, ...]]:
    """Yield values of the fields among which the first is the sum of the others. All but one are among the most likely
    values.

    A value of 0 stands for a term that is not on the page.
    """
    factors = (-1, 1, *signs)
    for unknown in range(len(known)):
        options = [
            [*islice(one, MOST_VALUES), *([0.0] if at > 1 else [])] for at, one in enumerate(known) if at != unknown
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
    """The amounts of one tax rate, with the words that state them."""

    passage: Passage
    rate: float
    code: str
    """Letter of the rate on receipts; may be empty."""
    parts: Mapping[_Part, frozenset[int]]
    amounts: Mapping[_Part, float]
    labels: Mapping[_Part, tuple[str, ...]]
    """The words before each amount in its row."""


def taxes_by_rate(passage: Passage) -> Iterator[TaxByRate]:
    """Yield the rows of a page with a rate and either a net amount and its tax at this rate, or a gross amount that
    includes it.

    The net or gross amount may be in the row above.
    """
    if len(passage.words) > MOST_WORDS:
        return
    rows = rows_of(passage)
    for number, row in enumerate(rows):
        rates = [(at, rate) for at, word in enumerate(row) if (rate := _rate_of(passage, row, at)) is not None]
        above = rows[number - 1] if number else []
        for at, rate in rates[:2]:
            if found := _tax_in(passage, row, at, rate, above):
                yield found
                break


def _rate_of(passage: Passage, row: Sequence[WordOnPage], at: int) -> float | None:
    text = passage.words[row[at].at].strip("():;=")
    found = _PERCENT.fullmatch(text)
    if found is None:
        return None
    is_percent = bool(found[2]) or (at + 1 < len(row) and passage.words[row[at + 1].at].startswith("%"))
    rate = float(found[1].replace(",", "."))
    # The first column of a table of rates needs no percent sign.
    return rate if 0 < rate <= LARGEST_RATE and (is_percent or at == 0) else None


def _tax_in(
    passage: Passage, row: Sequence[WordOnPage], at: int, rate: float, above: Sequence[WordOnPage]
) -> TaxByRate | None:
    amounts = [(word, value) for n, word in enumerate(row) if n != at and (value := _amount(passage, word))]
    higher = [(word, value) for word in above if (value := _amount(passage, word))]
    for tax, of_tax in amounts:
        for base, of_base in [*amounts, *higher]:
            is_net = abs(of_base * rate / 100 - of_tax) < OF_RATE
            is_gross = abs(of_base * rate / (100 + rate) - of_tax) < OF_RATE
            if base is tax or of_tax >= of_base or not (is_net or is_gross):
                continue
            parts: dict[_Part, frozenset[int]] = {
                "rate": frozenset((row[at].at,)),
                "tax": frozenset((tax.at,)),
                "net" if is_net else "gross": frozenset((base.at,)),
            }
            third = of_base + of_tax if is_net else of_base - of_tax
            values: dict[_Part, float] = {"rate": rate, "tax": of_tax, "net": of_base if is_net else third}
            for word, value in amounts:
                if abs(value - third) < OF_RATE and word is not tax and word is not base:
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
    """Return the words between an amount and the previous amount. A rate does not count as an amount."""
    found: list[str] = []
    for word in row:
        if word.at in words:
            break
        text = passage.words[word.at]
        found = [] if _AMOUNT.search(text) else [*found, *(one for one in fold(text) if not one.isdigit())]
    return tuple(found)


def _code_in(passage: Passage, row: Sequence[WordOnPage]) -> str:
    """Return the letter in the row that stands alone, if there is only one."""
    letters = [bare for word in row if len(bare := passage.words[word.at].strip("=:.()")) == 1 and bare.isalpha()]
    return letters[0].casefold() if len(letters) == 1 else ""


class _Rated(NamedTuple):
    """A tax rate, or its letter, that a field's name states, and the kind of amount that the field asks for."""

    rate: float | None
    code: str
    part: _Part | None
    words: tuple[str, ...]


def _rated(text: FieldText) -> _Rated | None:
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
        own = tuple(word for word in bare if word not in text.names.around) or tuple(bare)
        about = text.concepts | concepts_of_field(tuple(bare)) | concepts_of_field(own)
        around = concepts_of_field(tuple(word for word in text.names.around if len(word) > 1))
        is_tax = bool((about | around) & _CONCEPTS.keys())
        if rate is not None or (code and is_tax):
            of_own = concepts_of_field(own)
            known = [_CONCEPTS[one] for said in (of_own, about) for one in ("tax_rate", "net", "tax") if one in said]
            return _Rated(rate, code, known[0] if known else None, own)
    return None


def _prefer_rated(
    logits: Matrix, rated: _Rated, taxes: Sequence[TaxByRate], candidates: Candidates, numbers: Mapping[int, float]
) -> None:
    own = [one for one in taxes if (one.rate == rated.rate if rated.rate is not None else one.code == rated.code)]
    if len(own) != 1:
        return
    [tax] = own
    part = rated.part or _part_by_label(rated.words, tax)
    if part is None:
        return
    for at in numbers:
        if _is_printed(candidates.spans[at], tax, part):
            logits[at] += RATED


def _part_by_label(words: Sequence[str], tax: TaxByRate) -> _Part | None:
    """Return the amount whose label in the row shares a word with the field's name, or else the rate, which has no
    label."""
    for part, label in tax.labels.items():
        if part != "rate" and any(is_form_of(one, other) for one in words for other in label):
            return part
    return None


def _is_printed(span: CandidateSpan, tax: TaxByRate, part: _Part) -> bool:
    words = tax.parts.get(part, frozenset())
    return span.passage is tax.passage and not words.isdisjoint(span.words) and len(span.words) <= len(words) + 1
