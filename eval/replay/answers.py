"""Asks the server's own pipeline for the fields of papers, with what was read of them before."""

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from app.access.keys import Caller
from app.assembly.services import Services
from app.chat.call import ChatCall
from app.chat.pipeline import Pipeline
from app.errors import ApiError
from app.events import TextChunk
from app.wire.request import ChatRequest
from eval.replay.papers import Paper
from eval.replay.scoring import Verdict, scored
from eval.replay.store import ProcessorTime, Store, StoredTasks, keep_results_of_engines
from models.base import ModelError
from tasks.errors import InputError
from tasks.precontext import Evidence
from training.extraction.judging import is_empty
from training.services import quiet_services

PROCESSES = 2


@dataclass(frozen=True)
class ScoredLeaf:
    verdict: Verdict
    probability: float | None
    """Probability by the evidence; None if the answer is empty here, or has no evidence."""
    pointer: str = ""
    got: Any = None
    truth: Any = None


@dataclass(frozen=True)
class ScoredPaper:
    set: str
    name: str
    """Name of the paper; a hash of it if the set is closed."""
    leaves: tuple[ScoredLeaf, ...]
    seconds: float
    """Processor time of planning, extraction and evidence, with the engines and without the reading."""
    engine_seconds: float
    """Processor time of the encoder and the embedder."""
    error: str = ""


class Replay:
    """Answers one paper after the other."""

    def __init__(self, store: Store) -> None:
        self._services: Services = quiet_services()
        self._spent = ProcessorTime()
        keep_results_of_engines(self._services.runtime, store, self._spent)
        self._tasks = StoredTasks(self._services.tasks.find, self._services.loader, store, self._spent)
        self._pipeline: Pipeline = replace(self._services.pipeline, find_task=self._tasks.find)

    @property
    def computed(self) -> int:
        """Number of results of engines that the store lacked."""
        return self._spent.computed

    async def score(self, paper: Paper) -> ScoredPaper:
        request = ChatRequest.model_validate(paper.body())
        self._tasks.read_result = paper.read_result()
        self._spent.beside = self._spent.engines = 0.0
        began, error = time.process_time(), ""
        answer: Any = {}
        evidence: dict[str, Any] = {}
        try:
            answer, evidence = await self._answer(request)
        except (ApiError, InputError, ModelError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        seconds = time.process_time() - began - self._spent.beside + self._spent.engines
        leaves = []
        for leaf in scored(answer, paper.truth):
            found = None if is_empty(leaf.got) else evidence.get(leaf.pointer, {}).get("probability")
            own = ScoredLeaf(leaf.verdict, found, leaf.pointer, leaf.got, leaf.truth)
            leaves.append(ScoredLeaf(leaf.verdict, found) if paper.is_closed else own)
        name, error = (_hashed(paper.name), _hashed(error)) if paper.is_closed else (paper.name, error)
        return ScoredPaper(paper.set, name, tuple(leaves), seconds, self._spent.engines, error)

    async def _answer(self, request: ChatRequest) -> tuple[Any, dict[str, Any]]:
        texts: list[str] = []
        evidence: dict[str, Any] = {}
        call = ChatCall(request, Caller("replay"), fresh=True)
        async with aclosing(self._pipeline.run(call)) as events:
            async for event in events:
                if isinstance(event, TextChunk):
                    texts.append(event.text)
                elif isinstance(event, Evidence):
                    evidence = dict(event.fields)
        return json.loads("".join(texts)), evidence

    async def close(self) -> None:
        await self._services.close()


def score_all(papers: Sequence[Paper], store: Path, processes: int = PROCESSES) -> list[ScoredPaper]:
    """Return the scores of all papers, in their order. What the store lacks is read, and kept."""
    parts = [papers[first::processes] for first in range(processes)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        found = [*pool.map(_score_part, parts, [store] * processes)]
    return [found[number % processes][number // processes] for number in range(len(papers))]


def _score_part(papers: Sequence[Paper], folder: Path) -> list[ScoredPaper]:
    return asyncio.run(_score(papers, folder))


async def _score(papers: Sequence[Paper], folder: Path) -> list[ScoredPaper]:
    store = Store(folder)
    replay = Replay(store)
    try:
        # The first paper pays for imports and tables that are made once.
        for paper in papers[:1]:
            await replay.score(paper)
        return [await replay.score(paper) for paper in papers]
    finally:
        await replay.close()
        store.close()


def write(papers: Sequence[ScoredPaper], path: Path) -> None:
    path.write_text(json.dumps([asdict(paper) for paper in papers], ensure_ascii=False, default=str), "utf-8")


def read(path: Path) -> list[ScoredPaper]:
    rows = json.loads(path.read_text("utf-8"))
    return [ScoredPaper(**{**row, "leaves": tuple(ScoredLeaf(**leaf) for leaf in row["leaves"])}) for row in rows]


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8] if text else ""
