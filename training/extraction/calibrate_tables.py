"""Fits how probable it is that a cell of a list is right, into `tasks/extraction/calibration.json`: one that was copied
from a table, and one that the network found.

    .venv/bin/python -m training.extraction.calibrate_tables

On the tables of made documents in templates and under names of fields that training does not have, as pages and as
texts whose columns blanks align. The network is also asked for the list of another document, of which nothing is right:
papers of other people have much that looks like rows. What the tables filled is compared with the network's own lists.
"""

import argparse
import asyncio
import json
import random
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize

from bench.extraction import entry_of, in_columns, right_cells, same, wanted_of
from bench.speech import quiet_services
from models.embedding.capability import EMBEDDING, MINILM
from models.extraction.network import ExtractionNetwork
from models.fair_executor import FairExecutor
from tasks.extraction.extractor import Extractor
from tasks.extraction.fields import WantedField
from tasks.extraction.filling import fill_from_tables
from tasks.extraction.object_lists import ObjectList, read_object_list
from tasks.extraction.probability import FILE, CellOfField, calibrated
from tasks.extraction.table_lists import FilledList
from tasks.precontext import Entry
from tasks.result import JsonResult
from training.extraction.documents import MadeDocument, MadeField, documents
from training.extraction.examples import TrainingField, asked_of

LABELS: Mapping[str, Mapping[str, str]] = tomllib.loads(Path(__file__).with_name("labels.toml").read_text("utf-8"))


def fit(rows: Sequence[tuple[tuple[float, ...], bool]]) -> tuple[list[float], float]:
    """Return the weights and the bias of a logistic regression in which no sign lessens the probability."""
    signs, right = np.array([row for row, _ in rows]), np.array([1.0 if is_right else -1.0 for _, is_right in rows])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        odds = right * (signs @ weights[:-1] + weights[-1])
        share = -right / (1 + np.exp(odds))
        slope = np.append(signs.T @ share + weights[:-1], share.sum())
        return float(np.logaddexp(0, -odds).sum() + (weights[:-1] ** 2).sum() / 2), slope

    bounds = [(0.0, None)] * signs.shape[1] + [(None, None)]
    found = minimize(loss, np.zeros(len(bounds)), jac=True, bounds=bounds).x
    return [round(float(weight), 4) for weight in found[:-1]], round(float(found[-1]), 4)


def judged(
    filled: FilledList | ObjectList, path: tuple[str, ...], truth: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[tuple[float, ...], bool]]:
    """Yield the signs of each cell, and whether it is right in the row of the truth that its row agrees with most.

    Each row of the truth belongs to one row of the list.
    """
    rest = list(truth)
    for number, row in enumerate(filled.rows):
        agreed = [sum(same(row.get(name), one[name])[1] for name in one) for one in rest]
        meant = rest.pop(max(range(len(rest)), key=agreed.__getitem__)) if any(agreed) else {}
        for name, value in row.items():
            cell = filled.cells.get((*path, number, name))
            if cell is not None and value not in (None, "") and (not isinstance(cell, CellOfField) or cell.is_read):
                yield cell.signs, name in meant and same(value, meant[name])[1]


class MadeRows(NamedTuple):
    """A delimited text with a document in each row, and the list that is asked of it."""

    text: str
    fields: list[TrainingField]
    truth: list[dict[str, Any]]


def made_rows(split: str, count: int, rng: random.Random) -> Iterator[MadeRows]:
    """Yield tables with a document of one kind in each row. Some columns are not asked for, some fields have none."""
    groups: dict[tuple[str, str], list[MadeDocument]] = {}
    for document in documents(21, 25 * count, split=split):  # type: ignore[arg-type]
        group = groups.setdefault((document.kind, document.language), [])
        group.append(document)
        if len(group) == 6:
            del groups[document.kind, document.language]
            yield _as_rows(group, rng)


def _as_rows(group: Sequence[MadeDocument], rng: random.Random) -> MadeRows:
    kind, labels = group[0].kind, LABELS.get(group[0].language, {})
    said = [{one.concept: one for one in document.fields if one.sources} for document in group]
    common = [name for name in said[0] if sum(name in one for one in said) > 3]
    rng.shuffle(common)
    shown = [name for name in common[:8] if rng.random() < 0.85]
    asked = [name for name in common[:8] if rng.random() < 0.75]
    heads = [rng.choice((labels.get(f"{kind}.{name}") or labels.get(name) or name).split(" / ")) for name in shown]
    rows = [heads]
    for document, one in zip(group, said, strict=True):
        texts = [_text_of(document, one[name]) if name in one else "" for name in shown]
        rows.append([text.replace("\t", " ") for text in texts])
    fields, keys = [], {}
    for name in asked:
        field = next(one[name] for one in said if name in one)
        key, _, _ = rng.choice(field.names).partition("|")
        keys[name] = key.strip()
        schema: dict[str, Any] = {"type": field.type if field.type in ("number", "integer") else "string"}
        if field.type == "date":
            schema["format"] = "date"
        fields.append(TrainingField(("rows", keys[name]), schema, None, cells=()))
    truth = [
        {
            keys[name]: _text_of(document, one[name]) if one[name].type != "date" else one[name].value
            for name in asked
            if name in one and name in shown
        }
        for document, one in zip(group, said, strict=True)
    ]
    return MadeRows("\n".join("\t".join(row) for row in rows), fields, truth)


