"""Compares openfaze with the programs that a person might run in its place, and with its aims; one command writes the
figures to the docs.

    make eval-peers                          makes the peers' environment, measures, and writes docs/performance.md
    .venv/bin/python -m eval.peers     shows it (`--quick` takes two minutes, `--only ocr,speech` is a part)

Contestants, each in a process of its own, take turns within one run, so that other load on the machine slows all of
them; figures are medians of the rounds. "Added" is a proxy's time less the time of the server behind it in the same
round. The page keeps each machine's last figures for comparison with the next ones.
"""

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from eval import detection, passthrough, speech
from eval.contestants import Contestant, InProcess, Job, Outcome, OverHttp, own_engine, raw_rapidocr
from eval.devices import PERFORMANCE, machine, put, versions
from eval.ocr import load_pictures
from models.base import available_cpus
from tests.conftest import SHARED
from tests.kit.servers.llm_server import Reply, serving_llm
from tests.kit.servers.server import SERVE, free_port, serving

PEERS = Path(__file__).parents[1] / ".venv-llm-servers" / "bin"
TITLE = "Against others"
CHANGED = 0.1
"""Largest relative loss, compared with the last figure, that is not marked."""


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    unit: str
    aim: float | None = None
    rising: bool = False
    """True if higher values are better."""
    others: Mapping[str, float] = field(default_factory=dict)
    """Results of the peers by name, in the same unit."""

    def row(self, page: str) -> str:
        aim = "" if self.aim is None else f"{'≥' if self.rising else '≤'} {told(self.aim)}"
        if self.aim is not None:
            aim += ": met" if (self.value >= self.aim) is self.rising or self.value == self.aim else ": **missed**"
        others = "; ".join(f"{name} {told(value)}" for name, value in self.others.items())
        return f"| {self.name} | {told(self.value)} {self.unit} | {aim} | {others} | {self.change(page)} |"

    def change(self, page: str) -> str:
        """Return the change since the figure of the same name in `page`."""
        found = re.search(rf"^\| {re.escape(self.name)} \| ([\d.,]+) ", page, re.MULTILINE)
        last = float(found[1].replace(",", "")) if found else 0.0
        if not last:
            return ""
        change = self.value / last - 1
        worse = -change if self.rising else change
        return f"{change:+.0%}" + (" **worse**" if worse > CHANGED else "")


def told(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}" if value < 1 else f"{value:.2f}"


@dataclass(frozen=True)
class Scale:
    """Amount of work: enough for a reliable figure, or just enough to show that the program works."""

    rounds: int = 3
    calls: int = 400
    repeat: int = 4
    """Number of readings of each sample per round."""
    minutes: float = 8.0
    """Duration of the recording of speech."""


QUICK = Scale(rounds=1, calls=100, repeat=1, minutes=1.0)
Part = Callable[[Scale, Path], Iterator[Figure]]


def bare_proxy(port: int, upstream: str) -> None:
    """Run the simplest proxy for a chat: FastAPI, its JSON, and openfaze's HTTP client."""
    import aiohttp
    import uvicorn
    from fastapi import FastAPI, Request
    from fastapi.responses import Response

    application, sessions = FastAPI(), list[aiohttp.ClientSession]()

    async def chat(request: Request) -> Response:
        if not sessions:  # a session belongs to the event loop in which it is made
            sessions.append(aiohttp.ClientSession())
        async with sessions[0].post(f"{upstream}/chat/completions", json=await request.json()) as answer:
            return Response(await answer.read(), answer.status, media_type="application/json")

    application.post("/v1/chat/completions")(chat)
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="error", access_log=False)


@contextlib.contextmanager
def bare(upstream: passthrough.Contestant) -> Iterator[passthrough.Contestant]:
    port = free_port()
    program = f"from eval.peers import bare_proxy; bare_proxy({port}, {upstream.base_url!r})"
    probe = f"http://127.0.0.1:{port}/openapi.json"
    with passthrough.running([sys.executable, "-c", program], probe) as process:
        yield passthrough.Contestant("bare FastAPI", f"http://127.0.0.1:{port}/v1", "scripted", process)


