"""Reads the legs of a journey: a flight's or train's number with two places and two times, in one or more lines."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.passages import LINES_AT_ONCE, Passage
from tasks.extraction.words_on_page import WordOnPage, cell_of, rows_of, texts_of_rows
from tasks.notation.dates import find_days
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Column = Literal[
    "number", "from", "to", "from_code", "to_code", "departure", "arrival", "date", "arrival_date", "duration"
]

MAX_ROWS: Final = 9
"""A leg has at most this many rows."""
LONGEST_ROW: Final = 300
"""A row of a leg has at most this many characters."""
MAX_ABOVE: Final = 4
"""The date of a leg is searched for in at most this many rows above it."""
MAX_LEGS: Final = 50
FEWEST_COLUMNS: Final = 3
"""A list is one of legs if its fields ask for at least this many of number, two places, and two times."""

_NUMBER = re.compile(
    r"(?<![\w/-])(?:(?:[A-Z]{2}|[A-Z]\d|\d[A-Z]) ?\d{2,4}"
    r"|(?:ICE|EC|IC|RE|RB|IR|RJX?|NJ|TGV(?: INOUI)?|OUIGO|TER|AVE|ALVIA|EIP|EIC|TLK|Frecciarossa|FR|Intercity|Italo"
    r"|Eurostar|Thalys|Train|Zug|Treno|Tren|Trein|Tåg|Pociąg)(?: n[°º.]| no\.)? ?\d{1,5})(?![\w/])"
)
_TIME = re.compile(
    r"(?<![\d:.])(?P<time>(?:[01]?\d|2[0-3])(?:[:.][0-5]\d(?: ?[ap]\.?m\b\.?)?|h[0-5]\d| ?[ap]m\b))(?! ?h\b)(?![\d:])",
    re.I,
)
_DURATION = re.compile(
    r"\b\d{1,2} ?(?:h|hrs?|std\.?|ore|horas?|uur|godz\.?|tim)\.?(?: ?\d{1,2} ?(?:m|min|mins|')?\.?)?(?!\w)"
    r"|\b\d{1,3} ?min\b",
    re.I,
)
_ARROW = re.compile(r"(?:→|➔|➝|⟶|›|»|-+>|–>|>| [–—-] | to | nach | vers | a | hacia | naar | do | till )")
_CODE = re.compile(r"\((?P<code>[A-Z]{3})\)|(?<![\w-])(?P<bare>[A-Z]{3})(?![\w-])")
_NO_PLACE: Final = frozenset(
    fold(
        "mon tue wed thu fri sat sun jan feb mar apr may jun jul aug sep oct nov dec eur usd gbp chf sek nok dkk pln "
        "czk adt chd inf pnr vat tax sms app pdf ref ice tgv ave fly the and for ter dep arr std sta eta etd utc gmt "
        "cet out"
    )
)
"""Words of three capitals in bookings that do not name an airport."""
_NAME = re.compile(
    r"[^\W\d_a-zß-öø-ÿ][\w'’./-]*(?: (?:[^\W\d_a-zß-öø-ÿ(][\w'’./)-]*|am|an|der|de|la|le|del|di|d'|sur|St\.)){0,4}"
)
_LABELS: Final = frozenset(
    fold(
        "from to departure arrival depart departs arrive arrives dep arr von nach ab an abfahrt ankunft "
        "abflug départ arrivée de à vers salida llegada origen destino partenza arrivo da a partida "
        "chegada vertrek aankomst van naar odjazd przyjazd wylot przylot avgång ankomst uhr outbound "
        "return hinfahrt rückfahrt flight train leg segment duration terminal gate class operated by "
        "direct nonstop economy business first second klasse"
    )
)
"""Words beside places that are not part of their names."""
_ORIGIN_WORDS: Final = frozenset(
    fold("from origin von start startort abfahrtsort de desde origen da partenza origem van vertrekpunt z skąd från")
)
_DESTINATION_WORDS: Final = frozenset(
    fold("to destination nach ziel zielort à vers a hasta destino destinazione naar bestemming do dokąd till")
)
_CODES: Final = frozenset(fold("iata code airportcode kürzel código codice kod"))


class _Leg(NamedTuple):
    number: str
    row: int
    rows: Sequence[int]


def travel_legs(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield the legs of a journey as a table for each list of objects with places and times."""
    legs: list[Mapping[Column, ReadCell]] | None = None
    for fields in lists:
        columns = _columns_of(fields)
        if len({"number", "from", "to", "departure", "arrival"} & set(columns.values())) < FEWEST_COLUMNS:
            continue
        legs = (yield from _legs_of(passage)) if legs is None else legs
        if legs:
            header = [ReadCell(" ".join(fields[index].names.own[0])) for index in columns]
            coded = {index: _wants_code(fields[index]) for index in columns}
            body = [
                [_cell(cells, column, is_coded=coded[index]) for index, column in columns.items()] for cells in legs
            ]
            yield ReadTable([header, *body], is_exact=False, is_whole=True)


