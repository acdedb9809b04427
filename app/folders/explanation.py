"""`openfaze extract --explain`: say why a field has its value, to people who mend extraction."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.folders.answers import Json
from app.folders.client import PaperClient, Refused
from app.folders.extract import Server, failing, printable
from app.folders.failures import Failed
from app.folders.papers import papers_of
from app.folders.schemas import schema_of

_INDENT = "    "
_LINE_CHARS = 100
"""Longer lines of a paper are cut around the candidate."""


def explain(source: str, field: str, schema: str | None, key: str | None, server: Server) -> str:
    """Return why a field of a paper has its value. `field` is a name or a JSON pointer; without a schema, it is the
    only field. Raises Failed."""
    papers = list(papers_of([source]))
    if len(papers) != 1:
        raise Failed(f"--explain needs one paper; '{source}' names {len(papers)}")
    pointer = field if field.startswith("/") else f"/{field}"
    with failing(Path(source)):
        wanted = schema_of(schema or field)
        with server() as url, contextlib.closing(PaperClient(url, key)) as asker:
            try:
                return rendered(asker.explain(papers[0], wanted, pointer))
            except Refused as refusal:
                if refusal.partial is None:
                    raise
                # Nothing answers a required field: the others, and the reason for this one, are still of interest.
                explained = rendered(asker.explain(papers[0], _without_required(wanted), pointer))
                return f"{refusal}\nAsked again without required fields:\n{explained}"


def _without_required(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: _without_required(part) for key, part in schema.items() if key != "required" or not _is_names(part)
        }
    return [*map(_without_required, schema)] if isinstance(schema, list) else schema


def _is_names(part: Any) -> bool:
    """True for the list of a keyword `required`; a field of this name has a schema."""
    return isinstance(part, list) and all(isinstance(name, str) for name in part)


def rendered(explanation: Json) -> str:
    """Return the text of an explanation, as a completion has it. What is invisible or controls a terminal is
    escaped."""
    return "\n".join(map(printable, _lines(explanation)))


def _lines(one: Json) -> Iterator[str]:
    probability = one["probability"]
    sure = "no probability" if probability is None else f"probability {probability}"
    yield f"{one['pointer']} = {_value(one['value'])} ({sure})"
    for note in one["notes"]:
        yield f"  {note}"
    if decided := one["decided"]:
        yield f"decided by a {decided['by']}, {decided['probability']}: {decided['text']!r} in {decided['line']!r}"
    if one["ways"]:
        yield "ways to fill the list (* won)"
        worths = sorted((way["worth"] for way in one["ways"] if way["worth"] is not None), reverse=True)
        for way in one["ways"]:
            yield from _way(way, worths)
    if one["candidates"]:
        yield "candidates (* has the value): share before calibration, logit = what each step added"
        for candidate in one["candidates"]:
            yield from _candidate(candidate)
        yield f"  nothing: {_score(one['nothing'])}"
    if one["calibration"]:
        yield "calibration: input, value, what it adds to the log-odds"
        for term in one["calibration"]:
            yield f"{_INDENT}{term['name']:<36}{term['value']:>9.3f}{term['adds']:>+9.3f}"


def _candidate(one: Json) -> Iterator[str]:
    read = "fits no value of the schema" if one["value"] is None else f"→ {_value(one['value'])}"
    page = "" if one["page"] is None else f", page {one['page']}"
    yield f"{'*' if one['is_chosen'] else ' '} {one['text']!r} {read}: {_score(one['score'])}"
    labels = ", ".join(f"{slot} {text!r}" for slot, text in one["labels"].items()) or "none"
    yield f"{_INDENT}in {_around(one['text'], one['line'])!r}{page}; labels: {labels}"
    if one["taken_by"]:
        yield f"{_INDENT}also the likeliest place of {one['taken_by']}"


def _around(text: str, line: str) -> str:
    if len(line) <= _LINE_CHARS:
        return line
    start = max(0, line.find(text) - _LINE_CHARS // 2)
    end = start + _LINE_CHARS
    return f"{'…' if start else ''}{line[start:end]}{'…' if end < len(line) else ''}"


def _score(score: Json) -> str:
    changes = [f"{step} {_signed(change)}" for step, change in score["changes"].items() if change != 0]
    return f"{score['probability']:.2f}, {_signed(score['logit'])} = {', '.join(changes)}"


def _signed(number: float | None) -> str:
    return "infinite" if number is None else f"{number:+.2f}"


def _way(way: Json, worths: list[float]) -> Iterator[str]:
    worth = "worth nothing" if way["worth"] is None else f"worth {way['worth']}"
    others = [*worths]
    if way["worth"] is not None:
        others.remove(way["worth"])
    lead = f", {way['worth'] - others[0]:+.1f} against the best other one" if way["is_chosen"] and others else ""
    note = f"; {way['note']}" if way["note"] else ""
    yield f"{'*' if way['is_chosen'] else ' '} {way['by']}: {way['rows']} rows, {worth}{lead}{note}"
    if way["header"]:
        yield f"{_INDENT}{'begins with' if way['by'] == 'records' else 'header'} {way['header']!r}"
    yield from (f"{_INDENT}{_column(column)}" for column in way["columns"])
    if way["unanswered"]:
        yield f"{_INDENT}without a column: {', '.join(way['unanswered'])}"
    for row in way["left_out"]:
        yield f"{_INDENT}left out, {row['reason']}: {row['text']!r}"


def _column(column: Mapping[str, Any]) -> str:
    source = f"{column['header']!r} → " if column["header"] else ""
    score = "" if column["score"] is None else f", score {column['score']}"
    return f"{source}{column['field']}: {column['values']} values, mean probability {column['probability']}{score}"


def _value(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return repr(value)
