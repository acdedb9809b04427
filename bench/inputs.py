"""Measures the time and memory that the server needs for reading large inputs, and many inputs at once.

    .venv/bin/python -m bench.inputs [--minutes 95] [--requests 200] [--concurrency 32]

The inputs are a 20 MB picture by data URL and by URL, an mp3 by URL (made by ffmpeg), and mixed inputs at the same
time. The figures are seconds, the largest memory of the server and its decoding processes together, and the longest
stall of the event loop (a beat of 1 ms inside the server: see `watched`). "idle" is the longest stall without requests,
which shows how long the operating system stops the server on a busy machine.
"""

import argparse
import asyncio
import io
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import numpy as np
import PIL.Image

from bench import watched
from tests.e2e.conftest import data_url, ocr_request
from tests.origin import Origin, serving_origin
from tests.pages import paragraph_page
from tests.pdfs import pdf_of_pages
from tests.server import Server, serving

SAMPLE_S = 0.02


def large_picture(megabytes: float = 19.5) -> bytes:
    """Return a PNG of this size, with some text. The picture is noise, which hardly compresses, so that its side can be
    calculated from the size."""
    side = int((megabytes * 2**20 / 3) ** 0.5)
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8)
    text = np.asarray(paragraph_page(lines=4).image.convert("RGB"))
    noise[: text.shape[0], : text.shape[1]] = text[:side, :side]
    file = io.BytesIO()
    PIL.Image.fromarray(noise).save(file, "PNG", compress_level=1)
    return file.getvalue()


def long_recording(minutes: float) -> bytes:
    """Return noise bursts as mp3. They replace speech, because the measurement concerns the input and not its
    content."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.mp3"
        source = f"sine=frequency=220:duration={minutes * 60}"
        subprocess.run(
            ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", source, "-ac", "1", "-b:a", "64k", str(path)],
            check=True,
        )
        return path.read_bytes()


def speech_request(url: str) -> dict[str, object]:
    part = {"type": "input_audio", "input_audio": {"data": url, "format": "mp3"}}
    return {
        "model": "auto",
        "messages": [
            {"role": "system", "content": "<task>speech_to_text</task>"},
            {"role": "user", "content": [{"type": "text", "text": "Transcribe."}, part]},
        ],
    }


def mixed_requests(origin: Origin) -> list[dict[str, object]]:
    picture = paragraph_page(lines=6).encoded("PNG")
    jpeg = paragraph_page(lines=6).encoded("JPEG")
    table = "\n".join(f"row {number},{number * number}" for number in range(500)).encode()
    pdf = pdf_of_pages(5)
    origin.files.update({"/page.png": picture, "/page.jpg": jpeg, "/table.csv": table, "/file.pdf": pdf})
    urls = [
        data_url(picture),
        data_url(jpeg, "image/jpeg"),
        data_url(pdf, "application/pdf"),
        data_url(table, "text/csv"),
        *(origin.url(path) for path in ("/page.png", "/page.jpg", "/table.csv", "/file.pdf")),
    ]
    return [ocr_request(url) for url in urls]


class Bench:
    def __init__(self, server: Server) -> None:
        self._memory = watched.Memory(server.process.pid)
        self._client = httpx.AsyncClient(base_url=server.base_url, timeout=900, trust_env=False)

    async def measure(self, name: str, work: Callable[[], Awaitable[str]]) -> None:
        await self._stall_ms()
        before, self._memory.peak_mb = self._memory.look(), 0.0
        started = time.perf_counter()
        watching = asyncio.create_task(self._watch())
        said = await work()
        seconds = time.perf_counter() - started
        watching.cancel()
        stall = await self._stall_ms()
        print(f"{name:44}{seconds:9.2f}{before:10.0f}{self._memory.peak_mb:10.0f}{stall:10.1f}   {said}", flush=True)

    async def post(self, body: dict[str, object]) -> int:
        response = await self._client.post("/v1/chat/completions", json=body)
        return response.status_code

    async def one(self, body: dict[str, object]) -> str:
        return str(await self.post(body))

    async def many(self, bodies: list[dict[str, object]], requests: int, concurrency: int) -> str:
        turns = iter(range(requests))
        statuses: Counter[int] = Counter()

        async def caller() -> None:
            for turn in turns:
                statuses[await self.post(bodies[turn % len(bodies)])] += 1

        started = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(concurrency)))
        return f"{requests / (time.perf_counter() - started):.1f} requests/s, {dict(statuses)}"

    async def _stall_ms(self) -> float:
        return float((await self._client.get("/bench/stall")).text)

    async def _watch(self) -> None:
        while True:
            await asyncio.to_thread(self._memory.look)
            await asyncio.sleep(SAMPLE_S)

    async def close(self) -> None:
        await self._client.aclose()


async def run(server: Server, origin: Origin, arguments: argparse.Namespace) -> None:
    bench = Bench(server)
    picture = large_picture()
    origin.files["/large.png"] = picture
    origin.files["/long.mp3"] = await asyncio.to_thread(long_recording, arguments.minutes)

    async def idle() -> str:
        await asyncio.sleep(2)
        return ""

    print(f"{'':44}{'seconds':>9}{'MB before':>10}{'MB peak':>10}{'stall ms':>10}")
    await bench.measure("idle", idle)
    await bench.measure("first page (loads the engine)", lambda: bench.one(mixed_requests(origin)[0]))
    body = ocr_request(data_url(picture))
    await bench.measure(f"{len(picture) / 2**20:.1f} MB picture by data URL", lambda: bench.one(body))
    await bench.measure("… again", lambda: bench.one(body))
    await bench.measure("… by URL", lambda: bench.one(ocr_request(origin.url("/large.png"))))
    bodies = mixed_requests(origin)
    many = f"{arguments.requests} mixed inputs, {arguments.concurrency} at once"
    await bench.measure(many, lambda: bench.many(bodies, arguments.requests, arguments.concurrency))
    if not arguments.no_speech:
        recording = speech_request(origin.url("/long.mp3"))
        await bench.measure(f"{arguments.minutes:g}-minute mp3 by URL", lambda: bench.one(recording))
    await bench.measure("idle again", idle)
    await bench.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=95)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--concurrency", type=int, default=32)
    parser.add_argument("--no-speech", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving_origin() as origin:
        log = Path(folder) / "log"
        settings = {"fetch_allow": "127.0.0.1/32", "max_queue": 512, "llm": "openai-server"}
        with serving(log, watched.PROGRAM, **settings) as server:
            asyncio.run(run(server, origin, arguments))


if __name__ == "__main__":
    main()
