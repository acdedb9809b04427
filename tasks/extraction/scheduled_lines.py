"""Reads the lines of a programme: `10:45–11:30 Opening  Main hall`, `18-11-2025 10:40 Orthopaedics`.

A day or a weekday above the lines is the day of each of them. Lines below an item say what kind of item it is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.features import types_of, wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import WordOnPage, cell_of, rows_by_column, segments_of_row, text_of
from tasks.notation.dates import find_days
from tasks.notation.words import WEEKDAYS
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Column = Literal["day", "start", "end", "title", "place", "kind", "cancelled"]

FEWEST: Final = 2
"""A programme has at least this many lines."""
FEWEST_COLUMNS: Final = 3
"""A list must ask for at least this many columns."""
LONGEST_ROW: Final = 200
"""A line of a programme has at most this many characters."""
MAX_WORDS_OF_DAY: Final = 6
"""A line is the heading of a day if it has at most this many words."""
MAX_BELOW: Final = 3
"""At most this many lines below an item belong to it."""
SHORTEST_WEEKDAY: Final = 5
"""A heading that names a weekday alone names it with at least this many letters."""

_CLOCK: Final = r"(?:(?:[01]?\d|2[0-4])[:.h][0-5]\d(?: ?[ap]\.?m\b\.?)?|(?:0?[1-9]|1[0-2]) ?[ap]\.?m\b\.?)"
_LINE = re.compile(
    rf"(?:(?:kl\.?|at|um|à|a las|alle|às|om|o) )?(?P<start>{_CLOCK})(?!\d)"
    rf"(?:(?: ?[-–—] ?| (?:to|until|bis|à|a|al|alle|às|tot|do|till) )(?P<end>{_CLOCK})(?!\d))?"
    r"(?: ?(?:Uhr|uur|h|hrs|godz\.?)(?![^\W\d_]))?[\s:|·,–—-]+(?P<rest>\S.*)",
    re.IGNORECASE,
)
_CANCELLED_WORDS: Final = (
    "cancelled|canceled|called off|abgesagt|entfällt|fällt aus|annulée?s?|supprimée?s?|cancelad[oa]s?|suspendid[oa]s?"
    r"|annullat[oaie]|sospes[oaie]|geannuleerd|afgelast|vervalt|odwołan[eay]|odwołany|inställ[td]a?|avlyst|aflyst"
)
_CANCELLED = re.compile(rf"\b(?:{_CANCELLED_WORDS})\b", re.IGNORECASE)
_STATUS = re.compile(rf"[\[(]?(?:{_CANCELLED_WORDS})[\])]?\s*[:!–—-]*\s*", re.IGNORECASE)
_PLACE_AT_END = re.compile(r"(?P<title>.*[^\s(·|@,])(?: ?[·|@] ?| \()(?P<place>[^\W\d_][^()·|@]{1,40})\)?")
_NAMES: Final[Mapping[Column, frozenset[str]]] = {
    "start": frozenset(
        fold(
            "start starts begin begins beginning time from beginn anfang uhrzeit zeit von début debut heure inicio hora"
            " desde inizio ora orario dalle início aanvang tijd van początek godzina od start börjar tid från"
        )
    ),
    "end": frozenset(
        fold(
            "end ends finish until to ende bis fin jusqu hasta fine fim até alle einde eind tot koniec do slut slutar"
            " till"
        )
    ),
    "place": frozenset(
        fold(
            "place location venue room stage hall where ort raum saal bühne lieu salle scène lugar sala escenario luogo"
            " palco local plaats zaal podium miejsce scena plats lokal scen"
        )
    ),
    "title": frozenset(
        fold(
            "title name event item activity session talk subject titel titre título titolo tytuł tipo bezeichnung"
            " veranstaltung programmpunkt intitulé evento actividad attività atividade activiteit wydarzenie tema"
            " description beschreibung descripción descrizione descrição omschrijving opis programpunkt punkt type"
        )
    ),
}
_OF_CANCELLING: Final = frozenset(
    fold(
        "cancelled canceled abgesagt entfällt annulé supprimé cancelado suspendido annullato geannuleerd"
        " afgelast odwołane inställt avlyst"
    )
)


class _ScheduledItem(NamedTuple):
    words: Sequence[WordOnPage]
    start: str
    end: str
    rest: Sequence[str]
    """The texts behind the time, between wide gaps."""
    day: ReadCell
    below: list[ReadCell]


def scheduled_lines(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield the programme of a page as a table for each list that asks for times, for titles, and for at least
    FEWEST_COLUMNS columns in all. Yield None after a slice of work."""
    items: list[_ScheduledItem] | None = None
    for fields in lists:
        columns = _columns_of(fields)
        if not {"start", "title"} <= set(columns.values()) or len(columns) < FEWEST_COLUMNS:
            continue
        items = (yield from _items_of(passage)) if items is None else items
        if len(items) < FEWEST:
            return
        header = [ReadCell(" ".join(fields[index].names.own[0])) for index in columns]
        body: list[list[ReadCell]] = []
        for item in items:
            yield None
            cells = _cells_of(passage, item, with_place="place" in columns.values())
            kinds = {index: _kind_of(fields[index], item, cells) for index, one in columns.items() if one == "kind"}
            body.append([kinds.get(index) or cells.get(column, NO_CELL) for index, column in columns.items()])
        yield ReadTable([header, *body], is_exact=False, is_whole=True)


