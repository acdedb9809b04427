"""Measures the time of a cache hit and of a cache miss over HTTP, and the size of a cache entry.

    .venv/bin/python -m bench.cache --rounds 300 --questions 100000

Three servers run side by side: one without a cache, one with `exact` and one with `verified`. All use one scripted LLM
that answers at once, and get requests in turn. The program prints milliseconds per request (least, p50, p99) and bytes.
"""

import argparse
import asyncio
import base64
import contextlib
import http.client
import io
import itertools
import json
import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import quantiles

import numpy as np
from reportlab.pdfgen.canvas import Canvas

from app.chat.cache.known_questions import KnownQuestions
from app.chat.cache.verification import Observation
from app.state.entries import EntryTotals
from app.state.sealing import Sealer
from app.state.sqlite_entries import SqliteEntries
from bench.cache_simulation import worded
from models.embedding.embedder import DIMENSIONS
from tests.llm_server import Reply, serving_llm
from tests.pages import single_line
from tests.server import serving

PATH = "/v1/chat/completions"
ANSWER = "It is so, and it has been so for a long time, as everybody knows who has asked. " * 26
"""Answer of the scripted LLM, of 2 kB."""
MODES = ("off", "exact", "verified")
AT_ONCE = 8
CALL = {"model": "interfaze-beta", "temperature": 0}


def question(number: int) -> dict[str, object]:
    """Return a question that has the meaning of no earlier question."""
    return CALL | {"messages": [{"role": "user", "content": f"What happened in the year {number} in Lower Silesia?"}]}


def long_document(pages: int) -> dict[str, object]:
    """Return a request for the OCR of a PDF. The request is small, but its result has a megabyte."""
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
    """Client of one server. It uses Python's plain client, because httpx takes a millisecond of its own."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._connection = http.client.HTTPConnection(base_url.removeprefix("http://"), timeout=60)

    def timed(self, body: dict[str, object], *, hit: bool) -> float:
        """Return the seconds of a request. The request must be a hit if `hit` is true, and a miss otherwise."""
        seconds, was_hit = self.asked(body)
        assert was_hit is hit
        return seconds

    def asked(self, body: dict[str, object]) -> tuple[float, bool]:
        """Return the seconds of a request, and True if the answer came from the cache."""
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
def callers(folder: Path, **more: object) -> Iterator[dict[str, Caller]]:
    """Start one server per mode and yield a dict from each mode to its client."""
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
                **more,
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


async def held_in(file: Path) -> list[EntryTotals]:
    store = SqliteEntries(file, 1 << 30)
    try:
        return await store.entry_totals()
    finally:
        await store.close()


def _picture(text: str) -> dict[str, object]:
    url = f"data:image/png;base64,{base64.b64encode(single_line(text).encoded()).decode()}"
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}


def other_words(questions: int, rounds: int) -> None:
    """Print how long a cache hit takes over HTTP when the question is a paraphrase of a
    stored one and many questions are stored."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "verified" / "answers-questions.sqlite"
        # With this error bound, a few observations are enough for hits. The time of a look-up does not depend on the
        # bound.
        with callers(folder, cache_max_error=0.2) as asked:
            caller, wordings = asked["verified"], other_wordings(40 + rounds)
            for wording in wordings[:40]:
                caller.asked(wording)
                time.sleep(0.05)  # time for the comparison, which follows the answer
            before = file.stat().st_size
            asyncio.run(fill(file, questions))
            size = (file.stat().st_size - before) / questions
            # The server has closed the connection because it was idle for too long.
            with contextlib.closing(Caller(caller.base_url)) as again:
                seconds = [taken for taken, was_hit in map(again.asked, wordings[40:]) if was_hit]
        told(f"a hit in other words among {questions:,} ({len(seconds)} of {rounds})", seconds, "aim: ≤ 15")
        print(f"  {size:,.0f} bytes a question")


def other_wordings(count: int) -> list[dict[str, object]]:
    """Return different wordings of one question."""
    drawn = random.Random(4)
    asked = [f"{begun} the Eiffel Tower?" for begun in ("How tall is", "What is the height of", "How high is")]
    wordings: dict[str, None] = {}
    while len(wordings) < count:
        wordings[worded(drawn.choice(asked), drawn) + " " * drawn.randrange(8)] = None
    return [CALL | {"messages": [{"role": "user", "content": wording}]} for wording in wordings]


async def fill(file: Path, questions: int) -> None:
    """Fill the store with `questions` entries, each with one recorded observation."""
    known = KnownQuestions(file, Sealer(1 << 20))
    vectors = np.random.default_rng(1).normal(size=(questions, DIMENSIONS)).astype(np.float32)
    for number, vector in enumerate(vectors):
        gist, text = number.to_bytes(16), f"What happened in the year {number} in Upper Silesia?"
        await known.add(gist, "me", text, number.to_bytes(32), bytes(32), max_age_s=1e6)
        [found] = await known.find_by_gist(gist, 1)
        await known.observe(replace(found, vector=vector), Observation(0.9, correct=True))
    await known.close()


def throughput(rounds: int) -> None:
    """Print the number of misses per second, for several callers at a time."""
    numbers = itertools.count(1_000_000)
    with tempfile.TemporaryDirectory() as name, callers(Path(name)) as asked:
        for mode, caller in asked.items():
            at_once = [Caller(caller.base_url) for _ in range(AT_ONCE)]
            bodies = [[question(next(numbers)) for _ in range(rounds)] for _ in at_once]
            started = time.perf_counter()
            with ThreadPoolExecutor(AT_ONCE) as threads:
                list(threads.map(lambda one, mine: [one.timed(body, hit=False) for body in mine], at_once, bodies))
            spent = time.perf_counter() - started
            print(f"{f'misses a second, {AT_ONCE} at a time, {mode}':58}{AT_ONCE * rounds / spent:9.0f}")
            for one in at_once:
                one.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--questions", type=int, default=100_000)
    given = parser.parse_args()
    print(f"{'milliseconds':58}{'least':>9}{'p50':>9}{'p99':>9}")
    over_http(given.rounds)
    other_words(given.questions, given.rounds)
    throughput(given.rounds)


if __name__ == "__main__":
    main()
