"""Reads the legs of a journey: a flight's or train's number with two places and two times, in one or more lines, or in
the rows of two stops."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Final, Literal, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.features import types_of, wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.passages import Passage
from tasks.extraction.table_lists import LEAST_LIKENESS, LONGEST_HEADER, likeness_by_words
from tasks.extraction.words_on_page import WordOnPage, cell_of, rows_of, segments_of_row, text_of
from tasks.notation.dates import Day, find_days
from tasks.notation.words import WEEKDAYS
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Column = Literal[
    "number",
    "from",
    "to",
    "from_code",
    "to_code",
    "departure",
    "arrival",
    "date",
    "arrival_date",
    "duration",
    "platform",
    "arrival_platform",
    "coach",
    "seats",
    "direction",
]

MAX_ROWS: Final = 9
"""A leg has at most this many rows."""
LONGEST_ROW: Final = 300
"""A row of a leg has at most this many characters."""
MAX_ABOVE: Final = 4
"""The date of a leg is searched for in at most this many rows above it."""
MAX_LEGS: Final = 50
MAX_LABELLED: Final = 20
"""At most this many values with labels are kept of a leg."""
FEWEST_COLUMNS: Final = 3
"""A list is filled with legs if its fields ask for at least this many of five things: a leg's number, its two places
and its two times."""
ROWS_AT_ONCE: Final = 20
"""At most this many rows are searched in one step."""
MAX_BOXES: Final = 6
"""At most this many journeys are side by side."""
LONGEST_LABEL: Final = 2
"""Words such as `from` are searched for only in names of fields with at most this many words."""

_NUMBER = re.compile(
    r"(?<![\w/-])(?:(?:[A-Z]{2}|[A-Z]\d|\d[A-Z]) ?\d{2,4}(?! \d{3}\b)"
    r"|(?:ICE|EC|IC|RE|RB|IR|RJX?|NJ|TGV(?: INOUI)?|OUIGO|TER|AVE|ALVIA|EIP|EIC|TLK|Frecciarossa|FR|Intercity|Italo"
    r"|Eurostar|Thalys|Train|Zug|Treno|Tren|Trein|Tåg|Pociąg)(?: n[°º.]| no\.)? ?\d{1,5}"
    r"|(?<=[→➔➝⟶] )[A-Z]{1,4} ?\d{1,6}(?= [→➔➝⟶]))(?![\w/])"
)
"""Pattern of the number of a flight or a train. Between two arrows, a number has any letters before it."""
_TIME = re.compile(
    r"(?<![\d:.])(?P<time>(?:[01]?\d|2[0-3])(?:[:.][0-5]\d(?: ?[ap]\.?m\b\.?)?|h[0-5]\d| ?[ap]m\b))(?! ?h\b)(?![\d:])",
    re.I,
)
_MILITARY = re.compile(r"(?<=dep |arr )(?P<time>(?:[01]\d|2[0-3])[0-5]\d)(?![\d:])", re.I)
"""Pattern of a time without a sign between hours and minutes, as airlines print it after DEP and ARR."""
_STOP = re.compile(
    r"(?<![^\W_])(?:(?P<leaves>ab|dep(?:arts?|arture)?|dép(?:art)?|sal(?:e|ida)?|part(?:e|enza|ida)?|vertrek"
    r"|odj(?:azd)?|avg(?:ång)?)|an|arr(?:ives?|ival|ivée|ivo)?|llegada|cheg(?:ada)?|aank(?:omst)?|przyj(?:azd)?"
    rf"|ank(?:omst)?)[.:]? ?{_TIME.pattern}",
    re.I,
)
"""Pattern of the time at a stop, with the word that says whether the train leaves or arrives then: `ab 08:12`."""
_TRAIN = re.compile(r"[A-Z]{1,4} ?\d{1,5}(?: ?\([A-Z]{1,4}\))?")
"""Pattern of a train's number in the row of a stop, where no other numbers have this form."""
_PLATFORM_WORDS: Final = (
    "gleis|gl|platform|plat|voie|quai|andén|vía|via|binario|bin|linha|spoor|perron|peron|tor|spår|track"
)
_PLATFORM = re.compile(
    rf"(?<![^\W_])(?:{_PLATFORM_WORDS}|(?<!\w )(?:ab|an|dep|arr))[.:]? ?(?P<value>\d{{1,2}}[a-z]?)(?![\w:.h])", re.I
)
_COACH_WORDS: Final = "wagen|wg|coach|carriage|car|voiture|voit|coche|carrozza|carr|carruagem|rijtuig|wagon|vagn"
_COACH = re.compile(rf"(?<![^\W_])(?:{_COACH_WORDS})[.:]? ?(?P<value>\d{{1,3}}|[A-Z])(?!\w)", re.I)
_SEAT_WORDS: Final = (
    "plätze|platz|p[lI]|sitzplätze|sitzplatz|sitz|seats?|places?|siège|asientos?|plazas?|posti|posto|lugares|lugar"
    "|stoelen|stoel|plaats|miejsca|miejsce|platser|plats"
)
_SEATS = re.compile(
    rf"(?<![^\W_])(?:{_SEAT_WORDS})[.:]? ?"
    r"(?P<value>\d{1,3}[A-K]?(?:(?: ?[+/&] ?|, ?)\d{1,3}[A-K]?(?![\w ]))*)(?!\w)",
    re.I,
)
_EXTRAS: Final[Sequence[tuple[Column, re.Pattern[str], frozenset[str]]]] = (
    ("platform", _PLATFORM, frozenset(fold(_PLATFORM_WORDS.replace("|", " ")))),
    ("coach", _COACH, frozenset(fold(_COACH_WORDS.replace("|", " ")))),
    ("seats", _SEATS, frozenset(fold(f"seat place asiento plaza plaetze sitzplaetze {_SEAT_WORDS.replace('|', ' ')}"))),
)
"""Columns of what is booked for a leg, each with the pattern of its value, and the words in names of fields."""
_AROUND: Final = ".:,;()[]*·•–—-"
_GLUED_TIME = re.compile(r"^(\d\d)(\d\d)$")
_DURATION = re.compile(
    r"\b\d{1,2} ?(?:h|hrs?|std\.?|ore|horas?|uur|godz\.?|tim)\.?(?: ?\d{1,2} ?(?:m|min|mins|')?\.?)?(?!\w)"
    r"|\b\d{1,3} ?min\b",
    re.I,
)
_NAMED_DAY = re.compile(r"\b\d{1,2}[. ]?(?:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)\b")
"""Pattern of a day without a year, as airlines print it."""
_ARROW = re.compile(r"(?:→|➔|➝|⟶|›|»|(?<!-)-++>|–>|>| [–—-] | to | nach | vers | a | hacia | naar | do | till )")
_PARTS = re.compile(rf"{_ARROW.pattern}|\s{{2,}}")
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
    r"[^\W\d_a-zß-öø-ÿ][\w'’./-]*"
    r"(?: (?!\S*\d|(?:Gl|Gleis|Platform|Voie|Binario|Cais|Terminal|Gate)\b)"
    r"(?:[^\W\d_a-zß-öø-ÿ(][\w'’./)-]*|am|an|der|de|la|le|del|di|d'|sur|St\.)){0,4}"
    r"(?: ?\([^\W\d_]{4,}(?: [^\W\d_]+){0,2}\))?"
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
"""Words that are printed next to names of places, but are not part of these names."""
_ORIGIN_WORDS: Final = frozenset(
    fold("from origin von start startort abfahrtsort de desde origen da partenza origem van vertrekpunt z skąd från")
)
_DESTINATION_WORDS: Final = frozenset(
    fold(
        "to destination nach ziel zielort à vers a hacia hasta para destino destinazione naar bestemming do dokąd till"
    )
)
_NOT_IN_NAMES: Final = _LABELS | _ORIGIN_WORDS | _DESTINATION_WORDS
_DIRECTIONS: Final = frozenset(
    fold(
        "outbound inbound outward return hinfahrt rückfahrt hinflug rückflug hinreise rückreise aller retour andata "
        "ritorno ida vuelta volta heenreis terugreis utresa återresa tam powrót"
    )
)
"""Words that announce the journey out or the journey back."""
_DIRECTION_WORDS: Final = frozenset(
    fold("direction richtung sens sentido direzione verso senso richting kierunek riktning")
)
"""Words in the names of fields that ask whether a leg belongs to the journey out or to the journey back."""
_PLACE_WORDS: Final = frozenset(
    fold(
        "airport port station city place aeropuerto puerto estación ciudad lugar aeroporto porto stazione città luogo "
        "estação cidade local aéroport gare ville lieu flughafen hafen bahnhof ort luchthaven haven plaats "
        "lotnisko dworzec"
    )
)
_CLOCK_WORDS: Final = frozenset(fold("time hour ora orario hora heure zeit uhrzeit tijd godzina tid"))
"""Words in the names of fields that ask for the time of a departure or an arrival; `_PLACE_WORDS` ask for its place."""
_ARRIVAL_WORDS: Final = frozenset(fold("arrival ankunft arrivée llegada arrivo chegada aankomst przyjazd ankomst"))
_CODES: Final = frozenset(fold("iata code airportcode kürzel código codigo codice kod"))


