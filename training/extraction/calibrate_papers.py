"""Fits the probability that a copied field is right to papers of other people, into
`tasks/extraction/calibration.json`.

    .venv/bin/python -m training.extraction.calibrate_papers FOLDER [FOLDER …]

A paper `NAME.EXT` has its truth in `NAME.EXT.json`, as `judging` describes it. Of a list, all ways to fill it are
judged, not only the chosen one, because the choice compares their probabilities. A list weighs as much as the square
root of its cells. The logistic regressions are then checked by cross-validation: the papers are parted in ten, and
each part is judged by what was fitted to the others.
"""

import argparse
import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from models.embedding.capability import EMBEDDING, MINILM
from models.extraction.capability import field_reader
from models.extraction.network import ExtractionNetwork
from tasks.base import TaskRequest
from tasks.extraction.extract import copy_fields, ways_to_fill
from tasks.extraction.extractor import Extractor
from tasks.extraction.fields import NESTING, with_nesting
from tasks.extraction.given_values import GivenValues
from tasks.extraction.passages import is_text
from tasks.extraction.probability import FILE, CalibrationInput, CellOfField, ValuePlace, calibration_input
from tasks.extraction.yes_and_no import most_harmless
from tasks.inputs.source import Origin, Source
from tasks.precontext import REQUEST, Entry
from tasks.result import JsonResult
from tasks.schema.awaited import in_thread
from tasks.schema.checker import SchemaChecker
from tasks.schema.emptiness import Completion
from tasks.schema.paths import JsonPath, leaves, pointer_of
from tasks.tracing.find_evidence import find_evidence
from tasks.wording.page_range import OcrOptions
from training.extraction.judging import is_empty, judged, letters
from training.services import quiet_services

PARTS = 10
SHRINK = 10.0
"""Weight of the squares of the weights of features of one standard deviation."""


class Sample(NamedTuple):
    """A value that was copied from a paper."""

    paper: str
    group: str
    """The list that the value is in, or the value itself."""
    given: CalibrationInput
    is_right: bool


async def samples_of(
    name: str, schema: Mapping[str, Any], truth: Mapping[str, Any], read: Sequence[Entry], extractor: Extractor
) -> list[Sample]:
    """Return the values that are copied from a paper, and those of all other ways to fill its lists."""
    copied = await in_thread(copy_fields, schema, GivenValues(), read, extractor)
    answer = Completion(schema, SchemaChecker(schema), copied.likeliest, most_harmless).answer()
    entries = [one for one in read if is_text(one)]
    search = find_evidence(
        answer, entries, schema, most_chars=10**8, support=copied.place, request=copied.document, decided=copied.decided
    )
    evidence, _ = search
    text = letters(json.dumps([one.result.text() for one in read], ensure_ascii=False))
    right = {one.pointer: one.kind == "right" for one in judged(answer, truth, text)}
    found = []
    for path, value in leaves(answer, ()):
        place, own, pointer = copied.place(path, value), evidence.fields.get(pointer_of(path)), pointer_of(path)
        is_single = place is not None and place.cell is None and path not in copied.decided
        if is_single and place and own and "score" in own and pointer in right and not is_empty(value):
            given = calibration_input(place, own["score"], own["label"], own.get("confidence", 1.0))
            found.append(Sample(name, pointer, given, right[pointer]))
    for number, way in enumerate(await in_thread(ways_to_fill, schema, read, extractor)):
        for path, filled in way.items():
            found += _in_list(f"{pointer_of(path)} {number}", name, path, filled, _part(truth, path), text)
    return found


def _in_list(group: str, name: str, path: JsonPath, filled: Any, truth: Any, text: str) -> list[Sample]:
    rows = [*map(with_nesting, filled.rows)]
    right = {one.pointer: one.kind == "right" for one in judged(rows, truth or [], text, pointer_of(path))}
    return [
        Sample(
            name,
            group,
            calibration_input(ValuePlace(0.0, cell=cell), 1.0, "none"),
            right.get(pointer_of((*at[:-1], *str(at[-1]).split(NESTING))), False),
        )
        for at, cell in filled.cells.items()
        if not isinstance(cell, CellOfField) or cell.is_read
    ]


def _part(truth: Any, path: JsonPath) -> Any:
    for step in path:
        truth = truth.get(step) if isinstance(truth, Mapping) else None
    return truth


