"""What a hit and a miss of the cache cost, over HTTP, and what an entry takes.

    .venv/bin/python -m tests.bench.cache --rounds 300 --questions 100000

Servers without a cache, with `exact` and with `verified` run side by side before one scripted LLM that answers at once,
and are asked in turn. Prints milliseconds a request (least, p50, p99) and bytes.
"""

import argparse
import asyncio
import base64
import contextlib
import http.client
import io
import itertools
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

import numpy as np
from reportlab.pdfgen.canvas import Canvas

from app.chat.cache.known_questions import KnownQuestions
from app.chat.cache.rephrased import Asked, Rephrased
from app.chat.inputs import Turn
from app.state.entries import Held
from app.state.sealing import Seal
from app.state.sqlite_entries import SqliteEntries
from app.wire.request import ChatRequest
from models.host import EngineHost
from models.language.embedding import DIMENSIONS, HostedEmbedder, Passage, Vector
from models.language.minilm.engine import SPEC, MiniLm, passages
from models.workplace import HostLimits
from tests.llm_server import Reply, serving_llm
from tests.pages import single_line
from tests.server import serving

PATH = "/v1/chat/completions"
ANSWER = "It is so, and it has been so for a long time, as everybody knows who has asked. " * 26
"""2 kB."""
MODES = ("off", "exact", "verified")
CALL = {"model": "interfaze-beta", "temperature": 0}


def question(number: int) -> dict[str, object]:
    """One that nobody has asked before, and that is nobody's in other words."""
    return CALL | {"messages": [{"role": "user", "content": f"What happened in the year {number} in Lower Silesia?"}]}


def long_document(pages: int) -> dict[str, object]:
    """OCR of a PDF whose reading is a megabyte, and that is small itself."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(595, 842), pageCompression=1)
    for page in range(pages):
        for line in range(50):
            canvas.drawString(
                40, 800 - 15 * line, f"Page {page}, line {line}: the quick brown fox jumps over the lazy dog"
            )
        canvas.showPage()
    canvas.save()
    url = f"data:application/pdf;base64,{base64.b64encode(file.getvalue()).decode()}"
    part = {"type": "file", "file": {"file_data": url, "filename": "long.pdf"}}
    messages = [{"role": "system", "content": "<task>ocr</task>"}, {"role": "user", "content": [part]}]
    return CALL | {"messages": messages}


class Caller:
    """Asks one server. Python's plain client: httpx takes a millisecond of its own."""

    def __init__(self, base_url: str) -> None:
        self._connection = http.client.HTTPConnection(base_url.removeprefix("http://"), timeout=60)

    def timed(self, body: dict[str, object], *, hit: bool) -> float:
        """Seconds."""
        seconds, was_hit = self.asked(body)
        assert was_hit is hit
        return seconds

    def asked(self, body: dict[str, object]) -> tuple[float, bool]:
        """Seconds, and whether the answer came from the cache."""
        sent = json.dumps(body).encode()
        started = time.perf_counter()
        self._connection.request("POST", PATH, sent, {"content-type": "application/json"})
        response = self._connection.getresponse()
        answer = response.read()
        seconds = time.perf_counter() - started
        assert response.status == 200, answer
        self.size = len(answer)
        return seconds, json.loads(answer)["vcache"]

    def close(self) -> None:
        self._connection.close()


@contextlib.contextmanager
def callers(folder: Path) -> Iterator[dict[str, Caller]]:
    """One of each mode."""
    with contextlib.ExitStack() as stack:
        llm = stack.enter_context(serving_llm(lambda _: Reply(ANSWER, chunks=[ANSWER])))
        found = {}
        for mode in MODES:
            (folder / mode).mkdir()
            settings = {
                "cache": mode,
                "cache_url": f"sqlite:///{folder / mode / 'answers.sqlite'}",
                "llm_base_url": llm.base_url,
                "llm_abilities": "tools,json_schema",
                "llm_context_tokens": 32768,
                "preload": "ocr,embedding",
            }
            server = stack.enter_context(serving(folder / mode / "log", **settings))
            found[mode] = stack.enter_context(contextlib.closing(Caller(server.base_url)))
        yield found


def told(name: str, seconds: list[float], aim: str = "") -> None:
    cuts = quantiles(seconds, n=100)
    print(f"{name:58}{1e3 * min(seconds):9.2f}{1e3 * cuts[49]:9.2f}{1e3 * cuts[98]:9.2f}  {aim}")


