"""Finds numbers, lists and tables in the text of a message."""

import datetime as dt
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice, pairwise, zip_longest

from tasks.notation.cells import looks_numeric, moment
from tasks.series.formats import date_and_number, delimited_table, is_head, value_table
from tasks.series.grid import SeriesTable, table_of
from tasks.series.labelled import LabelledValues, labelled_values

# Numbers are searched for one at a time, including the numbers of a list: `12, 14.5; 16`, or `12,5 14,0` with decimal
# commas. One regular expression for a whole list would search a megabyte in one call, during which no other thread
# runs.
_PIECE = 16 * 1024
"""Number of characters that one call searches."""
_BEGINNING = re.compile(r"(?<![\w.,])(?=[-+−]?[$€£]?\.?\d)")
_REACH = 10
"""At most this many characters of a number are needed to recognise it: `20260101,1`."""
_POINTS = r"[-+−]?(?:\d+(?:\.\d+)*|\.\d+)(?:[eE][-+]?\d{1,3})?%?"
_COMMAS = r"[-+−]?\d+,\d+"
_THOUSANDS = r"[-+−]?[$€£]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!,\d)"
_ADDRESS = re.compile(r"(?:https?://|\bdata:[a-z]+/)\S+", re.IGNORECASE)
_FENCE = "```"
_MAX_BRACKETS = 20
"""At most this many opening brackets are tried as the beginning of JSON."""
_READ_AGAIN = 100_000
"""Attempts that find no table may read this many characters together. After that, no further bracket is tried."""
_YEAR_DIGITS = 4
_LEAST_ROWS = 2
_LEAST_RUN = 3
"""Dates with values that follow each other directly make a table if there are at least this many. Two may be part of a
sentence."""
_DATE_BEGINNING = re.compile(r"(?<![\w.])(?=\d{1,2}(?:\d{2})?[-/.]|(?:19|20)\d\d(?:\d{4})?[,;:]\d)")
_CLOCK = r"(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
_DATE = (
    rf"(?P<date>\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}{_CLOCK}|\d{{4}}[-/.]\d{{1,2}}"
    rf"|\d{{1,2}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}{_CLOCK})"
)
_AMOUNT = r"(?P<value>[-+−]?[$€£]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?)"
_DATED = re.compile(rf"[\s,;|]{{0,5}}{_DATE}[\s,;|]{{1,5}}{_AMOUNT}(?![\w.]\w)(?!:\d)")
_VALUE_THEN_DATE = re.compile(rf"[\s,;|]{{0,5}}{_AMOUNT}[\s,;|]{{1,5}}{_DATE}(?![\w.]\w)")
_DATED_SHORT = re.compile(
    r"[\s;|]{0,5}(?P<date>(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))?)[,;:]"
    r"(?P<value>[-+−]?[$€£]?\d+(?:\.\d+)?)(?=[\s;|,.?!]|$)(?![,.]\d)"
)
"""Pattern of a year, or of a date without hyphens, and its value, with a comma, colon or semicolon between them:
`2025,10 2026,12`."""
_AFTER_WORDS = re.compile(r"(.*[:?!.]) (.*)")
_MAX_WORDS = 2000
"""At most this many characters of a long message's words are kept at each end."""
_SIGN = re.compile(r"[:=]\s{0,20}[-+−]?\d")
_VALUE = r"[:=]\s*([-+−]?\d[\d.]*)(?=[\s,;)]|\.?$)"
_PAIR_VALUE = re.compile(_VALUE)
PAIR = re.compile(rf"([^\s,;:()]{{4,20}}(?:\s\d{{2,4}})?)\s*{_VALUE}")


_AND = r"(?:,?\s{1,20}(?:and|und|et|y|e|en|og|och|i|и|ve)\s{1,20})"
_ENDS_LIST = r"(?=\s{0,20}(?:[.,;:!?)\]\n]|\Z))"


@dataclass(frozen=True, slots=True)
class _Notation:
    number: "re.Pattern[str]"
    next: "re.Pattern[str]"
    """A number together with the separator before it."""
    last: "re.Pattern[str]"
    """A number that ends a list in a sentence, with the "and" before it. A number with a noun after it is not part of
    the list: "4, 5, 6 and 3 days ahead"."""


