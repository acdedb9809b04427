"""The options of the `web_search` task, and how words become them: the query, the site and the desired age."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final, Literal

from pydantic import StringConstraints

from tasks.errors import InputError
from tasks.notation.dates import DATE, date_range_of
from tasks.notation.words import NUMBERS, UNITS, any_of, count_named, unit_named
from tasks.wording.options import TaskOptions
from tasks.wording.phrases import PHRASES, compiled

Period = Literal["day", "week", "month", "year"]

_PERIODS: Final[Mapping[Period, int]] = {"day": 1, "week": 7, "month": 31, "year": 366}
"""Number of days that each period of search engines goes back."""
_NUMBERS = {"a": 1, "couple of": 2, "few": 3, **NUMBERS}
_UNIT_DAYS = {"hour": 1 / 24, "day": 1, "week": 7, "month": 31, "year": 366}
_THIS = r"\b(?:this|diese[nrs]?|ce(?:tte)?|est[ea]|quest[ao]|deze|dit|эт(?:ой|ом)) |\bquest['’]|本|这|今|هذا ال"
_LAST = r"\b(?:last|letzte[nrs]?) |上|先|去"
_LAST_AFTER = r" (?:derni[eè]re?|pasad[ao]|scors[ao]|passad[ao])\b"
_LATEST: Final = PHRASES["search"]["latest"]
_NEWS: Final = PHRASES["search"]["news"]
_MAX_READ = 2000
"""At most this many characters are examined. Questions are shorter, and a document after the question need not be
scanned."""
_MAX_CHARS = 340
_MAX_WORDS = 45
"""A query has at most this many words. Brave refuses more than 400 characters or 50 words, `site:` included."""
_HOST = (
    r"(?:https?://)?(?P<{0}>(?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.){{1,8}}[a-z]{{2,24}})(?:/\S*)?(?![\w@.-]*\w)"
)
_SITE: Final = (
    rf"\bsite:\s*{_HOST.format('site')}",
    (
        rf"(?:^|(?<=\s))(?:only |just )?(?:on|from|at|auf|bei|von|sur|de|en|su|em|op|van|на) (?:the (?:web)?site )?"
        rf"{_HOST.format('site')}"
    ),
    rf"^(?:please )?(?:search|browse) {_HOST.format('site')} (?:for|about)\b",
    rf"在\s*{_HOST.format('site')}\s*(?:上|中)?",
)
_NO_SITES: Final = frozenset({"asp.net", "vb.net", "ado.net", "socket.io", "draw.io", "next.js", "node.js", "vue.js"})
_FILE_ENDINGS: Final = frozenset(
    {"js", "ts", "py", "rs", "md", "sh", "pl", "cc", "so", "zip", "java", "txt", "pdf", "csv"}
)
"""Endings of file names: `main.py` counts as a host only after `site:`."""
_INSTRUCTIONS: Final = rf"""(?x)^[\s"'“”«»,.:;!?¿¡–-]*(?:{PHRASES["search"]["instructions"]})[\s:,–-]*"""
_AFTERWARDS: Final = rf"""(?x)[\s,]{{0,3}}(?:{PHRASES["search"]["afterwards"]})[\s"'“”.!?。！？]*$"""


@dataclass(frozen=True, slots=True)
class Freshness:
    since: date
    until: date
    """Last day; today unless the text names an earlier one."""
    today: date

    @property
    def period(self) -> Period | None:
        """Shortest period of search engines that includes `since`, for engines that accept no exact dates; None if no
        period is long enough."""
        days = (self.today - self.since).days
        return next((period for period, reach in _PERIODS.items() if days <= reach), None)


def freshness_in(text: str, today: date) -> Freshness | None:
    """Return the freshness that `text` asks for, or None if it asks for none. The most exact hint counts. Hints are
    understood in English, and common words also in ten more languages."""
    for pattern, dates in _HINTS:
        match = compiled(pattern).search(text)
        if match is not None:
            found = dates(match, today)
            if found is not None and found[0] <= today:
                return Freshness(found[0], min(found[1] or today, today), today)
    if compiled(_LATEST).search(text):
        return Freshness(today - timedelta(7 if compiled(_NEWS).search(text) else 365), today, today)
    return None


_Dates = Callable[[re.Match[str], date], tuple[date, date | None] | None]


def _any_unit(*units: str) -> str:
    return rf"(?P<unit>{'|'.join(UNITS[unit] for unit in units)})(?:\b|(?<=[\u3040-\u9fff]))"


_UNIT = _any_unit(*_UNIT_DAYS)
_CALENDAR_UNIT = _any_unit("week", "month", "year")


def _dates_named(match: re.Match[str], _today: date) -> tuple[date, date | None] | None:
    stretch = date_range_of(match)
    return stretch and (stretch[0], stretch[1] - timedelta(1) if match["within"] else None)


def _since_year(match: re.Match[str], _today: date) -> tuple[date, date | None]:
    return date(int(match["year"]), 1, 1), None


def _dates_past(match: re.Match[str], today: date) -> tuple[date, date | None] | None:
    """Return the dates of "past N units". Return None for "last week", which means the calendar week and is matched by
    another hint."""
    if match["number"] is None and match["past"].lower() != "past":
        return None
    days = count_named(match["number"] or "1", _NUMBERS) * _UNIT_DAYS[unit_named(match["unit"]) or "day"]
    return (today - timedelta(max(1, round(days))), None) if days < 36_600 else None


def _dates_this(match: re.Match[str], today: date, ago: int = 0) -> tuple[date, date | None]:
    """Return the first day of a period such as "this year". A year begins on 1 January; any other period has the number
    of days of its unit. `ago` is the number of units before the current one."""
    unit = unit_named(match["unit"]) or "year"
    if unit == "year":
        return date(today.year - ago, 1, 1), None
    return today - timedelta((ago + 1) * _UNIT_DAYS[unit]), None


def _dates_last(match: re.Match[str], today: date) -> tuple[date, date | None]:
    return _dates_this(match, today, ago=1)


def _dates_ago(days: int) -> _Dates:
    return lambda _match, today: (today - timedelta(days), None)


_HINTS: Final[tuple[tuple[str, _Dates], ...]] = (
    (
        (
            r"\b(?:(?P<within>(?:published|released|posted|written) (?:in|on|during))"
            rf"|since|newer than|published after|seit|depuis|desde|dal|sinds|с) (?:early |late )?{DATE}"
        ),
        _dates_named,
    ),
    (r"(?P<year>(?:19|20)\d\d)年?(?:以来|以后|以降)", _since_year),
    (rf"\b(?P<past>past|last|previous)(?: (?P<number>\d{{1,3}}|{any_of(_NUMBERS)}))? (?!an\b){_UNIT}", _dates_past),
    (
        (
            r"\b(?:today|tonight|this (?:morning|afternoon|evening)|breaking news)\b"
            r"|\b(?:heute|aujourd['’]hui|hoy|oggi|hoje|vandaag)\b|今天|今日|\bсегодня|اليوم"
        ),
        _dates_ago(1),
    ),
    (r"\b(?:yesterday|last night|gestern|ayer|ieri|ontem|gisteren)\b|昨天|昨日|\bвчера|أمس", _dates_ago(2)),
    (r"\bthis weekend\b", _dates_ago(7)),
    (rf"(?:{_THIS}){_CALENDAR_UNIT}", _dates_this),
    (rf"(?:{_LAST}){_CALENDAR_UNIT}", _dates_last),
    (rf"{_CALENDAR_UNIT}{_LAST_AFTER}", _dates_last),
)


@dataclass(frozen=True, slots=True)
class SearchQuery:
    text: str
    """Words to search for, not empty."""
    site: str | None = None
    """Host in lower case, without `www.`; a search for it also covers its subdomains."""
    freshness: Freshness | None = None


_FIRST_PAGE: Final = date(1991, 8, 6)
"""Day of the first page on the web."""


class WebSearchOptions(TaskOptions):
    query: Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
    """Search query."""
    site: Annotated[str, StringConstraints(max_length=253, pattern=r"^[a-z0-9.-]+$")] | None = None
    """Host to search, with its subdomains, such as example.com. Default: all."""
    since: date | None = None
    """First day of the pages to find. Default: any."""
    until: date | None = None
    """Last day of the pages to find. Default: today."""

    def as_query(self, today: date) -> SearchQuery:
        until = min(self.until or today, today)
        freshness = Freshness(self.since or _FIRST_PAGE, until, today) if self.since or self.until else None
        return SearchQuery(_cut(self.query.split()) or self.query[:_MAX_CHARS], self.site, freshness)


def parse_web_search(text: str, today: date) -> WebSearchOptions:
    """Return the search that a text asks for. Raises InputError if nothing is left to search for."""
    query = parse_query(text, today)
    age = query.freshness
    until = age.until if age and age.until < today else None
    return WebSearchOptions(query=query.text, site=query.site, since=age.since if age else None, until=until)


def parse_query(text: str, today: date) -> SearchQuery:
    """Parse a text. Raises InputError if nothing is left to search for."""
    instruction = _first_paragraph(text)
    freshness = freshness_in(instruction, today)
    site, instruction = _find_site(instruction)
    words = _without_instruction(instruction).split()
    cut = _cut(words) or site
    if not cut:
        raise InputError("task 'web_search' needs something to search for: write it in the text")
    return SearchQuery(cut, site, freshness)


def orders_search(text: str) -> bool:
    """True if a text tells the server to search, and does not only ask for what a search would find."""
    return _without_instruction(text) != text


def _cut(words: Sequence[str]) -> str:
    return " ".join(words[:_MAX_WORDS])[:_MAX_CHARS].strip()


def _first_paragraph(text: str) -> str:
    """Return the first paragraph, because later ones are usually material for the question."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.lstrip()[:_MAX_READ]))
    return next((paragraph for paragraph in paragraphs if paragraph), "")


def _find_site(text: str) -> tuple[str | None, str]:
    """Return the site that `text` names, and the text without it."""
    for pattern in _SITE:
        match = compiled(pattern).search(text)
        if match is None:
            continue
        host = match["site"].lower()
        if "site:" not in match[0].lower() and (host in _NO_SITES or host.rpartition(".")[2] in _FILE_ENDINGS):
            continue
        left = f"{text[: match.start()].rstrip()} {text[match.end() :].lstrip()}".strip()
        return host.removeprefix("www."), left
    return None, text


def _without_instruction(text: str) -> str:
    """Remove instructions to the server from `text`. A text that contains nothing else is kept."""
    left, before = text, ""
    while left != before:
        before = left
        left = compiled(_AFTERWARDS).sub("", compiled(_INSTRUCTIONS).sub("", left, count=1))
    left = left.strip()
    if len(left) > 1 and left[0] + left[-1] in {"''", "“”", "«»"}:
        left = left[1:-1].strip()
    return left if any(character.isalnum() for character in left) else text