def passed_through(scale: Scale, folder: Path) -> Iterator[Figure]:
    with contextlib.ExitStack() as stack:
        source = stack.enter_context(passthrough.upstream())
        server = stack.enter_context(
            serving(folder / "chat.log", llm_base_url=source.base_url, llm_model="scripted", api_keys=passthrough.KEY)
        )
        own = passthrough.Contestant("openfaze", f"{server.base_url}/v1", "auto", psutil.Process(server.process.pid))
        contestants = [source, own, stack.enter_context(bare(source))]
        if (PEERS / "litellm").exists():
            contestants.append(stack.enter_context(passthrough.litellm(PEERS / "litellm", source, folder)))
        for callers, stream in ((1, False), (32, False), (1, True)):
            asked = [one for one in contestants if not stream or one.name != "bare FastAPI"]
            outcomes = _turns(asked, callers, stream, scale)
            base, kind = outcomes.pop(source.name), "streamed" if stream else "whole"
            if callers == 1:
                added = {name: _added_ms(runs, base, stream) for name, runs in outcomes.items()}
                name = f"a chat passed through, {kind}, one caller: added to {'the first word' if stream else 'it'}"
                yield Figure(name, added.pop("openfaze"), "ms", aim=1.0, others=added)
            else:
                speeds = {name: statistics.median(map(_speed, runs)) for name, runs in outcomes.items()}
                others = {"the server behind": statistics.median(map(_speed, base))}
                yield Figure(
                    f"chats passed through, {callers} callers", speeds.pop("openfaze"), "a second", 1200, True,
                    speeds | others,
                )  # fmt: skip


def _turns(
    contestants: Sequence[passthrough.Contestant], callers: int, stream: bool, scale: Scale
) -> dict[str, list[passthrough.Outcome]]:
    outcomes: dict[str, list[passthrough.Outcome]] = defaultdict(list)
    for number in range(-1, scale.rounds):
        for one in contestants:
            calls = max(scale.calls, callers * 10) if number >= 0 else max(50, callers)
            outcome = asyncio.run(passthrough.load(one, callers=callers, requests=calls, stream=stream))
            if number >= 0:
                outcomes[one.name].append(outcome)
    return outcomes


def _speed(outcome: passthrough.Outcome) -> float:
    return len(outcome.latencies_s) / outcome.wall_s


def _added_ms(runs: Sequence[passthrough.Outcome], base: Sequence[passthrough.Outcome], stream: bool) -> float:
    def middle(one: passthrough.Outcome) -> float:
        return statistics.median(one.first_tokens_s if stream else one.latencies_s)

    return 1e3 * statistics.median(middle(run) - middle(under) for run, under in zip(runs, base, strict=True))


def pages_read(scale: Scale, folder: Path) -> Iterator[Figure]:
    pictures = load_pictures(SHARED / "samples") * scale.repeat
    cpus = available_cpus()
    as_it_comes, many = "raw RapidOCR", "raw RapidOCR, an engine a core"
    raw = {as_it_comes: (1, cpus, 6, True), many: (cpus, 1, 6, True)}
    with serving(folder / "ocr.log", preload="ocr") as server:
        own, http = InProcess("its engine", own_engine), OverHttp(server.base_url, server.process.pid)
        others = [InProcess(name, raw_rapidocr, *how) for name, how in raw.items()]
        with _closing([own, http, *others]) as contestants:
            for one in contestants:
                one.run(Job(pictures[:1], 1))
            yield _overhead("OCR over HTTP", _worked([own, http], Job(pictures, 1), scale), own.name)
            outcomes = _worked([http, *others], Job(pictures, 8), scale)
            yield from _faster("pages read, 8 callers", outcomes, len(pictures), {as_it_comes: 2.0, many: None})


def pictures_searched(scale: Scale, folder: Path) -> Iterator[Figure]:
    pictures = tuple(path.read_bytes() for path in sorted((SHARED / "samples").glob("photo_*.jpg"))) * scale.repeat * 10
    with serving(folder / "detection.log", weights_dir=detection.WEIGHTS, preload="object_detection") as server:
        own = InProcess("its engine", detection.own_engine, str(detection.WEIGHTS))
        raw = InProcess("raw FastestDet", detection.raw_engine, str(detection.WEIGHTS / "fastestdet.onnx"))
        http = detection.DetectionOverHttp(server.base_url, server.process.pid)
        with _closing([own, raw, http]) as contestants:
            for one in contestants:
                one.run(Job(pictures[:4], 1))
            yield _overhead("object detection over HTTP", _worked([own, http], Job(pictures, 1), scale), own.name)
            outcomes = _worked([http, raw], Job(pictures, 8), scale)
            yield from _faster("pictures searched, 8 callers", outcomes, len(pictures), {raw.name: None})


