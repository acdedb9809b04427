"""Finds entries with a period, as in a CV: `03/2018 - today Site Engineer, Braeburn Ltd, Perth`.

The period comes first in its entry, is in a separate column, or ends the entry's first line. The text beside or below
the period names an activity, an organisation and a place, in this order unless a legal form such as `Ltd` shows that
the organisation comes first.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final, Literal

from models.fair_executor import Slices
from tasks.extraction.cv_sections import is_section
from tasks.extraction.features import types_of
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import without_accents
from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import WordOnPage, cell_of, cell_with, rows_by_column, segments_of_row, text_of
from tasks.matches_in_slices import matches_in_slices
from tasks.notation.words import MONTHS, any_of, month_named
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Role = Literal[
    "start", "end", "period", "year", "activity", "organisation", "place", "city", "grade", "current", "details"
]
Section = Literal["work", "education", ""]

MAX_LINES: Final = 3
"""Largest number of lines of an entry that name an activity, an organisation or a place. Further lines describe it."""
ENDING_GAP: Final = 1.4
"""Largest gap between two lines of an entry, in heights of a line. A wider gap ends the entry."""
INDENTED_ENDING_GAP: Final = 2.5
"""Largest gap above an indented line of an entry, in heights of the line."""
MAX_TEXT: Final = 100_000
"""Only this many characters at the beginning of a passage are searched for sentences that mention a period of time."""
FEWEST_WORDS: Final = 6
"""A text beside a period that begins in lower case is a sentence and not an entry if it has at least this many
words."""
MAX_ABOVE: Final = 2
"""Largest number of lines above a period that name the activity and the organisation."""
NOT_APART: Final = 0.4
"""Two gaps between lines are alike if they differ by at most this, in heights of a line."""
LONGEST_ABOVE: Final = 10
"""Largest number of words of a line that names only an activity or an organisation, above a period or below the name
of an organisation."""
LONGEST_HEADING: Final = 5
"""Largest number of words of a section's heading."""
TALLER: Final = 1.25
"""A heading in large letters is more than this many times as tall as a usual line."""

