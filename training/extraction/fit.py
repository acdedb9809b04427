"""Fits the weights of extraction to the documents of this repository, with the same result each time.

    .venv/bin/python -m training.extraction.fit                   all of them, in some 30 minutes on two cores
    .venv/bin/python -m training.extraction.fit records           only some of them

1. `labels`: the model that compares labels with names of fields, `models/extraction/labels.npz`, to the documents that
   are trained with (`labels.py`). It needs torch, as does the network, and both are left as they are without.
2. `network`: the network over spans, `models/extraction/extractor.npz`, to the same documents and to generated ones
   (`train.py`).
3. `records`: which column of records a field has, which records a list (`fit_records.py`), to the same documents.
4. `probabilities`: how likely values are right (`fit_calibrations.py`), to documents that nothing before was fitted to.
   Several ways to fill a list are compared by probabilities of their own (`WORTHS`), which stay as they are.
5. `answers`: how likely values are right that an LLM wrote (`judged_answers.py`), to generated documents.

All but the first two go into `tasks/extraction/weights.json`, under the names of their features. Models by whose fit
papers of other people do not gain (`LEFT`) are written only with `--all`. Held-out documents are for `eval.replay`
alone, which says whether new weights may stay.
"""

import argparse
import asyncio
import importlib.util
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from models.embedding.capability import EMBEDDING, MINILM
from models.extraction.capability import field_reader
from models.extraction.network import ExtractionNetwork
from tasks.extraction.extractor import Extractor
from tasks.extraction.probability import CALIBRATIONS, WORTHS, Choice, Source
from tasks.extraction.records.fields import MatchFeatures
from tasks.extraction.records.record_lists import LEAST_SCORE
from tasks.extraction.weights import FILE, logistic, weighted
from tasks.precontext import Entry
from tasks.schema.awaited import in_thread
from training.extraction.fit_calibrations import CalibrationSample, WayToFill, single_samples, ways_samples
from training.extraction.fit_records import (
    ListSample,
    RunSample,
    best_threshold,
    list_samples,
    match_samples,
    run_samples,
)
from training.extraction.judged_answers import AnswerMaker
from training.extraction.regression import SHRINK, FeaturesT, Sample, choice_loss, fitted, fitted_choice, log_loss
from training.extraction.written import WrittenDocument, written_documents
from training.extraction.written_papers import AskedDocument, asked_of, read_as_printed
from training.services import quiet_services

PROCESSES = 2
AT_ONCE = 8
"""A process gets so many documents at once."""
SHUFFLED = 3
"""The fields of lists are in another order than on the page in one of so many documents."""
CHECKED = 5
"""One of so many samples is left out of a second fit, which shows what the fit is worth for others."""
ANSWERED = 150
"""Number of generated documents with simulated answers of an LLM."""
SEEN = frozenset(Path(__file__).with_name("seen_by_encoder.txt").read_text("ascii").split())
"""Digests of the documents that the encoder of pages was trained with, before documents were parted by their digests.
Its scores for them are too good to tell probabilities."""
LEFT: frozenset[str] = frozenset(("match", "run", "value", "choice", "copied", "file", "llm"))
"""Models whose fit is shown, and written only with `--all`, because papers of other people did not gain by it or were
not asked (`llm`), or because written documents tell nothing of them (`file`). `docs/decisions/0015-*` has the figures.
The fit of `copied` makes fewer single fields sure, 306 instead of 338 on 68 papers, and no fewer of them are wrong, 6
instead of 5."""
KEPT: Mapping[Source, Sequence[str]] = {
    "copied": ("confidence",),
    "unread": ("confidence",),
    "cell": ("unsure",),
}
"""Features of which written documents tell nothing: how sure an engine is that misread a word. Their weights were
fitted to scans, and stay as they are."""
SIGNS: Mapping[Source, Mapping[str, int]] = {
    "cell": {
        "likeness": 1,
        "words": -1,
        "separators": -1,
        "answered": 1,
        "only": -1,
        "chance": 1,
        "unsure": -1,
        "agreed": 1,
        "elsewhere": -1,
    },
    "item": dict.fromkeys(("odds", "mean", "likely", "filled", "column", "item", "aligned", "agreed"), 1)
    | {"elsewhere": -1},
}
"""Features that can only speak for a value, or only against it."""
SHRUNK: Mapping[Source, float] = {"cell": 3.0, "item": 3.0}
"""Strength of the pull of their weights towards 0. Of 230 documents that a fit did not see, 377 list values are sure
by 3, 283 by 10, and 10 % of them are wrong by both."""
BY_TABLE, BY_RECORDS, BY_NETWORK = range(3)
"""Indices of the ways to fill a list in `ways_to_fill`. The last depends on the encoder."""
BREAK_EVEN = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
CLEARLY_MORE = (1.0, 1.25, 1.5, 2.0, 3.0)
"""Values that are tried of the choice among ways to fill a list."""