def over_http(rounds: int) -> None:
    with tempfile.TemporaryDirectory() as name, callers(Path(name)) as asked:
        numbers = itertools.count(1)
        misses: dict[str, list[float]] = {mode: [] for mode in MODES}
        for _ in range(rounds):
            for mode, caller in asked.items():
                misses[mode].append(caller.timed(question(next(numbers)), hit=False))
        for mode in MODES:
            told(f"an answer of 2 kB, asked for the first time, {mode}", misses[mode][10:])
        added = {mode: quantiles(misses[mode], n=2)[0] - quantiles(misses["off"], n=2)[0] for mode in MODES}
        exact, verified = (1e3 * added[mode] for mode in ("exact", "verified"))
        print(f"  a miss costs {exact:.2f} ms exact (aim: ≤ 0.5), {verified:.2f} verified (aim: ≤ 8)")
        caller, body = asked["exact"], question(next(numbers))
        caller.timed(body, hit=False)
        told("… a hit", [caller.timed(body, hit=True) for _ in range(rounds)], "aim: ≤ 2")
        large = long_document(7)
        caller.timed(large, hit=False)
        hits = [caller.timed(large, hit=True) for _ in range(max(rounds // 10, 10))]
        told(f"a reading of {caller.size / 1e6:.2f} MB, a hit", hits, "aim: ≤ 10")
        picture = CALL | {"messages": [{"role": "system", "content": "<task>ocr</task>"}, _picture("A hit of OCR")]}
        caller.timed(picture, hit=False)
        told("a picture, a hit", [caller.timed(picture, hit=True) for _ in range(rounds)])
        held = asyncio.run(held_in(Path(name) / "exact" / "answers.sqlite"))
        told_sizes = ", ".join(f"{one.size / one.entries:,.0f} bytes ({one.kind}s: {one.entries})" for one in held)
        print(f"  an entry takes {told_sizes}")


async def held_in(file: Path) -> list[Held]:
    store = SqliteEntries(file, 1 << 30)
    try:
        return await store.held()
    finally:
        await store.close()


def _picture(text: str) -> dict[str, object]:
    url = f"data:image/png;base64,{base64.b64encode(single_line(text).encoded()).decode()}"
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}


async def other_words(questions: int, rounds: int) -> None:
    """The look-up among many questions, in this process."""
    host = EngineHost[str | Passage, Vector](SPEC, MiniLm, HostLimits(max_batch=16))
    await host.load()
    embedder = HostedEmbedder(host, passages())
    with tempfile.TemporaryDirectory() as name:
        known = KnownQuestions(Path(name) / "q.sqlite", Seal(1 << 20))
        vectors = np.random.default_rng(1).normal(size=(questions, DIMENSIONS)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        for number, vector in enumerate(vectors):
            await known.add("scope", "me", f"Question {number}?", vector, number.to_bytes(32), b"", max_age_s=1e6)
        wording = "How tall is the Eiffel Tower?"
        [vector] = await embedder.embed([wording])
        await known.add("scope", "me", wording, vector, b"e" * 32, b"", max_age_s=1e6)
        rephrased = Rephrased(known, embedder, _no_llm, max_error=0.01, max_age_s=1e6)
        body = {
            "model": "interfaze-beta",
            "messages": [{"role": "user", "content": "How high is the Eiffel Tower?"}],
        }
        request = ChatRequest.model_validate(body)

        async def ask() -> Asked | None:
            return await rephrased.asked(request, Turn("How high is the Eiffel Tower?", ()), "scope")

        started = time.perf_counter()
        while await ask() is None:
            # Read from the disk for the first time, it takes longer than a request waits.
            await asyncio.sleep(0.01)
        print(f"  the first look-up that is in time comes after {time.perf_counter() - started:.2f} s")
        seconds = []
        for _ in range(rounds):
            started = time.perf_counter()
            asked = await ask()
            seconds.append(time.perf_counter() - started)
            assert asked is not None
            assert asked.near is not None
        told(f"embedding, the nearest of {questions:,}, vetoes, decision", seconds, "aim: ≤ 15 with the hit")
        size = await asyncio.to_thread(size_of, Path(name))
        print(f"  {size / questions:,.0f} bytes a question")
        await rephrased.close()
    await host.close()


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def _no_llm() -> object:
    raise AssertionError("nothing is compared here")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--questions", type=int, default=100_000)
    given = parser.parse_args()
    print(f"{'milliseconds':58}{'least':>9}{'p50':>9}{'p99':>9}")
    over_http(given.rounds)
    asyncio.run(other_words(given.questions, given.rounds))


if __name__ == "__main__":
    main()
