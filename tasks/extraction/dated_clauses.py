"""Finds the clauses of prose that state a year, as in a biography: `her second novel, »The Weir« (2014), won the Marlow
Prize 2015`.

A clause is the text around a year, up to the text around the next one. It belongs to a list of works, awards, studies
or posts if it has what such a list is about: a title, the word for a prize, a university or a degree, an employer.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from models.fair_executor import Slices
from tasks.extraction.dated_entries import FULL_PERIOD, LEGAL_FORM, PLACE_OF_WORK, in_asked_form, roles_of, section_of
from tasks.extraction.features import types_of
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold, without_accents
from tasks.extraction.names import words_of_key
from tasks.extraction.own_words import is_form_of
from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import cell_at
from tasks.matches_in_slices import matches_in_slices
from tasks.notation.words import PLACES
from tasks.read_table import NO_CELL, ReadCell, ReadTable
from tasks.schema.remainder import is_optional

Topic = Literal["work", "education", "works", "awards"]
Column = Literal["start", "end", "year", "name", "organisation", "activity", "place", "brackets", "choice", "rank"]

MAX_TEXT: Final = 100_000
"""Only this many characters at the beginning of a passage are searched."""
MAX_CLAUSES: Final = 200
LONGEST_CLAUSE: Final = 600
"""A longer text around a year is not a clause, because text without punctuation may have any length."""
FEWEST_WORDS: Final = 2
"""A clause has at least this many words in lower case, because prose is searched and not the lines of a table."""
LONGEST_START: Final = 3
"""A year after at most this many words begins its clause: `In 2019 she won …`."""
LONGEST_TITLE: Final = 12
"""Largest number of words of a title without quotation marks."""
SHORTEST_STEM: Final = 4
"""A word means a choice if both begin with at least this many equal letters, and with most letters of the choice."""
SHARE_OF_CHOICE: Final = 0.6

_CAPITAL = r"[^\W\d_a-zß-öø-ÿ]"
_SENTENCE_END = re.compile(
    rf"(?<!{_CAPITAL}\w)(?<!\b{_CAPITAL}\w\w)(?<!\b{_CAPITAL}\w\w\w)[.!?…](?=\s|$)|\n\n|\n(?=[ \t]*[-*•|#])"
)
"""Pattern of the end of a sentence. A point after a short word with a capital letter ends an abbreviation: `Prof.`
Before a bullet, a row of a table or a heading, a sentence ends, too."""
_LOWER_CASE = re.compile(r"(?<![^\W_])[^\W\d_A-ZÀ-Þ]{2,}(?![^\W_])")
_BETWEEN = re.compile(r"(?:;|,(?! ?\d)|\s(?:and|und|et|y|e|ed|en|i|och|oraz|sowie)(?=\s))(?![^()]{0,100}\))")
"""Pattern of a place where one clause may end and the next one begin, outside brackets."""
_BIRTH = re.compile(
    r"(?<![^\W_])(?:born|gebor\w+|née?s?|naissance|nat[ao] (?:a|ad|in|il|nel)|nacid[oa]s?|nació|nascid[oa]s?|nasceu"
    r"|urodz\w+|född\w*)"
    r"(?![^\W_])",
    re.IGNORECASE,
)
_PRIZE = re.compile(
    r"preis(?![^\W_])|stipendi|auszeichnung|medaille|award|prize|medal|fellowship|(?<![^\W_])(?:prix|bourse|premio|premi"
    r"|prémio|prêmio|beca|bolsa|borsa di studio|nagrod\w+|prijs|beurs|priset|pris|medalj\w*|medagli\w+|medall\w+)"
    r"(?![^\W_])",
    re.IGNORECASE,
)
_DEGREE = re.compile(
    r"(?<![^\W_])(?:[BM]\.?(?:Sc|A|Eng|Ed|Phil|Res|BA|Mus|Arch)\.?|Ph\.?D\.?|D\.?Phil\.?|LL\.?[BM]\.?|MD|MBA"
    r"|Dipl\.?-[^\W\d_]+\.?|Diplom|Magister|[Mm]agistra)(?![^\W_])"
)
_STUDIES = re.compile(
    r"stud(?:y|ied|ies|iert|ium|i[aoò]|ió|ou)|graduat|diplom|licenc|laurea|doctor|doktor|promov|promot|maestr|magist"
    r"|maîtrise|mestr|degree|abschluss|afgestudeerd|ukończy|examen|buchlehre|lehre(?![^\W_])|apprentice|université",
    re.IGNORECASE,
)
_WORD = r"[^\W\d_a-zß-öø-ÿ][\w'’.&-]*(?<!\.)"
_LINK = (
    r"(?:de|del|della|dello|dell['’]|der|des|du|di|da|do|dos|das|of|the|van|von|la|las|los|le|les|el|et|e|y|och|and|&)"
)
_RUN = re.compile(rf"{_WORD}(?: (?:{_LINK} ){{0,2}}{_WORD})*(?: [«“„\"»][^«»“”„\"]{{2,60}}[»”“\"«])?")
"""Pattern of capitalised words with small words between them, and a quoted name behind them."""
_QUOTED = re.compile(r"[«“„\"»] ?(?P<quoted>[^\W\d_a-zß-öø-ÿ][^«»“”„\"]{1,80}?) ?[»”“\"«]")
_AT = re.compile(
    r"(?<![^\W_])(?:at|with|for|bei|beim|im|am|an der|chez|presso|bij|hos|al|alla|all['’]|en|na|no|w|por|por la|pelo"
    r"|pela) (?:(?:the|der|die|het|la|el|lo|il|o|a|den) )?(?:[^\W\d_A-ZÀ-Þ]{5,} )?(?=[^\W\d_a-zß-öø-ÿ])"
)
_IN = re.compile(r"(?<![^\W_])(?:in|en|à|a|ad|em|te|w|we|i) (?=[^\W\d_a-zß-öø-ÿ])")
_AS = re.compile(
    r"(?<![^\W_])(?:as|als|como|come|comme|en tant que|jako|som) (?:(?:an?|the|die|der|een|une?|una?|um|en|ett) )?"
    r"(?P<activity>[^\W\d_][^,;.()]{2,60}?)"
    r"(?= (?:at|with|for|bei|beim|im|am|in|en|chez|presso|bij|hos|w|de|del|na|no)(?![^\W_])|[,;.()]|$)"
)
_TOPICS: Final[Mapping[Topic, re.Pattern[str]]] = {
    "works": re.compile(
        r"werke?$|works$|book|buch|bucher|libr|livre|livro|obras?$|oeuvre|publi|veroffentl|disc|disk|album|recording"
        r"|film|roman|novel|ksiazk|boek|bocker|bok$|opere$|opera$|titles?$|titel$|dziela"
    ),
    "awards": re.compile(
        r"award|prize|preis|auszeichn|ehrung|premi|prix|distin|nagrod|prijs|prijz|pris(?:er)?$|utmark|onderscheid|honou?r"
        r"|stipend|grants?$|bourse|beca|recogni|reconocim|riconosc"
    ),
}
_MOMENTS: Final = frozenset(("start", "end", "year"))
_PUBLISHERS: Final = frozenset(
    fold(
        "publisher verlag editorial editore éditeur editora etichetta label casa wydawnictwo wydawca uitgever"
        " uitgeverij förlag"
    )
)
_COUNTRIES: Final = frozenset(fold("country land pays país paese pais kraj"))
_RANKS: Final = frozenset(
    fold("rank position posizione posición place platz platzierung rang puesto plaats miejsce lugar")
)


class DatedClause(NamedTuple):
    """A clause by its place in the text, and the places of its period."""

    start: int
    end: int
    text: str
    year_at: int
    """Index of the period in `text`."""
    period: Mapping[Literal["start", "end"], tuple[int, int]]
    brackets: tuple[int, int] | None
    """Place in `text` of what the brackets around the year contain before it: `(Marlow Press, 2014)`."""
    is_of_a_year: bool
    """True if the period is a single year, not one since which something lasts."""


def dated_clauses(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield the clauses of a passage's prose as a table for each list of works, awards, studies or posts whose fields
    ask for a year; None after a slice of work."""
    clauses: list[DatedClause] | None = None
    for fields in lists:
        yield None
        topic = _topic_of(fields)
        columns = _columns_of(fields, topic) if topic else {}
        if topic is None or {"start", "end", "year"}.isdisjoint(columns.values()) or len(columns) < 2:
            continue
        clauses = (yield from _clauses_of(passage)) if clauses is None else clauses
        body: list[list[ReadCell]] = []
        for clause in clauses:
            yield None
            cells = _cells_of(passage, clause, fields, columns, topic)
            if cells:
                body.append([in_asked_form(cells.get(index, NO_CELL), fields[index]) for index in columns])
        if body:
            header = [ReadCell(" ".join(fields[index].names.own[0])) for index in columns]
            yield ReadTable([header, *body], is_exact=False, is_whole=True, of_list=fields[0].path[:-1])