Item = TypeVar("Item")
Returned = TypeVar("Returned")


class FoundInDocument(NamedTuple):
    """The values that are copied from a document for the fit of probabilities."""

    singles: Sequence[CalibrationSample]
    ways: Sequence[WayToFill]

    @property
    def all(self) -> list[CalibrationSample]:
        return [*self.singles, *(value for way in self.ways for value in way.values)]


def main() -> None:
    steps: Mapping[str, Callable[[int, Collection[str]], None]] = {
        "labels": fit_labels,
        "network": fit_network,
        "records": fit_records,
        "probabilities": fit_probabilities,
        "answers": fit_answers,
    }
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("steps", nargs="*", metavar="step", help=", ".join(steps))
    parser.add_argument("--processes", type=int, default=PROCESSES)
    parser.add_argument("--all", action="store_true", help=f"write the weights of {sorted(LEFT)}, too")
    given = parser.parse_args()
    left = frozenset[str]() if given.all else LEFT
    for step in given.steps or steps:
        began = time.monotonic()
        steps[step](given.processes, left)
        print(f"{step}: {time.monotonic() - began:.0f} s", flush=True)


def fit_labels(processes: int, left: Collection[str]) -> None:
    if importlib.util.find_spec("torch") is None:
        print("labels: the file is left as it is")
        return
    importlib.import_module("training.extraction.labels").refit()


def fit_network(processes: int, left: Collection[str]) -> None:
    if "network" in left or importlib.util.find_spec("torch") is None:
        print("network: the file is left as it is")
        return
    importlib.import_module("training.extraction.train").refit(processes)


def fit_records(processes: int, left: Collection[str]) -> None:
    documents = [one for one in written_documents() if one.is_trained_with and one.has_lists]
    columns = [of_field for own in spread(_matches_in, documents, processes) for of_field in own]
    write({"match": report_choice("match", columns, LEAST_SCORE)}, left)
    # The records are read with the weights of columns that were just written.
    lists = [own for found in spread(_runs_in, documents, processes) for own in found]
    runs = [one for own in lists for one in own]
    run = report("run", [one.run for one in runs])
    value = report("value", [value for one in runs for value in one.values_with(run)])
    least = best_threshold(lists, run, value)
    print(f"choice: records fill a list from a mean probability of {least}")
    write({"run": run, "value": value}, left)
    if "value" not in left:
        choice = Choice(**weights_in_file()["choice"])
        write({"choice": choice._replace(least_probability=least, least_of_full=least)}, left)


def fit_probabilities(processes: int, left: Collection[str]) -> None:
    found_in = spread(values_in, calibration_documents(), processes)
    samples = samples_by_source(found_in)
    fits: dict[str, Any] = {
        by: report(by, own, KEPT.get(by, ()), SHRUNK.get(by, SHRINK), SIGNS.get(by))
        for by, own in samples.items()
        if own
    }
    write(fits, left)
    # A document's list is filled in one of several ways, by what each is worth.
    lists = [
        [way for way in found.ways if way.path == path]
        for found in found_in
        for path in dict.fromkeys(way.path for way in found.ways)
    ]
    write({"choice": best_choice(lists)}, left)


def calibration_documents() -> list[WrittenDocument]:
    """Return the documents to which probabilities are fitted."""
    return [one for one in written_documents() if one.is_for_calibration and f"{one.digest:08x}" not in SEEN]


def samples_by_source(found_in: Sequence[FoundInDocument]) -> dict[Source, list[Sample[Any]]]:
    """Return the samples of each calibration of copied values. A list weighs as much as the square root of its
    values."""
    samples: dict[Source, list[Sample[Any]]] = {"copied": [], "unread": [], "file": [], "cell": [], "item": []}
    for found in found_in:
        sizes = Counter((one.given.by, one.group) for one in found.all)
        for one in found.all:
            size = float(sizes[one.given.by, one.group] ** -0.5)
            samples[one.given.by].append(Sample(one.given.features, float(one.is_right), size))
    return samples


