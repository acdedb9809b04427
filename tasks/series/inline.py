"""Finds numbers, lists and tables in the text of a message."""

import datetime as dt
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice, pairwise, zip_longest

from tasks.notation.cells import looks_numeric, moment
from tasks.series.formats import date_and_number, delimited_table, is_head, is_head_of_dates, value_table
from tasks.series.grid import SeriesTable, table_of
from tasks.series.labelled import LabelledValues, labelled_values

_POINTS = r"[-+−]?(?:\d+(?:\.\d+)*|\.\d+)(?:[eE][-+]?\d{1,3})?%?"
_COMMAS = r"[-+−]?\d+,\d+"
_THOUSANDS = r"[-+−]?[$€£]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!,\d)"
_ADDRESS = re.compile(r"(?:https?://|\bdata:[a-z]+/)\S+", re.IGNORECASE)
_FENCE = "```"
_MAX_BRACKETS = 20
"""At most this many opening brackets are tried as the beginning of JSON."""
_MAX_HEADS = 20
"""At most this many lines are tried as the head of a table with dates across."""
_YEAR_DIGITS = 4
_LEAST_ROWS = 2
_LEAST_RUN = 3
"""Dates with values that follow each other directly make a table if there are at least this many. Two may be part of a
sentence."""
_CLOCK = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_DATE = (
    rf"(?P<date>\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}{_CLOCK}|\d{{4}}[-/.]\d{{1,2}}"
    rf"|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}{_CLOCK})"
)
_AMOUNT = r"(?P<value>[-+−]?[$€£]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?)"
_DATED = re.compile(rf"(?:[\s,;|]{{1,5}}|(?<![\w.])){_DATE}[\s,;|]{{1,5}}{_AMOUNT}(?![\w.]\w)(?!:\d)")
_DATED_SHORT = re.compile(
    r"(?:[\s;|]{1,5}|(?<![\w.]))(?P<date>(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))?)[,;:]"
    r"(?P<value>[-+−]?[$€£]?\d+(?:\.\d+)?)(?=[\s;|,.?!]|$)(?![,.]\d)"
)
"""Pattern of a year, or of a date without hyphens, and its value, with a comma, colon or semicolon between them:
`2025,10 2026,12`."""
_AFTER_WORDS = re.compile(r"(.*[:?!.]) (.*)")
_MAX_WORDS = 2000
"""At most this many characters of a long message's words are kept at each end."""
_AND = r"(?:,?\s{1,20}(?:and|und|et|y|e|en|og|och|i|и|ve)\s{1,20})"
_ENDS_LIST = r"(?=\s{0,20}(?:[.,;:!?)\]\n]|\Z))"


