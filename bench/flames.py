"""Shows where the time of a request goes: a sampling profiler watches each hot path under load, and the result is drawn
as a flame graph with a list of the most expensive functions.

    make bench-flames                          measures, draws docs/images/flames-*.svg, writes docs/performance.md
    .venv/bin/python -m bench.flames     shows it (`--only chat,ocr` is a part, `--seconds 5` is quick)

py-spy (of the peers' environment) samples every thread of the server and of its decoders 200 times per second, except
sleeping threads. A sample counts for the innermost function of openfaze on its stack, or else for the library that
runs. The event loop itself, even while it waits, counts for `serve`. Threads that never ran Python, like those of
OpenVINO, are not sampled.
"""

import argparse
import os
import re
import subprocess
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench import detection, passthrough, speech
from bench.devices import PERFORMANCE, machine, put, versions
from bench.ocr import load_pictures
from bench.peers import PEERS, told
from tests.conftest import SHARED
from tests.e2e.conftest import data_url, ocr_request
from tests.llm_server import Reply, serving_llm
from tests.server import Server, serving

TITLE = "Where the time goes"
PICTURES = Path(__file__).parents[1] / "docs" / "images"
RATE = 200
OURS = ("app/", "tasks/", "models/")
DEAREST = 8
WAITS = ("_worker (concurrent/",)
"""Functions in which threads wait for work, by the beginnings of their names. A sample is idle if one of them is the
innermost function on the stack, or the innermost function of openfaze."""
Stack = tuple[str, ...]
"""Functions with their files, the outermost first."""
Json = Mapping[str, Any]
COLOURS = {"app/": "#f4a261", "tasks/": "#8ecae6", "models/": "#95d5b2"}


@dataclass(frozen=True)
class HotPath:
    title: str
    serving: Callable[[Path], Any]
    """Function that returns a context manager of the server and of the bodies that its callers send in turn."""
    callers: int


@contextmanager
def passing_through(folder: Path) -> Iterator[tuple[Server, Sequence[Json]]]:
    with (
        passthrough.upstream() as source,
        serving(folder / "log", llm_base_url=source.base_url, llm_model="scripted") as server,
    ):
        yield server, [{**passthrough.QUESTION, "model": "auto"}]


@contextmanager
def reading(folder: Path) -> Iterator[tuple[Server, Sequence[Json]]]:
    with serving(folder / "log", preload="ocr") as server:
        yield server, [ocr_request(data_url(one, "image/jpeg")) for one in load_pictures(SHARED / "samples")]


@contextmanager
def searching(folder: Path) -> Iterator[tuple[Server, Sequence[Json]]]:
    photos = [path.read_bytes() for path in sorted((SHARED / "samples").glob("photo_*.jpg"))]
    with serving(folder / "log", weights_dir=detection.WEIGHTS, preload="object_detection") as server:
        yield server, [_run("object_detection", _image(photo)) for photo in photos]


@contextmanager
def hearing(folder: Path) -> Iterator[tuple[Server, Sequence[Json]]]:
    sound = data_url(speech.made(8.0).file, "audio/wav").partition(",")[2]
    with serving(folder / "log", preload="speech_to_text") as server:
        yield server, [_run("speech_to_text", {"type": "input_audio", "input_audio": {"data": sound, "format": "wav"}})]


@contextmanager
def hitting(folder: Path) -> Iterator[tuple[Server, Sequence[Json]]]:
    cache = {"cache": "exact", "cache_url": f"sqlite:///{folder / 'answers.sqlite'}"}
    with (
        serving_llm(lambda _: Reply("It is so. " * 200)) as llm,
        serving(folder / "log", llm_base_url=llm.base_url, llm_context_tokens=32768, **cache) as server,
    ):
        yield server, [{**passthrough.QUESTION, "model": "auto"}]


def _run(task: str, part: Json) -> Json:
    system = {"role": "system", "content": f"<task>{task}</task>"}
    return {"model": "auto", "messages": [system, {"role": "user", "content": [part]}]}


def _image(content: bytes) -> Json:
    return {"type": "image_url", "image_url": {"url": data_url(content, "image/jpeg")}}


PATHS = {
    "chat": HotPath("a chat passed through, 16 callers", passing_through, 16),
    "ocr": HotPath("the task ocr, 4 callers", reading, 4),
    "detection": HotPath("the task object_detection, 4 callers", searching, 4),
    "speech": HotPath("eight minutes of speech, one caller", hearing, 1),
    "cache": HotPath("a hit of the exact cache, 4 callers", hitting, 4),
}


def sampled(path: HotPath, seconds: float) -> tuple[Counter[Stack], float]:
    """Return the samples by stack, and the milliseconds of processor time per request of the server and its
    children."""
    with tempfile.TemporaryDirectory() as name, path.serving(Path(name)) as (server, bodies):
        family = psutil.Process(server.process.pid)
        raw, ended = Path(name) / "stacks", threading.Event()

        def ask(first: int) -> int:
            count = 0
            with httpx.Client(base_url=server.base_url, timeout=600, trust_env=False) as client:
                while not ended.is_set():
                    body = bodies[(first + count) % len(bodies)]
                    client.post("/v1/chat/completions", json=body).raise_for_status()
                    count += 1
            return count

        with httpx.Client(base_url=server.base_url, timeout=600, trust_env=False) as client:
            for body in bodies[:4]:  # loads and stores whatever only the first requests need
                client.post("/v1/chat/completions", json=body).raise_for_status()
        spent = speech.processor_s(family)
        with ThreadPoolExecutor(path.callers) as pool:
            asking = [pool.submit(ask, number) for number in range(path.callers)]
            command = [str(PEERS / "py-spy"), "record", "--pid", str(family.pid), "--format", "raw", "--function"]
            command += ["--subprocesses", "--rate", str(RATE), "--duration", f"{seconds:.0f}", "--output", str(raw)]
            subprocess.run(command, check=True, capture_output=True)
            ended.set()
            count = sum(one.result() for one in asking)
        return stacks(raw.read_text()), 1e3 * (speech.processor_s(family) - spent) / count


