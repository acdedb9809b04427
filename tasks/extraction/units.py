"""Uses the units of numbers: a field `weight_kg` means the number before `kg`, and a field `deposit` does not mean a
number before `%`.

>>> sorted(units_named(("weight", "kg")))
['kilogram']
"""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from models.fair_executor import Slices
from models.normal_forms import normalized
from tasks.extraction.boxes import box_of
from tasks.extraction.candidates import SPANS_AT_ONCE, Candidates, CandidateSpan
from tasks.extraction.concepts import CONCEPTS
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.page_magnitudes import magnitude_in_header
from tasks.extraction.passages import Passage
from tasks.notation.currencies import ANY as CURRENCY
from tasks.notation.currencies import FORM as CURRENCY_FORM
from tasks.notation.currencies import LONGEST as LONGEST_CURRENCY
from tasks.notation.currencies import currency_of, may_be_in
from tasks.notation.numbers import CJK_MAGNITUDES, Number, likeliest
from tasks.notation.words import NUMBERS

SAME_UNIT_BONUS = 4.0
"""Bonus on the logit of a number with the field's unit."""
OTHER_UNIT_PENALTY = 4.0
"""Penalty on the logit of a number whose unit differs from the field's. If the field names no unit, the penalty applies
to units that such a field does not have: a price is not in `%`."""
SINGLE_NUMBER_PENALTY = 2.0
"""Penalty on the logit that nothing answers a field, if a single number has the field's unit."""
LARGEST = 1.5
"""A number stands out if its print is the largest, and more than this many times as large as any smaller one."""
LONGEST_UNIT = 2
"""A unit has at most this many words."""


def _listed(words: str) -> list[str]:
    return " ".join(words.split()).split(", ")


_TABLE: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("units.toml").read_text("utf-8"))
UNITS: Mapping[str, str] = {word: unit for unit, words in _TABLE["units"].items() for word in _listed(words)}
"""Unit by each of its names, without accents."""
_OF_CONCEPTS = {"tax_rate": "percent", "interest_rate": "percent"}
"""Unit by concept, for concepts whose numbers are always in one unit."""
_NEVER_MONEY = frozenset(("percent", "kilogram", "kilowatt_hour", "kilometre", "square_metre", "litre"))
_HARDLY_EVER = frozenset(("percent",))
"""Units that a field's name nearly always states. A field that states no unit hardly ever means them."""
_MEANT_BY_NAME: Mapping[str, str] = {
    **dict.fromkeys(
        ("rate", "satz", "taux", "tasso", "aliquota", "alicuota", "taxa", "tasa", "sats", "tarief", "stawka"), "percent"
    ),
    **dict.fromkeys(
        ("humidity", "luftfeuchtigkeit", "humidite", "humedad", "umidita", "humidade", "wilgotnosc"), "percent"
    ),
    **dict.fromkeys(("temp", "temperature", "temperatur", "temperatura", "temperatuur"), "degree"),
}
"""Unit of a field by the last word of its name. A temperature is in degrees of any scale."""
_DEGREES = frozenset(("degree", "fahrenheit"))


class _Size(NamedTuple):
    size: Fraction
    """Size of a unit in the first unit of its scale."""
    zero: Fraction
    """Number in this unit at the zero of the first unit of its scale: 32 for degrees Fahrenheit."""