def _text_of(document: MadeDocument, field: MadeField) -> str:
    return " ".join(document.lines[one.line].text[one.start : one.end] for one in field.sources)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=300)
    parser.add_argument("--split", default="validate", choices=("validate", "test"))
    given = parser.parse_args()
    services = quiet_services()
    embedder = services.runtime.find(EMBEDDING, MINILM)
    extractor = Extractor(ExtractionNetwork(), embedder, FairExecutor("calibrate"), most_spans=6_000)
    rows: list[tuple[tuple[float, ...], bool]] = []
    found: list[tuple[tuple[float, ...], bool]] = []
    others: list[WantedField] = []
    counts: Counter[str] = Counter()
    rng = random.Random(4)
    for document in documents(12, given.documents, split=given.split, noise=0.3):
        asked = asked_of(document, rng)
        if not document.tables:
            continue
        lines = [(*map(float, line.box), line.text) for line in document.lines]
        wanted = wanted_of(asked)
        paths = {one.path[:-1] for one in asked if one.cells is not None}
        lists = {path: [one for one in wanted if one.in_list and one.path[:-1] == path] for path in paths}
        text = Entry("request", JsonResult({"messages": {"0": {"content": in_columns(lines)}}}))  # type: ignore[arg-type]
        for kind, entry in (("page", entry_of(lines)), ("text", text)):  # type: ignore[arg-type]
            filled, _ = await fill_from_tables([entry], lists, extractor)
            scored = await extractor.score([entry], wanted)
            if kind == "page" and others:
                foreign = await extractor.score([entry], others)
                found += judged(read_object_list(foreign, others[0].path[:-1]), others[0].path[:-1], [])
            for path in paths:
                own = [one for one in asked if one.cells is not None and one.path[:-1] == path]
                count = max(len(one.cells or ()) for one in own)
                truth = [
                    {one.path[-1]: one.cells[row][0] for one in own if one.cells and row < len(one.cells)}
                    for row in range(count)
                ]
                counts[f"{kind} lists"] += 1
                network = read_object_list(scored, path)
                found += judged(network, path, truth)
                counts[f"{kind} expected better of the network"] += (
                    path in filled and network.expected >= filled[path].expected
                )
                if path in filled:
                    better = max(right_cells(filled[path].rows, truth), right_cells(network.rows, truth))
                    chosen = network if network.expected >= filled[path].expected else filled[path]
                    counts[f"{kind} chosen right"] += right_cells(chosen.rows, truth)
                    counts[f"{kind} better right"] += better
                if path not in filled:
                    continue
                counts[f"{kind} filled"] += 1
                for name, said in (("table", filled[path].rows), ("network", network.rows)):
                    counts[f"{kind} {name} right"] += right_cells(said, truth)
                    counts[f"{kind} {name} said"] += sum(v not in (None, "") for one in said for v in one.values())
                counts[f"{kind} meant"] += sum(map(len, truth))
                rows += judged(filled[path], path, truth)
        others = next((own for own in lists.values() if len(own) > 1), others)
    torn = len(rows)
    for made in made_rows(given.split, given.documents, rng):
        wanted = wanted_of(made.fields)
        entry = Entry("request", JsonResult({"messages": {"0": {"content": made.text}}}))
        if len(wanted) > 1:
            filled, _ = await fill_from_tables([entry], {("rows",): wanted}, extractor)
            counts["exact tables"] += 1
            counts["exact tables filled"] += ("rows",) in filled
            if ("rows",) in filled:
                rows += judged(filled["rows",], ("rows",), made.truth)
    print(f"{torn} cells of pages, {len(rows) - torn} of exact tables")
    await services.close()
    for name, number in sorted(counts.items()):
        print(f"{name}: {number}")
    print(f"{len(rows)} cells, {sum(right for _, right in rows) / len(rows):.3f} right")
    print(f"{len(found)} cells of the network's lists, {sum(right for _, right in found) / len(found):.3f} right")
    if given.split == "validate":
        fitted = {
            name: {"weights": weights, "bias": bias}
            for name, (weights, bias) in (("table", fit(rows)), ("list", fit(found)))
        }
        print(fitted)
        FILE.write_text(json.dumps({**json.loads(FILE.read_text("utf-8")), **fitted}) + "\n")
    else:
        for name, own in (("table", rows), ("list", found)):
            sure = [right for signs, right in own if calibrated(name, signs) >= 0.9]
            print(f"{name}: {len(sure)} of {len(own)} at 0.9 and above, {sum(sure) / max(1, len(sure)):.3f} right")


if __name__ == "__main__":
    asyncio.run(main())