def stacks(raw: str) -> Counter[Stack]:
    """Return the stacks in py-spy's output, with the number of samples of each. A line contains frames with semicolons
    between them, and the number. The first frame is the process with its whole program, which may contain line
    breaks."""
    found: Counter[Stack] = Counter()
    for frames, count in re.findall(r"^(.*) (\d+)$", raw, re.MULTILINE):
        stack = tuple(_short(frame) for frame in frames.split(";") if frame.endswith(")"))
        innermost = next((one for one in reversed(stack) if _is_ours(one)), "")
        if stack and not (stack[-1].startswith(WAITS) or innermost.startswith(WAITS)):  # they may count as running
            found[stack] += int(count)
    return found


def _short(frame: str) -> str:
    """Return a frame as `function (app/chat/pipeline.py)`: files of libraries without the path to the library."""
    function, _, file = frame.rpartition(" (")
    file = re.sub(r".*(?:site-packages|python3\.\d+)/", "", file.removesuffix(")"))
    return f"{function} ({file.partition(':')[0]})"


def dearest(found: Counter[Stack]) -> list[tuple[str, float]]:
    """Return the functions with the most samples, and their shares."""
    own: Counter[str] = Counter()
    for stack, count in found.items():
        innermost = next((one for one in reversed(stack) if _is_ours(one)), None)
        own[innermost or "in " + (stack[-1].rpartition(" (")[2].rstrip(")").partition("/")[0] or "?")] += count
    total = own.total()
    return [(name, count / total) for name, count in own.most_common(DEAREST)]


def _is_ours(frame: str) -> bool:
    return frame.rpartition(" (")[2].startswith(OURS)


@dataclass
class Frame:
    count: int = 0
    inner: dict[str, "Frame"] = field(default_factory=dict)


WIDTH, HEIGHT, LEAST = 1200, 16, 0.004


def drawn(found: Counter[Stack], title: str) -> str:
    """Return an icicle as SVG: callers are above the functions that they call, and the width is the number of samples.
    Frames narrower than 1/250 of the picture are left out, and so are the top frames that all samples share."""
    root = Frame()
    for stack, count in found.items():
        root.count += count
        frame = root
        for name in stack:
            frame = frame.inner.setdefault(name, Frame())
            frame.count += count
    while len(root.inner) == 1 and next(iter(root.inner.values())).inner:
        root = next(iter(root.inner.values()))
    boxes: list[str] = []
    rows = 0

    def draw(frame: Frame, left: float, row: int) -> None:
        nonlocal rows
        for name, child in sorted(frame.inner.items(), key=lambda one: -one[1].count):
            share = child.count / root.count
            if share < LEAST:
                continue
            rows = max(rows, row + 1)
            width = share * WIDTH
            colour = next((one for start, one in COLOURS.items() if name.rpartition(" (")[2].startswith(start)), "#ddd")
            text = name if len(name) * 6.2 < width else name.partition(" (")[0]
            text = text if len(text) * 6.2 < width else ""
            boxes.append(
                f'<g><title>{escape(name)}: {share:.1%}</title><rect x="{left:.1f}" y="{20 + row * HEIGHT}" '
                f'width="{max(width - 0.5, 0.5):.1f}" height="{HEIGHT - 1}" fill="{colour}"/>'
                + (f'<text x="{left + 3:.1f}" y="{31 + row * HEIGHT}">{escape(text)}</text>' if text else "")
                + "</g>"
            )
            draw(child, left, row + 1)
            left += width

    draw(root, 0.0, 0)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {24 + rows * HEIGHT}" font-family="monospace" '
    )
    head += f'font-size="10"><rect width="100%" height="100%" fill="#fff"/><text x="3" y="13">{escape(title)}</text>\n'
    return head + "\n".join(boxes) + "\n</svg>\n"


def section(rows: Sequence[str], about: str) -> str:
    head = ["| path | of a processor, a request | its dearest parts |", "|---|---|---|"]
    pictures = [f"![{path.title}](images/flames-{name}.svg)\n" for name, path in PATHS.items()]
    return "\n".join([f"## {TITLE}: {machine()}", "", about, "", *head, *rows, "", *pictures])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=20, help="of sampling, for each path")
    parser.add_argument("--only", default="", help="paths, with commas between them; rows of others stay")
    parser.add_argument("--write", action="store_true", help="into docs/performance.md and docs/images")
    arguments = parser.parse_args()
    load, rows = os.getloadavg()[0], []
    only = tuple(arguments.only.split(",")) if arguments.only else ()
    for name in only or PATHS:
        found, cost_ms = sampled(PATHS[name], arguments.seconds)
        parts = "; ".join(f"`{part}` {share:.0%}" for part, share in dearest(found))
        rows.append(f"| {PATHS[name].title} | {told(cost_ms)} ms | {parts} |")
        print(rows[-1], flush=True)
        if arguments.write:
            (PICTURES / f"flames-{name}.svg").write_text(drawn(found, PATHS[name].title))
    about = f"{datetime.now(UTC):%Y-%m-%d}: {versions()}; a load of {load:.1f} by other programs."
    if arguments.write:
        PERFORMANCE.write_text(put(PERFORMANCE.read_text(), section(rows, about), only, named_by=1))


if __name__ == "__main__":
    main()
