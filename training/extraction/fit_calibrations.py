"""Samples for the probabilities that values are right, from documents that no other weight was fitted to.

Of a list, all ways to fill it are judged, not only the chosen one, because the choice compares their probabilities. A
list weighs as much as the square root of its cells.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tasks.extraction.extract import copy_fields, ways_to_fill
from tasks.extraction.extractor import Extractor
from tasks.extraction.fields import NESTING, with_nesting
from tasks.extraction.given_values import GivenValues
from tasks.extraction.probability import CalibrationInput, CellOfField, ValuePlace, calibration_input
from tasks.extraction.yes_and_no import most_harmless
from tasks.precontext import Entry
from tasks.schema.checker import SchemaChecker
from tasks.schema.emptiness import Completion, NothingFits
from tasks.schema.paths import JsonPath, leaves, pointer_of
from tasks.tracing.find_evidence import find_evidence
from training.extraction.judging import is_empty, judged, letters


class CalibrationSample(NamedTuple):
    """A value that was copied from a document."""

    group: str
    """The list and the way in which it is filled, or the value itself."""
    given: CalibrationInput
    is_right: bool


class WayToFill(NamedTuple):
    """A list of a document, filled in one way."""

    path: JsonPath
    way: int
    """Index of the way in `ways_to_fill`."""
    values: Sequence[CalibrationSample]
    meant: int
    """Number of values that the list has in the document."""


def ways_samples(
    schema: Mapping[str, Any], truth: Any, read: Sequence[Entry], extractor: Extractor
) -> Iterator[WayToFill]:
    """Yield the lists of a document, each filled in all ways."""
    text = letters(json.dumps([one.result.text() for one in read], ensure_ascii=False))
    for number, way in enumerate(ways_to_fill(schema, read, extractor)):
        for path, filled in way.items():
            own = part_of(truth, path) or []
            meant = sum(not is_empty(value) for row in own for _, value in leaves(row, ()))
            yield WayToFill(path, number, [*_in_list(f"{pointer_of(path)} {number}", path, filled, own, text)], meant)


def single_samples(
    schema: Mapping[str, Any], truth: Any, read: Sequence[Entry], extractor: Extractor
) -> Iterator[CalibrationSample]:
    """Yield the single values that are copied from a document. Nothing is yielded if the schema cannot be satisfied."""
    copied = copy_fields(schema, GivenValues(), read, extractor)
    try:
        answer = Completion(schema, SchemaChecker(schema), copied.likeliest, most_harmless).answer()
    except NothingFits:
        return
    evidence, _ = find_evidence(
        answer, read, schema, most_chars=10**8, support=copied.place, request=copied.document, decided=copied.decided
    )
    right = {one.pointer: one.kind == "right" for one in judged(answer, truth, "")}
    for path, value in leaves(answer, ()):
        place, own, pointer = copied.place(path, value), evidence.fields.get(pointer_of(path)), pointer_of(path)
        is_single = place is not None and place.cell is None and path not in copied.decided
        if is_single and place and own and "score" in own and pointer in right and not is_empty(value):
            given = calibration_input(place, own["score"], own["label"], own.get("confidence", 1.0))
            yield CalibrationSample(pointer, given, right[pointer])


def _in_list(group: str, path: JsonPath, filled: Any, truth: Any, text: str) -> Iterator[CalibrationSample]:
    rows = [*map(with_nesting, filled.rows)]
    right = {one.pointer: one.kind == "right" for one in judged(rows, truth or [], text, pointer_of(path))}
    for at, cell in filled.cells.items():
        if not isinstance(cell, CellOfField) or cell.is_read:
            given = calibration_input(ValuePlace(0.0, cell=cell), 1.0, "none")
            pointer = pointer_of((*at[:-1], *str(at[-1]).split(NESTING)))
            yield CalibrationSample(group, given, right.get(pointer, False))


def part_of(truth: Any, path: JsonPath) -> Any:
    for step in path:
        truth = truth.get(step) if isinstance(truth, Mapping) else None
    return truth