def _topic_of(fields: Sequence[WantedField]) -> Topic | None:
    words = [without_accents(word) for word in words_of_key(str(fields[0].path[-2]))]
    for topic, form in _TOPICS.items():
        if any(form.match(word) for word in words[-1:]) or any(form.match(word) for word in words[:1]):
            return topic
    section = section_of(fields)
    if section == "" and {"start", "end"} <= set(roles_of(fields).values()):
        section = "work"
    return section or None


def _columns_of(fields: Sequence[WantedField], topic: Topic) -> dict[int, Column]:
    """Return what each field of a list asks for, by the field's index. A field without a column stays empty."""
    found: dict[int, Column] = {}
    roles = roles_of(fields)
    for index, one in enumerate(fields):
        words = {word for own in one.names.own for word in own}
        role = roles.get(index)
        column: Column | None = None
        if role in ("start", "end", "year"):
            column = role
        elif role == "period":
            continue
        elif words & _RANKS and "integer" in types_of(one.schema):
            column = "rank"
        elif "enum" in one.schema:
            column = "choice" if types_of(one.schema) <= {"string"} else None
        elif not types_of(one.schema) <= {"string"} or "format" in one.schema:
            continue
        elif words & _PUBLISHERS or words & _COUNTRIES:
            column = "brackets"
        elif topic in ("works", "awards"):
            column = "name"
        elif role in ("organisation", "activity"):
            column = role
        elif role in ("place", "city") or words & {"ort", "place", "city", "luogo", "lugar", "lieu", "miejsce"}:
            column = "place"
        if column is not None and column not in found.values():
            found[index] = column
    return found