def fit_answers(processes: int, left: Collection[str]) -> None:
    [samples] = spread(_answers_in, [ANSWERED], processes)
    write({"llm": report("llm", samples)}, left)


def best_choice(lists: Sequence[Sequence[WayToFill]]) -> Choice:
    """Return the choice by which most cells of lists are right, by the probabilities in the file."""
    judged_lists = [[JudgedWay.of(way) for way in ways] for ways in lists]
    before = Choice(**weights_in_file()["choice"])
    # Of equally good choices, the first is taken, so that nothing changes without a gain.
    choices = [before] + [
        before._replace(break_even=break_even, clearly_more=more)
        for break_even, more in product(BREAK_EVEN, CLEARLY_MORE)
    ]
    best = max(choices, key=lambda one: agreement_of_lists(judged_lists, one))
    for choice in (before, best):
        print(f"choice: F1 of the cells of lists {agreement_of_lists(judged_lists, choice):.3f} with {choice}")
    return best


class JudgedWay(NamedTuple):
    """A list of a document, filled in one way."""

    way: int
    chances: Sequence[float]
    """The probability of each value."""
    right: int
    meant: int
    """Number of values that the list has in the document."""

    @classmethod
    def of(cls, way: WayToFill) -> "JudgedWay":
        weights = {by: CALIBRATIONS[by](**weights_in_file()[model]) for by, model in WORTHS.items()}
        chances = [logistic(weighted(weights[one.given.by], one.given.features)) for one in way.values]
        return cls(way.way, chances, sum(one.is_right for one in way.values), way.meant)

    def worth(self, choice: Choice) -> float:
        return round(sum(chance - choice.break_even for chance in self.chances), 1)


def agreement_of_lists(lists: Sequence[Sequence[JudgedWay]], choice: Choice) -> float:
    """Return the F1 score of the cells of lists, each filled in the way that has most worth."""
    right = said = meant = 0
    for ways in lists:
        chosen = chosen_way(ways, choice)
        meant += max(one.meant for one in ways)
        if chosen is not None:
            right += chosen.right
            said += len(chosen.chances)
    return 2 * right / max(1, said + meant)


def chosen_way(ways: Sequence[JudgedWay], choice: Choice) -> JudgedWay | None:
    """Return the way in which `copy_fields` fills a list: by its table, by records that are worth clearly more, or by
    the network if its objects are worth more than both."""
    by_number = {way.way: way for way in ways if way.chances}
    chosen = by_number.get(BY_TABLE)
    records, network = by_number.get(BY_RECORDS), by_number.get(BY_NETWORK)
    if records and (chosen is None or records.worth(choice) > choice.clearly_more * chosen.worth(choice)):
        chosen = records
    if network and network.worth(choice) > (chosen.worth(choice) if chosen else 0.0):
        chosen = network
    return chosen