_NO_UNITS = frozenset(_listed(_TABLE["names"]["others"]))
_DIRECTION: Final = "in"
"""Name of the inch that is also a direction, at the end of a name."""
_IN_INCHES = frozenset(_listed(_TABLE["names"]["in_inches"]))
_BEFORE_TIMES = frozenset(_listed(_TABLE["names"]["before_times"]))
_TIMES = frozenset(("day", "week", "month", "year", "hour"))
_FAR = frozenset(("kilometre", "mile", "nautical_mile"))
"""Units of distances that nobody states in inches."""
_WORDS_BESIDE_NUMBERS = frozenset(_listed(_TABLE["no_units"]["words"]))
_SCALES: Sequence[Mapping[str, _Size]] = [
    {unit: _Size(Fraction(size), Fraction(one.get("zeros", {}).get(unit, 0))) for unit, size in one["units"].items()}
    for one in _TABLE["scales"]
]
_SCALE_OF: Mapping[str, int] = {unit: at for at, one in enumerate(_TABLE["scales"]) for unit in one["units"]}
_QUANTITY_OF: Mapping[str, str] = {unit: one["quantity"] for one in _TABLE["scales"] for unit in one["units"]}
_MAGNITUDES, _BESIDE_MONEY = (
    {word: int(by) if by.isdigit() else 0 for by, words in _TABLE[table].items() for word in _listed(words)}
    for table in ("magnitudes", "beside_money")
)
"""Factor by which a word multiplies the number before it, by the word without accents; 0 if it is ambiguous. The words
of `_BESIDE_MONEY` count only for amounts of money, except for `k`."""
_MAGNITUDE = re.compile(
    rf" ?(?P<word>[^\W\d_]{{1,12}}?)\.?(?P<currency> ?(?:{CURRENCY}|euros?|dollars?))?(?![^\W_])", re.IGNORECASE
)
_WORD_AFTER = re.compile(r" (?P<joined>(?:and|und|et|y|e|en) )?(?P<word>[^\W\d_]{1,12})(?![^\W_])", re.IGNORECASE)
_LAST_SHORT_NUMBER: Final = 12
"""Words of the numbers up to this one are also other words: Italian `due`, English `once`."""
_MAGNITUDES_IN_CHINESE = re.compile(rf"[{CJK_MAGNITUDES}]{{1,4}}")
"""Pattern of the characters that multiply the number that they touch, whatever follows: `3万円`, `120万人`."""
_POWER_OF_TEN = re.compile(
    r" ?[x×·⋅*] ?10(?:(?:\^(?P<plain>[-−+]?\d{1,2})|(?P<lowered>[-−]\d{1,2}))(?![\d.,]*\d)"
    r"|(?P<raised>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}))(?! ?/ ?[^\W\d_])",
    re.IGNORECASE,
)
"""Pattern of the power of ten after a number. If a slash and a unit follow, the power is a part of the unit: `6.1 x
10^9/L`. A negative exponent that is not raised is taken for one unless it may end a range: `1.5 x 10-3`, but not `3 x
10-12`."""
_BASE_OF_POWER: Final = 10
_STATED_UNIT = re.compile(r"(?<=\s)[(\[][^()\[\]]{2,20}[)\]]|\bin (?!an?\b)[^\s,.;]{2,}")
"""Pattern of a unit in a field's description: `(kg)`, `in minutes`, but not `course(s)`."""
_UNIT_OF_LABEL = re.compile(
    r"(?:[(\[](?:in )?(?P<brackets>[^()\[\]]{1,20})[)\]]|\bin (?P<word>[^\s:：()]{1,20}))\s*+[:：=]?\s*+$"
)
_NOT_SO = re.compile(r"\bnot (?:in )?\w+")
_MAGNITUDE_OF_FIELD = re.compile(rf"(?<![^\W_])(?P<word>[kmt]) ?(?:{CURRENCY})(?![^\W_])", re.IGNORECASE)
_IS_MONEY = re.compile(CURRENCY, re.IGNORECASE)
MONEY: Final = "money"
"""The result of `units_after` for a span with an amount of money."""
_CHARS_AT_ONCE: Final = 20_000
"""A step searches about this many characters for amounts of money."""
_WORD_OF_MAGNITUDE = re.compile(r"[^\W\d_]+|000")
_WORDS_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,20})[)\]]")
_WITH_CENTS = re.compile(r"[.,]\d\d$")
_AFTER_FIGURES = re.compile(r"[\d\s.,:'’)\]/½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]*")
_WORDS_OF_RATE = 3
"""Number of words of a unit with `per` in a field's name: `l_per_100km`."""
_DIVIDED = frozenset(("foot", "hour", "minute"))
"""Units after which a number without a unit may be the rest of the measure: `6 ft 2`."""
_CURRENCY_BEFORE = re.compile(rf"(?<![^\W\d_])(?P<currency>{CURRENCY}) ?[-−]?\d[^\n]*$")
_CURRENCY_AFTER = re.compile(rf" ?(?P<currency>{CURRENCY})(?![^\W\d_])")
LETTERS_OF_CODE = 3
_PARTS_OF_CURRENCIES = frozenset(("cent", "cents", "pence", "centimes", "centimos", "centavos", "grosze", "ore"))
_UNKNOWN_UNIT = re.compile(r" ?(?:(?P<sign>[\"'′″’”])|(?P<word>[^\W\d_]{1,12})\.?(?=\s*?(?:\n|$|[,;)|])))")
"""Pattern of a sign of feet or inches after a number, or of a word that ends the line or a part of it."""
_OPEN_QUOTATION = re.compile(r"[\"'“”„‘’‚«] ?$")
_LONGEST_QUOTATION = 200
"""The beginning of a quotation is looked for in at most this many characters before a number."""
_MOST_WORDS = 100
"""A measure in the field's own unit is looked for in at most this many words of a line."""
_MOST_PIECES = 3
"""Up to this many measures may form one: hours, minutes and seconds."""
_DIFFERENCES = frozenset(("rise", "difference", "delta", "change", "drop", "increase", "decrease"))
"""Words that name a difference of temperatures. A difference is not converted between scales with different zeros."""
_LONGEST_SHORT_UNIT = 3
"""A unit with at most this many letters counts only as the last word of a field's name: `min`, `an`."""


