"""Measures what ten corrections of one sender's papers are worth for the next ones: the share of wrong fields before
and after these are read again by `openfaze review`.

    python -m bench.review [senders] [papers of each]

The papers are pictures of generated documents, with templates and field names that do not occur in training. A person
is played by the right answers: fields are set in the order in which the page offers the papers, until ten have been
corrected and their papers are right as a whole. A value is right as in `bench.extraction`.
"""

import random
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from app.extract.asking import Asker
from app.extract.job import run
from app.extract.papers import papers_of
from app.extract.state import JobState, value_at
from app.review.desk import CORRECTIONS_TO_LEARN, Desk
from bench.extraction import same
from bench.one_example import schema_of, value_of
from tests.server import serving
from training.extraction.documents import draw, papers_of_a_sender

_SEED = 23


def made(sender: int, count: int) -> tuple[dict[str, Any], list[tuple[bytes, dict[str, Any]]]]:
    """Return a schema, and the papers of one sender as PNG with their right answers."""
    documents = list(papers_of_a_sender(_SEED, sender, count, split="test"))
    every = [{one.concept: one for one in document.fields if one.sources} for document in documents]
    rng, named = random.Random(sender), {}
    for concept in sorted(set.intersection(*(set(of) for of in every))):
        field = every[0][concept]
        name = rng.choice(field.names).partition("|")[0]
        if field.type not in ("boolean", "enum") and "." not in name:
            named.setdefault(name, concept)
    kinds = {name: schema_of(every[0][concept]) for name, concept in named.items()}
    properties = {name: {**kind, "type": [kind["type"], "null"]} for name, kind in kinds.items()}
    schema = {"type": "object", "properties": properties, "required": [*named], "additionalProperties": False}
    papers = []
    with tempfile.TemporaryDirectory() as folder:
        for document, of in zip(documents, every, strict=True):
            file = Path(folder, "paper.png")
            draw(document).save(file)
            papers.append(
                (file.read_bytes(), {name: value_of(document, of[concept]) for name, concept in named.items()})
            )
    return schema, papers


def count_wrong(desk: Desk, names: list[str], truths: Mapping[str, dict[str, Any]]) -> tuple[int, int]:
    wrong = total = 0
    for name in names:
        answer = desk.paper(name)["answer"] or {}
        wrong += sum(not is_right(answer.get(field), value) for field, value in truths[name].items())
        total += len(truths[name])
    return wrong, total


def is_right(said: Any, value: Any) -> bool:
    return said is not None and same(said, value)[0]


def correct(desk: Desk, name: str, truth: Mapping[str, Any]) -> int:
    """Make a paper right as a whole, and return the number of corrections."""
    corrections = 0
    for field in desk.paper(name)["fields"]:
        pointer = field["pointer"]
        said = value_at(desk.paper(name)["answer"], (pointer[1:],))
        right = is_right(said, truth[pointer[1:]])
        if not right or field["is_doubtful"]:
            corrections += not right
            desk.review(name, pointer, said if right else truth[pointer[1:]], None, field["version"])
    return corrections


def measure(url: str, folder: Path, sender: int, count: int) -> tuple[int, int, int, int] | None:
    """Return the wrong fields of the papers that are left before and after, their fields, and the corrected papers;
    None for a sender without ten wrong fields on the first half of the papers."""
    schema, papers = made(sender, count)
    truths = {}
    for number, (content, truth) in enumerate(papers):
        file = folder / f"{number:02}.png"
        file.write_bytes(content)
        truths[str(file)] = truth
    listed = list(papers_of([str(folder)]))
    with closing(JobState(folder.parent / f"{sender}.jsonl.state")) as state, closing(Asker(url, None)) as asker:
        state.begin({"schema": schema})
        state.add(listed, 0)
        run(lambda paper: asker.fill(paper, schema), state, listed, 2, lambda *_: None)
        with closing(Desk(state, folder.parent / f"{sender}.jsonl", asker, 0.9)) as desk:
            corrections = reviewed = 0
            names = [*truths]
            while corrections < CORRECTIONS_TO_LEARN and reviewed < count // 2:
                corrections += correct(desk, names[reviewed], truths[names[reviewed]])
                reviewed += 1
            if corrections < CORRECTIONS_TO_LEARN:
                return None
            # The last paper's own reviews may have come after the tenth correction: papers are read once it is right.
            while desk.overview()["being_read"] is not None:
                time.sleep(0.1)
            left = names[reviewed:]
            before = sum(
                not is_right((asker.fill(paper, schema).answer or {}).get(field), value)
                for paper in listed[reviewed:]
                for field, value in truths[paper.name].items()
            )
            desk.read_again()
            time.sleep(0.5)
            while desk.overview()["being_read"] is not None:
                time.sleep(0.1)
            after, total = count_wrong(desk, left, truths)
            return before, after, total, reviewed


def main() -> None:
    senders, count = (int(sys.argv[number]) if len(sys.argv) > number else (8, 14)[number - 1] for number in (1, 2))
    before = after = total = 0
    with tempfile.TemporaryDirectory() as room, serving(Path(room, "log")) as server:
        for sender in range(senders):
            folder = Path(room, f"sender-{sender}")
            folder.mkdir()
            found = measure(server.base_url, folder, sender, count)
            if found is None:
                print(
                    f"sender {sender}: fewer than {CORRECTIONS_TO_LEARN} wrong fields on half of the papers", flush=True
                )
                continue
            print(f"sender {sender}: {found[0]} → {found[1]} of {found[2]} wrong, after {found[3]} papers", flush=True)
            before, after, total = before + found[0], after + found[1], total + found[2]
    print(f"wrong fields: {before / total:.1%} → {after / total:.1%} of {total}")


if __name__ == "__main__":
    main()
