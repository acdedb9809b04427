"""Measures the cost and the gain of a cluster: `python -m bench.cluster` in the environment of `make test-cluster`.

The table compares a call to a replica with a call in the process; a synthetic engine on one to four replicas; the work
of two cores with the work of one, without a server and without Ray; OCR on one and on two replicas; and a request for a
scanned document on one and on two replicas, with the processor time per page of each part of the server. Each replica
computes with one thread; replicas for OCR are pinned to a core each, the server and Ray are not. The load of the
machine by other programs is printed above the table, because the figures of a busy machine are unreliable.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
from PIL import Image, ImageDraw, ImageFont

from models.base import EngineSpec
from models.cluster.plan import ClusterConfig, ReplicaCounts
from models.cluster.serve import RayCluster
from models.hosts.host import EngineHost
from models.hosts.workplace import HostLimits
from models.vision.ocr.capability import embedded_weights
from models.vision.ppocr.detector import TextDetector
from models.vision.ppocr.reader import PpOcrReader, ways_to_read
from models.vision.ppocr.recognizer import LineRecognizer
from tests.parts import finished
from tests.server import serving

SPEC = EngineSpec("bench", "ocr", "Apache-2.0", "none")
PARTS = {"ray::ServeReplica": "replicas", "models.workers.process": "drawing"}
"""Names of parts by a text in the process's command line; the first that occurs counts."""


