"""Two papers, answered by the server's pipeline and kept."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from eval.replay.answers import Replay, ScoredPaper, read, write
from eval.replay.papers import Paper, folder_papers
from eval.replay.store import Store

SCHEMA = {
    "type": "object",
    "properties": {"invoice_number": {"type": "string"}, "total": {"type": "number"}},
    "required": ["invoice_number", "total"],
}
TEXT = "Invoice number: A-2207\nDate: 2026-03-14\nTotal: 27.25 EUR\n"


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Programs that measure log errors alone, in the whole process."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


async def answered(papers: list[Paper], folder: Path) -> tuple[list[ScoredPaper], int]:
    """Return the scores, and the number of batches that the engines computed."""
    store = Store(folder)
    replay = Replay(store)
    try:
        found = [await replay.score(paper) for paper in papers]
        return found, replay.computed
    finally:
        await replay.close()
        store.close()


async def test_papers_are_scored_alike_without_computing_anything_again(tmp_path: Path) -> None:
    folder = tmp_path / "develop"
    folder.mkdir()
    (folder / "invoice.txt").write_text(TEXT)
    truth = {"invoice_number": "A-2207", "total": 27.25}
    asked = {"prompt": "Extract these fields.", "schema": SCHEMA, "truth": truth}
    (folder / "invoice.txt.json").write_text(json.dumps(asked))
    lines = [(0.0, 20.0 * at, 8.0 * len(text), 20.0 * at + 16, text) for at, text in enumerate(TEXT.splitlines())]
    laid_out = Paper("measure", "page", asked["prompt"], SCHEMA, {**truth, "total": 1.0}, lines=lines)
    papers = [*folder_papers(folder), laid_out]

    first, computed = await answered(papers, tmp_path / "store")
    assert [(leaf.pointer, leaf.verdict, leaf.got) for leaf in first[0].leaves] == [
        ("/invoice_number", "right", "A-2207"),
        ("/total", "right", 27.25),
    ]
    assert all(leaf.probability is not None and 0.5 < leaf.probability <= 1 for leaf in first[0].leaves)
    assert [(leaf.pointer, leaf.verdict, leaf.got) for leaf in first[1].leaves] == [
        ("", "right", None),
        ("", "wrong", None),
    ]
    assert first[1].name != "page"
    assert computed > 0

    second, computed = await answered(papers, tmp_path / "store")
    assert [paper.leaves for paper in second] == [paper.leaves for paper in first]
    assert [paper.engine_seconds for paper in second] == [paper.engine_seconds for paper in first]
    assert computed == 0
    write(second, tmp_path / "result.json")
    assert read(tmp_path / "result.json") == second