@contextlib.contextmanager
def _closing(contestants: Sequence[Contestant]) -> Iterator[Sequence[Contestant]]:
    yield contestants
    for one in contestants:
        one.close()


def _worked(contestants: Sequence[Contestant], job: Job, scale: Scale) -> dict[str, list[Outcome]]:
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for _ in range(scale.rounds):
        for one in contestants:
            outcomes[one.name].append(one.run(job))
    return outcomes


def _overhead(name: str, outcomes: Mapping[str, Sequence[Outcome]], engine: str) -> Figure:
    """Return the relative time of single calls. Their medians are compared, because a stall of the machine does not
    change a median."""
    middle = {one: statistics.median(s for run in runs for s in run.latencies_s) for one, runs in outcomes.items()}
    return Figure(f"{name}, one caller: time", middle[OverHttp.name] / middle[engine], f"× {engine}", aim=1.03)


def _faster(
    name: str, outcomes: Mapping[str, Sequence[Outcome]], count: int, aims: Mapping[str, float | None]
) -> Iterator[Figure]:
    """Yield the speed, and a row against each contestant in `aims`."""
    runs = {one: [run.wall_s for run in done] for one, done in outcomes.items()}
    yield from _against(name, runs, OverHttp.name, count, "a second", aims)


def _against(
    name: str, runs: Mapping[str, Sequence[float]], own: str, amount: float, unit: str, aims: Mapping[str, float | None]
) -> Iterator[Figure]:
    """Yield the speed, and the rows against others. `runs` are each contestant's seconds per round for `amount`."""
    speeds = {one: statistics.median(amount / seconds for seconds in took) for one, took in runs.items()}
    yield Figure(name, speeds.pop(own), unit, rising=True, others=speeds)
    for base, aim in aims.items():
        ratio = statistics.median(theirs / ours for theirs, ours in zip(runs[base], runs[own], strict=True))
        yield Figure(f"{name}, against {base}", ratio, "× as fast", aim, rising=True)


def speech_heard(scale: Scale, _: Path) -> Iterator[Figure]:
    recording = speech.made(scale.minutes)
    windows, batches = "raw faster-whisper, window after window", "raw faster-whisper in batches"
    contestants: Mapping[str, tuple[speech.Contestant, tuple[object, ...]]] = {
        windows: (speech.raw, (5, False)),
        batches: (speech.batched, (5, 8)),
        "openfaze": (speech.ours, ()),
    }
    runs: dict[str, list[float]] = defaultdict(list)
    for _round in range(scale.rounds):
        for name, (make, how) in contestants.items():
            runs[name].append(speech.measured(make, how, recording).seconds)
    name = f"{scale.minutes:g} minutes of speech heard"
    yield from _against(name, runs, "openfaze", recording.seconds, "× real time", {windows: 2.0, batches: 1.0})


def answered_before(scale: Scale, folder: Path) -> Iterator[Figure]:
    settings = {"cache": "exact", "cache_url": f"sqlite:///{folder / 'answers.sqlite'}"}
    with (
        serving_llm(lambda _: Reply("It is so. " * 200)) as llm,
        serving(folder / "cache.log", llm_base_url=llm.base_url, llm_context_tokens=32768, **settings) as server,
    ):
        # Python's plain client, because httpx takes a millisecond of its own.
        connection = http.client.HTTPConnection(server.base_url.removeprefix("http://"), timeout=60)
        with contextlib.closing(connection):
            asked = [_asked_again(connection) for _ in range(1 + max(scale.calls, 100))]
    # On a busy machine, a look-up can take longer than a request waits for it. The request is then a miss.
    took = [seconds for seconds, was_hit in asked if was_hit]
    yield Figure("a hit of the exact cache, 2 kB", 1e3 * statistics.median(took), "ms", aim=2.0)


