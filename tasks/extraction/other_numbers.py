"""Finds numbers that are printed beside the words of a field and say something else: the day in `Previous reading
(2 Feb)  18204`, the count in `Tax period: 2`, the rounding of a total, and the percentage in `Deposit (30 %)`.

The other words of such a label agree with the field's name, and few documents that the network was trained on print
them.
"""

import re
from typing import Final

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.concepts import CONCEPTS
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.opposites import OPPOSITE, wanted_sides
from tasks.extraction.units import unit_after, units_of
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


class OtherNumbers:
    """The numbers of a text that are days of a month, counts of periods, roundings or percentages. They have to be read
    (`read`) before a field is compared."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._days: list[int] = []
        self._counts: list[int] = []
        self._roundings: list[int] = []
        self._percentages: list[int] = []

    def read(self) -> Slices[None]:
        for index, (span, labels) in enumerate(
            zip(self._candidates.spans, self._candidates.labels_beside, strict=True)
        ):
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


def _is_day_of_month(span: CandidateSpan) -> bool:
    """True if a number is the day beside the name of a month."""
    assert span.number
    text, start, end = span.passage.text, span.number.start, span.number.end
    if not (text[start:end].isdigit() and 0 < int(text[start:end]) <= _LAST_DAY and end - start <= 2):
        return False
    found = _BEFORE_MONTH.match(text, end) or _AFTER_MONTH.search(text[max(0, start - _LONGEST_MONTH) : start])
    return found is not None and (found["month"][0].isupper() or found["month"].casefold() not in _ALSO_WORDS)


def _plain(text: str) -> str:
    return without_accents(text[-_LONGEST_LABEL:].casefold())