def _clauses_of(passage: Passage) -> Slices[list[DatedClause]]:
    """Return the first MAX_CLAUSES clauses of a passage that state a year or a period of years."""
    text = passage.text[:MAX_TEXT]
    flat = text.replace("\n", " ").replace("\t", " ")
    ends = []
    for found in matches_in_slices(_SENTENCE_END, text):
        if found is None:
            yield
        else:
            ends.append(found.end())
    days = iter([(day.start, day.end) for day in passage.days])
    day = next(days, None)
    periods: list[re.Match[str]] = []
    for found in matches_in_slices(FULL_PERIOD, flat):
        if found is None:
            yield
            continue
        while day is not None and day[1] <= found.start():
            day = next(days, None)
            yield
        if day is None or day[0] >= found.end():
            periods.append(found)
        yield
    clauses: list[DatedClause] = []
    number = 0
    sentence_start = 0
    for sentence_end in [*ends, len(text)]:
        own = []
        while number < len(periods) and periods[number].start() < sentence_end:
            own.append(periods[number])
            number += 1
            yield
        start = sentence_start
        for index, period in enumerate(own):
            yield
            below = own[index + 1] if index + 1 < len(own) else None
            end = _end_of(flat, start, period, below.start()) if below is not None else sentence_end
            if end - start <= LONGEST_CLAUSE and len(_LOWER_CASE.findall(flat, start, end)) >= FEWEST_WORDS:
                clauses.append(_clause(flat, start, end, period))
            start = end
            if len(clauses) == MAX_CLAUSES:
                return clauses
        yield
        sentence_start = sentence_end
    return clauses


