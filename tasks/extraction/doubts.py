"""Finds words around a copied value that speak against it, of which the network knows little because few documents
print them."""

from typing import Final

from tasks.extraction.candidates import Candidates, CandidateSpan
from tasks.extraction.features import field_text, types_of, wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.units import unit_after, units_of
from tasks.extraction.yes_and_no import is_denied
from tasks.notation.numbers import Number, likeliest
from tasks.notation.order_of_days import FIGURES_OF_DAY, has_one_order

DOUBTFUL: Final = 0.85
"""A doubtful value has at most this probability."""


def is_doubtful(field: WantedField, span: CandidateSpan, candidates: Candidates) -> bool:
    """True if the text before a value denies it (`not A1`), if a day is open (without its year, or in figures of which
    nothing shows the order, as in `03/04/05`), if a number may be a thousand times as large (`64.300`), or if it is in
    another unit than the field's (`150 lb` for `weight_kg`)."""
    if is_denied(span.text_before):
        return True
    if span.number is not None and types_of(field.schema) & {"number", "integer"}:
        wanted, unit = units_of(field_text(field.schema, field.names)), unit_after(span)
        return _is_open_number(span.number) or (bool(wanted and unit) and unit not in wanted)
    return wants_iso(field.schema) and _is_open_day(span, candidates)


def _is_open_number(number: Number) -> bool:
    """True if nothing on the page says whether a point or comma separates thousands."""
    return len(number.readings) > 1 and abs(likeliest(number.readings, number.digits)) < max(map(abs, number.readings))


def _is_open_day(span: CandidateSpan, candidates: Candidates) -> bool:
    if span.day is None:
        return False
    if span.day.lacks_year:
        return True
    figures = None if has_one_order(span.day) else FIGURES_OF_DAY.match(span.text)
    # Figures with points between them have the day first everywhere.
    return figures is not None and figures[1] != "." and not candidates.is_order_of_days_shown
