"""Explains why a field has its value: the candidates with what each step of scoring added, the ways to fill its list,
what decided its choice, and the input of its calibration.

It changes nothing: all that it shows is in the `Trace`, or follows from the copied fields.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final, Literal

import numpy as np

from tasks.extraction.assign import Assignment
from tasks.extraction.candidates import CandidateSpan
from tasks.extraction.copied_fields import CopiedFields
from tasks.extraction.evidence import FieldEvidence
from tasks.extraction.fields import NESTING, WantedField, without_items
from tasks.extraction.object_lists import ObjectList
from tasks.extraction.probability import (
    CHOICE,
    IN_DOUBT,
    CellOfField,
    FieldScores,
    calibration_input,
    calibration_terms,
    probability_of_cell,
    worth_of,
)
from tasks.extraction.records.record_lists import RecordFilling, filled_list, least_probability
from tasks.extraction.score_steps import ScoreSteps
from tasks.extraction.table_lists import FilledList, filled_from
from tasks.extraction.table_readings import HeadedTable
from tasks.extraction.trace import Trace
from tasks.extraction.values import ValueForm
from tasks.read_table import ReadCell
from tasks.schema.paths import JsonPath, pointer_of

MAX_CANDIDATES: Final = 10
MAX_TABLES: Final = 3
"""At most this many tables that may answer a list, and as many others, are shown."""
MAX_RUNS: Final = 2
"""At most this many runs of records are shown for a list."""
MAX_ROWS: Final = 20
"""At most this many rows that a way to fill a list leaves out are shown."""
MAX_CHARS: Final = 300
"""Longer texts are cut."""


@dataclass(frozen=True, slots=True)
class Score:
    """The score of a candidate, or of the case that nothing answers the field."""

    changes: Mapping[str, float | None]
    """The change of the logit by each step, in the order of the steps; None if the sum is infinite."""
    logit: float | None
    probability: float
    """Share among all candidates of the field, before calibration; in a list, probability against nothing."""


@dataclass(frozen=True, slots=True)
class CandidateValue:
    text: str
    value: Any
    """The value that the field would take; None if the text has none that fits the schema."""
    page: int | None
    pointer: str
    """JSON pointer of the line in its result."""
    line: str
    labels: Mapping[str, str]
    """Texts that may name the candidate: `own` before it, `left` and `above`."""
    score: Score
    is_chosen: bool
    taken_by: str | None
    """JSON pointer of another field whose likeliest place this is."""


@dataclass(frozen=True, slots=True)
class FilledColumn:
    """A column that fills a field of a list."""

    field: str
    header: str | None
    score: float | None
    """Likeness of header and field, or the score of a column of records; None by the network."""
    values: int
    """Number of values that were read."""
    probability: float
    """Mean of the values' probabilities."""


@dataclass(frozen=True, slots=True)
class RowLeftOut:
    text: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExplainedWay:
    """A way to fill a list."""

    by: Literal["file", "page", "records", "network"]
    """A table of a file, a table printed with its header, records that repeat, or the network."""
    header: str
    rows: int
    worth: float | None
    """The sum of the values' probabilities above the break-even, by which ways are compared; None without a row."""
    columns: Sequence[FilledColumn]
    unanswered: Sequence[str]
    """The fields without a column."""
    left_out: Sequence[RowLeftOut]
    is_chosen: bool
    note: str


@dataclass(frozen=True, slots=True)
class DecidedBy:
    """The print that decided a boolean or an enum."""

    by: str
    text: str
    line: str
    probability: float


@dataclass(frozen=True, slots=True)
class CalibrationTerm:
    name: str
    value: float
    adds: float
    """The term's part in the log-odds of the probability."""


@dataclass(frozen=True, slots=True)
class Explanation:
    pointer: str
    value: Any
    probability: float | None
    """The calibrated probability, as in the evidence; None if the field has no value."""
    candidates: Sequence[CandidateValue]
    """The likeliest ones first; the chosen one is always among them."""
    nothing: Score | None
    """The score of the case that nothing answers the field."""
    ways: Sequence[ExplainedWay]
    decided: DecidedBy | None
    calibration: Sequence[CalibrationTerm]
    notes: Sequence[str]