def _end_of(text: str, start: int, period: re.Match[str], below: int) -> int:
    """Return where the clause around a period ends if the period `below` follows in the same sentence."""
    separators = [
        one.start() for one in _BETWEEN.finditer(text, period.end(), min(below, period.end() + LONGEST_CLAUSE))
    ]
    if semicolon := next((at for at in separators if text[at] == ";"), None):
        return semicolon + 1
    if not separators:
        return min(period.end() + (text[period.end() : period.end() + 1] == ")"), below)
    begins = text.count(" ", start, period.start()) - text.startswith(" ", start) <= LONGEST_START
    return separators[-1 if begins else 0] + 1


def _clause(text: str, start: int, end: int, period: re.Match[str]) -> DatedClause:
    spans: dict[Literal["start", "end"], tuple[int, int]] = {}
    first, last = period["first"] or period["between"] or period["only"], period["last"] or period["to"]
    group = next(name for name in ("first", "between", "only") if period[name])
    if last:
        spans["end"] = period.span("last" if period["last"] else "to")
    if first:
        spans["start"] = period.span(group)
    opened = text.rfind("(", start, period.start())
    is_inside = opened >= 0 and ")" not in text[opened : period.start()]
    brackets = (opened + 1 - start, period.start() - start) if is_inside else None
    at = opened if is_inside else period.start()
    is_year = not last and not period["since"] and first is not None and first.isdecimal()
    return DatedClause(start, end, text[start:end], at - start, spans, brackets, is_year)


def _cells_of(
    passage: Passage, clause: DatedClause, fields: Sequence[WantedField], columns: Mapping[int, Column], topic: Topic
) -> dict[int, ReadCell]:
    """Return the cells of a clause by the index of their field; empty if the clause does not belong to the list."""
    is_of_topic, spans = _spans_of(clause, fields, columns, topic)
    chosen = {index: _choice_in(fields[index], clause.text) for index, column in columns.items() if column == "choice"}
    if not is_of_topic and not any(chosen.values()):
        return {}
    if topic in ("work", "education") and _BIRTH.search(clause.text):
        return {}
    cells: dict[int, ReadCell] = {}
    for index, column in columns.items():
        if column in ("start", "end", "year"):
            at = clause.period.get("end" if column == "year" else column) or (
                clause.period["start"] if column == "year" else None
            )
            if at is not None:
                cells[index] = cell_at(passage, *at)
        elif column == "choice":
            if (choice := chosen[index]) is not None:
                cells[index] = cell_at(passage, clause.start, clause.start + len(clause.text))._replace(text=choice)
        elif column in spans:
            begin, end = spans[column]
            cells[index] = cell_at(passage, clause.start + begin, clause.start + end)
            if column == "rank":
                word = cells[index].text.casefold()
                cells[index] = cells[index]._replace(text=str(PLACES[word]), source=cells[index].text)
    is_lacking = any(
        index not in cells and not is_optional(fields[index].schema) and column not in ("choice", "brackets")
        for index, column in columns.items()
    )
    return {} if is_lacking or all(columns[index] in _MOMENTS for index in cells) else cells


