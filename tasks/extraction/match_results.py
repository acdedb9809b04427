"""Finds the results of sports matches, one per line: `Rovers 2 – 1 Holmstead FC`, `Rovers – Holmstead 2:1 (1:0)`.

The day of a match may stand above it. A match without a score has a mark in place of the score: `Rovers PPD Erle`. In
apps, each team has a line of its own, with its score at the right end, and the time or the state of the match beside
both.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Final, Literal, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.features import wants_iso
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import (
    WordOnPage,
    cell_of,
    rows_by_column,
    rows_of,
    segments_of_row,
    text_of,
    texts_of_rows,
)
from tasks.notation.clock_times import written_clock
from tasks.notation.dates import is_day_of_a_year, parse_day
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Column = Literal[
    "home", "away", "home_score", "away_score", "score", "attendance", "when", "half_time", "date", "is_off", "status"
]

FEWEST: Final = 2
"""At least this many results make a list."""
MAX_BELOW: Final = 2
"""The attendance of a match is searched for in at most this many lines below its result."""

MAX_WORDS_OF_DAY: Final = 5
MAX_WORDS_OF_SCORE: Final = 3
MAX_WORDS_OF_TEAM: Final = 8
MAX_COMPARED: Final = 20
"""A mark in place of a score must be below the score of another match. Only this many of the scores above it are
compared, the last ones."""
CLOSER: Final = 1.15
"""The lines of two matches are at least this many times as far apart as those of the two teams of one match. In a
ranking, the lines of all teams are equally far apart."""
MOST: Final = 0.8
"""At least this share of the lines with a team and its score must belong to matches."""
LONGEST_ROW: Final = 300
"""A result's line has at most this many characters."""

_TEAM = r"(?:\d\. )?[^\W\d_][^\d:]{1,38}?(?: \d{1,2})?"
_SIGN = r" ?[-–—:] ?"
_WHEN = r"(?:(?P<when>\d{1,2}[:.h]\d\d)(?: Uhr)? )?"
_BARE_SCORE: Final = re.compile(rf"\d{{1,3}}{_SIGN}\d{{1,3}}")
_RESULTS: Final = (
    re.compile(
        rf"{_WHEN}(?P<home>{_TEAM}) (?P<score>(?P<home_score>\d{{1,3}}){_SIGN}(?P<away_score>\d{{1,3}})) "
        rf"(?P<away>{_TEAM})(?P<rest> *(?:[(|·,].*|\d.*)?)"
    ),
    re.compile(
        rf"{_WHEN}(?P<home>{_TEAM}) (?:[-–—]|vs?\.?|gegen|contre|contra) (?P<away>{_TEAM}):? "
        rf"(?P<score>(?P<home_score>\d{{1,3}}){_SIGN}(?P<away_score>\d{{1,3}}))(?P<rest> *(?:[(|·,].*)?)"
    ),
)
_HOME_TEAM: Final = re.compile(rf"{_WHEN}(?P<home>{_TEAM})")
_AWAY_TEAM: Final = re.compile(_TEAM)
_SCORE_OF_TEAM: Final = re.compile(r"\d{1,3}")
_MARK: Final = re.compile(r"[^\W\d_]{2,4}\.?")
"""Pattern of the mark in place of a score, such as `PPD`."""
_HALF_TIME = re.compile(r"\((?:[^()\d]{0,12})(?P<half_time>\d{1,3} ?[-–—:] ?\d{1,3})\)")
_COUNT = r"\d[\d.,' ]{0,12}\d"
_ATTENDANCE = re.compile(
    r"(?:att(?:endance)?|zuschauer|zus|spectateurs|affluence|espectadores|asistencia|spettatori|público|publiek"
    rf"|toeschouwers|widz\w{{1,10}}|frekwencja|publik)\b[.: ]{{0,10}}(?P<before>{_COUNT})"
    rf"|(?P<behind>{_COUNT}) (?:zuschauer|spectat|espectadores|spettatori|toeschouwers|widz)",
    re.IGNORECASE,
)


def _words_of(text: str) -> frozenset[str]:
    """Return the words of a text, with and without their accents, which names of fields often lack."""
    return frozenset((*fold(text), *fold(without_accents(text))))


_HOME: Final = _words_of(
    "home heim heimteam heimmannschaft domicile recevant local casa thuis thuisploeg gospodarz "
    "gospodarze hemma hemmalag team1 equipe1 equipo1 teama"
)
_AWAY: Final = _words_of(
    "away guest visitor visitors gast gastteam gäste auswärts extérieur visiteur visitante fuera "
    "ospite ospiti trasferta fora uit uitploeg gość goście borta bortalag team2 equipe2 equipo2 teamb"
)
_SCORE: Final = _words_of(
    "score result ergebnis spielstand endstand résultat resultado marcador risultato uitslag wynik resultat placar"
)
_HALF: Final = _words_of("half halftime ht halbzeit halbzeitstand mitemps descanso intervallo intervalo rust")
_CROWD: Final = _words_of(
    "attendance crowd spectators zuschauer zuschauerzahl affluence spectateurs asistencia "
    "espectadores spettatori público toeschouwers widzowie frekwencja publik"
)
_OFF: Final = _words_of(
    "postponed cancelled canceled abandoned off ausgefallen abgesagt verschoben reporté annulé aplazado suspendido "
    "rinviata sospesa adiado afgelast uitgesteld odwołany przełożony uppskjuten inställd"
)
_STATES: Final = _words_of("status state stato estado statut stan")
_WHENS: Final = _words_of("time kickoff kick start uhrzeit anstoss anstoß heure hora ora tijd godzina tid")