def units_named(words: tuple[str, ...], described: str = "") -> frozenset[str]:
    """Return the units in the name of a field, and those in its description that are in brackets or after `in`."""
    last = len(words) - names_no_unit(words)
    found = {
        UNITS[word] for word in map(without_accents, words[1:last]) if word in UNITS and len(word) > _LONGEST_SHORT_UNIT
    }
    if len(words) > 1 and not names_no_unit(words) and (unit := UNITS.get(without_accents(words[-1]))):
        found.add(unit)
    if words and (meant_unit := _MEANT_BY_NAME.get(without_accents(words[-1]))):
        found |= _DEGREES if meant_unit in _DEGREES and not found & _DEGREES else {meant_unit}
    unit_words = [*_WORDS_IN_BRACKETS.findall(described), *re.findall(r"\bin ([^\s,.;]+)", described)]
    return frozenset(found | {UNITS[word] for one in unit_words if (word := without_accents(one.casefold())) in UNITS})


def names_no_unit(words: tuple[str, ...]) -> bool:
    """True if the unit at the end of a name is none there: a direction (`odometer_in`) or a time (`paid_this_year`)."""
    before = words[:-1]
    if not any(before):
        return False
    if words[-1] == _DIRECTION:
        return _IN_INCHES.isdisjoint(words)
    return without_accents(before[-1]) in _BEFORE_TIMES and UNITS.get(without_accents(words[-1])) in _TIMES


def units_after(candidates: Candidates) -> Slices[list[str]]:
    """Return the unit after each number, MONEY for any other span with an amount of money, and otherwise an empty
    text."""
    found: list[str] = []
    chars = 0
    for index, span in enumerate(candidates.spans):
        if index % SPANS_AT_ONCE == 0 or chars > _CHARS_AT_ONCE:
            yield
            chars = 0
        unit = unit_after(span) if span.kind == "number" else ""
        if not unit:
            chars += len(span.text)
            unit = MONEY if _IS_MONEY.search(span.text) else ""
        found.append(unit)
    return found