def explain(
    copied: CopiedFields, trace: Trace, path: JsonPath, value: Any, evidence: FieldEvidence | None
) -> Explanation:
    """Explain why the field, the list or the field of an item at `path` has `value` in the answer."""
    list_path = next((known for known in trace.lists if path[: len(known)] == known), None)
    ways = [*_ways(copied, trace, list_path)] if list_path is not None else []
    candidates, nothing = _candidates(copied, trace.steps, path, value) if copied.scored else ([], None)
    decision = copied.decided.get(path)
    decided = None
    if decision is not None and decision.by:
        words = decision.words
        text = " ".join([decision.passage.words[word] for word in words])
        decided = DecidedBy(
            decision.by,
            text,
            _line_of(decision.passage.lines, decision.passage.line_at(words[0])),
            decision.probability,
        )
    is_calibrated = evidence is not None and decision is None
    return Explanation(
        pointer=pointer_of(path),
        value=value,
        probability=evidence.get("probability") if evidence else None,
        candidates=candidates,
        nothing=nothing,
        ways=ways,
        decided=decided,
        calibration=_calibration(copied, path, value, evidence) if evidence and is_calibrated else (),
        notes=[*_notes(copied, path, list_path, candidates)],
    )


def _candidates(
    copied: CopiedFields, steps: ScoreSteps, path: JsonPath, value: Any
) -> tuple[list[CandidateValue], Score | None]:
    scored = copied.scored
    assert scored is not None
    cell_path = copied.path_of_cell(path)
    row = scored.rows.get(without_items(cell_path))
    if row is None:
        return [], None
    cell = scored.cells.get(cell_path)
    # A cell has its own place. Of any other field, every place with its value counts.
    if cell is not None:
        chosen = [cell.span]
    else:
        # A boolean is decided by other words than a span's, and an empty value by none.
        has_places = not (scored.fields[row].in_list or isinstance(value, bool) or value in (None, ""))
        chosen = scored.spans_with(value) if has_places else []
    ranked = np.argsort(-scored.logits[row, :-1], kind="stable")[:MAX_CANDIDATES].tolist()
    best = max(chosen, key=lambda index: scored.logits[row, index], default=None)
    if best is not None and best not in ranked:
        ranked.append(best)
    taken = _places_of_others(copied, scored, row)
    form = ValueForm.of(scored.fields[row].schema, scored.fields[row].names)
    found = []
    for index in ranked:
        span = scored.candidates.spans[index]
        line = span.passage.line_at(span.words[0])
        values = form.values_of(span, scored.candidates.has_days_first)
        found.append(
            CandidateValue(
                text=_cut(span.text),
                value=next(filter(scored.fields[row].fits, values), None),
                page=span.passage.lines[line].place.get("page"),
                pointer=span.passage.lines[line].pointer,
                line=_line_of(span.passage.lines, line),
                labels={slot: _cut(text) for slot, text in scored.candidates.labels_of(span).items()},
                score=_score(scored, steps, row, index),
                is_chosen=index in chosen,
                taken_by=taken.get(_place(span)),
            )
        )
    return found, _score(scored, steps, row, -1)


def _score(scored: FieldScores, steps: ScoreSteps, row: int, index: int) -> Score:
    changes = {step: _finite(float(change[row, index])) for step, change in steps.changes}
    logit, nothing = float(scored.logits[row, index]), float(scored.logits[row, -1])
    # In a list, each candidate is right or wrong by itself (`FieldScores.place`).
    is_alone = scored.fields[row].in_list and index != -1
    share = 1 / (1 + math.exp(nothing - logit)) if is_alone else float(scored.probabilities[row, index])
    return Score(changes, _finite(logit), round(share, 4))


def _finite(number: float) -> float | None:
    return round(number, 2) if math.isfinite(number) else None


def _place(span: CandidateSpan) -> tuple[int, tuple[int, ...]]:
    return id(span.passage), span.words


def _places_of_others(copied: CopiedFields, scored: FieldScores, row: int) -> dict[tuple[int, tuple[int, ...]], str]:
    """Return the pointers of the other single fields that have a value, by the likeliest place of this value."""
    found = {}
    for other, field in enumerate(scored.fields):
        value = copied.values.get(field.path)
        if other == row or field.in_list or not isinstance(value, str | int | float) or value == "":
            continue
        if places := scored.spans_with(value):
            best = max(places, key=lambda index: scored.logits[other, index])
            found[_place(scored.candidates.spans[best])] = pointer_of(field.path)
    return found


