"""Finds people whose day of birth or number of a document follows their name, as in a contract: `Falk Marsch, geb.
3.9.1991`, `don Luis Soria, con NIE X-1234567-J`.

If the text defines parties (`hereinafter "the Tenants"`), only the people who are introduced as the party that a list
is called after belong to the list.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from models.fair_executor import Slices, in_slices
from tasks.extraction.features import types_of
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.introduced_parties import NAMES_OF_PARTIES
from tasks.extraction.named_parties import Introduction, introductions
from tasks.extraction.names import words_of_key
from tasks.extraction.own_words import is_form_of
from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import cell_at
from tasks.matches_in_slices import matches_in_slices
from tasks.notation.order_of_days import are_days_first, order_of
from tasks.read_table import ReadCell, ReadTable

Column = Literal["name", "born", "number", "label"]

MAX_TEXT: Final = 100_000
"""Only this many characters at the beginning of a passage are searched."""
MAX_PEOPLE: Final = 100

_CAPITALISED = r"[^\W\d_a-zß-öø-ÿ][^\W\d_]{1,30}(?:[-'’][^\W\d_]{1,30}){0,2}"
_PARTICLE = "de|del|della|di|da|dos|do|van|von|der|den|la|ten|af"
_PERSON = rf"{_CAPITALISED}(?: (?:(?:{_PARTICLE}) ){{0,2}}{_CAPITALISED}){{1,4}}"
_DAY = r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{1,2}(?:\.|st|nd|rd|th|er|º)? (?:de |of )?[^\W\d_]{3,12}\.? (?:de )?\d{4}"
_BORN = (
    r"(?:geb(?:\.|oren)(?: am| op)?|born(?: on)?|née? le|nacid[oa] el|nat[oa] il|nascid[oa] (?:a|em)"
    r"|ur(?:\.|odzon\w{1,10})"
    r"(?: dnia)?|född(?: den)?|\*)"
)
_WITH = r"(?:con|mit|with|avec|com|z|holder of|titular del?|legitymując\w{1,4} się)"
_LABEL = r"(?:[A-ZÀ-Þ]{2,6}|(?:[^\W\d_]{3,14} ){0,2}?[^\W\d_]{3,14})[.:]?(?:\s(?:nr|no|n\.?[º°o]|number|numer))?[.:]?"
_PEOPLE = re.compile(
    rf"(?<![^\W_])(?P<name>{_PERSON})[,;]?\s\(?(?:{_WITH}\s)?(?:{_BORN}\s?(?P<born>{_DAY})"
    rf"|(?P<label>{_LABEL})\s(?P<number>(?:[A-Z]{{1,3}}[ -]?)?\d[\dA-Z./-]{{4,18}}(?<![./-])))(?![^\W_])"
)
_TITLE = re.compile(r"(?:Mrs?|Ms|Dr|Prof|Herrn?|Frau|Mme|Sig|Sra?|Dña|Pan|Pana|Panią|Panem)\.? ")
_NUMBERS: Final = frozenset(
    fold(
        "documento dokument document id ausweis ausweisnummer passport pass number nummer numero número numer nr pesel"
        " nif dni nie bsn nip codice fiscale cpf rut ssn personnummer"
    )
)
_OTHER_CASE = re.compile(r"mianownik|nominati[fv]|grundform|base form", re.IGNORECASE)
"""Pattern of words in a description that ask for another form of a name than the one after a preposition or a verb."""


def introduced_people(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield a table for each list that wants the names of people with their days of birth or the numbers of their
    documents; None after a slice of work."""
    parties: list[Introduction] | None = None
    people: list[re.Match[str]] | None = None
    days_first = True
    for fields in lists:
        yield None
        columns = _columns_of(fields)
        if "name" not in columns.values() or {"born", "number"}.isdisjoint(columns.values()):
            continue
        if any(_OTHER_CASE.search(str(one.schema.get("description", ""))) for one in fields):
            continue
        if parties is None or people is None:
            parties, people = yield from _read(passage)
            orders = yield from in_slices(lambda one: order_of(passage.text[one.start : one.end], one), passage.days)
            days_first = are_days_first(orders)
        named = words_of_key(str(fields[0].path[-2]))
        own = [one for one in parties if any(is_form_of(word, role) for word in named for role in one.role)]
        body = []
        for one in people:
            yield None
            if own and not any(party.start <= one.start() < party.end for party in own):
                continue
            cells = _cells_of(passage, one, columns, days_first=days_first)
            if cells:
                body.append([cells[index] for index in columns])
        if body:
            header = [ReadCell(" ".join(fields[index].names.own[0])) for index in columns]
            yield ReadTable([header, *body], is_exact=False, is_whole=True, of_list=fields[0].path[:-1])


def _columns_of(fields: Sequence[WantedField]) -> dict[int, Column]:
    """Return what each field of a list asks for, by the field's index; empty if a field asks for anything else."""
    found: dict[int, Column] = {}
    for index, one in enumerate(fields):
        words = {word for own in one.names.own for word in own}
        column: Column | None = None
        if not types_of(one.schema) <= {"string"}:
            column = None
        elif one.schema.get("format") == "date":
            column = "born"
        elif "enum" in one.schema:
            column = "label"
        elif words & _NUMBERS:
            column = "number"
        elif any(set(own) <= NAMES_OF_PARTIES for own in one.names.own):
            column = "name"
        if column is None or column in found.values():
            return {}
        found[index] = column
    return found


def _read(passage: Passage) -> Slices[tuple[list[Introduction], list[re.Match[str]]]]:
    """Return the parties that a passage introduces, and the people in it."""
    parties = []
    for party in introductions(passage.text):
        if party is None:
            yield
        else:
            parties.append(party)
    people: list[re.Match[str]] = []
    for found in matches_in_slices(_PEOPLE, passage.text[:MAX_TEXT].replace("\n", " ").replace("\t", " ")):
        if found is None:
            yield
            continue
        people.append(found)
        yield
        if len(people) == MAX_PEOPLE:
            break
    return parties, people


def _cells_of(
    passage: Passage, person: re.Match[str], columns: Mapping[int, Column], *, days_first: bool
) -> dict[int, ReadCell]:
    """Return the cells of a person by the index of their field; empty if a detail of the person is missing."""
    cells: dict[int, ReadCell] = {}
    for index, column in columns.items():
        start, end = person.span(column)
        if start < 0:
            return {}
        if column == "name" and (title := _TITLE.match(person["name"])):
            start += title.end()
        cells[index] = cell_at(passage, start, end)
        day = passage.day_at.get(passage.words_between(start, end)[0]) if column == "born" else None
        if day is not None:
            # A day such as 12/09/1990 has the order of the other days of the passage.
            reading = day.readings[0 if days_first else -1]
            cells[index] = cells[index]._replace(text=reading.isoformat(), source=cells[index].text)
    return cells
