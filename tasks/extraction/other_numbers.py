"""Finds numbers that are printed beside the words of a field and say something else: the day in `Previous reading
(2 Feb)  18204`, the count in `Tax period: 2`, the rounding of a total, the percentage in `Deposit (30 %)`, and a number
within the label of another one, as in `Paid so far (3 x £40): £120.00`.

The other words of such a label agree with the field's name, and few documents that the network was trained on print
them.
"""

import re
from typing import Final, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.concepts import CONCEPTS, concepts_of, concepts_within
from tasks.extraction.counts import PREPOSITIONS
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold, folded_words, without_accents
from tasks.extraction.opposites import OPPOSITE, wanted_sides
from tasks.extraction.own_words import COMMON, content_of, is_form_of
from tasks.extraction.units import unit_after, units_of
from tasks.notation.currencies import ANY, FORM
from tasks.notation.words import MONTHS, any_of

_MONTH: Final = any_of(MONTHS)
_BEFORE_MONTH = re.compile(
    rf"(?:st|nd|rd|th|er|\.?[ºª°]|\.)? ?(?:of |de |del )?(?P<month>{_MONTH})(?![^\W_])", re.IGNORECASE
)
_AFTER_MONTH = re.compile(rf"(?<![^\W_])(?P<month>{_MONTH})\.? ?$", re.IGNORECASE)
_LAST_DAY: Final = 31
_ALSO_WORDS: Final = frozenset(
    ("may", "mar", "mai", "out", "set", "ago", "sie", "lis", "maj", "gen", "mag", "des", "dis")
)
"""Names of months that are also other words, unless they begin with a capital: `1 may be`, `8 out of 10`."""
_LONGEST_MONTH: Final = 20
_PARTS_OF_DAYS: Final = frozenset(
    fold(
        "day days date month year tag tage datum monat monats jahr jour date mois annee dia fecha mes ano giorno data"
        " mese anno dag maand jaar dzien miesiac rok manad ar age alter built baujahr since"
    )
)
"""Words in the name of a field that may ask for a part of a day."""
_PERIOD = re.compile(
    r"(?<![^\W_])(?:(?:[^\W_]*(?:period|periode|zeitraum)|periodo|okres)(?: (?:no|nr|number|n))?"
    r"|(?:tax|pay|payroll|wage) (?:week|month|year)(?: (?:no|nr|number))?"
    r"|(?:lohn|gehalts|abrechnungs|steuer)(?:monat|woche|jahr))\W*$"
)
"""Pattern of the end of a label that names a period by its number."""
_COUNT = re.compile(r"\d{1,2}|(?:19|20)\d\d")
_ROUNDING = re.compile(
    r"(?<![^\W_])(?:round(?:ing|ed|ed by|off)?|[^\W_]*rundung[^\W_]*|gerundet|arrondi[^\W_]*|redondeo|arrotondament\w+"
    r"|arredondament\w+|afronding[^\W_]*|zaokraglen\w+|avrundning[^\W_]*|oresutjamning|afrunding[^\W_]*|avrunding[^\W_]*|pyoristys"
    r"|pembundaran)(?![^\W_])"
)
"""Pattern of words for the rounding of a sum."""
_MAY_BE_RATES: Final = frozenset(
    name
    for name in CONCEPTS
    if any(word in name for word in ("tax", "interest", "discount", "fee", "commission", "rate"))
)
"""Concepts of amounts for which documents may state a percentage alone."""
_LONGEST_LABEL: Final = 80
_REST_OF_LABEL = re.compile(
    r"(?P<rest>[^\n\t|:：]{0,40})(?:(?P<colon>[:：][ \t]{0,4}\|?|\n[:：])|[\t|])[ \t]{0,4}(?P<value>)"
    r"(?P<is_last>[^\n\t|]{0,40}\|?[ \t]{0,4}(?:\n|$))?"
)
"""Pattern of the end of a label after a number, up to the value of the label: `at 900 m: -4 °C`. The value may be in
the next cell, or in the next line after a colon."""
_MAX_IN_LABELS: Final = 500
"""At most this many numbers within labels are compared with each field."""
_MAX_WORDS: Final = 8
"""At most this many words before a number in a label are compared."""
_LABEL_BEGINS = re.compile(r"[\n\t|:：]")
"""Pattern of the sign before a label."""
_CURRENCY_AFTER = re.compile(rf" ?(?:{ANY})(?![^\W\d_])")
_CENTS = re.compile(r"[.,]\d\d$")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SHORTEST_PART: Final = 5
"""A part of a compound, such as German `Gesamtgewicht`, has at least this many letters."""


class _NumberInLabel(NamedTuple):
    """A number within the label of another number."""

    number: int
    """Index of the number's span."""
    value: int
    """Index of the span of the number after the label."""
    words: tuple[str, ...]
    """Words of the label before the number, without accents."""
    concepts: frozenset[str]
    """Concepts that these words name."""
    is_bare: bool
    """True if the number has neither a unit, a preposition nor a bracket, and thus may be what the words before it
    name: `Invoice 4711: 3 items`."""