def prefer_units(logits: Matrix, field: FieldText, candidates: Candidates, own: Sequence[str]) -> None:
    """Raise the logits of numbers with the field's unit, and lower those of numbers with another unit or of amounts of
    money. `own` is the result of `units_after`."""
    if not field.is_number or field.in_list:
        return
    wanted = units_of(field)
    if not wanted:
        is_money = any(CONCEPTS[name].kind == "amount" for name in field.concepts)
        never = _NEVER_MONEY if is_money else _HARDLY_EVER
        logits[:-1] -= OTHER_UNIT_PENALTY * np.array([one in never for one in own], np.float32)
        return
    # If a number is printed in the field's own unit, no other number needs to be converted.
    has_own = not wanted.isdisjoint(own)
    others = [
        one == MONEY or (one not in {"", *wanted} and (has_own or not _may_be_converted(one, wanted))) for one in own
    ]
    logits[:-1] -= OTHER_UNIT_PENALTY * np.array(others, np.float32)
    values = {
        span.number.readings for one, span in zip(own, candidates.spans, strict=True) if one in wanted and span.number
    }
    if wanted and wanted <= _DEGREES and any(len(name) == 1 for name in field.names.own):
        _prefer_largest_print(logits, candidates, [one in wanted for one in own])
    if values:
        logits[:-1] += SAME_UNIT_BONUS * np.array([one in wanted for one in own], np.float32)
    if len(values) == 1:
        logits[-1] -= SINGLE_NUMBER_PENALTY


def _prefer_largest_print(logits: Matrix, candidates: Candidates, has_unit: Sequence[bool]) -> None:
    """Prefer the number in the largest print, if no other is nearly as large, because a display shows the current value
    largest."""
    heights = [
        box[3] - box[1] if has and (box := box_of(span.passage, span.words)) is not None else 0
        for has, span in zip(has_unit, candidates.spans, strict=True)
    ]
    largest = max(heights, default=0)
    if largest and all(one == largest or one * LARGEST < largest for one in heights):
        logits[:-1] += SAME_UNIT_BONUS * np.array([one == largest for one in heights], np.float32)


def units_of(field: FieldText) -> frozenset[str]:
    """Return the units that a field's numbers may have; empty if neither its name nor its description states one."""
    named_units = [units_named(name, field.full) for name in field.names.own] or [frozenset[str]()]
    concepts = {unit for name, unit in _OF_CONCEPTS.items() if field.concepts == {name}}
    return frozenset().union(*named_units, concepts) or units_named(("", *field.names.around))


def unit_after(span: CandidateSpan) -> str:
    """Return the unit after a number, at the end of its last word or in the next one or two words; empty if there is
    none."""
    return "percent" if span.text.endswith("%") else _unit_at(span.passage, span.words[-1])[0]


def _unit_at(passage: Passage, word: int) -> tuple[str, int]:
    """Return the unit after the number that ends in a word, and the index of the first word after the unit."""
    end = passage.line_words(passage.line_at(word)).stop
    touching = _AFTER_FIGURES.sub("", passage.words[word], count=1) if passage.words[word][:1].isdigit() else ""
    if any(map(str.isalnum, touching)) or "%" in touching:
        return unit_of(touching), word + 1
    for size in range(min(LONGEST_UNIT, end - word - 1), 0, -1):
        if unit := unit_of(" ".join(passage.words[word + 1 : word + 1 + size])):
            return unit, word + 1 + size
    return "", word + 1


@lru_cache(maxsize=4096)
def unit_of(text: str) -> str:
    bare = without_accents(text.casefold().strip(" .,;:()[]{}!?·|"))
    return UNITS.get(bare) or UNITS.get(" ".join(fold(bare)), "")


def unit_in_label(*labels: str) -> str:
    """Return the unit at the end of the first label that states one in brackets or after `in`; empty if no label
    does."""
    stated = (found for label in labels if (found := _UNIT_OF_LABEL.search(label)))
    return next((unit for found in stated if (unit := unit_of(found["brackets"] or found["word"]))), "")