def _ways(copied: CopiedFields, trace: Trace, path: JsonPath) -> Iterator[ExplainedWay]:
    """Yield the ways to fill the list at `path`: tables of files and pages, runs of records, and the network."""
    fields, chosen = trace.lists[path], copied.tables.get(path)
    assigned = sorted((one for one in trace.tables.assignments if one.path == path), key=lambda one: -one.worth)
    for one in assigned[:MAX_TABLES]:
        yield _by_table(one, fields, chosen)
    known = {id(one.reading.table) for one in assigned}
    others = {id(one.table): one for one in reversed(trace.tables.readings) if id(one.table) not in known}
    for reading in list(others.values())[:MAX_TABLES]:
        note = "no reading of its header names enough fields of the list"
        header = " | ".join(reading.header)
        by: Literal["file", "page"] = "file" if reading.table.is_exact else "page"
        yield ExplainedWay(by, _cut(header), len(reading.body), None, (), _names(fields), (), False, note)
    for run in [run for own, run in trace.runs if own == path][:MAX_RUNS]:
        yield _by_records(run, path, fields, chosen)
    if (items := trace.by_network.get(path)) is not None:
        yield _by_network(items, fields, is_chosen=chosen is None and bool(items.rows))


def _by_table(assignment: Assignment, fields: Sequence[WantedField], chosen: FilledList | None) -> ExplainedWay:
    reading = assignment.reading
    filled = filled_from([assignment], fields)
    by: Literal["file", "page"] = "file" if reading.table.is_exact else "page"
    columns = [
        FilledColumn(
            _name(fields[index]),
            reading.header[column] or None,
            round(float(assignment.likeness[index, column]), 2),
            *_values_of(filled, fields[index]),
        )
        for index, column in assignment.columns.items()
    ]
    note = f"its columns answer the list with a worth of {assignment.worth:.2f}"
    return ExplainedWay(
        by=by,
        header=_cut(" | ".join(reading.header)),
        rows=len(filled.rows) if filled else 0,
        worth=filled.worth() if filled else None,
        columns=columns,
        unanswered=_names([one for index, one in enumerate(fields) if index not in assignment.columns]),
        left_out=_rows_of_table_left_out(reading, assignment.columns.values(), filled)[:MAX_ROWS],
        is_chosen=_is_chosen(filled, chosen),
        note=note if filled else f"{note}, but no row has what the schema requires",
    )


def _rows_of_table_left_out(
    reading: HeadedTable, columns: Collection[int], filled: FilledList | None
) -> list[RowLeftOut]:
    used = _cells(filled)
    not_taken = [
        (row, "too few of its cells can be read for fields of the list")
        for row in (reading.body if filled else ())
        if not any((row[column].pointer, row[column].text) in used for column in columns if row[column].text)
    ]
    above = [(row, "above the header") for row in reading.table.rows[: reading.top]]
    return [RowLeftOut(_row_text(row), reason) for row, reason in (*above, *reading.left_out, *not_taken)]


def _row_text(row: Sequence[ReadCell]) -> str:
    return _cut(" | ".join([cell.text for cell in row]))


def _by_records(
    run: RecordFilling, path: JsonPath, fields: Sequence[WantedField], chosen: FilledList | None
) -> ExplainedWay:
    filled = filled_list(run, path, fields)
    least = least_probability(run, fields)
    note = f"score {run.score:.1f}, mean probability {run.mean_probability:.2f}"
    if run.mean_probability < least:
        note += f", below the least one of {least}"
    records = run.table.run.records
    left_out = [
        RowLeftOut(
            _cut(" / ".join([line.text for line in record])),
            "below the last item" if number > max(run.items) else "lacks values of the list",
        )
        for number, record in enumerate(records)
        if number not in run.items
    ]
    columns = [
        FilledColumn(
            _name(fields[index]),
            column.label or None,
            round(run.match_scores[index], 2),
            *_values_of(filled, fields[index]),
        )
        for index, column in run.columns.items()
    ]
    return ExplainedWay(
        by="records",
        header=_cut(" / ".join([line.text for line in records[0]])),
        rows=len(filled.rows),
        worth=filled.worth() if filled.rows else None,
        columns=columns,
        unanswered=_names([one for index, one in enumerate(fields) if index not in run.columns]),
        left_out=left_out[:MAX_ROWS],
        is_chosen=_is_chosen(filled, chosen),
        note=note,
    )