def _compile_notation(number: str, gap: str) -> _Notation:
    return _Notation(
        re.compile(rf"{number}(?!\w)"),
        re.compile(rf"(?:{gap})({number})(?!\w)"),
        re.compile(rf"{_AND}({number}){_ENDS_LIST}"),
    )


_NOTATIONS = (
    _compile_notation(_THOUSANDS, r"\s*;\s*|,?\s+"),
    _compile_notation(_COMMAS, r"\s*(?:;|[-=]{1,2}>|→)\s*|\s+"),
    _compile_notation(_POINTS, r"\s*(?:[;,|]|[-=]{1,2}>|→)\s*|\s+"),
)


@dataclass(frozen=True, slots=True)
class NumberList:
    """Two or more numbers with nothing but separators between them."""

    start: int
    end: int
    notation: _Notation

    def numbers(self, text: str) -> list[str]:
        """Return the numbers as they are written in `text`, in which the list was found."""
        found = self.notation.number.match(text, self.start)
        assert found is not None
        return [found[0], *(one[1] for one in _following_numbers(text, found.end(), self.notation))]


def longest_list(text: str) -> NumberList | None:
    """Return the longest list in characters. Of equally long lists, one with commas between thousands is preferred,
    then one with decimal commas. Return None if there is no list."""
    found = chain.from_iterable(_find_lists(text, notation) for notation in _NOTATIONS)
    return max(found, key=lambda one: one.end - one.start, default=None)


def _find_lists(text: str, notation: _Notation) -> Iterator[NumberList]:
    end = 0
    for start in _number_starts(text):
        first = notation.number.match(text, start) if start >= end else None
        if first is None:
            continue
        last = first.end()
        for one in _following_numbers(text, first.end(), notation):
            last = one.end()
        if last > first.end():
            yield NumberList(start, last, notation)
            end = last


def _number_starts(text: str, beginning: "re.Pattern[str]" = _BEGINNING) -> Iterator[int]:
    """Yield the positions at which numbers begin that are not part of a word or another number."""
    for piece in range(0, len(text), _PIECE):
        for found in beginning.finditer(text, piece, piece + _PIECE + _REACH):
            if found.start() < piece + _PIECE:
                yield found.start()


def _following_numbers(text: str, position: int, notation: _Notation) -> "Iterator[re.Match[str]]":
    begin = position
    while (found := notation.next.match(text, position)) is not None:
        yield found
        position = found.end()
    if position > begin and (found := notation.last.match(text, position)) is not None:
        yield found


_LONGEST_NAME, _LONGEST_NUMBER = 40, 80
"""Largest number of characters before and after the sign of a pair (`name: number`)."""


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
        _table_in_lines,
        _table_in_run,
        labelled,
        _table_in_pairs,
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
    in_vain = 0
    for found in islice(re.finditer(r"[\[{]", text), _MAX_BRACKETS):
        if in_vain > _READ_AGAIN:
            break
        try:
            value, end = decoder.raw_decode(text, found.start())
        except (ValueError, RecursionError) as error:
            in_vain += _reached(error, text) - found.start()
            continue
        in_vain += end - found.start()
        table = value_table(value, most_cells)
        if table is not None:
            return SeriesMessage(_cut_out(text, found.start(), end), table)
    return None


def _reached(error: Exception, text: str) -> int:
    """Return the position at which `json` stopped reading the text."""
    if isinstance(error, json.JSONDecodeError) and not error.msg.startswith("Unterminated string"):
        return error.pos
    return len(text)


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
    if found is None or (listed is not None and _is_longer(listed, found, text)):
        return None
    table = table_of(found.rows, ("",) if len(found.rows[0]) == 1 else (), most_cells)
    return SeriesMessage(_cut_out(text, found.start, found.end), table, found.note)


