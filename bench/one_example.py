"""Measures what one example in the conversation is worth: the share of fields that are right on a second paper of a
sender, without and with the first paper and its answer.

    python -m bench.one_example [pairs of made papers]

The papers were not used for training. They are pairs of generated documents in one style, with templates and field
names that do not occur in training, and lines of receipts of one shop. A value is right as in `bench.extraction`.
"""

import asyncio
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from bench.extraction import Bench, entry_of, right_cells, same
from tasks.extraction.copied_fields import CopiedFields
from tasks.extraction.examples import Example
from tasks.extraction.extract import copy_fields
from tasks.extraction.folding import fold
from tasks.extraction.whole_results import TaskResults
from tasks.precontext import Entry
from tasks.schema.awaited import in_thread
from tests.conftest import SHARED
from training.extraction.documents import MadeDocument, MadeField, pairs_of_a_sender
from training.extraction.examples import Receipt, is_held_out, receipts

STRING = {"type": "string"}
Paper = tuple[Entry, dict[str, Any]]
"""Text that was read of a paper, and the right answer."""


def schema_of(field: MadeField) -> dict[str, Any]:
    if field.type in ("number", "integer"):
        return {"type": field.type}
    return {"type": "string", "format": "date"} if field.type == "date" else STRING


def value_of(document: MadeDocument, field: MadeField) -> Any:
    if schema_of(field) == STRING:
        return " ".join(document.lines[one.line].text[one.start : one.end] for one in field.sources)
    return float(field.value) if isinstance(field.value, Decimal) else field.value


def made_pairs(count: int) -> Iterator[tuple[str, dict[str, Any], Paper, Paper]]:
    """Yield `(kind, schema, first paper, second paper)` with the fields that both papers have."""
    for number, pair in enumerate(pairs_of_a_sender(17, count, split="test", noise=0.3)):
        rng = random.Random(number)
        named: dict[str, dict[str, Any]] = {}
        told: list[dict[str, Any]] = [{}, {}]
        every = [{one.concept: one for one in document.fields if one.sources} for document in pair]
        for concept in sorted(every[0].keys() & every[1].keys()):
            fields = [of[concept] for of in every]
            name = rng.choice(fields[0].names).partition("|")[0]
            if fields[0].type in ("boolean", "enum") or "." in name or name in named:
                continue
            named[name] = schema_of(fields[0])
            for answer, document, field in zip(told, pair, fields, strict=True):
                answer[name] = value_of(document, field)
        tables = [document.tables[0] if document.tables else None for document in pair]
        if tables[0] and tables[1]:
            columns = {one.concept: rng.choice(one.names).partition("|")[0] for one in tables[0].columns}
            schemas = {}
            for answer, document, table in zip(told, pair, tables, strict=True):
                assert table is not None
                rows = answer["items"] = []
                for row in table.rows:
                    cells = {columns[one.concept]: one for one in row if one.sources and one.concept in columns}
                    schemas |= {name: schema_of(one) for name, one in cells.items()}
                    rows.append({name: value_of(document, one) for name, one in cells.items()})
            named["items"] = {"type": "array", "items": {"type": "object", "properties": schemas}}
        entries = [entry_of([(*map(float, line.box), line.text) for line in one.lines]) for one in pair]
        papers = [*zip(entries, told, strict=True)]
        yield pair[0].kind, {"type": "object", "properties": named}, papers[0], papers[1]


def receipts_of_one_shop() -> Iterator[tuple[str, dict[str, Any], Paper, Paper]]:
    shops: dict[str, list[Receipt]] = defaultdict(list)
    for one in receipts(SHARED / "data" / "receipts"):
        if is_held_out(one) and "company" in one.fields:
            shops["".join(fold(one.fields["company"]))].append(one)
    for shop in shops.values():
        for first, second in zip(shop[::2], shop[1::2], strict=False):
            keys = [key for key in ("company", "date", "address", "total") if key in second.fields]
            schema = {"type": "object", "properties": dict.fromkeys(keys, STRING)}
            papers = [(entry_of(one.lines), {key: one.fields.get(key) for key in keys}) for one in (first, second)]
            yield "receipts of one shop", schema, papers[0], papers[1]


def count_right(said: Mapping[Any, Any], truth: Mapping[str, Any]) -> tuple[int, int]:
    right = total = 0
    for name, value in truth.items():
        if isinstance(value, list):
            rows: Sequence[Mapping[str, Any]] = said.get((name,)) or []
            right, total = right + right_cells(rows, value), total + sum(map(len, value))
        elif value is not None:
            found = said.get((name,))
            is_value = isinstance(found, str | int | float)
            right, total = right + (is_value and same(found, value)[0]), total + 1
    return right, total


def chances_of(found: CopiedFields, truth: Mapping[str, Any]) -> Iterator[tuple[float, bool]]:
    """Yield the probability of each single field that was found, and whether it is right."""
    for name, value in truth.items():
        said = found.values.get((name,))
        if isinstance(said, str | int | float) and value is not None and found.scored is not None:
            place = found.scored.place((name,), said, copied=True)
            yield place.probability if place else 0.0, same(said, value)[0]


async def main() -> None:
    bench = Bench(SHARED / "data" / "receipts")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    made = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    for kind, schema, first, second in [*made_pairs(made), *receipts_of_one_shop()]:
        example = Example([first[0]], first[1])
        for name, shown in (("without", ()), ("with one", (example,))):
            began = time.perf_counter()
            found = await in_thread(copy_fields, schema, TaskResults([], False), [second[0]], bench.extractor, shown)
            seconds = time.perf_counter() - began
            right, total = count_right(found.values, second[1])
            sure = [right for chance, right in chances_of(found, second[1]) if chance >= 0.9]
            for group in {kind, kind if kind.startswith("receipts") else "made"}:
                counts[group].update({name: right, "of": total, "seconds " + name: seconds})
                counts[group].update({"papers": 1, "sure " + name: len(sure), "sure and right " + name: sum(sure)})
    for group, count in sorted(counts.items()):
        total, papers = count["of"] / 2, count["papers"] / 2
        print(
            f"{group}: {count['without'] / total:.1%} of {total:.0f} fields without an example, "
            f"{count['with one'] / total:.1%} with one; "
            f"at 0.9 and above, {count['sure and right without']} of {count['sure without']} and "
            f"{count['sure and right with one']} of {count['sure with one']} are right; "
            f"{count['seconds without'] / papers:.2f} and {count['seconds with one'] / papers:.2f} s a paper"
        )


if __name__ == "__main__":
    asyncio.run(main())