def _cell(cells: Mapping[Column, ReadCell], column: Column, *, is_coded: bool) -> ReadCell:
    own = cells.get(column, NO_CELL)
    if column in ("from", "to"):
        code = cells.get("from_code" if column == "from" else "to_code", NO_CELL)
        return code if code.text and (is_coded or not own.text) else own
    return own


def _wants_code(field: WantedField) -> bool:
    words = {word for own in field.names.own for word in own}
    return (
        bool(words & _CODES)
        or "IATA" in str(field.schema.get("description", ""))
        or field.schema.get("maxLength") == len("ARN")
    )


def _columns_of(fields: Sequence[WantedField]) -> dict[int, Column]:
    columns = [_column_of(one) for one in fields]
    found: dict[int, Column] = {}
    places: tuple[tuple[Column, Column], ...] = (("departure", "from"), ("arrival", "to"))
    for index, (one, column) in enumerate(zip(fields, columns, strict=True)):
        for time, place in places:
            # "departure" beside "departure_time" is a place.
            if column == time and columns.count(time) > 1 and len(one.names.own[0]) == 1:
                column = place
        if column is not None and column not in found.values():
            found[index] = column
    return found


def _column_of(field: WantedField) -> Column | None:
    concepts, form = field.names.concepts, field.schema.get("format")
    words = {word for own in field.names.own for word in own}
    if form == "date" or concepts & {"departure_date", "arrival_date", "date"} == concepts != frozenset():
        return "arrival_date" if "arrival_date" in concepts or words & {"arrival", "ankunft"} else "date"
    if concepts & {"flight", "train"}:
        return "number"
    if "departure_place" in concepts or (words & _ORIGIN_WORDS and "departure_time" not in concepts):
        return "from"
    if "arrival_place" in concepts or (words & _DESTINATION_WORDS and "arrival_time" not in concepts):
        return "to"
    if "departure_time" in concepts:
        return "departure"
    if "arrival_time" in concepts:
        return "arrival"
    return "duration" if "duration" in concepts else None


def _legs_of(passage: Passage) -> Slices[list[Mapping[Column, ReadCell]]]:
    rows = rows_of(passage)
    texts = yield from texts_of_rows(passage, rows, LONGEST_ROW)
    numbers: list[tuple[int, str]] = []
    for at, text in enumerate(texts):
        if at % LINES_AT_ONCE == 0:
            yield
        if found := _NUMBER.search(text):
            numbers.append((at, found[0]))
        if len(numbers) == MAX_LEGS:
            break
    legs: list[Mapping[Column, ReadCell]] = []
    last_day: ReadCell | None = None
    used = -1
    for index, (at, number) in enumerate(numbers):
        yield
        end = numbers[index + 1][0] if index + 1 < len(numbers) else len(rows)
        own = range(at, min(end, at + MAX_ROWS))
        if sum(len(_times(texts[row])) for row in own) < 2:
            own = range(max(used + 1, at - MAX_ROWS), at + 1)
        cells = _read(passage, rows, texts, own)
        if {"departure", "arrival"} <= cells.keys() and cells.keys() & {"from", "from_code"}:
            cells["number"] = cell_of(passage, rows[at])._replace(text=number)
            own = _until_second_time(texts, own)
            days = (
                _days(passage, rows, texts, own)
                or _days(passage, rows, texts, range(max(used + 1, own[0] - MAX_ABOVE), own[0]))[-1:]
            )
            last_day = days[0] if days else last_day
            if last_day is not None:
                cells["date"] = last_day
                cells["arrival_date"] = days[1] if len(days) > 1 else last_day
            used = own[-1]
            legs.append(cells)
    return legs