class OtherNumbers:
    """The numbers of a text that are days of a month, counts of periods, roundings or percentages. They have to be read
    (`read`) before a field is compared."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._days: list[int] = []
        self._counts: list[int] = []
        self._roundings: list[int] = []
        self._percentages: list[int] = []
        self._in_labels: list[_NumberInLabel] = []

    def read(self) -> Slices[None]:
        spans = self._candidates.spans
        begin = {(id(span.passage), span.number.start): index for index, span in enumerate(spans) if span.number}
        yield
        for index, (span, labels) in enumerate(zip(spans, self._candidates.labels_beside, strict=True)):
            if index % SPANS_AT_ONCE == 0:
                yield
            if span.number is None:
                continue
            if _is_day_of_month(span):
                self._days.append(index)
            label_beside = _plain(span.label or labels.get("left") or "")
            label = label_beside or _plain(labels.get("above") or "")
            if _COUNT.fullmatch(span.text) and _PERIOD.search(label) and not unit_after(span):
                self._counts.append(index)
            # Below "Rounding" is the rounded sum.
            if _ROUNDING.search(label_beside) and all(abs(one) < 1 for one in span.number.readings):
                self._roundings.append(index)
            if unit_after(span) == "percent":
                self._percentages.append(index)
            found = _label_around(span) if len(self._in_labels) < _MAX_IN_LABELS else None
            value = begin.get((id(span.passage), found.value_start)) if found is not None else None
            if found is not None and value is not None:
                concepts = concepts_within(found.words)
                self._in_labels.append(_NumberInLabel(index, value, found.words, concepts, found.is_bare))
                yield

    def avoid(self, logits: Matrix, field: FieldText) -> None:
        """Lower the logits of numbers that say something else than a field asks for."""
        if not field.is_number:
            return
        words = {without_accents(word) for name in field.names.own for word in name}
        is_amount = bool(field.concepts) and all(CONCEPTS[name].kind == "amount" for name in field.concepts)
        of_period = any(side.group == "accumulation" for side in wanted_sides(field))
        if words.isdisjoint(_PARTS_OF_DAYS):
            logits[self._days] -= OPPOSITE
        if is_amount or of_period:
            logits[self._counts] -= OPPOSITE
        if not _ROUNDING.search(_plain(field.full)):
            logits[self._roundings] -= OPPOSITE
        if is_amount and field.concepts.isdisjoint(_MAY_BE_RATES) and "percent" not in units_of(field):
            logits[self._percentages] -= OPPOSITE
        self._prefer_values_of_labels(logits, field)

    def _prefer_values_of_labels(self, logits: Matrix, field: FieldText) -> None:
        """Give the score of a number within a label to the number after the label, if the label's words before the
        number name the field."""
        if not self._in_labels:
            return
        kinds = {CONCEPTS[name].kind for name in field.concepts}
        wanted = {without_accents(word) for name in field.names.own for word in content_of(name)} - COMMON
        named = {word for name in field.names.own for word in name}
        units = units_of(field)
        spans = self._candidates.spans
        for number, value, words, concepts, is_bare in self._in_labels:
            if ("number" in kinds and is_bare) or (kinds == {"count"} and _is_price(spans[value])):
                continue
            is_named = not field.concepts.isdisjoint(concepts) or any(
                is_form_of(word, one) or (len(one) >= _SHORTEST_PART and one in word)
                for one in wanted
                for word in words
            )
            # `Contract of 24 months: £36.00` has an answer for `contract_months`. `temperature_at_900_m` does not ask
            # for 900.
            is_in_unit = unit_after(spans[number]) in units and unit_after(spans[value]) not in units
            if is_named and (not is_in_unit or spans[number].text in named):
                logits[value] = max(logits[value], logits[number])
                logits[number] -= OPPOSITE


def _is_day_of_month(span: CandidateSpan) -> bool:
    """True if a number is the day beside the name of a month."""
    assert span.number
    text, start, end = span.passage.text, span.number.start, span.number.end
    if not (text[start:end].isdigit() and 0 < int(text[start:end]) <= _LAST_DAY and end - start <= 2):
        return False
    found = _BEFORE_MONTH.match(text, end) or _AFTER_MONTH.search(text[max(0, start - _LONGEST_MONTH) : start])
    return found is not None and (found["month"][0].isupper() or found["month"].casefold() not in _ALSO_WORDS)


class _LabelAround(NamedTuple):
    """The label around a number."""

    words: tuple[str, ...]
    """Words of the label before the number, without accents."""
    value_start: int
    """Index in the text at which the label's value begins."""
    is_bare: bool
    """True if the number has neither a unit, a preposition nor a bracket."""


def _label_around(span: CandidateSpan) -> _LabelAround | None:
    """Return the label that a number stands in, or None if the number is not within a label with a value after it.

    The words after the number must not be a label of their own, as in `Total 12.50 Change: 7.50`.
    """
    assert span.number
    text, start, end = span.passage.text, span.number.start, span.number.end
    found = _REST_OF_LABEL.match(text, end)
    if found is None or not (found["colon"] or (found["rest"].strip() and found["is_last"] is not None)):
        return None
    before = _LABEL_BEGINS.split(text[max(0, start - _LONGEST_LABEL) : start])[-1]
    words = folded_words(before)[-_MAX_WORDS:]
    if not words or not _WORD.search(before):
        return None
    rest = found["rest"].strip()
    is_in_brackets = before.rfind("(") > before.rfind(")")
    is_joined = words[-1] in PREPOSITIONS
    is_bare = not (is_in_brackets or is_joined or unit_after(span))
    if is_bare and (rest[:1].isupper() or concepts_of(folded_words(rest))):
        return None
    if not is_in_brackets and _is_price(span):
        return None
    return _LabelAround(tuple(map(without_accents, words)), found.start("value"), is_bare)


def _is_price(span: CandidateSpan) -> bool:
    """True if a number has a currency before it or after it, or two decimals without a unit."""
    assert span.number
    text, start, end = span.passage.text, span.number.start, span.number.end
    has_currency = FORM.match(text, start) or _CURRENCY_AFTER.match(text, end)
    return has_currency is not None or (_CENTS.search(span.number.digits) is not None and not unit_after(span))


def _plain(text: str) -> str:
    return without_accents(text[-_LONGEST_LABEL:].casefold())