_COLUMNS_OF_ENDS: Final[Sequence[tuple[str, Column, Column]]] = (
    ("place", "from", "to"),
    ("code", "from_code", "to_code"),
    ("time", "departure", "arrival"),
    ("day", "date", "arrival_date"),
)
"""Kinds of cells at an end of a leg, each with its column for the first end and for the second."""


_OTHER_FORM: Final[Mapping[Column, Column]] = {
    "from": "from_code",
    "to": "to_code",
    "from_code": "from",
    "to_code": "to",
}


class _Anchor(NamedTuple):
    row: int
    number: str = ""
    """Number of the flight or the train in the row, or the word for its direction."""


class _Leg(NamedTuple):
    cells: Mapping[Column, ReadCell]
    labelled: Sequence[tuple[str, ReadCell]]
    """The values in the leg's rows that a label with a colon precedes, each with its label."""


class _Rows(NamedTuple):
    """Rows of a page, or of a box on it, and the text of each row. Two spaces in a text stand for a wide gap."""

    passage: Passage
    words: Sequence[Sequence[WordOnPage]]
    texts: Sequence[str]
    directions: Sequence[_Anchor] = ()
    """The rows that begin with a direction, each with this word."""

    def direction_of(self, row: int) -> dict[Column, ReadCell]:
        """Return the cell of the direction of a leg that begins in a row; nothing if no direction precedes it."""
        above = [one for one in self.directions if one.row <= row]
        return {"direction": self.cell(above[-1].row, above[-1].number)} if above else {}

    def cell(self, row: int, text: str) -> ReadCell:
        return cell_of(self.passage, self.words[row])._replace(text=text)


