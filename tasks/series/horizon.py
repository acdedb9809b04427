"""Recognises the horizon of a forecast in the words of a request.

Its patterns have alternatives in English, German, French, Spanish, Italian, Portuguese, Dutch, Chinese, Japanese,
Russian and Arabic, in this order.
"""

import datetime as dt
import re
from dataclasses import dataclass

from tasks.notation.dates import DATE, date_range_of
from tasks.notation.words import NUMBERS, UNITS, any_of, count_named, unit_named
from tasks.series.grid import DAILY, DAY, HOUR, MINUTE, MONTHLY, QUARTERLY, WEEKDAYS, WEEKLY, YEARLY, Period
from tasks.wording.phrases import PHRASES, compiled

_PERIODS = {
    "weekday": WEEKDAYS,
    "second": Period("second"),
    "minute": Period("second", MINUTE),
    "hour": Period("second", HOUR),
    "day": DAILY,
    "fortnight": Period("second", 14 * DAY),
    "week": WEEKLY,
    "quarter": QUARTERLY,
    "month": MONTHLY,
    "year": YEARLY,
    "decade": Period("month", 120),
}
_STEPS = PHRASES["horizon"]["steps"]
_CJK = [word for word in NUMBERS if word >= "\u3000"]
_ARABIC = [f"ال{word}" for word in NUMBERS if "\u0600" <= word < "\u0700"]
_COUNT = (
    r"(?:(?<![\d.,])\d{1,3}(?:[.,]\d{3})+|(?:(?<!\S)(?<!\d )[-−])?(?<![\d.,])\d{1,40}"
    rf"|(?<![^\W\d_])(?:{any_of(word for word in NUMBERS if word not in _CJK)})\b|[{''.join(_CJK)}])"
)
_NEXT = PHRASES["horizon"]["next"]
_PAST = PHRASES["horizon"]["past"]
_UNIT = rf"(?P<unit>{'|'.join(UNITS.values())})"
_EDGE = r"(?<![^\W\d_])"
_END = r"(?![^\W\d_]|\d)"
_BETWEEN = rf"(?:[ -]?(?:{_NEXT}|more|weiteren?|autres|más|altri|mais|de|calendar|full|whole|single|additional|extra))?"
_COUNTED = rf"(?P<count>{_COUNT})\s*+-?{_BETWEEN}\s*+-?(?:{_UNIT}|{_STEPS})(?:{_END}|(?<=[\u3040-\u9fff]))"
_COUNTED_AFTER = rf"{_UNIT}\s+(?P<count>{'|'.join(_ARABIC)})"
_UNCOUNTED = (
    rf"{_EDGE}(?:{_NEXT})\s*{_UNIT}{_END}",
    rf"{_EDGE}{_UNIT} (?:{_NEXT}){_END}",
)
_COUNT_WITHOUT_UNIT = (
    rf"{_EDGE}(?:(?:{_NEXT})\s+(?P<next>{_COUNT}){_END}|(?P<more>{_COUNT}) more{_END}"
    rf"|(?:horizon|h|steps|prediction_length|length)\s*(?:of|[:=])\s*(?P<named>[-−]?\d{{1,40}}){_END})"
)
_MINUS = "-−"
_CONTEXT = 24
"""Number of characters before a count in which a word may mark it as past or as "next"."""
_MARKED_PAST = rf"{_EDGE}(?:{_PAST})\W*(?:the\W*)?$"
_MARKED_NEXT = rf"{_EDGE}(?:{_NEXT})\W*$"
_TOMORROW = r"\b(?:tomorrow|morgen|demain|mañana|domani|amanhã)\b|明天|明日|\bзавтра\b|غدا"
_UNTIL = (
    r"(?:\b(?:(?P<firm>until|till|through|thru|up to|bis|jusqu['’](?:à|en|au)|hasta|fino (?:a|al)|até|tot(?: en met)?"
    r"|до|по)"
    r"|to|by|ending|for|in|für|im|pour|en|para|per|voor|на|в)|(?P<unspaced>到|至|حتى))"
    rf"(?: the)?(?: (?:end|close|ende|fin|final|fine|fim|einde|конца) ?(?:of|de|di|do|von|van)?)? ?{DATE}"
)


def period_named(unit: str) -> Period:
    """Return the period with an English name such as `week`."""
    return _PERIODS[unit]


@dataclass(frozen=True, slots=True)
class Horizon:
    count: int = 1
    period: Period | None = None
    """Unit that is counted; None for the steps of the series itself."""
    until: dt.datetime | None = None
    """Exclusive end of the forecast. It replaces count and period."""
    firm: bool = True
    """False if the words may refer to the series and not to the forecast: `for 2024`."""


def horizon_in(words: str) -> Horizon | None:
    """Return the horizon that `words` give, or None. Counted periods take precedence over dates, and a count with
    "next" takes precedence over other counts."""
    counted = [
        found
        for found in (*compiled(_COUNTED).finditer(words), *compiled(_COUNTED_AFTER).finditer(words))
        if not _is_past(words, found)
    ]
    ahead = [
        found
        for found in counted
        if compiled(_MARKED_NEXT).search(words[max(0, found.start() - _CONTEXT) : found.start()])
    ]
    if counted:
        first = (ahead or counted)[0]
        return Horizon(_parse_count(first["count"]), _period_of(first))
    if until := _horizon_until(words):
        return until
    for pattern in _UNCOUNTED:
        if found := compiled(pattern).search(words):
            return Horizon(1, _period_of(found))
    if found := compiled(_COUNT_WITHOUT_UNIT).search(words):
        return Horizon(_parse_count(found["next"] or found["more"] or found["named"]))
    return Horizon(1, DAILY) if compiled(_TOMORROW).search(words) else None


def _is_past(words: str, found: re.Match[str]) -> bool:
    return bool(compiled(_MARKED_PAST).search(words[max(0, found.start() - _CONTEXT) : found.start()]))


def _period_of(found: re.Match[str]) -> Period | None:
    """Return the period that is counted; None if it is the step of the series."""
    if not found["unit"]:
        return None
    unit = unit_named(found["unit"])
    assert unit is not None, "the pattern has only words for units"
    return _PERIODS[unit]


def _parse_count(text: str) -> int:
    """Return a count, which is negative if someone wrote it so."""
    size = count_named(text.removeprefix("ال").lstrip(_MINUS))
    return -size if text[0] in _MINUS else size


def _horizon_until(words: str) -> Horizon | None:
    """Return the horizon up to the end of the last day, month, quarter or year that the words name."""
    ends = [
        (stretch[1], bool(found["firm"] or found["unspaced"]))
        for found in compiled(_UNTIL).finditer(words)
        if (stretch := date_range_of(found)) is not None
    ]
    if not ends:
        return None
    end, firm = max(ends)
    return Horizon(until=dt.datetime.combine(end, dt.time()), firm=firm)