class Sleeper:
    """Engine that takes its time, but no processor time."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def load(self) -> None:
        pass

    def run(self, batch: Sequence[Any]) -> Sequence[Any]:
        time.sleep(self._seconds)
        return [len(item) for item in batch]

    def close(self) -> None:
        pass


def page(number: int) -> Image.Image:
    """Return a scan of a page with forty lines, different for each number."""
    picture = Image.new("RGB", (1240, 1754), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(24)
    for line in range(40):
        draw.text((80, 60 + 41 * line), f"Page {number}, line {line}: item {number * 97 + line} costs", "black", font)
    return picture


def on(cluster: RayCluster, name: str, host: EngineHost[Any, Any]) -> EngineHost[Any, Any]:
    host.move(cluster.workplace(name, None, on_a_card=False))
    return host


def cluster_of(replicas: int, address: str) -> RayCluster:
    cluster = RayCluster(
        ClusterConfig(address=address, replicas=ReplicaCounts(replicas, replicas), start_s=600, drain_s=5)
    )
    cluster._connected = True
    return cluster


async def all_up(name: str, replicas: int) -> None:
    """Wait until each deployment whose name begins with `name` has its replicas."""
    from ray import serve

    while True:
        status = await asyncio.to_thread(serve.status)
        found = [app.deployments for app_name, app in status.applications.items() if app_name.startswith(name)]
        counts = [
            one.replica_states.get("RUNNING", 0) for one in (found_one["engine"] for found_one in found if found_one)
        ]
        if counts and min(counts) == replicas == max(counts):
            return
        await asyncio.sleep(0.2)


@contextlib.contextmanager
def pinned(name: str) -> Iterator[None]:
    """Pin each replica that starts within the block, in a deployment whose name begins with `name`, to a core: the
    first of each deployment to core 0, and so on.

    Otherwise, a replica's detector and recogniser would each compute on two cores. Replicas are pinned before they load
    their networks, because OpenVINO resets its threads to the cores that the process had at that time.
    """
    ended = threading.Event()
    earlier, found = set(replicas_of(name)), dict[str, list[Process]]()

    def look() -> None:
        while not ended.wait(0.05):
            for replica in set(replicas_of(name)) - earlier:
                own = found.setdefault(replica.title, [])
                if replica not in own:
                    own.append(replica)
                    replica.give(own.index(replica) % (os.cpu_count() or 1))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
        assert found, f"no replica of {name}"
        loose = [replica.title for own in found.values() for replica in own if replica.most_cores() > 1]
        assert not loose, f"not pinned: {loose}"
    finally:
        ended.set()
        thread.join()


@dataclass(frozen=True)
class Process:
    title: str
    """Name of the deployment."""
    process: int

    def threads(self) -> list[int]:
        with contextlib.suppress(FileNotFoundError):
            return [int(thread.name) for thread in Path(f"/proc/{self.process}/task").iterdir()]
        return []

    def give(self, core: int) -> None:
        for thread in self.threads():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(thread, {core})

    def most_cores(self) -> int:
        counts = [0]
        for thread in self.threads():
            with contextlib.suppress(ProcessLookupError):
                counts.append(len(os.sched_getaffinity(thread)))
        return max(counts)


def replicas_of(name: str) -> Iterator[Process]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            title = (process / "cmdline").read_bytes().split(b"\0")[0].decode()
            if title.startswith(f"ray::ServeReplica:{name}"):
                yield Process(title.split(":engine")[0], int(process.name))


async def closed(*hosts: EngineHost[Any, Any]) -> None:
    """Close the hosts, and delete their deployments, because replicas on an existing cluster would stay for other
    servers."""
    from ray import serve

    for host in hosts:
        await host.close()
    for name in (await asyncio.to_thread(serve.status)).applications:
        if name.startswith(("bench-", "openfaze-")):
            await asyncio.to_thread(serve.delete, name)


def row(what: str, value: str, against: str) -> None:
    print(f"{what:48}{value:>22}{against:>24}", flush=True)


async def each_call(host: EngineHost[Any, Any], item: Any, calls: int) -> float:
    """Return the median milliseconds of calls made one after the other."""
    taken = []
    await host.run(item)
    for _ in range(calls):
        started = time.perf_counter()
        await host.run(item)
        taken.append(time.perf_counter() - started)
    return 1000 * float(np.median(taken))


async def a_second(host: EngineHost[Any, Any], calls: int) -> float:
    """Return the calls per second if all calls are made at once."""
    await host.run_many([b"x"] * 20)
    started = time.perf_counter()
    await host.run_many([b"x"] * calls)
    return calls / (time.perf_counter() - started)


async def pages_a_second(reader: PpOcrReader, pages: Sequence[Any]) -> float:
    await asyncio.gather(*(reader.read(one, wait=True) for one in pages[:4]))
    started = time.perf_counter()
    await asyncio.gather(*(reader.read(one, wait=True) for one in pages))
    return len(pages) / (time.perf_counter() - started)


def document(pages: int, folder: Path) -> Path:
    file = folder / "scan.pdf"
    first, *others = (page(number) for number in range(pages))
    first.save(file, save_all=True, append_images=others, resolution=150)
    return file


def compute(what: str, core: int) -> None:
    """Compute on one core after a line of input, and print the processor time in seconds: a replica's work, without
    Ray."""
    os.sched_setaffinity(0, {core})
    detector, recognizer = embedded_weights()
    detect, recognize = TextDetector(detector, threads=1), LineRecognizer(recognizer, threads=1)
    pictures = [np.asarray(page(number)) for number in range(4)]
    detect.load()
    recognize.load()
    lines = [[way.picture for [way] in ways_to_read(one, finished(detect, [one])[0])] for one in pictures]

    def read() -> None:
        for picture, crops in zip(pictures, lines, strict=True):
            finished(detect, [picture])
            for start in range(0, len(crops), 32):
                finished(recognize, crops[start : start + 32])

    def count() -> None:
        total = 0
        for number in range(10_000_000):
            total += number & 7

    work = {"reading": read, "counting": count}[what]
    work()
    print("ready", flush=True)
    sys.stdin.readline()
    started = time.process_time()
    for _ in range(5):
        work()
    print(time.process_time() - started, flush=True)


def alone(what: str, cores: Sequence[int]) -> float:
    """Return the seconds of the slowest core if all `cores` do the same work at the same time."""
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "bench.cluster", "--alone", what, "--core", str(core)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for core in cores
        ]
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin
            process.stdin.write("\n")
            process.stdin.flush()
        return max(float(process.stdout.readline()) for process in processes if process.stdout)


def measure_machine() -> None:
    """Print the factor by which two cores do more work than one, by their processor time, which other programs do not
    change. Two cores that share hardware or memory do less than twice the work of one. A cluster on these cores cannot
    gain more than that."""
    for what in ("counting", "reading"):
        one, two = alone(what, [0]), alone(what, [0, 1])
        row(f"{what} alone, a process a core", f"{one:.1f} and {two:.1f} s", f"{2 * one / two:.2f} ×")


def processor_s(server: int) -> dict[str, float]:
    """Return the seconds of processor time of this process's descendants, by part. An existing cluster is not
    included."""
    taken = dict.fromkeys(("replicas", "drawing", "server", "Ray"), 0.0)
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            command, times = " ".join(process.cmdline()), process.cpu_times()
            part = next((part for mark, part in PARTS.items() if mark in command), "Ray")
            taken["server" if process.pid == server else part] += times.user + times.system
    return taken


def read_document(file: Path, replicas: int, address: str) -> tuple[float, dict[str, float]]:
    """Return the seconds of a request for all pages, after a request for another document, and the seconds of processor
    time by part."""
    content = base64.b64encode(file.read_bytes()).decode()
    settings: dict[str, Any] = {
        "cluster": "ray",
        "ray_address": address,
        "ray_replicas": str(replicas),
        "threads": 1,
        "ray_start_s": 600,
        "request_timeout_s": 900,
    }
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "log", **settings) as server,
        httpx.Client(base_url=server.base_url, timeout=900, trust_env=False) as client,
        pinned("openfaze-ocr"),
    ):

        def read(wording: str) -> float:
            part = {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{content}"},
            }
            messages = [
                {"role": "system", "content": "<task>ocr</task>"},
                {"role": "user", "content": [{"type": "text", "text": wording}, part]},
            ]
            started = time.perf_counter()
            answer = client.post("/v1/chat/completions", json={"model": "interfaze-beta", "messages": messages})
            answer.raise_for_status()
            assert "item" in json.loads(answer.text)["choices"][0]["message"]["content"]
            return time.perf_counter() - started

        read("Read pages 1 to 4.")
        asyncio.run(all_up("openfaze-ocr", replicas))
        before = processor_s(server.process.pid)
        taken, after = read("Read it."), processor_s(server.process.pid)
        return taken, {part: after[part] - seconds for part, seconds in before.items()}


async def measure(address: str, calls: int) -> None:
    small, large = b"x" * 100, np.zeros((3508, 2480, 3), np.uint8)
    here = EngineHost[Any, Any](SPEC, partial(Sleeper, 0.0))
    there = on(cluster_of(1, address), "bench-call", EngineHost(SPEC, partial(Sleeper, 0.0)))
    for what, item, times in (("100 bytes", small, calls), ("a page of 26 MB", large, calls // 5)):
        ours, theirs = await each_call(here, item, times), await each_call(there, item, times)
        row(f"a call with {what}, ms", f"{ours:.2f} here", f"{theirs:.2f} on a replica")
    await closed(there)

    base = 0.0
    for replicas in (1, 2, 3, 4):
        host = on(cluster_of(replicas, address), f"bench-sleep-{replicas}", EngineHost(SPEC, partial(Sleeper, 0.1)))
        host.limits = host.limits.__class__(max_queue=100_000, workers=host.limits.workers)
        await host.load()
        await all_up(f"bench-sleep-{replicas}", replicas)
        rate = await a_second(host, 50 * replicas)
        base = base or rate
        row(
            f"0.1 s of waiting, {replicas} replicas",
            f"{rate:.1f} a second",
            f"{rate / base / replicas:.2f} of linear",
        )
        await closed(host)


async def measure_reading(address: str, pages: int) -> None:
    detector, recognizer = embedded_weights()
    pictures = [np.asarray(page(number)) for number in range(16)]
    base = 0.0
    for replicas in (1, 2):
        cluster = cluster_of(replicas, address)
        read = PpOcrReader(
            on(cluster, f"bench-pages-{replicas}", EngineHost(SPEC, partial(TextDetector, detector, threads=1))),
            on(
                cluster,
                f"bench-lines-{replicas}",
                EngineHost(
                    SPEC, partial(LineRecognizer, recognizer, threads=1), HostLimits(max_batch=32, max_queue=10_000)
                ),
            ),
        )
        with pinned("bench-"):
            for host in (read._detector, read._recognizer):
                await host.load()
            await all_up("bench-", replicas)
            rate = await pages_a_second(read, pictures)
        base = base or rate
        row(f"OCR, {replicas} replicas of a core each", f"{rate:.2f} pages a second", f"{rate / base:.2f} ×")
        await closed(read._detector, read._recognizer)

    with tempfile.TemporaryDirectory() as folder:
        file = document(pages, Path(folder))
        first = 0.0
        for replicas in (1, 2):
            taken, computed = await asyncio.to_thread(read_document, file, replicas, address)
            await closed()
            first = first or taken
            row(f"a PDF of {pages} scanned pages, {replicas} replicas", f"{taken:.1f} s", f"{first / taken:.2f} ×")
            each = ", ".join(f"{part} {1000 * seconds / pages:.0f}" for part, seconds in computed.items())
            print(f"    of a processor, ms a page: {each}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="", help="of a Ray cluster that is there")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--pages", type=int, default=100)
    parser.add_argument("--only-reading", action="store_true", help="pages and a document, no synthetic engines")
    parser.add_argument("--alone", choices=("counting", "reading"), help=argparse.SUPPRESS)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.alone:
        compute(chosen.alone, chosen.core)
        return
    print(f"{os.cpu_count()} processors; load before: {os.getloadavg()[0]:.1f}")
    measure_machine()
    cluster = RayCluster(ClusterConfig(address=chosen.address, object_store_mb=300))
    cluster._init()
    import ray

    address = ray.get_runtime_context().gcs_address
    if not chosen.only_reading:
        asyncio.run(measure(address, chosen.calls))
    asyncio.run(measure_reading(address, chosen.pages))
    print(f"load after: {os.getloadavg()[0]:.1f}")
    ray.shutdown()


if __name__ == "__main__":
    main()