def match_results(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield the results of a page as a table for each list of objects with two teams."""
    results: list[Mapping[Column, ReadCell]] | None = None
    for fields in lists:
        columns = {index: column for index, one in enumerate(fields) if (column := _column_of(one))}
        if not {"home", "away"} <= set(columns.values()):
            continue
        if results is None:
            results = (yield from _results_of(passage)) or (yield from _results_in_two_lines(passage))
        if len(results) < FEWEST:
            return
        header = [ReadCell(" ".join(fields[index].names.own[0])) for index in columns]
        body = [[cells.get(column, NO_CELL) for column in columns.values()] for cells in results]
        yield ReadTable([header, *body], is_exact=False, is_whole=True)


def _column_of(field: WantedField) -> Column | None:
    """Return the part of a result that a field wants; None for any other field."""
    types = field.schema.get("type", ())
    is_text = "string" in ((types,) if isinstance(types, str) else types)
    if wants_iso(field.schema):
        return "date"
    for own in field.names.own:
        words = {*own, "".join(own), *("".join(own[index : index + 2]) for index in range(len(own)))}
        if words & _HALF:
            return "half_time" if is_text else None
        if words & _CROWD:
            return "attendance"
        if words & _OFF and not words & _WHENS:
            return "is_off"
        if words & _HOME:
            return "home" if is_text else "home_score"
        if words & _AWAY:
            return "away" if is_text else "away_score"
        if words & _SCORE and is_text:
            return "score"
        if words & _WHENS and is_text:
            return "when"
        if words & _STATES and is_text:
            return "status"
    return None


def _results_of(passage: Passage) -> Slices[list[Mapping[Column, ReadCell]]]:
    results: list[Mapping[Column, ReadCell]] = []
    for own in rows_by_column(passage):
        rows = yield from _with_scores(passage, own)
        texts = yield from texts_of_rows(passage, rows, LONGEST_ROW)
        matches: list[re.Match[str] | None] = []
        for text in texts:
            yield
            matches.append(next(filter(None, (form.fullmatch(text) for form in _RESULTS)), None))
        day: ReadCell | None = None
        middles: list[float] = []
        for index, (row, found) in enumerate(zip(rows, matches, strict=True)):
            yield
            if found is None:
                if len(row) <= MAX_WORDS_OF_DAY and _is_day(texts[index]):
                    day = cell_of(passage, row)
                elif off := _without_score(passage, row, texts[index], middles):
                    results.append(off | ({"date": day} if day else {}))
                continue
            cell = cell_of(passage, row)
            texts_of: dict[str, str | None] = {name: found[name] for name in ("home", "away", "score", "when")}
            texts_of |= {"home_score": found["home_score"], "away_score": found["away_score"], "is_off": "no"}
            middles.append(_middle_of(row, texts[index], *found.span("score")))
            half = _HALF_TIME.search(found["rest"])
            texts_of["half_time"] = half["half_time"] if half else None
            cells = {column: cell._replace(text=text.strip(" -–—|·,")) for column, text in texts_of.items() if text}
            if day is not None:
                cells["date"] = day
            below = slice(index + 1, index + 1 + MAX_BELOW)
            if crowd := _attendance(passage, found["rest"], row, rows[below], matches[below]):
                cells["attendance"] = crowd
            results.append(cells)  # type: ignore[arg-type]
    return results


class _LineOfTeam(NamedTuple):
    """A line with a team and its score."""

    row: int
    """Index of the line's row."""
    team: Sequence[WordOnPage]
    score: Sequence[WordOnPage]
    left_of_team: Sequence[WordOnPage]

    @property
    def middle(self) -> float:
        return (self.score[0].box[0] + self.score[-1].box[2]) / 2

    @property
    def level(self) -> float:
        return (self.score[0].box[1] + self.score[0].box[3]) / 2


def _results_in_two_lines(passage: Passage) -> Slices[list[Mapping[Column, ReadCell]]]:
    """Return the results whose teams stand below each other. The scores of all teams are in one column."""
    rows = rows_of(passage)
    lines: list[_LineOfTeam] = []
    for index, row in enumerate(rows):
        yield
        pieces = list(segments_of_row(row))
        if len(pieces) == 1 or len(row) > MAX_WORDS_OF_TEAM:
            continue
        *left, team, score = pieces
        is_score = _SCORE_OF_TEAM.fullmatch(text_of(passage, score))
        if is_score and _AWAY_TEAM.fullmatch(text_of(passage, team)):
            lines.append(_LineOfTeam(index, team, score, [word for piece in left for word in piece]))
    if len(lines) < 2 * FEWEST:
        return []
    column = median(line.middle for line in lines)
    lines = [line for line in lines if abs(line.middle - column) < line.score[0].height]
    steps = [below.level - line.level for line, below in pairwise(lines)]
    results: list[Mapping[Column, ReadCell]] = []
    number, day, row_of_day = 0, None, -1
    while number + 1 < len(lines):
        yield
        home, away = lines[number], lines[number + 1]
        gaps = [*steps[number + 1 : number + 2], *(steps[number - 1 : number] if number else [])]
        if any(gap < CLOSER * steps[number] for gap in gaps):
            number += 1
            continue
        for index in range(row_of_day + 1, home.row):
            if len(rows[index]) <= MAX_WORDS_OF_DAY and _is_day(text_of(passage, rows[index])):
                day = cell_of(passage, rows[index])
        between = [word for row in rows[home.row + 1 : away.row] for word in row]
        state = [
            word for word in (*home.left_of_team, *between, *away.left_of_team) if word.box[2] < home.team[0].box[0]
        ]
        named = {"home": home.team, "home_score": home.score, "away": away.team, "away_score": away.score}
        cells: dict[Column, ReadCell] = {name: cell_of(passage, words) for name, words in named.items()}  # type: ignore[misc]
        cells["is_off"] = cells["home"]._replace(text="no")
        if state:
            cells["when" if written_clock(text_of(passage, state)) else "status"] = cell_of(passage, state)
        if day is not None:
            cells["date"] = day
        results.append(cells)
        row_of_day = away.row
        number += 2
    return results if 2 * len(results) >= MOST * len(lines) else []


def _with_scores(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> Slices[list[Sequence[WordOnPage]]]:
    """Return the rows. A score that was read as a separate line is put between the teams of the next line."""
    found: list[Sequence[WordOnPage]] = []
    waiting: Sequence[WordOnPage] = ()
    for row in rows:
        yield
        is_between = bool(waiting) and row[0].box[2] <= waiting[0].box[0] and waiting[-1].box[2] <= row[-1].box[0]
        if is_between and row[0].box[1] - waiting[0].box[3] < row[0].height:
            row = sorted([*row, *waiting], key=lambda word: word.box[0])
            found.pop()
        found.append(row)
        waiting = row if len(row) <= MAX_WORDS_OF_SCORE and _BARE_SCORE.fullmatch(text_of(passage, row)) else ()
    return found


def _is_day(text: str) -> bool:
    # A text without letters, such as `5-0`, is a score that was read as a separate line.
    return parse_day(text) is not None or (is_day_of_a_year(text) and any(map(str.isalpha, text)))


def _without_score(
    passage: Passage, row: Sequence[WordOnPage], text: str, middles: Sequence[float]
) -> dict[Column, ReadCell]:
    """Return the cells of a match that has a mark, in place of a score, below the scores of other matches; nothing for
    any other line."""
    words = text.split(" ")
    # The text of a line that is too long for a match is empty.
    for index in range(1, len(row) - 1) if middles and len(words) == len(row) else ():
        word = row[index]
        is_below = any(abs(word.middle - one) < word.height for one in middles[-MAX_COMPARED:])
        if not is_below or not _MARK.fullmatch(words[index]):
            continue
        home, away = _HOME_TEAM.fullmatch(" ".join(words[:index])), _AWAY_TEAM.fullmatch(" ".join(words[index + 1 :]))
        if home and away:
            cell = cell_of(passage, row)
            texts: dict[Column, str | None] = {"home": home["home"], "when": home["when"], "away": away[0]}
            named_cells = {column: cell._replace(text=text) for column, text in texts.items() if text}
            return {"is_off": cell._replace(text="yes", source=words[index]), **named_cells}
    return {}


def _middle_of(row: Sequence[WordOnPage], text: str, start: int, end: int) -> float:
    """Return the middle of the words of a row that contain the characters `start` to `end` of its text."""
    first, last = text[:start].count(" "), text[:end].count(" ")
    return (row[first].box[0] + row[last].box[2]) / 2


def _attendance(
    passage: Passage,
    rest: str,
    row: Sequence[WordOnPage],
    below: Sequence[Sequence[WordOnPage]],
    matches: Sequence[object],
) -> ReadCell | None:
    """Return the attendance that a result's line, or a line between it and the next result, states."""
    if found := _ATTENDANCE.search(rest):
        return cell_of(passage, row)._replace(text=found["before"] or found["behind"])
    for line, match in zip(below, matches, strict=True):
        if match is not None:
            return None
        if found := _ATTENDANCE.search(text_of(passage, line)):
            return cell_of(passage, line)._replace(text=found["before"] or found["behind"])
    return None
