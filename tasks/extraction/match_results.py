"""Finds the results of sports matches, one a line: `Rovers 2 – 1 Holmstead FC`, `Rovers – Holmstead 2:1 (1:0)`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import WordOnPage, cell_of, rows_by_column, text_of
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Column = Literal["home", "away", "home_score", "away_score", "score", "attendance", "when", "half_time"]

FEWEST: Final = 2
"""Least number of results that make a list."""
MAX_BELOW: Final = 2
"""Largest number of lines below a result in which its attendance is searched for."""

LONGEST_ROW: Final = 300
"""Largest number of characters of a result's line."""

_TEAM = r"(?:\d\. )?[^\W\d_][^\d:]{1,38}?(?: \d{2})?"
_SIGN = r" ?[-–—:] ?"
_WHEN = r"(?:(?P<when>\d{1,2}[:.h]\d\d)(?: Uhr)? )?"
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
_HALF_TIME = re.compile(r"\((?:[^()\d]{0,12})(?P<half_time>\d{1,3} ?[-–—:] ?\d{1,3})\)")
_ATTENDANCE = re.compile(
    r"(?:att(?:endance)?|zuschauer|zus|spectateurs|affluence|espectadores|asistencia|spettatori|público|publiek"
    r"|toeschouwers|widz\w+|frekwencja|publik)\b[.: ]*(?P<before>\d[\d.,' ]*\d)"
    r"|(?P<behind>\d[\d.,' ]*\d) (?:zuschauer|spectat|espectadores|spettatori|toeschouwers|widz)",
    re.IGNORECASE,
)
_HOME: Final = frozenset(
    fold(
        "home heim heimteam heimmannschaft domicile recevant local casa thuis thuisploeg gospodarz "
        "gospodarze hemma hemmalag team1 equipe1 equipo1 teama"
    )
)
_AWAY: Final = frozenset(
    fold(
        "away guest visitor visitors gast gastteam gäste auswärts extérieur visiteur visitante fuera "
        "ospite ospiti trasferta fora uit uitploeg gość goście borta bortalag team2 equipe2 equipo2 teamb"
    )
)
_SCORE: Final = frozenset(
    fold(
        "score result ergebnis spielstand endstand résultat resultado marcador risultato uitslag wynik resultat placar"
    )
)
_HALF: Final = frozenset(fold("half halftime ht halbzeit halbzeitstand mitemps descanso intervallo intervalo rust"))
_CROWD: Final = frozenset(
    fold(
        "attendance crowd spectators zuschauer zuschauerzahl affluence spectateurs asistencia "
        "espectadores spettatori público toeschouwers widzowie frekwencja publik"
    )
)
_WHENS: Final = frozenset(fold("time kickoff kick start uhrzeit anstoss anstoß heure hora ora tijd godzina tid"))


def match_results(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable]:
    """Yield the results of a page as a table for each list of objects with two teams."""
    results: list[Mapping[Column, ReadCell]] | None = None
    for fields in lists:
        columns = {at: column for at, one in enumerate(fields) if (column := _column_of(one))}
        if not {"home", "away"} <= set(columns.values()):
            continue
        results = list(_results_of(passage)) if results is None else results
        if len(results) < FEWEST:
            return
        header = [ReadCell(" ".join(fields[at].names.own[0])) for at in columns]
        body = [[cells.get(column, NO_CELL) for column in columns.values()] for cells in results]
        yield ReadTable([header, *body], is_exact=False, is_whole=True)


def _column_of(one: WantedField) -> Column | None:
    """Return the part of a result that a field wants; None for any other field."""
    types = one.schema.get("type", ())
    is_text = "string" in ((types,) if isinstance(types, str) else types)
    for own in one.names.own:
        words = {*own, "".join(own), *("".join(own[at : at + 2]) for at in range(len(own)))}
        if words & _HALF:
            return "half_time" if is_text else None
        if words & _CROWD:
            return "attendance"
        if words & _HOME:
            return "home" if is_text else "home_score"
        if words & _AWAY:
            return "away" if is_text else "away_score"
        if words & _SCORE and is_text:
            return "score"
        if words & _WHENS and is_text:
            return "when"
    return None


def _results_of(passage: Passage) -> Iterator[Mapping[Column, ReadCell]]:
    for rows in rows_by_column(passage):
        texts = [text if len(text := text_of(passage, row)) <= LONGEST_ROW else "" for row in rows]
        matches = [next(filter(None, (form.fullmatch(text) for form in _RESULTS)), None) for text in texts]
        for at, (row, found) in enumerate(zip(rows, matches, strict=True)):
            if found is None:
                continue
            cell = cell_of(passage, row)
            texts_of: dict[str, str | None] = {name: found[name] for name in ("home", "away", "score", "when")}
            texts_of |= {"home_score": found["home_score"], "away_score": found["away_score"]}
            half = _HALF_TIME.search(found["rest"])
            texts_of["half_time"] = half["half_time"] if half else None
            cells = {column: cell._replace(text=text.strip(" -–—|·,")) for column, text in texts_of.items() if text}
            below = slice(at + 1, at + 1 + MAX_BELOW)
            if crowd := _attendance(passage, found["rest"], row, rows[below], matches[below]):
                cells["attendance"] = crowd
            yield cells  # type: ignore[misc]


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