def has_other_unit(header: str, field: FieldText) -> bool:
    """True if the header of a column states a unit or a currency that differs from the field's, or a magnitude that the
    field does not state: `Revenue, $m`. Units of other quantities do not count."""
    unit, wanted = unit_in_label(header), _units_stated(field)
    if unit in _QUANTITY_OF and unit not in wanted and _QUANTITY_OF[unit] in map(_QUANTITY_OF.get, wanted):
        return True
    if has_other_currency(header, field):
        return True
    asks_for_parts = any(name[-1] in _PARTS_OF_CURRENCIES for name in field.names.own)
    if _currencies_stated(field) and not asks_for_parts and not _PARTS_OF_CURRENCIES.isdisjoint(fold(header)):
        return True
    magnitude = magnitude_in_header(header)
    return bool(magnitude) and _magnitudes_in(magnitude).isdisjoint(_magnitudes_stated(field))


def has_other_currency(text: str, field: FieldText) -> bool:
    """True if a text has a currency, and a field states another one."""
    codes = _currencies_stated(field)
    printed = CURRENCY_FORM.findall(text) if codes else []
    return bool(printed) and not any(may_be_in(one, code) for one in printed for code in codes)


def _magnitudes_in(text: str) -> frozenset[int]:
    """Return the factors that a text such as `EUR thousand`, `$m` or `k€` may mean."""
    words = _WORD_OF_MAGNITUDE.findall(_IS_MONEY.sub(" ", without_accents(text.casefold())))
    return frozenset(_MAGNITUDES.get(word) or _BESIDE_MONEY.get(word, 0) for word in words) - {0}


def _currencies_stated(field: FieldText) -> set[str]:
    """Return the codes of the currencies that end the field's own names: `total_eur`."""
    last_words = {name[-1] for name in field.names.own if len(name) > 1}
    return {code for word in last_words if len(word) == LETTERS_OF_CODE and (code := currency_of(word.upper()))}


def states_no_unit(field: FieldText) -> bool:
    """True if a field states neither a unit nor a magnitude, so its numbers may be amounts of money."""
    return not units_of(field) and not _units_stated(field) and not _magnitudes_stated(field)


def has_other_sign(field: FieldText, span: CandidateSpan) -> bool:
    """True if a field states a currency or a unit, and a number is printed with a different one, or with an unknown
    word or sign: `$120.00` for `total_eur`, `12 parsecs` for `distance_km`. If the field asks for cents, any currency
    and any two decimals count."""
    assert span.number
    text, start, end = span.passage.text, span.number.start, span.number.end
    last_words = {name[-1] for name in field.names.own if len(name) > 1}
    printed = _CURRENCY_BEFORE.search(text[max(0, start - LONGEST_CURRENCY - 2) : end].split("\n")[-1])
    printed = printed or _CURRENCY_AFTER.match(text, end)
    if not _PARTS_OF_CURRENCIES.isdisjoint(last_words):
        return printed is not None or _WITH_CENTS.search(span.number.digits) is not None
    if (
        any(name[-1:] == (_DIRECTION,) and names_no_unit(name) for name in field.names.own)
        and _QUANTITY_OF.get(unit_after(span)) == _QUANTITY_OF["inch"]
    ):
        return not _is_unit_in_name(unit_after(span), field)  # `distance_in` may still be meant in inches
    if codes := _currencies_stated(field):
        return printed is not None and not any(may_be_in(printed["currency"], code) for code in codes)
    wanted = _units_stated(field)
    if not wanted or (own := unit_after(span)) in wanted:
        return False
    if own or printed is not None:
        return True
    unknown = _UNKNOWN_UNIT.match(text, end)
    if unknown is None:
        return False
    if unknown["sign"]:
        line_before = text[max(0, start - _LONGEST_QUOTATION) : start].split("\n")[-1]
        return _OPEN_QUOTATION.search(line_before) is None and line_before.count('"') % 2 == 0
    word = without_accents(unknown["word"].casefold())
    return word not in _NO_UNITS and word not in _WORDS_BESIDE_NUMBERS