_MONTH = rf"(?:{any_of(MONTHS)})\.?"
_MOMENT = (
    r"(?:(?:0?[1-9]|[12]\d|3[01])\.)?(?:0?[1-9]|1[0-2])[./](?:19|20)\d\d|(?:19|20)\d\d[-./](?:0[1-9]|1[0-2])(?!\d)"
    rf"|{_MONTH} (?:de )?(?:19|20)\d\d|(?:19|20)\d\d"
)
_NOW = (
    "present|today|now|current|ongoing|heute|jetzt|laufend|aujourd['’]hui|ce jour|actuel(?:lement)?|présent|hoy"
    "|(?:la )?actualidad|presente|actual|oggi|in corso|attuale|hoje|atual|heden|nu|obecnie|nadal|dziś|idag|pågående"
)
_TO = "[-–—－~]|to|until|till|bis|à|au|al|a|ad|do|tot(?: en met)?|t/m|hasta|até|till och med|aż do"
_SINCE = "since|from|seit|ab|von|depuis|de|du|desde|dal?|da|sinds|vanaf|van|od|sedan|från|desde"
_PERIOD = re.compile(
    rf"(?<![\w/.])\(?(?:(?P<since>{_SINCE}) )?(?P<start>{_MOMENT}) ?"
    rf"(?:(?:{_TO}) ?(?P<end>{_MOMENT}|(?P<now>{_NOW})))?\)?(?![\w/])",
    re.IGNORECASE,
)
_BETWEEN = "between|zwischen|entre|tra|fra|między|tussen|mellan"
_AND = "and|und|et|y|e|a|i|en|och"
FULL_PERIOD = re.compile(
    rf"(?<![\w/.-])(?:(?:{_BETWEEN}) (?P<between>{_MOMENT}) (?:{_AND}) (?P<to>{_MOMENT})"
    rf"|(?:(?P<since>{_SINCE}) )?(?P<first>{_MOMENT}) ?(?:{_TO}) ?(?P<last>{_MOMENT})|(?P<only>{_MOMENT}))(?![\w/-])",
    re.IGNORECASE,
)
"""Pattern of a period of time or a single moment anywhere in a text: `between 2013 and 2015`, `2013–2015`, `2013`."""
_CAPITALISED = r"[^\W\d_a-zà-ÿ][\w'’&-]*(?:\.\w[\w'’&-]*)*"
_NAME = rf"{_CAPITALISED}(?: (?:{_CAPITALISED}|de|du|des|del|della|di|van|der|den|&))*"
_IN_SENTENCE = re.compile(
    rf"(?i:{_PERIOD.pattern}),?(?: (?:I|[^\W\d_A-ZÀ-Þ]+)){{0,4}}? "
    r"(?:at|with|for|bei|beim|chez|presso|bij|hos|en|na|no|w) "
    rf"(?P<organisation>(?:(?:the|der|die|het|la|el|o|a) )?(?:[^\W\d_A-ZÀ-Þ]{{5,}} )?{_NAME})"
    rf"(?: (?:in|à|a|ad|en|em|te|w|i) (?P<place>{_NAME}))?"
)
"""Pattern of a period before an organisation: `from May 2019 to June 2021 I worked at Kestrel Windows in Derby`."""
_ONE_YEAR = re.compile(r"(?P<year>(?:19|20)\d\d)(?P<sign> ?: | [-–—] )?(?=.*[^\W\d_]{2})(?! ?[-–—] ?\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
_FIRST_MOMENT = re.compile(rf"(?:{_MOMENT})(?: ?[-–—－])?", re.IGNORECASE)
_SECOND_MOMENT = re.compile(rf"(?:[-–—－] ?)?(?:{_MOMENT}|{_NOW})", re.IGNORECASE)
"""Patterns of the two lines of a period that is printed in two lines beside its entry."""

_HEADINGS: Final[dict[Section, re.Pattern[str]]] = {
    "work": re.compile(
        r"(?:work|professional|employment|career|beruf|werdegang|tätigkeit|expérience|parcours|experiencia|esperienz"
        r"|carriera|experiência|percurso prof|werk|loopbaan|doświadczenie|przebieg|arbets|anställning|experience|jobs"
        r"|appointments|positions|posts|stationen|postes|métiers|cargos|puestos|incarichi|impieghi|functies|stanowiska"
        r"|tjänster)",
        re.IGNORECASE,
    ),
    "education": re.compile(
        r"(?:education|studies|ausbildung|studium|schul|bildung|weiterbildung|formation|études|diplôm|formación|estudios"
        r"|istruzione|formazione|studi|formação|educação|habilitações|opleiding|onderwijs|wykształcenie|edukacja"
        r"|utbildning|training|qualification)",
        re.IGNORECASE,
    ),
}
_NAMES: Final = {kind: re.compile(without_accents(form.pattern), re.IGNORECASE) for kind, form in _HEADINGS.items()}
"""Patterns of the beginning of the name of a list for each section. They have no accents, because names are compared
without them."""
LEGAL_FORM = re.compile(
    r"(?<![^\W_])(?:GmbH|mbH|AG|KG|OHG|UG|e\.?K|e\.?V|eG|Ltd|Limited|LLP|LLC|Inc|PLC|plc|Corp|Co|S\.?A\.?S?|S\.?L\.?U?"
    r"|SARL|EURL|S\.?r\.?l|S\.?p\.?A|Lda|B\.?V|N\.?V|sp\. ?z ?o\. ?o|AB|A/S|AS|Oy)(?![^\W_])\.?|&|^Fa\. |^Firma "
)
_ONLY_FORM = re.compile(r"(?:GmbH|AG|KG|Ltd|Limited|LLP|LLC|Inc|PLC|S\.A|S\.L|Lda|B\.V|N\.V|AB)\.?", re.IGNORECASE)
PLACE_OF_WORK = re.compile(
    r"(?-i:(?<![^\W_])(?:TU|FH|TH|HTW|HTWK|ETH|RWTH|KIT|MIT|Uni)(?![^\W_]))|sixth form"
    r"|universi[td]|uniwersytet|politechni|politecnic|hogeschool|högskola|hochschule|(?:real|haupt|grund|berufs|fach)schule|gymnasium|school|college|lycée|liceo"
    r"|istituto|instituto|institut|escola|szkoła|hospital|klinik|academy|akademi",
    re.IGNORECASE,
)
_SIGN = re.compile(r"[|·•–—@:-]|at|bei|chez|presso|bij", re.IGNORECASE)
_GRADE = re.compile(
    r"(?:(?:abschluss)?note|grade|gpa|score|mention|voto|votazione|nota|média|cijfer|ocena|betyg)\W*(?P<stated>.+)"
    r"|(?P<figures>[1-6][.,]\d|[12]:[12]|\d{2,3}/\d{2,3}(?: e lode)?|first[- ]class.*|cum laude|magna cum laude"
    r"|summa cum laude)",
    re.IGNORECASE,
)

_MARK_OF_HEADING = re.compile("#{1,6}")
_BULLET = re.compile(r"[-–—*+•·◦▪‣]|\d{1,2}[.)]")
_ROLE_OF_WORD: Final[Mapping[str, Role]] = {
    **dict.fromkeys(("start", "begin", "from", "von", "od", "da", "dal", "desde", "van", "de", "du", "fran"), "start"),
    **dict.fromkeys(("debut", "inicio", "inizio", "beginn", "poczatek"), "start"),
    **dict.fromkeys(("end", "to", "until", "bis", "do", "a", "al", "hasta", "tot", "ate", "till", "au"), "end"),
    **dict.fromkeys(("fin", "fine", "fim", "ende", "einde", "koniec"), "end"),
    **dict.fromkeys(("period", "zeitraum", "dates", "periode", "periodo", "okres", "daterange", "years"), "period"),
    **dict.fromkeys(("year", "jahr", "annee", "ano", "anio", "anno", "jaar", "rok", "graduation", "graduated"), "year"),
    **dict.fromkeys(("abschlussjahr", "obtained", "completed"), "year"),
    **dict.fromkeys(
        ("plaats", "luogo", "lieu", "lugar", "local", "location", "place", "miejsce", "lokalizacja"), "place"
    ),
    **dict.fromkeys(("institution", "centro", "etablissement", "szkola", "uczelnia", "azienda"), "organisation"),
    **dict.fromkeys(("einrichtung", "schule", "institut", "hochschule", "universitaet", "ecole"), "organisation"),
    **dict.fromkeys(("scuola", "istituto", "ateneo", "escuela", "escola", "instituicao", "opleider"), "organisation"),
    **dict.fromkeys(
        ("instelling", "institucion", "istituzione", "larosate", "skola", "university", "organization", "organisation"),
        "organisation",
    ),
    **dict.fromkeys(("role", "position", "rol", "funktion", "title", "titulo", "activity", "opis"), "activity"),
    **dict.fromkeys(("poste", "puesto", "cargo", "ruolo", "stanowisko", "functie", "befattning"), "activity"),
    **dict.fromkeys(("qualification", "diplome", "abschluss", "diploma", "titolo", "kwalifikacja"), "activity"),
    **dict.fromkeys(("grade", "note", "gpa", "voto", "nota", "mention", "ocena", "betyg", "cijfer"), "grade"),
    **dict.fromkeys(("description", "highlights", "details", "responsibilities", "tasks", "duties"), "details"),
    **dict.fromkeys(("achievements", "aufgaben", "taetigkeiten", "beschreibung", "missions", "taches"), "details"),
    **dict.fromkeys(("realisations", "funciones", "tareas", "descripcion", "mansioni", "descrizione"), "details"),
    **dict.fromkeys(("atividades", "descricao", "taken", "omschrijving", "obowiazki", "zadania"), "details"),
    **dict.fromkeys(("arbetsuppgifter", "beskrivning", "bullets"), "details"),
    **dict.fromkeys(("current", "iscurrent", "aktuell", "actuel", "attuale", "atual", "ongoing"), "current"),
}
_WORDS_OF_TIME: Final = frozenset(
    (
        *("date", "year", "month", "datum", "jahr", "monat", "annee", "mois", "fecha", "ano", "mes", "data", "anno"),
        *("mese", "jaar", "maand", "rok", "miesiac", "ar", "manad", "is", "de", "d"),
    )
)
"""Words of a field's name that do not change its role: `start_year` is a start."""
_ROLE_OF_CONCEPT: Final[dict[str, Role]] = {
    "start_date": "start",
    "end_date": "end",
    "job_title": "activity",
    "degree": "activity",
    "course": "activity",
    "title": "activity",
    "employer": "organisation",
    "company": "organisation",
    "school": "organisation",
    "city": "city",
    "place_name": "place",
}
_YEAR_FIRST = re.compile(r"(?<![A-Za-z])[YJRAÅ]{4}-M{2}(?![A-Za-z])", re.IGNORECASE)
_MONTH_FIRST = re.compile(r"(?<![A-Za-z])M{2}/[YJRAÅ]{4}(?![A-Za-z])", re.IGNORECASE)
MonthForm = Callable[[int, int], str]
"""Function that writes a year and the number of a month."""


@dataclass(slots=True)
class _Entry:
    start: ReadCell
    end: ReadCell
    period: ReadCell
    """The period as it is printed."""
    section: Section
    body: list[list[WordOnPage]] = field(default_factory=list)
    """Lines beside and below the period."""
    organisation_first: bool = False
    """True if most entries of the section begin with an organisation and name the activity below it."""
    is_line_full: bool = False
    """True if a single year ends the first line, so the text before it was not wrapped."""


def dated_entries(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield the entries of a passage as a table for each list whose fields ask for a period and for an activity or an
    organisation."""
    wanted = [(fields, roles) for fields in lists if _has_entries(fields, roles := roles_of(fields))]
    if not wanted:
        return
    entries: list[_Entry] = []
    for rows in rows_by_column(passage):
        entries += yield from _entries_of(passage, rows)
    yield from _note_order(passage, entries)
    cells_of: dict[int, dict[Role, ReadCell]] = {}
    in_sentences: list[dict[Role, ReadCell]] | None = None
    for fields, roles in wanted:
        section = _section_of(str(fields[0].path[-2]), fields)
        section_entries = [entry for entry in entries if entry.section == section]
        chosen_entries = section_entries or [entry for entry in entries if not entry.section]
        for entry in chosen_entries:
            if id(entry) not in cells_of:
                yield None
                cells_of[id(entry)] = _cells_of(passage, entry)
        header = [ReadCell(" ".join(fields[index].names.own[0])) for index in roles]
        found = [cells for entry in chosen_entries if (cells := cells_of[id(entry)])]
        if not found and section == "work" and "organisation" in roles.values():
            in_sentences = (yield from _in_sentences(passage)) if in_sentences is None else in_sentences
            found = in_sentences
        body = []
        for cells in found:
            yield None
            body.append([in_asked_form(cells.get(role, NO_CELL), fields[index]) for index, role in roles.items()])
        if body:
            # The section's heading shows which list the table fills.
            of_list = fields[0].path[:-1] if section_entries else None
            yield ReadTable([header, *body], is_exact=False, is_whole=True, of_list=of_list)


def _note_order(passage: Passage, entries: Sequence[_Entry]) -> Slices[None]:
    """Set `organisation_first` in the entries of work if most of these entries begin with an organisation."""
    work_entries = [entry for entry in entries if entry.section == "work"]
    organisation_count = 0
    for entry in work_entries:
        yield
        first = next(_pieces(passage, entry.body[0]), []) if entry.body and entry.body[0] else []
        organisation_count += bool(first) and _is_organisation(passage, first)
    for entry in work_entries:
        entry.organisation_first = 2 * organisation_count > len(work_entries)


def _in_sentences(passage: Passage) -> Slices[list[dict[Role, ReadCell]]]:
    """Return the periods and organisations that sentences mention."""
    text = passage.text[:MAX_TEXT].replace("\n", " ").replace("\t", " ")
    found_cells: list[dict[Role, ReadCell]] = []
    for found in matches_in_slices(_IN_SENTENCE, text):
        yield
        if found is None or not (found["end"] or found["since"]):
            continue
        cells: dict[Role, ReadCell] = {}
        roles: tuple[Role, ...] = ("start", "end", "organisation", "place")
        for role in roles:
            if found[role] and not (role == "end" and found["now"]):
                cells[role] = cell_with(passage, passage.words_between(*found.span(role)), found[role].rstrip("."))
        if "place" in cells:
            cells["city"] = cells["place"]
        found_cells.append(cells)
    return found_cells


def roles_of(fields: Sequence[WantedField]) -> dict[int, Role]:
    """Return what fields ask for in an entry with a period, by their indices."""
    found: dict[int, Role] = {}
    for index, one in enumerate(fields):
        bare = [[word for word in words if word not in _WORDS_OF_TIME] or words for words in reversed(one.names.own)]
        possible_roles: list[Role | None] = [_ROLE_OF_WORD.get(words[0]) for words in bare if len(words) == 1]
        possible_roles += [_ROLE_OF_CONCEPT.get(concept) for concept in sorted(one.names.concepts)]
        known_roles = [role for role in possible_roles if role is not None]
        # The description of a start may say that it is a year.
        role = next((role for role in known_roles if role in ("start", "end")), next(iter(known_roles), None))
        if role is not None and role not in found.values():
            found[index] = role
    return found


def _has_entries(fields: Sequence[WantedField], roles: Mapping[int, Role]) -> bool:
    role_set = set(roles.values())
    if role_set.isdisjoint(("activity", "organisation")):
        return False
    # Not only jobs and schools have a year. If a list has a single moment, only its name therefore shows whether it
    # lists jobs or schools.
    is_named = _section_named(str(fields[0].path[-2]), fields) != ""
    return {"start", "end"} <= role_set or (is_named and not role_set.isdisjoint(("period", "year", "start")))


def section_of(fields: Sequence[WantedField]) -> Section:
    """Return the section of a CV that a list is, or an empty text if neither its name nor its fields show it."""
    return _section_named(str(fields[0].path[-2]), fields)


def _section_of(name: str, fields: Sequence[WantedField]) -> Section:
    return _section_named(name, fields) or "work"


def _section_named(name: str, fields: Sequence[WantedField]) -> Section:
    """Return the section of a CV that the names of a list and its fields ask for, or an empty text."""
    # Only education has degrees, but an institution may be a school or an employer, so the list's name decides.
    if any("degree" in one.names.concepts for one in fields):
        return "education"
    if (own := _section_in(name)) != "":
        return own
    if any("school" in one.names.concepts for one in fields):
        return "education"
    texts = (" ".join(words) for one in fields for words in one.names.own)
    return next((section for section in map(_section_in, texts) if section), "")


def _section_in(name: str) -> Section:
    return next((kind for kind, form in _NAMES.items() if form.match(without_accents(name))), "")


def _entries_of(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> Slices[list[_Entry]]:
    found: list[_Entry] = []
    rows = [*rows]
    section: Section = ""
    is_open = False
    heading_at: int | None = None
    level = lines_above = lines_of_block = 0
    begin = begun = 0
    bottom = 0
    index = 0
    usual_height = median([row[0].height for row in rows]) if rows else 0
    while index < len(rows):
        yield
        row = rows[index]
        top = min(word.box[1] for word in row)
        # A word with ascenders and descenders is taller, too, but there is no gap above its line.
        is_tall = row[0].height > TALLER * usual_height and top - bottom > usual_height
        own_level = _level(passage, row)
        if own_level and not (section and own_level > level):
            level = own_level
            row, is_tall = row[1:], True
        elif own_level:
            # Below the heading of a section, headings of lower levels are the names of its entries.
            rows[index] = row = row[1:]
        is_name = own_level > level
        heading = None if is_name else _heading(passage, row, is_tall=is_tall)
        if heading is not None or (own_level and not is_name):
            section, is_open, heading_at, lines_above = heading or "", False, index, 0
            begin = index + 1
        elif (entry := _begun(passage, row, rows[index + 1] if index + 1 < len(rows) else (), section)) is not None:
            lines_below = len(entry.body) > 1
            if heading_at is not None:
                lines_above = _lines_above(passage, rows[heading_at + 1 : index]) if section else 0
                heading_at = None
            if not entry.body:
                in_block = _lines_of_block(passage, rows, index, begin, begun)
                # In a block of several periods, as many lines belong to each as to the first.
                lines_of_block = min(lines_of_block, index - begun) if in_block is None else in_block
            above = lines_of_block if not entry.body and lines_of_block else lines_above
            if above:
                _take_above(rows[index - above : index], entry, found)
            begun = index + 1
            found.append(entry)
            is_open = True
            index += lines_below
            row = rows[index]
        elif is_open and _goes_on(found[-1], row, top - bottom):
            found[-1].body.append(list(row))
        else:
            is_open = False
        bottom = max(word.box[3] for word in row)
        index += 1
    return found


def _lines_above(passage: Passage, rows: Sequence[Sequence[WordOnPage]]) -> int:
    """Return how many lines above each period of a section name the activity and the organisation: the number of lines
    between the section's heading and its first period; 0 for more than MAX_ABOVE or for long lines."""
    is_short = all(_is_title(passage, row) for row in rows)
    return len(rows) if len(rows) <= MAX_ABOVE and is_short else 0


def _lines_of_block(
    passage: Passage, rows: Sequence[Sequence[WordOnPage]], index: int, begin: int, begun: int
) -> int | None:
    """Return how many lines above a period are in its block, which a larger gap separates from the lines above.

    The result is 0 if the period is the first line of its block, or if more than MAX_ABOVE lines or long lines are
    above it. It is None if the block has an earlier period, just above the line `begun`. The line `begin` is the first
    below the heading.
    """
    height = rows[index][0].height

    def gap_above(at: int) -> float:
        above = max(word.box[3] for word in rows[at - 1])
        return min(word.box[1] for word in rows[at]) - above if begin < at < len(rows) else float("inf")

    usual = gap_above(index)
    if usual > gap_above(index + 1) + NOT_APART * height:
        return 0
    count = 0
    while gap_above(index - count) <= usual + NOT_APART * height:
        if index - count <= begun and begun:
            return None
        count += 1
        if count > MAX_ABOVE or not _is_title(passage, rows[index - count]):
            return 0
    return count


def _take_above(rows: Sequence[Sequence[WordOnPage]], entry: _Entry, entries: Sequence[_Entry]) -> None:
    """Move the lines above a period from the previous entry into the period's entry."""
    entry.body[:0] = [list(row) for row in rows]
    taken = {word.at for row in rows for word in row}
    for previous in entries[-1:]:
        previous.body = [line for line in previous.body if taken.isdisjoint(word.at for word in line)]


def _goes_on(entry: _Entry, row: Sequence[WordOnPage], gap: float) -> bool:
    """True if a line belongs to an entry: the first line of its text, a line near the line above it, or an indented
    line."""
    if not entry.body or gap <= ENDING_GAP * row[0].height:
        return True
    left = min((line[0].box[0] for line in entry.body if line), default=0)
    return gap <= INDENTED_ENDING_GAP * row[0].height and row[0].box[0] > left + row[0].height


def _level(passage: Passage, row: Sequence[WordOnPage]) -> int:
    """Return the level of a heading that is marked as in Markdown; 0 for another line."""
    mark = passage.words[row[0].at]
    return len(mark) if len(row) > 1 and _MARK_OF_HEADING.fullmatch(mark) else 0


def _heading(passage: Passage, row: Sequence[WordOnPage], *, is_tall: bool) -> Section | None:
    """Return the kind of section whose heading a line is; None if it is not a heading. The kind is empty for a line of
    capitals or large letters, or for a known heading, that names neither work nor education."""
    text = text_of(passage, next(segments_of_row(row))).strip("*_")
    if text.count(" ") >= LONGEST_HEADING or any(map(str.isdigit, text)) or "," in text:
        return None
    kind = next((kind for kind, form in _HEADINGS.items() if form.match(text)), None)
    if kind is None and (text.isupper() or is_tall or is_section(text)) and len(list(segments_of_row(row))) == 1:
        return ""
    return kind


def _begun(passage: Passage, row: Sequence[WordOnPage], below: Sequence[WordOnPage], section: Section) -> _Entry | None:
    """Return the entry that begins in a line: a period begins or ends the line, or is printed in two lines beside the
    text. In a section, a single year may take the period's place. Return None if no entry begins there."""
    first = list(next(segments_of_row(row)))
    if below and len(first) < len(row) and _FIRST_MOMENT.fullmatch(text_of(passage, first)):
        second = list(next(segments_of_row(below)))
        if _SECOND_MOMENT.fullmatch(end_text := text_of(passage, second)):
            end = NO_CELL if re.fullmatch(_NOW, end_text, re.IGNORECASE) else cell_of(passage, second)
            body = [list(row[len(first) :]), list(below[len(second) :])]
            period_words = [*first, *second]
            return _Entry(
                cell_of(passage, first), end, _cut(passage, period_words, text_of(passage, period_words)), section, body
            )
    text = text_of(passage, row)
    for period in _PERIOD.finditer(text):
        if not (period["end"] or period["since"]):
            continue
        words_before, words_after = text[: period.start()].count(" "), len(row) - text[period.end() :].count(" ")
        if period.start() and period.end() < len(text):
            continue
        if period.start() and not 0 < words_before <= 10:
            continue
        start, end = (
            _cut(passage, _words_at(text, row, *period.span(name)), period[name]) if period[name] else NO_CELL
            for name in ("start", "end")
        )
        rest = list(row[:words_before]) if period.start() else list(row[words_after:])
        if len(rest) >= FEWEST_WORDS and passage.words[rest[0].at][0].islower():
            continue
        whole = _cut(passage, _words_at(text, row, *period.span()), period[0].strip("()"))
        return _Entry(start, NO_CELL if period["now"] else end, whole, section, [rest] if rest else [])
    if section and (year := _ONE_YEAR.match(text)):
        sign = bool(year["sign"])
        if sign or row[1].box[0] - row[0].box[2] > row[0].height:
            rest = list(row[year[0].count(" ") :]) if sign else list(row[1:])
            only = _cut(passage, row[:1], year["year"])
            return _Entry(NO_CELL, only, only, section, [rest])
    if section == "education" and _YEAR.fullmatch(passage.words[row[-1].at]) and _is_apart(row):
        only = cell_of(passage, row[-1:])
        return _Entry(NO_CELL, only, only, section, [list(row[:-1])], is_line_full=True)
    return None


def _is_apart(row: Sequence[WordOnPage]) -> bool:
    """True if a wide gap separates the last word of a line from the others."""
    return len(list(segments_of_row(row))) > 1 and len(list(segments_of_row(row[:-1]))) == 1


def _words_at(text: str, row: Sequence[WordOnPage], start: int, end: int) -> Sequence[WordOnPage]:
    return row[text[:start].count(" ") : text[:end].count(" ") + 1]


def _cut(passage: Passage, words: Sequence[WordOnPage], text: str) -> ReadCell:
    return cell_of(passage, words)._replace(text=text)


def _cells_of(passage: Passage, entry: _Entry) -> dict[Role, ReadCell]:
    lines = [line for line in entry.body if line and not _BULLET.fullmatch(passage.words[line[0].at])]
    graded = _grade_in(passage, lines)
    grade, own = graded or (None, frozenset())
    lines = [kept for line in lines if (kept := [word for word in line if word.at not in own])]
    if not lines:
        return {}
    right = max(word.box[2] for line in lines for word in line)
    first = [*lines[0]]
    rest = lines[1:MAX_LINES]
    is_wrapped = bool(rest) and not entry.is_line_full and _is_wrapped(first, rest[0], right)
    if rest and (is_wrapped or _ONLY_FORM.fullmatch(passage.words[rest[0][0].at].rstrip(","))):
        first += rest.pop(0)
    pieces = _joined(passage, list(_pieces(passage, first)))
    is_first = bool(pieces) and (entry.organisation_first or _is_organisation(passage, pieces[0]))
    if is_first and len(pieces) == 2 and entry.section != "education" and rest and _is_title(passage, rest[0]):
        # The line names the organisation and its place, and the line below names the activity.
        pieces = [pieces[0], rest[0], pieces[1]]
    elif len(pieces) == 1 and rest:
        pieces += _pieces(passage, rest[0])
    elif not any(_is_organisation(passage, piece) for piece in pieces):
        below = (list(_pieces(passage, line)) for line in rest)
        named = next((own for own in below if own and _is_organisation(passage, own[0])), None)
        pieces = [first, *named] if named else pieces
    texts = [text_of(passage, piece).strip(" ,;|·:*") for piece in pieces]
    texts = [text.strip("()") if text.startswith("(") or ")" not in text else text for text in texts]
    index = (
        0 if is_first else next((index for index, piece in enumerate(pieces) if _is_organisation(passage, piece)), 1)
    )
    order = [index, *(other for other in range(len(pieces)) if other != index)] if index == 0 else range(len(pieces))
    roles: list[Role] = ["activity", "organisation", "place"]
    if index == 0:
        roles = ["organisation", "activity", "place"]
        if len(pieces) == len(("organisation", "place")) and entry.section != "education":
            roles = ["organisation", "place"]
    elif index > 1:
        # Text between the activity and the organisation belongs to the activity.
        order = [0, *range(index, len(pieces))]
    found: dict[Role, ReadCell] = {"start": entry.start, "end": entry.end, "period": entry.period}
    found["year"] = entry.end if entry.end.text else entry.start
    found["current"] = entry.start._replace(text="no" if entry.end.text else "yes")
    for role, piece_index in zip(roles, order, strict=False):
        found[role] = cell_of(passage, pieces[piece_index])._replace(text=texts[piece_index])
        if role == "place":
            found["city"] = found["place"]
            found["place"] = cell_of(passage, place := _whole_place(passage, pieces[piece_index:]))
            found["place"] = found["place"]._replace(text=text_of(passage, place).strip(" ,;|·:()"))
    if grade is not None:
        found["grade"] = grade
    used = {word.at for piece in pieces for word in piece}
    if details := [line for line in entry.body if line and used.isdisjoint(word.at for word in line)]:
        found["details"] = cell_of(passage, [word for line in details for word in line])._replace(
            text="\n".join(_paragraphs(passage, details))
        )
    return found


def _whole_place(passage: Passage, pieces: Sequence[Sequence[WordOnPage]]) -> Sequence[WordOnPage]:
    """Return the first piece, with the next one if only a comma separates them: `Leek, England`."""
    place = [*pieces[0]]
    if len(pieces) > 1 and passage.words[place[-1].at].endswith(",") and pieces[1][0].at == place[-1].at + 1:
        place += pieces[1]
    return place


def _is_title(passage: Passage, line: Sequence[WordOnPage]) -> bool:
    return len(line) <= LONGEST_ABOVE and not passage.words[line[-1].at].endswith(".")


def _paragraphs(passage: Passage, lines: Sequence[Sequence[WordOnPage]]) -> Iterator[str]:
    """Yield the paragraphs of some lines.

    A line that begins in lower case continues the line above it. If some lines begin with a bullet, each line without a
    bullet continues the line above it, too.
    """
    marked = [_BULLET.fullmatch(passage.words[line[0].at]) is not None for line in lines]
    text = ""
    for line, is_marked in zip(lines, marked, strict=True):
        line_text = text_of(passage, line[1:] if is_marked else line)
        if text and (is_marked or not (any(marked) or line_text[:1].islower())):
            yield text
            text = ""
        text = f"{text} {line_text}".strip()
    if text:
        yield text


def _grade_in(passage: Passage, lines: Sequence[Sequence[WordOnPage]]) -> tuple[ReadCell, frozenset[int]] | None:
    """Return the grade that a piece of an entry states, with the piece's words; None if no piece states a grade."""
    for piece in (piece for line in lines for piece in _pieces(passage, line)):
        text = text_of(passage, piece).strip(" ,;|·()")
        if found := _GRADE.fullmatch(text):
            cell = cell_of(passage, piece)._replace(text=(found["stated"] or found["figures"]).strip(" ,;:"))
            return cell, frozenset(word.at for word in piece)
    return None


def _is_organisation(passage: Passage, piece: Sequence[WordOnPage]) -> bool:
    text = text_of(passage, piece)
    return LEGAL_FORM.search(text) is not None or PLACE_OF_WORK.search(text) is not None


def _joined(passage: Passage, pieces: Sequence[list[WordOnPage]]) -> list[list[WordOnPage]]:
    """Return the pieces, with a piece in brackets joined to the activity before it. A piece in brackets after an
    organisation stays apart, because it names the organisation's place."""
    found: list[list[WordOnPage]] = []
    for piece in pieces:
        if len(found) == 1 and passage.words[piece[0].at].startswith("(") and not _is_organisation(passage, found[0]):
            found[0] = [*found[0], *piece]
        else:
            found.append(piece)
    return found


def _is_wrapped(line: Sequence[WordOnPage], below: Sequence[WordOnPage], right: float) -> bool:
    """True if a text was wrapped at the end of `line`, because the first word of the line below had no room there."""
    return right - line[-1].box[2] < below[0].box[2] - below[0].box[0] and right > line[-1].box[2]


def _pieces(passage: Passage, line: Sequence[WordOnPage]) -> Iterator[list[WordOnPage]]:
    piece: list[WordOnPage] = []
    for segment in segments_of_row(line):
        for word in segment:
            text = passage.words[word.at]
            # A piece ends where a grade was taken out of the line.
            if piece and (text.startswith("(") or word.at > piece[-1].at + 1):
                yield piece
                piece = []
            if _SIGN.fullmatch(text):
                if piece:
                    yield piece
                piece = []
                continue
            piece.append(word)
            if text.endswith((",", ";", ")", "),")):
                yield piece
                piece = []
    if piece:
        yield piece


def in_asked_form(cell: ReadCell, field: WantedField) -> ReadCell:
    """Return a cell in the form that a field demands: several lines become one unless the field is a list, and a month
    gets the form that the field's description states."""
    if "\n" in cell.text and "array" not in types_of(field.schema):
        return cell._replace(text=cell.text.replace("\n", " "))
    form = month_form(field)
    if form is None or not cell.text:
        return cell
    in_form = in_month_form(cell.text, form)
    return cell if in_form is None else cell._replace(text=in_form, source=cell.text)


def month_form(field: WantedField) -> MonthForm | None:
    """Return the form of months that a field's description demands, or None."""
    description = str(field.schema.get("description", ""))
    if _YEAR_FIRST.search(description):
        return "{:04}-{:02}".format
    return "{1:02}/{0:04}".format if _MONTH_FIRST.search(description) else None


def in_month_form(text: str, form: MonthForm) -> str | None:
    """Return the month and the year that a text states, written by `form`; None for any other text."""
    year = _YEAR.search(text)
    rest = _YEAR.sub(" ", text).strip(" -./")
    words = rest.split()
    if rest.isdecimal() and len(rest) <= len("12"):
        month: int | None = int(rest)
    else:
        month = month_named(words[0]) if words else None
    return form(int(year[0]), month) if year is not None and month else None