def _columns_of(fields: Sequence[WantedField]) -> dict[int, Column]:
    found: dict[int, Column] = {}
    for index, one in enumerate(fields):
        words = {word for own in one.names.own for word in own}
        types = types_of(one.schema)
        column: Column | None = None
        if "boolean" in types:
            column = "cancelled" if words & _OF_CANCELLING else None
        elif "enum" in one.schema:
            column = "kind"
        elif wants_iso(one.schema):
            column = "day"
        elif "string" in types:
            column = next((name for name, known in _NAMES.items() if words & known), None)
        if column is not None and (column == "kind" or column not in found.values()):
            found[index] = column
    return found


def _items_of(passage: Passage) -> Slices[list[_ScheduledItem]]:
    items: list[_ScheduledItem] = []
    for rows in rows_by_column(passage):
        day = NO_CELL
        begun = False
        for row in rows:
            yield
            texts = [text_of(passage, segment) for segment in segments_of_row(row)]
            text = "  ".join(texts)
            if len(text) > LONGEST_ROW:
                begun = False
                continue
            own_day = next(find_days(text), None)
            bare = text[own_day.end :].lstrip(" ,.|·") if own_day and not own_day.start else text
            if found := _LINE.fullmatch(bare):
                cell = cell_of(passage, row)
                own = cell._replace(text=text[: own_day.end]) if own_day and bare != text else day
                rest = [one for one in re.split(r" {2,}", found["rest"]) if any(map(str.isalnum, one))]
                if rest and any(map(str.isalpha, rest[0])):
                    items.append(_ScheduledItem(row, found["start"], found["end"] or "", rest, own, []))
                    begun = True
            elif _is_day(text):
                day, begun = cell_of(passage, row), False
            elif begun and len(items[-1].below) < MAX_BELOW:
                items[-1].below.append(cell_of(passage, row))
            else:
                begun = False
    return items


def _is_day(text: str) -> bool:
    """True if a line is the heading of a day: a weekday, or a day with few other words."""
    words = fold(text)
    if not 0 < len(words) <= MAX_WORDS_OF_DAY:
        return False
    is_weekday = len(words[0]) >= SHORTEST_WEEKDAY and words[0] in WEEKDAYS
    return (is_weekday and len(words) == 1) or any(True for _ in find_days(text))


def _cells_of(passage: Passage, item: _ScheduledItem, *, with_place: bool) -> dict[Column, ReadCell]:
    whole = cell_of(passage, item.words)
    title, place = item.rest[0], item.rest[-1] if len(item.rest) > 1 else ""
    if with_place and not place and (parted := _PLACE_AT_END.fullmatch(title)):
        title, place = parted["title"], parted["place"]
    status = _STATUS.match(title)
    title = title[status.end() :] if status and status.end() < len(title) else title
    is_cancelled = bool(status) or any(_CANCELLED.match(one.text) for one in item.below)
    texts: dict[Column, str] = {
        "start": item.start,
        "end": item.end,
        "title": title.strip(" :–—-"),
        "place": place,
        "cancelled": "yes" if is_cancelled else "no",
    }
    return {"day": item.day, **{column: whole._replace(text=text) for column, text in texts.items() if text}}


def _kind_of(field: WantedField, item: _ScheduledItem, cells: Mapping[Column, ReadCell]) -> ReadCell | None:
    """Return the first value of an enum that is printed before a colon below an item, in its title, or anywhere below
    it; None if none is."""
    values = {tuple(fold(str(value))): str(value) for value in field.schema["enum"] if value is not None}
    labels = [one._replace(text=one.text.partition(":")[0]) for one in item.below[:1]]
    for cell in (*labels, cells["title"], *item.below):
        words = fold(cell.text)
        for value_words, value in values.items():
            size = len(value_words)
            if size and any(tuple(words[at : at + size]) == value_words for at in range(len(words) - size + 1)):
                return cell._replace(text=value, source=cell.text)
    return None
