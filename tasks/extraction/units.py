"""Uses the units of numbers: a field `weight_kg` means the number before `kg`, and a field `deposit` does not mean a
number before `%`.

>>> sorted(units_named(("weight", "kg")))
['kilogram']
"""

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from tasks.extraction.candidates import Candidates, CandidateSpan
from tasks.extraction.concepts import CONCEPTS
from tasks.extraction.features import FieldText, Matrix
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.names import Names
from tasks.extraction.passages import Passage
from tasks.notation.currencies import ANY as CURRENCY
from tasks.notation.currencies import find_currencies
from tasks.notation.numbers import MAGNITUDES

SAME_UNIT_BONUS = 4.0
"""Bonus on the logit of a number with the field's unit."""
OTHER_UNIT_PENALTY = 4.0
"""Penalty on the logit of a number whose unit differs from the field's. If the field names no unit, the penalty applies
to units that such a field does not have: a price is not in `%`."""
SINGLE_NUMBER_PENALTY = 2.0
"""Penalty on the logit that nothing answers a field, if a single number has the field's unit."""
LONGEST_UNIT = 2
"""A unit has at most this many words."""


def _listed(words: str) -> list[str]:
    return " ".join(words.split()).split(", ")


_TABLE: Mapping[str, Any] = tomllib.loads(Path(__file__).with_name("units.toml").read_text("utf-8"))
UNITS: Mapping[str, str] = {word: unit for unit, words in _TABLE["units"].items() for word in _listed(words)}
"""Unit by each of its names, without accents."""
_SIZES: Final = {
    unit: (quantity, Decimal(size)) for quantity, sizes in _TABLE["sizes"].items() for unit, size in sizes.items()
}
"""Quantity and size of units, by unit."""
_DECIMALS: Final = 12
"""Decimals of a converted number."""
_HUNDREDTHS: Final = frozenset(_listed(_TABLE["names"]["hundredths"]))
_WITHOUT_HUNDREDTHS: Final = frozenset(("JPY", "KRW", "VND"))
"""Currencies without a minor unit (ISO 4217)."""
_TO: Final = "to"
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


_DIRECTION: Final = "in"
"""Name of the inch that is also a direction, at the end of a name."""
_IN_INCHES = frozenset(_listed(_TABLE["names"]["in_inches"]))
_BEFORE_TIMES = frozenset(_listed(_TABLE["names"]["before_times"]))
_TIMES = frozenset(("day", "week", "month", "year", "hour"))
_IS_MONEY = re.compile(CURRENCY, re.IGNORECASE)
MONEY: Final = "money"
"""The result of `units_after` for a span with an amount of money."""
_WORDS_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]{1,20})[)\]]")
_AFTER_FIGURES = re.compile(r"[\d\s.,:'’)\]/½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞]*")
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


def magnitude_named(names: Names, described: str = "") -> int:
    """Return the factor that a field's numbers lack: 1,000,000 for `revenue_mio` or `in millions`, 1 for others."""
    words = [*(name[-1] for name in names.own if len(name) > 1), *re.findall(r"\bin ([^\s,.;]+)", described)]
    return next((MAGNITUDES[word.casefold()] for word in words if word.casefold() in MAGNITUDES), 1)


def names_no_unit(words: tuple[str, ...]) -> bool:
    """True if the unit at the end of a name is none there: a direction (`odometer_in`) or a time (`paid_this_year`)."""
    before = words[:-1]
    if not any(before):
        return False
    if words[-1] == _DIRECTION:
        return _IN_INCHES.isdisjoint(words)
    return without_accents(before[-1]) in _BEFORE_TIMES and UNITS.get(without_accents(words[-1])) in _TIMES


def converted(number: Decimal, unit: str, units: Collection[str]) -> Decimal | None:
    """Return a number of one unit in another: the only one of `units`. Return None if it is in that unit already, or if
    no definition says how much one is in the other."""
    if len(units) != 1 or unit in units or unit not in _SIZES:
        return None
    (quantity, size), (other, other_size) = _SIZES[unit], _SIZES.get(next(iter(units)), ("", Decimal(1)))
    return round(number * size / other_size, _DECIMALS).normalize() if quantity == other else None


def in_hundredths(number: Decimal, text: str) -> Decimal | None:
    """Return an amount of money in hundredths of the currency in `text`. Return None without a currency, because the
    number may be in hundredths already, and for currencies that have none."""
    codes = {one.code for one in find_currencies(text)}
    return 100 * number if codes and codes.isdisjoint(_WITHOUT_HUNDREDTHS) else None


def units_to_convert_to(names: Names, described: str = "") -> frozenset[str]:
    """Return the units that a field states where nothing else can be meant: at the end of its name, or in the brackets
    of its description. The `to` of `weight_to` is rather a direction than a tonne."""
    last_words = {name[-1] for name in names.own if len(name) > 1 and not names_no_unit(name)} - {_TO}
    found = {UNITS[word] for word in map(without_accents, last_words) if word in UNITS}
    return frozenset(found) | units_named((), described)


def wants_hundredths(names: Names) -> bool:
    """True if a field's amounts are in hundredths of a currency: `total_cents`."""
    return any(len(name) > 1 and without_accents(name[-1]) in _HUNDREDTHS for name in names.own)


def units_after(candidates: Candidates) -> list[str]:
    """Return the unit after each number, MONEY for any other span with an amount of money, and otherwise an empty
    text."""
    found: list[str] = []
    for span in candidates.spans:
        unit = unit_after(span) if span.kind == "number" else ""
        if not unit:
            unit = MONEY if _IS_MONEY.search(span.text) else ""
        found.append(unit)
    return found


def prefer_units(logits: Matrix, field: FieldText, own: Sequence[str]) -> None:
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
    has_unit = np.array([one in wanted for one in own], np.float32)
    has_other = np.array(
        [bool(one) and one not in wanted and not _is_convertible(one, wanted) for one in own], np.float32
    )
    logits[:-1] += SAME_UNIT_BONUS * has_unit - OTHER_UNIT_PENALTY * has_other
    if has_unit.sum() == 1:
        logits[-1] -= SINGLE_NUMBER_PENALTY


def _is_convertible(unit: str, wanted: Collection[str]) -> bool:
    return converted(Decimal(1), unit, wanted) is not None


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