def _spans_of(
    clause: DatedClause, fields: Sequence[WantedField], columns: Mapping[int, Column], topic: Topic
) -> tuple[bool, dict[Column, tuple[int, int]]]:
    """Return whether a clause is about a topic, and the places of its parts in its text."""
    text = clause.text
    found: dict[Column, tuple[int, int]] = {}
    if clause.brackets is not None and (inside := text[slice(*clause.brackets)].rstrip(" ,;")).strip():
        found["brackets"] = clause.brackets[0], clause.brackets[0] + len(inside)
    own_words = [
        word for index, column in columns.items() if column == "name" for own in fields[index].names.own for word in own
    ]
    if topic == "works":
        name = _title_in(clause)
        is_of_topic = name is not None and clause.is_of_a_year and _PRIZE.search(text, 0, name[1]) is None
    elif topic == "awards":
        prize = _PRIZE.search(text)
        runs = list(_RUN.finditer(text))
        named = [one for one in runs if any(is_form_of(word, own) for word in fold(one[0]) for own in own_words)]
        named = named or [one for one in runs if _PRIZE.search(one[0])]
        is_of_topic = prize is not None and bool(named)
        name = named[-1].span() if named else None
        ranked = next((one for one in re.finditer(r"[^\W\d_]+", text) if PLACES.get(one[0].casefold(), 0) > 0), None)
        if ranked is not None:
            found["rank"] = ranked.span()
    else:
        name = None
        organisation = _organisation_in(text)
        if organisation is not None:
            found["organisation"] = organisation
        degree = _DEGREE.search(text)
        activity = _AS.search(text)
        if topic == "education" and degree is not None:
            found["activity"] = degree.span()
        elif topic == "work" and activity is not None:
            found["activity"] = activity.span("activity")
        places = [one.end() for one in _IN.finditer(text) if organisation is None or one.end() != organisation[0]]
        if places and (run := _RUN.match(text, places[-1])):
            found["place"] = run.span()
        is_school = organisation is not None and PLACE_OF_WORK.search(text[slice(*organisation)]) is not None
        is_study = degree is not None or _STUDIES.search(text) is not None
        is_of_topic = (
            (is_school and (is_study or clause.brackets is not None))
            if topic == "education"
            else (organisation is not None and (activity is not None or not is_study))
        )
        is_of_topic = is_of_topic and {"organisation", "place"} & set(found) != set()
    if name is not None:
        found["name"] = name
    return is_of_topic, found


def _title_in(clause: DatedClause) -> tuple[int, int] | None:
    """Return the place of a work's title: the text in quotation marks, or else the capitalised text before the brackets
    with the year or between two commas."""
    text = clause.text
    quoted = list(_QUOTED.finditer(text))
    if clause.brackets is None:
        before = [one for one in quoted if one.end() <= clause.year_at]
        if quoted:
            return (before[-1] if before else quoted[0]).span("quoted")
        commas = re.finditer(r", (?P<title>[^\W\d_a-zß-öø-ÿ][^,;()]{2,80}),", text)
        return next((one.span("title") for one in commas if one.end() <= clause.year_at), None)
    until = len(text[: clause.year_at].rstrip(" ,"))
    if before := [one for one in quoted if one.end() == until]:
        return before[0].span("quoted")
    if _STUDIES.search(text):
        return None
    begin = until
    while (comma := max(text.rfind(", ", 0, max(0, begin - 2)), text.rfind("; ", 0, max(0, begin - 2)))) >= 0:
        if not text[comma + 2 : comma + 3].isupper():
            break
        begin = comma + 2
        if text[comma] == ";":
            break
    if begin < until and text.count(" ", begin, until) < LONGEST_TITLE:
        return begin, until
    runs = [one for one in _RUN.finditer(text, 0, until) if one.end() == until]
    return runs[0].span() if runs else None


def _organisation_in(text: str) -> tuple[int, int] | None:
    """Return the place of the name of a school or an employer: a name with a word for such an institution, or else the
    name after `at`."""
    runs = list(_RUN.finditer(text))
    for run in runs:
        if PLACE_OF_WORK.search(run[0]) or LEGAL_FORM.search(run[0]):
            return run.span()
    for at in _AT.finditer(text):
        if (name := _RUN.match(text, at.end())) is not None:
            return name.span()
    return None


def _choice_in(field: WantedField, text: str) -> str | None:
    """Return the choice that a word of the text means, because it contains the choice or begins alike."""
    words = [without_accents(word) for word in fold(text)]
    best: tuple[float, str] | None = None
    for choice in field.schema.get("enum", ()):
        if not isinstance(choice, str):
            continue
        folded = "".join(map(without_accents, fold(choice)))
        for word in words:
            common = next(
                (at for at, (a, b) in enumerate(zip(word, folded, strict=False)) if a != b), min(len(word), len(folded))
            )
            is_inside = len(folded) >= SHORTEST_STEM and folded in word
            share = 1.0 if is_inside else common / max(1, len(folded))
            if (
                (is_inside or common >= SHORTEST_STEM)
                and share >= SHARE_OF_CHOICE
                and (best is None or share > best[0])
            ):
                best = share, choice
    return best[1] if best else None