def _is_unit_in_name(unit: str, field: FieldText) -> bool:
    return any(UNITS.get(word) == unit for name in field.names.own for word in name[:-1])


def lacks_unit(field: FieldText, span: CandidateSpan, candidates: Candidates) -> bool:
    """True if a field states a measure in a unit, and a number in a sentence has none, although another number of the
    text has it: `size 8` beside `25 cm` for `trout_size_cm`."""
    wanted = _units_stated(field).intersection(_QUANTITY_OF) - _TIMES
    if not wanted or unit_after(span) or unit_in_label(*candidates.labels_of(span).values()):
        return False
    word_before = span.passage.words[span.words[0] - 1] if span.words[0] else ""
    is_in_sentence = word_before.isalpha() and span.words[0] > candidates.segments[span.first].words[0]
    return is_in_sentence and any(one.kind == "number" and unit_after(one) in wanted for one in candidates.spans)


class RescaledNumber(NamedTuple):
    """A number that is printed in a different unit or magnitude from its field's: `150 lb` for `weight_kg`, `1.5 M EUR`
    for `total`."""

    value: Fraction | None
    """The number in the field's unit, or None if no exact ratio is known."""
    words: tuple[int, ...]
    """Indices of the words with the number and its unit, ascending."""


def rescaled(field: FieldText, span: CandidateSpan, candidates: Candidates) -> RescaledNumber | None:
    """Return the number of a span in the field's unit and magnitude, or None if it is already printed in them, or if
    its unit measures something else. The unit is printed after the number, or else in its label: `Weight (lb): 150`."""
    if span.number is None or span.text.endswith("%"):
        return None
    wanted = _units_stated(field)
    magnitude, words = _magnitude_after(span, field, has_unit=bool(wanted))
    if magnitude is not None:
        end = words[-1] + 1
        unit = unit_of(span.passage.words[end]) if end < len(span.passage.words) else ""
        is_known = magnitude and (not wanted or not unit or unit in wanted)
        value = magnitude * _value(span.number) if is_known else None
        return RescaledNumber(value, words)
    pieces = _compound_at(span)
    if not pieces[0].unit and wanted and (unit := unit_in_label(*candidates.labels_of(span).values())):
        pieces = [pieces[0]._replace(unit=unit)]
    own = pieces[0].unit
    if own in _FAR:
        wanted -= {"inch"}
    if not own and wanted:
        measure_before = _measure_before(span.passage, span.words[0])
        return (
            RescaledNumber(None, span.words) if measure_before is not None and measure_before.unit in _DIVIDED else None
        )
    same = [unit for unit in wanted if own and _QUANTITY_OF.get(unit) == _QUANTITY_OF.get(own, "")]
    if (own in wanted and len(pieces) == 1) or len(same) != 1:
        return None
    [unit] = same
    if len(pieces) == 1 and (stated := _measure_in(span, unit)) is not None:
        return RescaledNumber(stated.value, tuple(range(stated.first, stated.end)))
    words = tuple(range(pieces[0].first, pieces[-1].end))
    if pieces[-1].unit in _DIVIDED and span.passage.number_at.get(pieces[-1].end):
        return RescaledNumber(None, words)  # `6 ft 2`: the last number has no unit
    if _SCALE_OF[own] == _SCALE_OF[unit]:
        sizes = _SCALES[_SCALE_OF[unit]]
        if sizes[unit].zero != sizes[own].zero and not _DIFFERENCES.isdisjoint(fold(field.full)):
            return RescaledNumber(None, words)
        total = sum(
            ((piece.value - sizes[piece.unit].zero) * sizes[piece.unit].size for piece in pieces), start=Fraction(0)
        )
        return RescaledNumber(total / sizes[unit].size + sizes[unit].zero, words)
    # `min` at the end of a name is a limit as often as a minute: `age_min`.
    return None if "min" in {name[-1] for name in field.names.own if name} else RescaledNumber(None, words)