def travel_legs(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield the legs of a journey as a table for each list of objects with places and times."""
    legs: list[_Leg] | None = None
    for fields in lists:
        columns = _columns_of(fields)
        kinds = {column.removesuffix("_code") for column in columns.values()}
        if len({"number", "from", "to", "departure", "arrival"} & kinds) < FEWEST_COLUMNS:
            continue
        legs = (yield from _legs_of(passage)) if legs is None else legs
        if legs:
            others = [one for index, one in enumerate(fields) if index not in columns]
            others = [one for one in others if any(_labelled(leg, one).text for leg in legs)]
            wanted = [*(fields[index] for index in columns), *others]
            header = [ReadCell(" ".join(one.names.own[0])) for one in wanted]
            body = [
                [
                    *(_cell(leg.cells, column, fields[index]) for index, column in columns.items()),
                    *(_labelled(leg, one) for one in others),
                ]
                for leg in legs
            ]
            yield ReadTable([header, *body], is_exact=False, is_whole=True)


def _labelled(leg: _Leg, field: WantedField) -> ReadCell:
    """Return the value in a leg whose label names a field best; NO_CELL if no label names it."""
    likely = [(likeness_by_words(field.names, label), cell) for label, cell in leg.labelled]
    likeness, cell = max(likely, key=itemgetter(0), default=(0.0, NO_CELL))
    return cell if likeness >= LEAST_LIKENESS else NO_CELL


def _cell(cells: Mapping[Column, ReadCell], column: Column, field: WantedField) -> ReadCell:
    """Return the cell of a column. A place without a name gets its code, and a place without a code its name. A time
    gets its day, too, if the field asks for a moment."""
    own = cells.get(column) or cells.get(_OTHER_FORM.get(column, column)) or NO_CELL
    day = cells.get("date" if column == "departure" else "arrival_date")
    if column in ("departure", "arrival") and day is not None and own.text and wants_iso(field.schema):
        clock = _GLUED_TIME.sub(r"\1:\2", own.text)
        return own._replace(text=f"{day.text} {clock}")
    return own


def _wants_code(field: WantedField) -> bool:
    words = {word for own in field.names.own for word in own}
    return (
        bool(words & _CODES)
        or "IATA" in str(field.schema.get("description", ""))
        or field.schema.get("maxLength") == len("ARN")
    )


def _columns_of(fields: Sequence[WantedField]) -> dict[int, Column]:
    extras = {index: extra for index, one in enumerate(fields) if (extra := _extra_column_of(one)) is not None}
    columns = [None if index in extras else _column_of(one) for index, one in enumerate(fields)]
    found: dict[int, Column] = {}
    places: tuple[tuple[Column, Column], ...] = (("departure", "from"), ("arrival", "to"))
    for index, (one, column) in enumerate(zip(fields, columns, strict=True)):
        for time, place in places:
            # If there is a "departure_time", too, "departure" is a place.
            if column == time and columns.count(time) > 1 and len(one.names.own[0]) == 1:
                column = place
        if (extra := extras.get(index)) is not None:
            column = extra
        if column in ("from", "to") and _wants_code(one):
            column = "from_code" if column == "from" else "to_code"
        if column is not None and column not in found.values():
            found[index] = column
    return found


def _extra_column_of(field: WantedField) -> Column | None:
    words = {word for own in field.names.own for word in own}
    if "number" in types_of(field.schema) or wants_iso(field.schema):
        return None
    column = next((column for column, _, known in _EXTRAS if words & known), None)
    if column != "platform":
        # A place may be a seat, but beside the two ends of a leg, it is rather a city.
        return None if column is None or words & {"from", "to"} or "departure_place" in field.names.concepts else column
    is_end = any(one.startswith("arrival") for one in field.names.concepts) or bool(words & _ARRIVAL_WORDS)
    return "arrival_platform" if is_end else "platform"


def _column_of(field: WantedField) -> Column | None:
    concepts, form = field.names.concepts, field.schema.get("format")
    words = {word for own in field.names.own for word in own}
    if form == "date" or concepts & {"departure_date", "arrival_date", "date"} == concepts != frozenset():
        return "arrival_date" if "arrival_date" in concepts or words & {"arrival", "ankunft"} else "date"
    # A long name may contain words such as `do` and `a` that mean no place there.
    short = {word for own in field.names.own if len(own) <= LONGEST_LABEL for word in own}
    if short & _DIRECTION_WORDS and types_of(field.schema) <= {"string", "null"}:
        return "direction"
    is_start, is_end = (
        any(one.startswith(side) for one in concepts) or bool(short & labels)
        for side, labels in (("departure", _ORIGIN_WORDS), ("arrival", _DESTINATION_WORDS))
    )
    if is_start != is_end:
        if short & _CLOCK_WORDS:
            return "departure" if is_start else "arrival"
        if short & _PLACE_WORDS:
            return "from" if is_start else "to"
    if concepts & {"flight", "train"}:
        return "number"
    if "departure_place" in concepts or (short & _ORIGIN_WORDS and "departure_time" not in concepts):
        return "from"
    if "arrival_place" in concepts or (short & _DESTINATION_WORDS and "arrival_time" not in concepts):
        return "to"
    if "departure_time" in concepts:
        return "departure"
    if "arrival_time" in concepts:
        return "arrival"
    return "duration" if "duration" in concepts else None


def _legs_of(passage: Passage) -> Slices[list[_Leg]]:
    legs: list[_Leg] = []
    boxes = yield from _boxes(passage, rows_of(passage))
    for words in boxes:
        texts: list[str] = []
        for row in words:
            if len(texts) % ROWS_AT_ONCE == 0:
                yield
            text = _text_with_gaps(passage, row)
            texts.append(text if len(text) <= LONGEST_ROW else "")
        anchors = yield from _anchors(texts)
        _, directions, _ = anchors
        named = [one._replace(number=texts[one.row].split()[0].strip(_AROUND)) for one in directions]
        rows = _Rows(passage, words, texts, named)
        fullest: list[_Leg] = []
        for one in anchors:
            found = yield from _legs_at(rows, one)
            fullest = max(fullest, found, key=_fullness)
        by_stops = yield from _legs_by_stops(rows)
        fullest = max(fullest, by_stops, key=_fullness)
        legs += fullest
    return legs


def _fullness(legs: Sequence[_Leg]) -> int:
    return sum(len(leg.cells) for leg in legs)


def _boxes(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> Slices[list[list[Sequence[WordOnPage]]]]:
    """Return the rows outside boxes, and then the rows of each box.

    Boxes of different journeys are side by side, and begin with directions, such as ANDATA and RITORNO, or with routes.
    """
    outside: list[Sequence[WordOnPage]] = []
    boxes: list[list[Sequence[WordOnPage]]] = []
    edges: list[int] = []
    left = 0
    for index, row in enumerate(rows):
        if index % ROWS_AT_ONCE == 0:
            yield
        segments = list(segments_of_row(row))
        if 1 < len(segments) <= MAX_BOXES and all(_heads_journey(text_of(passage, one)) for one in segments):
            # A row of routes below a row of directions is within the same boxes.
            if not left or len(edges) != len(segments):
                edges = [one[0].box[0] - one[0].height for one in segments]
                boxes += [[] for _ in segments]
            left = MAX_ROWS
        if not left or any(one[0].box[0] < edge < one[-1].box[2] for one in segments for edge in edges[1:]):
            left = 0
            outside.append(row)
            continue
        left -= 1
        for number, box in enumerate(boxes[-len(edges) :]):
            end = edges[number + 1] if number + 1 < len(edges) else float("inf")
            if inside := [
                word
                for one in segments
                for word in one
                if (not number or edges[number] <= one[0].box[0]) and one[0].box[0] < end
            ]:
                box.append(inside)
    return [outside, *boxes]


def _heads_journey(text: str) -> bool:
    words = fold(text)
    return (len(words) == 1 and words[0] in _DIRECTIONS) or _is_route(text)


def _is_route(text: str) -> bool:
    return bool(_ARROW.search(text)) and len([part for part in _ARROW.split(text) if _place(part)]) == 2


def _text_with_gaps(passage: Passage, row: Sequence[WordOnPage]) -> str:
    return "  ".join(text_of(passage, segment) for segment in segments_of_row(row))


def _anchors(texts: Sequence[str]) -> Slices[tuple[list[_Anchor], list[_Anchor], list[_Anchor]]]:
    """Return where legs may begin: rows with numbers of flights or trains, rows that begin with a direction, routes."""
    numbers: list[_Anchor] = []
    directions: list[_Anchor] = []
    routes: list[_Anchor] = []
    for at, text in enumerate(texts):
        if at % ROWS_AT_ONCE == 0:
            yield
        if found := _NUMBER.search(text):
            numbers.append(_Anchor(at, found[0]))
        if text and not _DIRECTIONS.isdisjoint(fold(text.split()[0])):
            directions.append(_Anchor(at))
        if _is_route(text):
            routes.append(_Anchor(at))
    return numbers[:MAX_LEGS], directions[:MAX_LEGS], routes[:MAX_LEGS]


def _legs_at(rows: _Rows, anchors: Sequence[_Anchor]) -> Slices[list[_Leg]]:
    texts = rows.texts
    legs: list[_Leg] = []
    last_day: ReadCell | None = None
    used = -1
    for index, (at, number) in enumerate(anchors):
        yield
        end = anchors[index + 1].row if index + 1 < len(anchors) else len(texts)
        end = next((one.row for one in rows.directions if at < one.row < end), end)
        own = whole = range(at, min(end, at + MAX_ROWS))
        if number and sum(len(_times(texts[row])) for row in own) < 2:
            own = range(max(used + 1, at - MAX_ROWS + 1), at + 1)
        cells = _read(rows, own)
        if {"departure", "arrival"} <= cells.keys() and cells.keys() & {"from", "from_code"}:
            if number:
                cells["number"] = rows.cell(at, number)
            own = _until_second_time(texts, own)
            days = _days(rows, own) or _days(rows, range(max(used + 1, own[0] - MAX_ABOVE), own[0]))[-1:]
            last_day = days[0] if days else last_day
            if last_day is not None:
                cells.setdefault("date", last_day)
                cells.setdefault("arrival_date", days[1] if len(days) > 1 else cells["date"])
            used = own[-1]
            cells = {**_extras(rows, own), **rows.direction_of(own[0]), **cells}
            legs.append(_Leg(cells, _labelled_values(rows, whole)))
    return legs


def _legs_by_stops(rows: _Rows) -> Slices[list[_Leg]]:
    """Return the legs of a list of stops, in which each stop has a row, and the word before its time says whether the
    train leaves or arrives there. A leg is a row of a departure above a row of an arrival."""
    stops: list[tuple[int, re.Match[str]]] = []
    for at, text in enumerate(rows.texts):
        if at % ROWS_AT_ONCE == 0:
            yield
        found = [*_STOP.finditer(_without_days(text))] if _STOP.search(text) else []
        if len(found) == 1:
            stops.append((at, found[0]))
    legs: list[_Leg] = []
    for (start, leaves), (end, arrives) in pairwise(stops[: 2 * MAX_LEGS]):
        yield
        places = [_place(one.string[: one.start()]) for one in (leaves, arrives)]
        if not leaves["leaves"] or arrives["leaves"] or end - start > MAX_ROWS or not all(places):
            continue
        cells: dict[Column, ReadCell] = {
            "from": rows.cell(start, places[0]),
            "to": rows.cell(end, places[1]),
            "departure": rows.cell(start, leaves["time"]),
            "arrival": rows.cell(end, arrives["time"]),
        }
        days = [_days(rows, range(row, row + 1)) for row in (start, end)]
        if days[0] or days[1]:
            cells["date"] = (days[0] or days[1])[0]
            cells["arrival_date"] = (days[1] or days[0])[0]
        segments = [text_of(rows.passage, one) for one in segments_of_row(rows.words[start])]
        number = next((one for one in segments if _TRAIN.fullmatch(one)), "") or next(
            (one[0] for one in _NUMBER.finditer(rows.texts[start])), ""
        )
        if number:
            cells["number"] = rows.cell(start, number)
        own = range(start, end + 1)
        cells = {**_extras(rows, own), **rows.direction_of(start), **cells}
        legs.append(_Leg(cells, _labelled_values(rows, own)))
    return legs


def _extras(rows: _Rows, own: range) -> dict[Column, ReadCell]:
    """Return the platforms, the coach and the seats of a leg."""
    cells: dict[Column, ReadCell] = {}
    for row in own:
        for column, pattern, _ in _EXTRAS:
            for found in pattern.finditer(rows.texts[row]):
                target: Column = "arrival_platform" if column == "platform" and column in cells else column
                text = ", ".join(re.split(r" ?[+/&] ?|, ?", found["value"])) if column == "seats" else found["value"]
                cells.setdefault(target, rows.cell(row, text))
    return cells


def _labelled_values(rows: _Rows, own: range) -> list[tuple[str, ReadCell]]:
    """Return the values in a leg's rows that a label with a colon precedes, each with its label: `Vessel: Aurora`."""
    found: list[tuple[str, ReadCell]] = []
    for row in own:
        for segment in rows.texts[row].split("  "):
            label, colon, value = segment.partition(": ")
            if colon and value.strip() and len(label) <= LONGEST_HEADER:
                found.append((label, rows.cell(row, value.strip())))
    return found[:MAX_LABELLED]


def _until_second_time(texts: Sequence[str], own: range) -> range:
    times = 0
    for index in own:
        times += len(_times(texts[index]))
        if times >= len(("departure", "arrival")):
            return range(own[0], index + 1)
    return own


def _times(text: str) -> list[re.Match[str]]:
    """Return the times of day in a row, without its dates and durations."""
    bare = _without_days(text)
    return [*_TIME.finditer(bare)] or [*_MILITARY.finditer(bare)]


def _without_days(text: str) -> str:
    """Return a text with spaces in place of its days, durations, numbers of flights or trains, coaches and seats."""
    for day in _days_in(text):
        text = text[: day.start] + " " * (day.end - day.start) + text[day.end :]
    for form in (_DURATION, _NUMBER, _COACH, _SEATS):
        text = form.sub(lambda found: " " * len(found[0]), text)
    return text


def _days_in(text: str) -> list[Day]:
    return [*find_days(text)] or [Day(one.start(), one.end(), ()) for one in _NAMED_DAY.finditer(text)]


def _days(rows: _Rows, own: range) -> list[ReadCell]:
    return [
        rows.cell(index, rows.texts[index][day.start : day.end]) for index in own for day in _days_in(rows.texts[index])
    ]


def _ends(rows: _Rows, own: range) -> tuple[dict[str, ReadCell], dict[str, ReadCell]] | None:
    """Return the cells of the two ends of a leg if each end has a part of the leg to itself: the segments that begin
    with its label, or the column of its time. The result is None if an end has no such part, or no time or place in
    it."""
    segments = [(row, one) for row in own if rows.texts[row] for one in segments_of_row(rows.words[row])]
    texts = [text_of(rows.passage, one) for _, one in segments]
    for first, second in (_labelled_parts(segments, texts), _columns_of_times(rows, segments, texts)):
        ends = tuple(_end(rows, [(segments[index][0], texts[index]) for index in part]) for part in (first, second))
        if all("time" in end and end.keys() & {"place", "code"} for end in ends):
            return ends[0], ends[1]
    return None


_Segments = Sequence[tuple[int, Sequence[WordOnPage]]]


def _labelled_parts(segments: _Segments, texts: Sequence[str]) -> tuple[Sequence[int], Sequence[int]]:
    """Return the segments that begin with a label such as From, and those that begin with a label such as To in a row
    below it. Both are empty if a label is missing."""
    starts: list[int] = []
    for labels in (_ORIGIN_WORDS, _DESTINATION_WORDS):
        first = segments[starts[-1]][0] if starts else -1
        starts.append(
            next(
                (
                    index
                    for index, (row, _) in enumerate(segments)
                    if row > first and texts[index][0].isupper() and not labels.isdisjoint(fold(texts[index])[:1])
                ),
                len(segments),
            )
        )
        if starts[-1] == len(segments):
            return (), ()
    return range(starts[0], starts[1]), range(starts[1], len(segments))


def _columns_of_times(rows: _Rows, segments: _Segments, texts: Sequence[str]) -> tuple[Sequence[int], Sequence[int]]:
    """Return the segments above and below each of two times that are printed side by side without places. Both are
    empty if there are no such times."""
    timed = [index for index, text in enumerate(texts) if _times(text)]
    for row, indices in groupby(timed, key=lambda index: segments[index][0]):
        pair = [*indices]
        if len(pair) != len(("departure", "arrival")):
            continue
        first, second = pair
        one, other = segments[first][1], segments[second][1]
        alone = all(not _place(_TIME.sub("", texts[index])) for index in (first, second))
        names = [*_names_beside(_without_days(rows.texts[row]), _times(rows.texts[row]))]
        if alone and len(names) < len(("from", "to")):
            columns = [
                [index for index, (_, it) in enumerate(segments) if _is_above(it, time)] for time in (one, other)
            ]
            left, right = (
                [index for index in column if index not in other] for column, other in (columns, columns[::-1])
            )
            return left, right
    return (), ()


def _is_above(one: Sequence[WordOnPage], other: Sequence[WordOnPage]) -> bool:
    return one[0].box[0] <= other[-1].box[2] and other[0].box[0] <= one[-1].box[2]


def _end(rows: _Rows, part: Sequence[tuple[int, str]]) -> dict[str, ReadCell]:
    """Return the first place, code, time and day in a part of a leg."""
    found: dict[str, ReadCell] = {}
    for row, text in part:
        bare = _without_days(text)
        code = next((one["code"] or (one["bare"] if one[0] == text else "") for one in _CODE.finditer(text)), "")
        for kind, value in (
            ("place", _place(bare)),
            ("code", "" if code.casefold() in _NO_PLACE else code),
            ("time", next((one["time"] for one in _times(text)), "")),
            ("day", next((text[day.start : day.end] for day in _days_in(text)), "")),
        ):
            if value and kind not in found:
                found[kind] = rows.cell(row, value)
    return found


def _read(rows: _Rows, own: range) -> dict[Column, ReadCell]:
    """Return the times, the places, their codes, and the duration of a leg."""
    texts = rows.texts
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
        if len(times) - len(times_in_text) < len(("departure", "arrival")):
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
                cells[column] = rows.cell(row, text)
    if durations:
        cells["duration"] = rows.cell(*durations[0])
    if ends := _ends(rows, own):
        for kind, *columns in _COLUMNS_OF_ENDS:
            for column, end in zip(columns, ends, strict=True):
                cells.pop(column, None)
                if kind in end:
                    cells[column] = end[kind]
    return cells


def _names_beside(bare: str, times: Sequence[re.Match[str]]) -> Iterator[str]:
    """Yield the place before each time of a row, or the place after each time if none is before the first time."""
    is_behind = bool(times) and not _place(bare[: times[0].start()])
    for index, found in enumerate(times):
        text_before = bare[times[index - 1].end() if index else 0 : found.start()]
        following = bare[found.end() : times[index + 1].start() if index + 1 < len(times) else len(bare)]
        parts = _PARTS.split(following) if is_behind else _PARTS.split(text_before)[::-1]
        if name := next(filter(None, map(_place, parts)), ""):
            yield name


def _place(text: str) -> str:
    """Return the name of a place in a text without its code, or an empty text."""
    text = _CODE.sub("", text)
    words = [word for word in re.split(r"[\s|·•]+", text) if word]
    while words and (not words[0][0].isupper() or not _NOT_IN_NAMES.isdisjoint(fold(words[0])) or _is_weekday(words)):
        words = words[1:]
    found = _NAME.match(" ".join(words))
    return found[0].strip(" ,.-/") if found else ""


def _is_weekday(words: Sequence[str]) -> bool:
    """True if the first of the words before a day is a weekday: `Sat` of `Sat 9 August`. The day itself is left out."""
    return len(words) == 1 and words[0].rstrip(",.").casefold() in WEEKDAYS
