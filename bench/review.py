"""Measures what ten corrections of one sender's papers are worth for the next ones: the share of wrong fields without
examples, and with the corrected papers as examples, as `openfaze review` has papers read again.

    python -m bench.review [senders] [papers of each]

The papers are the text of generated documents, with templates and field names that do not occur in training. The first
ones are corrected until there were ten wrong fields; the last eight of them are the examples for those that are left. A
value is right as in `bench.extraction`.
"""

import asyncio
import random
import sys
from typing import Any

from app.extract.client import MAX_EXAMPLES
from app.review.table_review import CORRECTIONS_TO_LEARN
from bench.extraction import Bench, entry_of
from bench.one_example import Paper, count_right, schema_of, value_of
from tasks.extraction.examples import Example
from tasks.extraction.extract import copy_fields
from tasks.extraction.whole_results import TaskResults
from tasks.schema.awaited import in_thread
from tests.conftest import SHARED
from training.extraction.documents import papers_of_a_sender

_SEED = 23


def made(sender: int, count: int) -> tuple[dict[str, Any], list[Paper]]:
    """Return a schema of the fields that all papers of a sender have, and the papers with their right answers."""
    documents = list(papers_of_a_sender(_SEED, sender, count, split="test", noise=0.3))
    every = [{one.concept: one for one in document.fields if one.sources} for document in documents]
    rng = random.Random(sender)
    concepts: dict[str, str] = {}
    for concept in sorted(set[str].intersection(*(set(of) for of in every))):
        field = every[0][concept]
        name = rng.choice(field.names).partition("|")[0]
        if field.type not in ("boolean", "enum") and "." not in name:
            concepts.setdefault(name, concept)
    schema = {
        "type": "object",
        "properties": {name: schema_of(every[0][concept]) for name, concept in concepts.items()},
    }
    entries = [entry_of([(*map(float, line.box), line.text) for line in one.lines]) for one in documents]
    papers = [
        (
            entry,
            {name: value_of(document, of[concept]) for name, concept in concepts.items()},
        )
        for entry, document, of in zip(entries, documents, every, strict=True)
    ]
    return schema, papers


async def wrong_fields(bench: Bench, schema: dict[str, Any], paper: Paper, examples: list[Example]) -> int:
    found = await in_thread(copy_fields, schema, TaskResults([], False), [paper[0]], bench.extractor, examples)
    right, total = count_right(found.values, paper[1])
    return total - right


async def main() -> None:
    senders, count = (int(sys.argv[at]) if len(sys.argv) > at else (20, 16)[at - 1] for at in (1, 2))
    bench = Bench(SHARED / "data" / "receipts")
    before = after = total = papers_left = counted = 0
    for sender in range(senders):
        schema, papers = made(sender, count)
        wrong = [await wrong_fields(bench, schema, paper, []) for paper in papers]
        corrected = next((at for at in range(1, count) if sum(wrong[:at]) >= CORRECTIONS_TO_LEARN), None)
        if corrected is None:
            continue
        examples = [Example([paper[0]], paper[1]) for paper in papers[:corrected]][-MAX_EXAMPLES:]
        left = papers[corrected:]
        again = sum([await wrong_fields(bench, schema, paper, examples) for paper in left])
        fields = len(left) * len(schema["properties"])
        print(
            f"sender {sender}: {sum(wrong[corrected:])} → {again} of {fields} wrong, {corrected} corrected", flush=True
        )
        before, after, total = before + sum(wrong[corrected:]), after + again, total + fields
        papers_left, counted = papers_left + len(left), counted + 1
    print(
        f"{counted} of {senders} senders have {CORRECTIONS_TO_LEARN} wrong fields; on their other {papers_left} papers "
        f"{before / total:.1%} → {after / total:.1%} of {total} fields are wrong"
    )


if __name__ == "__main__":
    asyncio.run(main())
