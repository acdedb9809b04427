"""Contestants of the measurement of OCR, each in a process of its own so that memory and threads are separate."""

import asyncio
import json
import multiprocessing
import os
import queue
import re
import resource
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

import httpx
import psutil

from tests.e2e.conftest import data_url, ocr_request


@dataclass(frozen=True)
class Job:
    """Work of a round: all `pictures` are read once, in order, by `callers` callers at the same time."""

    pictures: tuple[bytes, ...]
    callers: int


@dataclass(frozen=True)
class Outcome:
    wall_s: float
    latencies_s: tuple[float, ...]
    words: int
    """Number of words in all results, which shows that a contestant reads the pictures."""


class Contestant(Protocol):
    name: str

    def run(self, job: Job) -> Outcome: ...

    def peak_mb(self) -> float:
        """Largest memory of the contestant's process (resident set), in megabytes."""

    def close(self) -> None: ...


def timed_pool(read: Callable[[bytes], int], job: Job) -> Outcome:
    """Call `read` from as many threads as the job has callers."""
    latencies: list[float] = []

    def timed(picture: bytes) -> int:
        started = time.perf_counter()
        words = read(picture)
        latencies.append(time.perf_counter() - started)
        return words

    with ThreadPoolExecutor(job.callers) as pool:
        started = time.perf_counter()
        words = sum(pool.map(timed, job.pictures))
        return Outcome(time.perf_counter() - started, tuple(latencies), words)


class InProcess:
    """A contestant in a child process, which builds it with `make` and runs it."""

    def __init__(self, name: str, make: Callable[..., Callable[[Job], Outcome]], *args: Any) -> None:
        self.name = name
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_drive, args=(theirs, make, args), daemon=True)
        self._process.start()
        if self._pipe.recv() != "ready":
            raise RuntimeError(f"{name} did not start")

    def run(self, job: Job) -> Outcome:
        self._pipe.send(job)
        outcome: Outcome = self._pipe.recv()
        return outcome

    def peak_mb(self) -> float:
        self._pipe.send("peak")
        return float(self._pipe.recv())

    def close(self) -> None:
        self._pipe.send("close")
        self._process.join(30)


def _drive(pipe: Connection, make: Callable[..., Callable[[Job], Outcome]], args: tuple[Any, ...]) -> None:
    run = make(*args)
    pipe.send("ready")
    while (message := pipe.recv()) != "close":
        pipe.send(_peak_mb() if message == "peak" else run(message))
    # The measurement is complete, so the process ends without closing its engines and threads.
    os._exit(0)


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def raw_rapidocr(engines: int, threads: int, batch: int, words: bool) -> Callable[[Job], Outcome]:
    """RapidOCR on onnxruntime: `engines` instances with `threads` threads each, which callers use in turn. The result
    contains the boxes of words if `words` is true, otherwise only the boxes of lines."""
    import logging

    from rapidocr import RapidOCR

    parameters = {
        "Global.use_cls": False,
        "Global.return_word_box": words,
        "Det.limit_type": "max",
        "Det.limit_side_len": 960,
        "Rec.rec_batch_num": batch,
        "EngineConfig.onnxruntime.intra_op_num_threads": threads,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "EngineConfig.onnxruntime.enable_cpu_mem_arena": True,
    }
    logging.disable(logging.WARNING)
    free: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for _ in range(engines):
        free.put(RapidOCR(params=parameters))

    def read(picture: bytes) -> int:
        engine = free.get()
        try:
            return len(" ".join(engine(picture).txts or ()).split())
        finally:
            free.put(engine)

    return lambda job: timed_pool(read, job)


def own_engine() -> Callable[[Job], Outcome]:
    """Return openfaze's OCR task in this process: the work of a request, without HTTP."""
    from app.assembly.services import Services
    from app.settings import Settings
    from tasks.base import TaskRequest
    from tasks.inputs.source import Origin, Source
    from tasks.wording.page_range import OcrOptions

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def build() -> Services:
        return Services(Settings(_env_file=None))

    services = asyncio.run_coroutine_threadsafe(build(), loop).result()

    def read(picture: bytes) -> int:
        source = Source.from_reference(data_url(picture, "image/jpeg"), origin=Origin("picture"))
        work = services.tasks.find("ocr").run(TaskRequest(OcrOptions(), (source,)))
        result: Any = asyncio.run_coroutine_threadsafe(work, loop).result()
        return len(result.text().split())

    return lambda job: timed_pool(read, job)


class OverHttp:
    """openfaze behind its own HTTP server, called by clients in this process."""

    name = "openfaze over HTTP"

    def __init__(self, base_url: str, process_id: int) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=300, trust_env=False)
        self._process = psutil.Process(process_id)

    def run(self, job: Job) -> Outcome:
        return timed_pool(self._read, job)

    def peak_mb(self) -> float:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]

    def resident_mb(self) -> float:
        return self._process.memory_info().rss / 1e6

    def close(self) -> None:
        self._client.close()

    def _read(self, picture: bytes) -> int:
        response = self._client.post("/v1/chat/completions", json=ocr_request(data_url(picture, "image/jpeg")))
        response.raise_for_status()
        content = json.loads(response.json()["choices"][0]["message"]["content"])
        return len(content["result"]["extracted_text"].split())


def print_round(contestants: Sequence[Contestant], job: Job, rounds: int, *, found: str, bases: Sequence[str]) -> None:
    """Run the contestants in turn. Print the speed of each, and the ratio of the last one's speed to the speed of each
    of `bases`. `found` is the heading of the column with counts."""
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for _ in range(rounds):
        for contestant in contestants:
            outcomes[contestant.name].append(contestant.run(job))
    print(f"\n{job.callers} callers, {len(job.pictures)} pictures a round, {rounds} rounds")
    print(f"{'':28}{'pictures/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'peak MB':>9}{found:>9}")
    for contestant in contestants:
        runs = outcomes[contestant.name]
        latencies = sorted(latency for run in runs for latency in run.latencies_s)
        speed = statistics.median(len(job.pictures) / run.wall_s for run in runs)
        p50, p99 = (latencies[min(len(latencies) - 1, int(len(latencies) * q))] * 1000 for q in (0.5, 0.99))
        row = f"{speed:12.2f}{p50:9.1f}{p99:9.1f}{contestant.peak_mb():9.0f}{runs[0].words:9}"
        print(f"{contestant.name:28}{row}", flush=True)
    last = contestants[-1].name
    for base in bases:
        faster = statistics.median(b.wall_s / h.wall_s for b, h in zip(outcomes[base], outcomes[last], strict=True))
        print(f"pictures/s, {last} : {base} = {faster:.2f}; time {1 / faster:.2f}")
