"""Reads the lines of a ranking: `1. Iker Olabarri (C.A. Ribera) 31:42`, `2 Nordhof SV 29 pts`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.own_words import is_form_of
from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import WordOnPage, cell_of, rows_by_column, texts_of_rows
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Column = Literal["rank", "name", "club", "result"]

FEWEST: Final = 2
"""A ranking has at least this many lines."""
LONGEST_ROW: Final = 200
"""A line of a ranking has at most this many characters."""
MAX_ABOVE: Final = 2
"""The heading of a ranking consists of at most this many lines above its first line."""

_LINE = re.compile(
    r"(?P<rank>\d{1,3})(?:[.)°ºª]|st|nd|rd|th|er|e)? (?P<name>[^\W\d_][^\d()|]{1,60}?)"
    r"(?: ?[(|,–-] ?(?P<club>[^\W\d_][^()|,]{1,40}?)\)?)? *+[|,–:-]?+ *+"
    r"(?<!\d)(?P<result>\d{1,3}(?:[:.,'h]\d{1,3}){0,3}(?:\"|''|s|min|h)?(?: ?(?:pts?|points?|punkte?|puntos|punti"
    r"|pontos|pkt|poäng|m|km|kg|sec|s)\.?)?)",
    re.IGNORECASE,
)
_NAMES: Final[Mapping[Column, frozenset[str]]] = {
    "rank": frozenset(
        fold(
            "rank ranking position place pos puesto posición platz rang plats plaats miejsce posizione posto lugar "
            "classement placement"
        )
    ),
    "club": frozenset(
        fold("club team verein equipo équipe squadra società klub lag ploeg equipa clube förening vereniging school")
    ),
    "result": frozenset(
        fold(
            "time result score points tiempo marca puntos zeit ergebnis punkte temps résultat tempo risultato punti "
            "resultado pontos czas wynik punkty tid resultat poäng tijd uitslag punten pts"
        )
    ),
    "name": frozenset(
        fold(
            "name athlete runner player driver competitor participant rider swimmer nombre atleta corredor jugador "
            "sportler läufer spieler teilnehmer nom athlète coureur joueur nome corridore giocatore naam nazwisko "
            "zawodnik namn winner"
        )
    ),
}


class _RankedLine(NamedTuple):
    rank: int
    cells: Mapping[Column, ReadCell]


class _Ranking(NamedTuple):
    heading: str
    lines: list[_RankedLine]


def rankings(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield a table for each list whose fields ask for names, and for ranks or results.

    The table has the page's first ranking whose heading has a word of the list's name, or else the first ranking of
    all.
    """
    found: list[_Ranking] | None = None
    for fields in lists:
        columns = _columns_of(fields)
        if not {"rank", "name"} <= set(columns.values()) and not {"name", "result"} <= set(columns.values()):
            continue
        found = (yield from _rankings_of(passage)) if found is None else found
        if not found:
            return
        list_words = fold(re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", str(fields[0].path[-2])))
        named = [
            one for one in found if any(is_form_of(word, other) for word in list_words for other in fold(one.heading))
        ]
        chosen = (named or found)[0]
        header = [ReadCell(" ".join(fields[index].names.own[0])) for index in columns]
        body = [[line.cells.get(column, NO_CELL) for column in columns.values()] for line in chosen.lines]
        own = fields[0].path[:-1] if named else None
        yield ReadTable([header, *body], chosen.heading, is_exact=False, is_whole=True, of_list=own)


def _columns_of(fields: Sequence[WantedField]) -> dict[int, Column]:
    found: dict[int, Column] = {}
    for index, one in enumerate(fields):
        words = {word for own in one.names.own for word in own}
        column = next((column for column, known in _NAMES.items() if words & known), None)
        if column is not None and column not in found.values():
            found[index] = column
    if "name" not in found.values():
        # In the ranking of a league, the teams are the names.
        found = {index: "name" if column == "club" else column for index, column in found.items()}
    return found


def _rankings_of(passage: Passage) -> Slices[list[_Ranking]]:
    found: list[_Ranking] = []
    for rows in rows_by_column(passage):
        texts = yield from texts_of_rows(passage, rows, LONGEST_ROW)
        run: list[_RankedLine] = []
        start = 0
        for index, (row, text) in enumerate(zip(rows, texts, strict=True)):
            yield
            line = _line_of(passage, row, text)
            if line is None or (run and line.rank not in (run[-1].rank, run[-1].rank + 1)):
                if len(run) >= FEWEST:
                    found.append(_Ranking(_heading(texts, start), run))
                run = []
            if line is not None and (run or line.rank == 1):
                start = start if run else index
                run.append(line)
        if len(run) >= FEWEST:
            found.append(_Ranking(_heading(texts, start), run))
    return found


def _heading(texts: Sequence[str], start: int) -> str:
    """Return the lines above a ranking."""
    return " ".join(texts[max(0, start - MAX_ABOVE) : start])


def _line_of(passage: Passage, row: Sequence[WordOnPage], text: str) -> _RankedLine | None:
    found = _LINE.fullmatch(text)
    if found is None:
        return None
    cell = cell_of(passage, row)
    columns: tuple[Column, ...] = ("rank", "name", "club", "result")
    cells = {column: cell._replace(text=found[column].strip()) for column in columns if found[column]}
    return _RankedLine(int(found["rank"]), cells)