class _Measure(NamedTuple):
    first: int
    end: int
    value: Fraction
    unit: str


def _may_be_converted(unit: str, wanted: Collection[str]) -> bool:
    return any(unit in _SCALE_OF and _SCALE_OF[unit] == _SCALE_OF.get(one) for one in wanted)


def _units_stated(field: FieldText) -> frozenset[str]:
    """Return the units that a field states: at the end of its own names, or in its description in brackets or after
    `in`. Words that may mean something else do not count."""
    names = [name for name in field.names.own if name]
    if rates := {UNITS[rate] for name in names if (rate := " ".join(name[-_WORDS_OF_RATE:])) in UNITS}:
        return frozenset(rates)
    if any("per" in name or "pro" in name for name in names):
        return frozenset()
    last_words = [
        name[-1]
        for name in names
        if name[-1] not in _NO_UNITS and (len(name) > 1 or len(name[0]) > _LONGEST_SHORT_UNIT)
        if not names_no_unit(name)
    ]
    found = frozenset().union(*(units_named(("", word)) for word in last_words))
    return found or units_named((), " ".join(_STATED_UNIT.findall(field.full)))


def _compound_at(span: CandidateSpan) -> list[_Measure]:
    """Return the measures that form one measure together with the number of a span: two for `6 ft 2 in`, whether the
    span is 6 or 2, and three for `1 h 30 min 15 s`."""
    passage, word = span.passage, span.words[-1]
    own = span.number and _measure_at(passage, word, span.number, span.words[0])
    assert own
    line = passage.line_words(passage.line_at(word))
    pieces = [own]
    while len(pieces) < _MOST_PIECES:
        measure_before = _measure_before(passage, pieces[0].first)
        if measure_before is None or not _goes_on(measure_before, pieces[0]):
            break
        pieces.insert(0, measure_before)
    while len(pieces) < _MOST_PIECES and pieces[-1].end in line:
        end = pieces[-1].end
        number = passage.number_at.get(end)
        measure_after = _measure_at(passage, end, number, end) if number is not None and number.readings else None
        if measure_after is None or not _goes_on(pieces[-1], measure_after):
            break
        pieces.append(measure_after)
    return pieces


def _measure_in(span: CandidateSpan, unit: str) -> _Measure | None:
    """Return the measure in `unit` in the line of a number, as in `68 kg / 150 lb`; None unless there is exactly
    one."""
    passage = span.passage
    found = [
        measure
        for at in passage.line_words(passage.line_at(span.words[0]))[:_MOST_WORDS]
        if (number := passage.number_at.get(at)) is not None and number.readings
        if (measure := _measure_at(passage, at, number, at)).unit == unit
    ]
    return found[0] if len(found) == 1 else None


def _measure_before(passage: Passage, word: int) -> _Measure | None:
    """Return the measure that ends right before a word, in its line; None if there is none."""
    line_start = passage.line_words(passage.line_at(word)).start
    for index in range(max(line_start, word - 1 - LONGEST_UNIT), word):
        number = passage.number_at.get(index)
        if (
            number is not None
            and number.readings
            and (measure := _measure_at(passage, index, number, index)).end == word
        ):
            return measure
    return None


def _measure_at(passage: Passage, word: int, number: Number, first: int) -> _Measure:
    unit, end = _unit_at(passage, word)
    return _Measure(first, end, _value(number), unit)


def _value(number: Number) -> Fraction:
    return Fraction(likeliest(number.readings, number.digits))


def _goes_on(first: _Measure, second: _Measure) -> bool:
    """True if `second` is the rest of a measure that begins with `first`: minutes after hours."""
    scale = _SCALE_OF.get(first.unit, -1)
    if scale != _SCALE_OF.get(second.unit) or first.unit == second.unit:
        return False
    sizes = _SCALES[scale]
    ratio = sizes[first.unit].size / sizes[second.unit].size
    return (
        sizes[first.unit].zero == sizes[second.unit].zero == 0 < second.value < ratio and first.value.denominator == 1
    )


