"""Keeps on disk what takes long to compute: the results of tasks, and those of engines."""

import hashlib
import pickle
import sqlite3
import time
from asyncio import Event, gather
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pydantic_core

from models.base import EngineSpec
from models.embedding import minilm, minilm_network
from models.embedding.minilm_weights import embedding_weights
from models.extraction import encoder_weights, page_encoder
from models.hosts.host import EngineHost
from models.hosts.workplace import EngineFactory, HostLimits, ThreadWorkplace
from models.runtime import Runtime
from tasks.base import Task, TaskRequest
from tasks.catalog import SPECIALISTS
from tasks.inputs.loader import MediaLoader
from tasks.result import Result

_ENGINES: Mapping[str, Callable[[], Sequence[Path]]] = {
    "embedding": lambda: (Path(minilm.__file__), Path(minilm_network.__file__)),
    "extraction": lambda: (encoder_weights.FILE, Path(page_encoder.__file__), Path(minilm_network.__file__)),
}
"""The files that the results of an engine depend on beside its input and the weights of all-MiniLM-L6-v2, by its
capability."""


class Stored(NamedTuple):
    value: bytes
    seconds: float
    """Processor time that the value took."""


class Store:
    """Values by the hash of what they were computed from, in a file that several processes may use."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(folder / "replay.db", timeout=120, isolation_level=None)
        # A value that is lost when the machine stops is only computed again.
        self._database.executescript("pragma journal_mode=wal; pragma synchronous=off")
        self._database.execute("create table if not exists stored (key blob primary key, value blob, seconds real)")

    def get(self, key: bytes) -> Stored | None:
        row = self._database.execute("select value, seconds from stored where key = ?", (key,)).fetchone()
        return Stored(*row) if row else None

    def put(self, key: bytes, value: bytes, seconds: float) -> None:
        self._database.execute("insert or replace into stored values (?, ?, ?)", (key, value, seconds))

    def close(self) -> None:
        self._database.close()


@dataclass
class ProcessorTime:
    """Processor time of one paper."""

    beside: float = 0.0
    """Seconds that this process spent on what is not measured: reading, loading engines, and running them now."""
    engines: float = 0.0
    """Seconds that the engines took for the paper when their results were computed."""
    computed: int = 0
    """Number of results of engines that were computed now, for all papers."""


class StoredTasks:
    """Finds tasks whose results are kept in a store."""

    def __init__(self, find: Callable[[str], Task], loader: MediaLoader, store: Store, spent: ProcessorTime) -> None:
        self._find, self._loader, self._store, self._spent = find, loader, store, spent
        self.read_result: Result[Any] | None = None
        """Result of reading the present paper, if it was laid out as if it had been read."""

    def find(self, name: str) -> Task:
        return _StoredTask(name, self)

    async def run(self, name: str, request: TaskRequest[Any]) -> Result[Any]:
        began = time.process_time()
        try:
            return await self._result(name, request)
        finally:
            self._spent.beside += time.process_time() - began

    async def _result(self, name: str, request: TaskRequest[Any]) -> Result[Any]:
        if name == "ocr" and self.read_result is not None:
            return self.read_result
        restore = SPECIALISTS[name].restore
        if restore is None or not request.sources:
            return await self._find(name).run(request)
        contents = await gather(*map(self._loader.content, request.sources))
        key = hashlib.sha256(pydantic_core.to_json([name, contents, request.options])).digest()
        stored = self._store.get(key)
        if stored is not None:
            return restore(pydantic_core.from_json(stored.value, cache_strings="keys"))
        began = time.process_time()
        result = await self._find(name).run(request)
        self._store.put(key, pydantic_core.to_json(result.kept()), time.process_time() - began)
        return result


@dataclass(frozen=True)
class _StoredTask:
    name: str
    tasks: StoredTasks

    async def run(self, request: TaskRequest[Any]) -> Result[Any]:
        return await self.tasks.run(self.name, request)


class _StoredWorkplace:
    """Workplace of an engine that computes only what the store lacks, and loads its weights only for that."""

    def __init__(self, inside: ThreadWorkplace[Any, Any], name: bytes, store: Store, spent: ProcessorTime) -> None:
        self._inside, self._name, self._store, self._spent = inside, name, store, spent
        self._is_open = False

    @property
    def at_once(self) -> int:
        return self._inside.at_once

    @property
    def most(self) -> int:
        return self._inside.most

    async def open(self) -> None:
        """Load nothing yet."""

    async def run(self, items: Sequence[Any], abandoned: Event) -> Sequence[Any]:
        keys = [hashlib.sha256(self._name + _bytes_of(item)).digest() for item in items]
        stored = [self._store.get(key) for key in keys]
        lacking = [index for index, one in enumerate(stored) if one is None]
        results = [None if one is None else pickle.loads(one.value) for one in stored]
        if lacking:
            began = time.process_time()
            if not self._is_open:
                await self._inside.open()
                self._is_open = True
            loaded = time.process_time()
            computed = await self._inside.run([items[index] for index in lacking], abandoned)
            seconds = (time.process_time() - loaded) / len(lacking)
            for index, result in zip(lacking, computed, strict=True):
                results[index] = result
                if not isinstance(result, Exception):
                    self._store.put(keys[index], pickle.dumps(result), seconds)
            self._spent.beside += time.process_time() - began
            self._spent.engines += seconds * len(lacking)
            self._spent.computed += len(lacking)
        self._spent.engines += sum(one.seconds for one in stored if one is not None)
        return results

    async def close(self) -> None:
        if self._is_open:
            self._is_open = False
            await self._inside.close()

    def release(self) -> None:
        self._inside.release()


def keep_results_of_engines(runtime: Runtime, store: Store, spent: ProcessorTime) -> None:
    """Let the encoder of pages and the embedder compute only what the store lacks."""
    for spec, part in runtime.parts():
        if isinstance(part, EngineHost) and spec.capability in _ENGINES:
            digest = hashlib.sha256(spec.name.encode())
            for path in (*embedding_weights(), *_ENGINES[spec.capability]()):
                digest.update(path.read_bytes())
            name = digest.digest()

            def workplace(
                spec: EngineSpec,
                factory: EngineFactory[Any, Any],
                limits: HostLimits,
                failures: Counter[str],
                name: bytes = name,
            ) -> _StoredWorkplace:
                return _StoredWorkplace(ThreadWorkplace(spec, factory, limits, failures), name, store, spent)

            part.move(workplace)


def _bytes_of(item: Any) -> bytes:
    """Return bytes that are equal for equal inputs of an engine."""
    if isinstance(item, str):
        return item.encode()
    assert is_dataclass(item), f"unknown input: {type(item)}"
    parts = [np.asarray(getattr(item, one.name)) for one in fields(item)]
    return b"".join(f"{part.dtype}{part.shape}".encode() + part.tobytes() for part in parts)
