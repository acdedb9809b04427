"""Runs work of every kind at once for a long time, to find answers that are lost or that reach the wrong caller, and
memory that the server does not release.

    python -m bench.soak [--minutes 30] [--streams 20] [--callers 12]

Openfaze and the scripted LLM behind it are separate processes. Every caller sends its next request as soon as it is
answered. `--streams` callers have an LLM's answer streamed; the answer is right if it consists of exactly its own
chunks, in order, followed by the finish reason and `[DONE]`. The other `--callers` send pictures, documents, speech,
texts to judge, files, and invalid requests. Memory, files, sockets, threads and processes are counted during the run,
and at rest before and after it.
"""

import argparse
import asyncio
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import psutil

from tests import hostile
from tests.conftest import SHARED
from tests.e2e.conftest import data_url, ocr_request
from tests.llm_server import Reply, serving_llm
from tests.origin import Origin, serving_origin
from tests.pages import single_line
from tests.pdfs import pdf_of_pages
from tests.recordings import plain_wav
from tests.server import Server, serving
from tests.speech import say

FEWEST, MOST = 20, 120
"""Least and most chunks of an answer."""
PAUSE_S = 0.1
"""Seconds between two chunks of the LLM's answers."""
KEYS = ("key-1", "key-2", "key-3", "key-4")
CHAT = "/v1/chat/completions"
MODEL = "interfaze-beta"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
LOOK_S = 5.0
WARM_UP = 1 / 3
"""Share of the run after which memory must not grow any more."""
REST_S = 90.0
"""Seconds of rest, after which the server must have released everything of the requests except the loaded engines."""


def pieces_for(name: str) -> list[str]:
    """Return the chunks for the caller of this name."""
    return [f"{name}:{number} " for number in range(random.Random(name).randint(FEWEST, MOST))]


def reply_to(body: dict[str, Any]) -> Reply:
    said = body["messages"][-1]["content"]
    if isinstance(said, str) and said.startswith("caller-"):
        return Reply(chunks=pieces_for(said), delay_s=PAUSE_S)
    return Reply("A short answer.")


@dataclass(frozen=True)
class Ask:
    """A request that is sent repeatedly."""

    content: Callable[[], Any]
    """Function that returns JSON, bytes, or a form."""
    path: str = CHAT
    holds: str = ""
    """Text that the answer must contain."""
    statuses: tuple[int, ...] = (200,)
    """Expected statuses; 429 and 503 are always allowed."""
    hangs_up: bool = False


def task(name: str, *parts: dict[str, Any]) -> dict[str, Any]:
    system = {"role": "system", "content": f"<task>{name}</task>"}
    return {"model": MODEL, "messages": [system, {"role": "user", "content": list(parts)}]}


def words(text: str, system: str = "Be brief.") -> dict[str, Any]:
    return {
        "model": MODEL,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": text}],
    }


def form(content: bytes, name: str, **fields: str) -> aiohttp.FormData:
    data = aiohttp.FormData(fields)
    data.add_field("file", content, filename=name)
    return data


def asks(origin: Origin) -> dict[str, tuple[int, Ask]]:
    """Return the requests by name, each with its frequency."""
    sign, paper = single_line("Platform nine").encoded(), pdf_of_pages(3)
    origin.files["/sign.png"] = sign
    laughing = hostile.docx_laughing()
    speech = plain_wav(say("Hello. The train leaves from platform nine.")[None])
    bus = {"type": "image_url", "image_url": {"url": data_url((SHARED / "samples" / "photo_bus.jpg").read_bytes())}}
    bad = (
        lambda: b'{"model": "interfaze-beta", "messages": [',
        lambda: ocr_request(data_url(hostile.png_claiming(60_000, 60_000))),
        lambda: ocr_request(data_url(laughing, DOCX)),
        lambda: ocr_request(data_url(b"%PDF-1.7 nothing", "application/pdf")),
        lambda: ocr_request("http://169.254.169.254/latest/meta-data"),
        lambda: task("cooking", {"type": "text", "text": "Hello"}),
        lambda: {**words("Hello"), "temperature": "warm"},
    )
    picked = random.Random(0)
    transcriptions = "/v1/audio/transcriptions"
    return {
        "OCR of a picture": (4, Ask(lambda: ocr_request(data_url(sign)), holds="Platform nine")),
        "OCR of a URL": (2, Ask(lambda: ocr_request(origin.url("/sign.png")), holds="Platform nine")),
        "OCR of a PDF": (2, Ask(lambda: ocr_request(data_url(paper, "application/pdf")), holds="page")),
        "speech": (1, Ask(lambda: form(speech, "a.wav", model="whisper-1"), transcriptions, holds="platform")),
        "detection": (2, Ask(lambda: task("object_detection", bus), holds="bus")),
        "chat": (4, Ask(lambda: words("Hello"), holds="A short answer.")),
        "guarded chat": (2, Ask(lambda: words("Hello", "<guard>S1, S9</guard>"), holds="A short answer.")),
        "moderation": (4, Ask(lambda: {"input": "How do trains brake?"}, "/v1/moderations", holds="flagged")),
        "upload": (1, Ask(lambda: form(b"a" * 100_000, "a.txt", purpose="user_data"), "/v1/files", holds="file-")),
        "bad input": (6, Ask(lambda: picked.choice(bad)(), statuses=(400, 413))),
        "nobody waits": (2, Ask(lambda: words("caller-gone"), hangs_up=True)),
    }