def _until_second_time(texts: Sequence[str], own: range) -> range:
    times = 0
    for index in own:
        times += len(_times(texts[index]))
        if times >= len(("departure", "arrival")):
            return range(own[0], index + 1)
    return own


def _times(text: str) -> list[re.Match[str]]:
    """Return the times of day in a row, without its dates and durations."""
    return [*_TIME.finditer(_without_days(text))]


def _without_days(text: str) -> str:
    """Return a text with spaces in place of its days, durations and numbers of flights or trains."""
    for day in find_days(text):
        text = text[: day.start] + " " * (day.end - day.start) + text[day.end :]
    for form in (_DURATION, _NUMBER):
        text = form.sub(lambda found: " " * len(found[0]), text)
    return text


def _days(passage: Passage, rows: Sequence[Sequence[WordOnPage]], texts: Sequence[str], own: range) -> list[ReadCell]:
    return [
        cell_of(passage, rows[index])._replace(text=texts[index][day.start : day.end])
        for index in own
        for day in find_days(texts[index])
    ]


def _read(
    passage: Passage, rows: Sequence[Sequence[WordOnPage]], texts: Sequence[str], own: range
) -> dict[Column, ReadCell]:
    """Return the times and places of a leg."""
    times, codes, names, routes = [], [], [], []
    durations: list[tuple[int, str]] = []
    for index in own:
        bare = _without_days(texts[index])
        times_in_text = _times(texts[index])
        times += [(index, found["time"]) for found in times_in_text]
        durations += [(index, found[0]) for found in _DURATION.finditer(texts[index])]
        for found in _CODE.finditer(bare):
            code = found["code"] or found["bare"]
            if code.casefold() not in _NO_PLACE and (found["code"] or not texts[index].isupper()):
                codes.append((index, code))
        names += [(index, name) for name in _names_beside(bare, times_in_text)]
        parts = [name for part in _ARROW.split(bare) if (name := _place(part))]
        if len(parts) == 2 and _ARROW.search(bare):
            routes.append([(index, part) for part in parts])
    places = names if len(names) >= 2 else routes[0] if routes else []
    cells: dict[Column, ReadCell] = {}
    pairs_of_columns: tuple[tuple[Column, Column, Sequence[tuple[int, str]]], ...] = (
        ("departure", "arrival", times),
        ("from_code", "to_code", codes),
        ("from", "to", places),
    )
    for first, second, two in pairs_of_columns:
        if len(two) >= len(("first", "second")):
            for column, (row, text) in ((first, two[0]), (second, two[1])):
                cells[column] = cell_of(passage, rows[row])._replace(text=text)
    if durations:
        index, text = durations[0]
        cells["duration"] = cell_of(passage, rows[index])._replace(text=text)
    return cells


def _names_beside(bare: str, times: Sequence[re.Match[str]]) -> Iterator[str]:
    """Yield the place before each time of a row, or the place after each time if the row begins with a time."""
    is_behind = bool(times) and not _place(bare[: times[0].start()])
    for index, found in enumerate(times):
        text_before = bare[times[index - 1].end() if index else 0 : found.start()]
        following = bare[found.end() : times[index + 1].start() if index + 1 < len(times) else len(bare)]
        parts = _ARROW.split(following) if is_behind else _ARROW.split(text_before)[::-1]
        if name := next(filter(None, map(_place, parts)), ""):
            yield name


def _place(text: str) -> str:
    """Return the name of a place in a text without its code, or an empty text."""
    text = _CODE.sub("", text)
    words = [word for word in re.split(r"[\s|·•]+", text) if word]
    while words and (not words[0][0].isupper() or not _LABELS.isdisjoint(fold(words[0]))):
        words = words[1:]
    found = _NAME.match(" ".join(words))
    return found[0].strip(" ,.-/") if found else ""