def _magnitude_after(
    span: CandidateSpan, field: FieldText, *, has_unit: bool
) -> tuple[Fraction | None, tuple[int, ...]]:
    """Return the factor by which the magnitude after a number exceeds the field's, and the words up to the magnitude.
    The factor is 1000 for `3 thousand`, 0 if it is unknown, and None if there is no magnitude, if the field states the
    same magnitude, or if the field states several."""
    assert span.number
    passage = span.passage
    power = _POWER_OF_TEN.match(passage.text, span.number.end)
    if power and power["lowered"]:
        is_range = _value(span.number).denominator == 1 and int(power["lowered"][1:]) > _BASE_OF_POWER
        return (None, ()) if is_range else (Fraction(0), span.words)
    if power:
        exponent = int(normalized("NFKC", power["plain"] or power["raised"]).replace("−", "-"))
        words = tuple(range(span.words[0], passage.words_between(power.start() + 1, power.end())[-1] + 1))
        return Fraction(10) ** exponent, words
    text, start = passage.text, span.number.end
    by: int | None
    if touching := _MAGNITUDES_IN_CHINESE.match(text, start):
        by, end = prod(_MAGNITUDES[one] for one in touching[0]), touching.end()
    elif found := _MAGNITUDE.match(text, start):
        by, end = _factor_of(found, span, has_unit=has_unit), found.end("word")
        # `5 hundred thousand` has two magnitudes, and `5 hundred twenty` another number in words.
        while by and (more := _WORD_AFTER.match(text, end)) is not None:
            after = more["word"].casefold()
            if not more["joined"] and (factor := _MAGNITUDES.get(without_accents(after))) is not None:
                by *= factor
            elif NUMBERS.get(after, 0) > (0 if more["joined"] else _LAST_SHORT_NUMBER):
                by = 0
            else:
                break
            end = more.end("word")
    else:
        return None, ()
    if by is None:
        return None, ()
    stated = _magnitudes_stated(field)
    if by in stated or len(stated) > 1:
        return None, ()
    of_field = next(iter(stated), 1)
    words = tuple(range(span.words[0], passage.words_between(end - 1, end)[-1] + 1))
    return (Fraction(by, of_field) if by and of_field else Fraction(0)), words


def _factor_of(found: re.Match[str], span: CandidateSpan, *, has_unit: bool) -> int | None:
    """Return the factor of the word after a number, 0 if it is ambiguous, and None if the word is not a magnitude."""
    assert span.number
    word = without_accents(found["word"].casefold())
    if (by := _MAGNITUDES.get(word)) is not None:
        return by
    is_money = found["currency"] is not None or _IS_MONEY.search(span.text) is not None
    touches = span.passage.text[span.number.end - 1].isdigit() and found.start("word") == span.number.end
    # The letter after a price may also stand for its tax, or begin a name: $12.99 T, $1,250.00 B. Smith.
    is_letter_of_amount = found["currency"] is not None or (touches and not _WITH_CENTS.search(span.number.digits))
    if is_letter_of_amount and (is_money or (word == "k" and not has_unit)):
        return _BESIDE_MONEY.get(word)
    return None


def _magnitudes_stated(field: FieldText) -> frozenset[int]:
    """Return the magnitudes that a field's name or description states: `revenue_millions`, `in k€`."""
    words = map(without_accents, fold(_NOT_SO.sub("", field.full)))
    known = {_MAGNITUDES[word] for word in words if word in _MAGNITUDES}
    last = {_BESIDE_MONEY[name[-1]] for name in field.names.own if len(name) > 1 and name[-1] in _BESIDE_MONEY}
    of_currency = {_BESIDE_MONEY.get(found["word"].casefold(), 0) for found in _MAGNITUDE_OF_FIELD.finditer(field.full)}
    return frozenset(known | last | of_currency)
