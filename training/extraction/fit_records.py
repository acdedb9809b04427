"""Samples for the weights of records: of a column for a field, of the records of a list, and of a value in them.

Each list of a document is compared with the runs of records whose outlines suit it. A column is right for a field by
the share of its values that the document's rows have there; records are right for a list by the share of the cells of
both that agree.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tasks.extraction.column_values import is_read
from tasks.extraction.fields import NESTING, WantedField, with_nesting
from tasks.extraction.fields_to_fill import lists_to_fill
from tasks.extraction.records.fields import MatchFeatures, matches_of
from tasks.extraction.records.record_lists import (
    RecordsForList,
    RunFeatures,
    ValueFeatures,
    filled_list,
    find_filling,
    likely_records,
)
from tasks.extraction.table_lists import FilledList
from tasks.extraction.weights import logistic, weighted
from tasks.precontext import Entry
from tasks.schema.paths import JsonPath, pointer_of
from training.extraction.judging import is_empty, is_right, judged
from training.extraction.regression import Sample

THRESHOLDS = tuple(percent / 100 for percent in range(0, 95, 5))
FEWEST_OF_RUN = 0.3
"""Columns are compared in the records that hold at least this share of a list's values."""


class ListSample(NamedTuple):
    """A list of a document, with the runs of records that may fill it."""

    lists: Mapping[JsonPath, Sequence[WantedField]]
    path: JsonPath
    truth: Sequence[Mapping[str, Any]]
    records: Sequence[RecordsForList]

    @property
    def fields(self) -> Sequence[WantedField]:
        return self.lists[self.path]


def list_samples(schema: Mapping[str, Any], truth: Any, read: Sequence[Entry]) -> Iterator[ListSample]:
    """Yield the lists of a document that have rows."""
    _, lists = lists_to_fill(schema)
    if not lists:
        return
    records: dict[JsonPath, list[RecordsForList]] = {path: [] for path in lists}
    for one in likely_records(read, lists):
        records[one.path].append(one)
    for path, own in records.items():
        rows = _at(truth, path)
        if rows:
            yield ListSample(lists, path, rows, own)


def _at(truth: Any, path: JsonPath) -> Any:
    for step in path:
        truth = truth.get(step) if isinstance(truth, Mapping) else None
    return truth


def truths_of(field: WantedField, truth: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Return the field's values in the rows of a list."""
    found = [_at(row, str(field.path[-1]).split(NESTING)) for row in truth]
    return [one for one in found if not is_empty(one)]


def agreement(values: Sequence[Any], truths: Sequence[Any]) -> float:
    """Return the F1 score of the values of a column and those of a field: equal ones, whatever their rows."""
    own = [one for one in values if is_read(one) and not is_empty(one)]
    if not own or not truths:
        return 0.0
    left, found = [*truths], 0
    for value in own:
        at = next((at for at, truth in enumerate(left) if is_right(value, truth)), None)
        if at is not None:
            left.pop(at)
            found += 1
    return 2 * found / (len(own) + len(truths))


def match_samples(sample: ListSample) -> Iterator[Sequence[Sample[MatchFeatures]]]:
    """Yield the columns that may fill each field of a list, in the records that hold most of its values."""
    best: tuple[float, list[list[Sample[MatchFeatures]]]] = (FEWEST_OF_RUN, [])
    for one in sample.records:
        own = [truths_of(field, sample.truth) for field in sample.fields]
        found: dict[int, list[Sample[MatchFeatures]]] = defaultdict(list)
        for (field, _), match in matches_of(one.table, one.wanted, one.reading).items():
            found[field].append(Sample(match.features, agreement(match.values, own[field])))
        shares = [max((column.share for column in columns), default=0.0) for columns in found.values()]
        whole = sum(shares) / max(1, sum(map(bool, own)))
        if whole > best[0]:
            size = max(1, len(found)) ** -0.5
            best = whole, [[column._replace(size=size) for column in columns] for columns in found.values()]
    yield from best[1]


class RunSample(NamedTuple):
    """Records that may fill a list."""

    run: Sample[RunFeatures]
    """The share is the F1 score of the cells of the records and of the list."""
    values: Sequence[Sample[ValueFeatures]]
    """The values of each field."""
    right: int
    said: int
    meant: int
    """Numbers of values that are right, that are read, and that the list has."""

    def values_with(self, weights: RunFeatures) -> list[Sample[ValueFeatures]]:
        """Return the values with the score of the records by other weights."""
        score = weighted(weights, self.run.features)
        return [one._replace(features=one.features._replace(run_score=score / 10)) for one in self.values]


def run_samples(sample: ListSample) -> Iterator[RunSample]:
    """Yield the fillings of a list by records, with the share of right cells."""
    found = [find_filling(one.table, one.wanted, one.reading, one.entry) for one in sample.records]
    fillings = [one for one in found if one is not None]
    cells = sum(not is_empty(one) for field in sample.fields for one in truths_of(field, sample.truth))
    for one in fillings:
        right = right_cells(filled_list(one, sample.path, sample.fields), sample)
        columns: dict[Any, list[bool]] = defaultdict(list)
        for path, is_cell_right in right.items():
            columns[path[-1]].append(is_cell_right)
        values = [
            Sample(one.value_features(index), sum(own) / len(own), len(own) ** 0.5)
            for index, field in enumerate(sample.fields)
            if (own := columns.get(field.path[-1]))
        ]
        share = 2 * sum(right.values()) / max(1, len(right) + cells)
        yield RunSample(
            Sample(one.features, share, len(fillings) ** -0.5), values, sum(right.values()), len(right), cells
        )


def right_cells(filled: FilledList, sample: ListSample) -> dict[JsonPath, bool]:
    """Return whether each value that was read is right, by its path."""
    verdicts = judged([*map(with_nesting, filled.rows)], sample.truth, "", pointer_of(sample.path))
    kinds = {one.pointer: one.kind == "right" for one in verdicts}
    return {
        path: kinds.get(pointer_of((*path[:-1], *str(path[-1]).split(NESTING))), False)
        for path, cell in filled.cells.items()
        if cell.is_read
    }


def best_threshold(lists: Sequence[Sequence[RunSample]], run: RunFeatures, value: ValueFeatures) -> float:
    """Return the least mean probability at which the best records of each list should fill it, so that the F1 score of
    the cells is largest. `lists` are the records of each list."""
    best = [
        max(own, key=lambda one: weighted(run, one.run.features)) for own in lists if any(one.values for one in own)
    ]
    chances = [
        [logistic(weighted(value, sample.features)) for sample in one.values_with(run)] for one in best if one.values
    ]
    means = [sum(own) / len(own) for own in chances]
    kept = [one for one in best if one.values]

    def agreement_at(least: float) -> float:
        taken = [one for one, mean in zip(kept, means, strict=True) if mean >= least]
        said = sum(one.said for one in taken) + sum(own[0].meant for own in lists if own)
        return 2 * sum(one.right for one in taken) / max(1, said)

    return max(THRESHOLDS, key=agreement_at)