def _is_longer(listed: NumberList, found: LabelledValues, text: str) -> bool:
    """True if a list of numbers lies outside the labelled values and has more numbers than there are labelled
    values."""
    is_apart = listed.end <= found.start or found.end <= listed.start
    return is_apart and len(listed.numbers(text)) > len(found.rows)


def _table_in_pairs(text: str, most_cells: int) -> SeriesMessage | None:
    """Find pairs such as `2024-01-01: 5, 2024-01-02: 7`."""
    found = [(pair, pair[1], pair[2]) for pair in find_pairs(text) if moment(pair[1])]
    if len(found) < _LEAST_ROWS:
        return None
    words = _cut_out(text, found[0][0].start(), found[-1][0].end())
    return SeriesMessage(words, table_of([[date, value] for _, date, value in found], (), most_cells))


def _table_in_run(text: str, most_cells: int) -> SeriesMessage | None:
    """Find a table whose line breaks were lost: `date,sold,2026-01-01,5,2026-01-02,7`."""
    runs = [
        _longest_run(_DATED, text, _DATE_BEGINNING),
        _longest_run(_DATED_SHORT, text, _DATE_BEGINNING),
        _longest_run(_VALUE_THEN_DATE, text, _BEGINNING),
    ]
    best = max(runs, key=len)
    if len(best) < _LEAST_RUN or (best is runs[1] and not _rise_evenly([one["date"] for one in best])):
        return None
    table = table_of([[_with_hyphens(one["date"]), one["value"]] for one in best], (), most_cells)
    return SeriesMessage(_cut_out(text, best[0].start(), best[-1].end()), table)


def _longest_run(form: "re.Pattern[str]", text: str, beginning: "re.Pattern[str]") -> list["re.Match[str]"]:
    """Return the longest run of matches of `form` that follow each other directly."""
    best: list[re.Match[str]] = []
    end = 0
    for start in _number_starts(text, beginning):
        if start >= end and (run := _run_of(form, text, start)):
            end = run[-1].end()
            best = max(best, run, key=len)
    return best


def _run_of(form: "re.Pattern[str]", text: str, start: int) -> list["re.Match[str]"]:
    found: list[re.Match[str]] = []
    while (one := form.match(text, found[-1].end() if found else start)) is not None:
        found.append(one)
    return found


def _rise_evenly(numbers: Sequence[str]) -> bool:
    """True for consecutive years and for rising dates, but not for numbers with decimal commas, as in `2020,5
    2019,7`."""
    if len(numbers[0]) == _YEAR_DIGITS:
        return all(int(after) == int(before) + 1 for before, after in pairwise(numbers))
    return all(before < after for before, after in pairwise(numbers))


def _with_hyphens(date: str) -> str:
    """Write a date of eight digits as ISO 8601 does."""
    return f"{date[:4]}-{date[4:6]}-{date[6:]}" if date.isdecimal() and len(date) > _YEAR_DIGITS else date


def find_pairs(text: str) -> Iterator["re.Match[str]"]:
    """Yield the matches of `PAIR`, searched only around the signs of pairs. Trying every character of a long text would
    take seconds."""
    end = 0
    for sign in _SIGN.finditer(text):
        value = _PAIR_VALUE.match(text, sign.start(), sign.end() + _LONGEST_NUMBER)
        if value is None:
            continue
        start = max(end, sign.start() - _LONGEST_NAME)
        # The name of a pair ends at its sign, so the first match within reach belongs to this sign.
        found = PAIR.search(text, start, value.end() + 1)
        if found is not None and found.start() >= end:
            yield found
            end = found.end()


def _table_in_list(text: str, most_cells: int) -> SeriesMessage | None:
    found = longest_list(text)
    if found is None:
        return None
    table = table_of([[number] for number in found.numbers(text)], ("",), most_cells)
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
        cells = line.strip().strip("|").split(delimiter)
        if len(cells) > 1 and len(cells) == len(below.strip().strip("|").split(delimiter)):
            return is_head([cell.strip() for cell in cells])
    return False


def _block_length(block: tuple[int, int]) -> int:
    return block[1] - block[0]


def _cut_out(text: str, start: int, end: int) -> str:
    return f"{text[:start]} {text[end:]}"
