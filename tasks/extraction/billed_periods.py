"""Avoids the days of what is billed or paid, such as the month of a bill, for fields that ask for the first or last day
of anything else, such as a contract, an employment or a tariff."""

import re
from collections.abc import Sequence
from typing import Final

from models.fair_executor import Slices
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import without_accents
from tasks.extraction.opposites import OPPOSITE, asks_for_day
from tasks.extraction.second_choices import avoid_if_answered
from tasks.extraction.validity_periods import TO, VALIDITY

_ANY_PERIOD = re.compile(r"zeitraum|période|period|okres", re.IGNORECASE)
"""Pattern of words that announce any period, also within longer words: `Abrechnungszeitraum`."""
_BILLED = re.compile(
    r"(?<!\w)(?:bill|billed|billing|invoic\w+|pay|payroll|wages?|salary|statement|usage|consumption|meter\w*"
    r"|abrechnungs\w+|lohn\w*|entgelt\w*|gehalts\w*|verbrauchs\w+|rechnungs\w+|facturation|facturée?|paie|paye|consommation"
    r"|facturación|liquidación|nómina|consumo|fatturazione|competenza|paga|consumi|faturação|processamento|factuur\w*"
    r"|facturatie\w*|loon\w*|verbruiks\w*|rozliczeni\w+|fakturerings\w+|löne\w*)(?!\w)",
    re.IGNORECASE,
)
"""Pattern of words that announce what is billed or paid."""
_BILLED_NOUN = re.compile(
    r"bill|invoic|pay|wage|salar|statement|usage|consum|meter|reading|abrechnung|lohn|entgelt|gehalt|verbrauch|rechnung|factur|fatt?ur"
    r"|fakt|paie|liquid|nomin|compet|paga|processa|loon|verbruik|rozlicz|lone|\w*(?:period|zeitraum)|okres|month|monat|mois|quarter"
    r"|energy|energie|electric|strom|gas|gaz|water|wasser|eau|luz|agua|acqua|luce|heat|heiz"
)
"""Pattern of the beginning of a word, without accents, for what is billed or paid."""
_END_OF_PERIOD = re.compile(
    r"start\w*|beginn?\w*|begin\w*|anfang\w*|commenc\w*|debut|inicio|inizio|ingang\w*|od|from|von|ab|dal|desde|van|desd|poczatek"
    r"|end|ends|ende|ending|fin|fine|einde|eind\w*|until|till|to|bis|au|al|hasta|tot|do|koniec|slut\w*|expiry|expires|ablauf\w*"
)
"""Pattern of a word, without accents, that asks for the first or the last day of something."""
_NO_NOUN = re.compile(
    rf"(?:{_END_OF_PERIOD.pattern}|dates?|datum|fecha|data|dato|day|tag|jour|dia|giorno|dag|the|of|de|du|la|le|l|d|del|della"
    r"|des|der|die|das|den|van|het|di|da|do|period\w*|first|last|valid|gultig|en|y|et|und|and|service|leistung\w*|servic\w+)"
)
"""Pattern of a word that does not say of what something is the first or the last day."""
_COMPOUND = re.compile(r"(?P<noun>[^\W\d_]{3,}?)s?(?P<end>beginn|start|anfang|ende|einde|datum|slut)")
"""Pattern of a compound, without accents, such as German `tarifbeginn` and Dutch `tariefeinde`."""
_LONGEST_LABEL: Final = 80
"""A label of a period has at most this many characters."""


class BilledPeriods:
    """The days of periods other than validities, such as the month of a bill. They have to be read (`read`) before a
    field is compared."""

    def __init__(self, candidates: Candidates) -> None:
        self._candidates = candidates
        self._days: list[int] = []
        """Indices of the spans with a day of any period other than a validity."""
        self._billed: list[int] = []
        """Indices of the spans with a day of a period whose label says that the time is billed or paid."""

    def read(self) -> Slices[None]:
        previous: CandidateSpan | None = None
        is_billed = is_in_period = False
        billed = set()
        for index, (span, labels) in enumerate(
            zip(self._candidates.spans, self._candidates.labels_beside, strict=True)
        ):
            if index % SPANS_AT_ONCE == 0:
                yield
            if span.day is None:
                continue
            if previous is None or not _follows(previous, span):
                label = (span.label or labels.get("left") or labels.get("above") or "")[-_LONGEST_LABEL:]
                is_in_period = _ANY_PERIOD.search(label) is not None and VALIDITY.search(label) is None
                is_billed = is_in_period and _BILLED.search(label) is not None
            previous = span
            if is_in_period:
                self._days.append(index)
            if is_billed:
                billed.add(span.day.readings)
        # The lines that `validity_lines` makes of a period have the same days.
        days = ((index, self._candidates.spans[index].day) for index in self._days)
        self._billed = [index for index, day in days if day is not None and day.readings in billed]

    def avoid(self, logits: Matrix, field: FieldText) -> frozenset[int]:
        """Lower the logits of days of what is billed or paid, for a field that asks for the first or last day of
        something else. Days of other periods answer a field for a contract or an employment only if nothing else does.
        Return these doubtful days."""
        names = " ".join(word for name in (*field.names.own, field.names.around) for word in name)
        if "hire_date" not in field.concepts and not VALIDITY.search(names):
            if asks_for_day(field) and all(map(_asks_for_other_term, field.names.own)):
                logits[self._billed] -= OPPOSITE
            return frozenset()
        logits[self._billed] -= OPPOSITE
        avoid_if_answered(logits, self._days)
        return frozenset(self._days)


def _asks_for_other_term(name: Sequence[str]) -> bool:
    """True if a name asks for the first or the last day of something that is neither billed nor paid."""
    words: list[str] = []
    for word in map(without_accents, name):
        parts = _COMPOUND.fullmatch(word)
        words += [parts["noun"], parts["end"]] if parts else [word]
    nouns = [word for word in words if not _NO_NOUN.fullmatch(word)]
    is_end = any(map(_END_OF_PERIOD.fullmatch, words))
    return is_end and bool(nouns) and not any(map(_BILLED_NOUN.match, nouns))


def _follows(first: CandidateSpan, second: CandidateSpan) -> bool:
    """True if two days are the beginning and the end of one period."""
    assert first.day is not None
    assert second.day is not None
    is_near = first.passage is second.passage and 0 <= second.day.start - first.day.end <= _LONGEST_LABEL
    return is_near and TO.fullmatch(first.passage.text, first.day.end, second.day.start) is not None