@dataclass(frozen=True)
class Look:
    """State of the server at one moment."""

    requests: int
    memory_mb: float
    files: int
    sockets: int
    threads: int
    processes: int

    @classmethod
    def at(cls, process: psutil.Process, requests: int) -> "Look":
        with process.oneshot():
            sockets = len(process.net_connections("all"))
            files = process.num_fds() - sockets
            memory = process.memory_info().rss / 1e6
            return cls(requests, memory, files, sockets, process.num_threads(), len(process.children(recursive=True)))

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:.0f}" for name, value in asdict(self).items())


class Soak:
    def __init__(self, server: Server, kinds: dict[str, tuple[int, Ask]]) -> None:
        self.base_url = server.base_url
        self.process = psutil.Process(server.process.pid)
        self.kinds = kinds
        self.outcome: dict[str, Counter[str]] = {}
        self.wrong: list[str] = []
        self.done = 0
        self.looks: list[Look] = []

    async def run(self, streams: int, callers: int, seconds: float) -> None:
        until = time.monotonic() + seconds
        watching = asyncio.create_task(self._watch())
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(self.base_url, connector=connector) as session:
            names, often = list(self.kinds), [many for many, _ in self.kinds.values()]

            async def stream(number: int) -> None:
                turn = 0
                while time.monotonic() < until:
                    turn += 1
                    self._note("stream", await self._stream(session, f"caller-{number}-{turn}", KEYS[number % 4]))

            async def caller(number: int) -> None:
                chosen = random.Random(number)
                while time.monotonic() < until:
                    [name] = chosen.choices(names, often)
                    self._note(name, await self._ask(session, name, self.kinds[name][1], KEYS[number % 4]))

            await asyncio.gather(*map(stream, range(streams)), *map(caller, range(callers)))
        watching.cancel()

    async def once(self) -> None:
        """Send a request of each kind, so that every engine is loaded."""
        async with aiohttp.ClientSession(self.base_url) as session:
            for name, (_, ask) in self.kinds.items():
                self._note(name, await self._ask(session, name, ask, KEYS[0]))

    def end(self) -> None:
        """End the program with an error if any answer was wrong."""
        if self.wrong:
            sys.exit("\n".join([f"{len(self.wrong)} answers were wrong:", *self.wrong[:20]]))

    async def at_rest(self) -> Look:
        await asyncio.sleep(REST_S)
        return Look.at(self.process, self.done)

    async def _watch(self) -> None:
        for number in range(1_000_000):
            self.looks.append(Look.at(self.process, self.done))
            if number % 12 == 0:
                print(f"{number * LOOK_S / 60:.0f} min: {self.looks[-1]}", flush=True)
            await asyncio.sleep(LOOK_S)

    def _note(self, name: str, outcome: str) -> None:
        self.done += 1
        self.outcome.setdefault(name, Counter())[outcome] += 1

    async def _ask(self, session: aiohttp.ClientSession, name: str, ask: Ask, key: str) -> str:
        content = ask.content()
        sent = {"json": content} if isinstance(content, dict) else {"data": content}
        headers = {"authorization": f"Bearer {key}"}
        if isinstance(content, bytes):
            headers["content-type"] = "application/json"
        if ask.hangs_up:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PAUSE_S), session.post(ask.path, headers=headers, **sent):
                    pass
            return "left"
        async with session.post(ask.path, headers=headers, **sent) as response:
            text = await response.text()
        status = response.status
        if status not in (*ask.statuses, 429, 503) or (status == 200 and ask.holds not in text):
            self.wrong.append(f"{name}: {status} {text[:500]}")
        if status in (429, 503):
            await asyncio.sleep(float(response.headers["retry-after"]))
        elif ask.path == "/v1/files" and status == 200:
            async with session.delete(f"/v1/files/{json.loads(text)['id']}", headers=headers) as gone:
                await gone.read()
        return str(status)

    async def _stream(self, session: aiohttp.ClientSession, name: str, key: str) -> str:
        body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": name}]}
        texts: list[str] = []
        ended = finished = False
        async with session.post(CHAT, json=body, headers={"authorization": f"Bearer {key}"}) as response:
            if response.status != 200:
                return str(response.status)
            async for line in response.content:
                if line == b"data: [DONE]\n":
                    ended = True
                elif line.startswith(b"data: {"):
                    [choice] = json.loads(line.removeprefix(b"data: "))["choices"]
                    if "content" in choice["delta"]:
                        texts.append(choice["delta"]["content"])
                    finished = choice["finish_reason"] == "stop"
                elif line.startswith(b"event: error"):
                    return "error event"
        if texts == pieces_for(name) and finished and ended:
            return "right"
        crossed = any(not text.startswith(f"{name}:") for text in texts)
        self.wrong.append(f"stream: {'crossed' if crossed else 'lost'} {texts[:3]}")
        return "wrong"


