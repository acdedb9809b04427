"""Finds the time of day that is printed beside a calendar day.

>>> text = "Entered 09.11.2024, 10:07"
>>> clock_beside(text, 8, 18)
datetime.time(10, 7)
"""

import re
from datetime import datetime, time, timedelta, timezone

from tasks.notation.currencies import ANY as CURRENCY

_BEFORE_CLOCK = r"(?<!\w)(?:um|at|à|a las|las|às|alle(?: ore)?|ore|klo|kl\.?|om|o godz\.?|godz\.?|o) ?"
_HOURS = r"(?:Uhr|uur|heures?|hrs?|horas?|ore|h)\b"
_HALF = r"(?: ?(?P<half>[ap](?=\.? ?m\b|(?<=\d[ap])(?!\w)))(?:\.? ?m\b\.?)?)?"
"""Pattern of the half of the day: `8 pm`, `8:20 p. m.`, `8:20p`."""
_CLOCK = (
    r"(?P<hour>[01]?\d|2[0-3])(?: ?(?P<by>[:.h]) ?(?P<minute>[0-5]\d)"
    r"(?:(?P=by)(?P<second>[0-5]\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?(?![.,:]?\d)"
)
"""Pattern of hours with or without minutes. `_is_clock` says whether it is a time."""
_WORD_BEFORE = re.compile(r"um|at|à|las|alle|ore|klo|kl\.?|om|godz\.?|o|h|time:?", re.IGNORECASE)
_UNIT_OF_CLOCK = re.compile(r"(?:Uhr|uur|hrs|ore|kl|godz)[.,;:)]*", re.IGNORECASE)
_NAMED_ZONES = {
    **dict.fromkeys(("Z", "UTC", "GMT", "UT"), 0),
    **{"CET": 1, "MEZ": 1, "BST": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3, "JST": 9},
    **{"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7},
}
"""Hours before UTC of zones by the names printed in Europe and, as RFC 2822 (4.3) has them, in North America."""
_HOURS_OFF = r"(?:0\d|1[0-4])"
_ZONE = (
    rf" ?[(\[]?(?-i:(?:UTC|GMT) ?(?P<off>[+−-](?:{_HOURS_OFF}|\d)(?::?[0-5]\d)?)"
    rf"|(?P<plain>[+−-]{_HOURS_OFF}(?::?[0-5]\d)?)|(?P<name>{'|'.join(_NAMED_ZONES)}))(?![^\W_]|[:.]\d)[)\]]?"
)
"""Pattern of an offset from UTC or the name of a zone, after a time of day."""
_TIME = rf"(?P<at>{_BEFORE_CLOCK})?{_CLOCK}{_HALF}(?P<unit> ?{_HOURS})?(?:{_ZONE})?"
_TIME_AFTER_DATE = re.compile(rf"[ \tT,;|·•–-]{{1,4}}{_TIME}", re.IGNORECASE)
_TIME_BEFORE_DATE = re.compile(rf"(?<![\d.,:]){_TIME}[ \t,;|·•–-]{{1,4}}(?:on )?$", re.IGNORECASE)
_WITH_POINT = r"(?:[01]?\d|2[0-4])\.[0-5]\d"
_IS_WITH_POINT = re.compile(_WITH_POINT)
_TO = r" ?(?:[-–—]|bis|to|until|à|a|alle|al|às|as|tot|do|til|till|und|and|et|y|e|en|och|og|i) ?"
"""Pattern of what may stand between the two times of a range."""
_HOURS_AFTER = re.compile(
    rf"(?:{_TO}(?:ore )?(?:{_WITH_POINT}|[01]?\d|2[0-4]))?(?: ?{_HOURS}| ?(?:hours|heures|[ap]\.?m)(?!\w))",
    re.IGNORECASE,
)
_CLOCK_BEFORE = re.compile(
    rf"(?:{_BEFORE_CLOCK}|(?<!\w)(?:dalle(?: ore)?|orario|klokken|klo|(?:uhrzeit|zeit|beginn|tijd|tijdstip|begin"
    rf"|aanvang|time|start|heure|hora|ora|inizio|godzina|tid|klokkeslett):) ?)(?:{_WITH_POINT}{_TO})?$",
    re.IGNORECASE,
)
"""Patterns of the words after a time of day, and before one. Another time of the same range may be between."""
_LONGEST_BEFORE = 30
"""A word before a time of day is searched for in this many characters."""
_MONEY_AFTER = re.compile(rf" ?(?:{CURRENCY})(?![^\W\d_])")
_ISO_WORD = re.compile(r"[\d-]{8,10}T[\d:.,+-]{2,24}(?<=\d)Z?(?!\w)", re.IGNORECASE)
_FARTHEST = 30
"""A time of day is searched for in this many characters before a day."""
OTHER_CLOCKS = r"\b(?:[01]?\d|2[0-3]) ?(?:h ?[0-5]\d|uhr|uur)\b|(?<=[àstml][ .])(?:[01]?\d|2[0-3]) ?h\b(?! ?\d)"
"""A regular expression of times of day without a colon: `20H30`, `9 Uhr`, `à 16 h`."""
_WRITTEN = re.compile(_TIME, re.IGNORECASE)
_WITHOUT_SIGN = re.compile(
    r"(?P<hour>[01]\d|2[0-3]|\d(?= )) ?(?P<minute>[0-5]\d)(?: ?(?:hrs?|h))?(?: ?(?P<half>[ap])\.?m\b\.?)?",
    re.IGNORECASE,
)
"""Pattern of four figures that are a time of day: `0830`, `14 30`."""


def written_clock(text: str) -> str | None:
    """Return the hours and minutes of a time of day: `20:30` for `20H30` or `8.30 pm`. Return None for another text."""
    found = _WRITTEN.fullmatch(text)
    if found is None or not (found["minute"] or _has_mark(found)):
        found = _WITHOUT_SIGN.fullmatch(text)
    return f"{_hour_of(found):02}:{found['minute'] or '00'}" if found else None


def without_clock(text: str, start: int, end: int) -> tuple[str, str]:
    """Return the texts before and after the day at `start` to `end`, without a time of day beside it."""
    if (moment := iso_moment(text, start)) is not None:
        return text[:start], text[moment[0] :]
    after, before = _TIME_AFTER_DATE.match(text, end), _TIME_BEFORE_DATE.search(text, 0, start)
    return (
        text[: before.start() if before and _is_clock(before) else start],
        text[after.end() if after and _is_clock(after) else end :],
    )


def _has_mark(found: re.Match[str]) -> bool:
    """True if a word says that a number is a time of day."""
    return bool(found["at"] or found["half"] or found["unit"])


def _is_clock(found: re.Match[str]) -> bool:
    """True if a number beside a day is a time. One with a point may be an amount."""
    return _has_mark(found) or found["by"] in (":", "h", "H")


def _hour_of(found: re.Match[str]) -> int:
    hour = int(found["hour"])
    return hour % 12 + 12 * (found["half"].lower() == "p") if found["half"] else hour


def is_clock_with_point(text: str, start: int, end: int) -> bool:
    """True if the digits at `start` to `end` of a text are a time of day with a point: `14.30 Uhr`, `ore 14.30`, either
    one in `02.00 - 09.30 uur`, or the time after a label such as `Uhrzeit:`."""
    if not _IS_WITH_POINT.fullmatch(text, start, end) or _MONEY_AFTER.match(text, end):
        return False
    return (
        _HOURS_AFTER.match(text, end) is not None
        or _CLOCK_BEFORE.search(text, max(0, start - _LONGEST_BEFORE), start) is not None
    )


def is_before_clock(word: str) -> bool:
    """True for a word that is printed before a time of day: `at`, `um`, `kl.`."""
    return _WORD_BEFORE.fullmatch(word) is not None


def is_unit_of_clock(word: str) -> bool:
    """True for a word that is printed after a time of day and hardly anywhere else: `Uhr`, `hrs`, `kl.`."""
    return _UNIT_OF_CLOCK.fullmatch(word) is not None


def clock_beside(text: str, start: int, end: int) -> time | None:
    """Return the time of day right after the day at `start` to `end`, or else right before it, with its zone if one is
    printed; None if there is none.

    A time with a point between hours and minutes needs a word such as `um` or `Uhr`, because an amount may follow a
    day. The result is None if there is a time on each side of the day, or if what follows may be a zone or the end of a
    range: `10:00-11:00`.
    """
    if (moment := iso_moment(text, start)) is not None:
        return moment[1]
    time_after, time_before = (
        _TIME_AFTER_DATE.match(text, end),
        _TIME_BEFORE_DATE.search(text, max(0, start - _FARTHEST), start),
    )
    times = [found for found in (time_after, time_before) if found is not None and _is_clock(found)]
    if len(times) != 1:
        return None
    [found] = times
    plain = found["plain"]
    if plain and plain[0] != "+" and not (found["second"] or re.fullmatch(r".\d{4}", plain)):
        return None
    micros = int((found["fraction"] or "0").ljust(6, "0")[:6])
    zone = _zone_of(found["off"] or plain, found["name"])
    return time(_hour_of(found), int(found["minute"] or 0), int(found["second"] or 0), micros, zone)


def iso_moment(text: str, start: int) -> tuple[int, time] | None:
    """Return the end, and the time of day, of a moment in ISO 8601 that begins at `start`: `2026-03-05T23:50Z`,
    `20260305T235000+0100`. Return None if none begins there."""
    word = _ISO_WORD.match(text, start)
    try:
        return (word.end(), datetime.fromisoformat(word[0].upper()).timetz()) if word else None
    except ValueError:
        return None


def _zone_of(offset: str | None, name: str | None) -> timezone | None:
    """Return the zone of an offset such as `+1`, `-0500` or `+05:30`, or of a name; None without both."""
    if offset:
        digits = offset[1:].replace(":", "")
        hours, minutes = (digits[:-2], digits[-2:]) if len(digits) > len("00") else (digits, "0")
        ahead = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(ahead if offset[0] == "+" else -ahead)
    return timezone(timedelta(hours=_NAMED_ZONES[name])) if name else None