def _list_pattern(number: str, gap: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a list and of its numbers. A number at the end of a list may follow an "and", unless a
    noun follows it: "4, 5, 6 and 3 days ahead"."""
    one = rf"{number}(?!\w)"
    return re.compile(rf"(?<![\w.,]){one}(?:(?:{gap}){one})++(?:{_AND}{number}{_ENDS_LIST})?"), re.compile(number)


_LISTS = (
    _list_pattern(_THOUSANDS, r"\s*;\s*|,?\s+"),
    _list_pattern(_COMMAS, r"\s*(?:;|[-=]{1,2}>|→)\s*|\s+"),
    _list_pattern(_POINTS, r"\s*(?:[;,|]|[-=]{1,2}>|→)\s*|\s+"),
)
"""Lists with commas between thousands, with decimal commas and with decimal points."""


@dataclass(frozen=True, slots=True)
class NumberList:
    """Two or more numbers with nothing but separators between them."""

    start: int
    end: int
    numbers: list[str]


def longest_list(text: str) -> NumberList | None:
    """Return the longest list in characters. Of equally long lists, one with commas between thousands is preferred,
    then one with decimal commas. Return None if there is no list."""
    found = chain.from_iterable(((one, number) for one in form.finditer(text)) for form, number in _LISTS)
    best = max(found, key=lambda pair: len(pair[0][0]), default=None)
    return best and NumberList(best[0].start(), best[0].end(), best[1].findall(best[0][0]))


@dataclass(frozen=True, slots=True)
class SeriesMessage:
    words: str
    """Text of the request without addresses and without the table."""
    table: SeriesTable | None
    note: str = ""
    """Sentence on an assumption about the dates; "" if there was none."""


def message_of(text: str, most_cells: int, *, has_sources: bool = False, today: dt.date | None = None) -> SeriesMessage:
    """Separate a message into words and a table. If the request has sources, numbers in the text are words. A
    month without a year is the most recent one that is not after `today`, by default the current day in UTC.

    Raises TooManyCells.
    """
    text = _ADDRESS.sub(" ", text)
    if has_sources:
        return SeriesMessage(_shorten(text), None)
    labelled = partial(_labelled_table, today=today or dt.datetime.now(dt.UTC).date())
    for find in (
        _table_in_fence,
        _table_in_json,
        _table_across,
        _table_in_lines,
        _table_in_run,
        labelled,
        _table_in_list,
    ):
        found = find(text, most_cells)
        if found is not None:
            return replace(found, words=_shorten(found.words))
    return SeriesMessage(_shorten(text), None)


def _shorten(words: str) -> str:
    """Return the beginning and the end of the words, because users put their instructions there."""
    return words if len(words) <= 2 * _MAX_WORDS else f"{words[:_MAX_WORDS]} {words[-_MAX_WORDS:]}"


def _table_in_fence(text: str, most_cells: int) -> SeriesMessage | None:
    for start, inner, end in _find_fences(text):
        found = _table_in_json(inner, most_cells)
        table = found.table if found else delimited_table(inner, most_cells)
        if table is not None:
            return SeriesMessage(_cut_out(text, start, end), table)
    return None


def _find_fences(text: str) -> Iterator[tuple[int, str, int]]:
    """Yield the start, the content and the end of each code block. A block that is not closed ends with the text."""
    end = 0
    while (start := text.find(_FENCE, end)) >= 0 and (line := text.find("\n", start)) >= 0:
        close = text.find(_FENCE, line)
        end = close + len(_FENCE) if close >= 0 else len(text)
        yield start, text[line + 1 : close if close >= 0 else end], end


def _table_in_json(text: str, most_cells: int) -> SeriesMessage | None:
    decoder = json.JSONDecoder(parse_constant=lambda _: None)
    for found in islice(re.finditer(r"[\[{]", text), _MAX_BRACKETS):
        try:
            value, end = decoder.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            continue
        table = value_table(value, most_cells)
        if table is not None:
            return SeriesMessage(_cut_out(text, found.start(), end), table)
    return None


def _table_across(text: str, most_cells: int) -> SeriesMessage | None:
    """Find lines of as many cells as the line of dates above them."""
    lines = text.splitlines()
    for first, delimiter, width in islice(_heads_of_dates(lines), _MAX_HEADS):
        last = first + 1
        while last < len(lines) and len(_cells_of(lines[last], delimiter)) == width:
            last += 1
        table = delimited_table("\n".join(lines[first:last]), most_cells)
        if table is not None and table.columns[0].cells:
            return SeriesMessage("\n".join([*lines[:first], *lines[last:]]), table)
    return None


def _heads_of_dates(lines: Sequence[str]) -> Iterator[tuple[int, str, int]]:
    """Yield the index, the delimiter and the number of cells of each line that names columns by dates."""
    for index, line in enumerate(lines):
        for delimiter in "\t;|,":
            cells = _cells_of(line, delimiter)
            if is_head_of_dates(cells):
                yield index, delimiter, len(cells)


def _table_in_lines(text: str, most_cells: int) -> SeriesMessage | None:
    """Find the longest block of lines that are rows, with the line above that names their columns."""
    lines = _tables_on_own_lines(text.splitlines())
    best, start = (0, 0), None
    for index, line in enumerate([*lines, ""]):
        if index < len(lines) and _is_row(line):
            start = index if start is None else start
        elif start is not None and line.strip():
            best, start = max(best, (start, index), key=_block_length), None
    if start is not None:
        best = max(best, (start, len(lines)), key=_block_length)
    first, last = best
    if last - first < _LEAST_ROWS:
        return None
    if first and _names_columns(lines[first - 1], lines[first]):
        first -= 1
    table = delimited_table("\n".join(lines[first:last]), most_cells)
    if table is None:
        return None
    return SeriesMessage("\n".join([*lines[:first], *lines[last:]]), table)


def _tables_on_own_lines(lines: Sequence[str]) -> list[str]:
    """Move a table that begins after words, `Forecast this: date,sold`, to a line of its own."""
    other_lines: list[str] = []
    for line, below in zip_longest(lines, lines[1:], fillvalue=""):
        parts = _AFTER_WORDS.fullmatch(line)
        if parts and not _is_row(line) and _is_row(below) and (_is_row(parts[2]) or _names_columns(parts[2], below)):
            other_lines += parts.groups()
        else:
            other_lines.append(line)
    return other_lines


def _labelled_table(text: str, most_cells: int, today: dt.date) -> SeriesMessage | None:
    found = labelled_values(text, today)
    listed = longest_list(text) if found is not None else None
    if found is None or (listed is not None and _is_longer(listed, found)):
        return None
    table = table_of(found.rows, ("",) if len(found.rows[0]) == 1 else (), most_cells)
    return SeriesMessage(_cut_out(text, found.start, found.end), table, found.note)


def _is_longer(listed: NumberList, found: LabelledValues) -> bool:
    """True if a list of numbers lies outside the labelled values and has more numbers than there are labelled
    values."""
    is_apart = listed.end <= found.start or found.end <= listed.start
    return is_apart and len(listed.numbers) > len(found.rows)


def _table_in_run(text: str, most_cells: int) -> SeriesMessage | None:
    """Find a table whose line breaks were lost: `date,sold,2026-01-01,5,2026-01-02,7`."""
    runs = [_longest_run(form, text) for form in (_DATED, _DATED_SHORT)]
    best = max(runs, key=len)
    if len(best) < _LEAST_RUN or (best is runs[1] and not _rise_evenly([one["date"] for one in best])):
        return None
    table = table_of([[_with_hyphens(one["date"]), one["value"]] for one in best], (), most_cells)
    return SeriesMessage(_cut_out(text, best[0].start(), best[-1].end()), table)


def _longest_run(form: "re.Pattern[str]", text: str) -> list["re.Match[str]"]:
    """Return the longest run of matches of `form` that follow each other directly."""
    best: list[re.Match[str]] = []
    run: list[re.Match[str]] = []
    for found in form.finditer(text):
        run = [*run, found] if run and run[-1].end() == found.start() else [found]
        best = max(best, run, key=len)
    return best


def _rise_evenly(numbers: Sequence[str]) -> bool:
    """True for consecutive years and for rising dates, but not for numbers with decimal commas, as in `2020,5
    2019,7`."""
    if len(numbers[0]) == _YEAR_DIGITS:
        return all(int(after) == int(before) + 1 for before, after in pairwise(numbers))
    return all(before < after for before, after in pairwise(numbers))


def _with_hyphens(date: str) -> str:
    """Write a date of eight digits as ISO 8601 does."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if date.isdecimal() and len(date) > _YEAR_DIGITS else date


def _table_in_list(text: str, most_cells: int) -> SeriesMessage | None:
    found = longest_list(text)
    if found is None:
        return None
    table = table_of([[number] for number in found.numbers], ("",), most_cells)
    return SeriesMessage(_cut_out(text, found.start, found.end), table)


def _is_row(line: str) -> bool:
    """True for a line that consists of numbers, or of a date and numbers."""
    if not line.strip():
        return False
    if set(line) <= set("|-: +=\t"):
        return "|" in line
    cells = [cell.strip() for cell in re.split(r"[\t;|,]", line.strip().strip("|")) if cell.strip()]
    numbers = [cell for cell in cells if looks_numeric(cell) or cell.lower() in ("na", "nan", "null")]
    if len(numbers) == len(cells) or len(cells) < 2:
        return bool(numbers) or date_and_number(line) is not None
    return bool(numbers) and any(moment(cell.strip('"')) for cell in cells)


def _names_columns(line: str, below: str) -> bool:
    for delimiter in "\t;|,":
        cells = _cells_of(line, delimiter)
        if len(cells) > 1 and len(cells) == len(_cells_of(below, delimiter)):
            return is_head(cells)
    return False


def _cells_of(line: str, delimiter: str) -> list[str]:
    return [cell.strip(' "') for cell in line.strip(" ").strip("|").split(delimiter)]


def _block_length(block: tuple[int, int]) -> int:
    return block[1] - block[0]


def _cut_out(text: str, start: int, end: int) -> str:
    return f"{text[:start]} {text[end:]}"