def report(
    model: str,
    samples: Sequence[Sample[FeaturesT]],
    kept: Collection[str] = (),
    shrink: float = SHRINK,
    signs: Mapping[str, int] | None = None,
) -> FeaturesT:
    """Return the weights that are fitted to samples. Print the loss on a fifth of them by a fit to the others, and by
    the weights in the file."""
    before = weights_in_file()[model]
    left = {name: before[name] for name in kept}
    size = -(-len(samples) // CHECKED)
    # Samples of one document follow each other, so the parts have different documents.
    checked, others = samples[:size], samples[size:]
    fit = log_loss(checked, fitted(others, left, shrink, signs))
    old = log_loss(checked, type(samples[0].features)(**before))
    print(f"{model}: {len(samples)} samples, log loss {old:.3f} before, {fit:.3f} for others", flush=True)
    return fitted(samples, left, shrink, signs)


def report_choice(model: str, groups: Sequence[Sequence[Sample[FeaturesT]]], none: float) -> FeaturesT:
    """Return the weights that choose the best sample of each group. Print what is lost by the choices for a fifth of
    the groups by a fit to the others, and by the weights in the file."""
    before = type(groups[0][0].features)(**weights_in_file()[model])
    size = -(-len(groups) // CHECKED)
    checked, others = groups[:size], groups[size:]
    fit, old = choice_loss(checked, none, fitted_choice(others, none)), choice_loss(checked, none, before)
    print(f"{model}: {len(groups)} choices, share lost {old:.3f} before, {fit:.3f} for others", flush=True)
    return fitted_choice(groups, none)


def weights_in_file() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = json.loads(FILE.read_text("utf-8"))
    return found


def write(fits: Mapping[str, Any], left: Collection[str]) -> None:
    """Write the weights of models, by their names, into the file, without those that are left as they are."""
    for model in fits.keys() & left:
        print(f"{model}: the weights in the file are left as they are")
    own = {model: weights._asdict() for model, weights in fits.items() if model not in left}
    FILE.write_text(json.dumps(weights_in_file() | own, indent=2) + "\n", "utf-8")


def spread(work: Callable[[Sequence[Item]], list[Returned]], items: Sequence[Item], processes: int) -> list[Returned]:
    """Return the results for items, in their order. The processes are new, so that they have the weights in the file
    as it is now."""
    parts = [items[first : first + AT_ONCE] for first in range(0, len(items), AT_ONCE)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return [one for own in pool.map(work, parts) for one in own]


def _matches_in(documents: Sequence[WrittenDocument]) -> list[list[Sequence[Sample[MatchFeatures]]]]:
    return [[one for own in lists_in(document) for one in match_samples(own)] for document in documents]


def _runs_in(documents: Sequence[WrittenDocument]) -> list[list[list[RunSample]]]:
    return [[[*run_samples(own)] for own in lists_in(document)] for document in documents]


def lists_in(document: WrittenDocument) -> Iterator[ListSample]:
    asked = asked_for_fit(document)
    return list_samples(asked.schema, asked.truth, _entries(asked))


def asked_for_fit(document: WrittenDocument) -> AskedDocument:
    """Return a document with a schema. People mostly ask for the columns of a list in their order on the page, which
    the documents always have, but not always."""
    asked = asked_of(document)
    if document.digest % SHUFFLED == 0:
        rng = random.Random(document.digest)
        for one in asked.schema["properties"].values():
            if one.get("type") == "array" and "properties" in one["items"]:
                columns = [*one["items"]["properties"].items()]
                rng.shuffle(columns)
                one["items"]["properties"] = dict(columns)
    return asked


def _entries(asked: AskedDocument) -> list[Entry]:
    return [Entry("ocr", read_as_printed(asked.lines))]


def values_in(documents: Sequence[WrittenDocument]) -> list[FoundInDocument]:
    return asyncio.run(_values(documents))


async def _values(documents: Sequence[WrittenDocument]) -> list[FoundInDocument]:
    async with _extractors() as (reading, unread):
        return [await in_thread(_found_in, one, reading, unread) for one in documents]


def _found_in(document: WrittenDocument, reading: Extractor, unread: Extractor) -> FoundInDocument:
    asked = asked_for_fit(document)
    given = asked.schema, asked.truth, _entries(asked)
    singles = [*single_samples(*given, reading), *single_samples(*given, unread)]
    return FoundInDocument(singles, [*ways_samples(*given, reading)] if document.has_lists else [])


@asynccontextmanager
async def _extractors() -> AsyncIterator[tuple[Extractor, Extractor]]:
    """Yield an extractor with the encoder of pages, and one without."""
    services = quiet_services()
    try:
        embedder = services.runtime.find(EMBEDDING, MINILM)
        reading = Extractor(ExtractionNetwork(), embedder, reader=field_reader(services.runtime))
        yield reading, Extractor(ExtractionNetwork(), embedder)
    finally:
        await services.close()


def _answers_in(counts: Sequence[int]) -> list[list[Sample[Any]]]:
    return [asyncio.run(_answers(count)) for count in counts]


async def _answers(count: int) -> list[Sample[Any]]:
    maker = AnswerMaker(None)
    try:
        answers = [one async for one in maker.answers("validate", count, random.Random(5))]
    finally:
        await maker.services.close()
    rows = [(one.evidence_input, one.is_near) for one in answers if one.evidence_input]
    return [Sample(given.features, float(is_near)) for given, is_near in rows if given.by == "llm"]


if __name__ == "__main__":
    main()
