"""Finds numbers beside a field's label that do not count what the field names: the weight of one of ten boxes, the
price of a dozen, the beginning of the code `4B`, the count in `Deposit: 3 months' rent`, the article of a law.

The network scores such a number by its label and its unit, which are those of the field.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tasks.extraction.candidates import CandidateSpan
from tasks.extraction.concepts import CONCEPTS, concepts_of
from tasks.extraction.features import FieldText
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.own_words import is_form_of
from tasks.extraction.rules import names_field
from tasks.extraction.units import unit_after, unit_of, units_of
from tasks.notation.currencies import ANY as CURRENCY
from tasks.notation.currencies import currency_of

_TABLE: Final[Mapping[str, Any]] = tomllib.loads(Path(__file__).with_name("other_quantities.toml").read_text("utf-8"))


def _listed(key: str) -> list[str]:
    return [without_accents(one) for one in " ".join(_TABLE[key].split()).split(", ")]


def _any_of(key: str) -> str:
    return "|".join(re.escape(one) for one in sorted(_listed(key), key=len, reverse=True))


_MONEY: Final = without_accents(CURRENCY.casefold())
_LETTER_AFTER = re.compile(r"(?P<letter>[^\W\d_])(?![^\W_])(?!['’.])")
_FOR_ONE = re.compile(
    rf" ?(?:{_MONEY}|[^\W\d_]{{1,12}}\.?)? ?(?:/ ?|(?<![^\W_])(?:{_any_of('per')})(?![^\W_]) ?)"
    r"(?:(?P<count>\d{1,6})(?![\d.,]| ?%) ?)?(?P<thing>[^\W\d_]{2,30}|(?<=\d00 )|(?<=\d00))"
)
"""Pattern of what one number counts for, behind the number: `kg per box`, `€ / 100 Stück`."""
_TIMES = re.compile(r"(?<![\w.,])(?P<count>\d{1,4}) ?[x×*] ?$")
_OF_EACH = re.compile(
    rf"(?<![\w.,])(?P<count>\d{{1,4}}) [^\W\d_]{{2,30}} (?:{_any_of('of_each')})(?: ?(?:{_MONEY}))? ?$"
)
"""Patterns of the text before a number that others multiply: `10 x 25 kg`, `12 cartons of 6`."""
_TIMES_AFTER = re.compile(r" ?[x×*] ?\d[\d.,]{0,12} ?(?P<unit>[^\W\d_]{1,12})")
_WORD_AFTER = re.compile(r" (?P<word>[^\W\d_]{4,30})")
_IN_MONEY = re.compile(rf" ?(?:{_MONEY}|{_any_of('money')})(?![^\W_])")
_PLACE_IN_LAW = re.compile(rf"(?:§{{1,2}}|(?<![^\W_])(?:{_any_of('parts_of_laws')})\.?) ?$")
_HEDGED = re.compile(rf"(?<![^\W_])(?:{_any_of('hedges')})(?: (?:{_any_of('between')}))? ?(?:{_MONEY})? ?$")
_COUNTED = re.compile(r"(?<![\w.,/-])(?P<count>\d{1,6}) (?P<thing>[^\W\d_]{3,30})")
_TOTALS, _SINGLES, _SEVERAL = (frozenset(_listed(key)) for key in ("totals", "singles", "several"))
_BESIDE_AMOUNTS: Final = frozenset(_listed("beside_amounts"))
_IDENTIFYING: Final = frozenset(
    ("table_number", "room", "seat", "house_number", "gate", "platform", "coach", "terminal", "floor", "cabin_number")
)
"""Concepts of numbers that letters may follow, as in seat `12C`, and that have no unit."""
_NO_SUFFIXES, _MAGNITUDES = frozenset("xeºª"), frozenset("km")
"""Letters behind a number that do not make it a code, as in `2x` and French `2e`, and those that multiply it."""
_OF_LENGTH: Final = frozenset(
    ("metre", "centimetre", "millimetre", "kilometre", "inch", "foot", "yard", "mile", "pixel")
)
"""Units of numbers with a cross between them that are the sides of something: `60 x 40 cm`."""
_LARGEST_COUNT: Final = 60
"""A deposit is at most this many rents, or another such unit."""
_MAX_COUNTED: Final = 200
"""At most this many counts of things in a text are compared with a field."""
_NEAR: Final = 60
"""At most this many characters before a number, and after it, are searched."""


def is_other_quantity(field: FieldText, span: CandidateSpan) -> bool:
    """True if the text around a number says that the number may not count what the field names."""
    assert span.number
    text, start, end = span.passage.text, span.number.start, span.number.end
    before = without_accents(text[max(0, start - _NEAR) : start].split("\n")[-1].casefold())
    after = without_accents(text[end : end + _NEAR].split("\n")[0].casefold())
    names = {without_accents(word) for name in field.names.own for word in name}
    is_amount = bool(field.concepts) and all(CONCEPTS[name].kind == "amount" for name in field.concepts)
    return (
        _HEDGED.search(before) is not None
        or _begins_code(field, span, after)
        or _is_for_one(span, names, after, is_amount=is_amount)
        or (not is_amount and _is_multiplied(span, names, before))
        or (_multiplies(after) and _asks_for_measure(field))
        or (is_amount and _PLACE_IN_LAW.search(before) is not None)
        or (is_amount and _counts_things(span, before, after))
        or _is_one_of_several_counts(field, span, names, after)
    )


def _begins_code(field: FieldText, span: CandidateSpan, after: str) -> bool:
    """True if a letter touches a whole number and is not a unit of the field: `4B`, seat `12C`."""
    assert span.number
    found = _LETTER_AFTER.match(after)
    if found is None or not span.number.digits.isdigit() or found["letter"] in _NO_SUFFIXES:
        return False
    if unit_of(found["letter"]) in units_of(field):
        return False
    may_be_unit = unit_of(found["letter"]) or found["letter"] in _MAGNITUDES
    return not may_be_unit or not field.concepts.isdisjoint(_IDENTIFYING)


def _is_for_one(span: CandidateSpan, names: set[str], after: str, *, is_amount: bool) -> bool:
    """True if a number counts for one thing and the field asks for all, or for several things and the field asks for
    one: `12 kg per box` beside `10 boxes`, `12.00 per dozen` for a `unit_price`."""
    found = _FOR_ONE.match(after)
    if found is None:
        return False
    thing, count = found["thing"], int(found["count"] or 1)
    if names & {thing, found["count"]} or any(thing and is_form_of(thing, name) for name in names):
        return False
    if not names.isdisjoint(_SINGLES):
        return count > 1 or thing in _SEVERAL
    if not names.isdisjoint(_TOTALS):
        return True
    return not is_amount and bool(thing) and not unit_of(thing) and _is_counted(span, thing)


def _is_counted(span: CandidateSpan, thing: str) -> bool:
    """True if a text states a number of things other than one: `10 boxes`."""
    return any(count != 1 and is_form_of(word, thing) for count, word in _counts(span))


def _counts(span: CandidateSpan) -> list[tuple[int, str]]:
    """Return the whole numbers in the text near a span with the words after them, without accents."""
    assert span.number
    text = span.passage.text
    near = text[max(0, span.number.start - 10 * _NEAR) : span.number.end + 10 * _NEAR]
    found = list(_COUNTED.finditer(without_accents(near.casefold())))[:_MAX_COUNTED]
    return [(int(one["count"]), one["thing"]) for one in found]


def _is_multiplied(span: CandidateSpan, names: set[str], before: str) -> bool:
    """True if another number multiplies a quantity: `10 x 25 kg`, `12 cartons of 6 bottles`."""
    if not names.isdisjoint(_SINGLES):
        return False
    unit = unit_after(span)
    found = _TIMES.search(before) if unit and unit not in _OF_LENGTH else None
    found = found or _OF_EACH.search(before)
    return found is not None and int(found["count"]) > 1


def _multiplies(after: str) -> bool:
    """True if a number is how often the next one counts: `10 x 25 kg`. Sides, as in `60 x 40 cm`, do not count."""
    found = _TIMES_AFTER.match(after)
    unit = unit_of(found["unit"]) if found is not None else ""
    return bool(unit) and unit not in _OF_LENGTH


def _asks_for_measure(field: FieldText) -> bool:
    return bool(field.concepts) and all(CONCEPTS[name].kind == "number" for name in field.concepts)


def _counts_things(span: CandidateSpan, before: str, after: str) -> bool:
    """True if a number for an amount of money counts something else: `Deposit: 3 months' rent`."""
    assert span.number
    if not span.number.digits.isdigit() or int(span.number.digits) > _LARGEST_COUNT:
        return False
    found = _WORD_AFTER.match(after)
    last = before.split()[-1:] or [""]
    if found is None or currency_of(last[0]) or _IN_MONEY.match(after):
        return False
    return found["word"] not in _BESIDE_AMOUNTS and not concepts_of((found["word"],))


def _is_one_of_several_counts(field: FieldText, span: CandidateSpan, names: set[str], after: str) -> bool:
    """True if only the word after a number names it, and another number has the same word: `Ordered 12 boxes, delivered
    10 boxes`."""
    assert span.number
    found = _WORD_AFTER.match(after)
    if found is None or not span.number.digits.isdigit() or unit_of(found["word"]):
        return False
    if span.has_colon and names_field(tuple(fold(span.label)), field):
        return False
    if not any(is_form_of(found["word"], name) for name in names):
        return False
    own = int(span.number.digits)
    return any(count != own and is_form_of(word, found["word"]) for count, word in _counts(span))