def _by_network(items: ObjectList, fields: Sequence[WantedField], *, is_chosen: bool) -> ExplainedWay:
    own = [(one, [cell for path, cell in items.cells.items() if path[-1] == one.path[-1]]) for one in fields]
    columns = [
        FilledColumn(_name(one), None, None, len(cells), round(fmean(map(probability_of_cell, cells)), 2))
        for one, cells in own
        if cells
    ]
    unanswered = _names([one for one, cells in own if not cells])
    worth = worth_of(items.cells.values()) if items.rows else None
    return ExplainedWay("network", "", len(items.rows), worth, columns, unanswered, (), is_chosen, "")


def _values_of(filled: FilledList | None, one: WantedField) -> tuple[int, float]:
    """Return the number of values that were read for a field, and the mean of their probabilities."""
    own = [cell for path, cell in (filled.cells if filled else {}).items() if path[-1] == one.path[-1] and cell.is_read]
    return len(own), round(fmean(map(probability_of_cell, own)), 2) if own else 0.0


def _is_chosen(filled: FilledList | None, chosen: FilledList | None) -> bool:
    """True if the list has the cells of this way to fill it. Tables with the same header are joined, so that the list
    may have more."""
    own = _cells(filled)
    kinds = {cell.found_in for cell in chosen.cells.values()} if chosen else set()
    is_same_kind = filled is not None and any(cell.found_in in kinds for cell in filled.cells.values())
    return bool(own) and is_same_kind and own <= _cells(chosen)


def _cells(filled: FilledList | None) -> set[tuple[str, str]]:
    return {(cell.cell.pointer, cell.cell.text) for cell in (filled.cells if filled else {}).values() if cell.is_read}


def _calibration(copied: CopiedFields, path: JsonPath, value: Any, evidence: FieldEvidence) -> list[CalibrationTerm]:
    place = copied.place(path, value)
    if place is None or "probability" not in evidence:
        return []
    given = calibration_input(place, evidence["score"], evidence["label"], evidence.get("confidence", 1.0))
    return [CalibrationTerm(name, round(number, 3), round(adds, 3)) for name, number, adds in calibration_terms(given)]


def _notes(
    copied: CopiedFields, path: JsonPath, list_path: JsonPath | None, candidates: Sequence[CandidateValue]
) -> Iterator[str]:
    scored = copied.scored
    if path in copied.improbable:
        yield "Probably nothing answers the field; it has a value because the schema demands one."
    if list_path is not None:
        yield f"Records replace a table only if they are worth more than {CHOICE.clearly_more} times as much."
        filled = copied.tables.get(list_path)
        if filled is not None and filled.contradicts_sum:
            yield "The items do not add up to a printed sum."
        cell = filled.cells.get(copied.path_of_cell(path)) if filled else None
        cell_of_item = scored.cells.get(copied.path_of_cell(path)) if scored else None
        if (cell is not None and cell.is_in_doubt) or (cell_of_item is not None and cell_of_item.is_in_doubt):
            yield f"The list is in doubt, so that the probability was multiplied by {IN_DOUBT}."
        if isinstance(cell, CellOfField):
            yield f"The value is from the cell {_cut(cell.cell.text)!r} below {cell.header!r}."
    elif path in copied.from_results:
        yield "The list is the result of a specialist."
    elif scored is not None and path in scored.lists:
        yield "The list is printed below or beside its name."
    elif not candidates and path not in copied.decided:
        yield "The field was not searched for: it is no field of the schema, is given, or needs a judgement."


def _names(fields: Sequence[WantedField]) -> list[str]:
    return [_name(one) for one in fields]


def _name(field: WantedField) -> str:
    return str(field.path[-1]).replace(NESTING, ".")


def _line_of(lines: Sequence[Any], index: int) -> str:
    return _cut(" ".join(lines[index].words))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_CHARS else f"{text[: MAX_CHARS - 1]}…"