def slope(looks: list[Look]) -> float:
    """Return the megabytes by which memory grows per thousand requests after the warm-up."""
    warm = looks[int(len(looks) * WARM_UP) :]
    return float(np.polyfit([one.requests for one in warm], [one.memory_mb for one in warm], 1)[0] * 1000)


@contextlib.contextmanager
def scripted_llm() -> Iterator[str]:
    """Yield the base URL of the LLM, which runs in a process of its own."""
    command = [sys.executable, "-m", "bench.soak", "--llm"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def serve_llm() -> None:
    """Serve until the other process closes the standard input."""
    with serving_llm(reply_to) as llm:
        llm.recording = False
        print(llm.base_url, flush=True)
        sys.stdin.read()


async def main(minutes: float, streams: int, callers: int) -> None:
    with scripted_llm() as llm, serving_origin() as origin, tempfile.TemporaryDirectory() as folder:
        settings: dict[str, Any] = {
            "api_keys": ",".join(KEYS),
            "llm_base_url": llm,
            "llm_model": "scripted",
            "llm_abilities": "tools",
            "llm_context_tokens": 32768,
            "fetch_allow": "127.0.0.1/32",
            "weights_dir": SHARED / "weights",
        }
        with serving(Path(folder) / "log", imports="", **settings) as server:
            soak = Soak(server, asks(origin) if callers else {})
            await soak.once()
            before = await soak.at_rest()
            print(f"at rest before: {before}", flush=True)
            started = time.monotonic()
            await soak.run(streams, callers, minutes * 60)
            wall = time.monotonic() - started
            after = await soak.at_rest()
            errors = Counter(str(line["event"]) for line in server.log if line["level"] == "error")
    for name, outcome in soak.outcome.items():
        print(f"{name}: {dict(outcome)}")
    print(f"{soak.done} requests, {soak.done / wall:.1f}/s; errors logged: {dict(errors)}")
    print(f"at rest before: {before}\nat rest after: {after}")
    print(f"memory: {slope(soak.looks):.2f} MB for 1,000 requests after the warm-up")
    soak.end()


def options(about: str | None, *, minutes: float, streams: int, callers: int) -> argparse.ArgumentParser:
    """Return the options of a soak program, with these defaults."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--streams", type=int, default=streams)
    parser.add_argument("--callers", type=int, default=callers)
    return parser


if __name__ == "__main__":
    parser = options(__doc__, minutes=30, streams=20, callers=12)
    parser.add_argument("--llm", action="store_true", help="be the scripted LLM")
    arguments = parser.parse_args()
    if arguments.llm:
        serve_llm()
    else:
        asyncio.run(main(arguments.minutes, arguments.streams, arguments.callers))