def fit(samples: Sequence[Sample]) -> tuple[list[float], float]:
    """Return the weights and the bias of a logistic regression, drawn towards those in the file: a few papers alone
    make a calibration that trusts them too much."""
    before = json.loads(FILE.read_text("utf-8"))[samples[0].given.by]
    counts = Counter((one.paper, one.group) for one in samples)
    size = np.array([counts[one.paper, one.group] ** -0.5 for one in samples])
    features, right = (
        np.array([one.given.features for one in samples]),
        np.array([one.is_right for one in samples]) * 2.0 - 1,
    )
    spread = features.std(axis=0) + 1e-6
    scaled, prior = features / spread, np.array(before["weights"]) * spread

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        odds = right * (scaled @ weights[:-1] + weights[-1])
        share = -right * size / (1 + np.exp(odds))
        apart = weights[:-1] - prior
        slope = np.append(scaled.T @ share + SHRINK * apart, share.sum())
        return float((size * np.logaddexp(0, -odds)).sum() + SHRINK * (apart**2).sum() / 2), slope

    found = minimize(loss, np.append(prior, before["bias"]), jac=True).x
    return [round(float(weight), 4) for weight in found[:-1] / spread], round(float(found[-1]), 4)


def chances(samples: Sequence[Sample], weights: Sequence[float], bias: float) -> np.ndarray:
    """Return the probabilities of samples."""
    features = np.array([one.given.features for one in samples])
    found: np.ndarray = 1 / (1 + np.exp(-(features @ np.array(weights) + bias)))
    return found


def cross_validated(samples: Sequence[Sample]) -> np.ndarray:
    """Return the probability of each sample by what is fitted to other papers."""
    papers = sorted({one.paper for one in samples})
    order = dict(zip(papers, np.random.default_rng(1).permutation(len(papers)) % PARTS, strict=True))
    part = np.array([order[one.paper] for one in samples])
    found = np.zeros(len(samples))
    for number in range(PARTS):
        rest = [one for one, own in zip(samples, part, strict=True) if own != number]
        held = [one for one, own in zip(samples, part, strict=True) if own == number]
        if held:
            found[part == number] = chances(held, *fit(rest))
    return found


def report(name: str, samples: Sequence[Sample], found: np.ndarray) -> str:
    """Return a line with the log loss and the share of right values by their probability."""
    right = np.array([one.is_right for one in samples])
    loss = -np.log(np.clip(np.where(right, found, 1 - found), 1e-3, 1)).mean()
    edges = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.01)
    bins = [(low, right[(found >= low) & (found < high)]) for low, high in pairwise(edges)]
    told = ", ".join(f"{low:.2f}: {own.sum()} of {len(own)}" for low, own in bins if len(own))
    return f"{name}: {len(samples)} values, {right.mean():.2f} right, log loss {loss:.3f}; {told}"


def write(samples: Sequence[Sample]) -> None:
    """Fit each calibration, print how well it does on other papers, and write all of them."""
    fitted = json.loads(FILE.read_text("utf-8"))
    for by in ("copied", "cell", "item"):
        own = [one for one in samples if one.given.by == by]
        weights, bias = fit(own)
        print(report(by, own, cross_validated(own)))
        print(f"    {weights}, {bias}")
        fitted[by] = {"weights": weights, "bias": bias}
    FILE.write_text(json.dumps(fitted) + "\n", "utf-8")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    given = parser.parse_args()
    services = quiet_services()
    embedder = services.runtime.find(EMBEDDING, MINILM)
    extractor = Extractor(
        ExtractionNetwork(),
        embedder,
        most_spans=6_000,
        reader=field_reader(services.runtime),
    )
    samples = []
    for path in sorted(one for folder in given.folders for one in folder.glob("*.json")):
        asked, paper = json.loads(path.read_text()), path.with_suffix("")
        if paper.suffix == ".txt":
            said = f"{asked['prompt']}\n\n{paper.read_text()}"
            entry = Entry(REQUEST, JsonResult({"messages": {"0": {"content": said}}}))
        else:
            source = Source(Origin("paper"), data=paper.read_bytes(), filename=paper.name)
            request = TaskRequest(OcrOptions(is_for_llm=True), (source,))
            entry = Entry("ocr", await services.tasks.find("ocr").run(request))
        samples += await samples_of(path.stem, asked["schema"], asked["truth"], [entry], extractor)
    await services.close()
    write(samples)


if __name__ == "__main__":
    asyncio.run(main())
