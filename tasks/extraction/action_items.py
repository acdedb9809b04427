"""Finds tasks that a sentence in the minutes of a meeting assigns to a person: `Ruth to write to the council by 20
October.`"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from models.fair_executor import Slices
from tasks.extraction.concepts import concepts_of
from tasks.extraction.fields import WantedField
from tasks.extraction.folding import fold
from tasks.extraction.passages import Passage
from tasks.extraction.words_on_page import cell_at
from tasks.matches_in_slices import matches_in_slices
from tasks.read_table import NO_CELL, ReadCell, ReadTable

Column = Literal["owner", "task", "due"]

MAX_TEXT: Final = 100_000
"""Only this many characters at the beginning of a passage are searched."""
MAX_ITEMS: Final = 100

_WORD = r"[^\W\d_a-zß-öø-ÿ][\w'’-]{0,40}"
_PERSON = rf"(?:(?:Mr|Mrs|Ms|Dr|Herr|Frau|M|Mme)\.? )?{_WORD}(?: (?:van |von |de )?{_WORD}){{0,2}}"
_MONTH_DAY = r"(?:[^\W\d_]{2,10},? )?\d{1,2}(?:st|nd|rd|th|er|\.)? (?:de |of )?[^\W\d_]{3,10}\.?(?:,? (?:de )?\d{4})?"
_DAY = (
    rf"\d{{1,2}}[./-]\d{{1,2}}[./-]?(?:\d{{4}}|\d\d)?|\d{{4}}-\d\d-\d\d|{_MONTH_DAY}"
    r"|[^\W\d_]{3,10} \d{1,2}(?:, \d{4})?"
)
_BEFORE_DUE_DATE = (
    r"(?:by|until|before|due|no later than|bis(?: zum| spätestens)?|d['’]ici(?: au| le)?|avant le|pour le|antes del?"
    r"|hasta el|para el|entro(?: il)?|até(?: ao?)?|vóór|uiterlijk|do(?: dnia)?|senast)"
)
_ASSIGNED = (
    r"(?:to(?! be\b)|will|shall|should|is to|agreed to|offered to|undertook to|volunteered to|wird|soll"
    r"|kümmert sich(?: um)?|übernimmt|klärt|prüft|erstellt|informiert|va|doit|se charge d[e'’]|s['’]occupe d[e'’]"
    r"|se encargará? de|debe|enviará|si occupa di|deve|fica de|zal|zorgt voor|zajmie się|ska)"
)
_SENTENCE = re.compile(
    rf"(?:^|(?<=[.:;!?)] ))(?:(?:Action|ACTION|Aktion|Maßnahme|TODO|Actie|AP)s?:? )?(?P<owner>{_PERSON})"
    rf"(?: {_ASSIGNED} |(?P<label>: ))(?P<task>[^.;\n]{{3,200}}?)"
    rf"(?:,? \(?{_BEFORE_DUE_DATE} (?P<due>{_DAY})\)?[^.;\n]{{0,120}})?"
    r"(?=[.;\n]|$)",
    re.MULTILINE,
)
_DUE_INSIDE = re.compile(rf"(?:{_BEFORE_DUE_DATE} )(?P<due>{_DAY}) ")
_NAMES: Final[Mapping[Column, frozenset[str]]] = {
    "owner": frozenset(
        fold(
            "owner who responsible responsibility assignee assigned person verantwortlich zuständig wer "
            "responsable qui quien quién responsabile chi responsável quem verantwoordelijke wie "
            "odpowiedzialny kto ansvarig vem name"
        )
    ),
    "due": frozenset(
        fold(
            "due deadline until by date bis frist termin fällig fälligkeit wann échéance délai plazo vence "
            "fecha scadenza termine prazo vencimento wanneer kiedy när"
        )
    ),
    "task": frozenset(
        fold(
            "task action what description todo item aufgabe maßnahme was tâche quoi tarea acción qué attività "
            "azione cosa tarefa ação taak actie wat zadanie co uppgift vad beschreibung"
        )
    ),
}
_LISTS: Final = frozenset(
    fold(
        "action actions todo todos tasks task followups aufgaben maßnahmen massnahmen offene aktionen "
        "tâches taches tareas acciones attività azioni tarefas ações acoes taken acties actiepunten "
        "zadania uppgifter åtgärder actionitems"
    )
)


def action_items(passage: Passage, lists: Sequence[Sequence[WantedField]]) -> Iterator[ReadTable | None]:
    """Yield the assigned tasks as a table for each list whose name asks for tasks and whose fields ask for an owner."""
    items: list[Mapping[Column, ReadCell]] | None = None
    for fields in lists:
        columns = _columns_of(fields)
        if "owner" not in columns.values() or _LISTS.isdisjoint(fold(_words(str(fields[0].path[-2])))):
            continue
        items = (yield from _items_of(passage)) if items is None else items
        body = [[cells.get(column, NO_CELL) for column in columns.values()] for cells in items]
        if body:
            header = [ReadCell(" ".join(fields[index].names.own[0])) for index in columns]
            yield ReadTable([header, *body], is_exact=False, is_whole=True)


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name)


def _columns_of(fields: Sequence[WantedField]) -> dict[int, Column]:
    found: dict[int, Column] = {}
    for index, one in enumerate(fields):
        words = {word for own in one.names.own for word in own}
        column = next((column for column, known in _NAMES.items() if words & known), None)
        column = "due" if one.schema.get("format") == "date" else column
        if column is not None and column not in found.values():
            found[index] = column
    return found


def _items_of(passage: Passage) -> Slices[list[Mapping[Column, ReadCell]]]:
    """Return the first MAX_ITEMS assigned tasks."""
    items: list[Mapping[Column, ReadCell]] = []
    for found in matches_in_slices(_SENTENCE, passage.text[:MAX_TEXT]):
        yield
        if found is None:
            continue
        if found["label"] and (not found["due"] or concepts_of(tuple(fold(found["owner"])))):
            continue
        inside = _DUE_INSIDE.search(found["task"]) if not found["due"] else None
        column_spans: dict[Column, tuple[int, int]] = {"owner": found.span("owner"), "task": found.span("task")}
        if found["due"]:
            column_spans["due"] = found.span("due")
        elif inside is not None:
            column_spans["due"] = tuple(found.start("task") + at for at in inside.span("due"))  # type: ignore[assignment]
        items.append({column: cell_at(passage, *span) for column, span in column_spans.items()})
        if len(items) == MAX_ITEMS:
            break
    return items