def _asked_again(connection: http.client.HTTPConnection) -> tuple[float, bool]:
    """Return the seconds of a request that is always the same, and True if its answer came from the cache."""
    messages = [{"role": "user", "content": "What happened in the year 1 in Lower Silesia?"}]
    body = json.dumps({"model": "interfaze-beta", "temperature": 0, "messages": messages})
    began = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
    answer = json.loads(connection.getresponse().read())
    return time.perf_counter() - began, answer["vcache"]


def at_rest(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Measure the start and the idle memory of new interpreters, in turn, once per round. An additional start of each,
    which is not measured, compiles the bytecode first, because the bytecode also exists in the image and after the
    first start of an installation."""
    ready, idle = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    (folder / "litellm").mkdir()
    kept = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    for number in range(-1, scale.rounds):
        port, counts = free_port(), number >= 0
        own = [sys.executable, "-c", SERVE, "serve"]
        variables = {"OPENFAZE_PORT": str(port), "OPENFAZE_FILES_DIR": str(folder / "files")}
        began = time.perf_counter()
        with passthrough.running(own, f"http://127.0.0.1:{port}/ready", **variables, **kept) as process:
            if counts:
                ready["openfaze"].append(time.perf_counter() - began)
                idle["openfaze"].append(_memory_mb(process))
        if (PEERS / "litellm").exists():
            with passthrough.upstream() as source:
                began = time.perf_counter()
                with passthrough.litellm(PEERS / "litellm", source, folder / "litellm", **kept) as one:
                    if counts:
                        ready[one.name].append(time.perf_counter() - began)
                        idle[one.name].append(_memory_mb(one.process))
    for name, unit, aim, found in (
        ("from the start to ready", "s", 2.0, ready),
        ("memory when idle", "MB", 250.0, idle),
    ):
        middle = {one: statistics.median(values) for one, values in found.items()}
        yield Figure(name, middle.pop("openfaze"), unit, aim, others=middle)


def _memory_mb(process: psutil.Process) -> float:
    """Return the memory of the process and its children. Memory that they share counts once."""
    family = [process, *process.children(recursive=True)]
    return float(sum(one.memory_full_info().pss for one in family) / 1e6)


PARTS: Mapping[str, Part] = {
    "chat": passed_through,
    "ocr": pages_read,
    "detection": pictures_searched,
    "speech": speech_heard,
    "cache": answered_before,
    "rest": at_rest,
}


def section(rows: Sequence[str], about: str) -> str:
    head = ["| what | openfaze | aim | others | since the last |", "|---|---|---|---|---|"]
    return "\n".join([f"## {TITLE}: {machine()}", "", about, "", *head, *rows]) + "\n"


def peers_versions() -> str:
    python = PEERS / "python"
    if not python.exists():
        return "LiteLLM is not installed (`make eval-peers` does it)"
    program = "from importlib.metadata import version; print('LiteLLM', version('litellm'))"
    own = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True).stdout.strip()
    return own + ", " + ", ".join(f"{name} {version(name)}" for name in ("fastapi", "rapidocr", "faster-whisper"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="one short round: to see that it works")
    parser.add_argument("--only", default="", help="parts, with commas between them; rows of others stay")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md")
    arguments = parser.parse_args()
    scale, page = QUICK if arguments.quick else Scale(), PERFORMANCE.read_text()
    last = next((part for part in page.split("\n## ") if part.startswith(f"{TITLE}: {machine()}\n")), "")
    began, load, rows = time.monotonic(), os.getloadavg()[0], []
    only = tuple(arguments.only.split(",")) if arguments.only else ()
    for name in only or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            for figure in PARTS[name](scale, Path(folder)):
                rows.append(figure.row(last))
                print(rows[-1], flush=True)
    took = (time.monotonic() - began) / 60
    when = f"{datetime.now(UTC):%Y-%m-%d}, in {took:.0f} minutes{' (`--quick`)' if arguments.quick else ''}"
    about = f"{when}: {versions()}; {peers_versions()}. A load of {load:.1f} by other programs."
    if arguments.write:
        PERFORMANCE.write_text(put(page, section(rows, about), only, named_by=1))


if __name__ == "__main__":
    main()
