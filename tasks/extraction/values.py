"""Converts a span to a value in the form that a field's schema demands: a text, a number, a date, or a code without the
text around it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from models.safety.account_numbers import has_iban_length, iban_length
from tasks.extraction.candidates import CandidateSpan
from tasks.extraction.concepts import concepts_of
from tasks.extraction.features import HOURS_AND_MINUTES, MOMENT, types_of, wants_clock, wants_iso
from tasks.extraction.folding import fold
from tasks.extraction.names import Names
from tasks.extraction.units import (
    converted,
    in_hundredths,
    magnitude_named,
    unit_after,
    units_to_convert_to,
    wants_hundredths,
)
from tasks.notation.clock_times import clock_beside, is_before_clock, is_unit_of_clock, written_clock
from tasks.notation.currencies import currency_of, may_be_in
from tasks.notation.numbers import likeliest

CODES = ("iban", "bic", "currency")
"""Concepts of codes. Only a code may fill a field of such a concept; for a currency, its sign may, too."""
CURRENCY_CODE = "currency code"
"""Format of fields for a currency's code, which the currency's sign does not satisfy."""
_CURRENCIES = ("currency", CURRENCY_CODE)
_IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}\d\d(?: ?[A-Z0-9]){11,30}")
_IN_GROUPS = re.compile(r"[A-Z]{2}\d\d(?: [A-Z0-9]{4}){3,7}(?: [A-Z0-9]{1,3})?")
_BIC = re.compile(r"(?<![^\W_])[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?(?![^\W_])")
"""Pattern of a business identifier code (ISO 9362): bank, country, place, and an optional branch."""
_ASKS_FOR_CODE = re.compile(r"\b(?:code|iso)\b", re.IGNORECASE)
_ASKS_FOR_CLOCK = re.compile(r"(?i:(?:\W|format|im|au|en|in|no|formaat|formato)*)(?:HH|hh)[:.](?:MM|mm)\b(?!:)")
CLOCK_DIGITS = 4
_HALF_OF_DAY = re.compile(r"[ap]\.?m\b", re.IGNORECASE)
_ZONE = re.compile(r"(?:UTC|GMT|hrs)\b")
_POINTED_CLOCK = re.compile(r"(?:[01]?\d|2[0-3])\.[0-5]\d")
"""Pattern of a time of day that is also a number, so a word beside it or in its line has to say that it is a time."""
_FARTHEST = 8
"""A word that says so is at most this many words away."""
_NOTHING = re.compile(r"n/a|n\.a\.?|none", re.IGNORECASE)


def with_form(schema: Mapping[str, Any], names: Names) -> Mapping[str, Any]:
    """Return the schema of a field, with the format that the field's names imply unless the schema states a format."""
    if "format" not in schema and "enum" not in schema and _ASKS_FOR_CLOCK.match(str(schema.get("description", ""))):
        return {**schema, "format": HOURS_AND_MINUTES} if "string" in types_of(schema) else schema
    form = next((name for name in CODES if names.concepts == {name}), None)
    if form is None or "format" in schema:
        return schema
    description = " ".join([*map(" ".join, names.own), str(schema.get("description", ""))])
    return {**schema, "format": CURRENCY_CODE if form == "currency" and _ASKS_FOR_CODE.search(description) else form}


def codes_in(span: CandidateSpan, *forms: str) -> Iterator[str]:
    """Find the codes of these forms in a span, without the text around them. Without `forms`, find codes of all
    forms."""
    if "iban" in (forms or CODES):
        for found in _IBAN.finditer(span.text):
            if length := iban_length(found[0]):
                yield found[0][:length]
            elif found[0] == span.text and (
                _IN_GROUPS.fullmatch(span.text) or has_iban_length(span.text) or _is_labelled_iban(span)
            ):
                # A code with wrong check digits counts if it has the label, the groups or the length of an IBAN.
                yield span.text
    if "bic" in (forms or CODES):
        yield from (found[0] for found in _BIC.finditer(span.text))
    if currency := not {"currency", CURRENCY_CODE}.isdisjoint(forms or CODES) and currency_of(span.text):
        yield from (currency,) if CURRENCY_CODE in forms else (span.text, currency)


def _is_labelled_iban(span: CandidateSpan) -> bool:
    return "iban" in concepts_of(tuple(fold(span.label)))


def is_miswritten(value: Any, names: Names) -> bool:
    """True if the check digits of a value are wrong and its field is for an IBAN."""
    return names.concepts == {"iban"} and isinstance(value, str) and iban_length(value) == 0


def says_nothing(value: Any, *, in_words: bool) -> bool:
    """True if a text only states that there is no value. Such a text consists of signs or, with `in_words`, of
    words."""
    if not isinstance(value, str):
        return False
    is_sign = not any(map(str.isalnum, value)) and not currency_of(value)
    return is_sign or (in_words and _NOTHING.fullmatch(value) is not None)


@dataclass(frozen=True)
class ValueForm:
    """The form that a field's schema demands of values. Two forms are equal if they take the same values from texts."""

    types: frozenset[str]
    form: str | None = None
    wants_iso: bool = False
    wants_clock: bool = False
    has_pattern: bool = False
    is_birth: bool = False
    """True if the field is for a date of birth. `14.02.48` is then no day of the future."""
    magnitude: int = 1
    """Factor that the numbers of the field are printed without: 1,000,000 for `revenue_mio`."""
    units: frozenset[str] = frozenset()
    """Units that the numbers of the field are in; empty if its name states none."""
    wants_hundredths: bool = False
    """True if the amounts of the field are in hundredths of a currency."""
    choices: tuple[str, ...] | None = None
    """Texts of an enum; None for any other schema."""

    @classmethod
    def of(cls, schema: Mapping[str, Any], names: Names) -> "ValueForm":
        form = schema.get("format") if isinstance(schema.get("format"), str) else None
        if "enum" in schema:
            choices = tuple(dict.fromkeys(value for value in schema["enum"] if isinstance(value, str)))
            return cls(frozenset(), form if form in _CURRENCIES else None, choices=choices)
        types = types_of(schema) & {"number", "integer"}
        if types:
            return cls(
                frozenset(types),
                magnitude=magnitude_named(names, str(schema.get("description", ""))),
                units=units_to_convert_to(names, str(schema.get("description", ""))),
                wants_hundredths=wants_hundredths(names),
            )
        is_birth = "birth" in names.concepts
        return cls(frozenset(), form, wants_iso(schema), wants_clock(schema), "pattern" in schema, is_birth=is_birth)

    def values_of(self, span: CandidateSpan, days_first: bool) -> Iterator[Any]:
        """Find the values that a field may take from `span`, the most likely first; none if the span does not fit."""
        if self.choices is not None:
            found = self._choice(span)
            yield from () if found is None else (found,)
        elif self.types:
            number = self.converted(span) if self.may_convert else None
            number = number_of(span, self.magnitude) if number is None else number
            if number is not None and ("number" in self.types or number == int(number)):
                number = number if "number" in self.types else int(number)
                yield from (number, -number) if number < 0 else (number,)
        else:
            yield from self._texts(span, days_first)

    @property
    def may_convert(self) -> bool:
        return bool(self.units) or self.wants_hundredths

    def converted(self, span: CandidateSpan) -> int | float | None:
        """Return the number of a span in the unit of the field; None if it is in that unit already, or if there is no
        conversion."""
        number = number_of(span, self.magnitude)
        if number is None:
            return None
        printed = Decimal(str(number))
        if self.wants_hundredths:
            end = min(span.words[-1] + 2, len(span.passage.words))
            found = in_hundredths(printed, " ".join(span.passage.words[span.words[0] : end]))
        else:
            found = converted(printed, unit_after(span), self.units)
        return None if found is None else int(found) if found == int(found) else float(found)

    def _choice(self, span: CandidateSpan) -> str | None:
        if self.form in _CURRENCIES:
            return next((value for value in self.choices or () if _is_currency(span.text, value)), None)
        folded_text = "".join(fold(span.text))
        return self._folded.get(folded_text) if folded_text else None

    @cached_property
    def _folded(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for value in self.choices or ():
            found.setdefault("".join(fold(value)), value)
        return found

    def _texts(self, span: CandidateSpan, days_first: bool) -> Iterator[str]:
        form = self.form
        if form in (*CODES, CURRENCY_CODE):
            yield from codes_in(span, form)
            return
        if form in ("email", "uri", "url", "time") and span.kind != ("uri" if form == "url" else form):
            return
        if form == "time" and (clock := written_clock(span.text)) is None:
            return  # There is no `25:30`.
        if form == HOURS_AND_MINUTES or (form == "time" and _HALF_OF_DAY.search(span.text)):
            yield from (clock,) if (clock := _clock_of(span)) else ()
            return
        if not self.wants_iso:
            if span.kind == "number" and span.number is not None and span.number.magnitude == 1:
                yield span.number.digits
            yield span.text
        if span.day is not None and (self.wants_iso or self.has_pattern):
            at = moment_of(span, days_first) if self.wants_clock else None
            if at is not None:
                has_seconds = form == MOMENT or at.second or at.microsecond
                yield at.isoformat(timespec="auto" if has_seconds else "minutes")
            elif form != MOMENT:
                born = _century_earlier(span, days_first) if self.is_birth else None
                yield (born or _day(span.day.readings, days_first)).isoformat()


def key_of(value: Any) -> Any:
    """Return a key that is equal for values with the same meaning."""
    return "".join(fold(value)) or value if isinstance(value, str) else value


def values_in_span(span: CandidateSpan, days_first: bool) -> Iterator[Any]:
    """Find all values that may have been copied from a span."""
    yield span.text
    yield from codes_in(span)
    if clock := _clock_of(span):
        yield clock
    if span.number is not None and (number := number_of(span)) is not None:
        yield number
        yield from (-number,) if number < 0 else ()
        yield from (number_of(span, span.number.magnitude),) if span.number.magnitude > 1 else ()
        yield span.number.digits
    if span.day is not None:
        yield _day(span.day.readings, days_first).isoformat()
        if born := _century_earlier(span, days_first):
            yield born.isoformat()
        if (at := moment_of(span, days_first)) is not None:
            yield at.isoformat()
            yield at.isoformat(timespec="minutes")


def moment_of(span: CandidateSpan, days_first: bool) -> datetime | None:
    """Return the day of a span with the time of day beside it; None without a day or a time beside it."""
    clock = span.day and clock_beside(span.passage.text, span.day.start, span.day.end)
    return datetime.combine(_day(span.day.readings, days_first), clock) if span.day and clock else None


def _clock_of(span: CandidateSpan) -> str | None:
    """Return the time of day that a span states. A number of four digits is one only before its zone, `1700 UTC`, and a
    number with a point only in a line that speaks of a time, `open from 19.30 hrs`."""
    after = span.words[-1] + 1
    has_zone = after < len(span.passage.words) and _ZONE.match(span.passage.words[after]) is not None
    is_number = span.kind == "number" and (
        (len(span.text) == CLOCK_DIGITS and has_zone)
        or (_POINTED_CLOCK.fullmatch(span.text) is not None and _speaks_of_time(span))
    )
    is_clock = span.kind == "time" or is_number
    return written_clock(span.text) if is_clock else None


def _speaks_of_time(span: CandidateSpan) -> bool:
    words, line = span.passage.words, span.passage.line_words(span.passage.line_at(span.words[0]))
    near = range(max(line.start, span.words[0] - _FARTHEST), min(line.stop, span.words[-1] + _FARTHEST + 1))
    is_after_word = span.words[0] > line.start and is_before_clock(words[span.words[0] - 1])
    return is_after_word or any(is_unit_of_clock(words[word]) for word in near)


def number_of(span: CandidateSpan, magnitude: int = 1) -> int | float | None:
    """Return the number of a span. Digits before a word for the `magnitude` that a field is in are read without the
    word."""
    if span.number is None or span.kind != "number":
        return None
    reading = likeliest(span.number.readings, span.number.digits)
    if span.number.magnitude == magnitude:
        reading /= magnitude
    if reading == reading.to_integral_value() and not set(".,") & set(span.number.digits):
        return int(reading)
    return float(reading)


def _day(readings: Sequence[date], days_first: bool) -> date:
    if days_first or len(readings) == 1:
        return readings[0]
    first = readings[0]
    return next((day for day in readings if (day.month, day.day) == (first.day, first.month)), first)


def _century_earlier(span: CandidateSpan, days_first: bool) -> date | None:
    """Return the day of birth that a span with two digits of a year states if it is read as a day of the future."""
    day = _day(span.day.readings, days_first) if span.day else None
    if day is None or day <= date.today() or str(day.year) in span.text:
        return None
    return day.replace(year=day.year - 100)


def _is_currency(written: str, value: str) -> bool:
    return written == value or may_be_in(written, currency_of(value))
